"""A JAX model behind the target contract: Flax NNX, Linen, Equinox, or a plain function."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp

from dltools import state
from dltools.report import UnusableInput
from dltools.target import Target


@dataclasses.dataclass
class JaxTarget(Target):
    """A pytree of parameters and a pure function, whatever library they come from.

    `params` and `other` are pytrees; `apply(params, other, inputs, train, key)` gives the outputs and the other state
    after the call (batch statistics and the like). `model` is the object that the factory gave, if any.
    """

    params: Any = None
    other: Any = None
    pure: Callable[..., tuple[Any, Any]] = None  # type: ignore[assignment]
    model: Any = None
    kind: str = "function"
    _compiled: dict[bool, Any] = dataclasses.field(default_factory=dict, repr=False)

    framework = "jax"

    @property
    def flavour(self) -> str:  # type: ignore[override]
        """nnx, linen, equinox or function."""
        return self.kind

    @classmethod
    def build(cls, kind: str, model: Any, params: Any, apply: Any, common: Mapping[str, Any]) -> JaxTarget:
        """Splits the model into parameters, other state and a pure function.

        Raises:
            UnusableInput: a Linen module without `params`, or an optimizer that is no optax transformation.
        """
        optimizer = common["optimizer"]
        if optimizer is not None and not (hasattr(optimizer, "init") and hasattr(optimizer, "update")):
            raise UnusableInput(f"`optimizer` is a {type(optimizer).__name__}; for JAX it must be an optax transformation")
        if kind == "linen" and params is None:
            raise UnusableInput("a Linen module needs `params`: return what model.init(key, inputs) gave")
        split = {"nnx": _nnx, "linen": _linen, "equinox": _equinox, "function": _function}[kind]
        arrays, other, pure = split(model, params, apply)
        if kind != "nnx":
            # an nnx model holds its own arrays, and `preserved` must see when a tool changes them
            arrays = jax.tree.map(jnp.asarray, arrays)
        return cls(**common, params=arrays, other=other, pure=pure, model=model, kind=kind)

    def parameters(self) -> dict[str, jax.Array]:
        return {
            name: leaf for name, leaf in named_leaves(self.params).items() if jnp.issubdtype(leaf.dtype, jnp.inexact)
        }

    def outputs(self, inputs: Any = None, *, train: bool = False, seed: int = 0) -> Any:
        return self.call(self.params, self.inputs if inputs is None else inputs, train=train, seed=seed)[0]

    def call(self, params: Any, inputs: Any, *, train: bool, seed: int = 0, other: Any = None) -> tuple[Any, Any]:
        """Outputs and other state for any parameters; can be differentiated and compiled.

        Args:
            params: a pytree like `self.params`.
            inputs: as in the batch.
            train: training mode.
            seed: for dropout and other noise; may be traced.
            other: other state to start from, by default the target's.
        """
        key = jax.random.key(seed)
        return self.pure(params, self.other if other is None else other, inputs, train, key)

    def loss_and_gradients(
        self, batch: tuple[Any, Any] | None = None, *, train: bool = True, seed: int = 0
    ) -> tuple[float, dict[str, jax.Array]]:
        leaves, structure = jax.tree.flatten(self.params)
        trainable = [i for i, leaf in enumerate(leaves) if jnp.issubdtype(leaf.dtype, jnp.inexact)]
        if not trainable:
            raise UnusableInput("the parameters hold no floating-point array")

        def loss_of(floats: list[Any], other: Any, batch: Any, seed: Any) -> Any:
            merged = list(leaves)
            for index, value in zip(trainable, floats, strict=True):
                merged[index] = value
            outputs, _ = self.call(jax.tree.unflatten(structure, merged), batch[0], train=train, seed=seed, other=other)
            loss = self.loss_fn(outputs, batch[1])
            shape = tuple(getattr(loss, "shape", ()))
            if shape not in ((), (1,)):
                # float() of a traced value fails; the shape is known all the same
                raise UnusableInput(f"loss_fn returned an array of shape {shape}, not one number; reduce it, such as with .mean()")
            return jnp.asarray(loss).reshape(())

        given = ([leaves[i] for i in trainable], self.other, batch or self.batch, seed)
        # compiled as one and kept: operation by operation, the first call of a small transformer takes ten times as long
        compiled = self._compiled.setdefault(train, jax.jit(jax.value_and_grad(loss_of)))
        try:
            value, gradients = compiled(*given)
        except (TypeError, jax.errors.JAXIndexError):
            # the loss needs the values of the batch, such as for a boolean index, or the batch holds more than arrays
            value, gradients = jax.value_and_grad(lambda floats: loss_of(floats, *given[1:]))(given[0])
        names = list(named_leaves(self.params))
        return float(value), {names[i]: gradient for i, gradient in zip(trainable, gradients, strict=True)}

    def fingerprint(self) -> str:
        live = (_nnx_state(self.model), _nnx_modes(self.model)) if self.kind == "nnx" else (self.params, self.other)
        return state.fingerprint(
            {
                "arrays": [(name, leaf) for name, leaf in named_leaves(live).items()],
                "seen": [(name, leaf) for name, leaf in named_leaves(self.params).items()],
                "batch": self.batch,
                "generators": state.generators(),
            }
        )

    def _restorer(self) -> Callable[[], None]:
        restore_generators = state.generators_restorer()
        params, other, batch = self.params, self.other, jax.tree.map(lambda x: x, self.batch)
        arrays, modes = (_nnx_state(self.model), _nnx_modes(self.model)) if self.kind == "nnx" else (None, {})

        def restore() -> None:
            # JAX arrays never change; only what holds them does
            self.params, self.other, self.batch = params, other, batch
            if arrays is not None:
                from flax import nnx

                nnx.update(self.model, arrays)
                for path, module in nnx.iter_modules(self.model):
                    vars(module).update(modes[path])
            restore_generators()

        return restore


def named_leaves(tree: Any) -> dict[str, Any]:
    """The leaves of a pytree by path, such as `layers.0.kernel`.

    Args:
        tree: any pytree; non-array leaves are included.
    """
    return {_path_name(path): leaf for path, leaf in jax.tree_util.tree_flatten_with_path(tree)[0]}


def _path_name(path: tuple[Any, ...]) -> str:
    parts = []
    for entry in path:
        for attribute in ("key", "name", "idx"):
            if hasattr(entry, attribute):
                parts.append(str(getattr(entry, attribute)))
                break
    # NNX wraps every array in a variable with one field; a module may be called so too, such as that of attention
    return ".".join(parts[:-1] if len(parts) > 1 and parts[-1] == "value" else parts)


def _function(_: Any, params: Any, apply: Any) -> tuple[Any, Any, Any]:
    accepted = inspect.signature(apply).parameters
    anything = any(parameter.kind is parameter.VAR_KEYWORD for parameter in accepted.values())

    def pure(params: Any, other: Any, inputs: Any, train: bool, key: Any) -> tuple[Any, Any]:
        named = {name: value for name, value in (("train", train), ("rng", key)) if anything or name in accepted}
        return apply(params, inputs, **named), other

    return params, (), pure


def _linen(model: Any, params: Any, _: Any) -> tuple[Any, Any, Any]:
    variables = dict(params) if isinstance(params, Mapping) and "params" in params else {"params": params}
    weights = variables.pop("params")
    mode = _mode_argument(type(model).__call__)

    def pure(params: Any, other: Any, inputs: Any, train: bool, key: Any) -> tuple[Any, Any]:
        arguments, named = _arguments(inputs)
        outputs, changed = model.apply(
            {"params": params, **other},
            *arguments,
            **named,
            **mode(train),
            rngs={"dropout": key},
            mutable=list(other) if train else [],
        )
        return outputs, {**other, **changed}

    return weights, variables, pure


def _nnx(model: Any, _: Any, __: Any) -> tuple[Any, Any, Any]:
    from flax import nnx

    graph, params, other = nnx.split(model, nnx.Param, ...)
    mode = _mode_argument(type(model).__call__)

    def pure(params: Any, other: Any, inputs: Any, train: bool, key: Any) -> tuple[Any, Any]:
        # a copy: without it the variables are those of the caller, which a traced call may not change
        live = nnx.merge(graph, params, other, copy=True)
        live.train() if train else live.eval()
        nnx.reseed(live, default=key, dropout=key)
        arguments, named = _arguments(inputs)
        outputs = live(*arguments, **named, **mode(train))
        return outputs, nnx.split(live, nnx.Param, ...)[2]

    return params, other, pure


def _nnx_state(model: Any) -> Any:
    from flax import nnx

    # new variables: those of nnx.state are the model's own, and change with it
    return jax.tree.map(lambda leaf: leaf, nnx.state(model))


def _nnx_modes(model: Any) -> dict[Any, dict[str, bool]]:
    """The switches of each module, among them those that train() and eval() set."""
    from flax import nnx

    return {
        path: {name: value for name, value in vars(module).items() if isinstance(value, bool)}
        for path, module in nnx.iter_modules(model)
    }


def _equinox(model: Any, _: Any, __: Any) -> tuple[Any, Any, Any]:
    import equinox as eqx

    params, static = eqx.partition(model, eqx.is_array)
    takes_key = "key" in inspect.signature(type(model).__call__).parameters

    def pure(params: Any, other: Any, inputs: Any, train: bool, key: Any) -> tuple[Any, Any]:
        live = eqx.nn.inference_mode(eqx.combine(params, static), value=not train)
        arguments, named = _arguments(inputs)
        size = jax.tree.leaves((arguments, named))[0].shape[0]

        def one(arguments: Any, named: Any, key: Any) -> Any:
            return live(*arguments, **named, **({"key": key} if takes_key else {}))

        return jax.vmap(one)(arguments, named, jax.random.split(key, size)), other

    return params, (), pure


def _arguments(inputs: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    if isinstance(inputs, dict):
        return (), inputs
    return (tuple(inputs), {}) if isinstance(inputs, (tuple, list)) else ((inputs,), {})


def _mode_argument(call: Any) -> Callable[[bool], dict[str, bool]]:
    """How a module's `__call__` is told that it trains: by the argument that it has, or not at all."""
    accepted = inspect.signature(call).parameters
    for name, of in (("train", True), ("training", True), ("is_training", True), ("deterministic", False), ("inference", False)):
        if name in accepted:
            return lambda train, name=name, of=of: {name: train is of}
    return lambda train: {}
