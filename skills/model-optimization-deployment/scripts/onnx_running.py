"""Running models for comparison: ONNX Runtime sessions, differences of outputs, and latency."""

from __future__ import annotations

import contextlib
import io
import logging
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

WARM_UP = 5  # calls before the clock counts: the first ones allocate memory and choose kernels


def session(model: bytes | str, threads: int) -> Any:
    """An ONNX Runtime session on the CPU.

    Args:
        model: the serialised model, or the path of its file.
        threads: threads within an operator; operators run one after the other.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4  # what fails is raised anyway
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def call(running: Any, arrays: Mapping[str, np.ndarray], outputs: Sequence[str] | None = None) -> list[np.ndarray]:
    """The outputs of a session, its inputs given by name, or in order where the names are others."""
    names = [one.name for one in running.get_inputs()]
    if not set(names) <= set(arrays):
        arrays = dict(zip(names, arrays.values(), strict=True))
    return running.run(outputs, {name: arrays[name] for name in names})


def difference(expected: np.ndarray, actual: np.ndarray) -> tuple[float, float]:
    """How far an output is from the one expected.

    Args:
        expected, actual: arrays of the same shape, of any type of number.

    Returns:
        The largest absolute difference, and that divided by the largest finite absolute value of `expected`. Two NaN
        or two equal infinities are no difference; a NaN or an infinity on one side only is an infinite one.
    """
    a, b = np.asarray(expected).astype(np.float64), np.asarray(actual).astype(np.float64)
    if a.size == 0:
        return 0.0, 0.0
    finite = np.isfinite(a) & np.isfinite(b)
    same = finite | (np.isnan(a) & np.isnan(b)) | (a == b)
    if not same.all():
        return float("inf"), float("inf")
    if not finite.any():
        return 0.0, 0.0
    absolute = float(np.abs(a[finite] - b[finite]).max())
    scale = float(np.abs(a[finite]).max())
    return absolute, absolute / scale if scale else (0.0 if absolute == 0 else float("inf"))


def latencies(calls: Mapping[str, Callable[[], Any]], runs: int, seconds: float = 3.0) -> dict[str, np.ndarray]:
    """Times calls in turn, so that whatever else the machine does meets all of them alike.

    Args:
        calls: functions by name.
        runs: timed calls of each, after a warm-up.
        seconds: the timed part ends after so long, but not before ten calls of each.

    Returns:
        Seconds of each timed call, by name.
    """
    for function in calls.values():
        for _ in range(WARM_UP):
            function()
    times: dict[str, list[float]] = {name: [] for name in calls}
    end = time.perf_counter() + seconds
    for index in range(runs):
        for name, function in calls.items():
            start = time.perf_counter()
            function()
            times[name].append(time.perf_counter() - start)
        if index >= 9 and time.perf_counter() > end:
            break
    return {name: np.array(taken) for name, taken in times.items()}


def percentiles(taken: np.ndarray) -> dict[str, Any]:
    """Median and 95th percentile in milliseconds, with the number of calls behind them."""
    return {
        "p50_ms": 1e3 * float(np.median(taken)),
        "p95_ms": 1e3 * float(np.percentile(taken, 95)),
        "calls": len(taken),
    }


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Without the logs and warnings of exporters and quantisers, which speak of their own code.

    A warning of the model itself is seen all the same, since the model also runs outside.
    """
    # torch.export logs and prints whole graphs when it fails, and raises the same as an exception
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with (
            warnings.catch_warnings(),
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
        ):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


@contextlib.contextmanager
def torch_threads(count: int) -> Iterator[None]:
    """A number of threads for PyTorch's operators, for a while."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
