# /// script
# requires-python = ">=3.11"
# dependencies = ["typer", "numpy", "torch", "jax", "flax", "equinox", "optax"]
# ///
"""Checks on one batch that a model has the properties that it is meant to have.

- causal: the output at position t depends on inputs up to t only
- permutation_equivariant, permutation_invariant: permuting the elements permutes the outputs, or changes nothing
- padding_mask: padding has no effect on the rest
- shift_equivariant: shifting the input shifts the output, away from the borders
- batch_independent: the outputs of an example do not depend on the others
- dtype: the outputs have the dtype that is asked for
- train_flag: training mode gives other outputs than evaluation mode

It tests what the target declares under `properties`, and says of the rest whether it holds, which is no finding. Inputs
are disturbed and outputs compared; a change counts when it exceeds the rounding of this model, which is measured.
Nothing is trained, and everything is as before afterwards, proven by a hash. Give a small batch of short inputs: the
model is run some dozens of times.

Example:

    python check_properties.py --target target.py:build
    python check_properties.py --target target.py:build --only causal --only dtype --json

`target.py` holds a function `build()` that returns a dict with `model`, `batch`, `loss_fn` and
`"properties": {"causal": True, "dtype": "bfloat16"}`. Values are true, or say more: `{"axis": 2}` for positions along
another axis than 1, `{"input": "tokens"}` for another input than the first, `{"output_axis": 1}`, `{"stride": 2}` for
shift_equivariant, `{"train": True}` for batch_independent in training mode too. `"permutation_equivariant": False`
says that order must count. All of them are described in references/testing-models.md.

Findings: causal-leak, padding-leak, batch-mixing, not-permutation-equivariant, not-permutation-invariant,
no-position-information, not-shift-equivariant, dtype-changed, train-flag-without-effect.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "tools"))

import typer

from dltools.report import CANNOT_DECIDE, CannotDecide, Finding, Report, UnusableInput, answering, finish, help_text

TOOL = "check_properties"
FINDINGS = {
    "causal": "causal-leak",
    "permutation_equivariant": "not-permutation-equivariant",
    "permutation_invariant": "not-permutation-invariant",
    "padding_mask": "padding-leak",
    "shift_equivariant": "not-shift-equivariant",
    "batch_independent": "batch-mixing",
    "dtype": "dtype-changed",
    "train_flag": "train-flag-without-effect",
}
WORDS = {
    "causal": ("causal", "not causal"),
    "permutation_equivariant": ("permutation-equivariant", "not permutation-equivariant"),
    "permutation_invariant": ("permutation-invariant", "not permutation-invariant"),
    "padding_mask": ("padding has no effect", "padding has an effect"),
    "shift_equivariant": ("shift-equivariant", "not shift-equivariant"),
    "batch_independent": ("examples independent", "examples depend on each other"),
    "batch_independent in training": ("examples independent", "examples depend on each other"),
    "dtype": ("dtype kept", "dtype changed"),
    "train_flag": ("training mode has an effect", "training mode without effect"),
}

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


def check(target: Any, *, only: list[str] | None = None, seed: int = 0) -> Report:
    """Measures the properties of a target.

    Args:
        target: a `dltools.target.Target`. It is left as it was.
        only: these properties, by default all that apply.
        seed: of noise in the model and of the disturbances.

    Returns:
        A report with the verdict `healthy`, `faults`, `nothing-declared` or `cannot-decide`; `measured` has what was
        seen of each property.

    Raises:
        UnusableInput: the model raises, `properties` name an input that is not there, or a property is unknown.
        CannotDecide: the outputs are not finite, change from call to call, or do not depend on the inputs.
    """
    import property_checks as checks
    from property_subject import Subject

    declared = dict(target.properties)
    for name in only or []:
        if name not in FINDINGS:
            raise UnusableInput(f"--only {name}: the properties are {', '.join(FINDINGS)}")
    with target.preserved():
        subject = Subject(target, seed)
        subject.measure_rounding()
        blind = checks.depends_on_inputs(subject)
        if blind is not None:
            raise CannotDecide(
                f"{blind.said} (they change by {blind.values['relative_difference']:.2g} of the largest)"
            )
        answers = _answers(subject, declared, only)
    promised = "" if "train_flag" in declared else checks.mode_promised(target)
    return _report(subject, declared, answers, promised)


def _answers(subject: Any, declared: dict[str, Any], only: list[str] | None) -> dict[str, Any]:
    """What was seen of every property that applies; one that is declared is always asked."""
    import property_checks as checks

    x = subject.value(subject.key)
    sequence = x.ndim == 3 or x.dtype.kind != "f"

    def ask(function: Any, *arguments: Any) -> Any:
        try:
            return function(subject, *arguments)
        except CannotDecide as error:
            return checks.unknown(str(error))

    def wanted(name: str, applies: bool) -> bool:
        return name in only if only else applies or name in declared

    answers = {}
    if wanted("causal", sequence):
        answers["causal"] = ask(checks.causal, declared.get("causal"))
    pair = ("permutation_equivariant", "permutation_invariant")
    if any(wanted(name, sequence) for name in pair):
        answer = ask(checks.permutation, next((declared[name] for name in pair if declared.get(name)), None))
        both = answer if isinstance(answer, tuple) else (answer, answer)
        answers |= {name: found for name, found in zip(pair, both, strict=True) if wanted(name, sequence)}
    if wanted("padding_mask", False) and declared.get("padding_mask") is not False:
        answers["padding_mask"] = ask(checks.padding, declared.get("padding_mask") or True)
    if wanted("shift_equivariant", x.ndim > 3):
        answers["shift_equivariant"] = ask(checks.shift_equivariant, declared.get("shift_equivariant"))
    if wanted("batch_independent", True):
        both = checks.batch_independent(subject)
        answers |= dict(zip(("batch_independent", "batch_independent in training"), both, strict=True))
    if wanted("dtype", True):
        answers["dtype"] = checks.keeps_dtype(subject, declared.get("dtype"))
    if wanted("train_flag", True):
        answers["train_flag"] = checks.train_flag(subject)
    return answers


def _report(subject: Any, declared: dict[str, Any], answers: dict[str, Any], promised: str) -> Report:
    findings, notes, undecided = [], [], []
    for name, answer in answers.items():
        required = _required(name, declared, promised)
        if required is None:
            notes.append(_information(name, answer))
        elif answer.holds is None:
            undecided.append(name)
            notes.append(f"{name}: cannot decide, {answer.said}.")
        elif answer.holds is not required:
            findings.append(_finding(name, answer, required, promised))
        else:
            why = promised if name == "train_flag" and promised else "as declared"
            notes.append(f"{name}: {why}; {answer.said}.")
    tested = [name for name in answers if _required(name, declared, promised) is not None]
    notes += subject.notes
    notes.append(
        f"A change counts above {subject.tolerance:.2g} of the largest output: one hundred units "
        "in the last place, or ten times the change by "
        f"rounding, which was measured as {subject.rounding:.2g}."
    )
    verdict = "faults" if findings else CANNOT_DECIDE if undecided else "healthy" if tested else "nothing-declared"
    measured = {
        name: {"declared": declared.get(name.split()[0]), "holds": answer.holds, "seen": answer.said, **answer.values}
        for name, answer in answers.items()
    }
    return Report(TOOL, verdict, tuple(findings), measured, tuple(notes))


def _required(name: str, declared: dict[str, Any], promised: str) -> bool | None:
    """Whether a property must hold (true), must not (false), or nothing is said."""
    if name == "batch_independent in training":
        value = declared.get("batch_independent")
        return True if isinstance(value, dict) and value.get("train") else None
    if name == "train_flag" and promised:
        return True
    value = declared.get(name)
    if value is False:
        # only order is asked for by a denial; the others merely excuse
        return False if name.startswith("permutation") else None
    return True if value else None


def _finding(name: str, answer: Any, required: bool, promised: str) -> Finding:
    if not required:
        return Finding(
            "no-position-information",
            "model",
            f"Order was declared to count, but {answer.said.replace('permutations of', 'permutations were tried of')}: "
            + ("the outputs are permuted alike." if name.endswith("equivariant") else "the outputs stay the same."),
            answer.values,
            "Add positions: a learned or sinusoidal table to the embeddings, rotary angles "
            "or biases by distance in the attention. "
            "Where they are there, see that they reach the layers.",
        )
    said = f"{answer.said[0].upper()}{answer.said[1:]}"
    if name == "train_flag" and promised:
        said += f", although {promised}"
    return Finding(FINDINGS[name.split()[0]], answer.where, f"{said}.", answer.values, answer.next_step)


def _information(name: str, answer: Any) -> str:
    if answer.holds is None:
        return f"{name}, not declared: cannot decide, {answer.said}."
    return f"{name}, not declared: {WORDS[name][not answer.holds]}; {answer.said}."


@app.command(help=help_text(__doc__))
def main(
    target: Annotated[
        str, typer.Option("--target", help="FILE.py:factory, the model with its batch, loss and properties.")
    ],
    only: Annotated[list[str] | None, typer.Option(help="Only this property; may be given several times.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    seed: Annotated[int, typer.Option(help="Seed of noise in the model and of the disturbances.")] = 0,
    device: Annotated[str, typer.Option(help="Device of a PyTorch model, such as cpu or cuda:0.")] = "cpu",
    timeout: Annotated[float, typer.Option(help="Seconds that loading the target may take.")] = 60.0,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback when the tool itself fails.")] = False,
) -> None:
    with answering(TOOL, as_json, debug):
        from dltools.target import load

        report = check(load(target, timeout=timeout, device=device), only=only, seed=seed)
    finish(report, as_json)


if __name__ == "__main__":
    app()
