"""export_check: sound models pass, each planted fault is named where it is, and nothing is left half written."""

import json
import logging
import subprocess
import sys
import textwrap
from pathlib import Path

import jax
import jax.export
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from flax import nnx

ROOT = Path(__file__).resolve().parents[3]
SCRIPTS = ROOT / "skills/model-optimization-deployment/scripts"
sys.path[:0] = [str(SCRIPTS), str(Path(__file__).parent)]

import export_check
import export_inputs
import export_parity
import export_targets as planted
import onnx_running

from dltools.jax_target import JaxTarget
from dltools.report import UnusableInput
from dltools.torch_target import TorchTarget

torch.set_num_threads(1)
# torch's own exporter copies trees by a class that it deprecates itself
pytestmark = pytest.mark.filterwarnings(r"ignore:`isinstance\(treespec, LeafSpec\)` is deprecated:FutureWarning")


def common(given):
    return {"batch": given["batch"], "loss_fn": given["loss_fn"], "optimizer": None, "num_classes": None,
            "labels": None, "properties": {}}  # fmt: skip


def checked(given, **options):
    """The report, and that the target is as before."""
    target = TorchTarget.build(given["model"], common(given), "cpu")
    before = target.fingerprint()
    report = export_check.check(target, runs=10, **options)
    assert target.fingerprint() == before
    return report


def small(name, inputs=None):
    torch.manual_seed(0)
    return planted.given(getattr(planted, name)().eval(), torch.randn(4, 8) if inputs is None else inputs)


def ids(report):
    return {finding.id for finding in report.findings}


def result(report):
    return {row["inputs"]: row["result"] for row in report.measured["cases"]}


class TestSound:
    def test_a_network_with_batch_normalisation_agrees_at_other_sizes_and_is_written(self, tmp_path):
        report = checked(planted.cnn(), out=tmp_path / "model.onnx")
        assert (report.verdict, report.exit_status) == ("sound", 0)
        assert set(result(report)) == {"the batch", "one example", "9 examples", "zeros", "values x 1000"}
        assert all(row["result"] == "equal" and row["relative"] < 1e-6 for row in report.measured["cases"])
        assert report.measured["threads"] == 1
        assert (
            report.measured["latency"]["ONNX Runtime"]["p95_ms"]
            >= report.measured["latency"]["ONNX Runtime"]["p50_ms"]
            > 0
        )
        assert [path.name for path in tmp_path.iterdir()] == ["model.onnx"]
        assert (tmp_path / "model.onnx").stat().st_size == pytest.approx(report.measured["onnx_bytes"], rel=0.05)
        image = planted.images(33)
        expected = planted.cnn()["model"](image).detach().numpy()
        running = onnx_running.session(str(tmp_path / "model.onnx"), 1)
        assert np.abs(onnx_running.call(running, {"image": image.numpy()})[0] - expected).max() < 1e-5

    def test_two_inputs_with_lengths_that_change_together(self):
        torch.manual_seed(0)
        given = planted.given(planted.SafeTokenModel().eval(), planted.tokens())
        report = checked(given, dynamic=["tokens:0,1", "mask:0,1"])
        assert not report.findings
        assert {"tokens with 3 along axis 1", "tokens with 8 along axis 1", "zeros"} <= set(result(report))

    def test_axes_that_must_be_equal_change_together(self):
        given = planted.given(planted.Square().eval(), (torch.randn(2, 5, 5), torch.randn(2, 3)))
        report = checked(given, dynamic=["pairs:0,1,2", "scale:0"])
        assert not report.findings
        assert set(result(report).values()) == {"equal"}
        assert {"pairs with 2 along axis 1", "5 examples"} <= set(result(report))

    def test_a_batch_of_one_is_no_constant(self):
        report = checked(planted.given(planted.Cnn().eval(), planted.images(1)))
        assert result(report)["3 examples"] == "equal"

    def test_a_length_beyond_the_models_own_limit_is_a_note_not_a_finding(self):
        torch.manual_seed(0)
        given = planted.given(planted.SafeTokenModel(longest=7).eval(), planted.tokens())
        report = checked(given, dynamic=["tokens:0,1", "mask:0,1"])
        assert result(report)["tokens with 8 along axis 1"] == "model fails"
        assert not report.findings
        assert any("the model itself fails" in note for note in report.notes)

    def test_training_mode_that_changes_nothing_is_a_note(self):
        report = checked(planted.given(planted.Ragged().train(), torch.rand(4, 8) + 1))
        assert not report.findings
        assert any("training mode" in note for note in report.notes)

    def test_a_fixed_size_that_is_declared_is_no_fault(self):
        report = checked(small("BakedReshape"), dynamic=["none"])
        assert not report.findings
        assert set(result(report)) == {"the batch", "zeros", "values x 1000"}


class TestPlanted:
    def test_forgotten_eval_names_the_modules_and_the_rest_is_checked_in_evaluation_mode(self, tmp_path):
        out = tmp_path / "model.onnx"
        out.write_text("the file of yesterday")
        report = checked(planted.forgotten_eval(), out=out)
        assert ids(report) == {"train-mode-at-export"}
        assert "BatchNorm2d" in report.findings[0].where and "Dropout" in report.findings[0].where
        assert report.findings[0].values["relative_difference"] > 0.01
        assert set(result(report).values()) == {"equal"}
        assert out.read_text() == "the file of yesterday"

    @pytest.mark.parametrize("name", ["BakedReshape", "BakedInt"])
    def test_baked_in_batch_size(self, name):
        report = checked(small(name))
        assert ids(report) == {"batch-size-baked-in"}
        assert report.findings[0].where == "x, axis 0"
        assert report.findings[0].values["size"] == 4

    def test_a_recurrent_layer_has_its_length_baked_in(self):
        given = planted.given(planted.Recurrent().eval(), torch.randn(3, 6, 8))
        assert not checked(given).findings
        report = checked(given, dynamic=["x:0,1"])
        assert [(finding.id, finding.where) for finding in report.findings] == [("length-baked-in", "x, axis 1")]
        assert result(report)["7 examples"] == "equal"

    @pytest.mark.parametrize(
        ("name", "inputs", "expected", "where"),
        [
            ("Branch", None, "data-dependent-control-flow", "if y.sum() > 0:"),
            ("Unsupported", None, "unsupported-operator", "linalg_eigh"),
            ("Attention3d", torch.randn(4, 5, 8), "unsupported-operator", "scaled_dot_product_attention"),
            ("NoTensor", None, "export-failed", "x.numpy()"),
        ],
    )
    def test_what_cannot_be_exported_is_named_with_its_place(self, name, inputs, expected, where, capfd):
        report = checked(small(name, inputs))
        assert ids(report) == {expected}
        assert where in report.findings[0].where
        # torch.export prints whole graphs when it fails
        assert capfd.readouterr() == ("", "")

    @pytest.mark.parametrize("name", ["AlwaysDropout", "Noise"])
    def test_random_numbers_in_the_graph(self, name):
        report = checked(small(name))
        assert "nondeterministic-output" in ids(report)
        text = report.as_text()
        assert ("RandomNormalLike" in text) == (name == "Noise")
        assert ("train-mode-at-export" in ids(report)) == (name == "AlwaysDropout")

    @pytest.mark.parametrize(("name", "where"), [("Buffer", "count"), ("Counter", "Python attribute")])
    def test_state_that_the_forward_pass_changes(self, name, where):
        report = checked(small(name))
        assert "stateful-forward" in ids(report)
        assert where in report.findings[0].where

    def test_another_way_taken_while_exporting_is_found_before_onnx(self):
        report = checked(small("OtherWhenExported"))
        assert ids(report) == {"parity-broken"}
        assert report.measured["first_divergence"] == {"stage": "torch.export", "where": "model (OtherWhenExported)"}

    def test_a_narrower_type(self):
        report = checked(small("NarrowWhenExported"))
        assert "dtype-changed" in ids(report)
        finding = next(one for one in report.findings if one.id == "dtype-changed")
        assert (finding.values["model"], finding.values["exported"]) == (["float32"], ["float16"])

    def test_the_first_node_that_differs(self):
        """sign(NaN) is 0 in PyTorch and NaN in ONNX: on positive inputs nobody sees it."""
        torch.manual_seed(0)
        values = torch.randn(4, 8)
        assert not checked(planted.given(planted.Ragged().eval(), values.abs() + 1)).findings
        report = checked(planted.given(planted.Ragged().eval(), values))
        assert ids(report) == {"parity-broken"}
        assert report.measured["first_divergence"]["stage"] == "onnx"
        assert report.findings[0].where.startswith("Sign ")
        assert "torch.sign(torch.log(x))" in report.findings[0].where

    def test_only_an_edge_input_shows_a_row_without_any_real_token(self):
        torch.manual_seed(0)
        report = checked(
            planted.given(planted.TokenModel().eval(), planted.tokens()), dynamic=["tokens:0,1", "mask:0,1"]
        )
        assert ids(report) == {"parity-broken"}
        assert {name for name, one in result(report).items() if one != "equal"} == {"zeros"}
        assert report.findings[0].values["relative"] == float("inf")


class TestFiles:
    """With --onnx: what somebody else's script wrote."""

    @staticmethod
    def written(model, path, **options):
        logging.disable(logging.CRITICAL)
        try:
            torch.onnx.export(model, (planted.images(),), str(path), dynamo=True, verbose=False, **options)
        finally:
            logging.disable(logging.NOTSET)

    def test_a_good_file_passes(self, tmp_path):
        given = planted.cnn()
        self.written(given["model"], tmp_path / "m.onnx", dynamic_shapes=({0: torch.export.Dim.DYNAMIC},))
        assert not checked(planted.cnn(), onnx=tmp_path / "m.onnx").findings

    @pytest.mark.filterwarnings("ignore:Exporting a model while it is in training mode:UserWarning")
    def test_forgotten_eval_and_a_fixed_batch(self, tmp_path):
        torch.manual_seed(0)
        self.written(planted.Cnn(dropout=0.3), tmp_path / "m.onnx")
        report = checked(planted.cnn(), onnx=tmp_path / "m.onnx")
        # ONNX Runtime itself ignores the flag of Dropout on the CPU: parity alone would not find it
        assert ids(report) == {"train-mode-at-export", "batch-size-baked-in"}

    def test_the_checker_finds_a_damaged_graph(self, tmp_path):
        import onnx

        self.written(planted.cnn()["model"], tmp_path / "m.onnx")
        model = onnx.load(tmp_path / "m.onnx")
        model.graph.node[0].input[0] = "nowhere"
        onnx.save(model, tmp_path / "m.onnx")
        report = checked(planted.cnn(), onnx=tmp_path / "m.onnx")
        assert {"checker-failed", "runtime-failed"} <= ids(report)

    def test_files_that_are_none(self, tmp_path):
        (tmp_path / "text.onnx").write_text("no model")
        with pytest.raises(UnusableInput, match="is no ONNX file"):
            checked(planted.cnn(), onnx=tmp_path / "text.onnx")
        with pytest.raises(UnusableInput, match="there is no file"):
            checked(planted.cnn(), onnx=tmp_path / "missing.onnx")


INPUTS = jnp.asarray(np.random.default_rng(0).normal(size=(4, 8)), jnp.float32)
WEIGHTS = {"w": jnp.asarray(np.random.default_rng(1).normal(size=(8, 3)), jnp.float32)}


class Norm(nnx.Module):
    def __init__(self):
        rngs = nnx.Rngs(0)
        self.norm, self.dropout = nnx.BatchNorm(8, rngs=rngs), nnx.Dropout(0.5, rngs=rngs)
        self.head = nnx.Linear(8, 3, rngs=rngs)

    def __call__(self, x):
        return self.head(self.dropout(self.norm(x)))


def jax_checked(apply=None, model=None, **options):
    given = {"batch": (INPUTS, jnp.zeros(4, int)), "loss_fn": lambda outputs, targets: outputs.mean()}
    kind = "nnx" if model is not None else "function"
    target = JaxTarget.build(kind, model, WEIGHTS, apply, common(given))
    before = target.fingerprint()
    report = export_check.check(target, runs=10, **options)
    assert target.fingerprint() == before
    return report


class TestJax:
    def test_stablehlo_is_written_and_gives_the_same_at_other_sizes(self, tmp_path):
        report = jax_checked(model=Norm(), out=tmp_path / "model.bin")
        assert not report.findings
        assert set(result(report).values()) == {"equal"}
        loaded = jax.export.deserialize((tmp_path / "model.bin").read_bytes())
        model = Norm()
        model.eval()
        more = jnp.tile(INPUTS, (5, 1))
        assert jnp.abs(loaded.call(more)[0] - model(more)).max() < 1e-5

    @pytest.mark.parametrize(
        ("apply", "expected"),
        [
            (lambda p, x: x.reshape(4, 2, 4).reshape(4, 8) @ p["w"], "batch-size-baked-in"),
            (lambda p, x: x @ p["w"] * int(x.shape[0]), "batch-size-baked-in"),
            (lambda p, x: x @ p["w"] if x.sum() > 0 else -x @ p["w"], "data-dependent-control-flow"),
            (lambda p, x: jnp.asarray(np.asarray(x)) @ p["w"], "data-dependent-control-flow"),
            (lambda p, x, rng: x @ p["w"] + jax.random.normal(rng, (3,)), "nondeterministic-output"),
        ],
        ids=["reshape", "int", "branch", "numpy", "noise"],
    )
    def test_planted(self, apply, expected, tmp_path):
        report = jax_checked(apply, out=tmp_path / "model.bin")
        assert ids(report) == {expected}
        assert not list(tmp_path.iterdir())

    def test_a_file_is_for_pytorch(self, tmp_path):
        with pytest.raises(UnusableInput, match="JAX"):
            jax_checked(lambda p, x: x @ p["w"], onnx=tmp_path / "m.onnx")


class TestDifference:
    @pytest.mark.parametrize(
        ("expected", "actual", "relative"),
        [
            ([1.0, -2.0], [1.0, -2.5], 0.25),
            ([np.nan, 1.0], [np.nan, 1.0], 0.0),
            ([np.nan, 1.0], [0.0, 1.0], np.inf),
            ([np.inf, 1.0], [np.inf, 1.0], 0.0),
            ([np.inf], [-np.inf], np.inf),
            ([0.0], [0.0], 0.0),
            ([0.0], [1e-9], np.inf),
            ([], [], 0.0),
        ],
    )
    def test_not_finite_values(self, expected, actual, relative):
        assert onnx_running.difference(np.array(expected), np.array(actual))[1] == relative

    def test_tolerances(self):
        single, half = np.ones(1, np.float32), np.ones(1, np.float16)
        assert export_parity.tolerance_for([single], None, False) == 1e-4
        assert export_parity.tolerance_for([half], None, False) == 1e-2
        assert export_parity.tolerance_for([single], None, True) == 1e-2
        assert export_parity.tolerance_for([half], 0.5, True) == 0.5

    def test_edge_inputs(self):
        arrays = {"x": np.array([[1.0, -2.0], [3.0, 4.0]]), "index": np.array([[1], [2]])}
        groups = [[("x", 0), ("index", 0)]]
        made = {one.name: one for one in export_inputs.cases(arrays, groups, lambda a: a.dtype.kind == "f")}
        assert list(made) == ["the batch", "one example", "5 examples", "zeros", "values x 1000"]
        assert (made["values x 1000"].arrays["x"] == 1000 * arrays["x"]).all()
        assert (made["values x 1000"].arrays["index"] == arrays["index"]).all()
        assert not made["zeros"].arrays["x"].any() and not made["zeros"].arrays["index"].any()
        # longer inputs start again at their beginning
        assert made["5 examples"].arrays["index"].ravel().tolist() == [1, 2, 1, 2, 1]

    def test_latencies_are_taken_in_turn_after_a_warm_up(self):
        order = []
        taken = onnx_running.latencies({"a": lambda: order.append("a"), "b": lambda: order.append("b")}, 12, seconds=0)
        assert order[: 2 * onnx_running.WARM_UP] == ["a"] * onnx_running.WARM_UP + ["b"] * onnx_running.WARM_UP
        assert order[2 * onnx_running.WARM_UP :] == ["a", "b"] * 10
        assert [len(times) for times in taken.values()] == [10, 10]


class TestUnusable:
    @pytest.mark.parametrize(
        ("dynamic", "message"),
        [
            (["image"], "not of the form"),
            (["picture:0"], "there is no input 'picture'; the inputs are image"),
            (["image:7"], "has 4 axes"),
        ],
    )
    def test_dynamic(self, dynamic, message):
        with pytest.raises(UnusableInput, match=message):
            checked(planted.cnn(), dynamic=dynamic)

    def test_a_model_that_fails_on_its_own_batch(self):
        with pytest.raises(UnusableInput, match="fails on its own batch: RuntimeError"):
            checked(small("BakedReshape", torch.randn(5, 8)))

    def test_a_model_that_gives_nan(self):
        given = small("Noise")
        given["model"].linear.weight.data.fill_(float("nan"))
        with pytest.raises(UnusableInput, match="outputs on its own batch hold NaN"):
            checked(given)

    def test_an_input_that_is_no_array(self):
        with pytest.raises(UnusableInput, match="input 'mask' of the batch is a NoneType"):
            checked(planted.given(planted.TokenModel(), (torch.ones(2, 3, dtype=torch.long), None)))


def test_command_line(tmp_path):
    """One JSON object with the documented status, also where the model prints; a missing folder is status 2."""
    (tmp_path / "mine.py").write_text(
        textwrap.dedent(
            """
            import torch
            from torch import nn

            class Net(nn.Module):
                def __init__(self):
                    super().__init__()
                    self.linear = nn.Linear(8, 3)

                def forward(self, x):
                    y = self.linear(x)
                    print("forward")
                    return y if y.sum() > 0 else -y

            def build():
                return {"model": Net().eval(), "batch": (torch.randn(4, 8), torch.zeros(4)), "loss_fn": None or print}
            """
        )
    )
    command = [sys.executable, str(SCRIPTS / "export_check.py"), "--target", f"{tmp_path}/mine.py:build", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    answer = json.loads(done.stdout)
    assert answer["verdict"] == "faults"
    assert [finding["id"] for finding in answer["findings"]] == ["data-dependent-control-flow"]
    assert set(answer["findings"][0]) == {"id", "where", "message", "values", "next_step"}
    assert "Traceback" not in done.stderr
    done = subprocess.run([*command, "--out", str(tmp_path / "no/m.onnx")], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "there is no folder" in json.loads(done.stdout)["error"]
