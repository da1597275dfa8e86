"""The learning rate range test on digits, in PyTorch and JAX, and on targets that give no answer."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

ROOT = Path(__file__).resolve().parents[3]
SCRIPTS = ROOT / "skills/deep-learning-experimentation/scripts"
TARGETS = Path(__file__).with_name("range_targets.py")
sys.path.insert(0, str(SCRIPTS))

import lr_range_test as tool  # noqa: E402
from dltools.report import UnusableInput  # noqa: E402
from dltools.target import load  # noqa: E402


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def answer(factory, **options):
    return tool.judge(*tool.range_test(load(f"{TARGETS}:{factory}"), **options))


def command(*arguments):
    return subprocess.run(
        [sys.executable, str(SCRIPTS / "lr_range_test.py"), *map(str, arguments)], capture_output=True, text=True
    )


def test_digits_with_sgd():
    report = answer("torch_sgd")
    measured = report.measured
    assert (report.verdict, report.exit_status) == ("range-found", 0)
    assert 0.1 < measured["steepest"] < 0.5 < measured["last_stable"] < measured["diverges_at"] < 2


def test_training_at_the_rates_that_were_found():
    """A constant rate at the steepest point trains; one well above divergence does not."""
    measured = answer("torch_sgd").measured

    def trained(rate):
        target = load(f"{TARGETS}:torch_sgd")
        step = tool._torch_trainer(target, "sgd", 0)
        rng = np.random.default_rng(0)
        return [step(tool._examples(target.batch, rng.choice(1797, 64).tolist()), rate) for _ in range(100)]

    assert np.mean(trained(measured["steepest"])[-10:]) < 0.4 * measured["initial_loss"]
    assert not np.mean(trained(3 * measured["diverges_at"])[-10:]) < 0.8 * measured["initial_loss"]


@pytest.mark.parametrize(("ours", "twin"), [("torch_sgd", "jax_sgd"), ("torch_adam", "jax_injected")])
def test_jax_gives_the_same_curve(ours, twin):
    options = {"steps": 60, "repeats": 1, "end": 0.1}
    (_, first), (_, second) = (tool.range_test(load(f"{TARGETS}:{name}"), **options) for name in (ours, twin))
    assert first[0] == pytest.approx(second[0], rel=1e-3)


def test_adam_has_lower_rates_than_sgd():
    assert answer("torch_adam").measured["steepest"] < answer("torch_sgd").measured["steepest"] / 5


def test_flat_loss_has_no_answer():
    report = answer("torch_flat")
    assert (report.verdict, report.exit_status) == ("cannot-decide", 3)
    assert "no clear answer" in report.notes[0] and "steepest" not in report.measured


def test_noise_alone_has_no_answer():
    rates = np.geomspace(1e-5, 10, 120).tolist()
    for seed in range(50):
        rng = np.random.default_rng(seed)
        report = tool.judge(rates, [(2.3 + rng.normal(0, 0.2, 120)).tolist() for _ in range(3)])
        assert report.verdict == "cannot-decide"


def test_a_loss_that_rises_from_the_start_has_no_answer():
    report = answer("torch_sgd", start=5.0, end=50.0)
    assert report.verdict == "cannot-decide"
    assert "lower --start" in report.notes[0]


def test_a_drawn_curve_is_read_right():
    """Flat, falling around 0.01, rising from 0.3 on."""
    rates = np.geomspace(1e-5, 10, 200)
    log = np.log10(rates)
    loss = 2.3 - 1.5 / (1 + np.exp(-6 * (log + 2))) + np.where(log > -0.5, 40 * (log + 0.5) ** 3, 0)
    measured = tool.judge(rates.tolist(), [loss.tolist()]).measured
    assert measured["steepest"] == pytest.approx(0.01, rel=0.15)
    # a quarter of the fall of 1.5: 40 x^3 = 0.375 at 10^(-0.5 + 0.211)
    # read off to within the width of the smoothing, 3 % of six decades
    assert np.log10(measured["last_stable"]) == pytest.approx(-0.5 + 0.211, abs=0.18)
    assert np.log10(measured["diverges_at"]) == pytest.approx(-0.5 + (1.5 / 40) ** (1 / 3), abs=0.18)


def test_loss_that_does_not_rise_has_no_upper_limit():
    report = answer("torch_sgd", end=0.3)
    assert report.verdict == "no-divergence"
    assert report.measured["last_stable"] is None


@pytest.mark.parametrize("factory", ["torch_adam", "torch_named_inputs", "jax_injected"])
def test_the_target_is_as_before(factory):
    target = load(f"{TARGETS}:{factory}")
    before = target.fingerprint()
    tool.range_test(target, steps=40, repeats=1)
    assert target.fingerprint() == before


@pytest.mark.parametrize(
    ("factory", "message"), [("torch_detached", "detached"), ("jax_built_in", "inject_hyperparams")]
)
def test_unusable_targets(factory, message):
    with pytest.raises(UnusableInput, match=message):
        answer(factory)


def test_command_line(tmp_path):
    picture = tmp_path / "curve.png"
    result = command("--target", f"{TARGETS}:torch_sgd", "--json", "--plot", picture, "--repeats", "1")
    assert (result.returncode, json.loads(result.stdout)["verdict"]) == (0, "range-found"), result.stderr
    assert picture.read_bytes().startswith(b"\x89PNG")
    result = command("--target", f"{TARGETS}:torch_nan")
    assert result.returncode == 1 and "non-finite-loss" in result.stdout
    for wrong in (["--start", "1", "--end", "0.1"], ["--optimizer", "lion"]):
        result = command("--target", f"{TARGETS}:torch_sgd", *wrong)
        assert result.returncode == 2 and "Traceback" not in result.stderr
