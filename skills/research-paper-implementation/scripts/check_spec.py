# /// script
# requires-python = ">=3.11"
# dependencies = ["typer", "pyyaml", "jsonschema", "rich", "numpy", "torch", "jax"]
# ///
"""Checks the specification of a paper: what is missing, what follows, what contradicts what.

    check_spec.py paper.yaml
    check_spec.py paper.yaml --config train.yaml --map learning_rate=optim.lr_max
    check_spec.py paper.yaml --target model.py:build --strict --json

A specification is YAML: sections of values, each with its unit, its place in the paper and a status (stated, inferred,
assumed, from-code, in-conflict, missing), computed networks, and formulas. assets/paper-spec-template.yaml is one to
fill in, assets/specs/ holds filled ones, assets/paper-spec.schema.json says the form:

    schedule:
      batch_size: {value: 256, unit: examples/step, where: section 3.4, status: stated}

Values with standard names (spec_names.py lists them: steps, epochs, batch_size, warmup_steps, training_time, ...) are
checked against each other: steps = epochs * examples / batch, the end of the decay, warmup, tokens, times, heads. So
are formulas and networks against stated parameters and FLOPs, and stated times against the peak of the hardware. What
the paper leaves open is listed in the order in which to ask for it; the order is a judgement, each line has a source.

--config compares with a training configuration (YAML or JSON). --target compares the trainable parameters with a model
that a factory builds: FILE.py:factory, which returns {"model", "batch", "loss_fn"}; a model on the meta device needs no
memory. In all they must be derived.parameter_count, else those of the only network, else the stated number; and part by
part what formulas with a `part` give. Only --target runs code, that of the file.

Verdict: consistent or inconsistent. Findings: schema, wrong-unit, bad-formula, bad-network, derived-cycle,
impossible-value, contradiction, implausible-throughput, config-differs, model-differs; with --strict also missing-value
and known-conflict, which are notes otherwise, since they are about the paper and not about the file.
"""

from __future__ import annotations

import collections
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

sys.path[:0] = [str(Path(__file__).resolve().parents[3] / "tools"), str(Path(__file__).resolve().parent)]

import spec_differences
import spec_reading
import spec_rules
import typer
from dltools.report import Finding, Report, UnusableInput, answering, finish, help_text
from spec_values import Values

TOOL = "check-spec"

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


def analyse(
    path: Path,
    *,
    config: Path | None = None,
    mapping: Mapping[str, str] | None = None,
    sizes: Mapping[str, int] | None = None,
    model: str = "the model",
    strict: bool = False,
) -> Report:
    """Checks a specification.

    Args:
        path: of the specification.
        config: a training configuration to compare with.
        mapping: from values of the specification to keys of the configuration.
        sizes: numbers in each trainable parameter of a built model, by its name.
        model: how to call that model.
        strict: what the paper leaves open, and its known conflicts, are findings too.

    Raises:
        UnusableInput: a file cannot be read or is of another kind.
    """
    specification = spec_reading.read_specification(path)
    values = Values(specification)
    missing = spec_rules.missing(values)
    against = spec_rules.agreements(values)
    implausible, speed = spec_rules.throughput(values)
    findings = [*specification.findings, *values.findings, *against, *spec_rules.orders(values), *implausible]
    measured: dict[str, Any] = {
        "paper": {name: specification.paper.get(name) for name in ("title", "year", "identifier", "version", "scope")},
        "statuses": dict(collections.Counter(entry.status for entry in specification.entries.values())),
        "missing": missing,
        **values.shown(),
        "implied": spec_rules.implied(values),
        "throughput": speed,
    }
    if config is not None:
        differing, measured["config"] = spec_differences.against_config(values, config, mapping or {})
        findings += differing
    if sizes is not None:
        differing, measured["model"] = spec_differences.against_model(values, sizes, model)
        findings += differing
    measured["known_conflicts"] = values.known_conflicts
    notes = list(values.notes)
    if strict:
        findings += [_missing_finding(one) for one in missing]
        findings += [Finding("known-conflict", place, message) for place, message in values.known_conflicts.items()]
    else:
        notes += [f"known conflict at {place}: {message}" for place, message in values.known_conflicts.items()]
        if missing:
            notes.append(f"the paper leaves open, most important first: {', '.join(one['name'] for one in missing)}")
    return Report(TOOL, "inconsistent" if findings else "consistent", _unique(findings), measured, notes)


def sizes_of(target: str, timeout: float = 60.0) -> dict[str, int]:
    """Numbers in each trainable parameter of the model that a factory builds.

    Raises:
        UnusableInput: the factory does not keep the contract of targets.
    """
    import math

    from dltools import target as targets

    parameters = targets.load(target, timeout=timeout, device=None).parameters()
    return {name: math.prod(int(side) for side in one.shape) for name, one in parameters.items()}


def _missing_finding(one: Mapping[str, Any]) -> Finding:
    source = f" ({one['source']})" if one["source"] else ""
    return Finding(
        "missing-value",
        one["where"],
        f"{one['name']}: {one['why']}{source}",
        {"rank": one["rank"], "section": one["section"]},
        f"look in appendix, code and earlier papers; then write {' or '.join(one['entries'])} as assumed",
    )


def _unique(findings: list[Finding]) -> list[Finding]:
    """One finding where two rules say the same of one place."""
    seen: dict[tuple[str, str, str], Finding] = {}
    for one in findings:
        seen.setdefault((one.id, one.where, one.message), one)
    return list(seen.values())


def _mapping(given: list[str]) -> dict[str, str]:
    result = {}
    for one in given:
        name, separator, key = one.partition("=")
        if not separator or not name or not key:
            raise UnusableInput(f"--map {one!r} is not of the form value=key, such as learning_rate=optim.lr")
        result[name] = key
    return result


def _show(report: Report) -> None:
    """Tables for a person: what follows, and what is missing."""
    from rich.console import Console
    from rich.table import Table

    console = Console(stderr=True)
    rows = [(name, one["value"], one["unit"], "formula") for name, one in report.measured["derived"].items()]
    rows += [(name, one["value"], one["unit"], one["formula"]) for name, one in report.measured["implied"].items()]
    for name, one in report.measured["networks"].items():
        rows += [
            (f"{name}.parameters", one["parameters"], "parameters", one["family"]),
            (f"{name}.macs", one["macs"], "MAC", one["family"]),
        ]
    if rows:
        table = Table("value", "number", "unit", "from", title="what follows")
        for name, value, unit, origin in rows:
            table.add_row(name, f"{value:,.6g}" if abs(value) < 1e6 else f"{value:,.0f}", unit, origin)
        console.print(table)
    if report.measured["missing"]:
        table = Table("rank", "what", "why", "source", title="what the paper leaves open")
        for one in report.measured["missing"]:
            table.add_row(str(one["rank"]), one["name"], one["why"], one["source"])
        console.print(table)


@app.command(help=help_text(__doc__))
def main(
    specification: Annotated[Path, typer.Argument(metavar="SPEC.yaml", help="the specification")],
    config: Annotated[Path | None, typer.Option(help="training configuration to compare with (YAML, JSON)")] = None,
    mapping: Annotated[
        list[str] | None, typer.Option("--map", help="value=key of the configuration; may be repeated")
    ] = None,
    target: Annotated[str | None, typer.Option(help="FILE.py:factory of the model to compare with")] = None,
    strict: Annotated[bool, typer.Option("--strict", help="missing values and known conflicts are findings")] = False,
    timeout: Annotated[float, typer.Option(help="seconds that the factory may take")] = 60.0,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="show the traceback of an unexpected error")] = False,
) -> None:
    with answering(TOOL, as_json, debug):
        if mapping and config is None:
            raise UnusableInput("--map says how to read a configuration; give it by --config")
        sizes = None
        if target is not None:
            spec_reading.read(specification)  # a broken specification is told before a model is built
            sizes = sizes_of(target, timeout)
        report = analyse(
            specification,
            config=config,
            mapping=_mapping(mapping or []),
            sizes=sizes,
            model=target or "",
            strict=strict,
        )
        if not as_json:
            _show(report)
        finish(report, as_json)


if __name__ == "__main__":
    app()
