# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy", "scipy", "typer", "torch", "jax"]
# ///
"""The largest eigenvalues of the Hessian of the loss on one batch, and what they say about the learning rate.

    hessian_top.py --target target.py:build --k 5
    hessian_top.py --target target.py:build --lr 0.1 --json

The Hessian is never built: Lanczos iteration (scipy.sparse.linalg.eigsh) asks for products with a vector, each of which
costs about two gradients. The model is evaluated in evaluation mode (no dropout, stored statistics of batch norm), in
float64, on the whole batch of the target.

Plain gradient descent with learning rate lr on a quadratic diverges along every direction whose curvature exceeds 2/lr;
heavy-ball momentum b moves the limit to 2 (1 + b)/lr. Full-batch training is often seen to settle with its sharpness
(the largest eigenvalue) at that limit, and oscillates there without diverging (Cohen et al. 2021). So sharpness above
the limit explains a loss that jumps; it is not a prediction of divergence, says nothing of Adam (whose limit is that of
the preconditioned Hessian), and is no measure of generalisation: rescaling weights changes it (Dinh et al. 2017).

Findings: sharpness-above-limit, negative-curvature (only with --smallest). Verdict: measured, or faults.
"""

from __future__ import annotations

import copy
import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

sys.path[:0] = [str(Path(__file__).resolve().parents[3] / "tools")]

import typer
from dltools.report import CannotDecide, Finding, Report, UnusableInput, answering, finish, help_text

TOOL = "hessian-top"
# below this many parameters the whole matrix is cheaper than Lanczos, and exact
DENSE = 64

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


def hessian_product(target: Any) -> tuple[Callable[[Any], Any], int]:
    """The map v -> H v for the loss of a target, and the number of parameters.

    Args:
        target: a `dltools.target.Target`; it is not changed.

    Returns:
        A function on float64 vectors of shape (parameters,), and that number.

    Raises:
        UnusableInput: the model has no trainable parameter or runs in no float64.
        CannotDecide: the loss is not finite, or an operation has no second derivative.
    """
    return _torch_product(target) if target.framework == "torch" else _jax_product(target)


def _torch_product(target: Any) -> tuple[Callable[[Any], Any], int]:
    import torch

    try:
        twin = copy.deepcopy(target)
    except (RuntimeError, TypeError) as error:
        raise UnusableInput(f"the model or its loss cannot be copied: {_first_line(error)}") from error
    twin.model.double().eval()
    if isinstance(twin.loss_fn, torch.nn.Module):
        twin.loss_fn.double()
    parameters = list(twin.parameters().values())
    if not parameters:
        raise UnusableInput("the model has no trainable floating-point parameter")
    inputs, targets = _mapped(twin.batch, lambda x: x.double() if torch.is_tensor(x) and x.is_floating_point() else x)
    # the fused CPU kernel of attention has no second derivative
    with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
        try:
            loss = twin.loss_fn(twin.forward(inputs), targets)
        except (RuntimeError, TypeError, ValueError) as error:
            raise UnusableInput(f"the model does not run in float64: {_first_line(error)}") from error
        if not math.isfinite(twin.scalar(loss)):
            raise CannotDecide("the loss of this batch is not finite; find out why first")
        if not loss.requires_grad:
            raise UnusableInput("the loss does not depend on any trainable parameter")
        gradients = torch.autograd.grad(loss.reshape(()), parameters, create_graph=True, materialize_grads=True)
    gradient = torch.cat([g.reshape(-1) for g in gradients])

    def product(v: Any) -> Any:
        if not gradient.requires_grad:
            return 0 * v
        along = gradient @ torch.from_numpy(v).to(gradient.device)
        try:
            parts = torch.autograd.grad(along, parameters, retain_graph=True, materialize_grads=True)
        except RuntimeError as error:
            raise CannotDecide(f"an operation of the model has no second derivative: {_first_line(error)}") from error
        return torch.cat([part.reshape(-1) for part in parts]).cpu().numpy()

    return product, gradient.numel()


def _jax_product(target: Any) -> tuple[Callable[[Any], Any], int]:
    import jax
    import jax.numpy as jnp
    import numpy as np

    def wide(x: Any) -> Any:
        return x.astype(jnp.float64) if isinstance(x, jax.Array) and jnp.issubdtype(x.dtype, jnp.floating) else x

    with jax.enable_x64(True):
        leaves, structure = jax.tree.flatten(target.params)
        chosen = [i for i, leaf in enumerate(leaves) if jnp.issubdtype(jnp.asarray(leaf).dtype, jnp.floating)]
        if not chosen:
            raise UnusableInput("the parameters hold no floating-point array")
        shapes = [jnp.shape(leaves[i]) for i in chosen]
        point = jnp.concatenate([jnp.ravel(wide(leaves[i])) for i in chosen])
        inputs, targets = jax.tree.map(wide, target.batch)
        other = jax.tree.map(wide, target.other)

        def loss(flat: Any) -> Any:
            filled, start = list(leaves), 0
            for index, shape in zip(chosen, shapes, strict=True):
                size = math.prod(shape)
                filled[index] = flat[start : start + size].reshape(shape)
                start += size
            params = jax.tree.unflatten(structure, filled)
            outputs, _ = target.call(params, inputs, train=False, other=other)
            return jnp.asarray(target.loss_fn(outputs, targets)).reshape(())

        try:
            value = float(loss(point))
        except (TypeError, ValueError) as error:
            raise UnusableInput(
                f"the loss is not one number, or the model runs in no float64: {_first_line(error)}"
            ) from error
        if not math.isfinite(value):
            raise CannotDecide("the loss of this batch is not finite; find out why first")
        # reverse over reverse: a custom_vjp has no forward mode
        compiled = jax.jit(lambda v: jax.grad(lambda flat: jnp.vdot(jax.grad(loss)(flat), v))(point))

    def product(v: Any) -> Any:
        with jax.enable_x64(True):
            return np.asarray(compiled(jnp.asarray(v)))

    return product, point.size


def eigenvalues(product: Callable, size: int, k: int, which: str = "largest", seed: int = 0) -> Any:
    """The k algebraically largest or smallest eigenvalues of a symmetric operator, the most extreme first.

    Args:
        product: v -> H v on vectors of shape (size,).
        size: number of rows.
        k: how many; all of them where there are fewer.
        which: `largest` or `smallest`.
        seed: of the starting vector.

    Raises:
        CannotDecide: the iteration does not converge.
    """
    import numpy as np
    from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigsh

    k = min(k, size)
    if size <= max(DENSE, k + 1):
        matrix = np.stack([product(row) for row in np.eye(size)])
        values = np.linalg.eigvalsh((matrix + matrix.T) / 2)
    else:
        operator = LinearOperator(
            (size, size), matvec=lambda v: product(np.ascontiguousarray(v).ravel()), dtype=np.float64
        )
        start = np.random.default_rng(seed).standard_normal(size)
        try:
            mode = {"largest": "LA", "smallest": "SA"}[which]
            values = eigsh(operator, k, which=mode, v0=start, return_eigenvectors=False, tol=1e-9)
        except ArpackNoConvergence:
            raise CannotDecide(
                f"Lanczos iteration did not converge for {k} eigenvalues; ask for fewer with --k"
            ) from None
    values = np.sort(values)
    return values[:k] if which == "smallest" else values[::-1][:k]


def analyse(target: Any, k: int = 5, lr: float | None = None, smallest: bool = False, seed: int = 0) -> Report:
    """Measures the top of the spectrum and compares it with the limit of gradient descent.

    Args:
        target: a `dltools.target.Target`.
        k: number of eigenvalues.
        lr: learning rate; by default that of the target's optimizer where it is PyTorch's SGD.
        smallest: the most negative eigenvalues as well.
        seed: of the starting vector.
    """
    product, size = hessian_product(target)
    top = eigenvalues(product, size, k, "largest", seed)
    sharpness = float(top[0])
    measured: dict[str, Any] = {"parameters": size, "eigenvalues": top.tolist(), "sharpness": sharpness}
    findings, notes = [], []
    momentum = 0.0
    if lr is None:
        lr, momentum, reason = _learning_rate(target)
        notes += [reason] if reason else []
    if lr is not None:
        limit = 2 * (1 + momentum) / lr
        measured |= {"lr": lr, "momentum": momentum, "limit": limit}
        if sharpness > limit:
            findings.append(
                Finding(
                    "sharpness-above-limit",
                    "loss",
                    f"the sharpness {sharpness:.4g} exceeds {limit:.4g}, the limit of gradient descent at "
                    f"learning rate {lr:g}",
                    {"sharpness": sharpness, "limit": limit, "lr_at_limit": 2 * (1 + momentum) / sharpness},
                    "train some steps at a learning rate below lr_at_limit, or warm up to the present one, and "
                    "compare the losses",
                )
            )
    if smallest:
        bottom = eigenvalues(product, size, k, "smallest", seed)
        measured["smallest"] = bottom.tolist()
        # rounding leaves a flat direction a little below 0
        if bottom[0] < -0.01 * abs(sharpness):
            findings.append(
                Finding(
                    "negative-curvature",
                    "loss",
                    f"the smallest eigenvalue is {bottom[0]:.4g}: the point is no minimum, and not near one "
                    "along that direction",
                    {"smallest": float(bottom[0]), "sharpness": sharpness},
                    "expected during training; at the end of it, train on, or look whether the learning rate "
                    "fell too early",
                )
            )
    return Report(TOOL, "faults" if findings else "measured", findings, measured, notes)


def _learning_rate(target: Any) -> tuple[float | None, float, str]:
    optimizer = target.optimizer
    if optimizer is None:
        return None, 0.0, "no learning rate is known, so the sharpness has nothing to be compared with; give --lr"
    groups = getattr(optimizer, "param_groups", None)
    if groups is None:
        return None, 0.0, "an optax transformation does not tell its learning rate; give --lr"
    if type(optimizer).__name__ != "SGD":
        name = type(optimizer).__name__
        return None, 0.0, f"2/lr is the limit of gradient descent and not that of {name}, so no comparison is made"
    return max(float(group["lr"]) for group in groups), float(groups[0]["momentum"]), ""


def _mapped(value: Any, function: Callable) -> Any:
    if isinstance(value, dict):
        return {name: _mapped(item, function) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_mapped(item, function) for item in value)
    return function(value)


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


@app.command(help=help_text(__doc__))
def main(
    target: Annotated[str, typer.Option(help="FILE.py:factory")],
    k: Annotated[int, typer.Option(help="number of eigenvalues")] = 5,
    lr: Annotated[float | None, typer.Option(help="learning rate of plain gradient descent to compare with")] = None,
    smallest: Annotated[bool, typer.Option("--smallest", help="the most negative eigenvalues as well")] = False,
    device: Annotated[str, typer.Option(help="for PyTorch, such as cuda:0")] = "cpu",
    timeout: Annotated[float, typer.Option(help="seconds for importing the target and calling its factory")] = 60.0,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object")] = False,
    seed: Annotated[int, typer.Option(help="of the starting vector")] = 0,
    debug: Annotated[bool, typer.Option("--debug", help="show the traceback of an unexpected error")] = False,
) -> None:
    with answering(TOOL, as_json, debug):
        from dltools.target import load

        if k < 1:
            raise UnusableInput(f"--k is {k}; give 1 or more")
        if lr is not None and not (math.isfinite(lr) and lr > 0):
            raise UnusableInput(f"--lr is {lr}; give a number above 0")
        report = analyse(load(target, timeout=timeout, device=device), k, lr, smallest, seed)
        if not as_json:
            print(f"{report.measured['parameters']} parameters; largest eigenvalues:")
            print("  " + ", ".join(f"{value:.6g}" for value in report.measured["eigenvalues"]))
            if smallest:
                print("smallest eigenvalues:\n  " + ", ".join(f"{value:.6g}" for value in report.measured["smallest"]))
        finish(report, as_json)


if __name__ == "__main__":
    app()
