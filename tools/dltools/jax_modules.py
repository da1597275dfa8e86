"""Seeing the calls of a JAX model's modules: Flax NNX, Linen and Equinox."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from jax.extend import core


def trace_level() -> Any:
    """The transformation that is being traced. Arrays of one level may not leave it for another."""
    return core.get_opaque_trace_state(convention="flax")


@contextlib.contextmanager
def calls_watched(target: Any, call: Callable[[str, Any, Callable[[], Any], Any], Any]) -> Iterator[None]:
    """Every call of a module goes through `call` until the end of the block; a plain function has no modules.

    Args:
        target: a JaxTarget.
        call: called with the path of the module (empty for the model), the module, a function that runs it, and its
            arguments; what it returns is the module's output.
    """
    if target.kind == "linen":
        from flax import linen

        def interceptor(function: Any, args: Any, kwargs: Any, context: Any) -> Any:
            if context.method_name != "__call__":
                return function(*args, **kwargs)
            path = ".".join(context.module.path)
            return call(path, context.module, lambda: function(*args, **kwargs), (args, kwargs))

        with linen.intercept_methods(interceptor):
            yield
    elif target.kind in ("nnx", "equinox"):
        with _patched(target, call):
            yield
    else:
        yield


@contextlib.contextmanager
def _patched(target: Any, call: Callable[..., Any]) -> Iterator[None]:
    """Each class of module that the model holds calls through `call`, until the end of the block."""
    classes: dict[type, Any] = {}
    paths: dict[int, str] = {}
    alive: list[Any] = []
    for module in _submodules(target).values():
        for owner in type(module).__mro__:
            if "__call__" in vars(owner):
                classes.setdefault(owner, vars(owner)["__call__"])
                break

    def patch(original: Any) -> Any:
        def patched(self: Any, *args: Any, **kwargs: Any) -> Any:
            if not paths:
                # the outermost module: tracing made new objects, whose paths are known only now
                found = _submodules(target, self)
                alive.extend(found.values())
                paths.update({id(module): path for path, module in reversed(found.items())})
            path = paths.get(id(self))
            if path is None:
                # made during the call, such as by scan
                return original(self, *args, **kwargs)
            return call(path, self, lambda: original(self, *args, **kwargs), (args, kwargs))

        return patched

    try:
        for owner, original in classes.items():
            owner.__call__ = patch(original)
        yield
    finally:
        for owner, original in classes.items():
            owner.__call__ = original


def _submodules(target: Any, model: Any = None) -> dict[str, Any]:
    model = target.model if model is None else model
    if target.kind == "nnx":
        from flax import nnx

        return {".".join(map(str, path)): module for path, module in nnx.iter_modules(model)}
    import equinox as eqx

    found: dict[str, Any] = {}

    def walk(value: Any, path: str) -> None:
        if isinstance(value, eqx.Module):
            found[path] = value
            children: Any = vars(value).items()
        elif isinstance(value, (list, tuple)):
            children = enumerate(value)
        elif isinstance(value, dict):
            children = value.items()
        else:
            return
        for name, item in children:
            walk(item, f"{path}.{name}" if path else str(name))

    walk(model, "")
    return found
