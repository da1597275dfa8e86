"""The two models of framework_parity as names and numpy arrays: their tensors, and what their layers give."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from dltools.report import UnusableInput
from dltools.target import StateNotRestored

OUTPUT = "output"


@dataclasses.dataclass(frozen=True)
class Layer:
    """What one call of a module took and gave; `inputs` is None where that is not seen."""

    inputs: np.ndarray | None
    outputs: np.ndarray


@dataclasses.dataclass
class Side:
    """One of the two models.

    Args:
        side: `left` or `right`.
        target: a `dltools.target.Target`.
        tensors: parameters and other floating-point state by name, such as running statistics.
        dtypes: the dtypes that the model holds them in; in `tensors` the narrow ones are float32.
        twins: names of tensors that are another name of an earlier one, and that one (tied weights).
    """

    side: str
    target: Any
    tensors: dict[str, np.ndarray]
    dtypes: frozenset[str]
    twins: dict[str, str] = dataclasses.field(default_factory=dict)

    @classmethod
    def of(cls, side: str, target: Any) -> Side:
        """Reads the tensors of a target."""
        twins: dict[str, str] = {}
        if target.framework == "torch":
            held, twins = _torch_tensors(target.model)
        else:
            held = {name: leaf for name, leaf in _leaves(target) if _floating(leaf)}
        dtypes = frozenset(str(tensor.dtype).removeprefix("torch.") for tensor in held.values())
        return cls(side, target, {name: _numpy(tensor) for name, tensor in held.items()}, dtypes, twins)

    def run(self, inputs: Any, tensors: Mapping[str, np.ndarray]) -> dict[str, Layer]:
        """Runs the model in evaluation mode, and leaves it as it was.

        Args:
            inputs: nested numpy arrays; those of floats get the dtype of the target's own batch.
            tensors: values that replace the model's own, by name.

        Returns:
            The layers by name in the order in which they ended; the output of the model is the last, under `output`.

        Raises:
            UnusableInput: the model raises.
        """
        with _users_code(f"the {self.side} model"):
            if self.target.framework == "torch":
                seen, outputs = _run_torch(self.target, inputs, tensors)
            else:
                seen, outputs = _run_jax(self.target, inputs, tensors)
        first = _first(outputs)
        if first is None:
            raise UnusableInput(
                f"the {self.side} model returned no floating-point array, but a {type(outputs).__name__}"
            )
        layers = {name: Layer(None if x is None else _numpy(x), _numpy(y)) for name, (x, y) in seen.items()}
        return {**layers, OUTPUT: Layer(None, _numpy(first))}


def inputs_of(target: Any) -> Any:
    """The inputs of a target's batch as numpy arrays, in the same nested dicts, lists and tuples."""
    return mapped(_numpy, target.inputs)


def mapped(function: Callable[[Any], Any], tree: Any) -> Any:
    """The same nested dicts, lists and tuples with every array replaced."""
    if isinstance(tree, Mapping):
        return {key: mapped(function, item) for key, item in tree.items()}
    if isinstance(tree, (list, tuple)):
        return type(tree)(mapped(function, item) for item in tree)
    return function(tree) if hasattr(tree, "shape") else tree


# PyTorch


def _torch_tensors(model: Any) -> tuple[dict[str, Any], dict[str, str]]:
    parameters = dict(model.named_parameters(remove_duplicate=False))
    # state_dict() leaves out the buffers that are computed and not saved, such as masks and tables of positions
    buffers = {name: buffer for name, buffer in model.named_buffers() if name in model.state_dict()}
    tensors, twins, first = {}, {}, {}
    for name, tensor in {**parameters, **buffers}.items():
        if not tensor.is_floating_point():
            continue
        if id(tensor) in first:
            twins[name] = first[id(tensor)]
        first.setdefault(id(tensor), name)
        tensors[name] = tensor
    return tensors, twins


def _run_torch(target: Any, inputs: Any, tensors: Mapping[str, np.ndarray]) -> tuple[dict[str, Any], Any]:
    import torch

    seen: dict[str, Any] = {}

    def hook_of(name: str) -> Callable[..., None]:
        def hook(_: Any, args: Any, named: Any, out: Any) -> None:
            _note(seen, name, _first((args, named)), _first(out))

        return hook

    named = {**dict(target.model.named_parameters(remove_duplicate=False)), **dict(target.model.named_buffers())}
    own = _first(target.inputs)

    def as_tensor(array: np.ndarray) -> torch.Tensor:
        tensor = torch.from_numpy(np.array(array))
        return tensor.to(own.dtype) if own is not None and tensor.is_floating_point() else tensor

    with target.preserved():
        with torch.no_grad():
            for name, value in tensors.items():
                named[name].copy_(torch.from_numpy(np.array(value)))
        handles = [
            module.register_forward_hook(hook_of(name), with_kwargs=True)
            for name, module in target.model.named_modules()
            if name
        ]
        try:
            outputs = target.outputs(mapped(as_tensor, inputs))
        finally:
            for handle in handles:
                handle.remove()
    return seen, outputs


# JAX


def _leaves(target: Any) -> list[tuple[str, Any]]:
    from dltools.jax_target import named_leaves

    return [*named_leaves(target.params).items(), *named_leaves(target.other).items()]


def _run_jax(target: Any, inputs: Any, tensors: Mapping[str, np.ndarray]) -> tuple[dict[str, Any], Any]:
    import jax
    import jax.numpy as jnp

    names: list[str] = []

    def forward(params: Any, other: Any, given: Any) -> tuple[list[Any], Any]:
        if target.kind == "equinox":
            return _run_equinox(target, params, given, names)
        with _watched(target) as seen:
            outputs, _ = target.call(params, given, train=False, other=other)
        if target.intermediates is not None:
            seen.update({name: (None, array) for name, array in target.intermediates(params, given).items()})
        # the names leave by the side, in the order of the calls: compiled functions sort the keys of dicts
        names[:] = seen
        return list(seen.values()), outputs

    own = _first(target.inputs)

    def as_array(array: np.ndarray) -> Any:
        return jnp.asarray(array, own.dtype if own is not None and _floating(array) else None)

    arguments = (_replaced(target.params, tensors), _replaced(target.other, tensors), mapped(as_array, inputs))
    try:
        # compiled as one: operation by operation, each would be compiled
        seen, outputs = jax.jit(forward)(*arguments)
    except (TypeError, jax.errors.JAXIndexError):
        # the model needs the values of its inputs, or they hold more than arrays
        seen, outputs = forward(*arguments)
    return dict(zip(names, seen, strict=True)), outputs


def _run_equinox(target: Any, params: Any, given: Any, names: list[str]) -> tuple[list[Any], Any]:
    """One example is watched and the watching is mapped, so that what was seen can leave the map."""
    import inspect

    import equinox as eqx
    import jax

    _, static = eqx.partition(target.model, eqx.is_array)
    live = eqx.nn.inference_mode(eqx.combine(params, static))
    takes_key = "key" in inspect.signature(type(target.model).__call__).parameters

    def one(arguments: Any, key: Any) -> tuple[list[Any], Any]:
        more = {"key": key} if takes_key else {}
        with _watched(target) as seen:
            if isinstance(arguments, Mapping):
                outputs = live(**arguments, **more)
            else:
                outputs = live(*(arguments if isinstance(arguments, (tuple, list)) else (arguments,)), **more)
        names[:] = seen
        return list(seen.values()), outputs

    return jax.vmap(one)(given, jax.random.split(jax.random.key(0), target.batch_size))


@contextlib.contextmanager
def _watched(target: Any) -> Iterator[dict[str, Any]]:
    """The inputs and outputs of the modules that are called within the block, by path."""
    from dltools.jax_modules import calls_watched, trace_level

    seen: dict[str, Any] = {}
    level = trace_level()

    def call(path: str, _: Any, run: Callable[[], Any], arguments: Any) -> Any:
        out = run()
        # within scan or vmap an array cannot leave; such a module is seen only from outside
        if path and trace_level() == level:
            _note(seen, path, _first(arguments), _first(out))
        return out

    with calls_watched(target, call):
        yield seen


def _replaced(tree: Any, tensors: Mapping[str, np.ndarray]) -> Any:
    import jax
    import jax.numpy as jnp
    from dltools.jax_target import named_leaves

    leaves, structure = jax.tree.flatten(tree)
    names = named_leaves(tree)
    new = [
        jnp.asarray(tensors[name], leaf.dtype) if name in tensors else leaf
        for name, leaf in zip(names, leaves, strict=True)
    ]
    return jax.tree.unflatten(structure, new)


# both


def _note(seen: dict[str, Any], name: str, given: Any, made: Any) -> None:
    if made is None:
        return
    # a module that is called again keeps its name and gets a number
    again = sum(1 for other in seen if other.partition("#")[0] == name)
    seen[f"{name}#{again + 1}" if again else name] = (given, made)


def _first(tree: Any) -> Any:
    """The first floating-point array in nested dicts, lists and tuples, or None."""
    if isinstance(tree, Mapping):
        tree = tuple(tree.values())
    if isinstance(tree, (list, tuple)):
        return next((found for item in tree if (found := _first(item)) is not None), None)
    return tree if hasattr(tree, "shape") and hasattr(tree, "dtype") and _floating(tree) else None


def _floating(array: Any) -> bool:
    return "float" in str(array.dtype)


def _numpy(array: Any) -> np.ndarray:
    if hasattr(array, "detach"):
        array = array.detach().cpu()
        # numpy has no bfloat16 and no 8-bit floats
        narrow = array.is_floating_point() and array.element_size() < 4
        return np.array((array.float() if narrow else array).numpy())
    array = np.asarray(array)
    return array.astype(np.float32) if array.dtype.kind in "fV" and array.dtype.itemsize < 4 else array


@contextlib.contextmanager
def _users_code(what: str) -> Iterator[None]:
    try:
        yield
    except (UnusableInput, StateNotRestored):
        raise
    except Exception as error:
        text = str(error).strip().splitlines()
        said = f"{type(error).__name__}: {text[0]}" if text else type(error).__name__
        raise UnusableInput(f"{what} raised {said}") from error
