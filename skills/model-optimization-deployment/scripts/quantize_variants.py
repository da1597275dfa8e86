"""Makes the variants of a PyTorch model that quantize_compare judges: int8 by ONNX Runtime and torchao, and a cast."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from dltools.report import UnusableInput
from export_inputs import formed
from export_torch import as_numpy, capture
from onnx_running import call, quiet, session

INTEGER, CAST, REFERENCE = "int8", "cast", "fp32"
ONNX_VARIANTS = ("dynamic", "static-per-tensor", "static-per-channel")
TORCH_VARIANTS = ("weight-only", "bf16-cast")
VARIANTS = (*ONNX_VARIANTS, *TORCH_VARIANTS)

Arrays = Mapping[str, torch.Tensor]


@dataclasses.dataclass
class Variant:
    """A form of the model that can be run.

    Args:
        name: one of VARIANTS, or that of the reference.
        kind: `int8`, `cast` or `fp32`.
        runtime: `ONNX Runtime` or `PyTorch`; latency and size are compared with fp32 in the same runtime.
        predict: takes inputs by name, gives the first output, shape (examples, ...).
        layers: takes inputs by name, gives the output of each layer by the layer's name.
        bytes: of the file (ONNX) or of parameters and buffers (PyTorch).
        onnx: the serialised model, where there is one.
    """

    name: str
    kind: str
    runtime: str
    predict: Callable[[Arrays], np.ndarray]
    layers: Callable[[Arrays], dict[str, np.ndarray]]
    bytes: int
    onnx: bytes | None = None


def exported(target: Any, arrays: Arrays, axes: Sequence[tuple[str, int]], folder: Path) -> Path:
    """The fp32 ONNX file that quantisation starts from, pre-processed (shapes inferred, graph folded).

    Quantising what the exporter wrote as it is fails: its graph holds weights' shapes that the quantiser contradicts
    when it splits a Gemm into MatMul and Add (onnxruntime issue 25890).

    Raises:
        UnusableInput: the model cannot be exported; export_check says why.
    """
    from onnxruntime.quantization.shape_inference import quant_pre_process

    captured = capture(target.model, formed(target.inputs, arrays), arrays, axes)
    if captured.findings:
        first = captured.findings[0]
        raise UnusableInput(
            f"the model cannot be exported to ONNX ({first.id}: {first.where}); export_check.py says more"
        )
    raw, ready = folder / "raw.onnx", folder / "fp32.onnx"
    with quiet():
        captured.onnx.save(raw)
        try:
            quant_pre_process(raw, ready)
        except Exception:
            # its symbolic shape inference does not know every operator; plain shape inference is enough here
            quant_pre_process(raw, ready, skip_symbolic_shape=True)
    return ready


def onnx_variant(name: str, fp32: Path, calibration: Iterable[Arrays], threads: int) -> Variant:
    """One of ONNX_VARIANTS, or `fp32 (ONNX Runtime)`.

    Args:
        name: which.
        fp32: of `exported`.
        calibration: batches of inputs, used by the static ones to find the range of every activation.
        threads: of the session.
    """
    made = fp32
    if name in ONNX_VARIANTS:
        made = fp32.with_name(f"{name}.onnx")
        _quantise(name, fp32, made, calibration)
    data = made.read_bytes()
    running = session(data, threads)

    def predict(arrays: Arrays) -> np.ndarray:
        return call(running, {key: as_numpy(value) for key, value in arrays.items()})[0]

    reference = fp32.read_bytes()

    def layers(arrays: Arrays) -> dict[str, np.ndarray]:
        return _onnx_layers(reference, data, {key: as_numpy(value) for key, value in arrays.items()})

    kind = INTEGER if name in ONNX_VARIANTS else REFERENCE
    return Variant(name, kind, "ONNX Runtime", predict, layers, len(data), data)


def torch_variant(name: str, target: Any) -> Variant:
    """One of TORCH_VARIANTS, or `fp32 (PyTorch)`: a changed copy of the model in evaluation mode."""
    model = copy.deepcopy(target.model).eval()
    kind = {"weight-only": INTEGER, "bf16-cast": CAST}.get(name, REFERENCE)
    if name == "weight-only":
        _weights_to_int8(model)
    elif name == "bf16-cast":
        model.to(torch.bfloat16)

    def forward(arrays: Arrays) -> Any:
        if name == "bf16-cast":
            arrays = {key: a.to(torch.bfloat16) if a.is_floating_point() else a for key, a in arrays.items()}
        inputs = formed(target.inputs, arrays)
        with torch.inference_mode():
            if isinstance(inputs, Mapping):
                return model(**inputs)
            return model(*inputs) if isinstance(inputs, tuple) else model(inputs)

    def predict(arrays: Arrays) -> np.ndarray:
        return as_numpy(torch.utils._pytree.tree_leaves(forward(arrays))[0])

    def layers(arrays: Arrays) -> dict[str, np.ndarray]:
        return _torch_layers(model, lambda: forward(arrays))

    size = sum(_bytes(tensor) for tensor in (*model.parameters(), *model.buffers()))
    return Variant(name, kind, "PyTorch", predict, layers, size)


def weight_ranges(model: torch.nn.Module) -> dict[str, dict[str, Any]]:
    """What int8 does to the weights of each linear and convolution layer alone.

    Returns:
        For each layer: `per_tensor_db` and `per_channel_db`, the signal-to-quantisation-noise ratio of the weights of
        the median output channel, with symmetric int8 and one scale for all or for each channel (over all weights one
        wide channel would hide what the others lose); `widest_channel`, and `ratio`, its range over the median one.
    """
    found = {}
    for path, module in model.named_modules():
        if isinstance(module, (torch.nn.Linear, torch.nn.Conv1d, torch.nn.Conv2d, torch.nn.Conv3d)):
            weight = as_numpy(module.weight).astype(np.float64)
            weight = weight.reshape(len(weight), -1)
            ranges = np.abs(weight).max(axis=1)
            middle = float(np.median(ranges))
            found[path] = {
                "per_tensor_db": _median_channel(weight, _int8(weight, ranges.max())),
                "per_channel_db": _median_channel(weight, _int8(weight, ranges[:, None])),
                "widest_channel": int(ranges.argmax()),
                "ratio": float(ranges.max()) / middle if middle else float("inf"),
            }
    return found


def sqnr(signal: np.ndarray, quantised: np.ndarray) -> float:
    """The signal-to-quantisation-noise ratio in decibels: 10 log10(sum x^2 / sum (x - q)^2).

    Args:
        signal: x, what the fp32 model computes.
        quantised: q, what the other one computes in the same place, of the same shape.

    Returns:
        Decibels; infinite where nothing differs. Each 20 dB less is an error ten times as large.
    """
    x, q = np.asarray(signal, np.float64), np.asarray(quantised, np.float64)
    noise, power = float(((x - q) ** 2).sum()), float((x**2).sum())
    if noise == 0:
        return float("inf")
    return 10 * float(np.log10(power / noise)) if power else float("-inf")


def batches(arrays: Arrays, size: int) -> Iterator[dict[str, torch.Tensor]]:
    """Inputs in pieces of so many examples."""
    count = len(next(iter(arrays.values())))
    for start in range(0, count, size):
        yield {name: array[start : start + size] for name, array in arrays.items()}


def _quantise(name: str, fp32: Path, made: Path, calibration: Iterable[Arrays]) -> None:
    from onnxruntime.quantization import (
        CalibrationDataReader,
        QuantFormat,
        QuantType,
        quantize_dynamic,
        quantize_static,
    )

    if name == "dynamic":
        with quiet():
            quantize_dynamic(fp32, made, weight_type=QuantType.QInt8)
        return

    class Reader(CalibrationDataReader):
        def __init__(self) -> None:
            self.pieces = iter(calibration)

        def get_next(self) -> dict[str, np.ndarray] | None:
            piece = next(self.pieces, None)
            return piece and {key: as_numpy(value) for key, value in piece.items()}

    with quiet():
        quantize_static(
            fp32, made, Reader(), quant_format=QuantFormat.QDQ, per_channel=name == "static-per-channel",
            activation_type=QuantType.QInt8, weight_type=QuantType.QInt8,
        )  # fmt: skip


def _weights_to_int8(model: torch.nn.Module) -> None:
    # torchao 0.18 logs at import that a CPU build of PyTorch has none of its CUDA kernels
    with quiet():
        from torchao.quantization import Int8WeightOnlyConfig, quantize_

        # its default changes settings of torch.compile for the whole process
        quantize_(model, Int8WeightOnlyConfig(set_inductor_config=False))
    if not any(_is_int8(module) for module in model.modules()):
        raise UnusableInput("weight-only: torchao quantises torch.nn.Linear, and the model has none")


def _is_int8(module: torch.nn.Module) -> bool:
    return hasattr(getattr(module, "weight", None), "__tensor_flatten__")


def _bytes(tensor: torch.Tensor) -> int:
    if hasattr(tensor, "__tensor_flatten__"):
        return sum(_bytes(getattr(tensor, name)) for name in tensor.__tensor_flatten__()[0])
    return tensor.numel() * tensor.element_size()


def _int8(weight: np.ndarray, largest: Any) -> np.ndarray:
    scale = np.where(largest == 0, 1.0, largest) / 127
    return np.clip(np.round(weight / scale), -127, 127) * scale


def _median_channel(weight: np.ndarray, quantised: np.ndarray) -> float:
    return float(np.median([sqnr(row, rounded) for row, rounded in zip(weight, quantised, strict=True)]))


def _torch_layers(model: torch.nn.Module, run: Callable[[], Any]) -> dict[str, np.ndarray]:
    kinds = (torch.nn.Linear, torch.nn.Conv1d, torch.nn.Conv2d, torch.nn.Conv3d)
    outputs: dict[str, np.ndarray] = {}
    handles = [
        module.register_forward_hook(lambda _, __, output, path=path: outputs.update({path: as_numpy(output)}))
        for path, module in model.named_modules()
        if isinstance(module, kinds)
    ]
    try:
        run()
    finally:
        for handle in handles:
            handle.remove()
    return outputs


def _onnx_layers(reference: bytes, model: bytes, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Outputs of the layers of the reference graph, looked up by their names in another graph made from it."""
    import onnx

    proto = onnx.load_from_string(model)
    made = {name for node in proto.graph.node for name in node.output}
    found = {}
    for layer, output in _layer_outputs(onnx.load_from_string(reference)).items():
        # after quantisation the next layer sees the value that was rounded
        for name in (f"{output}_DequantizeLinear_Output", output):
            if name in made:
                found[layer] = name
                break
    have = {one.name for one in proto.graph.output}
    proto.graph.output.extend(
        onnx.ValueInfoProto(name=name) for name in dict.fromkeys(found.values()) if name not in have
    )
    values = call(session(proto.SerializeToString(), 1), arrays, list(found.values()))
    return dict(zip(found, values, strict=True))


def _layer_outputs(proto: Any) -> dict[str, str]:
    """Each layer with weights, by the name of its module, with its output after a ReLU that follows it alone."""
    weights = {one.name for one in proto.graph.initializer}
    readers: dict[str, list[Any]] = {}
    for node in proto.graph.node:
        for name in node.input:
            readers.setdefault(name, []).append(node)
    layers = {}
    for node in proto.graph.node:
        if node.op_type in ("Conv", "ConvTranspose", "Gemm", "MatMul") and node.input[1] in weights:
            output = node.output[0]
            following = readers.get(output, [])
            # static quantisation removes a ReLU, as its range does the same
            if len(following) == 1 and following[0].op_type in ("Relu", "Clip"):
                output = following[0].output[0]
            name = node.input[1]
            layers[name.removesuffix(".weight") if name.endswith(".weight") else node.name] = output
    return layers
