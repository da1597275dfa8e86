"""Watches a forward and a backward pass in JAX: the model is traced, and its operations run with what is to be seen.

Modules of NNX, Linen and Equinox mark what they trace with their path. Plain functions have no modules: their matrix
products and convolutions are named by the line of the user's code that made them.
"""

from __future__ import annotations

import contextlib
import dataclasses
import re
from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax._src import source_info_util
from jax.extend import core

from dltools.arrays import is_floating, leaves
from dltools.jax_modules import calls_watched, trace_level
from dltools.jax_target import named_leaves
from dltools.target import users_code
from probe_recording import Call, Operation, Recording, activation, moments

NAMES = {
    "relu": "relu",
    "relu6": "relu6",
    "elu": "elu",
    "selu": "selu",
    "silu": "silu",
    "softplus": "softplus",
    "hard_tanh": "hardtanh",
    "hard_sigmoid": "hardsigmoid",
}
PRIMITIVES = {"tanh": "tanh", "logistic": "sigmoid"}
PRODUCTS = ("dot_general", "conv_general_dilated")
RANDOM = ("random_bits", "threefry2x32")
# they move and choose values, and make none
MASKS = (
    "select_n",
    "broadcast_in_dim",
    "convert_element_type",
    "concatenate",
    "dynamic_update_slice",
    "scatter",
    "pad",
    "copy",
)


@dataclasses.dataclass
class _Seen:
    """Something to report, whose arrays come from `arrays` of the run that it was noted in."""

    sort: str
    where: str
    name: str
    count: int
    more: dict[str, Any] = dataclasses.field(default_factory=dict)


class _Log:
    def __init__(self, locate: bool = False) -> None:
        self.locate = locate
        self.seen: list[_Seen] = []
        self.arrays: list[Any] = []

    def add(self, sort: str, where: str, name: str, arrays: list[Any], **more: Any) -> None:
        self.seen.append(_Seen(sort, where, name, len(arrays), more))
        self.arrays += arrays


def record_jax(target: Any, inputs: Any, train: bool, seed: int, locate: bool) -> Recording:
    """Watches one forward pass of a JAX model.

    Args:
        target: a JaxTarget.
        inputs: as in the batch.
        train: training mode.
        seed: of dropout and other noise.
        locate: also note each operation that makes a value that is not finite; this costs a compilation for each.
    """
    notes: list[_Seen] = []
    modules: dict[str, str] = {}

    def watched(call: Callable[..., Any], *arguments: Any) -> Any:
        """Traces `call`, runs it operation by operation, and returns the outputs with all that was seen."""
        log = _Log()

        def traced(*arguments: Any) -> Any:
            log.seen.clear()
            log.arrays.clear()
            with _intercepted(target, log, modules):
                outputs = call(*arguments)
            return outputs, list(log.arrays)

        closed, shapes = jax.make_jaxpr(traced, return_shape=True)(*arguments)
        operations = _Log(locate)
        flat = _run(closed, jax.tree.leaves(arguments), operations, "", products=target.kind == "function")
        outputs, captured = jax.tree.unflatten(jax.tree.structure(shapes), flat)
        # under vmap this runs once, with tracers: the notes leave by the side, the arrays as outputs
        notes[:] = log.seen + operations.seen
        return outputs, captured + operations.arrays

    if target.kind == "equinox":
        outputs, arrays = _equinox(target, inputs, train, seed, watched)
    else:
        # the parameters too are arguments: what does not depend on them is not run
        def forward(params: Any, inputs: Any) -> Any:
            return target.call(params, inputs, train=train, seed=seed)[0]

        # compiled as one: the operations one by one would each be compiled
        outputs, arrays = jax.jit(lambda params, inputs: watched(forward, params, inputs))(target.params, inputs)
    return _recording(target, outputs, notes, arrays, modules, train)


def _equinox(target: Any, inputs: Any, train: bool, seed: int, watched: Callable[..., Any]) -> Any:
    """One example is traced and the watching run is mapped, so that the batch is the first axis of all that is seen."""
    import inspect

    import equinox as eqx

    _, static = eqx.partition(target.model, eqx.is_array)
    live = eqx.nn.inference_mode(eqx.combine(target.params, static), value=not train)
    takes_key = "key" in inspect.signature(type(target.model).__call__).parameters

    def one(arguments: Any, key: Any) -> Any:
        def call(arguments: Any, key: Any) -> Any:
            given = arguments if isinstance(arguments, (tuple, list)) else (arguments,)
            named = {"key": key} if takes_key else {}
            return live(**arguments, **named) if isinstance(arguments, dict) else live(*given, **named)

        return watched(call, arguments, key)

    return jax.jit(jax.vmap(one))(inputs, jax.random.split(jax.random.key(seed), target.batch_size))


def _recording(
    target: Any, outputs: Any, notes: list[_Seen], arrays: list[Any], modules: dict[str, str], train: bool
) -> Recording:
    recording = Recording(outputs=outputs, modules=dict(modules))
    results = [np.asarray(leaf) for leaf in leaves(outputs)]
    position = 0
    for seen in notes:
        mine = arrays[position : position + seen.count]
        position += seen.count
        where = seen.where or "model"
        if seen.sort in ("module", "product"):
            split = seen.more["inputs"]
            given, made = mine[:split], mine[split:]
            call = Call(seen.where, seen.name, seen.more.get("inside", False), moments(given), moments(made))
            call.noise = seen.more.get("noise")
            call.unchanged = bool(call.noise and given and made) and bool(np.array_equal(given[0], made[0]))
            if seen.sort == "product":
                recording.products.append(call)
            else:
                recording.calls.append(call)
                if train and call.noise and call.unchanged:
                    recording.idle_dropout.append(where)
        elif seen.sort == "activation":
            axis = seen.more["axis"] if seen.more["axis"] is not None and mine[0].ndim > 2 else mine[0].ndim - 1
            entry = activation(f"{where} ({seen.name})", seen.name, mine[0], axis)
            made = np.asarray(mine[1]) if len(mine) > 1 else None
            entry.last = made is not None and any(made.shape == r.shape and np.array_equal(made, r) for r in results)
            recording.activations.append(entry)
        elif seen.sort == "operation":
            flags = np.asarray(mine[0]).reshape(-1, 3).any(axis=0)
            finite_before, whole = not flags[0], flags[1]
            if finite_before and whole:
                recording.operations.append(Operation(seen.where, seen.name, seen.more["line"], bool(flags[2])))
        elif seen.sort == "random":
            recording.random.append(f"{where} ({seen.name})")
    return recording


def backward_origin_jax(target: Any, seed: int) -> Operation | None:
    """The first operation, forward or backward, that turns finite values into what is not finite.

    Args:
        target: a JaxTarget.
        seed: of dropout and other noise.
    """

    def loss_of(params: Any) -> Any:
        with _intercepted(target, _Log(), {}):
            outputs, _ = target.call(params, target.inputs, train=True, seed=seed)
        return jnp.asarray(target.loss_fn(outputs, target.targets)).reshape(())

    closed = jax.make_jaxpr(jax.grad(loss_of, allow_int=True))(target.params)
    log = _Log(locate=True)
    _run(closed, jax.tree.leaves(target.params), log, "", products=False)
    position = 0
    for seen in log.seen:
        mine = log.arrays[position : position + seen.count]
        position += seen.count
        if seen.sort == "operation" and not bool(mine[0][0]) and bool(mine[0][1]):
            return Operation(seen.where or "model", seen.name, seen.more["line"], bool(mine[0][2]))
    return None


def unused_parameters(target: Any) -> list[str]:
    """The parameters that the loss does not depend on, by what was traced and not by their gradients.

    Args:
        target: a JaxTarget.
    """
    from jax._src.interpreters import partial_eval

    def loss_of(params: Any) -> Any:
        outputs, _ = target.call(params, target.inputs, train=True)
        return target.loss_fn(outputs, target.targets)

    with users_code("tracing the target, as jax.jit does,"):
        closed = jax.make_jaxpr(loss_of)(target.params)
    _, used = partial_eval.dce_jaxpr(closed.jaxpr, [True] * len(closed.jaxpr.outvars))
    return [name for name, needed in zip(named_leaves(target.params), used, strict=True) if not needed]


# running a traced function operation by operation


def _run(
    closed: Any, arguments: list[Any], log: _Log, scope: str, products: bool, axis: list[Any] | None = None
) -> list[Any]:
    jaxpr = closed.jaxpr
    values: dict[Any, Any] = dict(zip(jaxpr.constvars, closed.consts, strict=True))
    values.update(zip(jaxpr.invars, arguments, strict=True))
    axis = [None] if axis is None else axis
    in_gelu = False

    def read(atom: Any) -> Any:
        return atom.val if isinstance(atom, core.Literal) else values[atom]

    for eqn in jaxpr.eqns:
        given = [read(atom) for atom in eqn.invars]
        where = _path(eqn) or scope
        name = eqn.primitive.name
        within_gelu = _called_by(eqn, "gelu")
        if within_gelu and not in_gelu:
            first = next((value for value in given if getattr(value, "ndim", 0)), None)
            if first is not None:
                log.add("activation", where, "gelu", [first], axis=axis[0])
        in_gelu = within_gelu
        called = _inner(eqn)
        known = NAMES.get(str(eqn.params.get("name", "")))
        if known is None and not within_gelu:
            known = PRIMITIVES.get(name) or ("relu" if _is_relu(eqn) else None)
        if called is not None and known is None:
            made = _run(called, given[len(given) - len(called.jaxpr.invars) :], log, where, products, axis)
        else:
            made = eqn.primitive.bind(*given, **eqn.primitive.get_bind_params(eqn.params))
            made = list(made) if eqn.primitive.multiple_results else [made]
            if log.locate:
                _note_finite(log, eqn, where, name, given, made)
        if known is not None:
            source = next((value for value in given if is_floating(value) and value.ndim), None)
            if source is not None:
                log.add("activation", where, known, [source, *made[:1]], axis=axis[0])
        if name in PRODUCTS:
            axis[0] = eqn.params["dimension_numbers"].out_spec[1] if name == "conv_general_dilated" else None
            if products:
                line = source_info_util.summarize(eqn.source_info).rpartition("/")[2]
                log.add("product", f"{name} at {line}", name, [given[0], made[0]], inputs=1)
        if name in RANDOM:
            log.add("random", where, name, [])
        values.update(zip(eqn.outvars, made, strict=True))
    return [read(atom) for atom in jaxpr.outvars]


def _note_finite(log: _Log, eqn: Any, where: str, name: str, given: list[Any], made: list[Any]) -> None:
    floats_in = [value for value in given if hasattr(value, "dtype") and jnp.issubdtype(value.dtype, jnp.floating)]
    floats_out = [value for value in made if hasattr(value, "dtype") and jnp.issubdtype(value.dtype, jnp.floating)]
    if not floats_out or name in MASKS:
        return

    def any_of(test: Callable[[Any], Any], arrays: list[Any]) -> Any:
        return jnp.any(jnp.stack([jnp.any(test(array)) for array in arrays])) if arrays else jnp.zeros((), bool)

    def not_finite(array: Any) -> Any:
        return ~jnp.isfinite(array)

    def broken(array: Any) -> Any:
        return jnp.isnan(array) | jnp.isposinf(array)

    flags = jnp.stack([any_of(not_finite, floats_in), any_of(not_finite, floats_out), any_of(broken, floats_out)])
    log.add("operation", where, name, [flags], line=source_info_util.summarize(eqn.source_info).rpartition("/")[2])


def _inner(eqn: Any) -> Any:
    """The traced function that an operation calls once, as it is: jit, custom derivatives, checkpoints."""
    if eqn.primitive.name in (
        "jit",
        "pjit",
        "closed_call",
        "custom_jvp_call",
        "custom_vjp_call",
        "remat2",
        "checkpoint",
    ):
        inner = eqn.params.get("jaxpr") or eqn.params.get("call_jaxpr") or eqn.params.get("fun_jaxpr")
        if inner is not None:
            return inner if hasattr(inner, "consts") else core.ClosedJaxpr(inner, ())
    return None


def _is_relu(eqn: Any) -> bool:
    return eqn.primitive.name == "max" and any(
        isinstance(atom, core.Literal) and np.ndim(atom.val) == 0 and atom.val == 0 for atom in eqn.invars
    )


def _path(eqn: Any) -> str:
    marks = re.findall(r"\[module (.*?)\]", str(eqn.source_info.name_stack))
    return marks[-1] if marks else ""


def _called_by(eqn: Any, function: str) -> bool:
    trace = eqn.source_info.traceback
    return trace is not None and any(
        frame.function_name == function and frame.file_name.endswith("nn/functions.py") for frame in trace.frames
    )


# marking what modules trace


@contextlib.contextmanager
def _intercepted(target: Any, log: _Log, modules: dict[str, str]) -> Iterator[None]:
    level = trace_level()
    depth: list[list[bool]] = []

    def call(path: str, module: Any, run: Callable[[], Any], arguments: Any) -> Any:
        if depth:
            depth[-1][0] = True
        depth.append([False])
        modules[path] = type(module).__name__
        try:
            with jax.named_scope(f"[module {path or 'model'}]"):
                out = run()
        finally:
            inside = depth.pop()[0]
        # within scan or vmap an array cannot leave; such a module is seen only from outside
        if trace_level() == level:
            given, made = leaves(arguments), leaves(out)
            log.add(
                "module",
                path,
                type(module).__name__,
                given + made,
                inputs=len(given),
                inside=inside,
                noise=_rate(module),
            )
        return out

    with calls_watched(target, call):
        yield


def _rate(module: Any) -> float | None:
    if "Dropout" not in type(module).__name__:
        return None
    return float(getattr(module, "rate", getattr(module, "p", 0.0)))
