"""A model as the property checks see it: one main input, one output, its rounding, and ways to disturb positions."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from dltools.arrays import ROUNDING, as_numpy, dtype_name, epsilon, is_floating, leaves, like, mapped, width
from dltools.report import CannotDecide, UnusableInput
from dltools.target import Target, users_code

# Parameters that are all zero get values of this standard deviation: a branch that starts at zero, such as a position
# table, a gate or the last layer of a residual block, hides what it does.
ZERO_STD = 0.1
# The change by rounding is measured; so many times that is still taken for rounding.
MARGIN = 10
# If rounding may change this share of the largest output, nothing can be seen above it.
BLIND = 0.05


@dataclasses.dataclass
class Subject:
    """Runs a target on changed inputs, in float32 or wider, with the random numbers fixed.

    Args:
        target: a `dltools.target.Target`. PyTorch models may change their buffers: use it inside `target.preserved()`.
        seed: of noise in the model and of the disturbances.

    Raises:
        UnusableInput: the model raises, returns no floating-point array, or has no input of the form (examples, ...).
    """

    target: Target
    seed: int = 0
    notes: list[str] = dataclasses.field(default_factory=list)

    def __post_init__(self) -> None:
        self.random = np.random.default_rng(self.seed)
        self.size = self.target.batch_size
        self._jitted: dict[bool, Any] = {}
        if any(str(getattr(value, "device", "")) == "meta" for value in self.target.parameters().values()):
            raise CannotDecide(
                "the parameters are on the meta device and have no values; give a small model with weights"
            )
        with users_code("the model"):
            floats = [
                leaf
                for leaf in leaves(self._call(self.target.inputs, False, self.seed, self.replaced(_same)))
                if is_floating(leaf)
            ]
            if not floats:
                raise UnusableInput("the model returns no floating-point array")
            self.output_dtype = dtype_name(floats[0])
            if len(floats) > 1:
                self.notes.append(
                    f"Of {len(floats)} floating arrays returned, the first is used: {tuple(floats[0].shape)}."
                )
            self._compute_in(floats)
        self.key = self._main_key()

    def _compute_in(self, floats: list[Any]) -> None:
        """Narrow floats are cast to float32 where the model allows it, so that rounding hides less."""
        parameters = self.target.parameters()
        zero = [name for name, value in parameters.items() if not as_numpy(value).any()]
        if zero:
            self.notes.append(
                f"{len(zero)} parameters that are all zero were given random values for these "
                "checks: what starts at zero hides what it does."
            )
        self.zero = set(zero)
        self.narrow = min(width(dtype_name(a)) for a in [*floats, *parameters.values()]) < 32
        self._parameters = self._prepared("float32" if self.narrow else "")
        try:
            self.before = self.run({})
        except UnusableInput as error:
            if not self.narrow:
                raise
            self.narrow, self._parameters = False, self._prepared("")
            self.before = self.run({})
            self.notes.append(f"The model does not run in float32 ({error}), so it is left in {self.output_dtype}.")

    # ---- inputs

    def arrays(self) -> dict[Any, Any]:
        """The arrays of the inputs by name (dict) or by position (0 for a single array)."""
        inputs = self.target.inputs
        named = (
            inputs
            if isinstance(inputs, Mapping)
            else dict(enumerate(inputs if isinstance(inputs, (tuple, list)) else (inputs,)))
        )
        return {key: value for key, value in named.items() if hasattr(value, "shape") and hasattr(value, "dtype")}

    def _main_key(self) -> Any:
        padding = self.target.properties.get("padding_mask")
        marks = (
            padding
            if isinstance(padding, str)
            else options_of(padding).get("input", options_of(padding).get("lengths"))
        )
        for key, array in self.arrays().items():
            if key != marks and array.ndim > 1 and "bool" not in dtype_name(array):
                return key
        raise UnusableInput("no input has the form (examples, ...); the checks need an array with at least two axes")

    def named(self, key: Any, of: str) -> Any:
        """The key of an input that a property names.

        Raises:
            UnusableInput: there is no such input.
        """
        if key not in self.arrays():
            known = ", ".join(map(repr, self.arrays()))
            raise UnusableInput(f"`properties` name the input {key!r} for {of}; the inputs are {known}")
        return key

    def value(self, key: Any) -> np.ndarray:
        """An input as numpy."""
        return as_numpy(self.arrays()[key])

    def given(self, changed: Mapping[Any, np.ndarray]) -> Any:
        """The inputs with some of them replaced."""
        arrays = self.arrays()
        new = {key: like(arrays[key], value) for key, value in changed.items()}
        inputs = self.target.inputs
        if isinstance(inputs, Mapping):
            return {key: new.get(key, value) for key, value in inputs.items()}
        if isinstance(inputs, (tuple, list)):
            return tuple(new.get(key, value) for key, value in enumerate(inputs))
        return new.get(0, inputs)

    def disturbed(self, x: np.ndarray, where: np.ndarray, avoid: int | None = None) -> np.ndarray:
        """Other values of the kind that the input holds.

        Args:
            x: an input of the batch.
            where: broadcasts to the shape of `x`; true where values are replaced.
            avoid: an integer that is not to be used, such as the padding token.

        Raises:
            CannotDecide: the input holds one integer only, so that no other value is known to be valid.
        """
        if x.dtype.kind == "f":
            scale = float(np.std(x)) or 1.0
            new = self.random.permutation(x.ravel()).reshape(x.shape) + scale * self.random.standard_normal(x.shape)
            return np.where(where, new.astype(x.dtype), x)
        values = np.unique(x)
        values = values[values != avoid]
        if values.size < 2:
            raise CannotDecide(
                "the integer input holds one value only; give several, so that others are known to be valid"
            )
        # one of the other values, so that every position changes
        index = np.searchsorted(values, np.clip(x, values[0], values[-1]))
        return np.where(where, values[(index + self.random.integers(1, values.size, x.shape)) % values.size], x)

    # ---- outputs

    def run(
        self, changed: Mapping[Any, np.ndarray], *, train: bool = False, seed: int | None = None, parameters: Any = None
    ) -> np.ndarray:
        """The first floating output, in float64, for inputs of which some are replaced."""
        return self.first(self.call(self.given(changed), train=train, seed=seed, parameters=parameters))

    def first(self, outputs: Any) -> np.ndarray:
        """The first floating array of the outputs, in float64."""
        return next(as_numpy(leaf).astype(np.float64) for leaf in leaves(outputs) if is_floating(leaf))

    def call(self, inputs: Any, *, train: bool = False, seed: int | None = None, parameters: Any = None) -> Any:
        """The outputs with the prepared parameters, or with others of the same structure.

        Raises:
            UnusableInput: the model raises on these inputs.
        """
        if self.narrow:
            inputs = _cast_floats(inputs, "float32")
        with users_code("the model"):
            parameters = self._parameters if parameters is None else parameters
            return self._call(inputs, train, self.seed if seed is None else seed, parameters)

    def _call(self, inputs: Any, train: bool, seed: int, parameters: Any) -> Any:
        if self.target.framework == "torch":
            return _call_torch(self.target, parameters, inputs, train, seed)
        import jax

        def call(parameters: Any, inputs: Any, seed: Any) -> Any:
            return self.target.call(parameters, inputs, train=train, seed=seed)[0]

        compiled = self._jitted.setdefault(train, jax.jit(call))
        try:
            return compiled(parameters, inputs, seed)
        except (TypeError, jax.errors.JAXIndexError):
            # the model needs the values of its inputs, or they hold more than arrays
            return call(parameters, inputs, seed)

    def casted(self, dtype: str) -> str:
        """The dtype of the output when parameters, buffers and floating inputs are cast to another one."""
        narrow, self.narrow = self.narrow, False
        try:
            inputs, parameters = _cast_floats(self.target.inputs, dtype), self._prepared(dtype)
            if self.target.framework == "torch":
                outputs = self.call(inputs, parameters=parameters)
            else:
                outputs = self._shapes(inputs, parameters)
        finally:
            self.narrow = narrow
        return next(dtype_name(leaf) for leaf in leaves(outputs) if is_floating(leaf))

    def _shapes(self, inputs: Any, parameters: Any) -> Any:
        # shapes and dtypes alone need no compilation
        import jax

        with users_code("the model"):
            return jax.eval_shape(
                lambda p, x: self.target.call(p, x, train=False, seed=self.seed)[0], parameters, inputs
            )

    def _prepared(self, dtype: str) -> Any:
        """The parameters, those that are all zero made random, cast where a dtype is given."""
        random = np.random.default_rng(self.seed)

        def new(name: str, value: Any) -> Any:
            if name in self.zero:
                value = like(value, ZERO_STD * random.standard_normal(value.shape))
            return cast(value, dtype) if dtype and is_floating(value) else value

        return self.replaced(new)

    def replaced(self, new: Callable[[str, Any], Any], parameters: Any = None) -> Any:
        """Parameters (in PyTorch also buffers) with `new(name, value)` in place of each value."""
        if self.target.framework == "torch":
            model = self.target.model
            # without duplicates: functional_call ties what the model ties
            own = {name: value.detach() for name, value in [*model.named_parameters(), *model.named_buffers()]}
            return {name: new(name, value) for name, value in (parameters or own).items()}
        import jax

        from dltools.jax_target import named_leaves

        tree = self.target.params if parameters is None else parameters
        flat, structure = jax.tree.flatten(tree)
        return jax.tree.unflatten(
            structure, [new(name, leaf) for name, leaf in zip(named_leaves(tree), flat, strict=True)]
        )

    def with_parameter(self, name: str, value: np.ndarray) -> Any:
        """The prepared parameters with one of them replaced."""
        return self.replaced(lambda n, old: like(old, value) if n == name else old, self._parameters)

    def parameters(self) -> dict[str, np.ndarray]:
        """The prepared floating parameters by name."""
        found: dict[str, np.ndarray] = {}

        def see(name: str, value: Any) -> Any:
            if is_floating(value):
                found[name] = as_numpy(value)
            return value

        self.replaced(see, self._parameters)
        return found

    # ---- rounding

    def measure_rounding(self) -> None:
        """Measures how much the output changes when only the rounding does, and sets the tolerance.

        The examples are given in another order, and every parameter is moved by one unit in its last place. Both
        numbers are relative to the largest output.

        Raises:
            CannotDecide: the outputs are not finite, change from call to call, or rounding hides everything.
        """
        y = self.before
        if not np.isfinite(y).all():
            raise CannotDecide(
                f"{np.count_nonzero(~np.isfinite(y))} of {y.size} outputs are not finite (a "
                "row of attention with nothing to look at "
                "gives NaN); find the module with probe_model.py of the skill training-diagnostics"
            )
        unit = epsilon("float32" if self.narrow else self.output_dtype)
        if (gap := self.differ(y, self.run({}))) > ROUNDING * unit:
            raise CannotDecide(
                f"two calls with the same seed differ by {gap:.2g} of the largest output; "
                "draw from the framework's generator"
            )
        gaps = [self.differ(y, self.run({}, parameters=self._moved()))]
        if (
            y.ndim
            and self.size > 1
            and all(shape[:1] == (self.size,) for shape in [y.shape, *(a.shape for a in self.arrays().values())])
        ):
            order = self.random.permutation(self.size)
            gaps.append(self.differ(y[order], self.run({key: self.value(key)[order] for key in self.arrays()})))
        # a model that mixes examples by their place differs by far more than rounding does
        self.rounding = max((gap for gap in gaps if gap < BLIND / MARGIN), default=0.0)
        self.tolerance = max(ROUNDING * unit, MARGIN * self.rounding)
        if self.tolerance > BLIND:
            raise CannotDecide(
                f"rounding in {self.output_dtype} may change the outputs by "
                f"{self.tolerance:.2g}; give the target in float32"
            )

    def _moved(self) -> Any:
        def moved(_: str, value: Any) -> Any:
            if not is_floating(value):
                return value
            values = as_numpy(value)
            return like(
                value, values * (1 + epsilon(dtype_name(value)) * self.random.choice([-1.0, 1.0], values.shape))
            )

        return self.replaced(moved, self._parameters)

    @staticmethod
    def differ(first: np.ndarray, second: np.ndarray) -> float:
        """The largest difference over the largest value of the first; infinite where a value is not finite."""
        scale = np.abs(first).max(initial=0)
        gap = np.nan_to_num(np.abs(first - second), nan=np.inf).max(initial=0)
        return float(gap / scale) if scale else float(gap > 0)

    def by_position(self, first: np.ndarray, second: np.ndarray, axis: int) -> np.ndarray:
        """The largest change at each position of an axis, over the largest value of all outputs."""
        gap = np.nan_to_num(np.abs(first - second), nan=np.inf)
        return gap.max(axis=tuple(a for a in range(gap.ndim) if a != axis)) / (np.abs(self.before).max() or 1.0)

    def output_axis(self, axis: int, length: int, declared: int | None = None) -> int | None:
        """The axis of the output that runs over the positions of the input, or None.

        Raises:
            UnusableInput: the declared axis has another length.
        """
        shape = self.before.shape
        if declared is not None:
            if not -len(shape) <= declared < len(shape) or shape[declared] != length:
                raise UnusableInput(
                    f"`output_axis` {declared} does not run over the {length} positions of the input: the output has "
                    f"the shape {shape}"
                )
            return declared % len(shape)
        if axis < len(shape) and shape[axis] == length:
            return axis
        same = [a for a in range(1, len(shape)) if shape[a] == length]
        return same[0] if len(same) == 1 else None


def options_of(value: Any) -> dict[str, Any]:
    """What a property declares beyond true and false."""
    return dict(value) if isinstance(value, Mapping) else {}


def _same(_: str, value: Any) -> Any:
    return value


def along(axis: int, chosen: np.ndarray, ndim: int) -> np.ndarray:
    """A mask over the positions of one axis, in a shape that broadcasts over all others."""
    return chosen.reshape([-1 if a == axis else 1 for a in range(ndim)])


def cast(array: Any, dtype: str) -> Any:
    """An array of either framework in a floating dtype."""
    if hasattr(array, "detach"):
        import torch

        return array.to(getattr(torch, dtype))
    return array.astype(dtype)


def _cast_floats(tree: Any, dtype: str) -> Any:
    return mapped(lambda array: cast(array, dtype) if is_floating(array) else array, tree)


def _call_torch(target: Any, parameters: dict[str, Any], inputs: Any, train: bool, seed: int) -> Any:
    import torch

    named = dict(inputs) if isinstance(inputs, Mapping) else {}
    arguments = () if named else tuple(inputs) if isinstance(inputs, (tuple, list)) else (inputs,)
    devices = list(range(torch.cuda.device_count())) if torch.cuda.is_available() else []
    if train:
        # batch normalisation writes its running statistics into what it is given
        parameters = {name: value.clone() for name, value in parameters.items()}
    fused = torch.backends.mha.get_fastpath_enabled()
    # the fused encoder layer works on nested tensors, which hooks cannot see and which drop padded positions
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with target.preserved_mode(train), torch.no_grad(), torch.random.fork_rng(devices=devices):
            torch.manual_seed(seed)
            return torch.func.functional_call(target.model, parameters, arguments, named)
    finally:
        torch.backends.mha.set_fastpath_enabled(fused)
