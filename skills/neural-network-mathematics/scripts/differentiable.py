"""An operation in PyTorch or JAX as a real function of numpy arrays, with the gradient that its framework gives.

The outputs are multiplied by fixed random numbers and added up: f(x) = Re sum(conj(u) op(x)). A wrong Jacobian J gives
a wrong J^T u for all u but a set of measure zero. The second-order function is g(x, u) = Re sum(conj(w) grad f(x; u)):
a backward pass is a function of the incoming gradient u as well, and may have lost its dependence on it.
"""

from __future__ import annotations

import abc
import copy
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from dltools.report import CannotDecide, UnusableInput
from finite_differences import Function


class Differentiable(abc.ABC):
    """An operation with its inputs, in one precision.

    Args:
        op: the operation.
        inputs: its arguments; those that are no floating-point arrays are held fixed.
        seed: of the random cotangents.
        double: whether floating-point inputs become float64 (complex128), or stay as they are.
    """

    def __init__(self, op: Callable, inputs: Sequence[Any], seed: int, double: bool) -> None:
        self.op, self.inputs, self.double = op, tuple(inputs), double
        self.positions = [i for i, value in enumerate(self.inputs) if self._differentiable(value)]
        if not self.positions:
            raise UnusableInput("no input is a floating-point or complex array: there is nothing to differentiate")
        self.points = [self._to_numpy(self.inputs[i]) for i in self.positions]
        for position, point in zip(self.positions, self.points, strict=True):
            if not np.isfinite(point).all():
                raise UnusableInput(f"inputs[{position}] holds NaN or infinity; choose finite values")
            if point.size == 0:
                raise UnusableInput(f"inputs[{position}] is empty")
        self.changed: list[int] = []
        first = self._outputs()
        if not first:
            raise UnusableInput("op returns no floating-point array: there is nothing to differentiate")
        for number, output in enumerate(first):
            if not np.isfinite(output).all():
                raise UnusableInput(f"output {number} of op is not finite at these inputs; choose others")
        for _ in range(2):
            self._require_same(first, self._outputs(), "outputs")
        rng = np.random.default_rng(seed)
        self.cotangents = [_weights(rng, output) for output in first]
        self.second = [_weights(rng, point) for point in self.points]
        self.magnitude = sum(float(np.sum(np.abs(u * y))) for u, y in zip(self.cotangents, first, strict=True))

    def function(self, second_order: bool = False) -> Function:
        """The function of first or second order; its gradient comes from the framework's derivative rules.

        Raises:
            CannotDecide: the gradient changes from call to call, or the operation cannot be differentiated (twice).
        """
        gradient = self._second if second_order else self._first
        what = "second derivative" if second_order else "gradient"

        def guarded(points: Sequence[np.ndarray]) -> list[np.ndarray]:
            try:
                return gradient(points)
            except (CannotDecide, UnusableInput):
                raise
            except Exception as error:
                reason = str(error).strip().splitlines()[:1] or [""]
                raise CannotDecide(f"op has no {what}: {type(error).__name__}: {reason[0]}") from error

        points = [*self.points, *self.cotangents] if second_order else self.points
        self._require_same(guarded(points), guarded(points), what + "s")
        if not second_order:
            return Function(self._value, guarded, points, self.magnitude)
        first = self._first(self.points)
        magnitude = sum(float(np.sum(np.abs(w * g))) for w, g in zip(self.second, first, strict=True))
        return Function(self._second_value, guarded, points, magnitude)

    def names(self, second_order: bool = False) -> list[str]:
        """What each point of the function is, for messages."""
        names = [f"inputs[{position}]" for position in self.positions]
        if second_order:
            names += [f"incoming gradient of output {number}" for number in range(len(self.cotangents))]
        return names

    def _second_value(self, points: Sequence[np.ndarray]) -> float:
        count = len(self.points)
        gradients = self._first(points[:count], points[count:])
        return float(sum(np.sum((np.conj(w) * g).real) for w, g in zip(self.second, gradients, strict=True)))

    def _require_same(self, first: Sequence[np.ndarray], again: Sequence[np.ndarray], what: str) -> None:
        for a, b in zip(first, again, strict=True):
            size = float(np.nan_to_num(np.abs(a), posinf=0.0).max(initial=0.0))
            if a.shape != b.shape or not np.allclose(a, b, rtol=1e-5, atol=1e-5 * size, equal_nan=True):
                raise CannotDecide(
                    f"the {what} of op differ between calls with the same inputs: it draws random numbers or "
                    "keeps state; fix "
                    "the seed or the key inside op, or switch dropout off"
                )

    @abc.abstractmethod
    def _differentiable(self, value: Any) -> bool: ...

    @abc.abstractmethod
    def _to_numpy(self, value: Any) -> np.ndarray: ...

    @abc.abstractmethod
    def _outputs(self) -> list[np.ndarray]:
        """Floating-point outputs at the inputs; notes in `changed` which inputs the operation overwrote."""

    @abc.abstractmethod
    def _value(self, points: Sequence[np.ndarray]) -> float: ...

    @abc.abstractmethod
    def _first(self, points: Sequence[np.ndarray], cotangents: Sequence[np.ndarray] | None = None) -> list[np.ndarray]:
        """The gradient of f at the points, for the fixed cotangents or others."""

    @abc.abstractmethod
    def _second(self, points: Sequence[np.ndarray]) -> list[np.ndarray]:
        """The gradient of g with respect to the points, which are the inputs' followed by the cotangents."""


def build(framework: str, op: Callable, inputs: Sequence[Any], seed: int) -> Differentiable:
    """The operation in float64 where it runs in float64, else in the precision of its inputs.

    Raises:
        UnusableInput: the operation raises on its inputs in every precision.
        CannotDecide: it is random.
    """
    kind = {"torch": TorchOperation, "jax": JaxOperation}[framework]
    try:
        return kind(op, inputs, seed, double=True)
    except (UnusableInput, CannotDecide):
        raise
    except Exception:
        pass
    try:
        return kind(op, inputs, seed, double=False)
    except (UnusableInput, CannotDecide):
        raise
    except Exception as error:
        reason = str(error).strip().splitlines()[:1] or [""]
        raise UnusableInput(f"op raised {type(error).__name__} on its inputs: {reason[0]}") from error


def _weights(rng: np.random.Generator, like: np.ndarray) -> np.ndarray:
    # away from 0, so that no entry of an output is left out by chance
    draw = rng.uniform(0.5, 1.5, like.shape) * rng.choice([-1.0, 1.0], like.shape)
    if np.iscomplexobj(like):
        draw = draw + 1j * rng.uniform(0.5, 1.5, like.shape) * rng.choice([-1.0, 1.0], like.shape)
    return np.asarray(draw)


class TorchOperation(Differentiable):
    """A PyTorch operation; a module is copied and converted with its parameters."""

    def __init__(self, op: Callable, inputs: Sequence[Any], seed: int, double: bool) -> None:
        import torch

        self.torch = torch
        if isinstance(op, torch.nn.Module):
            op = copy.deepcopy(op)
            op = op.double() if double else op
        super().__init__(op, inputs, seed, double)

    def _differentiable(self, value: Any) -> bool:
        if isinstance(value, (list, tuple, dict)) and any(isinstance(v, self.torch.Tensor) for v in _leaves(value)):
            raise UnusableInput("an input is a container of tensors; give every tensor as an input of its own")
        return isinstance(value, self.torch.Tensor) and (value.is_floating_point() or value.is_complex())

    def _to_numpy(self, value: Any) -> np.ndarray:
        value = value.detach().cpu()
        if self.double:
            return value.to(self.torch.complex128 if value.is_complex() else self.torch.float64).numpy().copy()
        # numpy has no bfloat16
        return (value.float() if value.dtype == self.torch.bfloat16 else value).numpy().copy()

    def _arguments(self, points: Sequence[np.ndarray], leaves: list) -> list[Any]:
        arguments = [v.clone() if isinstance(v, self.torch.Tensor) else copy.deepcopy(v) for v in self.inputs]
        for position, point in zip(self.positions, points, strict=True):
            given = self.inputs[position]
            leaf = self.torch.from_numpy(np.array(point)).to(given.device)
            leaf = (leaf if self.double else leaf.to(given.dtype)).requires_grad_(True)
            leaves.append(leaf)
            # a copy, so that an operation which overwrites its input does not overwrite a leaf
            arguments[position] = leaf.clone()
        return arguments

    def _call(self, points: Sequence[np.ndarray], leaves: list) -> list[Any]:
        return [
            y for y in _leaves(self.op(*self._arguments(points, leaves)))
            if isinstance(y, self.torch.Tensor) and (y.is_floating_point() or y.is_complex())
        ]  # fmt: skip

    def _outputs(self) -> list[np.ndarray]:
        arguments = self._arguments(self.points, [])
        before = [a.detach().clone() if isinstance(a, self.torch.Tensor) else None for a in arguments]
        outputs = _leaves(self.op(*arguments))
        self.changed = [
            i for i, b in enumerate(before) if b is not None and not self.torch.equal(b, arguments[i].detach())
        ]
        tensors = [y for y in outputs if isinstance(y, self.torch.Tensor)]
        return [self._wide(y).detach().cpu().numpy() for y in tensors if y.is_floating_point() or y.is_complex()]

    def _wide(self, y: Any) -> Any:
        return y.to(self.torch.complex128 if y.is_complex() else self.torch.float64)

    def _scalar(self, outputs: Sequence[Any], weights: Sequence[Any]) -> Any:
        total = 0
        for y, u in zip(outputs, weights, strict=True):
            product = self._wide(y) * u.conj()
            total = total + (product.real if product.is_complex() else product).sum()
        return total

    def _tensors(self, arrays: Sequence[np.ndarray]) -> list[Any]:
        return [self.torch.from_numpy(np.array(array)) for array in arrays]

    def _value(self, points: Sequence[np.ndarray]) -> float:
        return float(self._scalar(self._call(points, []), self._tensors(self.cotangents)).detach())

    def _grad(self, scalar: Any, leaves: Sequence[Any], create_graph: bool = False) -> list[Any]:
        if not scalar.requires_grad:
            return [self.torch.zeros_like(leaf) for leaf in leaves]
        found = self.torch.autograd.grad(scalar, leaves, allow_unused=True, create_graph=create_graph)
        return [self.torch.zeros_like(leaf) if g is None else g for g, leaf in zip(found, leaves, strict=True)]

    def _first(self, points: Sequence[np.ndarray], cotangents: Sequence[np.ndarray] | None = None) -> list[np.ndarray]:
        leaves: list = []
        scalar = self._scalar(self._call(points, leaves), self._tensors(cotangents or self.cotangents))
        return [self._wide(g).detach().cpu().numpy() for g in self._grad(scalar, leaves)]

    def _second(self, points: Sequence[np.ndarray]) -> list[np.ndarray]:
        leaves: list = []
        outputs = self._call(points[: len(self.points)], leaves)
        # they must require gradients: else a backward pass that may run only once returns constants without a word
        cotangents = [u.requires_grad_() for u in self._tensors(points[len(self.points) :])]
        gradients = self._grad(self._scalar(outputs, cotangents), leaves, create_graph=True)
        second = self._scalar(gradients, self._tensors(self.second))
        if _refuses(second.grad_fn):
            raise CannotDecide("op has no second derivative: its backward pass is marked as once_differentiable")
        again = self._grad(second, [*leaves, *cotangents])
        return [self._wide(g).detach().cpu().numpy() for g in again]


def _refuses(node: Any) -> bool:
    """Whether the graph holds the node that once_differentiable leaves.

    It raises only when it is run, and autograd.grad does not run it: no input can be reached through it.
    """
    seen, waiting = set(), [node]
    while waiting:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        if node.name().endswith("::Error"):
            return True
        seen.add(node)
        waiting += [parent for parent, _ in node.next_functions]
    return False


class JaxOperation(Differentiable):
    """A JAX operation; inputs may be pytrees, whose floating-point leaves are checked one by one."""

    def __init__(self, op: Callable, inputs: Sequence[Any], seed: int, double: bool) -> None:
        import jax

        self.jax = jax
        self.compiled: dict[str, Callable] = {}
        super().__init__(op, inputs, seed, double)

    def _differentiable(self, value: Any) -> bool:
        if isinstance(value, (list, tuple, dict)) and any(isinstance(v, self.jax.Array) for v in _leaves(value)):
            raise UnusableInput("an input is a container of arrays; give every array as an input of its own")
        return isinstance(value, (self.jax.Array, np.ndarray)) and self.jax.numpy.issubdtype(value.dtype, np.inexact)

    def _to_numpy(self, value: Any) -> np.ndarray:
        array = np.asarray(value)
        if array.dtype.kind not in "fc":
            array = array.astype(np.float32)  # bfloat16 is no kind of number to numpy
        return array.astype(np.complex128 if array.dtype.kind == "c" else np.float64) if self.double else array

    def _arguments(self, points: Sequence[Any]) -> list[Any]:
        arguments = list(self.inputs)
        for position, point in zip(self.positions, points, strict=True):
            arguments[position] = point if self.double else point.astype(self.inputs[position].dtype)
        return arguments

    def _call(self, points: Sequence[Any]) -> list[Any]:
        inexact = self.jax.numpy.inexact
        outputs = [self.jax.numpy.asarray(y) for y in self.jax.tree.leaves(self.op(*self._arguments(points)))]
        return [y for y in outputs if self.jax.numpy.issubdtype(y.dtype, inexact)]

    def _outputs(self) -> list[np.ndarray]:
        with self.jax.enable_x64(self.double):
            # not compiled: a random number drawn by numpy would be frozen in
            return [_wide(y) for y in self._call([self.jax.numpy.asarray(p) for p in self.points])]

    def _f(self, points: Sequence[Any], cotangents: Sequence[Any]) -> Any:
        outputs = self._call(points)
        return sum((self.jax.numpy.conj(u) * y).real.sum() for y, u in zip(outputs, cotangents, strict=True))

    def _f_gradient(self, points: Sequence[Any], cotangents: Sequence[Any]) -> list[Any]:
        # JAX's gradient of a real function is d/dRe - i d/dIm; conjugated it is that of PyTorch and of the quotients
        return [g.conj() for g in self.jax.grad(self._f)(points, cotangents)]

    def _g_gradient(self, points: Sequence[Any], cotangents: Sequence[Any]) -> list[Any]:
        def g(points: Sequence[Any], cotangents: Sequence[Any]) -> Any:
            gradients = self._f_gradient(points, cotangents)
            return sum((np.conj(w) * x).real.sum() for x, w in zip(gradients, self.second, strict=True))

        by_points, by_cotangents = self.jax.grad(g, (0, 1))(points, cotangents)
        return [x.conj() for x in (*by_points, *by_cotangents)]

    def _run(self, function: Callable, *given: Sequence[np.ndarray]) -> Any:
        with self.jax.enable_x64(self.double):
            arrays = [[self.jax.numpy.asarray(array) for array in part] for part in given]
            name = function.__name__
            if name not in self.compiled:
                self.compiled[name] = self.jax.jit(function)
                try:
                    return self.compiled[name](*arrays)
                except self.jax.errors.JAXTypeError:
                    # the operation branches on values, or leaves JAX
                    self.compiled[name] = function
            return self.compiled[name](*arrays)

    def _value(self, points: Sequence[np.ndarray]) -> float:
        # added up in numpy: without x64 the sum itself would be rounded to float32
        outputs = self._run(self._call, points)
        return float(sum(np.sum((np.conj(u) * _wide(y)).real) for y, u in zip(outputs, self.cotangents, strict=True)))

    def _first(self, points: Sequence[np.ndarray], cotangents: Sequence[np.ndarray] | None = None) -> list[np.ndarray]:
        return [_wide(g) for g in self._run(self._f_gradient, points, cotangents or self.cotangents)]

    def _second(self, points: Sequence[np.ndarray]) -> list[np.ndarray]:
        count = len(self.points)
        return [_wide(g) for g in self._run(self._g_gradient, points[:count], points[count:])]


def _wide(value: Any) -> np.ndarray:
    array = np.asarray(value)
    return array.astype(np.complex128 if array.dtype.kind == "c" else np.float64)


def _leaves(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [leaf for item in value.values() for leaf in _leaves(item)]
    if isinstance(value, (list, tuple)):
        return [leaf for item in value for leaf in _leaves(item)]
    return [value]
