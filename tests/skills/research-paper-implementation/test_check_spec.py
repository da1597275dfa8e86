"""check_spec: planted contradictions, units, cycles and broken files are found with their place; correct twins pass."""

import copy
import json
import math
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

ROOT = Path(__file__).resolve().parents[3]
SCRIPTS = ROOT / "skills/research-paper-implementation/scripts"
SPECS = ROOT / "skills/research-paper-implementation/assets/specs"
sys.path.insert(0, str(SCRIPTS))

import check_spec as tool  # noqa: E402
import spec_formulas  # noqa: E402
import spec_units  # noqa: E402
from dltools.report import UnusableInput  # noqa: E402

COMMAND = [sys.executable, str(SCRIPTS / "check_spec.py")]


def entry(value, unit="1", status="stated", where="section 1", **more):
    return {"value": value, "unit": unit, "where": where, "status": status, **more}


# a vision transformer for 300 epochs of ImageNet-1k on 8 V100, in half precision: nothing in it is impossible
GOOD = {
    "paper": {
        "title": "A Paper",
        "authors": ["One"],
        "year": 2021,
        "identifier": "arXiv:0",
        "version": "v1",
        "scope": "base",
    },
    "task": {"loss": entry("cross-entropy")},
    "data": {
        "training_data": entry("ImageNet"),
        "training_examples": entry(1281167, "images"),
        "augmentation": entry("flips"),
    },
    "architecture": {
        "layers": entry(12, "layers"),
        "width": entry(768, "features"),
        "heads": entry(12, "heads"),
        "head_width": entry(64, "features/head"),
        "feed_forward": entry(3072, "features"),
        "patch": entry(16, "pixels"),
        "image": entry(224, "pixels"),
        "classes": entry(1000, "classes"),
        "norm_placement": entry("pre"),
        "initialization": entry("xavier"),
        "activation": entry("gelu"),
    },
    "optimizer": {
        "optimizer": entry("adam"),
        "learning_rate": entry(1e-3),
        "beta1": entry(0.9),
        "beta2": entry(0.999),
        "epsilon": entry(1e-8),
        "weight_decay": entry(0.1),
        "gradient_clipping": entry(1.0),
    },
    "schedule": {
        "schedule": entry("cosine"),
        "batch_size": entry(1024, "images/step"),
        "epochs": entry(300, "epochs"),
        "steps": entry(375342, "steps"),
        "warmup_steps": entry(10000, "steps"),
        "decay_end_step": entry(375342, "steps"),
        "final_learning_rate": entry(1e-5),
        "total_examples": entry(384.35e6, "images"),
        "device_batch_size": entry(128, "images/step/GPU"),
    },
    "regularization": {
        "dropout": entry(10, "percent"),
        "label_smoothing": entry(0.1, "probability"),
        "weight_averaging": entry(0.9999),
    },
    "evaluation": {"metric": entry("top-1"), "evaluation_data": entry("validation"), "runs": entry(3, "runs")},
    "hardware": {
        "accelerator": entry("NVIDIA V100"),
        "devices": entry(8, "GPUs"),
        "precision": entry("fp16"),
        "training_time": entry(3, "days"),
        "device_time": entry(24, "GPU-days"),
    },
    "reported": {
        "parameters": entry(86.6e6, "parameters"),
        "forward_flops": entry(17.6, "GMAC/image"),
        "latency": entry(35, "ms"),
        "latency_batch_size": entry(32, "images"),
        "top1": entry(77.9, "percent"),
    },
    "networks": {
        "vit": {
            "family": "transformer-encoder",
            "layers": "layers",
            "width": "width",
            "heads": "heads",
            "feed_forward": "feed_forward",
            "patch": "patch",
            "image": "image",
            "classes": "classes",
        }
    },
    "derived": {
        "tokens": {"formula": "(image / patch)**2 + 1", "unit": "1"},
        "peak_share": {"formula": "warmup_steps / steps", "unit": "percent"},
    },
}


def write(tmp_path, changes=(), name="spec.yaml"):
    """GOOD with some entries replaced: a value alone, a whole entry, or None to take one out."""
    spec = copy.deepcopy(GOOD)
    for path, value in dict(changes).items():
        section, _, key = path.partition(".")
        if value is None:
            del spec[section][key]
        elif isinstance(value, dict) or section in ("networks", "derived"):
            spec[section][key] = value
        else:
            spec[section][key]["value"] = value
    file = tmp_path / name
    file.write_text(yaml.safe_dump(spec, sort_keys=False))
    return file


def found(report, id=None):
    return [one for one in report.findings if id in (None, one.id)]


def test_the_correct_twin_passes_and_follows(tmp_path):
    report = tool.analyse(write(tmp_path))
    assert found(report) == [] and report.verdict == "consistent"
    assert report.measured["missing"] == []
    assert report.measured["networks"]["vit"]["parameters"] == 86_567_656
    assert report.measured["derived"]["tokens"]["value"] == 197
    assert report.measured["derived"]["peak_share"]["value"] == pytest.approx(100 * 10000 / 375342)
    # 3 passes of 2 * 17.56 GMAC for each of 384 million images, in 3 days on 8 cards
    assert report.measured["throughput"]["training"]["flop_per_second_per_device"] == pytest.approx(19.5e12, rel=0.01)
    assert report.measured["throughput"]["training"]["precision"] == "float16"


PLANTED = {
    "epochs and steps disagree": (
        {"schedule.steps": 500000, "schedule.decay_end_step": 500000, "schedule.total_examples": None},
        "schedule.steps",
        "epochs \\* training",
    ),
    "decay ends before training": (
        {"schedule.decay_end_step": 300000},
        "schedule.decay_end_step",
        "last 20 percent run at the final",
    ),
    "decay ends after training": ({"schedule.decay_end_step": 600000}, "schedule.decay_end_step", "never reached"),
    "warmup longer than training": ({"schedule.warmup_steps": 400000}, "schedule.warmup_steps", "as long as training"),
    "warmup epochs": (
        {"schedule.warmup_epochs": entry(300, "epochs")},
        "schedule.warmup_epochs",
        "as long as training",
    ),
    "seen images": ({"schedule.total_examples": entry(128e6, "images")}, "schedule.total_examples", "steps \\* batch"),
    "batch over devices": ({"schedule.device_batch_size": 64}, "schedule.batch_size", "device_batch_size"),
    "tokens of a batch": (
        {"data.sequence_length": entry(512, "tokens/sequence"), "schedule.tokens_per_batch": entry(1e6, "tokens/step")},
        "schedule.tokens_per_batch",
        "sequence_length",
    ),
    "total tokens": (
        {"schedule.tokens_per_batch": entry(524288, "tokens/step"), "schedule.total_tokens": entry(300e9, "tokens")},
        "schedule.total_tokens",
        "steps \\* tokens_per_batch",
    ),
    "time of a step": ({"hardware.time_per_step": entry(2.0, "s/step")}, "hardware.training_time", "time_per_step"),
    "device hours": (
        {"hardware.device_time": entry(100, "GPU-hours")},
        "hardware.device_time",
        "training_time \\* devices",
    ),
    "heads times head width": ({"architecture.head_width": 32}, "architecture.width", "heads \\* head_width"),
    "heads do not divide": (
        {
            "architecture.head_width": None,
            "architecture.heads": 10,
            "networks.vit": {"family": "resnet", "blocks": [2, 2], "image": 224},
            "reported.parameters": None,
            "reported.forward_flops": None,
        },
        "architecture.heads",
        "do not divide",
    ),
    "parameters of another model": ({"reported.parameters": 307e6}, "reported.parameters", "networks.vit"),
    "multiply-adds called FLOPs": (
        {"reported.forward_flops": entry(17.6, "GFLOP/image")},
        "reported.forward_flops",
        "2 FLOPs",
    ),
    "final rate above the peak": (
        {"schedule.final_learning_rate": 0.1},
        "schedule.final_learning_rate",
        "above the peak",
    ),
    "stop rule below the floor": (
        {"schedule.stop_learning_rate": entry(1e-6)},
        "schedule.stop_learning_rate",
        "never reaches",
    ),
    "bfloat16 on Volta": ({"hardware.precision": "bfloat16"}, "hardware.precision", "no bfloat16"),
    "formula against a stated value": (
        {
            "derived.tokens": {
                "formula": "(image / patch)**2",
                "unit": "1",
                "agrees_with": "reported.tokens",
                "tolerance": 0,
            },
            "reported.tokens": entry(197),
        },
        "reported.tokens",
        "196",
    ),
    "no conflict at all": (
        {"optimizer.beta2": entry(0.98, status="in-conflict", competing=[{"value": 0.98, "where": "table 1"}])},
        "optimizer.beta2",
        "all its values",
    ),
}


@pytest.mark.parametrize("name", PLANTED)
def test_planted_contradictions_are_found_alone(name, tmp_path):
    changes, place, words = PLANTED[name]
    report = tool.analyse(write(tmp_path, changes))
    contradictions = found(report, "contradiction")
    assert [one.where.split(" ")[1] for one in contradictions] == [place]
    assert re.search(words, contradictions[0].message)
    assert report.exit_status == 1


@pytest.mark.parametrize(
    ("changes", "place", "times"),
    [
        # 32 images of 35.1 GFLOP need 72 ms at 15.7 TFLOP/s
        (
            {
                "hardware.precision": "fp32",
                "hardware.training_time": entry(9, "days"),
                "hardware.device_time": entry(72, "GPU-days"),
            },
            "reported.latency",
            71.6 / 35,
        ),
        # 19.5 TFLOP/s on each card for 72 hours
        ({"hardware.precision": "float32", "reported.latency": None}, "hardware.training_time", 19.5 / 15.7),
    ],
)
def test_times_that_the_card_cannot_reach(changes, place, times, tmp_path):
    (finding,) = found(tool.analyse(write(tmp_path, changes)))
    assert finding.id == "implausible-throughput" and finding.where.endswith(place)
    assert finding.values["times_peak"] == pytest.approx(times, rel=0.01)


def test_times_that_need_a_precision_that_is_not_stated_are_a_note(tmp_path):
    report = tool.analyse(write(tmp_path, {"hardware.precision": None}))
    assert found(report) == []
    assert any("too much for float32" in note and "possible in float16" in note for note in report.notes)


@pytest.mark.parametrize(
    ("card", "peak"), [("8 x Tesla V100-SXM2-16GB", 125e12), ("A100 80GB", 312e12), ("TPU v3-8", None)]
)
def test_cards_are_recognised_in_words(card, peak, tmp_path):
    speed = tool.analyse(write(tmp_path, {"hardware.accelerator": card})).measured["throughput"]["training"]
    assert speed.get("peak") == peak


@pytest.mark.parametrize("card", ["an abacus", "TPU v2", "V1000"])
def test_an_unknown_card_needs_its_peak_from_the_specification(card, tmp_path):
    changes = {"hardware.accelerator": card}
    report = tool.analyse(write(tmp_path, changes))
    assert found(report) == [] and any("not in the table" in note for note in report.notes)
    changes["hardware.device_flops"] = entry(10, "TFLOP/s/GPU")
    assert {one.id for one in found(tool.analyse(write(tmp_path, changes)))} == {"implausible-throughput"}


@pytest.mark.parametrize(
    ("changes", "place", "words"),
    [
        ({"schedule.warmup_steps": entry(5, "epochs")}, "schedule.warmup_steps", "counted in steps"),
        ({"schedule.batch_size": entry(1024, "images")}, "schedule.batch_size", "examples/step"),
        ({"hardware.training_time": entry(72, "GPU-hours")}, "hardware.training_time", "counted in h"),
        ({"optimizer.learning_rate": entry(1e-3, "stpes")}, "optimizer.learning_rate", "did you mean 'steps'"),
        ({"derived.x": {"formula": "steps + epochs", "unit": "steps"}}, "derived.x", "step and a plain number"),
        (
            {"derived.x": {"formula": "steps * batch_size", "unit": "tokens"}},
            "derived.x",
            "gives example, not 'tokens'",
        ),
        ({"derived.x": {"formula": "log(steps)", "unit": "1"}}, "derived.x", "number"),
        ({"derived.x": {"formula": "steps", "unit": "steps", "agrees_with": "epochs"}}, "derived.x", "compared with"),
    ],
)
def test_wrong_units_are_found_with_their_place(changes, place, words, tmp_path):
    report = tool.analyse(write(tmp_path, changes))
    (finding,) = found(report, "wrong-unit")
    assert finding.where.endswith(" " + place) and words in finding.message


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("regularization.dropout", 110),
        ("optimizer.beta2", 1.2),
        ("architecture.layers", 12.5),
        ("optimizer.learning_rate", 0),
        ("schedule.steps", -5),
    ],
)
def test_impossible_values(path, value, tmp_path):
    report = tool.analyse(write(tmp_path, {path: value}))
    assert [(one.id, one.where.split(" ")[1]) for one in found(report)] == [("impossible-value", path)]


@pytest.mark.parametrize(
    "changes",
    [
        {"reported.latency": 0},
        {"hardware.devices": 0},
        {"schedule.batch_size": 0},
        {"hardware.training_time": None, "hardware.device_time": None, "hardware.step_time": entry(0, "s/step")},
        {"schedule.steps": None, "derived.peak_share": None, "derived.steps": {"formula": "0", "unit": "steps"}},
        {"schedule.steps": None, "derived.peak_share": None, "derived.steps": {"formula": "7", "unit": "tokens"}},
        {"architecture.heads": None, "networks.vit": None, "architecture.n_heads": entry(0, "heads")},
    ],
)
def test_nothing_is_divided_by_zero(changes, tmp_path):
    report = tool.analyse(write(tmp_path, changes))
    assert not found(report, "contradiction")


@pytest.mark.parametrize(
    ("formulas", "cycle"),
    [
        ({"a": "a + 1"}, ["a", "a"]),
        ({"a": "b + 1", "b": "c * 2", "c": "sqrt(a)"}, ["a", "b", "c", "a"]),
        ({"a": "b", "b": "derived.a", "after": "a + 1"}, ["a", "b", "a"]),
    ],
)
def test_cycles_are_named_once(formulas, cycle, tmp_path):
    changes = {f"derived.{name}": {"formula": formula, "unit": "1"} for name, formula in formulas.items()}
    report = tool.analyse(write(tmp_path, changes))
    (finding,) = found(report)
    assert finding.id == "derived-cycle" and finding.values["cycle"] == cycle
    assert " -> ".join(cycle) in finding.message


@pytest.mark.parametrize(
    "formula",
    [
        "__import__('os').system('true')",
        "().__class__",
        "[1, 2]",
        "lambda: 1",
        "steps if steps else 1",
        "9**9**9**9",
        "1 / 0",
        "sqrt(-1)",
        "(-8)**0.5",
        "2 +",
        "unknown_name",
        "loss",
        "open('x')",
        "steps.real.imag",
        "max()",
        "'text'",
        "True",
        "(" * 300 + "1" + ")" * 300,
        "1" + "+1" * 3000,
        "exp(1e9)",
        "10.0**400",
        "paper.year",
    ],
)
def test_formulas_are_arithmetic_and_nothing_else(formula, tmp_path):
    report = tool.analyse(write(tmp_path, {"derived.x": {"formula": formula, "unit": "1"}}))
    (finding,) = found(report)
    assert finding.id == "bad-formula" and finding.where.endswith("derived.x")
    assert len(finding.message) < 300


LEAVES = st.one_of(st.integers(0, 9).map(str), st.sampled_from(["d", "e"]))
EXPRESSIONS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["+", "-", "*", "/", "//", "**"]), inner).map(
            lambda t: f"({t[0]} {t[1]} {t[2]})"
        ),
        inner.map(lambda one: f"-{one}"),
        st.tuples(st.sampled_from(["min", "max"]), inner, inner).map(lambda t: f"{t[0]}({t[1]}, {t[2]})"),
    ),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(EXPRESSIONS)
def test_formulas_give_what_python_gives(expression):
    known = {"d": 4.0, "e": 0.5}
    try:
        # numbers as floats, as formulas take them: whole ones could grow without end
        expected = eval(re.sub(r"\b(\d)\b", r"\1.0", expression), {"__builtins__": {"min": min, "max": max}}, known)
    except (ZeroDivisionError, OverflowError):
        expected = None
    try:
        tree = spec_formulas.parse(expression)
        result = spec_formulas.evaluate(tree, lambda name: spec_formulas.Quantity(known[name])).value
    except spec_formulas.FormulaError:
        # refused are large exponents, and what is no finite real number
        assert expected is None or isinstance(expected, complex) or not math.isfinite(expected) or "**" in expression
        return
    assert result == expected


def test_formulas_compute_with_units():
    quantities = {
        "d": spec_formulas.Quantity(4.0),
        "t": spec_formulas.Quantity(9.0, {"s": 1}),
        "n": spec_formulas.Quantity(3.0, {"step": 1}),
    }
    result = spec_formulas.evaluate(
        spec_formulas.parse("ceil(sqrt(t**2) / n * 2 + min(t, t) / n) - -t / n"), quantities.__getitem__
    )
    assert result.value == pytest.approx(12.0) and result.dimensions == {"s": 1, "step": -1}
    assert spec_formulas.evaluate(
        spec_formulas.parse("d**-0.5 * number(t)**-0.5"), quantities.__getitem__
    ).value == pytest.approx(1 / 6)
    assert spec_formulas.names(spec_formulas.parse("max(a.b, c) + log(a.b)")) == ["a.b", "c"]


@pytest.mark.parametrize(
    ("text", "factor", "name"),
    [
        ("GPU-hours", 3600.0, "device*s"),
        ("TFLOP/s/GPU", 1e12, "FLOP/s/device"),
        ("GMAC/image", 2e9, "FLOP/example"),
        ("MiB", 2.0**20, "byte"),
        ("GB", 1e9, "byte"),
        ("features per head", 1.0, "a plain number"),
        ("%", 0.01, "a plain number"),
        ("ms", 1e-3, "s"),
        ("steps/s", 1.0, "step/s"),
        ("million parameters", 1e6, "a plain number"),
        ("billion tokens/thousand steps", 1e6, "token/step"),
        ("days", 86400.0, "s"),
        ("h/h", 1.0, "a plain number"),
    ],
)
def test_units(text, factor, name):
    unit = spec_units.parse(text)
    assert unit.factor == pytest.approx(factor) and spec_formulas.shown(unit.dimensions) == name


def test_an_open_value_stays_open(tmp_path):
    changes = {
        "schedule.steps": entry(None, "steps", "missing"),
        "schedule.epochs": entry(None, "epochs", "missing"),
        "schedule.decay_end_step": None,
        "hardware.device_time": None,
        "schedule.total_examples": None,
    }
    report = tool.analyse(write(tmp_path, changes))
    assert found(report) == []
    assert [one["name"] for one in report.measured["missing"]] == ["length of training"]
    assert any("derived.peak_share cannot be computed: schedule.steps is missing" in note for note in report.notes)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"family": "transformr"}, "must be one of"),
        ({"layers": "layers", "family": "transformer-encoder"}, "needs `width`"),
        ({"depth": 3, "family": "resnet"}, "no key `depth`"),
        ({"family": "resnet", "blocks": [1], "image": 10**200}, "beyond all numbers"),
    ],
)
def test_a_network_that_cannot_be_computed_is_one_finding(change, words, tmp_path):
    changes = {"networks.vit": change, "derived.size": {"formula": "vit.parameters", "unit": "parameters"}}
    report = tool.analyse(write(tmp_path, changes))
    (finding,) = found(report)
    assert finding.id == "bad-network" and words in finding.message and finding.where.endswith("networks.vit")
    assert "derived.size cannot be computed: networks.vit was not computed" in report.notes


def test_missing_values_are_ranked_and_findings_only_when_strict(tmp_path):
    changes = {
        "optimizer.learning_rate": None,
        "hardware.precision": None,
        "optimizer.weight_decay": entry(None, status="missing"),
        "evaluation.metric": None,
        "regularization.label_smoothing": None,
    }
    file = write(tmp_path, changes)
    report = tool.analyse(file)
    names = [one["name"] for one in report.measured["missing"]]
    assert names == ["metric", "learning rate", "weight decay", "label smoothing", "precision"]
    assert all(one["source"] and one["why"] for one in report.measured["missing"])
    assert report.exit_status == 0
    strict = tool.analyse(file, strict=True)
    assert [one.message.split(":")[0] for one in found(strict, "missing-value")] == names
    assert strict.exit_status == 1


def test_adam_needs_betas_and_sgd_momentum(tmp_path):
    changes = {"optimizer.beta1": None, "optimizer.beta2": None, "optimizer.epsilon": None}
    adam = tool.analyse(write(tmp_path, changes)).measured["missing"]
    assert [one["name"] for one in adam] == ["beta1, beta2", "epsilon"]
    sgd = tool.analyse(
        write(
            tmp_path,
            {
                **changes,
                "optimizer.optimizer": "sgd",
                "task.loss": "squared error",
                "regularization.label_smoothing": None,
            },
        )
    )
    assert [one["name"] for one in sgd.measured["missing"]] == ["momentum"]


def test_a_known_conflict_is_a_note_and_a_finding_when_strict(tmp_path):
    conflict = entry(307e6, "parameters", "in-conflict", competing=[{"value": 86e6, "where": "appendix"}])
    file = write(tmp_path, {"reported.parameters": conflict})
    report = tool.analyse(file)
    assert found(report) == []
    assert any(
        "known conflict" in note and "86567700" in note.replace("8.65677e+07", "86567700") for note in report.notes
    )
    assert [one.id for one in found(tool.analyse(file, strict=True))] == ["known-conflict"]


# -- the file itself


def test_findings_carry_line_and_column(tmp_path):
    file = write(tmp_path, {"schedule.warmup_steps": 400000})
    (finding,) = found(tool.analyse(file))
    line, column = map(int, finding.where.split(" ")[0].split(":")[1:])
    assert file.read_text().splitlines()[line - 1][column - 1 :].startswith("warmup_steps:")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (
            "  epochs:\n    value: 300\n    unit: epochs\n    where: section 1\n    status: stated",
            "  epochs: {value: 300, unit: epochs, where: section 1}",
            "`status` is missing",
        ),
        ("status: stated", "status: statd", "none of stated"),
        ("unit: epochs", "units: epochs", "unknown key `units`; did you mean `unit`?"),
        ("regularization:", "regularisation:", "unknown key `regularisation`; did you mean `regularization`?"),
        ("value: 300\n", "value: null\n", "null needs the status missing"),
        ("value: 0.001\n", "value: 1e-3\n", "text to YAML 1.1"),
        ("year: 2021", "year: soon", "must be an integer"),
        (
            "  epochs:",
            "  batch_size: {value: 1, unit: images/step, where: x, status: stated}\n  epochs:",
            "stands twice",
        ),
        ("family: transformer-encoder", "family: [x]", "must be text"),
        ("scope: base", "scope: [base]", "a list (['base']) stands where there must be text"),
        ("title: A Paper", "title: !!python/object/apply:os.mkdir [made]", "a list (['made']) stands"),
    ],
)
def test_the_wrong_shape_is_a_finding_with_its_place(old, new, words, tmp_path):
    file = write(tmp_path)
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))
    report = tool.analyse(file)
    schema = found(report, "schema")
    assert any(words in one.message for one in schema), [one.message for one in schema]
    assert all(one.where.startswith("spec.yaml:") for one in schema) and report.exit_status == 1
    assert not Path("made").exists()


def test_a_missing_section_is_named(tmp_path):
    spec = {key: value for key, value in GOOD.items() if key not in ("hardware", "evaluation")}
    file = tmp_path / "spec.yaml"
    file.write_text(yaml.safe_dump(spec))
    messages = [one.message for one in found(tool.analyse(file), "schema")]
    assert messages == ["the section `evaluation` is missing", "the section `hardware` is missing"]


def test_a_slip_does_not_hide_the_rest(tmp_path):
    changes = {"task.loss": {"value": 1}, "schedule.warmup_steps": 400000}
    ids = {one.id for one in found(tool.analyse(write(tmp_path, changes)))}
    assert {"schema", "contradiction"} <= ids


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"# only a comment\n", "is empty"),
        (b"- a\n- b\n", "holds a list"),
        (b"just words", "holds text"),
        (b"a: 1\nb: 2\n", "none of the sections"),
        (b"a: [1, 2\n", ":2:1 is not YAML"),
        (b"task: {x: *nothing}\n", "aliases"),
        (b"a: &a [1]\nb: *a\n", ":2:4: aliases"),
        (b"a: &a [*a]\n", "aliases"),
        (b"\xff\xfe\x00", "not"),
        (b"paper: {title: !!python/name:os.system x}\n", "cannot read 'x'"),
        (b"[" * 5000, "nested too deeply|not YAML"),
        (b"task: {? [1, 2] : 3}\n", "single word"),
        (b"a: " + b"x" * 1_100_000, "largest"),
        (b"when: 2021-13-45\ntask: {}\n", "cannot read"),
    ],
)
def test_what_is_no_specification_is_one_sentence(content, words, tmp_path):
    file = tmp_path / "spec.yaml"
    file.write_bytes(content)
    with pytest.raises(UnusableInput, match=words):
        tool.analyse(file)


# -- against a configuration and a model


def test_a_configuration_is_compared_by_name_alias_and_map(tmp_path):
    config = tmp_path / "train.yaml"
    config.write_text(
        "model:\n  hidden_size: 768\n  depth: 24\noptim:\n  lr: 3e-3\n  betas: [0.9, 0.999]\n  wd: 0.1\n  clipp: 5.0\n"
        "train:\n  num_epochs: 300\n  floor: 1.0e-5\n  log_every: 50\n"
    )
    report = tool.analyse(write(tmp_path), config=config, mapping={"final_learning_rate": "floor"})
    differs = {one.details["entry"]: one for one in found(report, "config-differs")}
    assert set(differs) == {"architecture.layers", "optimizer.learning_rate"}
    assert differs["architecture.layers"].where == "train.yaml:3:3 model.depth"
    assert differs["optimizer.learning_rate"].values["ratio"] == pytest.approx(3.0)
    compared = report.measured["config"]
    assert {"optimizer.beta1", "optimizer.beta2", "schedule.epochs", "schedule.final_learning_rate"} <= set(
        compared["equal"]
    )
    assert "train.log_every" in compared["not_compared"]
    assert any("3e-3 is text to PyYAML" in note for note in report.notes)


def test_a_close_name_is_suggested(tmp_path):
    config = tmp_path / "train.json"
    config.write_text(json.dumps({"warmup_step": 1000, "gradient_cliping": 1.0}))
    report = tool.analyse(write(tmp_path), config=config)
    assert report.measured["config"]["suggestions"] == {
        "warmup_step": "schedule.warmup_steps",
        "gradient_cliping": "optimizer.gradient_clipping",
    }
    assert any("--map schedule.warmup_steps=warmup_step" in note for note in report.notes)


def test_a_configuration_fills_what_is_missing_and_may_side_in_a_conflict(tmp_path):
    config = tmp_path / "train.json"
    config.write_text(json.dumps({"weight_decay": 0.05, "beta2": 0.98}))
    changes = {
        "optimizer.weight_decay": entry(None, status="missing"),
        "optimizer.beta2": entry(0.999, status="in-conflict", competing=[{"value": 0.98, "where": "table 1"}]),
    }
    report = tool.analyse(write(tmp_path, changes), config=config)
    assert found(report) == []
    assert report.measured["config"]["fills"] == {"optimizer.weight_decay": 0.05}
    assert any("one of the values in conflict" in note for note in report.notes)


def test_a_hugging_face_configuration(tmp_path):
    # the keys that transformers writes for GPT-2
    config = {
        "activation_function": "gelu_new",
        "initializer_range": 0.02,
        "layer_norm_epsilon": 1e-05,
        "model_type": "gpt2",
        "n_ctx": 1024,
        "n_embd": 768,
        "n_head": 12,
        "n_inner": None,
        "n_layer": 12,
        "resid_pdrop": 0.1,
        "vocab_size": 50257,
    }
    file = tmp_path / "config.json"
    file.write_text(json.dumps(config))
    report = tool.analyse(SPECS / "gpt-2.yaml", config=file)
    assert found(report) == []
    assert len(report.measured["config"]["equal"]) == 7
    assert any("'gelu_new'; the paper says 'gelu in its tanh" in note for note in report.notes)
    file.write_text(json.dumps({**config, "n_head": 16, "activation_function": None}))
    assert [one.details["entry"] for one in found(tool.analyse(SPECS / "gpt-2.yaml", config=file))] == [
        "architecture.heads"
    ]


@pytest.mark.parametrize(
    ("mapping", "words"),
    [
        ({"learning_rat": "lr"}, "did you mean optimizer.learning_rate"),
        ({"learning_rate": "nowhere"}, "no key 'nowhere'"),
    ],
)
def test_a_wrong_map_says_so(mapping, words, tmp_path):
    config = tmp_path / "train.json"
    config.write_text(json.dumps({"lr": 1e-3}))
    with pytest.raises(UnusableInput, match=words):
        tool.analyse(write(tmp_path), config=config, mapping=mapping)


def test_a_configuration_of_the_wrong_kind(tmp_path):
    config = tmp_path / "train.json"
    config.write_text("[1, 2]")
    with pytest.raises(UnusableInput, match="no mapping"):
        tool.analyse(write(tmp_path), config=config)


def test_model_sizes_are_compared_in_all_and_by_part(tmp_path):
    parts = {
        "derived.classifier": {"formula": "width * classes + classes", "unit": "parameters", "part": "head"},
        "derived.norm": {"formula": "2 * width", "unit": "parameters", "part": "norm"},
    }
    file = write(tmp_path, parts)
    sizes = {
        "blocks.0.weight": 86_567_656 - 769_000 - 1_536,
        "head.weight": 768_000,
        "head.bias": 1000,
        "norm.weight": 768,
        "norm.bias": 768,
    }
    assert found(tool.analyse(file, sizes=sizes)) == []
    (whole, part) = found(tool.analyse(file, sizes={**sizes, "head.bias": 0}, model="m"), "model-differs")
    assert whole.values["difference"] == -1000 and "networks.vit gives 86,567,656" in whole.message
    assert "`head` of m has 768,000" in part.message and part.where.endswith("derived.classifier")
    (finding,) = found(
        tool.analyse(write(tmp_path), sizes={key: size for key, size in sizes.items() if "head" not in key}, model="m")
    )
    assert "exactly the part `classifier`" in finding.next_step


TARGET = """
import torch

def build(classes=10):
    model = torch.nn.Sequential(torch.nn.Linear(8, 16), torch.nn.ReLU(), torch.nn.Linear(16, classes))
    return {"model": model, "batch": (torch.zeros(2, 8), torch.zeros(2, dtype=torch.long)),
            "loss_fn": torch.nn.functional.cross_entropy}

def wider():
    return build(12)
"""


def run(folder, *arguments):
    environment = {**os.environ, "COLUMNS": "200", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [*COMMAND, *arguments], cwd=folder, capture_output=True, text=True, timeout=120, env=environment
    )
    assert "Traceback" not in done.stderr + done.stdout
    return done


def test_the_command_line_with_a_target(tmp_path):
    (tmp_path / "target.py").write_text(TARGET)
    write(
        tmp_path,
        {
            "networks.vit": None,
            "reported.parameters": 314,
            "reported.forward_flops": None,
            "hardware.training_time": None,
            "hardware.device_time": None,
            "reported.latency": None,
            "derived.first": {"formula": "8 * 16 + 16", "unit": "parameters", "part": "0"},
        },
    )
    equal = run(tmp_path, "spec.yaml", "--target", "target.py:build", "--json")
    assert equal.returncode == 0, equal.stdout
    assert json.loads(equal.stdout)["measured"]["model"] == {
        "parameters": 314,
        "parts": {"0": 144, "2": 170},
        "expected": 314.0,
        "expected_from": "reported.parameters",
    }
    differs = run(tmp_path, "spec.yaml", "--target", "target.py:wider", "--json")
    assert differs.returncode == 1
    (finding,) = json.loads(differs.stdout)["findings"]
    assert finding["id"] == "model-differs" and finding["values"]["difference"] == 34


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["missing.yaml"], 2, "cannot read missing.yaml"),
        (["broken.yaml"], 2, "is not YAML"),
        (["spec.yaml", "--map", "a=b"], 2, "give it by --config"),
        (["spec.yaml", "--config", "spec.yaml", "--map", "ab"], 2, "not of the form"),
        (["spec.yaml", "--target", "none.py:build"], 2, "no file none.py"),
        (["spec.yaml"], 0, "consistent"),
    ],
)
def test_the_command_line_says_one_sentence(arguments, status, words, tmp_path):
    write(tmp_path)
    (tmp_path / "broken.yaml").write_text("a: [")
    done = run(tmp_path, *arguments)
    assert done.returncode == status and words in done.stdout + done.stderr
