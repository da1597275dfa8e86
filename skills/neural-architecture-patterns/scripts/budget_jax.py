"""What a JAX model costs, from its traced program (jaxpr): nothing is computed.

Products and convolutions are counted wherever they stand: in compiled functions, in `scan` (times its length) and in
`cond` (its dearest branch). The length of a `while` loop is not known, so what it holds is named and not counted, as
is every operation that may do more than a few operations for each element.
"""

from __future__ import annotations

import traceback
from collections import Counter
from collections.abc import Callable
from math import prod
from typing import Any

import jax
import jax.numpy as jnp
from budget_pass import Pass, at, place, said
from dltools.jax_target import JaxTarget
from dltools.report import CannotDecide, UnusableInput

# operations that do a few operations for each element, and so are not counted by convention
FEW_OPERATIONS = frozenset(
    """
    abs acos acosh add add_any after_all and argmax argmin asin asinh atan atan2 atanh bessel_i0e bessel_i1e
    bitcast_convert_type broadcast_in_dim cbrt ceil clamp clz complex concatenate conj convert_element_type copy copy_p
    cos cosh create_token cumlogsumexp cummax cummin cumprod cumsum dce_sink device_put digamma div dynamic_slice
    dynamic_update_slice empty empty2 eq eq_to erf erf_inv erfc exp exp2 expm1 floor from_edtype gather ge gt igamma
    igammac imag integer_pow iota is_finite le le_to lgamma log log1p logistic lt lt_to max min mul mulhi name ne neg
    nextafter not optimization_barrier or pad polygamma population_count pow random_bits random_clone random_fold_in
    random_gamma random_seed random_split random_unwrap random_wrap real reduce reduce_and reduce_max reduce_min
    reduce_or reduce_precision reduce_prod reduce_sum reduce_window reduce_window_max reduce_window_min
    reduce_window_sum reduce_xor rem reshape reshard rev rng_bit_generator rng_uniform round rsqrt scatter scatter-add
    scatter-mul scatter_max scatter_min select_and_gather_add select_and_scatter_add select_n shift_left
    shift_right_arithmetic shift_right_logical sign sin sinh slice sort split sqrt square squeeze stack stop_gradient
    sub tan tanh threefry2x32 tie tile to_edtype top_k transpose unstack xor
    """.split()
)
# through these a parameter is still itself
PASSING = frozenset({"transpose", "reshape", "convert_element_type", "copy", "squeeze", "broadcast_in_dim"})


def measure(target: JaxTarget, *, train: bool, precision: Any = None) -> Pass:
    """Traces the model and counts.

    Args:
        target: left as it is.
        train: in training mode, with loss and gradient; else in evaluation mode, forward only.
        precision: a type that all floating-point parameters and inputs get.

    Raises:
        UnusableInput: the model or the loss raises.
        CannotDecide: they need values where only shapes are there.
    """
    arrays, rebuild = _arrays((target.params, target.other, target.batch), precision)
    parameters = len(jax.tree.leaves(target.params))

    def forward(arrays: list[Any]) -> Any:
        params, other, (inputs, _) = rebuild(arrays)
        return target.call(params, inputs, train=train, other=other)

    program = _traced("the model", forward, arrays).jaxpr
    counts = count(program)
    weights = program.invars[:parameters]
    read = sum(_bytes(var) for var in _multiplied(program, {var: var for var in weights}))
    flops = dict(counts.flops)
    if not train:
        return Pass(flops, {}, None, dict(counts.not_counted), read, None, None)

    trainable = [i for i in range(parameters) if jnp.issubdtype(arrays[i].dtype, jnp.inexact)]
    if not trainable:
        raise UnusableInput(
            "the parameters hold no floating-point array, so there is nothing to train; use --inference"
        )

    def loss_of(floats: list[Any], arrays: list[Any]) -> Any:
        merged = list(arrays)
        for index, value in zip(trainable, floats, strict=True):
            merged[index] = value
        params, other, (inputs, targets) = rebuild(merged)
        outputs, _ = target.call(params, inputs, train=True, other=other)
        loss = target.loss_fn(outputs, targets)
        if tuple(getattr(loss, "shape", ())) not in ((), (1,)):
            raise UnusableInput("loss_fn does not return one number; reduce it, such as with .mean()")
        return jnp.asarray(loss).reshape(())

    def step(arrays: list[Any]) -> Any:
        return jax.value_and_grad(loss_of)([arrays[i] for i in trainable], arrays)

    def kept(arrays: list[Any]) -> Any:
        # what the backward function closes over
        _, backward = jax.vjp(lambda floats: loss_of(floats, arrays), [arrays[i] for i in trainable])
        return jax.tree.leaves(backward)

    whole = count(_traced("the loss", step, arrays).jaxpr)
    return Pass(
        flops,
        {},
        sum(whole.flops.values()),
        dict(counts.not_counted | whole.not_counted),
        read,
        _saved(_traced("the loss", kept, arrays).jaxpr, parameters),
        None,
    )


class Counts:
    """FLOPs by operation, and what was not counted, with its place."""

    def __init__(self) -> None:
        self.flops: Counter[str] = Counter()
        self.not_counted: Counter[tuple[str, str]] = Counter()

    def add(self, other: Counts, times: int) -> None:
        """Adds the counts of a program that runs several times."""
        for name, flops in other.flops.items():
            self.flops[name] += flops * times
        self.not_counted += other.not_counted


def count(program: Any, outer: str = "") -> Counts:
    """FLOPs of a jaxpr and of all that it calls.

    Args:
        program: a `jax.extend.core.Jaxpr`.
        outer: where it is called, for operations of a library that do not say where they are.
    """
    found = Counts()
    for equation in program.eqns:
        name, where = equation.primitive.name, _where(equation) or outer
        if name in FORMULAS:
            found.flops[name] += FORMULAS[name](equation)
        elif name in FEW_OPERATIONS:
            continue
        elif name == "scan":
            found.add(count(equation.params["jaxpr"].jaxpr, where), equation.params["length"])
        elif name == "cond":
            branches = [count(branch.jaxpr, where) for branch in equation.params["branches"]]
            found.add(max(branches, key=lambda branch: sum(branch.flops.values())), 1)
        elif name == "while":
            inner = count(equation.params["body_jaxpr"].jaxpr, where)
            found.not_counted += inner.not_counted
            if inner.flops:
                found.not_counted[f"while loop around {', '.join(inner.flops)}", where] += 1
        elif name in CALLS and (inner := _inner(equation)) is not None:
            found.add(count(inner, where), 1)
        else:
            found.not_counted[name, where] += 1
    return found


# operations that call one program once
CALLS = frozenset(
    {"jit", "pjit", "closed_call", "core_call", "remat2", "checkpoint", "composite", "run_state"}
    | {"custom_jvp_call", "custom_vjp_call", "custom_vjp_call_jaxpr"}
)


def _inner(equation: Any) -> Any:
    for key in ("jaxpr", "call_jaxpr", "fun_jaxpr"):
        given = equation.params.get(key)
        if given is not None:
            return getattr(given, "jaxpr", given)
    return None


def _dot(equation: Any) -> int:
    (contracted, _), _ = equation.params["dimension_numbers"]
    left = equation.invars[0].aval.shape
    return 2 * prod(equation.outvars[0].aval.shape) * prod(left[axis] for axis in contracted)


def _convolution(equation: Any) -> int:
    left, right = equation.invars[0].aval.shape, equation.invars[1].aval.shape
    numbers, dilation = equation.params["dimension_numbers"], equation.params["lhs_dilation"]
    out = equation.outvars[0].aval.shape
    products = prod(right) // right[numbers.rhs_spec[0]]
    if any(step != 1 for step in dilation):
        # a transposed convolution: the zeros between its inputs are not multiplied
        places = prod(left[axis] for axis in numbers.lhs_spec[2:])
        return 2 * products * places * out[numbers.out_spec[0]] * out[numbers.out_spec[1]]
    return 2 * products * prod(out)


FORMULAS: dict[str, Callable[[Any], int]] = {"dot_general": _dot, "conv_general_dilated": _convolution}


def _arrays(tree: Any, precision: Any) -> tuple[list[Any], Callable[[list[Any]], Any]]:
    """The arrays of a tree as shapes, and the function that puts arrays back beside what is no array."""
    leaves, structure = jax.tree.flatten(tree)
    places = [i for i, leaf in enumerate(leaves) if hasattr(leaf, "shape") and hasattr(leaf, "dtype")]

    def shape(leaf: Any) -> Any:
        cast = precision is not None and jnp.issubdtype(leaf.dtype, jnp.floating)
        return jax.ShapeDtypeStruct(leaf.shape, precision if cast else leaf.dtype)

    def rebuild(arrays: list[Any]) -> Any:
        merged = list(leaves)
        for index, value in zip(places, arrays, strict=True):
            merged[index] = value
        return jax.tree.unflatten(structure, merged)

    return [shape(leaves[i]) for i in places], rebuild


def _traced(what: str, function: Callable[..., Any], arrays: list[Any]) -> Any:
    try:
        return jax.make_jaxpr(function)(arrays)
    except (UnusableInput, CannotDecide):
        raise
    except (
        jax.errors.ConcretizationTypeError,
        jax.errors.TracerArrayConversionError,
        jax.errors.NonConcreteBooleanIndexError,
        jax.errors.TracerIntegerConversionError,
        jax.errors.UnexpectedTracerError,
    ) as error:
        raise CannotDecide(
            f"{at(error)}{what} looks at values ({type(error).__name__}); shapes alone do not say what it does"
        ) from None
    except Exception as error:
        raise UnusableInput(f"{at(error)}{what} raised {said(error)}") from error


def _multiplied(program: Any, known: dict[Any, Any]) -> set[Any]:
    """The parameters that enter a product, through reshapes and calls.

    Args:
        program: a jaxpr.
        known: from its variables to the parameters that they are.
    """
    found: set[Any] = set()
    known = dict(known)
    for equation in program.eqns:
        held = [known.get(var) if not hasattr(var, "val") else None for var in equation.invars]
        name = equation.primitive.name
        if name in FORMULAS:
            found |= {var for var in held if var is not None}
        elif name in PASSING and held[0] is not None:
            known[equation.outvars[0]] = held[0]
        else:
            programs = [getattr(branch, "jaxpr", branch) for branch in equation.params.get("branches", ())]
            if name == "scan" or name in CALLS:
                programs = [inner] if (inner := _inner(equation)) is not None else []
            for inner in programs:
                # the last inputs are those of the inner program; a `cond` has its index before them
                given = held[len(held) - len(inner.invars) :]
                found |= _multiplied(inner, {v: p for v, p in zip(inner.invars, given, strict=True) if p is not None})
    return found


def _saved(program: Any, parameters: int) -> int:
    """Bytes of the outputs of a program, each once, without its parameters and constants."""
    literal = {
        equation.outvars[0]
        for equation in program.eqns
        if equation.primitive.name == "broadcast_in_dim" and all(hasattr(var, "val") for var in equation.invars)
    }
    weights = set(program.invars[:parameters])
    kept = {var for var in program.outvars if not hasattr(var, "val")} - literal - weights
    return sum(_bytes(var) for var in kept)


def _bytes(var: Any) -> int:
    return prod(var.aval.shape) * var.aval.dtype.itemsize


def _where(equation: Any) -> str:
    frames = equation.source_info.traceback
    return place(traceback.extract_tb(frames.as_python_traceback())) if frames else ""
