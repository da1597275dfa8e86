"""probe_model: its numbers, where it says that a fault is, and input that cannot be used."""

import importlib
import json
import math
import subprocess
import sys
import textwrap
from pathlib import Path

import corpus_healthy
import expected_loss
import jax
import jax.numpy as jnp
import model_corpus
import numpy as np
import probe_judging as judging
import probe_model
import probe_recording
import pytest
import torch
from probe_gradients import Layer
from probe_recording import Activation, Call, Moments, Recording
from torch import nn

from dltools import target

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = ROOT / "skills/training-diagnostics/scripts/probe_model.py"
ASSETS = ROOT / "skills/training-diagnostics/assets"
F = nn.functional
torch.set_num_threads(1)
pytestmark = pytest.mark.usefixtures("quick_compilation")


@pytest.fixture
def written(tmp_path):
    """Writes a target file and returns its spec."""

    def write(text, factory="build"):
        (tmp_path / "mine.py").write_text(textwrap.dedent(text))
        return f"{tmp_path / 'mine.py'}:{factory}"

    return write


def torch_target(model, x, y, loss=F.cross_entropy, **more):
    common = {
        "optimizer": None,
        "num_classes": None,
        "labels": None,
        "properties": {},
        "batch": (x, y),
        "loss_fn": loss,
    }
    return importlib.import_module("dltools.torch_target").TorchTarget.build(model, {**common, **more}, "cpu")


def jax_target(params, apply, x, y, loss, **more):
    common = {
        "optimizer": None,
        "num_classes": None,
        "labels": None,
        "properties": {},
        "batch": (x, y),
        "loss_fn": loss,
    }
    return importlib.import_module("dltools.jax_target").JaxTarget.build(
        "function", None, params, apply, {**common, **more}
    )


def found(report):
    return {finding.id: finding for finding in report.findings}


class TestDerivatives:
    modules = {
        "relu": nn.ReLU(),
        "relu6": nn.ReLU6(),
        "elu": nn.ELU(),
        "selu": nn.SELU(),
        "gelu": nn.GELU(),
        "silu": nn.SiLU(),
        "softplus": nn.Softplus(),
        "sigmoid": nn.Sigmoid(),
        "tanh": nn.Tanh(),
        "hardtanh": nn.Hardtanh(),
        "hardsigmoid": nn.Hardsigmoid(),
    }

    @pytest.mark.parametrize("name", probe_recording.ACTIVATIONS)
    def test_equal_those_of_autograd_over_their_largest(self, name):
        z = torch.linspace(-8, 8, 1601, dtype=torch.float64, requires_grad=True)
        slope = torch.autograd.grad(self.modules[name](z).sum(), z)[0].abs().numpy()
        ours = probe_recording.ACTIVATIONS[name](z.detach().numpy())
        # at kinks either side is right
        kinks = np.isin(np.round(z.detach().numpy(), 6), [-3, -1, 0, 1, 3, 6])
        assert np.allclose(ours[~kinks], (slope / slope.max())[~kinks], atol=5e-3)

    def test_the_limits_of_saturation_that_the_text_names(self):
        for name, limit in (("tanh", 2.18), ("sigmoid", 4.36)):
            derivative = probe_recording.BOUNDED[name]
            assert derivative(np.array(limit - 0.01)) > probe_recording.SATURATED > derivative(np.array(limit + 0.01))


class TestDeadUnits:
    def counted(self, bias, inputs):
        model = nn.Sequential(nn.Linear(3, 4, bias=True), nn.ReLU(), nn.Linear(4, 2))
        with torch.no_grad():
            model[0].weight.zero_()
            model[0].weight[:, 0] = 1.0
            model[0].bias.copy_(torch.tensor(bias))
        report = probe_model.probe(torch_target(model, inputs, torch.arange(len(inputs)) % 2))
        return report, report.measured["activations"][0]

    def test_a_unit_that_is_active_once_is_sparse_and_not_dead(self):
        inputs = torch.zeros(100, 3)
        inputs[0, 0] = 1.0
        report, row = self.counted([-0.5, -0.5, -0.5, -2.0], inputs)
        assert row["dead"] == 1
        assert row["zero_share"] == pytest.approx(397 / 400)
        assert "dead-units" not in found(report)

    def test_a_further_batch_can_show_that_a_unit_is_alive(self):
        model = nn.Sequential(nn.Linear(1, 2), nn.ReLU(), nn.Linear(2, 2))
        with torch.no_grad():
            model[0].weight.copy_(torch.tensor([[1.0], [1.0]]))
            model[0].bias.copy_(torch.tensor([-2.0, -2.0]))
        y = torch.arange(16) % 2
        loaded = torch_target(model, torch.zeros(16, 1), y)
        assert found(probe_model.probe(loaded))["dead-units"].values["dead"] == 2
        report = probe_model.probe(loaded, batches=[(torch.full((16, 1), 3.0), y)])
        assert "dead-units" not in found(report)
        assert report.measured["activations"][0]["values_per_unit"] == 32
        assert "2 batches" in report.notes[-1]

    def test_the_same_batch_again_is_named_as_such(self):
        loaded = model_corpus.load("torch_dead")
        report = probe_model.probe(loaded, batches=[loaded.batch])
        assert any("same batch" in note for note in report.notes)

    @pytest.mark.parametrize("name", ["torch_dead", "linen_dead", "function_dead"])
    def test_all_units_of_the_layer_are_counted(self, name):
        finding = found(model_corpus.run("probe_model", name))["dead-units"]
        assert finding.values["dead"] == finding.values["units"]
        assert "relu" in finding.where

    def test_images_with_channels_first_and_last_count_channels(self):
        x = torch.randn(5, 1, 8, 8)
        model = nn.Sequential(nn.Conv2d(1, 6, 3), nn.ReLU(), nn.Flatten(), nn.Linear(216, 2))
        rows = probe_model.probe(torch_target(model, x, torch.arange(5) % 2)).measured["activations"]
        assert (rows[0]["units"], rows[0]["values_per_unit"]) == (6, 5 * 36)
        rows = model_corpus.run("probe_model", "linen_segmentation").measured["activations"]
        assert rows[0]["units"] == 8
        rows = model_corpus.run("probe_model", "equinox_cnn").measured["activations"]
        assert rows[0]["units"] == 6


class TestWhere:
    @pytest.mark.parametrize(
        ("name", "where", "message"),
        [
            ("torch_log_of_zero", "2", "log"),
            ("linen_log_of_zero", "Log_0", "log at corpus_planted.py"),
            ("torch_half_overflow", "hidden", "linear"),
            ("function_half_overflow", "dot_general at corpus_planted.py", "dot_general"),
        ],
    )
    def test_the_first_value_that_is_not_finite(self, name, where, message):
        finding = model_corpus.run("probe_model", name).findings[0]
        assert finding.id == "non-finite-activation"
        assert finding.where.startswith(where)
        assert message in finding.message

    def test_float16_overflow_names_the_limit(self):
        finding = model_corpus.run("probe_model", "torch_half_overflow").findings[0]
        assert str(int(torch.finfo(torch.float16).max)) in finding.next_step

    def test_the_operation_whose_derivative_is_not_finite(self):
        assert "sqrt" in model_corpus.run("probe_model", "torch_root_of_zero").findings[0].message
        message = model_corpus.run("probe_model", "nnx_root_of_zero").findings[0].message
        assert "corpus_planted.py" in message

    def test_masks_of_minus_infinity_are_no_fault(self):
        report = model_corpus.run("probe_model", "torch_language_model_tied")
        assert report.findings == ()

    def test_inputs_and_weights_that_are_not_finite_come_first(self):
        x, y = torch.rand(8, 3), torch.arange(8) % 2
        bad = x.clone()
        bad[0, 0] = math.nan
        assert probe_model.probe(torch_target(nn.Linear(3, 2), bad, y)).findings[0].where == "inputs"
        model = nn.Linear(3, 2)
        model.weight.data[0, 0] = math.inf
        assert probe_model.probe(torch_target(model, x, y)).findings[0].where == "weight"

    @pytest.mark.parametrize(
        ("name", "wanted", "where"),
        [
            ("torch_frozen", "frozen-parameters", "hidden"),
            ("torch_not_in_optimizer", "frozen-parameters", "hidden"),
            ("function_masked_optimizer", "frozen-parameters", "layer_00"),
            ("torch_detached", "no-gradient", "hidden"),
            ("nnx_stop_gradient", "no-gradient", "hidden"),
            ("equinox_stop_gradient", "no-gradient", "first"),
            ("torch_unused", "unused-module", "extra"),
            ("nnx_unused", "unused-module", "extra"),
            ("function_unused", "unused-module", "extra"),
            ("torch_float64_constant", "dtype-changed", "scale"),
            ("nnx_bfloat16_lost", "dtype-changed", "hidden"),
            ("equinox_saturated_tanh", "saturated-units", "model (tanh)"),
        ],
    )
    def test_the_module(self, name, wanted, where):
        finding = found(model_corpus.run("probe_model", name))[wanted]
        assert finding.where == where


class TestNumbers:
    def test_update_over_weight_is_the_step_of_gradient_descent(self):
        torch.manual_seed(0)
        model = nn.Linear(6, 3)
        x, y = torch.randn(16, 6), torch.arange(16) % 3
        loaded = torch_target(model, x, y, optimizer=torch.optim.SGD(model.parameters(), lr=0.5))
        _, gradients = loaded.loss_and_gradients()
        row = next(r for r in probe_model.probe(loaded).measured["layers"] if r["parameter"] == "weight")
        assert row["gradient_rms"] == pytest.approx(float(gradients["weight"].pow(2).mean().sqrt()), rel=1e-5)
        expected = 0.5 * float(gradients["weight"].norm() / model.weight.detach().norm())
        assert row["update_ratio"] == pytest.approx(expected, rel=1e-4)

    def test_the_ratio_of_gradients_does_not_depend_on_the_reduction_of_the_loss(self):
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 3))
        x, y = torch.randn(16, 6), torch.arange(16) % 3
        ratios = []
        for reduction in ("mean", "sum"):
            rows = probe_model.probe(torch_target(model, x, y, nn.CrossEntropyLoss(reduction=reduction))).measured[
                "layers"
            ]
            sizes = [row["gradient_rms"] for row in rows]
            ratios.append([size / sizes[0] for size in sizes])
        assert ratios[0] == pytest.approx(ratios[1], rel=1e-4)

    def test_depth_and_initialisation_decide_and_not_the_name_of_the_activation(self):
        def ratio(activation, gain):
            torch.manual_seed(0)
            layers = []
            for _ in range(20):
                layers += [nn.Linear(64, 64), activation()]
                if gain:
                    nn.init.xavier_normal_(layers[-2].weight, gain=gain)
                    nn.init.zeros_(layers[-2].bias)
            model = nn.Sequential(*layers, nn.Linear(64, 10))
            x, y = torch.tensor(model_corpus.corpus_healthy.data.digits(64)[0]), torch.arange(64) % 10
            return found(probe_model.probe(torch_target(model, x, y)))

        assert "vanishing-gradients" in ratio(nn.Sigmoid, 1.0)
        assert "vanishing-gradients" in ratio(nn.ReLU, None)
        assert "vanishing-gradients" not in ratio(nn.ReLU, 2**0.5)
        assert "vanishing-gradients" not in ratio(nn.Tanh, 1.0)

    def test_a_branch_that_starts_at_zero_gets_its_gradient_later(self):
        report = model_corpus.run("probe_model", "torch_resnet_zero_branch")
        silent = [row for row in report.measured["layers"] if row["gradient_rms"] == 0]
        assert silent
        assert report.findings == ()


class TestThresholds:
    """Each lies where references/probing-a-model.md puts it: nothing just below, a finding just above."""

    def layers(self, small):
        sizes = {"first.weight": small, "last.weight": 1.0}
        return [Layer(name, (4, 4), "float32", 1.0, size, True) for name, size in sizes.items()]

    def activation(self, name, active, saturated=0.0, values=16):
        units = np.arange(100) < active
        return Recording(activations=[Activation("1", name, units, saturated, 0.5, values)])

    def growing(self, times):
        before, after = (Moments(0.0, 1.0, rms, rms, 0, 0, 0, "float32") for rms in (1.0, times))
        return Recording(calls=[Call("layer", "Linear", False, before, after)])

    def test_init_loss(self):
        expected = expected_loss.Expected("cross-entropy", untrained=2.0, constant=2.0, classes=7)
        assert not judging.initial_loss(3.99, expected)
        assert judging.initial_loss(4.01, expected)

    def test_vanishing(self):
        assert not judging.vanishing(self.layers(1.1e-5), set())
        assert judging.vanishing(self.layers(0.9e-5), set())

    def test_exploding(self):
        own = {"layer": [Layer("layer.weight", (4, 4), "float32", 1.0, 1.0, True)]}
        assert not judging.exploding(self.growing(99), own)
        assert judging.exploding(self.growing(101), own)

    def test_dead(self):
        assert not judging.dead(self.activation("relu", 50), "all")
        assert judging.dead(self.activation("relu", 49), "all")
        assert not judging.dead(self.activation("relu", 49, values=15), "all")

    def test_saturated(self):
        assert not judging.saturated(self.activation("tanh", 100, 0.5))
        assert judging.saturated(self.activation("tanh", 100, 0.51))

    def test_twins(self):
        assert not judging.symmetric({"w": (5, 10)})
        assert judging.symmetric({"w": (6, 10)})

    def test_inactive(self):
        # the slope of ELU is exp(z)
        for z, active in ((math.log(1.01e-3), True), (math.log(0.99e-3), False)):
            entry = probe_recording.activation("1", "elu", torch.full((20, 1), z, dtype=torch.float64), 1)
            assert entry.active.all() == active


def test_about_half_of_the_values_behind_a_relu_are_zero():
    shares = []
    for name in corpus_healthy.TEST:
        if name.startswith("torch"):
            rows = model_corpus.run("probe_model", name).measured["activations"]
            shares += [row["zero_share"] for row in rows if row["where"].endswith("(relu)")]
    assert len(shares) >= 5
    assert 0.35 < np.mean(shares) < 0.65


class TestExpectedLoss:
    x = np.random.default_rng(0).normal(size=(12, 5)).astype(np.float32)

    def of(self, outputs, y, loss):
        loaded = torch_target(nn.Linear(5, 3), torch.tensor(self.x), torch.as_tensor(y), loss)
        return expected_loss.expected_loss(loaded, torch.as_tensor(outputs))

    def test_cross_entropy_over_c_classes_is_the_logarithm_of_c(self):
        y = np.arange(12) % 3
        got = self.of(np.zeros((12, 7), np.float32), y, F.cross_entropy)
        assert (got.kind, got.classes) == ("cross-entropy", 7)
        assert got.untrained == pytest.approx(math.log(7), rel=1e-6)
        # three labels, equally often
        assert got.constant == pytest.approx(math.log(3), rel=1e-6)

    def test_a_sum_is_the_number_of_terms_times_as_much(self):
        got = self.of(np.zeros((12, 4), np.float32), np.zeros(12, int), nn.CrossEntropyLoss(reduction="sum"))
        assert got.untrained == pytest.approx(12 * math.log(4), rel=1e-5)
        assert got.constant == 0

    def test_dense_labels_have_their_classes_along_axis_one(self):
        got = self.of(np.zeros((12, 4, 2, 2), np.float32), np.ones((12, 2, 2), int), F.cross_entropy)
        assert (got.class_axis, got.classes) == (1, 4)

    def test_binary(self):
        y = np.float32(np.arange(12) % 4 == 0)[:, None]
        got = self.of(np.zeros((12, 1), np.float32), y, F.binary_cross_entropy_with_logits)
        assert got.kind == "binary-cross-entropy"
        assert got.untrained == pytest.approx(math.log(2), rel=1e-5)
        assert got.constant == pytest.approx(-0.25 * math.log(0.25) - 0.75 * math.log(0.75), rel=1e-5)

    def test_squared_error_of_the_best_constant_is_the_variance(self):
        y = np.float32(self.x[:, :1] * 3 + 7)
        got = self.of(np.zeros((12, 1), np.float32), y, F.mse_loss)
        assert got.kind == "squared-error"
        assert got.untrained == pytest.approx(float(y.var()), rel=1e-4)

    def test_absolute_error(self):
        y = np.float32(self.x[:, :1])
        got = self.of(np.zeros((12, 1), np.float32), y, F.l1_loss)
        assert got.kind == "absolute-error"
        assert got.untrained == pytest.approx(float(np.abs(y - np.median(y)).mean()), rel=1e-4)

    @pytest.mark.parametrize("loss", [F.hinge_embedding_loss, lambda o, t: (o.abs() ** 3).mean()])
    def test_another_loss_is_not_judged(self, loss):
        got = self.of(np.zeros((12, 1), np.float32), np.float32(self.x[:, :1]), loss)
        assert got.kind == ""
        assert "none of" in got.why

    def test_what_applies_an_activation_itself(self):
        y = np.arange(12) % 3
        got = self.of(np.zeros((12, 3), np.float32), y, lambda o, t: F.cross_entropy(F.softmax(o, 1), t))
        assert got.applied_twice == "softmax"
        assert got.perfect == pytest.approx(math.log(math.e + 2) - 1, rel=1e-3)
        y = np.float32(y[:, None] == 0)
        got = self.of(
            np.zeros((12, 1), np.float32), y, lambda o, t: F.binary_cross_entropy_with_logits(torch.sigmoid(o), t)
        )
        assert got.applied_twice == "sigmoid"

    def test_bfloat16(self):
        got = self.of(torch.zeros(12, 3, dtype=torch.bfloat16), np.arange(12) % 3, F.cross_entropy)
        assert got.kind == "cross-entropy"


def test_a_trained_model_is_not_blamed_for_a_low_loss():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
    x, y = map(torch.tensor, model_corpus.corpus_healthy.data.digits(64))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(100):
        optimizer.zero_grad()
        F.cross_entropy(model(x), y).backward()
        optimizer.step()
    report = probe_model.probe(torch_target(model, x, y, optimizer=optimizer))
    assert report.verdict == "healthy"
    assert any("trained" in note for note in report.notes)


def test_a_schedule_that_warms_up_from_zero_is_no_frozen_model():
    import optax

    optimizer = optax.adam(optax.linear_schedule(0.0, 1e-3, 10))
    params = {"w": 0.1 * jax.random.normal(jax.random.key(0), (4, 3))}
    x, y = jax.random.normal(jax.random.key(1), (12, 4)), jnp.arange(12) % 3

    def loss(o, t):
        return optax.softmax_cross_entropy_with_integer_labels(o, t).mean()

    assert (
        probe_model.probe(jax_target(params, lambda p, x: x @ p["w"], x, y, loss, optimizer=optimizer)).verdict
        == "healthy"
    )


HEAD = """\
import torch
import jax, jax.numpy as jnp
from torch import nn
X, Y = torch.rand(16, 4), torch.arange(16) % 3
def base(model, x=X, y=Y, loss=nn.functional.cross_entropy):
    return dict(model=model, batch=(x, y), loss_fn=loss)
class Raises(nn.Linear):
    def forward(self, x):
        raise KeyError("no such head")
class Whole(nn.Module):
    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.arange(12).reshape(3, 4), requires_grad=False)
    def forward(self, x):
        return x @ self.w.float().T
class Two(nn.Linear):
    def forward(self, x):
        out = super().forward(x)
        return {"logits": out, "ids": out.argmax(1)}
def jax_base(apply):
    return dict(params={"w": jnp.ones((4, 3))}, apply=apply, batch=(jnp.ones((8, 4)), jnp.zeros(8, int)), loss_fn=lambda o, t: o.mean())
def branches(p, x):
    y = x @ p["w"]
    return y if float(y.sum()) > 0 else -y
def build():
    return """

UNUSABLE = [
    ("base(Raises(4, 3))", "at mine.py:9: KeyError"),
    ("base(Whole())", "no trainable floating-point parameter"),
    ("base(nn.Softmax(1))", "no trainable floating-point parameter"),
    ("base(nn.Linear(4, 3).requires_grad_(False))", "no trainable floating-point parameter"),
    ("base(nn.Linear(4, 3), loss=lambda o, t: 'low')", "returned a str, not one number"),
    ("base(nn.Linear(4, 3, device='meta'))", "meta tensor"),
    ("base(nn.Linear(4, 3), y=Y[:5])", "Expected input batch_size"),
    ("base(nn.Linear(5, 3))", "shapes cannot be multiplied"),
    ("base(nn.BatchNorm1d(4), X[:1], Y[:1])", "more than 1 value per channel"),
    ("jax_base(branches)", "at mine.py:24: ConcretizationTypeError"),
    ("jax_base(lambda p, x: x @ p['v'])", "KeyError"),
]


@pytest.mark.parametrize(("returned", "message"), UNUSABLE)
@pytest.mark.parametrize("tool", ["probe_model", "sanity_suite"])
def test_input_that_cannot_be_used_gets_a_sentence(written, capsys, tool, returned, message):
    module = importlib.import_module(tool)
    with pytest.raises(SystemExit) as ended:
        module.main(written(HEAD + returned + "\n"), as_json=True)
    assert ended.value.code == 2
    said = json.loads(capsys.readouterr().out)
    assert said["verdict"] == "unusable-input"
    assert message in said["error"]


@pytest.mark.parametrize(
    "returned",
    [
        "base(nn.Sequential(nn.Linear(4, 8), nn.GELU(), nn.Linear(8, 3)).bfloat16(), X.bfloat16())",
        "base(nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3)), X[:1], Y[:1])",
        "base(Two(4, 3), loss=lambda o, t: nn.functional.cross_entropy(o['logits'], t))",
    ],
)
def test_narrow_weights_one_example_and_outputs_by_name(written, returned):
    loaded = target.load(written(HEAD + returned + "\n"))
    before = loaded.fingerprint()
    report = probe_model.probe(loaded)
    assert report.findings == ()
    assert report.measured["expected"]["kind"] == "cross-entropy"
    assert loaded.fingerprint() == before


def test_a_loss_that_is_not_one_number(written, capsys):
    spec = written(HEAD + "base(nn.Linear(4, 3), loss=nn.CrossEntropyLoss(reduction='none'))\n")
    with pytest.raises(SystemExit) as ended:
        probe_model.main(spec, as_json=True)
    assert ended.value.code == 2
    assert "not one number" in json.loads(capsys.readouterr().out)["error"]


def run(*arguments):
    return subprocess.run([sys.executable, str(SCRIPT), *arguments], capture_output=True, text=True)


@pytest.mark.parametrize("name", ["pytorch", "flax_nnx", "flax_linen", "equinox", "function"])
def test_every_template_is_healthy(name, capsys):
    with pytest.raises(SystemExit) as ended:
        probe_model.main(f"{ASSETS}/target_{name}.py:build", as_json=True)
    said = json.loads(capsys.readouterr().out)
    assert ended.value.code == 0
    assert (said["tool"], said["verdict"], said["findings"]) == ("probe_model", "healthy", [])
    assert said["measured"]["loss"] == pytest.approx(math.log(10), abs=0.05)


def test_the_command_line_for_a_person_and_for_several_batches(written):
    spec = written("""\
        import torch
        draws = iter(range(100))
        def build():
            torch.manual_seed(0)
            model = torch.nn.Sequential(torch.nn.Linear(4, 6), torch.nn.ReLU(), torch.nn.Linear(6, 2))
            torch.manual_seed(next(draws))
            return dict(model=model, batch=(torch.randn(10, 4), torch.arange(10) % 2), loss_fn=torch.nn.functional.cross_entropy)
        """)
    done = run("--target", spec, "--batches", "3")
    assert done.returncode == 0
    assert "3 batches of 10" in done.stdout
    assert "0.weight" in done.stderr


def test_help_teaches():
    done = run("--help")
    assert done.returncode == 0
    for word in ("--target", "target.py:build", "dead-units", "Exit status"):
        assert word in done.stdout
