"""The mean-field prediction against exact formulas, against real networks, and against real training."""

import json
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

ROOT = Path(__file__).resolve().parents[3]
SCRIPTS = ROOT / "skills/neural-network-mathematics/scripts"
sys.path.insert(0, str(SCRIPTS))

import mean_field  # noqa: E402
import signal_propagation  # noqa: E402
from dltools.report import UnusableInput  # noqa: E402


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def stack(activation, init, depth=20, width=400, **more):
    entry = {"activation": activation, "fan_in": width, "fan_out": width, "init": init, **more}
    layers = [signal_propagation.make_layer(entry)] * depth
    if init in ("unit", "critical"):
        layers[0] = signal_propagation.make_layer(entry | {"init": "normal", "std": width**-0.5})
    return layers


def command(*arguments):
    script = SCRIPTS / "signal_propagation.py"
    return subprocess.run([sys.executable, str(script), *arguments], capture_output=True, text=True)


@pytest.mark.parametrize(
    ("activation", "gain"),
    [("sigmoid", 1.846), ("tanh", 1.593), ("selu", 1.000), ("gelu", 1.534), ("silu", 1.677), ("relu", math.sqrt(2))],
)
def test_unit_gains(activation, gain):
    assert mean_field.unit_gain(activation) == pytest.approx(gain, abs=5e-4)


def test_torch_calculate_gain_is_not_the_unit_gain():
    ours = {name: mean_field.unit_gain(name) for name in ("sigmoid", "tanh", "selu")}
    theirs = {name: torch.nn.init.calculate_gain(name) for name in ours}
    assert theirs == pytest.approx({"sigmoid": 1, "tanh": 5 / 3, "selu": 0.75})
    assert all(abs(ours[name] / theirs[name] - 1) > 0.04 for name in ours)


@pytest.mark.parametrize("name", sorted(mean_field.ACTIVATIONS))
def test_activations_and_slopes_are_those_of_torch(name):
    from random_networks import _torch_activation

    x = torch.linspace(-6, 6, 241, dtype=torch.float64)[torch.arange(241) != 120].requires_grad_()
    y = _torch_activation(name)(x)
    (slope,) = torch.autograd.grad(y.sum(), x)
    ours, our_slope = mean_field.ACTIVATIONS[name]
    np.testing.assert_allclose(ours(x.detach().numpy()), y.detach().numpy(), atol=1e-12)
    np.testing.assert_allclose(our_slope(x.detach().numpy()), slope.numpy(), atol=1e-12)


@pytest.mark.parametrize("name", sorted(mean_field.ACTIVATIONS))
def test_quadrature_against_adaptive_integration(name):
    from scipy.integrate import quad

    phi, _ = mean_field.ACTIVATIONS[name]
    for q in (0.1, 1.0, 4.0):
        density = lambda z: math.exp(-z * z / 2) / math.sqrt(2 * math.pi)  # noqa: E731
        exact = quad(lambda z, q=q: float(phi(np.array(math.sqrt(q) * z))) ** 2 * density(z), -12, 12, points=[0])[0]
        assert mean_field.expectation(lambda x: phi(x) ** 2, q) == pytest.approx(exact, rel=1e-4)


@pytest.mark.parametrize("c", [-0.5, 0.0, 0.5, 0.9, 0.99])
def test_relu_correlations_against_the_arc_cosine_kernel(c):
    # Cho & Saul 2009, equation 6 with n = 1, for unit variance
    exact = (math.sqrt(1 - c * c) + (math.pi - math.acos(c)) * c) / (2 * math.pi)
    phi, _ = mean_field.ACTIVATIONS["relu"]
    assert mean_field.cross_expectation(phi, 1.0, c) == pytest.approx(exact, abs=1e-3)


# per unit, the spread between networks is about sqrt(layers / width): the positively homogeneous need more of them
@pytest.mark.parametrize(
    ("activation", "init", "networks"),
    [("relu", "he", 96), ("relu", "torch-default", 32), ("leaky-relu", "he", 96), ("tanh", "unit", 24),
     ("tanh", "xavier", 24), ("sigmoid", "unit", 24), ("sigmoid", "xavier", 24), ("gelu", "lecun", 64),
     ("silu", "lecun", 64), ("selu", "lecun", 48)],
)  # fmt: skip
def test_prediction_within_5_percent_of_20_real_layers_in_torch(activation, init, networks):
    measured = signal_propagation.analyse(stack(activation, init, width=256), networks=networks).measured
    assert measured["agreement"]["forward_difference"] < 0.05
    # gradients spread more: three standard errors where those exceed 5 %
    assert measured["agreement"]["gradient_difference"] < max(0.05, 3 * measured["agreement"]["standard_error"])
    assert np.abs(np.subtract(measured["predicted"]["correlation"], measured["torch"]["correlation"])).max() < 0.06


@pytest.mark.parametrize(("activation", "init"), [("tanh", "unit"), ("sigmoid", "unit"), ("selu", "lecun")])
def test_prediction_within_5_percent_of_20_real_layers_in_jax(activation, init):
    layers = stack(activation, init, width=256)
    agreement = signal_propagation.analyse(layers, framework="jax", networks=16).measured["agreement"]
    assert agreement["forward_difference"] < 0.05
    assert agreement["gradient_difference"] < max(0.05, 3 * agreement["standard_error"])


def test_a_fixed_point_that_repels_is_said():
    assert "repels" in signal_propagation.analyse(stack("gelu", "unit"), framework="none").notes[0]
    assert signal_propagation.analyse(stack("tanh", "unit"), framework="none").notes == []


@pytest.mark.parametrize("framework", ["torch", "jax"])
@pytest.mark.parametrize("more", [{"residual": True}, {"norm": "layer"}, {"norm": "rms", "residual": True}])
def test_residual_connections_and_norms_are_predicted(framework, more):
    measured = signal_propagation.analyse(
        stack("relu", "lecun", depth=8, **more), framework=framework, networks=12
    ).measured
    assert measured["agreement"]["forward_difference"] < 0.05
    assert measured["agreement"]["gradient_difference"] < 0.08


def test_widths_may_change_from_layer_to_layer():
    widths = [300, 600, 200, 400]
    layers = [
        signal_propagation.make_layer({"activation": "tanh", "fan_in": a, "fan_out": b, "init": "xavier"})
        for a, b in zip(widths, widths[1:], strict=False)
    ]
    agreement = signal_propagation.analyse(layers, networks=24).measured["agreement"]
    assert agreement["largest_difference"] < 0.05


@pytest.mark.parametrize(
    ("activation", "init", "more", "expected"),
    [
        ("relu", "he", {}, set()),
        ("tanh", "xavier", {}, set()),
        ("selu", "lecun", {}, set()),
        ("gelu", "critical", {}, set()),
        ("relu", "torch-default", {}, {"gradient-vanishes", "correlation-collapses"}),
        ("sigmoid", "xavier", {}, {"gradient-vanishes", "correlation-collapses"}),
        ("relu", "he", {"gain": 1.5}, {"signal-explodes", "gradient-explodes"}),
        ("tanh", "lecun", {"gain": 3.0}, {"gradient-explodes"}),
        ("linear", "lecun", {"gain": 0.5}, {"signal-vanishes", "gradient-vanishes"}),
    ],
)
def test_findings(activation, init, more, expected):
    report = signal_propagation.analyse(stack(activation, init, **more), framework="none")
    assert {finding.id for finding in report.findings} == expected
    assert report.verdict == ("faults" if expected else "stable")


def test_chi_and_depth_scales_of_known_cases():
    relu = mean_field.fixed_point(stack("relu", "he")[0])
    assert (relu.chi, relu.c, relu.gradient_depth_scale) == (pytest.approx(1), 1.0, math.inf)
    tanh = mean_field.fixed_point(stack("tanh", "critical")[1])
    assert tanh.q == pytest.approx(1)
    assert tanh.chi == pytest.approx(1)
    linear = mean_field.fixed_point(stack("linear", "lecun", gain=0.9)[0])
    assert linear.chi == pytest.approx(0.81)
    assert linear.gradient_depth_scale == pytest.approx(-1 / math.log(0.81))
    # q = 1 repels for SiLU at its unit gain and attracts for tanh
    assert mean_field.fixed_point(stack("silu", "unit")[1]).q_slope > 1.05
    assert mean_field.fixed_point(stack("tanh", "unit")[1]).q_slope < 0.95


def test_narrow_layers_that_contradict_the_theory_are_not_decided():
    # at width 4 a ReLU network of 60 layers dies in nearly every draw, while the mean over draws stays
    report = signal_propagation.analyse(stack("relu", "he", depth=60, width=4), networks=16)
    assert report.verdict == "cannot-decide"
    assert report.findings == []
    assert report.exit_status == 3


@pytest.mark.parametrize(
    ("activation", "init", "trains"),
    [("relu", "he", True), ("tanh", "xavier", True), ("relu", "torch-default", False), ("sigmoid", "xavier", False)],
)
def test_what_is_called_stable_trains_on_digits_and_what_is_not_does_not(activation, init, trains):
    from random_networks import _init_torch, _torch_activation
    from sklearn.datasets import load_digits

    depth, width = 20, 64
    layers = stack(activation, init, depth=depth, width=width)
    assert (signal_propagation.analyse(layers, framework="none").verdict == "stable") == trains
    x, y = (torch.tensor(a) for a in load_digits(return_X_y=True))
    x, y = ((x - 8) / 6).double()[:1000], y[:1000]
    torch.manual_seed(0)
    modules = []
    for layer in layers:
        linear = torch.nn.Linear(width, width, dtype=torch.float64)
        _init_torch(linear, layer)
        modules.append(linear)
    head = torch.nn.Linear(width, 10, dtype=torch.float64)
    phi = _torch_activation(activation)
    optimizer = torch.optim.SGD([p for m in (*modules, head) for p in m.parameters()], lr=0.003, momentum=0.9)
    for _ in range(12):
        for rows in torch.randperm(len(x)).split(50):
            h = x[rows]
            for module in modules:
                h = phi(module(h))
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(head(h), y[rows]).backward()
            optimizer.step()
    with torch.no_grad():
        h = x
        for module in modules:
            h = phi(module(h))
        accuracy = (head(h).argmax(1) == y).double().mean().item()
    assert accuracy > 0.7 if trains else accuracy < 0.2


def test_command_line_json(tmp_path):
    run = command("--activation", "relu", "--init", "torch-default", "--width", "128", "--networks", "4", "--json")
    assert run.returncode == 1, run.stderr
    answer = json.loads(run.stdout)
    assert answer["verdict"] == "faults"
    assert {f["id"] for f in answer["findings"]} == {"gradient-vanishes", "correlation-collapses"}
    assert all(f["next_step"] and f["values"] for f in answer["findings"])
    assert len(answer["measured"]["predicted"]["forward_std"]) == 20


def test_command_line_layer_file_and_table(tmp_path):
    path = tmp_path / "net.yaml"
    path.write_text(
        "- {activation: relu, fan_in: 64, fan_out: 128, init: he}\n"
        "- {activation: relu, fan_in: 128, fan_out: 128, init: he, norm: layer, residual: true, repeat: 3}\n"
    )
    run = command("--layers", str(path), "--framework", "none")
    assert run.returncode == 0, run.stderr
    assert "signal-propagation: stable" in run.stdout
    convolution = tmp_path / "conv.json"
    convolution.write_text('[{"fan_in": 27, "fan_out": 144}, {"fan_in": 16, "fan_out": 32}]')
    run = command("--layers", str(convolution), "--json")
    assert run.returncode == 0, run.stderr
    assert "not measured" in json.loads(run.stdout)["notes"][0]


def test_gains_on_the_command_line():
    run = command("--gains", "--json")
    assert json.loads(run.stdout)["measured"]["gains"]["silu"]["unit_gain"] == pytest.approx(1.677, abs=1e-3)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "no list of layers"),
        ("- 3", "layer 1 is not a mapping"),
        ("- {fan_in: 3}", "fan_out is missing"),
        ("- {fan_in: 3, fan_out: 2.5}", "give a whole number"),
        ("- {fan_in: 3, fan_out: 3, activation: rleu}", "choose from"),
        ("- {fan_in: 3, fan_out: 3, activation: [1]}", "choose from"),
        ("- {fan_in: 3, fan_out: 3, fanin: 3}", "unknown field 'fanin'"),
        ("- {fan_in: 3, fan_out: 4, residual: true}", "residual layer needs"),
        ("- {fan_in: 3, fan_out: 3, init: normal}", "`std` belongs to"),
        ("- {fan_in: 3, fan_out: 3, init: critical, activation: sigmoid}", "no critical initialisation"),
        ("a: [", "neither YAML nor JSON"),
    ],
)
def test_bad_layer_files_are_one_sentence(tmp_path, content, message):
    path = tmp_path / "bad.yaml"
    path.write_text(content)
    with pytest.raises(UnusableInput, match=".") as error:
        signal_propagation.read_layers(path)
    assert message in str(error.value)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--depth", "0"],
        ["--input-correlation", "1"],
        ["--framework", "tf"],
        ["--layers", "missing.yaml"],
        ["--std", "1"],
    ],
)
def test_wrong_use_is_exit_status_2_without_a_traceback(arguments):
    run = command(*arguments)
    assert run.returncode == 2
    assert run.stderr.startswith("signal-propagation: ")
    assert "Traceback" not in run.stderr
