"""Captures a PyTorch model by torch.export, converts it to ONNX, and says what stands in the way."""

from __future__ import annotations

import dataclasses
import os
import re
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from dltools.report import Finding
from export_inputs import Axis, grouped
from export_parity import baked_in
from onnx_running import call, difference, quiet, session

# operators that draw random numbers whenever they run
RANDOM = ("RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Bernoulli", "Multinomial")


@dataclasses.dataclass
class Captured:
    """What torch.export and the conversion to ONNX gave.

    Args:
        program: the exported program, None if torch.export failed.
        onnx: the `torch.onnx.ONNXProgram`, None if the conversion failed.
        groups: axes that may change their size, those together that must be equal.
        findings: what stood in the way.
    """

    program: Any = None
    onnx: Any = None
    groups: list[list[Axis]] = dataclasses.field(default_factory=list)
    findings: list[Finding] = dataclasses.field(default_factory=list)


def capture(model: torch.nn.Module, inputs: Any, arrays: Mapping[str, Any], axes: Sequence[Axis]) -> Captured:
    """Exports a model in the mode that it is in.

    Args:
        model: the module.
        inputs: inputs in the form of the batch (array, tuple or dict), at least 2 long along every dynamic axis:
            torch.export takes a size of 1 for a constant.
        arrays: the same inputs by name.
        axes: the axes that must accept other sizes.
    """
    result = Captured()
    free = list(axes)
    while result.program is None:
        try:
            result.program = _exported(model, inputs, arrays, free)
        except Exception as error:
            baked = _baked(error, arrays, free)
            if not baked:
                result.findings.append(_capture_failed(error))
                return result
            result.findings += [_baked_in(axis, arrays) for axis in baked]
            free = [axis for axis in free if axis not in baked]
    result.groups = _groups(result.program, free, arrays)
    try:
        with quiet():
            result.onnx = torch.onnx.export(result.program, dynamo=True, verbose=False)
    except Exception as error:
        result.findings.append(_conversion_failed(error, result.program))
    return result


def save(onnx_program: Any, path: Path) -> None:
    """Writes the ONNX file (with a file of weights beside it above 2 GB), whole or not at all.

    Raises:
        UnusableInput: the folder is missing or cannot be written.
    """
    import tempfile

    from dltools.report import UnusableInput

    try:
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as folder, quiet():
            onnx_program.save(Path(folder) / path.name)
            # the weights first: a model file is never there without them
            for name in sorted(os.listdir(folder), key=lambda name: name == path.name):
                os.replace(Path(folder) / name, path.parent / name)
    except OSError as error:
        raise UnusableInput(
            f"cannot write {path}: {error.strerror}; name a folder that exists and may be written"
        ) from None


def noisy_nodes(graph: Any) -> tuple[list[str], list[str]]:
    """Nodes of an ONNX graph that draw random numbers, and nodes that behave as in training.

    Returns:
        Two lists of descriptions: random operators, and Dropout or BatchNormalization in training mode.
    """
    from onnx import numpy_helper

    constants = {one.name: one for one in graph.initializer}
    constants |= {
        node.output[0]: attribute.t
        for node in graph.node
        if node.op_type == "Constant"
        for attribute in node.attribute
        if attribute.name == "value"
    }
    random, training = [], []
    for node in graph.node:
        if node.op_type in RANDOM:
            random.append(describe(node))
        flag = [a.i for a in node.attribute if a.name == "training_mode"]
        if node.op_type == "Dropout" and len(node.input) > 2 and node.input[2] in constants:
            flag = [int(numpy_helper.to_array(constants[node.input[2]]))]
        if any(flag):
            training.append(describe(node))
    return random, training


def describe(node: Any) -> str:
    """An ONNX node by operator, name, and the line of the model that it comes from, if the exporter noted it."""
    noted = {one.key: one.value for one in node.metadata_props}
    line = _last_line(noted.get("pkg.torch.onnx.stack_trace", ""))
    return f"{node.op_type} {node.name}" + (f" ({line})" if line else "")


def first_divergence(
    captured: Captured, model: torch.nn.Module, inputs: Any, arrays: Mapping[str, Any], tolerance: float
) -> dict[str, Any]:
    """Where the exported model first leaves the eager one.

    First the module whose output differs between the eager model and the exported program: then torch.export has
    captured something else, such as a branch taken only while exporting. If none differs, the first node of the ONNX
    graph whose output differs from that of the same node of the exported program.

    Args:
        captured: both exported forms.
        model: in evaluation mode.
        inputs: in the form of the batch, on which the outputs differ.
        arrays: the same inputs by name.
        tolerance: relative difference that counts.

    Returns:
        `stage` (`torch.export`, `onnx`, or `fusion` where it only shows in the optimised graph) and `where`.
    """
    nodes, modules = _program_values(captured.program, inputs)
    for path, expected in _module_outputs(model, inputs).items():
        if (
            path in modules
            and isinstance(expected, torch.Tensor)
            and _differ(as_numpy(expected), as_numpy(modules[path]), tolerance)
        ):
            return {"stage": "torch.export", "where": f"{path or 'model'} ({type(model.get_submodule(path)).__name__})"}
    import onnx

    proto = captured.onnx.model_proto
    shared = [node for node in proto.graph.node if node.output[0] in nodes]
    have = {one.name for one in proto.graph.output}
    proto.graph.output.extend(onnx.ValueInfoProto(name=n.output[0]) for n in shared if n.output[0] not in have)
    running = session(proto.SerializeToString(), 1)
    results = call(
        running, {name: as_numpy(array) for name, array in arrays.items()}, [node.output[0] for node in shared]
    )
    for node, actual in zip(shared, results, strict=True):
        if _differ(as_numpy(nodes[node.output[0]]), actual, tolerance):
            return {"stage": "onnx", "where": describe(node)}
    return {"stage": "fusion", "where": "no single node: it shows only in the graph as ONNX Runtime optimises it"}


def _differ(expected: np.ndarray, actual: np.ndarray, tolerance: float) -> bool:
    return (
        expected.shape != actual.shape or expected.dtype != actual.dtype or difference(expected, actual)[1] > tolerance
    )


def _exported(model: torch.nn.Module, inputs: Any, arrays: Mapping[str, Any], axes: Sequence[Axis]) -> Any:
    shapes = {
        name: {axis: torch.export.Dim.DYNAMIC for other, axis in axes if other == name} or None for name in arrays
    }
    with quiet(), torch.no_grad():
        if isinstance(inputs, Mapping):
            return torch.export.export(model, (), dict(inputs), dynamic_shapes=shapes)
        values = tuple(inputs) if isinstance(inputs, (tuple, list)) else (inputs,)
        return torch.export.export(model, values, dynamic_shapes=tuple(shapes.values()))


def _groups(program: Any, axes: Sequence[Axis], arrays: Mapping[str, Any]) -> list[list[Axis]]:
    """Axes that change together, and those that the exported program knows to be equal."""
    shapes = {node.name: node.meta["val"].shape for node in program.graph.nodes if node.op == "placeholder"}
    groups = grouped(axes, arrays)
    for first, *others in _by_symbol(shapes, axes).values():
        for other in others:
            one = next(group for group in groups if first in group)
            if other not in one:
                groups.remove(two := next(group for group in groups if other in group))
                one += two
    return groups


def _by_symbol(shapes: Mapping[str, Any], axes: Sequence[Axis]) -> dict[str, list[Axis]]:
    found: dict[str, list[Axis]] = {}
    for name, axis in axes:
        if name in shapes:
            found.setdefault(str(shapes[name][axis]), []).append((name, axis))
    return found


def _baked(error: Exception, arrays: Mapping[str, Any], axes: Sequence[Axis]) -> list[Axis]:
    """The axes that the model keeps at one size; none if the error is about something else."""
    named = re.findall(r"L\['(\w+)'\](?:\[(\d+)\])?\.size\(\)\[(\d+)\]", str(error))
    specialised = "constant" in str(error)
    return [
        (name, axis)
        for name, axis in axes
        if specialised and any(axis == int(number) and name == source for source, _, number in named)
    ]


def _baked_in(axis: Axis, arrays: Mapping[str, Any]) -> Finding:
    name, number = axis
    return baked_in(name, number, arrays[name].shape[number], "the code of the model makes this size a constant")


def _capture_failed(error: Exception) -> Finding:
    text = str(error)
    where = _last_line(text) or _users_line(error) or "torch.export"
    if type(error).__name__ == "GuardOnDataDependentSymNode" or "data-dependent" in text.lower():
        return Finding(
            "data-dependent-control-flow",
            where,
            "the model takes a branch or a size by the values of its inputs, and an exported graph holds one path only",
            next_step="compute both sides and choose by torch.where, use torch.cond, or decide outside the model",
        )
    return Finding(
        "export-failed",
        where,
        f"torch.export: {type(error).__name__}: {_first_line(text)}",
        next_step="torch.export.draft_export(model, inputs) lists all such places; replace what is no tensor operation",
    )


def _conversion_failed(error: Exception, program: Any) -> Finding:
    chain = [error]
    while chain[-1].__cause__ is not None:
        chain.append(chain[-1].__cause__)
    node = next(
        (found for one in chain if (found := re.search(r"translating node %(\w+) .*?torch\.ops\.([\w.]+)", str(one)))),
        None,
    )
    last = chain[-1]
    if node is None:
        return Finding("export-failed", "torch.onnx.export", f"{type(last).__name__}: {_first_line(str(last))}")
    name, operator = node.groups()
    line = next((_last_line(one.meta.get("stack_trace") or "") for one in program.graph.nodes if one.name == name), "")
    # a missing conversion is a DispatchError; anything else is a conversion that refuses these arguments
    message = (
        "there is no ONNX form of this operator"
        if type(last).__name__ == "DispatchError"
        else f"the ONNX exporter does not convert this operator as it is used here: {_first_line(str(last))}"
    )
    return Finding(
        "unsupported-operator",
        operator + (f" ({line})" if line else ""),
        message,
        next_step="write it with operators that have one, give torch.onnx.export a custom_translation_table, or keep "
        "it outside the exported part; runtimes that take the exported program itself are not concerned",
    )


def _module_outputs(model: torch.nn.Module, inputs: Any) -> dict[str, Any]:
    """The output of each module that is called once, in the order in which they end."""
    outputs: dict[str, Any] = {}
    often: set[str] = set()

    def keep(path: str) -> Any:
        def hook(_: Any, __: Any, output: Any) -> None:
            often.add(path) if path in outputs else outputs.update({path: output})

        return hook

    handles = [module.register_forward_hook(keep(path)) for path, module in model.named_modules()]
    try:
        with torch.no_grad():
            if isinstance(inputs, Mapping):
                model(**inputs)
            else:
                model(*inputs) if isinstance(inputs, (tuple, list)) else model(inputs)
    finally:
        for handle in handles:
            handle.remove()
    return {path: output for path, output in outputs.items() if path not in often}


def _program_values(program: Any, inputs: Any) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
    """What each node of the exported program computes, by its name and by the module that it ends."""
    nodes: dict[str, torch.Tensor] = {}
    modules: dict[str, torch.Tensor] = {}

    class Recorder(torch.fx.Interpreter):
        def run_node(self, node: Any) -> Any:
            result = super().run_node(node)
            if node.op == "call_function" and isinstance(result, torch.Tensor):
                nodes[node.name] = result
                for path, _ in (node.meta.get("nn_module_stack") or {}).values():
                    modules[path.removeprefix("L['self']").lstrip(".")] = result
            return result

    values = () if isinstance(inputs, Mapping) else tuple(inputs) if isinstance(inputs, (tuple, list)) else (inputs,)
    flat = torch.utils._pytree.tree_leaves((values, dict(inputs) if isinstance(inputs, Mapping) else {}))
    with torch.no_grad():
        Recorder(program.module()).run(*flat)
    return nodes, modules


def as_numpy(array: torch.Tensor) -> np.ndarray:
    """A tensor as numpy has it; bfloat16, which numpy lacks, as float32."""
    array = array.detach().cpu()
    return (array.float() if array.dtype == torch.bfloat16 else array).numpy()


def _first_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[0][:300] if lines else "no message"


def _last_line(text: str) -> str:
    """The last place in a printed traceback that is not within PyTorch, as `file.py:12: code`."""
    library = str(Path(torch.__file__).parent)
    frames = re.findall(r'File "([^"]+)", line (\d+), in \S+\n\s*(.+)', text)
    own = [frame for frame in frames if not frame[0].startswith(library)]
    return f"{Path(own[-1][0]).name}:{own[-1][1]}: {own[-1][2].strip()}" if own else ""


def _users_line(error: Exception) -> str:
    library, here = str(Path(torch.__file__).parent), str(Path(__file__).parent)
    frames = [f for f in traceback.extract_tb(error.__traceback__) if not f.filename.startswith((library, here))]
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}: {frames[-1].line}" if frames else ""
