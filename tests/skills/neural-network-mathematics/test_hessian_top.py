"""hessian_top against the full Hessian of torch.func and jax."""

import json
import subprocess
import sys
from pathlib import Path

import jax
import jax.flatten_util
import numpy as np
import pytest
import torch

ROOT = Path(__file__).resolve().parents[3]
SCRIPTS = ROOT / "skills/neural-network-mathematics/scripts"
TARGETS = Path(__file__).parent / "hessian_targets.py"
sys.path[:0] = [str(SCRIPTS), str(Path(__file__).parent)]

import hessian_targets  # noqa: E402
import hessian_top  # noqa: E402
from dltools.report import CannotDecide, UnusableInput  # noqa: E402
from dltools.target import load  # noqa: E402

# torch.func.jvp, which the reference uses, compiles its decompositions with a deprecated function
pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit.script:DeprecationWarning")


def target(name):
    return load(f"{TARGETS}:{name}")


def command(*arguments):
    script = SCRIPTS / "hessian_top.py"
    return subprocess.run([sys.executable, str(script), *arguments], capture_output=True, text=True)


def full_torch_hessian(given):
    model = given["model"].double().eval()
    x, y = given["batch"]
    parameters = {name: p.detach() for name, p in model.named_parameters()}
    shapes = {name: p.shape for name, p in parameters.items()}
    sizes = [p.numel() for p in parameters.values()]

    def loss(flat):
        parts = torch.split(flat, sizes)
        named = {name: part.reshape(shape) for (name, shape), part in zip(shapes.items(), parts, strict=True)}
        return given["loss_fn"](torch.func.functional_call(model, named, (x.double(),)), y)

    with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
        return torch.func.hessian(loss)(torch.cat([p.reshape(-1) for p in parameters.values()])).numpy()


@pytest.mark.parametrize("which", ["largest", "smallest"])
def test_equals_the_full_hessian_of_torch_func_on_183_parameters(which):
    exact = np.linalg.eigvalsh(full_torch_hessian(hessian_targets.mlp()))
    product, size = hessian_top.hessian_product(target("mlp"))
    assert size == len(exact) == 183
    found = hessian_top.eigenvalues(product, size, 6, which)
    np.testing.assert_allclose(found, exact[:6] if which == "smallest" else exact[::-1][:6], atol=1e-4 * exact[-1])
    np.testing.assert_allclose(found, exact[:6] if which == "smallest" else exact[::-1][:6], rtol=1e-4, atol=1e-10)


def test_equals_the_full_hessian_of_jax():
    given = hessian_targets.function()
    with jax.enable_x64(True):
        flat, unravel = jax.flatten_util.ravel_pytree(jax.tree.map(lambda p: p.astype("float64"), given["params"]))
        x, y = given["batch"]
        exact = jax.hessian(lambda p: given["loss_fn"](given["apply"](unravel(p), x.astype("float64")), y))(flat)
    top = hessian_top.analyse(target("function"), k=4).measured["eigenvalues"]
    np.testing.assert_allclose(top, np.linalg.eigvalsh(np.asarray(exact))[::-1][:4], rtol=1e-4)


def test_a_known_spectrum():
    measured = hessian_top.analyse(target("quadratic"), k=3, smallest=True).measured
    np.testing.assert_allclose(measured["eigenvalues"], [100, 99, 98], rtol=1e-6)
    np.testing.assert_allclose(measured["smallest"], [1, 2, 3], rtol=1e-5)


def test_gradient_descent_diverges_just_above_2_over_the_sharpness_and_not_below():
    sharpness = hessian_top.analyse(target("quadratic"), k=1).measured["sharpness"]
    c = np.arange(1.0, 101.0)
    for factor, grows in ((0.98, False), (1.02, True)):
        w = np.ones(100)
        for _ in range(400):
            w = w - factor * 2 / sharpness * c * w
        assert (np.abs(w).max() > 1e3) == grows


def test_attention_has_second_derivatives():
    full = full_torch_hessian(hessian_targets.attention())
    top = hessian_top.analyse(target("attention"), k=2).measured["eigenvalues"]
    np.testing.assert_allclose(top, np.linalg.eigvalsh(full)[::-1][:2], rtol=1e-4)


def test_nnx_models_are_measured():
    measured = hessian_top.analyse(target("nnx_model"), k=2).measured
    assert measured["parameters"] == 183
    assert measured["eigenvalues"][0] > measured["eigenvalues"][1] > 0


def test_the_limit_holds_momentum_and_the_finding_says_what_to_do():
    measured = hessian_top.analyse(target("mlp")).measured
    assert measured["limit"] == pytest.approx(2 * 1.9 / 0.1)
    report = hessian_top.analyse(target("too_fast"))
    assert report.verdict == "faults"
    (finding,) = report.findings
    assert finding.id == "sharpness-above-limit"
    assert finding.values["lr_at_limit"] == pytest.approx(2 / report.measured["sharpness"])


def test_no_comparison_is_made_for_adam_or_an_unknown_learning_rate():
    for name, word in (("adam", "not that of Adam"), ("nnx_model", "give --lr")):
        report = hessian_top.analyse(target(name), k=1)
        assert "limit" not in report.measured
        assert word in report.notes[0]


def test_the_target_is_left_as_it_was():
    given = target("mlp")
    before = given.fingerprint()
    hessian_top.analyse(given, k=1)
    assert given.fingerprint() == before


def test_what_cannot_be_used_is_said():
    with pytest.raises(CannotDecide, match="not finite"):
        hessian_top.analyse(target("not_finite"))
    with pytest.raises(UnusableInput, match="no trainable"):
        hessian_top.analyse(target("frozen"))


@pytest.mark.parametrize(
    ("arguments", "status", "verdict"),
    [(["too_fast", "--k", "2"], 1, "faults"), (["mlp", "--lr", "0"], 2, "unusable-input"), (["mlp"], 0, "measured"),
     (["not_finite"], 3, "cannot-decide")],
)  # fmt: skip
def test_command_line(arguments, status, verdict):
    run = command("--target", f"{TARGETS}:{arguments[0]}", *arguments[1:], "--json")
    assert run.returncode == status, run.stderr
    assert json.loads(run.stdout)["verdict"] == verdict
