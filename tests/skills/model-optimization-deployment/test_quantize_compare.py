"""quantize_compare: a sound network keeps its accuracy, an outlier channel fails per tensor only, and doubt is said."""

import json
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

ROOT = Path(__file__).resolve().parents[3]
SCRIPTS = ROOT / "skills/model-optimization-deployment/scripts"
sys.path[:0] = [str(SCRIPTS), str(Path(__file__).parent)]

import quantised_digits as digits
import quantize_compare
import quantize_judging as judging
import quantize_variants as making
from onnx_running import quiet
from quantize_judging import FAILS, MEETS, UNDECIDED, Budget

from dltools.jax_target import JaxTarget
from dltools.report import UnusableInput
from dltools.torch_target import TorchTarget

torch.set_num_threads(1)
pytestmark = [
    pytest.mark.filterwarnings(r"ignore:`isinstance\(treespec, LeafSpec\)` is deprecated:FutureWarning"),
]


def target_of(given):
    common = {"optimizer": None, "num_classes": None, "labels": None, "properties": {}, "calibration": None, **given}
    return TorchTarget.build(common.pop("model"), common, "cpu")


@pytest.fixture(scope="module")
def mlp():
    return digits.mlp()


@pytest.fixture(scope="module")
def cnn_report(tmp_path_factory):
    folder = tmp_path_factory.mktemp("quantised")
    target = target_of(digits.given(digits.cnn(), digits.IMAGES.view(-1, 1, 8, 8)))
    before = target.fingerprint()
    report = quantize_compare.compare(target, budget=Budget(0.02), save=folder, runs=20)
    assert target.fingerprint() == before
    return report, folder


class TestDigits:
    def test_every_variant_keeps_the_accuracy_and_is_smaller(self, cnn_report):
        report, folder = cnn_report
        assert (report.verdict, report.exit_status) == ("within-budget", 0)
        assert report.measured["within_budget"] == list(making.VARIANTS)
        rows = report.measured["variants"]
        assert rows["fp32 (ONNX Runtime)"]["score"] == rows["fp32 (PyTorch)"]["score"] > 0.85
        for name in making.VARIANTS:
            assert rows[name]["accuracy"]["low"] >= -0.02
            assert rows[name]["size_ratio"] < 0.6
            assert rows[name]["p95_ms"] >= rows[name]["p50_ms"] > 0
        assert sorted(path.name for path in folder.iterdir()) == [
            f"{name}.onnx" for name in sorted(making.ONNX_VARIANTS)
        ]

    def test_casts_are_apart_from_integers(self, cnn_report):
        rows = cnn_report[0].measured["variants"]
        assert {name for name, row in rows.items() if row["kind"] == "cast"} == {"bf16-cast"}
        assert rows["bf16-cast"]["size_ratio"] == pytest.approx(0.5, abs=0.01)
        assert any("not integer quantisation" in note for note in cnn_report[0].notes)

    def test_layers_have_their_modules_names_and_an_sqnr(self, cnn_report):
        rows = cnn_report[0].measured["variants"]
        for name in ("dynamic", "static-per-tensor", "static-per-channel", "bf16-cast"):
            assert set(rows[name]["sqnr_db"]) == {"0", "5", "7"}
            assert all(20 < value < 70 for value in rows[name]["sqnr_db"].values())
        # torchao quantises Linear only, and the convolution is exact
        assert set(rows["weight-only"]["sqnr_db"]) == {"5", "7"}

    @pytest.mark.parametrize(("suffix", "start"), [(".png", b"\x89PNG"), (".svg", b"<?xml")])
    def test_plot(self, cnn_report, suffix, start, tmp_path):
        quantize_compare.plot(cnn_report[0], tmp_path / f"v{suffix}")
        assert (tmp_path / f"v{suffix}").read_bytes().startswith(start)


class TestOutlier:
    """One unit that never fires has weights 300 times as large as the others'."""

    def test_it_fails_per_tensor_and_passes_per_channel(self, mlp):
        plain, planted = mlp, digits.with_outlier(mlp, 300)
        with torch.no_grad():
            active = plain[0](digits.IMAGES).relu()
            active[:, 5] = 0
            assert torch.allclose(planted(digits.IMAGES), plain[2](active), atol=1e-4)
        names = ("dynamic", "static-per-tensor", "static-per-channel")
        report = quantize_compare.compare(target_of(digits.given(planted, digits.IMAGES)), variants=names, runs=20)
        rows = report.measured["variants"]
        assert [rows[name]["accuracy"]["state"] for name in names] == [FAILS, FAILS, MEETS]
        assert rows["static-per-tensor"]["accuracy"]["high"] < -0.5
        assert rows["static-per-tensor"]["sqnr_db"]["0"] < 3 < 40 < rows["static-per-channel"]["sqnr_db"]["0"]
        assert report.measured["within_budget"] == ["static-per-channel"]
        assert report.exit_status == 0
        note = next(note for note in report.notes if note.startswith("the weights of 0 lose most"))
        assert "channel 5 has" in note
        weights = report.measured["weights"]["0"]
        assert weights["widest_channel"] == 5
        assert weights["ratio"] > 100
        assert weights["per_tensor_db"] < 6 < 40 < weights["per_channel_db"]

    def test_where_nothing_fits_there_are_findings(self, mlp):
        given = digits.given(digits.with_outlier(mlp, 300), digits.IMAGES)
        report = quantize_compare.compare(
            target_of(given), variants=["static-per-tensor"], runs=20, budget=Budget(0.01, 1000.0, 1e-6)
        )
        assert (report.verdict, report.exit_status) == ("over-budget", 1)
        assert [finding.id for finding in report.findings] == ["accuracy-drop", "too-slow", "too-large"]
        assert report.findings[0].values["layer"] in ("0", "2")
        assert report.measured["within_budget"] == []


class TestDoubt:
    def test_few_examples_do_not_decide_and_how_many_would_is_said(self, mlp):
        given = digits.given(mlp, digits.IMAGES, examples=60)
        report = quantize_compare.compare(target_of(given), variants=["static-per-channel"], runs=20)
        assert (report.verdict, report.exit_status) == ("cannot-decide", 3)
        row = report.measured["variants"]["static-per-channel"]["accuracy"]
        assert (row["state"], row["gained"], row["lost"]) == (UNDECIDED, 0, 0)
        # no example differs: the bound is z^2 / (n + z^2), below 0.01 from 381 examples
        assert row["examples_needed"] == 381
        assert any("about 381 examples would decide" in note for note in report.notes)

    def test_a_score_of_ones_own(self):
        rng = np.random.default_rng(0)
        baseline = rng.uniform(size=150)
        one = judging.accuracy(baseline, baseline - 0.002, 0.01, 0.05, 0)
        assert (one["state"], one["method"]) == (MEETS, "bootstrap over examples")
        assert one["difference"] == pytest.approx(-0.002)
        few = judging.accuracy(baseline[:50], baseline[:50] - 0.002, 0.01, 0.05, 0)
        assert (few["state"], few["examples_needed"]) == (UNDECIDED, 100)

    @pytest.mark.parametrize(
        ("factor", "least", "state"), [(2.0, 1.5, MEETS), (2.0, 3.0, FAILS), (2.0, 2.0, UNDECIDED), (0.5, None, MEETS)]
    )
    def test_speed(self, factor, least, state):
        noise = np.exp(np.random.default_rng(0).normal(0, 0.05, 40))
        one = judging.speed(np.full(40, factor), noise, least, 0.05)
        assert one["state"] == state
        assert one["low"] < one["speedup"] < one["high"]


class TestTrap:
    """What the exporter writes for a Gemm cannot be quantised as it is (onnxruntime issue 25890)."""

    def test_quantize_dynamic_fails_without_pre_processing(self, mlp, tmp_path):
        from onnxruntime.quantization import quantize_dynamic
        from onnxruntime.quantization.shape_inference import quant_pre_process

        with quiet():
            torch.onnx.export(mlp, (digits.IMAGES[:4],), dynamo=True, verbose=False).save(tmp_path / "raw.onnx")
            with pytest.raises(Exception, match="ShapeInferenceError.*differ in dimension 0"):
                quantize_dynamic(tmp_path / "raw.onnx", tmp_path / "int8.onnx")
            quant_pre_process(tmp_path / "raw.onnx", tmp_path / "ready.onnx")
            quantize_dynamic(tmp_path / "ready.onnx", tmp_path / "int8.onnx")
        assert (tmp_path / "int8.onnx").stat().st_size < (tmp_path / "raw.onnx").stat().st_size


class TestNumbers:
    @pytest.mark.parametrize(
        ("signal", "quantised", "decibels"),
        [
            ([3.0, 4.0], [3.0, 4.5], 20.0),
            ([1.0], [1.1], 20.0),
            ([1.0, 2.0], [1.0, 2.0], math.inf),
            ([0.0], [1.0], -math.inf),
        ],
    )
    def test_sqnr(self, signal, quantised, decibels):
        assert making.sqnr(np.array(signal), np.array(quantised)) == pytest.approx(decibels)

    @pytest.mark.parametrize(
        ("outputs", "labels", "expected"),
        [
            (np.eye(3), [0, 1, 1], [1, 1, 0]),
            # classes last, and classes first after the batch
            (np.eye(2)[[[0, 1, 1]]], [[0, 1, 0]], [2 / 3]),
            (np.eye(2)[[[0, 1, 1]]].transpose(0, 2, 1), [[0, 1, 0]], [2 / 3]),
        ],
    )
    def test_scores(self, outputs, labels, expected):
        assert judging.scores(outputs, np.array(labels)).tolist() == pytest.approx(expected)

    def test_a_mean_squared_error_as_score(self):
        given = judging.scores(np.array([[1.0], [3.0]]), np.array([1.0, 1.0]), lambda o, y: -((o[:, 0] - y) ** 2))
        assert given.tolist() == [0.0, -4.0]

    @pytest.mark.parametrize(
        ("outputs", "labels", "score", "message"),
        [
            (np.eye(3), np.array([0.0, 1.0, 2.0]), None, "are of type float64"),
            (np.ones(3), np.array([0, 1, 1]), None, "not those of a classifier"),
            (np.eye(3), np.array([0, 1, 1]), lambda o, y: 1.0, "one finite number for each of the 3"),
        ],
    )
    def test_scores_that_cannot_be(self, outputs, labels, score, message):
        with pytest.raises(UnusableInput, match=message):
            judging.scores(outputs, labels, score)


class TestUnusable:
    def test_no_evaluation(self, mlp):
        with pytest.raises(UnusableInput, match="gives no `evaluation`"):
            quantize_compare.compare(target_of({**digits.given(mlp, digits.IMAGES), "evaluation": None}))

    def test_labels_of_another_length(self, mlp):
        given = digits.given(mlp, digits.IMAGES)
        given["evaluation"] = (digits.IMAGES[:10], digits.LABELS[:9])
        with pytest.raises(UnusableInput, match="10 examples and 9 labels"):
            quantize_compare.compare(target_of(given))

    def test_unknown_variant(self, mlp):
        with pytest.raises(UnusableInput, match="no variant 'int7'; there are dynamic"):
            quantize_compare.compare(target_of(digits.given(mlp, digits.IMAGES)), variants=["int7"])

    def test_a_model_that_cannot_be_exported(self):
        class Branch(nn.Linear):
            def forward(self, x):
                return super().forward(x) if x.sum() > 0 else -super().forward(x)

        with pytest.raises(UnusableInput, match="data-dependent-control-flow.*export_check.py says more"):
            quantize_compare.compare(target_of(digits.given(Branch(64, 10), digits.IMAGES)), variants=["dynamic"])

    def test_nothing_that_torchao_quantises(self):
        model = nn.Sequential(nn.Conv2d(1, 10, 8), nn.Flatten())
        given = digits.given(model.eval(), digits.IMAGES.view(-1, 1, 8, 8))
        with pytest.raises(UnusableInput, match="torchao quantises torch.nn.Linear, and the model has none"):
            quantize_compare.compare(target_of(given), variants=["weight-only"], runs=20)

    def test_jax(self):
        import jax.numpy as jnp

        given = digits.given(None, jnp.ones((4, 3)))
        common = {key: given[key] for key in ("batch", "loss_fn")} | {"optimizer": None}
        target = JaxTarget.build("function", None, {"w": jnp.ones(3)}, lambda p, x: x @ p["w"], common)
        with pytest.raises(UnusableInput, match="this target is in JAX"):
            quantize_compare.compare(target)


def test_command_line(tmp_path):
    (tmp_path / "mine.py").write_text(
        "import torch\n"
        "def build():\n"
        "    torch.manual_seed(0)\n"
        "    x = torch.randn(500, 16)\n"
        "    model = torch.nn.Linear(16, 3)\n"
        "    labels = model(x).argmax(1)\n"
        "    return {'model': model, 'batch': (x[:8], labels[:8]), 'loss_fn': torch.nn.functional.cross_entropy,\n"
        "            'evaluation': (x, labels)}\n"
    )
    command = [sys.executable, str(SCRIPTS / "quantize_compare.py"), "--target", f"{tmp_path}/mine.py:build",
               "--variants", "static-per-channel", "--max-accuracy-drop", "0.05", "--runs", "20", "--json"]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["measured"]["within_budget"] == ["static-per-channel"]
    assert any("No `calibration` was given" in note for note in answer["notes"])
    assert "Traceback" not in done.stderr
    done = subprocess.run([*command, "--max-size", "-1"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "--max-size is -1; give a number above 0" in json.loads(done.stdout)["error"]
