# /// script
# requires-python = ">=3.11"
# dependencies = ["typer", "rich", "numpy", "pyyaml", "torch", "jax", "flax", "equinox"]
# ///
"""Counts what a model costs before it is trained: parameters, FLOPs, memory, and the least time a pass can take.

From a configuration, by formula, with no framework loaded:

    model_budget.py --config config.json --sequence 1024 --batch 8 --precision mixed
    model_budget.py --config config.json --sequence 1 --cached 4096 --inference --hardware h100-sxm-80gb

`config.json` (or .yaml) is a Hugging Face configuration (gpt2, llama, mistral, qwen2, qwen3, bert, vit, resnet) or has
the key `family` (transformer-decoder, transformer-encoder, transformer-encoder-decoder, resnet, unet).

From the model itself, PyTorch or JAX, without computing a value:

    model_budget.py --target target.py:build --max-memory 24GB --max-parameters 10M

`target.py` holds a function `build()` that returns a dict with `model`, `batch` and `loss_fn`. A large PyTorch model
can be built without memory: `with torch.device("meta"): model = ...`.

One multiply-add (MAC) is 2 FLOPs. Matrix products, convolutions and both products of attention are counted, and nothing
else; an operator that may do more and has no formula is named under `not_counted`, and FLOPs are then a lower bound.
1 GB is 10^9 bytes. Activations are what is kept for the backward pass, each array once, without the parameters.
Not in the memory: temporary buffers, fragmentation, the framework itself.

Verdict: counted, counted-in-part (something is named under not_counted), over-budget, or cannot-decide (FLOPs are a
lower bound and below --max-flops). Finding: over-budget (where: parameters, flops or memory). --max-flops is compared
with the forward pass of the batch, --max-memory with training, or with inference under --inference.
"""

from __future__ import annotations

import dataclasses
import json
import re
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

sys.path[:0] = [str(Path(__file__).resolve().parents[3] / "tools"), str(Path(__file__).resolve().parent)]

import typer
from budget_memory import SIZES, STATES, roofline, saved_bytes, training_bytes
from budget_tables import SHOWN, tables
from dltools.architectures import FLOPS_PER_MAC
from dltools.report import CANNOT_DECIDE, Finding, Report, UnusableInput, answering, finish, help_text

TOOL = "model-budget"
PRECISIONS = ("own", *(name for name in SIZES if name != "float64"), "mixed")
MULTIPLES = {"": 1, "k": 1e3, "m": 1e6, "g": 1e9, "t": 1e12, "p": 1e15}

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


def budget_of_config(
    config: Mapping[str, Any],
    *,
    batch: int = 1,
    sequence: int | None = None,
    target_sequence: int | None = None,
    cached: int = 0,
    image: int | None = None,
    precision: str = "own",
    optimizer: str = "adam",
    fused: bool = True,
    train: bool = True,
) -> dict[str, Any]:
    """Counts by formula.

    Args:
        config: with `family`, or a Hugging Face configuration.
        batch, sequence, target_sequence, cached, image: as for `dltools.architectures.count`.
        precision: a type, `mixed`, or `own`: the configuration's `dtype`, else float32.
        optimizer: sgd, momentum or adam.
        fused: attention as a fused kernel, for the activations.
        train: with activations.

    Returns:
        The measured values of a report; `notes` say how it was understood.

    Raises:
        UnusableInput: as for `count`.
    """
    from dltools.architecture_keys import Transformer, architecture
    from dltools.architectures import count

    net = architecture(config)
    sizes = {"batch": batch, "sequence": sequence, "target_sequence": target_sequence, "cached": cached, "image": image}
    counts = count(net, **sizes)
    notes = list(counts.notes)
    if precision == "own":
        precision = str(config.get("dtype") or config.get("torch_dtype") or "float32").removeprefix("torch.")
        if precision not in SIZES:
            raise UnusableInput(f"`dtype` is {precision!r}; give --precision")
        notes.append(f"Precision: {precision}, {'as' if {'dtype', 'torch_dtype'} & set(config) else 'not'} stated.")
    size = 2 if precision == "mixed" else SIZES[precision]
    held = training_bytes(counts.parameters, counts.parameters, precision=precision, optimizer=optimizer)
    saved = checkpointed = None
    if train and isinstance(net, Transformer):
        tokens = counts.shapes.get("tokens") or counts.shapes["sequence"]
        saved, checkpointed = saved_bytes(net, batch, tokens, size, fused=fused)
        notes.append("Activations are those of a plain pre-norm transformer without dropout; --target counts your own.")
    elif train:
        notes.append(f"There is no formula for the activations of {net.family}; --target counts them.")
    if train:
        notes.append("A training step is taken as 3 forward passes: the backward pass has two products for each one.")
    cache = counts.cache_bytes(size)
    return {
        "source": net.family,
        "shapes": dict(counts.shapes),
        "parameters": {"total": counts.parameters, "trainable": counts.parameters},
        "flops": {"forward": counts.flops, "macs": counts.macs, "training_step": 3 * counts.flops if train else None},
        "parts": [{"part": p.name, "parameters": p.parameters, "flops": FLOPS_PER_MAC * p.macs} for p in counts.parts],
        "not_counted": [],
        "memory": _memory(held, 0, saved, cache) | {"activations_checkpointed": checkpointed},
        # what the pass reads at least: weights that are multiplied, and keys and values of earlier tokens
        "bytes_read": size * counts.multiplied
        + (cache * cached // (cached + counts.shapes["sequence"]) if cached else 0),
        "precision": precision,
        "optimizer": optimizer if train else "none",
        "notes": notes,
    }


def budget_of_target(
    target: Any,
    *,
    precision: str = "own",
    optimizer: str | None = None,
    fused: bool = True,
    train: bool = True,
    real: bool = False,
    depth: int = 2,
) -> dict[str, Any]:
    """Counts by one pass over the model.

    Args:
        target: a `dltools.target.Target`. It is left as it was.
        precision: as for `budget_of_config`; `own` are the types that the model has.
        optimizer: sgd, momentum or adam; by default what the target's optimizer keeps, and Adam without one.
        fused: attention as a fused kernel (PyTorch).
        train: with loss and backward pass.
        real: run the model itself, with values (PyTorch).
        depth: of the modules that are listed.

    Returns:
        The measured values of a report.

    Raises:
        UnusableInput: the model or the loss raises, or an option does not go with the target.
        CannotDecide: they look at values where only shapes are there, or the model cannot be copied.
    """
    notes: list[str] = []
    torch_like = target.framework == "torch"
    states = None
    if train and optimizer is None and target.optimizer is not None and not torch_like:
        states = _optax_bytes(target, precision)
        optimizer = "the target's own"
    elif optimizer is None:
        optimizer = _own_optimizer(target.optimizer, notes) if train else "none"
    if real and (not torch_like or precision != "own"):
        raise UnusableInput("--real is for PyTorch models in their own precision; leave it out, or --precision")
    if torch_like:
        used, arrays, buffers, trainable = _torch_pass(target, precision, fused, train, real)
    else:
        used, arrays, buffers, trainable = _jax_pass(target, precision, train)
        notes.append("Activations are what JAX keeps before XLA compiles; the compiler may compute some of it again.")
    if torch_like and any("attention" in name for name in used.flops) and fused and train:
        notes.append("Attention is a fused kernel that keeps no scores; --attention separate counts them.")
    parameters = sum(count for count, _ in arrays.values())
    own = (sum(size for _, size in arrays.values()), sum(arrays[name][1] for name in trainable))
    count = sum(arrays[name][0] for name in trainable)
    kind = optimizer if optimizer in STATES else "sgd"
    held = training_bytes(parameters, count, precision=precision, optimizer=kind, own_bytes=own)
    if states is not None:
        held = dataclasses.replace(held, optimizer=held.optimizer + states)
    forward = sum(used.flops.values())
    if used.not_counted:
        notes.append("FLOPs are a lower bound: what not_counted names has no formula here.")
    return {
        "source": target.flavour,
        "shapes": _batch(target),
        "parameters": {"total": parameters, "trainable": count},
        "flops": {"forward": forward, "macs": forward // FLOPS_PER_MAC, "training_step": used.training_flops},
        "operators": used.flops,
        "parts": _modules({name: count for name, (count, _) in arrays.items()}, used.by_module, depth),
        "not_counted": [
            {"operator": name, "where": where, "calls": calls} for (name, where), calls in used.not_counted.items()
        ],
        "memory": _memory(held, buffers, used.saved, used.cache),
        "bytes_read": used.read,
        "precision": precision,
        "optimizer": optimizer,
        "dtype": _common_type(arrays, own[0]) if precision == "own" else precision,
        "notes": notes,
    }


def judged(
    budget: Mapping[str, Any],
    *,
    limits: Mapping[str, float | None],
    train: bool = True,
    peak: float | None = None,
    bandwidth: float | None = None,
    where: str = "",
    capacity: float | None = None,
) -> Report:
    """Compares a budget with its limits, and adds the least time of a pass.

    Args:
        budget: from `budget_of_config` or `budget_of_target`.
        limits: `parameters`, `flops` (of a forward pass), `memory` (bytes); None for no limit.
        train: memory of training; else of inference.
        peak: FLOP/s of the hardware.
        bandwidth: bytes/s of its memory.
        where: the hardware, in words.
        capacity: bytes of its memory.
    """
    measured = dict(budget)
    notes = list(measured.pop("notes"))
    memory = measured["memory"]["training" if train else "inference"]
    values = {
        "parameters": measured["parameters"]["total"],
        "flops": measured["flops"]["forward"],
        "memory": memory,
    }
    findings = [
        _over(name, values[name], limit, measured)
        for name, limit in limits.items()
        if limit is not None and values[name] is not None and values[name] > limit
    ]
    open_questions = []
    if limits.get("flops") is not None and measured["not_counted"] and not any(f.where == "flops" for f in findings):
        open_questions.append("the FLOPs counted are below --max-flops, but some operators were not counted")
    if limits.get("memory") is not None and memory is None:
        open_questions.append("the activations are not known, so --max-memory cannot be compared with training")
    if peak and bandwidth:
        measured["least_time"] = _least_time(measured, peak, bandwidth, where)
        notes.append(
            "The least time supposes that the hardware runs at its peak all the time; a real pass takes longer."
        )
    if capacity and memory and memory > capacity:
        notes.append(f"It does not fit into the {SHOWN['memory'](capacity)} of one {where.partition(' ')[0]}.")
    if findings:
        verdict = "over-budget"
    elif open_questions:
        verdict = CANNOT_DECIDE
        notes += [f"Not decided: {question}." for question in open_questions]
    else:
        verdict = "counted-in-part" if measured["not_counted"] else "counted"
    return Report(TOOL, verdict, findings, measured, notes)


def read_config(path: Path) -> Mapping[str, Any]:
    """A configuration from a JSON or YAML file.

    Raises:
        UnusableInput: the file is missing, is neither, or holds no mapping.
    """
    import yaml

    kind, parse = ("YAML", yaml.safe_load) if path.suffix in (".yaml", ".yml") else ("JSON", json.loads)
    try:
        config = parse(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UnusableInput(f"--config: {path} cannot be read ({error.strerror})") from None
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        raise UnusableInput(f"--config: {path.name} is not {kind}: {' '.join(str(error).split())}") from None
    if not isinstance(config, Mapping):
        raise UnusableInput(f"--config: {path.name} holds a {type(config).__name__}; it must hold keys and values")
    return config


def quantity(text: str | None, name: str) -> float | None:
    """A number with an optional multiple: 10M, 24GB, 80GiB, 1.5e9, 4.1GFLOPs.

    Raises:
        UnusableInput: it is none.
    """
    if text is None:
        return None
    found = re.fullmatch(r"\s*([0-9.]+(?:e[+-]?[0-9]+)?)\s*([kmgtp]?)(i?)(?:b|flops?|flop/s|b/s)?\s*", text.lower())
    try:
        value = float(found[1]) if found else None
    except ValueError:
        value = None
    if value is None or value <= 0:
        raise UnusableInput(f"{name} {text!r} is no amount; write such as 10M, 24GB, 80GiB or 1.5e12")
    if found[3]:
        return value * 1024 ** ("kmgtp".index(found[2]) + 1) if found[2] else value
    return value * MULTIPLES[found[2]]


def _torch_pass(target: Any, precision: str, fused: bool, train: bool, real: bool) -> tuple[Any, ...]:
    import contextlib

    import budget_torch
    import torch

    # what torch.compile wraps
    model = getattr(target.model, "_orig_mod", target.model)
    target = dataclasses.replace(target, model=model)
    budget_torch.check_tensors(target)
    if train and not any(p.requires_grad for p in model.parameters()):
        raise UnusableInput("no parameter of the model has a gradient, so there is nothing to train; use --inference")
    if real:
        if any(p.is_meta for p in model.parameters()):
            raise UnusableInput("--real needs values, and the model is on the meta device; leave --real out")
        with target.preserved():
            used = budget_torch.measure(target, contextlib.nullcontext(), train=train, fused=fused)
    else:
        dtype = {"own": None, "mixed": torch.bfloat16}.get(precision, getattr(torch, precision, None))
        copy, mode = budget_torch.abstract(target, dtype)
        used = budget_torch.measure(copy, mode, train=train, fused=fused)
    # named_parameters gives a shared parameter once, by its first name
    arrays = {name: (p.numel(), p.numel() * p.element_size()) for name, p in model.named_parameters()}
    buffers = sum(buffer.numel() * buffer.element_size() for buffer in model.buffers())
    return used, arrays, buffers, [name for name, p in model.named_parameters() if p.requires_grad]


def _jax_pass(target: Any, precision: str, train: bool) -> tuple[Any, ...]:
    import budget_jax
    import jax
    import jax.numpy as jnp

    dtype = None if precision == "own" else jnp.dtype("bfloat16" if precision == "mixed" else precision)
    used = budget_jax.measure(target, train=train, precision=dtype)
    arrays = {name: (array.size, array.nbytes) for name, array in target.parameters().items()}
    buffers = sum(leaf.nbytes for leaf in jax.tree.leaves(target.other) if hasattr(leaf, "nbytes"))
    return used, arrays, buffers, list(arrays)


def _batch(target: Any) -> dict[str, int]:
    try:
        return {"batch": target.batch_size}
    except UnusableInput:
        # an input without a first axis: there is no number of examples to show
        return {}


def _optax_bytes(target: Any, precision: str) -> int:
    """Bytes of the state that an optax transformation makes, without making it."""
    import jax
    import jax.numpy as jnp

    def shape(array: Any) -> Any:
        cast = precision != "own" and jnp.issubdtype(array.dtype, jnp.floating)
        kept = ("float32" if precision == "mixed" else precision) if cast else array.dtype
        return jax.ShapeDtypeStruct(array.shape, kept)

    try:
        state = jax.eval_shape(target.optimizer.init, jax.tree.map(shape, target.params))
    except Exception as error:
        raise UnusableInput(f"`optimizer` does not take the parameters: {type(error).__name__}: {error}") from error
    return sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(state))


def _own_optimizer(optimizer: Any, notes: list[str]) -> str:
    """How many values the target's optimizer keeps for each parameter."""
    kind = type(optimizer).__name__
    if optimizer is None:
        notes.append("Optimizer: the target has none, so Adam is counted; --optimizer says which.")
    elif kind in ("Adam", "AdamW", "NAdam", "RAdam", "Adamax"):
        return "adam"
    elif kind in ("SGD", "RMSprop") and hasattr(optimizer, "param_groups"):
        momentum = any(group.get("momentum") for group in optimizer.param_groups)
        # RMSprop keeps the mean square besides the momentum
        return ("sgd", "momentum", "adam")[momentum + (kind == "RMSprop")]
    elif kind == "Adagrad":
        return "momentum"
    else:
        notes.append(f"Optimizer: what a {kind} keeps is not known here, so Adam is counted; --optimizer says which.")
    return "adam"


def _memory(held: Any, buffers: int, saved: int | None, cache: int | None) -> dict[str, int | None]:
    fixed = held.weights + buffers
    return {
        "weights": held.weights,
        "buffers": buffers,
        "gradients": held.gradients,
        "optimizer": held.optimizer,
        "activations": saved,
        "kv_cache": cache,
        "training": None if saved is None else fixed + held.gradients + held.optimizer + saved,
        "inference": fixed + (cache or 0),
    }


def _modules(parameters: Mapping[str, int], flops: Mapping[str, int], depth: int) -> list[dict[str, Any]]:
    """Parameters and FLOPs by module, each counted in one row; FLOPs are None where the modules' are not known."""

    def row(path: str) -> str:
        return ".".join(path.split(".")[:depth]) or "(model itself)"

    known = bool(flops)
    own: Counter[str] = Counter()
    for path, amount in flops.items():
        own[path] += amount
        # what a module does within another is not that other's own
        parent = path.rpartition(".")[0]
        while path and parent and parent not in flops:
            parent = parent.rpartition(".")[0]
        if path:
            own[parent] -= amount
    rows: dict[str, dict[str, Any]] = {}
    for name, amount in parameters.items():
        path = row(name.rpartition(".")[0])
        rows.setdefault(path, {"part": path, "parameters": 0, "flops": 0 if known else None})["parameters"] += amount
    for path, amount in own.items():
        if amount:
            rows.setdefault(row(path), {"part": row(path), "parameters": 0, "flops": 0})["flops"] += amount
    return list(rows.values())


def _common_type(arrays: Mapping[str, tuple[int, int]], size: int) -> str:
    each = size / max(sum(count for count, _ in arrays.values()), 1)
    return next((name for name, bytes_ in SIZES.items() if bytes_ == round(each)), "float32")


def _over(name: str, value: float, limit: float, measured: Mapping[str, Any]) -> Finding:
    shown = SHOWN[name]
    if name == "memory":
        items = ("weights", "buffers", "gradients", "optimizer", "activations", "kv_cache")
        largest = max(items, key=lambda item: measured["memory"][item] or 0)
        step = {
            "activations": "a smaller batch, checkpointing, or 16 bits",
            "optimizer": "an optimizer with fewer states, or shard its states over devices",
            "kv_cache": "fewer key-value heads, a window, or a shorter context",
        }.get(largest, "a smaller model, fewer bits for each weight, or shard it over devices")
    else:
        largest = max(measured["parts"], key=lambda part: part[name] or 0)["part"]
        step = {
            "parameters": "make it narrower or shallower, or share its weights",
            "flops": "fewer tokens or a smaller image, then a narrower network",
        }[name]
        if name == "flops" and measured["parts"][0]["flops"] is None:
            largest = max(measured["operators"], key=measured["operators"].get)
    message = f"{shown(value)} are more than the {shown(limit)} allowed; the largest item is {largest}"
    return Finding("over-budget", name, message, {"value": value, "limit": limit, "ratio": value / limit}, step)


def _least_time(measured: Mapping[str, Any], peak: float, bandwidth: float, where: str) -> dict[str, Any]:
    forward = roofline(measured["flops"]["forward"], measured["bytes_read"], peak, bandwidth)
    found: dict[str, Any] = {
        "hardware": where,
        "peak_flops": peak,
        "bandwidth": bandwidth,
        "ridge": forward.ridge,
        "forward": forward.seconds,
        "forward_intensity": forward.intensity,
        "forward_limit": "arithmetic" if forward.compute >= forward.memory else "memory",
    }
    if measured["flops"]["training_step"] is not None:
        memory = measured["memory"]
        # the update reads and writes weights and states
        moved = 2 * (memory["weights"] + memory["optimizer"])
        found["training_step"] = roofline(measured["flops"]["training_step"], moved, peak, bandwidth).seconds
    return found


def _hardware(
    name: str | None, peak: str | None, bandwidth: str | None, precision: str
) -> tuple[float | None, float | None, str, float | None]:
    given_peak, given_bandwidth = quantity(peak, "--peak-flops"), quantity(bandwidth, "--bandwidth")
    if name is None:
        if bool(given_peak) != bool(given_bandwidth):
            raise UnusableInput("the least time needs --peak-flops and --bandwidth together, or --hardware")
        return given_peak, given_bandwidth, "the given hardware", None
    from dltools.hardware import hardware

    known = hardware(name)
    kind = "bfloat16" if precision == "mixed" else precision
    if kind == "bfloat16" and kind not in known.peak:
        kind = "float16"
    if kind not in known.peak and not given_peak:
        raise UnusableInput(f"--hardware: no peak of {name} for {kind}; give --peak-flops")
    words = f"{name} in {kind}, by its data sheet"
    return given_peak or known.peak[kind], given_bandwidth or known.bandwidth, words, known.memory


def _choice(value: str | None, allowed: Any, name: str) -> None:
    if value is not None and value not in allowed:
        raise UnusableInput(f"{name} {value!r} is not one of {', '.join(allowed)}")


# a backspace keeps the lines of an indented example apart
@app.command(help=help_text(__doc__))
def main(
    config: Annotated[Path | None, typer.Option(help="JSON or YAML file that describes the architecture")] = None,
    target: Annotated[str | None, typer.Option(help="FILE.py:factory, the model with its batch and loss")] = None,
    batch: Annotated[int | None, typer.Option(min=1, help="examples (--config)")] = None,
    sequence: Annotated[int | None, typer.Option(min=1, help="tokens of each example (--config)")] = None,
    target_sequence: Annotated[int | None, typer.Option(min=1, help="tokens of the target (--config)")] = None,
    cached: Annotated[int | None, typer.Option(min=0, help="tokens in the cache before the pass (--config)")] = None,
    image: Annotated[int | None, typer.Option(min=1, help="side of the image in pixels (--config)")] = None,
    precision: Annotated[str, typer.Option(help="own, float32, bfloat16, float16, or mixed")] = "own",
    optimizer: Annotated[str | None, typer.Option(help="sgd, momentum or adam")] = None,
    attention: Annotated[str, typer.Option(help="fused, or separate (keeps the scores)")] = "fused",
    inference: Annotated[bool, typer.Option("--inference", help="forward pass only")] = False,
    real: Annotated[bool, typer.Option("--real", help="run a PyTorch model with its values (--target)")] = False,
    depth: Annotated[int, typer.Option(min=1, help="of the modules listed (--target)")] = 2,
    hardware: Annotated[str | None, typer.Option(help="accelerator, such as a100-sxm-80gb")] = None,
    peak_flops: Annotated[str | None, typer.Option(help="FLOP/s, such as 312T")] = None,
    bandwidth: Annotated[str | None, typer.Option(help="bytes/s, such as 2TB")] = None,
    max_parameters: Annotated[str | None, typer.Option(help="limit, such as 10M")] = None,
    max_flops: Annotated[str | None, typer.Option(help="limit of a forward pass, such as 5G")] = None,
    max_memory: Annotated[str | None, typer.Option(help="limit, such as 24GB")] = None,
    timeout: Annotated[float, typer.Option(help="seconds that loading the target may take")] = 60.0,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="show the traceback when the tool itself fails")] = False,
) -> None:
    with answering(TOOL, as_json, debug):
        _choice(precision, PRECISIONS, "--precision")
        _choice(optimizer, STATES, "--optimizer")
        _choice(attention, ("fused", "separate"), "--attention")
        if (config is None) == (target is None):
            raise UnusableInput("give either --config FILE or --target FILE.py:factory")
        limits = {
            "parameters": quantity(max_parameters, "--max-parameters"),
            "flops": quantity(max_flops, "--max-flops"),
            "memory": quantity(max_memory, "--max-memory"),
        }
        sizes = {
            "batch": batch,
            "sequence": sequence,
            "target_sequence": target_sequence,
            "cached": cached,
            "image": image,
        }
        common = {"precision": precision, "fused": attention == "fused"}
        if config is not None:
            if real:
                raise UnusableInput("--real goes with --target; a configuration has nothing to run")
            budget = budget_of_config(
                read_config(config),
                **{name: value for name, value in sizes.items() if value is not None},
                optimizer=optimizer or "adam",
                train=not inference,
                **common,
            )
        else:
            given = [f"--{name.replace('_', '-')}" for name, value in sizes.items() if value is not None]
            if given:
                raise UnusableInput(f"{', '.join(given)} goes with --config; a target brings its own batch")
            from dltools.target import load

            loaded = load(target, timeout=timeout, device="cpu" if real else None)
            budget = budget_of_target(
                loaded, optimizer=optimizer, train=not inference, real=real, depth=depth, **common
            )
        peak, band, where, capacity = _hardware(
            hardware, peak_flops, bandwidth, budget.get("dtype", budget["precision"])
        )
        report = judged(
            budget,
            limits=limits,
            train=not inference,
            peak=peak,
            bandwidth=band,
            where=where,
            capacity=capacity,
        )
    if not as_json:
        tables(report.measured, train=not inference)
    finish(report, as_json)


if __name__ == "__main__":
    app()
