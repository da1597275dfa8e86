"""The check of a PyTorch model: mode, steadiness, capture, ONNX checker, parity in ONNX Runtime, latency."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import export_torch
import numpy as np
import torch
from dltools import state
from dltools.report import Finding, Report, UnusableInput
from export_inputs import Axis, Case, cases, dynamic_axes, formed, grouped, named, resized
from export_parity import baked_in, compare_cases, outputs_of_batch, parity_findings, tolerance_for
from export_torch import as_numpy
from onnx_running import call, difference, latencies, percentiles, session, torch_threads


def check_torch(
    target: Any, *, out: Path | None = None, dynamic: Sequence[str] = (), onnx: Path | None = None,
    tolerance: float | None = None, threads: int = 1, runs: int = 50, seed: int = 0,
) -> Report:  # fmt: skip
    """Exports a PyTorch target, or takes a file, and compares; see `export_check.check`."""
    arrays = named(target.inputs, target.model.forward, lambda value: isinstance(value, torch.Tensor))
    axes = dynamic_axes(dynamic, arrays, target.batch_size)
    check = _Check(target, arrays, seed, threads)
    with target.preserved(), torch_threads(threads):
        check.expected = outputs_of_batch(check.eager, arrays)
        narrow = any(p.dtype in (torch.float16, torch.bfloat16) for p in target.model.parameters())
        check.tolerance = tolerance_for(check.expected, tolerance, narrow)
        check.mode()
        steady = check.steadiness()
        target.model.eval()
        captured = None
        if onnx is None:
            captured = check.export(axes)
            proto, groups = (captured.onnx and captured.onnx.model_proto), captured.groups
        else:
            proto, groups = _read(onnx), grouped(axes, arrays)
        if proto is not None:
            groups = check.file(proto, onnx, groups, captured, axes)
            if check.running is not None and steady:
                check.parity(groups, captured)
                check.latency(runs)
        if out is not None and not check.findings and captured is not None:
            export_torch.save(captured.onnx, out)
            check.notes.append(f"written: {out}")
        elif out is not None:
            check.notes.append(f"{out} is not written, as something was found")
    verdict = "faults" if check.findings else "sound"
    return Report("export-check", verdict, check.findings, check.measured, check.notes)


class _Check:
    """One check with what it has found so far."""

    def __init__(self, target: Any, arrays: Mapping[str, torch.Tensor], seed: int, threads: int) -> None:
        self.target, self.arrays, self.seed = target, dict(arrays), seed
        self.findings: list[Finding] = []
        self.notes: list[str] = []
        self.measured: dict[str, Any] = {"route": "torch.export, ONNX, ONNX Runtime", "threads": threads}
        self.threads = threads
        self.tolerance = 0.0
        self.expected: list[np.ndarray] = []
        self.running: Any = None

    def eager(self, case: Case, *, train: bool = False, seed: int | None = None) -> list[np.ndarray]:
        """The tensors among the model's outputs, in order."""
        inputs = formed(self.target.inputs, case.arrays)
        outputs = self.target.outputs(inputs, train=train, seed=self.seed if seed is None else seed)
        return [as_numpy(leaf) for leaf in torch.utils._pytree.tree_leaves(outputs) if isinstance(leaf, torch.Tensor)]

    def mode(self) -> None:
        """Does it matter that a module was left in training mode?"""
        model = self.target.model
        left = [(path, module) for path, module in model.named_modules() if module.training]
        if not left:
            return
        buffers = _copied(model)
        before = model.training
        try:
            # as it came, not as `outputs` would set it: only some modules may be in training mode
            with torch.no_grad(), torch.random.fork_rng(devices=[]):
                torch.manual_seed(self.seed)
                outputs = self.target.forward(self.target.inputs)
            given = [as_numpy(o) for o in torch.utils._pytree.tree_leaves(outputs) if isinstance(o, torch.Tensor)]
            far = max(difference(a, b)[1] for a, b in zip(self.expected, given, strict=True))
        except Exception:
            # such as batch normalisation of one value in training mode
            far = float("inf")
        moved = _changed(model, buffers)
        _put_back(model, buffers)
        if far <= self.tolerance and not moved:
            self.notes.append(
                "The model was left in training mode, which changes nothing here; call model.eval() all the same."
            )
            return
        kinds = ("Dropout", "BatchNorm", "InstanceNorm", "LSTM", "GRU", "RNN", "Attention", "Transformer")
        likely = [f"{path} ({type(module).__name__})" for path, module in left
                  if not list(module.children()) and any(kind in type(module).__name__ for kind in kinds)]  # fmt: skip
        self.findings.append(
            Finding(
                "train-mode-at-export",
                ", ".join(likely[:6]) or "model",
                "the target left the model in training mode, and so its outputs differ from those in evaluation mode",
                {"relative_difference": far, "root_in_training_mode": before, "buffers_changed": moved},
                "call model.eval() after loading the weights and before the export",
            )
        )
        self.notes.append("Everything else is about the model in evaluation mode.")

    def steadiness(self) -> bool:
        """Does the model give the same outputs again, and with another seed?"""
        model = self.target.model
        buffers = _copied(model)
        case = Case("the batch", self.arrays)
        first, again = self.eager(case), self.eager(case)
        moved = _changed(model, buffers)
        _put_back(model, buffers)
        other = self.eager(case, seed=self.seed + 1)
        _put_back(model, buffers)
        repeated = max((difference(a, b)[1] for a, b in zip(first, again, strict=True)), default=0.0)
        reseeded = max((difference(a, b)[1] for a, b in zip(first, other, strict=True)), default=0.0)
        if moved or repeated > self.tolerance:
            self.findings.append(
                Finding(
                    "stateful-forward",
                    ", ".join(moved) or "a Python attribute or a generator outside PyTorch",
                    "a call of the model in evaluation mode changes what the next call gives; the exported model keeps "
                    "the value of the time of the export, or changes it its own way",
                    {"relative_difference": repeated},
                    "pass the state in and return it as an output, or freeze it before the export",
                )
            )
            return False
        if reseeded > self.tolerance:
            self.findings.append(
                Finding(
                    "nondeterministic-output",
                    "model",
                    "the outputs in evaluation mode depend on the seed: random numbers are drawn in the forward pass",
                    {"relative_difference": reseeded},
                    "draw the noise outside and pass it in as an input; for dropout pass training=self.training",
                )
            )
            return False
        return True

    def export(self, axes: Sequence[Axis]) -> Any:
        """Captures the model, with inputs at least 2 long along every axis that may change."""
        arrays = dict(self.arrays)
        for group in grouped(axes, arrays):
            name, axis = group[0]
            if arrays[name].shape[axis] == 1:
                arrays = resized(arrays, group, 2)
        captured = export_torch.capture(self.target.model, formed(self.target.inputs, arrays), arrays, axes)
        self.findings += captured.findings
        if captured.program is not None and captured.onnx is None:
            self.notes.append("torch.export itself worked: runtimes that take the exported program are not concerned.")
        return captured

    def file(
        self, proto: Any, path: Path | None, groups: list[list[Axis]], captured: Any, axes: Sequence[Axis]
    ) -> list[list[Axis]]:
        """Checks the ONNX model itself and loads it; the axes that it leaves free come back."""
        import onnx

        random, training = export_torch.noisy_nodes(proto.graph)
        if random and not any(finding.id == "nondeterministic-output" for finding in self.findings):
            self.findings.append(
                Finding("nondeterministic-output", ", ".join(random), "the graph draws random numbers at every run",
                        next_step="draw the noise outside and pass it in as an input")
            )  # fmt: skip
        elif random:
            self.notes.append(f"random numbers are drawn by: {', '.join(random)}")
        if training:
            self.findings.append(
                Finding("train-mode-at-export", ", ".join(training), "nodes of the graph behave as in training",
                        next_step="call model.eval() before the export, and pass training=self.training to functions")
            )  # fmt: skip
        data = path.read_bytes() if path else proto.SerializeToString()
        self.measured |= {
            "onnx_bytes": len(data),
            "opset": proto.opset_import[0].version,
            "nodes": len(proto.graph.node),
        }
        try:
            onnx.checker.check_model(str(path) if path else proto, full_check=True)
        except Exception as error:
            self.findings.append(Finding("checker-failed", str(path or "graph"), str(error).splitlines()[0][:300]))
        try:
            self.running = session(str(path) if path else data, self.threads)
        except Exception as error:
            self.findings.append(
                Finding(
                    "runtime-failed", "ONNX Runtime", f"it does not load the model: {str(error).splitlines()[0][:300]}"
                )
            )
            return []
        given = self.running.get_inputs()
        if len(given) != len(self.arrays):
            raise UnusableInput(
                f"the file has the inputs {', '.join(one.name for one in given)}; those of the target are "
                f"{', '.join(self.arrays)}"
            )
        order = {name: one for name, one in zip(self.arrays, given, strict=True)}
        order |= {one.name: one for one in given if one.name in self.arrays}
        fixed = [(name, axis) for group in groups for name, axis in group if isinstance(order[name].shape[axis], int)]
        for name, axis in fixed:
            size = order[name].shape[axis]
            self.findings.append(baked_in(name, axis, size, "the graph accepts this size only"))
        return [free for group in groups if (free := [axis for axis in group if axis not in fixed])]

    def parity(self, groups: list[list[Axis]], captured: Any) -> None:
        """Compares the outputs on every case."""
        made = cases(self.arrays, groups, lambda array: array.is_floating_point())

        def exported(case: Case) -> list[np.ndarray]:
            return call(self.running, {name: as_numpy(array) for name, array in case.arrays.items()})

        rows = compare_cases(made, self.eager, exported, self.tolerance)
        first = None
        differing = next((case for case, row in zip(made, rows, strict=True) if row["result"] == "differs"), None)
        if differing is not None and captured is not None:
            inputs = formed(self.target.inputs, differing.arrays)
            first = export_torch.first_divergence(captured, self.target.model, inputs, differing.arrays, self.tolerance)
            self.measured["first_divergence"] = first
        self.findings += parity_findings(rows, self.tolerance, first)
        refused = [row["inputs"] for row in rows if row["result"] == "model fails" and (row["axis"] or [0, 1])[1]]
        if refused:
            self.notes.append(f"not compared, as the model itself fails on them: {', '.join(refused)}")
        self.measured |= {"cases": rows, "tolerance": self.tolerance}

    def latency(self, runs: int) -> None:
        """Times both models on the batch."""
        model, inputs = self.target.model, self.target.inputs
        arrays = {name: as_numpy(array) for name, array in self.arrays.items()}
        with torch.inference_mode():
            taken = latencies(
                {
                    "PyTorch, eager": lambda: self.target.forward(inputs),
                    "ONNX Runtime": lambda: call(self.running, arrays),
                },
                runs,
            )
        self.measured["latency"] = {name: percentiles(times) for name, times in taken.items()}
        self.measured["batch_size"] = self.target.batch_size
        self.measured["parameters"] = sum(parameter.numel() for parameter in model.parameters())


def _read(path: Path) -> Any:
    import onnx

    try:
        return onnx.load(path)
    except FileNotFoundError:
        raise UnusableInput(f"--onnx: there is no file {path}") from None
    except Exception as error:
        raise UnusableInput(f"--onnx: {path} is no ONNX file: {type(error).__name__}") from None


def _copied(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {name: buffer.detach().clone() for name, buffer in model.named_buffers()}


def _changed(model: torch.nn.Module, before: Mapping[str, torch.Tensor]) -> list[str]:
    return [
        name for name, buffer in model.named_buffers() if state.fingerprint(buffer) != state.fingerprint(before[name])
    ]


def _put_back(model: torch.nn.Module, before: Mapping[str, torch.Tensor]) -> None:
    with torch.no_grad():
        for name, buffer in model.named_buffers():
            buffer.copy_(before[name])
