"""check_gradients on operations whose derivatives are known to be right, wrong, coarse, kinked or random."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).resolve().parents[3]
SCRIPTS = ROOT / "skills/neural-network-mathematics/scripts"
sys.path[:0] = [str(SCRIPTS), str(Path(__file__).parent)]

import check_gradients  # noqa: E402
import gradient_targets as targets  # noqa: E402
from dltools.report import CannotDecide, UnusableInput  # noqa: E402

CASES = [
    (verdict, name, op, inputs)
    for verdict, cases in (
        ("ok", targets.OK), ("bug", targets.BUG), ("non-differentiable", targets.KINK), ("round-off", targets.ROUND_OFF)
    )
    for name, (op, inputs) in cases.items()
]  # fmt: skip


def check(name, op, inputs, **more):
    return check_gradients.analyse(op, inputs, name.split()[0], **more)


def command(*arguments):
    script = SCRIPTS / "check_gradients.py"
    return subprocess.run([sys.executable, str(script), *arguments], capture_output=True, text=True)


@pytest.mark.parametrize(("verdict", "name", "op", "inputs"), CASES, ids=[case[1] for case in CASES])
def test_verdicts(verdict, name, op, inputs):
    report = check(name, op, inputs)
    assert report.verdict == verdict, report.as_text()
    assert bool(report.findings) == (verdict in ("bug", "non-differentiable"))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", ["torch module", "torch many entries", "torch cross entropy with integer targets"])
def test_right_gradients_pass_with_every_seed(name, seed):
    op, inputs = targets.OK[name]
    assert check(name, op, inputs, seed=seed).verdict == "ok"


@pytest.mark.parametrize("name", ["torch 2x^2 for 3x^2", "jax 2x^2 for 3x^2"])
def test_a_constant_factor_is_named(name):
    (finding,) = check(name, *targets.BUG[name]).findings
    assert finding.id == "wrong-gradient"
    assert "0.6667 times" in finding.message
    assert finding.values["gradient"] / finding.values["quotient"] == pytest.approx(2 / 3, rel=1e-6)


def test_a_cut_graph_is_named():
    (finding,) = check("torch", *targets.BUG["torch detached"]).findings
    assert "no gradient arrives" in finding.message


def test_the_error_curve_falls_like_the_square_of_the_step_and_rises_again():
    measured = check("torch", *targets.OK["torch cube"]).measured
    curve = measured["first"]["inputs[0]"]["error_by_step"]
    assert curve[0] / curve[1] == pytest.approx(100, rel=0.05)
    assert min(curve) < 1e-9
    assert curve[-1] > 10 * min(curve)


def test_a_kink_gives_both_one_sided_derivatives():
    (finding,) = check("torch", torch.abs, (torch.tensor([0.0]),)).findings
    assert finding.values["left"] == pytest.approx(-finding.values["right"])
    assert finding.values["entries_affected"] == 1


def test_a_float32_operation_says_how_small_an_error_it_hides():
    report = check("torch", *targets.ROUND_OFF["torch float32 inside"])
    assert 1e-5 < report.measured["first"]["inputs[0]"]["resolution"] < 0.05
    assert report.exit_status == 0
    assert "too coarse" in report.notes[0]


def test_a_kink_beside_the_inputs_is_not_taken_for_one_at_them():
    for distance in (1e-3, 1e-5, 1e-7):
        inputs = (torch.tensor([distance, 1.0], dtype=torch.float64),)
        assert check("torch", torch.relu, inputs).verdict == "ok", distance


def test_wrong_second_derivative_is_found_only_when_asked():
    inputs = (targets.t(),)
    op = targets.cube_torch(3, second="detached")
    assert check("torch", op, inputs).verdict == "ok"
    report = check("torch", op, inputs, second_order=True)
    assert report.verdict == "bug"
    assert [(finding.id, finding.where) for finding in report.findings] == [("wrong-second-derivative", "inputs[0]")]


def test_a_backward_pass_that_cuts_the_incoming_gradient_is_found():
    report = check("torch", targets.CutsIncoming.apply, (targets.t(),), second_order=True)
    assert report.verdict == "bug"
    assert [finding.where for finding in report.findings] == ["incoming gradient of output 0"]


@pytest.mark.parametrize(
    "name", ["torch cube", "torch module", "torch complex", "jax cube", "jax matmul", "torch no dependence"]
)
def test_right_second_derivatives_pass(name):
    report = check(name, *targets.OK[name], second_order=True)
    assert report.verdict == "ok", report.as_text()


def test_second_derivative_has_a_kink_where_huber_turns_linear():
    op = lambda x: torch.nn.functional.huber_loss(x, torch.zeros_like(x), reduction="none")  # noqa: E731
    report = check("torch", op, (torch.tensor([1.0, 0.3]),), second_order=True)
    assert report.verdict == "non-differentiable"
    assert "second" in report.measured


def test_a_missing_second_derivative_is_said():
    with pytest.raises(CannotDecide, match="no second derivative"):
        check("torch", targets.Twice.apply, (targets.t(),), second_order=True)


@pytest.mark.parametrize("name", targets.UNDECIDED)
def test_random_operations_are_not_decided(name):
    op, inputs, message = targets.UNDECIDED[name]
    with pytest.raises(CannotDecide, match=message):
        check(name, op, inputs)


@pytest.mark.parametrize("name", targets.UNUSABLE)
def test_unusable_operations_are_one_sentence(name):
    op, inputs, message = targets.UNUSABLE[name]
    with pytest.raises(UnusableInput, match=message):
        check(name, op, inputs)


def test_what_is_held_fixed_and_overwritten_is_said():
    notes = check("torch", *targets.OK["torch cross entropy with integer targets"]).notes
    assert notes == ["held fixed, because not floating-point arrays: inputs[1]"]
    op, inputs = targets.OK["torch in place"]
    before = inputs[0].clone()
    assert "in place" in check("torch", op, inputs).notes[0]
    assert torch.equal(inputs[0], before)


def test_a_module_is_left_as_it_was():
    op, inputs = targets.OK["torch module"]
    check("torch", op, inputs)
    assert all(p.dtype == torch.float32 and p.grad is None for p in op.parameters())


@pytest.mark.parametrize(
    ("factory", "verdict", "status"),
    [("planted_torch", "bug", 1), ("planted_jax", "bug", 1), ("right_torch", "ok", 0), ("random_torch", "cannot-decide", 3),
     ("integers", "unusable-input", 2), ("raises", "unusable-input", 2), ("missing", "unusable-input", 2)],
)  # fmt: skip
def test_command_line(factory, verdict, status):
    run = command("--target", f"{Path(__file__).parent / 'gradient_factories.py'}:{factory}", "--json")
    assert run.returncode == status, run.stderr
    assert json.loads(run.stdout)["verdict"] == verdict
    assert "Traceback" not in run.stderr


def test_command_line_for_people():
    run = command("--target", f"{Path(__file__).parent / 'gradient_factories.py'}:planted_torch")
    assert run.returncode == 1
    assert "first derivatives" in run.stderr
    assert "check-gradients: bug" in run.stdout
    assert "next: derive the backward rule" in run.stdout
