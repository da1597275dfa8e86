"""Watches a forward and a backward pass of a PyTorch model: hooks for modules, a function mode for what they call."""

from __future__ import annotations

from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from dltools.arrays import leaves
from probe_recording import Activation, Call, Operation, Recording, activation, moments

NAMES = {
    "relu": "relu",
    "relu_": "relu",
    "relu6": "relu6",
    "elu": "elu",
    "elu_": "elu",
    "selu": "selu",
    "gelu": "gelu",
    "silu": "silu",
    "softplus": "softplus",
    "sigmoid": "sigmoid",
    "sigmoid_": "sigmoid",
    "tanh": "tanh",
    "tanh_": "tanh",
    "hardtanh": "hardtanh",
    "hardsigmoid": "hardsigmoid",
}
# functions after which the units lie along axis 1, and those after which they lie along the last
UNITS_FIRST = (
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_transpose3d",
    "batch_norm",
    "group_norm",
)
UNITS_LAST = ("linear", "layer_norm", "rms_norm", "matmul", "bmm", "embedding", "multi_head_attention_forward")
# they write minus infinity on purpose, and make no value
MASKS = ("masked_fill", "masked_fill_", "where", "full", "full_like", "fill_", "__setitem__", "triu", "tril")
RANDOM = (
    "rand",
    "randn",
    "rand_like",
    "randn_like",
    "bernoulli",
    "bernoulli_",
    "normal",
    "normal_",
    "uniform_",
    "randint",
    "randperm",
)
DROPOUT = ("dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout", "feature_alpha_dropout")


class _Watch(TorchFunctionMode):
    """Sees each outermost torch function that the model calls, with the module that called it."""

    def __init__(self, recording: Recording, train: bool) -> None:
        super().__init__()
        self.recording = recording
        self.train = train
        self.stack: list[str] = [""]
        self.unit_axis = -1
        self.given: list[tuple[Activation, torch.Tensor]] = []

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        name = getattr(func, "__name__", "")
        if name == "__get__":
            return func(*args, **kwargs)
        where = self.stack[-1]
        finite_before = _finite(args) and _finite(kwargs)
        # before the call, which may write in place
        before = args[0].detach().clone() if name in NAMES and args and isinstance(args[0], torch.Tensor) else None
        out = func(*args, **kwargs)
        if name in UNITS_FIRST:
            self.unit_axis = 1
        elif name in UNITS_LAST:
            self.unit_axis = -1
        if before is not None and before.is_floating_point():
            axis = 1 if self.unit_axis == 1 and before.dim() > 1 else before.dim() - 1
            seen = activation(f"{where or 'model'} ({NAMES[name]})", NAMES[name], before, axis)
            self.recording.activations.append(seen)
            self.given.append((seen, out))
        if finite_before and name not in MASKS and not _finite(out):
            broken = any(bool((torch.isnan(leaf) | torch.isposinf(leaf)).any()) for leaf in _floats(out))
            self.recording.operations.append(Operation(where, name, "", broken))
        if name in RANDOM:
            self.recording.random.append(f"{where or 'model'} ({name})")
        if name in DROPOUT:
            self._dropout(name, where, args, kwargs)
        return out

    def _dropout(self, name: str, where: str, args: Any, kwargs: Any) -> None:
        rate = kwargs.get("p", args[1] if len(args) > 1 else 0.5)
        active = kwargs.get("training", args[2] if len(args) > 2 else True)
        if rate and active:
            self.recording.random.append(f"{where or 'model'} ({name})")
        elif rate and self.train:
            self.recording.idle_dropout.append(f"{where or 'model'} ({name})")


def record_torch(target: Any, inputs: Any, train: bool, seed: int) -> Recording:
    """Watches one forward pass of a PyTorch model.

    Args:
        target: a TorchTarget, inside `preserved()`.
        inputs: as in the batch.
        train: training mode.
        seed: of dropout and other noise.
    """
    recording = Recording(modules={name: type(module).__name__ for name, module in target.model.named_modules()})
    watch = _Watch(recording, train)
    handles = []
    called: list[str] = []

    pending: list[tuple[int, Any, Any]] = []

    for name, module in target.model.named_modules():

        def enter(module: Any, args: Any, kwargs: Any, name: str = name) -> None:
            watch.stack.append(name)
            called.append(name)
            with torch._C.DisableTorchFunction():
                # measured now: an in-place operation may change them
                pending.append((len(called), moments(leaves((args, kwargs))), _kept(module, args)))

        def leave(module: Any, args: Any, kwargs: Any, out: Any, name: str = name) -> None:
            watch.stack.pop()
            began, before, kept = pending.pop()
            first = leaves(out)
            with torch._C.DisableTorchFunction():
                recording.calls.append(
                    Call(
                        where=name,
                        kind=type(module).__name__,
                        inside=len(called) > began,
                        inputs=before,
                        outputs=moments(first),
                        unchanged=kept is not None and bool(first) and torch.equal(kept, first[0]),
                        noise=_rate(module),
                        autocast=torch.is_autocast_enabled(first[0].device.type) if first else False,
                    )
                )

        handles.append(module.register_forward_pre_hook(enter, with_kwargs=True))
        handles.append(module.register_forward_hook(leave, with_kwargs=True))
    try:
        with target.preserved_mode(train), torch.no_grad(), torch.random.fork_rng(devices=target._cuda()):
            torch.manual_seed(seed)
            with watch:
                recording.outputs = target.forward(inputs)
    finally:
        for handle in handles:
            handle.remove()
    results = leaves(recording.outputs)
    for seen, out in watch.given:
        seen.last = any(
            isinstance(out, torch.Tensor) and out.shape == leaf.shape and torch.equal(out, leaf) for leaf in results
        )
    return recording


def backward_origin_torch(target: Any, seed: int) -> Operation | None:
    """Follows the gradient back, function by function, to the first that gives out what is not finite.

    Args:
        target: a TorchTarget, inside `preserved()`.
        seed: of dropout and other noise.
    """
    tape = _Tape(target.model)
    handles = []

    def leave(module: Any, args: Any, out: Any) -> None:
        tape.stack.pop()

    for name, module in target.model.named_modules():
        handles.append(module.register_forward_pre_hook(lambda module, args, name=name: tape.stack.append(name)))
        handles.append(module.register_forward_hook(leave))
    try:
        with target.preserved_mode(True), torch.enable_grad(), torch.random.fork_rng(devices=target._cuda()):
            torch.manual_seed(seed)
            with tape:
                loss = target.loss_fn(target.forward(target.inputs), target.targets)
            torch.autograd.grad(loss.reshape(()), list(target.parameters().values()), allow_unused=True)
    finally:
        for handle in handles + tape.handles:
            handle.remove()
    # the gradient of an output is known before those of the inputs: the last function with a finite one is the maker
    for position in reversed(range(len(tape.functions))):
        where, name, output, inputs = tape.functions[position]
        if tape.finite.get(output, True) and any(not tape.finite.get(key, True) for key in inputs):
            return Operation(where, name, "", True)
    return None


class _Tape(TorchFunctionMode):
    def __init__(self, model: torch.nn.Module) -> None:
        super().__init__()
        self.stack: list[str] = [""]
        self.functions: list[tuple[str, str, int, list[int]]] = []
        self.finite: dict[int, bool] = {}
        self.kept: list[torch.Tensor] = []
        self.handles: list[Any] = []
        for parameter in model.parameters():
            if parameter.requires_grad:
                self._follow(parameter)

    def _follow(self, tensor: torch.Tensor) -> int:
        key = id(tensor)
        if key not in self.finite:
            # kept alive, so that no other tensor gets the same id
            self.kept.append(tensor)
            self.finite[key] = True

            def see(gradient: torch.Tensor) -> None:
                self.finite[key] = self.finite[key] and bool(torch.isfinite(gradient).all())

            self.handles.append(tensor.register_hook(see))
        return key

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = getattr(func, "__name__", "")
        out = func(*args, **(kwargs or {}))
        if name != "__get__":
            made = [leaf for leaf in _floats(out) if leaf.requires_grad]
            used = [
                leaf for leaf in _floats((args, kwargs or {})) if leaf.requires_grad and leaf is not (made or [None])[0]
            ]
            if made:
                inputs = [self._follow(leaf) for leaf in used]
                self.functions.append((self.stack[-1] or "model", name, self._follow(made[0]), inputs))
        return out


def _floats(tree: Any) -> list[torch.Tensor]:
    return [leaf for leaf in leaves(tree) if isinstance(leaf, torch.Tensor) and leaf.is_floating_point()]


def _finite(tree: Any) -> bool:
    return all(bool(torch.isfinite(leaf).all()) for leaf in _floats(tree))


def _rate(module: torch.nn.Module) -> float | None:
    return float(module.p) if isinstance(module, torch.nn.modules.dropout._DropoutNd) else None


def _kept(module: torch.nn.Module, args: Any) -> torch.Tensor | None:
    """The input of a dropout module, to see whether it does anything."""
    first = leaves(args)
    return first[0].detach().clone() if _rate(module) and first else None
