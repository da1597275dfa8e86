"""The target contract: how a tool gets hold of a model, a batch and a loss.

A target is `FILE.py:factory`. The factory takes no arguments and returns a dict:

    model         a torch.nn.Module, a Flax NNX module, a Linen module (with `params`), or an Equinox module,
                  which is called on one example and mapped over the batch
    params, apply instead of `model`: a pytree and `apply(params, inputs, train=False, rng=None)`, in JAX
    batch         (inputs, targets); `inputs` may be a tuple (positional) or a dict (by name)
    loss_fn       loss_fn(outputs, targets) -> scalar
    optimizer     optional: a torch.optim.Optimizer over the model's parameters, or an optax transformation
    num_classes   optional: the number of classes C of a classifier
    labels        optional: integer class of each example in the batch, where `targets` is something else
    properties    optional: what the author says must hold (see PROPERTIES)
    evaluation    optional: (inputs, labels) of examples that training did not see, or (inputs, labels, score) with
                  score(outputs, labels) -> one number for each example, higher better
    calibration   optional: inputs like those of the batch, from the training data, for static quantisation
    intermediates optional, beside `params` and `apply`: `intermediates(params, inputs)` -> dict of arrays by layer, for
                  framework_parity

For gradient checks the dict is `{"op": callable, "inputs": tuple}` instead. No tool unpickles anything: a factory that
wants trained weights loads them itself, from safetensors or with `torch.load(..., weights_only=True)`.
"""

from __future__ import annotations

import abc
import contextlib
import dataclasses
import difflib
import importlib.util
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from dltools.report import CannotDecide, UnusableInput

KEYS = ("model", "params", "apply", "batch", "loss_fn", "optimizer", "num_classes", "labels", "properties", "evaluation", "calibration", "intermediates")
PROPERTIES = {
    "causal": "output t depends on inputs up to t only",
    "batch_independent": "the output of one example does not depend on the others",
    "permutation_equivariant": "permuting the inputs' elements permutes the outputs; false where order must count",
    "permutation_invariant": "permuting the inputs' elements leaves the outputs as they are; false where order must count",
    "shift_equivariant": "shifting the input shifts the output, away from the borders",
    "padding_mask": "the name of the argument or input that marks padding, or true where token 0 does",
    "dtype": "the dtype of the outputs, such as 'bfloat16', or true where they follow parameters and inputs",
    "train_flag": "training mode gives other outputs than evaluation mode",
}
# what a property may say beyond true and false, as a dict
PROPERTY_OPTIONS = {
    "causal": {"input", "axis", "output_axis"},
    "batch_independent": {"train"},
    "permutation_equivariant": {"input", "axis", "output_axis", "axes"},
    "permutation_invariant": {"input", "axis", "output_axis", "axes"},
    "shift_equivariant": {"axis", "axes", "stride"},
    "padding_mask": {"input", "marks", "token", "lengths", "side", "axis", "output_axis"},
}


class StateNotRestored(RuntimeError):
    """A tool left the target changed; this is a fault of the tool, never of the target."""


@dataclasses.dataclass(frozen=True)
class Operation:
    """A function whose gradients are to be checked, with one tuple of inputs."""

    op: Callable[..., Any]
    inputs: tuple[Any, ...]
    framework: str


@dataclasses.dataclass
class Target(abc.ABC):
    """A model with one batch and its loss, the same way for every framework.

    Arrays are those of the framework; names of parameters are paths such as `layers.0.weight`.
    """

    batch: tuple[Any, Any]
    loss_fn: Callable[[Any, Any], Any]
    optimizer: Any = None
    num_classes: int | None = None
    labels: Any = None
    properties: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    evaluation: tuple[Any, ...] | None = None
    calibration: Any = None
    intermediates: Callable[..., Mapping[str, Any]] | None = None

    framework = ""
    flavour = ""

    @property
    def inputs(self) -> Any:
        """The inputs of the batch."""
        return self.batch[0]

    @property
    def targets(self) -> Any:
        """The targets of the batch."""
        return self.batch[1]

    @property
    def batch_size(self) -> int:
        """The number of examples: the first axis of the first array of the inputs."""
        first = self.inputs
        while isinstance(first, (tuple, list, dict)):
            first = next(iter(first.values())) if isinstance(first, dict) else first[0]
        if not getattr(first, "shape", ()):
            raise UnusableInput("the inputs of the batch have no first axis; give arrays of shape (batch, ...)")
        return int(first.shape[0])

    @abc.abstractmethod
    def parameters(self) -> dict[str, Any]:
        """Every trainable floating-point array by name; a frozen one is left out."""

    @abc.abstractmethod
    def outputs(self, inputs: Any = None, *, train: bool = False, seed: int = 0) -> Any:
        """The model's outputs, without gradients. `inputs` defaults to the batch's.

        In training mode a PyTorch model may change its buffers (running statistics): call it inside `preserved`.
        """

    @abc.abstractmethod
    def loss_and_gradients(
        self, batch: tuple[Any, Any] | None = None, *, train: bool = True, seed: int = 0
    ) -> tuple[float, dict[str, Any]]:
        """The loss and its gradient for every trainable parameter by name; None where no gradient arrives."""

    @abc.abstractmethod
    def fingerprint(self) -> str:
        """A hash of all state: weights, buffers, modes, gradients, optimizer, batch, generators of random numbers."""

    @abc.abstractmethod
    def _restorer(self) -> Callable[[], None]:
        """Copies all state and returns the function that puts it back."""

    @contextlib.contextmanager
    def preserved(self) -> Iterator[None]:
        """Puts all state back at the end, and proves it by its hash.

        Raises:
            StateNotRestored: something that `fingerprint` covers is not as before.
        """
        before = self.fingerprint()
        restore = self._restorer()
        try:
            yield
        finally:
            restore()
            if self.fingerprint() != before:
                raise StateNotRestored("the target was not restored")

    def raw_loss(self, batch: tuple[Any, Any] | None = None, *, train: bool = False, seed: int = 0) -> Any:
        """What `loss_fn` returns, whatever its shape."""
        inputs, targets = batch or self.batch
        return self.loss_fn(self.outputs(inputs, train=train, seed=seed), targets)

    def loss(self, batch: tuple[Any, Any] | None = None, *, train: bool = False, seed: int = 0) -> float:
        """The loss as a number.

        Raises:
            UnusableInput: `loss_fn` does not return one number.
        """
        return self.scalar(self.raw_loss(batch, train=train, seed=seed))

    @staticmethod
    def scalar(value: Any) -> float:
        """A loss as a float.

        Raises:
            UnusableInput: it is not one number.
        """
        shape = tuple(getattr(value, "shape", ()))
        if shape not in ((), (1,)):
            raise UnusableInput(f"loss_fn returned an array of shape {shape}, not one number; reduce it, such as with .mean()")
        try:
            return float(value.detach() if hasattr(value, "detach") else value)
        except (TypeError, ValueError):
            raise UnusableInput(f"loss_fn returned a {type(value).__name__}, not one number") from None


def load(spec: str, *, timeout: float = 60.0, device: str | None = "cpu") -> Target:
    """Loads a target for the tools that probe a model.

    Args:
        spec: `FILE.py:factory`.
        timeout: seconds that importing the file and calling the factory may take together.
        device: where a PyTorch model and batch are moved to, such as `cpu` or `cuda:0`; None leaves them where they are,
            such as on the meta device. JAX has its own setting (`JAX_PLATFORMS`).

    Raises:
        UnusableInput: the file or the factory is missing, raises, hangs, or does not keep the contract.
    """
    given = _call_factory(spec, timeout)
    if "op" in given:
        raise UnusableInput(f"{spec} returns an operation (`op`); this tool needs a model, a batch and a loss_fn")
    _check_keys(spec, given)
    framework = _framework(spec, given)
    common = {
        "batch": tuple(given["batch"]),
        "loss_fn": given["loss_fn"],
        "optimizer": given.get("optimizer"),
        "num_classes": given.get("num_classes"),
        "labels": given.get("labels"),
        "properties": given.get("properties") or {},
        "evaluation": given.get("evaluation"),
        "calibration": given.get("calibration"),
        "intermediates": given.get("intermediates"),
    }
    if framework == "torch":
        from dltools.torch_target import TorchTarget

        return TorchTarget.build(given["model"], common, device)
    from dltools.jax_target import JaxTarget

    return JaxTarget.build(framework, given.get("model"), given.get("params"), given.get("apply"), common)


def further_batches(spec: str, count: int, *, timeout: float = 60.0) -> list[tuple[Any, Any]]:
    """The batches of further calls of a factory that `load` has called, in the same imported file.

    They differ from the first when the factory draws its batch anew at each call, such as from an iterator of the file.

    Args:
        spec: `FILE.py:factory`, as given to `load` before.
        count: how many further calls.
        timeout: seconds that all calls may take together.

    Raises:
        UnusableInput: as for `load`.
    """
    path_text, _, name = spec.rpartition(":")
    path = Path(path_text).expanduser().resolve()
    factory = getattr(sys.modules[_module_name(path)], name)
    with _user_code(path, spec, timeout):
        batches = [factory()["batch"] for _ in range(count)]
    return [tuple(batch) for batch in batches]


def load_operation(spec: str, *, timeout: float = 60.0) -> Operation:
    """Loads the operation that a gradient check is about.

    Args:
        spec: `FILE.py:factory`, whose factory returns `{"op": callable, "inputs": tuple}`.
        timeout: seconds that importing the file and calling the factory may take together.

    Raises:
        UnusableInput: as for `load`.
    """
    given = _call_factory(spec, timeout)
    if "op" not in given or "inputs" not in given:
        raise UnusableInput(f'{spec} must return {{"op": callable, "inputs": tuple}}; it has {_listed(given)}')
    if not callable(given["op"]):
        raise UnusableInput(f"`op` of {spec} is a {type(given['op']).__name__}, not a function")
    inputs = given["inputs"]
    if not isinstance(inputs, (tuple, list)) or not inputs:
        raise UnusableInput(f"`inputs` of {spec} must be a tuple of arrays with at least one element")
    torch = sys.modules.get("torch")
    jax = sys.modules.get("jax")
    if torch and any(isinstance(value, torch.Tensor) for value in inputs):
        framework = "torch"
    elif jax and any(isinstance(value, jax.Array) for value in inputs):
        framework = "jax"
    else:
        raise UnusableInput(f"`inputs` of {spec} hold no torch.Tensor and no jax.Array")
    return Operation(given["op"], tuple(inputs), framework)


def _call_factory(spec: str, timeout: float) -> dict[str, Any]:
    path_text, separator, name = spec.rpartition(":")
    if not separator or not name.isidentifier():
        raise UnusableInput(f"{spec!r} is not of the form FILE.py:factory, such as target.py:build")
    path = Path(path_text).expanduser()
    if not path.is_file():
        raise UnusableInput(f"there is no file {path}, which {spec!r} names")
    path = path.resolve()
    with _user_code(path, spec, timeout):
        factory = getattr(_import(path), name, None)
        if factory is None:
            raise UnusableInput(f"{path.name} has no function {name!r}")
        if not callable(factory):
            raise UnusableInput(f"{name!r} in {path.name} is a {type(factory).__name__}, not a function")
        given = factory()
    if not isinstance(given, Mapping):
        raise UnusableInput(f"{spec} returned a {type(given).__name__}; it must return a dict with model, batch and loss_fn")
    return dict(given)


def _import(path: Path) -> Any:
    name = _module_name(path)
    module_spec = importlib.util.spec_from_file_location(name, path)
    if module_spec is None or module_spec.loader is None:
        raise UnusableInput(f"{path.name} is not a Python file")
    module = importlib.util.module_from_spec(module_spec)
    sys.modules[name] = module
    # stays on the path: a factory's model may import its neighbours only when it is called
    if str(path.parent) not in sys.path:
        sys.path.insert(0, str(path.parent))
    module_spec.loader.exec_module(module)
    return module


def _module_name(path: Path) -> str:
    # a name of its own: the user's file may be called like a module that a library imports later
    return f"target_{path.stem}_{abs(hash(str(path))):x}"


@contextlib.contextmanager
def users_code(what: str) -> Iterator[None]:
    """Turns what the user's model or loss raises into a sentence with its place in the user's file.

    Raises:
        UnusableInput: the code within raised anything else than the tools' own exceptions.
    """
    try:
        yield
    except (UnusableInput, CannotDecide, StateNotRestored):
        raise
    except Exception as error:
        text = str(error).strip().splitlines()
        said = f"{type(error).__name__}: {text[0]}" if text else type(error).__name__
        raise UnusableInput(f"{what} raised {_place_in_targets(error)}{said}") from error


def _place_in_targets(error: BaseException) -> str:
    # the last frame in a target file, which is imported under a name of its own
    files = {
        getattr(module, "__file__", None) for name, module in list(sys.modules.items()) if name.startswith("target_")
    }
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename in files]
    return f"at {frames[-1].filename.rpartition('/')[2]}:{frames[-1].lineno}: " if frames else ""


class _TookTooLong(BaseException):
    """Not an Exception, so that the target's own `except Exception` does not swallow it."""


@contextlib.contextmanager
def _user_code(path: Path, spec: str, timeout: float) -> Iterator[None]:
    """Runs the user's code: what it raises becomes a sentence with its place, and it may not hang."""
    try:
        with _time_limit(timeout):
            yield
    except UnusableInput:
        raise
    except _TookTooLong:
        raise UnusableInput(
            f"{spec} did not return within {timeout:g} s; a factory should only build (no training, no input()), or raise --timeout"
        ) from None
    except (Exception, SystemExit) as error:
        raise UnusableInput(f"{spec} raised {_place(error, path)}{_sentence(error)}") from error


def _sentence(error: BaseException) -> str:
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0]}" if text else type(error).__name__


def _place(error: BaseException, path: Path) -> str:
    """Where in the user's own file it happened."""
    if isinstance(error, SyntaxError) and error.filename == str(path):
        return f"at {path.name}:{error.lineno}: "
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    return f"at {path.name}:{lines[-1]}: " if lines else ""


@contextlib.contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    import signal

    if not hasattr(signal, "SIGALRM") or threading.current_thread() is not threading.main_thread():
        # no alarm on this system or in this thread: the code runs without a limit
        yield
        return

    def stop(*_: Any) -> None:
        raise _TookTooLong

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _check_keys(spec: str, given: Mapping[str, Any]) -> None:
    for key in given:
        if key not in KEYS:
            close = difflib.get_close_matches(str(key), KEYS, 1)
            hint = f"; did you mean {close[0]!r}?" if close else f"; the keys are {', '.join(KEYS)}"
            raise UnusableInput(f"{spec} returned an unknown key {key!r}{hint}")
    if "model" not in given and not ("params" in given and "apply" in given):
        raise UnusableInput(f"{spec} must return `model`, or `params` and `apply`; it has {_listed(given)}")
    for key in ("batch", "loss_fn"):
        if key not in given:
            raise UnusableInput(f"{spec} must return `{key}`; it has {_listed(given)}")
    if not isinstance(given["batch"], (tuple, list)) or len(given["batch"]) != 2:
        raise UnusableInput(f"`batch` of {spec} must be (inputs, targets)")
    evaluation = given.get("evaluation")
    if evaluation is not None and (not isinstance(evaluation, (tuple, list)) or len(evaluation) not in (2, 3)):
        raise UnusableInput(f"`evaluation` of {spec} must be (inputs, labels) or (inputs, labels, score)")
    for key in ("loss_fn", "apply", "intermediates"):
        if key in given and not callable(given[key]):
            raise UnusableInput(f"`{key}` of {spec} is a {type(given[key]).__name__}, not a function")
    if "intermediates" in given and "model" in given:
        raise UnusableInput(f"`intermediates` of {spec} goes with `params` and `apply`; the layers of a `model` are seen anyway")
    properties = given.get("properties") or {}
    if not isinstance(properties, Mapping):
        raise UnusableInput(f"`properties` of {spec} is a {type(properties).__name__}, not a dict")
    for name in properties:
        if name not in PROPERTIES:
            raise UnusableInput(f"{spec} declares an unknown property {name!r}; known are {', '.join(PROPERTIES)}")
        known = PROPERTY_OPTIONS.get(name, set())
        for option in properties[name] if isinstance(properties[name], Mapping) else ():
            if option not in known:
                raise UnusableInput(
                    f"{spec} declares {option!r} under {name!r}; known are {', '.join(sorted(known)) or 'no options'}"
                )


def _framework(spec: str, given: Mapping[str, Any]) -> str:
    """Which framework the model is of. Nothing is imported: a model of it cannot exist before its import."""
    model = given.get("model")
    if model is None:
        torch = sys.modules.get("torch")
        if torch and isinstance(given["params"], Mapping) and any(isinstance(v, torch.Tensor) for v in given["params"].values()):
            raise UnusableInput(f"`params` of {spec} are torch tensors; for PyTorch return a torch.nn.Module as `model`")
        return "function"
    for name, module, kind in (
        ("torch", "torch.nn", "Module"),
        ("nnx", "flax.nnx", "Module"),
        ("linen", "flax.linen", "Module"),
        ("equinox", "equinox", "Module"),
    ):
        loaded = sys.modules.get(module)
        if loaded is not None and isinstance(model, getattr(loaded, kind)):
            return name
    raise UnusableInput(
        f"`model` of {spec} is a {type(model).__module__}.{type(model).__qualname__}; it must be a torch.nn.Module, a Flax "
        "NNX or Linen module or an Equinox module. For anything else in JAX return `params` and `apply`"
    )


def _listed(given: Mapping[str, Any]) -> str:
    return ", ".join(f"`{key}`" for key in given) or "no key"
