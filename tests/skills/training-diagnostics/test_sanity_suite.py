"""sanity_suite: each check's three answers, what it leaves behind, and its command line."""

import json
import math
import subprocess
import sys
from pathlib import Path

import model_corpus
import numpy as np
import pytest
import sanity_checks
import sanity_labels
import sanity_suite
import torch
from sanity_training import Training, train
from test_probe_model import F, jax_target, torch_target
from torch import nn

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = ROOT / "skills/training-diagnostics/scripts/sanity_suite.py"
ASSETS = ROOT / "skills/training-diagnostics/assets"
torch.set_num_threads(1)
pytestmark = pytest.mark.usefixtures("quick_compilation")


def mlp(sizes=(6, 16, 3), seed=0):
    torch.manual_seed(seed)
    layers = [layer for a, b in zip(sizes, sizes[1:], strict=False) for layer in (nn.Linear(a, b), nn.ReLU())]
    return nn.Sequential(*layers[:-1])


def batch(size=40, seed=1):
    torch.manual_seed(seed)
    x = torch.randn(size, 6)
    return x, x[:, :3].argmax(dim=1)


def checks_of(report):
    return {name: check["status"] for name, check in report.measured["checks"].items()}


def test_every_check_has_an_answer_and_a_reason():
    report = sanity_suite.run_suite(torch_target(mlp(), *batch()))
    answers = checks_of(report)
    undecided = {name for name, status in answers.items() if status == "cannot-decide"}
    assert undecided == {"dropout"}
    assert set(answers.values()) == {"passed", "cannot-decide"}
    assert all(check["reason"] for check in report.measured["checks"].values())
    assert any(note.startswith("dropout: cannot decide") for note in report.notes)


def test_a_batch_of_one_decides_nothing_about_batches():
    report = sanity_suite.run_suite(torch_target(mlp(), *batch(1)))
    answers = checks_of(report)
    assert {answers[name] for name in ("batch-mixing", "labels", "zero-input")} == {"cannot-decide"}
    assert report.findings == ()


def test_labels_drawn_at_random_are_not_called_misaligned():
    x, _ = batch(60)
    for seed in range(5):
        y = torch.tensor(np.random.default_rng(seed).integers(0, 3, 60))
        loaded = torch_target(mlp(), x, y)
        expected = sanity_suite_expected(loaded)
        assert sanity_labels.labels(loaded, expected, seed).status == "cannot-decide"


def sanity_suite_expected(loaded):
    from expected_loss import expected_loss

    return expected_loss(loaded, loaded.outputs())


@pytest.mark.parametrize("shift", [-3, -1, 2])
def test_the_shift_that_would_be_right_is_named(shift):
    x, y = model_corpus.corpus_healthy.data.digits(96)
    loaded = torch_target(mlp((64, 16, 10)), torch.tensor(x), torch.tensor(np.roll(y, shift)))
    check = sanity_labels.labels(loaded, sanity_suite_expected(loaded), 0)
    assert check.values["best_other_order"] == f"shifted by {-shift}"
    assert check.findings[0].id == "labels-misaligned"


def test_batch_normalisation_mixes_in_training_only():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.Linear(8, 3))
    assert sanity_checks.batch_mixing(torch_target(model, *batch()), 0).status == "passed"
    model[1] = nn.BatchNorm1d(8, track_running_stats=False)
    assert sanity_checks.batch_mixing(torch_target(model, *batch()), 0).findings[0].id == "batch-mixing"


def test_mixing_that_is_declared_is_no_fault():
    loaded = model_corpus.load("torch_softmax_over_batch")
    loaded.properties = {"batch_independent": False}
    assert sanity_checks.batch_mixing(loaded, 0).status == "cannot-decide"


def test_a_mean_over_the_batch_but_a_sum_within_an_example_is_a_mean():
    loaded = torch_target(mlp((6, 16, 3)), batch()[0], torch.randn(40, 3), lambda o, t: ((o - t) ** 2).sum(1).mean())
    assert sanity_checks.loss_reduction(loaded, 0).status == "passed"


def test_a_contrastive_loss_is_not_decided():
    def info_nce(o, t):
        o = F.normalize(o, dim=1)
        return F.cross_entropy(o @ o.T / 0.5, torch.arange(len(o)))

    assert sanity_checks.loss_reduction(torch_target(mlp(), *batch(), info_nce), 0).status == "cannot-decide"


def test_probabilities_into_a_loss_on_probabilities_are_right():
    loaded = model_corpus.load("torch_binary_sigmoid_bce")
    assert sanity_checks.applied_twice(loaded, sanity_suite_expected(loaded), 0).findings == []


def test_logits_that_happen_to_lie_in_the_unit_interval_are_logits():
    model = nn.Linear(6, 3)
    with torch.no_grad():
        model.weight.mul_(1e-3)
        model.bias.fill_(0.5)
    loaded = torch_target(model, *batch())
    assert sanity_checks.applied_twice(loaded, sanity_suite_expected(loaded), 0).status == "passed"


class TestOverfit:
    def overfit(self, loaded, **more):
        arguments = {"steps": 300, "seconds": 60.0, "seed": 0, "compiled": {}, "tick": lambda: None, **more}
        return sanity_checks.overfit(loaded, **arguments)

    def test_adam_helps_out_where_the_optimizer_is_too_slow(self):
        model = mlp()
        optimizer = torch.optim.SGD(model.parameters(), lr=1e-7)
        check, runs = self.overfit(torch_target(model, *batch(), optimizer=optimizer))
        assert check.status == "passed"
        assert [run.why_ended for run in runs] == ["steps", "steps", "reached"] or runs[-1].why_ended == "reached"
        assert "learning rate" in check.reason

    def test_the_goal_is_a_tenth_of_the_way_from_the_best_constant(self):
        x, y = batch(40)
        check, runs = self.overfit(torch_target(mlp(), x, y))
        assert check.values["examples"] == 32
        shares = torch.bincount(y[:32]) / 32
        entropy = float(-(shares * shares.log()).sum())
        assert check.values["goal"] == pytest.approx(0.1 * entropy, rel=1e-4)
        assert runs[-1].lowest <= check.values["goal"]

    @pytest.mark.parametrize(("lowest", "status"), [(0.49, "cannot-decide"), (0.51, "failed")])
    def test_more_than_half_of_the_loss_of_a_constant_is_a_failure(self, monkeypatch, lowest, status):
        x, y = batch(32)
        entropy = sanity_suite_expected(torch_target(mlp(), x, y)).constant

        def stopped(*_, **__):
            return Training("Adam", [entropy, lowest * entropy], lowest * entropy, 1, "steps")

        monkeypatch.setattr(sanity_checks, "train", stopped)
        check, _ = self.overfit(torch_target(mlp((6, 64, 3)), x, y))
        assert check.status == status

    @pytest.mark.parametrize(("width", "status"), [(31, "cannot-decide"), (32, "failed")])
    def test_ten_parameters_for_each_example_are_asked_for(self, monkeypatch, width, status):
        def stopped(*_, **__):
            return Training("Adam", [9.0, 9.0], 9.0, 1, "steps")

        monkeypatch.setattr(sanity_checks, "train", stopped)
        x, y = batch(32)
        model = mlp((6, width, 3))
        parameters = sum(parameter.numel() for parameter in model.parameters())
        assert (parameters < 320) == (status == "cannot-decide")
        check, _ = self.overfit(torch_target(model, x, y))
        assert check.status == status

    def test_a_loss_of_unknown_kind_is_held_against_its_start(self):
        loaded = torch_target(mlp(), *batch(), lambda o, t: F.cross_entropy(o, t) ** 2)
        check, _ = self.overfit(loaded)
        assert check.values["best_constant"] is None
        assert check.status == "passed"

    def test_too_few_parameters_prove_nothing(self):
        model = nn.Linear(1, 3)
        check, _ = self.overfit(torch_target(model, torch.zeros(40, 1), batch()[1]), steps=30)
        assert check.status == "cannot-decide"
        assert "6 parameters" in check.reason

    def test_a_limit_of_time_is_kept(self):
        loaded = model_corpus.load("torch_input_zeroed")
        check, runs = self.overfit(loaded, seconds=0.03, steps=10**9)
        assert {run.why_ended for run in runs} == {"seconds"}
        assert check.status == "cannot-decide"

    def test_the_training_is_that_of_the_optimizer(self):
        torch.manual_seed(0)
        model = mlp()
        x, y = batch()
        twin = mlp()
        twin.load_state_dict(model.state_dict())
        loaded = torch_target(model, x, y, optimizer=torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9))
        before = loaded.fingerprint()
        run = train(loaded, (x, y), -math.inf, own_optimizer=True, steps=5, seconds=60, seed=0, compiled={})
        assert loaded.fingerprint() == before
        optimizer, losses = torch.optim.SGD(twin.parameters(), lr=0.1, momentum=0.9), []
        for _ in range(6):
            optimizer.zero_grad()
            loss = F.cross_entropy(twin(x), y)
            losses.append(float(loss.detach()))
            loss.backward()
            optimizer.step()
        assert run.losses == pytest.approx(losses, rel=1e-5)

    def test_the_training_in_jax_is_that_of_the_optimizer(self):
        import jax
        import jax.numpy as jnp
        import optax

        params = {"w": jax.random.normal(jax.random.key(0), (6, 3))}
        x, y = (jnp.asarray(part.numpy()) for part in batch())

        def loss(o, t):
            return optax.softmax_cross_entropy_with_integer_labels(o, t).mean()

        loaded = jax_target(params, lambda p, x: x @ p["w"], x, y, loss, optimizer=optax.sgd(0.5))
        run = train(loaded, (x, y), -math.inf, own_optimizer=True, steps=4, seconds=60, seed=0, compiled={})
        losses, w = [], params["w"]
        for _ in range(5):
            value, slope = jax.value_and_grad(lambda w: loss(x @ w, y))(w)
            losses.append(float(value))
            w = w - 0.5 * slope
        assert run.losses == pytest.approx(losses, rel=1e-5)


def test_a_loss_that_is_not_one_number_ends_the_suite_with_that_finding():
    report = model_corpus.run("sanity_suite", "torch_unreduced")
    assert [finding.id for finding in report.findings] == ["loss-reduction"]
    assert report.findings[0].values["shape"] == [64]


def test_findings_of_the_probe_explain_why_it_cannot_learn():
    report = model_corpus.run("sanity_suite", "torch_input_zeroed")
    assert "input-ignored" in {finding.id for finding in report.findings}
    broken = sanity_suite.run_suite(model_corpus.load("torch_log_of_zero"))
    assert {"non-finite-activation", "non-finite-loss"} == {finding.id for finding in broken.findings}
    assert checks_of(broken)["overfit"] == "cannot-decide"


def test_where_noise_comes_from():
    found = model_corpus.run("sanity_suite", "torch_functional_dropout_always").findings[0]
    assert found.where == "model (dropout)"
    assert model_corpus.run("sanity_suite", "torch_dropout_left_in_eval").findings[0].where.startswith("dropout")
    assert model_corpus.run("sanity_suite", "linen_dropout_deterministic").findings[0].where == "Dropout_0"


@pytest.mark.parametrize("name", ["pytorch", "flax_nnx", "flax_linen", "equinox", "function"])
def test_every_template_is_healthy(name, capsys):
    with pytest.raises(SystemExit) as ended:
        sanity_suite.main(f"{ASSETS}/target_{name}.py:build", as_json=True)
    said = json.loads(capsys.readouterr().out)
    assert ended.value.code == 0
    assert (said["tool"], said["verdict"], said["findings"]) == ("sanity_suite", "healthy", [])


def test_the_command_line_as_one_json_object_and_as_text():
    target = f"{ASSETS}/target_pytorch.py:build"
    done = subprocess.run([sys.executable, str(SCRIPT), "--target", target, "--json"], capture_output=True, text=True)
    assert done.returncode == 0
    assert json.loads(done.stdout)["measured"]["checks"]["overfit"]["status"] == "passed"
    done = subprocess.run([sys.executable, str(SCRIPT), "--target", target], capture_output=True, text=True)
    assert done.stdout.splitlines()[0] == "sanity_suite: healthy"
    assert "batch-mixing" in done.stderr


def test_help_teaches():
    done = subprocess.run([sys.executable, str(SCRIPT), "--help"], capture_output=True, text=True)
    assert done.returncode == 0
    for word in ("--seconds", "target.py:build", "cannot-overfit", "Exit status"):
        assert word in done.stdout
