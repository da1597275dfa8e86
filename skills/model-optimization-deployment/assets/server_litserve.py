# /// script
# requires-python = ">=3.11"
# dependencies = ["litserve", "numpy", "onnxruntime"]
# ///
"""Serves a model over HTTP with LitServe, with dynamic batching. A template: copy it and adapt it.

    python server_litserve.py model.onnx --port 8000 --max-batch 16
    python server_litserve.py model.py:build --port 8000

The model is an ONNX file with one float input and one output whose first axis is the batch, or FILE.py:factory, a
function without arguments that returns (torch module, one example without the batch axis).

A request is {"inputs": one example as nested lists}, its answer {"outputs": nested lists}. An example of another shape,
or with a number that is not finite, is refused with 422. GET /health answers 200 once the model is loaded.
"""

# No `from __future__ import annotations`: LitServe reads the annotation of decode_request at run time.
import argparse
import importlib.util
import os
import signal
from pathlib import Path

import litserve
import numpy as np
import pydantic
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

SHAPE: list = []  # of one example; None where any length will do. Set before the server starts.


class Request(pydantic.BaseModel):
    """Checked before it is queued: an error that is raised later, in a worker, fails all requests of its batch."""

    inputs: list

    @pydantic.field_validator("inputs")
    @classmethod
    def shape_and_values(cls, value: list) -> list:
        try:
            array = np.asarray(value, dtype=np.float32)
        except (TypeError, ValueError):
            raise ValueError("nested lists of numbers are expected, equally long on each level") from None
        fits = array.ndim == len(SHAPE) and all(want in (None, got) for want, got in zip(SHAPE, array.shape))
        if not fits:
            raise ValueError(f"the shape is {list(array.shape)}, expected is {SHAPE}")
        if not np.isfinite(array).all():
            raise ValueError("a number is not finite")
        return value


class Model(litserve.LitAPI):
    """Runs in each worker; `predict` gets a whole batch."""

    def __init__(self, source: str, threads: int, **batching):
        super().__init__(**batching)
        self.source, self.threads = source, threads

    def setup(self, device):
        self.run, shape = load(self.source, self.threads)
        # the first call allocates and compiles: take it before /health says that the server is ready
        self.run(np.zeros([1, *(size or 1 for size in shape)], np.float32))

    def decode_request(self, request: Request):
        return np.asarray(request.inputs, np.float32)

    def predict(self, inputs):
        # with batching LitServe has stacked the examples, and takes the rows of the result apart again
        return self.run(inputs) if self.max_batch_size > 1 else self.run(inputs[None])[0]

    def encode_response(self, output):
        return {"outputs": np.asarray(output).tolist()}


def load(source: str, threads: int):
    """A function from a batch to a batch, and the shape of one example."""
    path, _, factory = source.partition(":")
    if not factory:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = (
            threads  # the default, all processors for each worker, slows several workers down
        )
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        entry = session.get_inputs()[0]
        shape = [size if isinstance(size, int) else None for size in entry.shape[1:]]
        return lambda batch: session.run(None, {entry.name: batch})[0], shape

    import torch

    torch.set_num_threads(threads)
    specification = importlib.util.spec_from_file_location("served_model", path)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    model, example = getattr(module, factory)()
    model.eval()  # forgotten, dropout makes answers random, and batch statistics mix those of one batch

    def run(batch):
        with torch.inference_mode():
            return model(torch.from_numpy(batch)).numpy()

    return run, list(example.shape)


def refuse(request, error: RequestValidationError) -> JSONResponse:
    """The usual answer without the input: FastAPI repeats it, and fails with 500 where it holds NaN."""
    return JSONResponse({"detail": [{"loc": e["loc"], "msg": e["msg"]} for e in error.errors()]}, status_code=422)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--max-batch", type=int, default=16, help="1: no batching")
    parser.add_argument("--wait-ms", type=float, default=2.0, help="how long a batch may wait to fill")
    parser.add_argument("--workers", type=int, default=1, help="copies of the model")
    parser.add_argument("--threads", type=int, default=1, help="processors for each worker")
    given = parser.parse_args()
    if not Path(given.model.partition(":")[0]).is_file():
        parser.error(f"there is no file {given.model.partition(':')[0]}")
    SHAPE[:] = load(given.model, given.threads)[1]
    main_process = os.getpid()

    def stop(*_):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        raise KeyboardInterrupt if os.getpid() == main_process else SystemExit

    # containers are stopped by SIGTERM; LitServe ends its worker processes on KeyboardInterrupt only
    signal.signal(signal.SIGTERM, stop)
    api = Model(
        given.model,
        given.threads,
        max_batch_size=given.max_batch,
        batch_timeout=given.wait_ms / 1000,
        api_path="/predict",
    )
    server = litserve.LitServer(api, accelerator="cpu", workers_per_device=given.workers, timeout=30)
    server.app.add_exception_handler(RequestValidationError, refuse)
    # 127.0.0.1 is reached from this machine only; put a proxy with TLS and authentication before anything else
    server.run(host="127.0.0.1", port=given.port, generate_client_file=False)


if __name__ == "__main__":
    main()
