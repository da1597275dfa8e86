"""framework_parity on ports with planted mistakes, on right ports, and on mapping files that cannot be used."""

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
import yaml
from flax import nnx

ROOT = Path(__file__).resolve().parents[3]
SKILL = ROOT / "skills/neural-architecture-patterns"
BLOCKS = SKILL / "assets/frameworks"
sys.path[:0] = [str(SKILL / "scripts"), str(BLOCKS)]

import flax_nnx_blocks  # noqa: E402
import framework_parity  # noqa: E402
import parity_mapping  # noqa: E402
import pytorch_blocks  # noqa: E402
from dltools.jax_target import JaxTarget  # noqa: E402
from dltools.report import CannotDecide, UnusableInput  # noqa: E402
from dltools.torch_target import TorchTarget  # noqa: E402

TO_FLAX = {"permute": [1, 0]}
DENSE = [
    {"left": "up.weight", "right": "up.w", "steps": [TO_FLAX]},
    {"left": "up.bias", "right": "up.b"},
    {"left": "down.weight", "right": "down.w", "steps": [TO_FLAX]},
    {"left": "down.bias", "right": "down.b"},
]


def common(x):
    return {"batch": (x, x), "loss_fn": lambda outputs, targets: outputs.mean(), "optimizer": None}


def torch_target(model, *shape, inputs=None):
    x = torch.from_numpy(pytorch_blocks.inputs(*shape)) if inputs is None else inputs
    return TorchTarget.build(model, common(x), "cpu")


def nnx_target(model, x):
    return JaxTarget.build("nnx", model, None, None, common(jnp.asarray(x)))


def function_target(params, apply, x, intermediates=None):
    given = {**common(jnp.asarray(x)), "intermediates": intermediates}
    return JaxTarget.build("function", None, jax.tree.map(jnp.asarray, params), apply, given)


def dense_port(x, width=5, hidden=7, activation=lambda h: jax.nn.gelu(h, approximate=False), layers=True):
    """The MLP as a plain function, with weights that are not those of the left model."""
    params = {
        "up": {"w": jnp.ones((width, hidden)), "b": jnp.zeros(hidden)},
        "down": {"w": jnp.ones((hidden, width)), "b": jnp.zeros(width)},
    }

    def intermediates(params, x):
        up = x @ params["up"]["w"] + params["up"]["b"]
        return {"up": up, "down": activation(up) @ params["down"]["w"] + params["down"]["b"]}

    return function_target(
        params, lambda params, x: intermediates(params, x)["down"], x, intermediates if layers else None
    )


@pytest.fixture
def mlp():
    torch.manual_seed(0)
    return torch_target(pytorch_blocks.MLP(5, 7, 5), 3, 5)


def read(path, content):
    path.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
    return parity_mapping.read_mapping(path)


@pytest.fixture
def mapped(tmp_path):
    return lambda tensors, **more: read(tmp_path / "mapping.yaml", {"tensors": tensors, **more})


def ids(report):
    return [finding.id for finding in report.findings]


def first(report):
    return report.findings[0]


def test_a_right_port_has_parity_and_both_models_stay_as_they_were(mlp, mapped):
    right = dense_port(mlp.inputs.numpy())
    before = mlp.fingerprint(), right.fingerprint()
    report = framework_parity.compare(mlp, right, mapped(DENSE))
    assert (report.verdict, report.findings) == ("parity", [])
    assert [row["left"] for row in report.measured["layers"]] == ["up", "down", "output"]
    assert all(row["max_abs_difference"] < 1e-6 for row in report.measured["layers"])
    assert (mlp.fingerprint(), right.fingerprint()) == before


class TestPlantedMistakes:
    def test_another_activation_lies_between_two_layers(self, mlp, mapped):
        report = framework_parity.compare(mlp, dense_port(mlp.inputs.numpy(), activation=jax.nn.gelu), mapped(DENSE))
        assert (report.verdict, first(report).id, first(report).where) == ("parity-broken", "parity-broken", "down")
        assert "up is the last that agrees" in first(report).message and "GELU" in first(report).next_step

    def test_without_layers_the_output_is_compared(self, mlp, mapped):
        right = dense_port(mlp.inputs.numpy(), activation=jax.nn.gelu, layers=False)
        report = framework_parity.compare(mlp, right, mapped(DENSE))
        assert first(report).where == "output"
        assert "up, down" in report.notes[-1]

    def test_a_square_kernel_that_was_not_transposed(self, mapped):
        left = torch_target(pytorch_blocks.MLP(5, 5, 5), 3, 5)
        entries = [{key: value for key, value in one.items() if key != "steps"} for one in DENSE]
        report = framework_parity.compare(left, dense_port(left.inputs.numpy(), hidden=5), mapped(entries))
        assert first(report).where == "up"
        assert "`permute: [1, 0]` more on up.w they agree" in first(report).message

    @pytest.fixture(scope="class")
    @staticmethod
    def attention():
        torch.manual_seed(0)
        return torch_target(pytorch_blocks.AttentionBlock(16, 4, 32), 3, 6, 16)

    def in_block(self, left, change=lambda port: None, mapping=None):
        port = flax_nnx_blocks.AttentionBlock(16, 4, 32, rngs=nnx.Rngs(0))
        change(port)
        mapping = mapping or parity_mapping.read_mapping(BLOCKS / "mappings/attention_flax.yaml")
        return framework_parity.compare(left, nnx_target(port, left.inputs.numpy()), mapping)

    def test_an_epsilon_is_inside_the_normalisation(self, attention):
        report = self.in_block(attention, lambda port: setattr(port.norm1, "epsilon", 1e-3))
        assert (report.verdict, first(report).where) == ("parity-broken", "norm1")
        assert "its inputs agree" in first(report).message and "epsilon" in first(report).next_step

    def test_a_normalisation_that_was_left_out_is_before_the_next_layer(self, attention):
        mapping = parity_mapping.read_mapping(BLOCKS / "mappings/attention_flax.yaml")
        kept = tuple(entry for entry in mapping.entries if "norm2" not in entry.left[0])
        mapping = dataclasses.replace(mapping, entries=kept, ignored={"left": ["norm2.*"]})
        report = self.in_block(attention, lambda port: setattr(port, "norm2", nnx.Sequential()), mapping)
        assert (report.verdict, first(report).where) == ("parity-broken", "up")
        assert "the fault is between attention and this layer" in first(report).message

    def test_queries_and_keys_that_changed_places(self, attention):
        mapping = parity_mapping.read_mapping(BLOCKS / "mappings/attention_flax.yaml")
        swapped = [
            dataclasses.replace(entry, right=(entry.right[1], entry.right[0], entry.right[2]))
            if entry.left == ("attention.in_proj_weight",)
            else entry
            for entry in mapping.entries
        ]
        report = self.in_block(attention, mapping=dataclasses.replace(mapping, entries=tuple(swapped)))
        assert (report.verdict, first(report).where) == ("parity-broken", "attention")
        assert first(report).values["inputs_differ_by"] < 1e-6

    def test_a_fused_matrix_gets_the_steps_that_the_shapes_allow(self, attention):
        path = BLOCKS / "mappings/attention_flax.yaml"
        mapping = parity_mapping.read_mapping(path)
        bare = tuple(dataclasses.replace(entry, steps=()) for entry in mapping.entries)
        report = self.in_block(attention, mapping=dataclasses.replace(mapping, entries=bare))
        found = {f.where.partition(" ")[2]: yaml.safe_load(f.details["suggestion"]) for f in report.findings}
        wanted = {f"{', '.join(e.left)} -> {', '.join(e.right)}": list(e.steps) for e in mapping.entries if e.steps}
        assert set(ids(report)) == {"shape-mismatch"} and report.verdict == "mapping-faulty"
        assert found == wanted

    def test_statistics_that_changed_places(self):
        left = torch_target(pytorch_blocks.ConvBlock(4), 3, 4, 8, 8)
        mapping = parity_mapping.read_mapping(BLOCKS / "mappings/conv_flax_nnx.yaml")
        swap = {"bn1.mean": "bn1.var", "bn1.var": "bn1.mean"}
        entries = tuple(dataclasses.replace(e, right=(swap.get(e.right[0], e.right[0]),)) for e in mapping.entries)
        right = flax_nnx_blocks.ConvBlock(4, rngs=nnx.Rngs(0))
        x = left.inputs.numpy().transpose(0, 2, 3, 1)
        # zeros and ones before they are filled, so that without filling nothing would be seen but a division by zero
        report = framework_parity.compare(left, nnx_target(right, x), dataclasses.replace(mapping, entries=entries))
        assert (report.verdict, first(report).where) == ("parity-broken", "bn1")

    def test_biases_that_changed_places_show_though_they_are_zero(self, mapped):
        left = torch_target(torch.nn.Sequential(torch.nn.LayerNorm(5), torch.nn.LayerNorm(5)), 3, 5)
        right = torch_target(torch.nn.Sequential(torch.nn.LayerNorm(5), torch.nn.LayerNorm(5)), 3, 5)
        names = {"0.weight": "0.weight", "0.bias": "1.bias", "1.weight": "1.weight", "1.bias": "0.bias"}
        report = framework_parity.compare(left, right, mapped([{"left": a, "right": b} for a, b in names.items()]))
        assert report.verdict == "parity-broken"
        assert "0.bias" in report.notes[0]

    def test_a_residual_that_was_forgotten_is_before_the_output(self, mapped):
        class Residual(pytorch_blocks.MLP):
            def forward(self, x):
                return x + super().forward(x)

        left = torch_target(Residual(5, 7, 5), 3, 5)
        report = framework_parity.compare(left, dense_port(left.inputs.numpy()), mapped(DENSE))
        assert (first(report).where, report.verdict) == ("output", "parity-broken")
        assert "down is the last that agrees" in first(report).message

    def test_a_layer_that_ends_elsewhere_does_not_break_parity(self, mlp, mapped):
        right = dense_port(mlp.inputs.numpy())
        layers = right.intermediates
        right.intermediates = lambda params, x: {**layers(params, x), "up": jax.nn.relu(layers(params, x)["up"])}
        report = framework_parity.compare(mlp, right, mapped(DENSE))
        assert (report.verdict, ids(report), first(report).where) == ("layers-differ", ["layer-differs"], "up")

    def test_values_that_are_not_finite(self, mlp, mapped):
        right = dense_port(mlp.inputs.numpy(), activation=lambda h: h / 0)
        report = framework_parity.compare(mlp, right, mapped(DENSE))
        assert (report.verdict, first(report).values["max_abs_difference"]) == ("parity-broken", float("inf"))
        with torch.no_grad():
            mlp.model.up.bias[0] = float("nan")
        with pytest.raises(CannotDecide, match="NaN or infinity at up"):
            framework_parity.compare(mlp, dense_port(mlp.inputs.numpy()), mapped(DENSE))


    def test_a_model_in_half_precision_is_said_to_be_so(self, mapped):
        left = torch_target(pytorch_blocks.MLP(5, 7, 5).bfloat16(), inputs=torch.ones(3, 5, dtype=torch.bfloat16))
        report = framework_parity.compare(left, dense_port(np.ones((3, 5), np.float32)), mapped(DENSE))
        assert "The left model holds bfloat16, the right one float32" in report.notes[-1]


class TestNames:
    def test_a_forgotten_tensor_is_found_on_both_sides_with_its_partner(self, mlp, mapped):
        report = framework_parity.compare(mlp, dense_port(mlp.inputs.numpy()), mapped(DENSE[:1] + DENSE[2:]))
        found = {f.where: f.values["candidates"] for f in report.findings if f.id == "unmapped-tensor"}
        assert found == {"left up.bias": ["up.b"], "right up.b": ["up.bias"]}
        assert report.verdict == "parity-broken"

    def test_ignored_tensors_need_no_partner(self, mlp, mapped):
        right = dense_port(mlp.inputs.numpy())
        right.params["counter"] = jnp.zeros(())
        assert ids(framework_parity.compare(mlp, right, mapped(DENSE))) == ["unmapped-tensor"]
        assert framework_parity.compare(mlp, right, mapped(DENSE, ignore={"right": ["count*"]})).verdict == "parity"

    def test_a_name_that_is_not_there(self, mlp, mapped):
        wrong = [{"left": "up.weights", "right": "up.w", "steps": [TO_FLAX]}, *DENSE[1:]]
        report = framework_parity.compare(mlp, dense_port(mlp.inputs.numpy()), mapped(wrong))
        finding = next(f for f in report.findings if f.id == "unknown-tensor")
        assert finding.where == "left up.weights" and "up.weight" in finding.values["similar"]
        assert report.verdict == "mapping-faulty"

    def test_a_layer_that_is_not_there(self, mlp, mapped):
        report = framework_parity.compare(
            mlp, dense_port(mlp.inputs.numpy()), mapped(DENSE, layers=[{"left": "up", "right": "uq"}])
        )
        assert ids(report) == ["unknown-layer"]
        assert first(report).values["similar"] == ["up"]

    def test_one_name_of_tied_weights_is_enough(self, mapped):
        class Tied(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.embedding, self.head = torch.nn.Embedding(9, 5), torch.nn.Linear(5, 9, bias=False)
                self.head.weight = self.embedding.weight

            def forward(self, tokens):
                return self.head(self.embedding(tokens))

        left = torch_target(Tied(), inputs=torch.arange(6).reshape(2, 3))
        right = function_target({"table": np.zeros((9, 5))}, lambda p, x: p["table"][x] @ p["table"].T, np.zeros(1))
        for name in ("embedding.weight", "head.weight"):
            assert framework_parity.compare(left, right, mapped([{"left": name, "right": "table"}])).verdict == "parity"


class TestLayouts:
    def test_a_scan_over_layers_takes_the_stacked_layers(self, mapped):
        layers = [torch.nn.Linear(5, 5) for _ in range(3)]
        left = torch_target(torch.nn.Sequential(*(m for layer in layers for m in (layer, torch.nn.Tanh()))), 3, 5)

        def apply(params, x):
            def one(h, layer):
                return jnp.tanh(h @ layer["w"] + layer["b"]), None

            return jax.lax.scan(one, x, params)[0]

        right = function_target({"w": np.zeros((3, 5, 5)), "b": np.zeros((3, 5))}, apply, left.inputs.numpy())
        weights = [f"{i}.weight" for i in (0, 2, 4)]
        biases = [f"{i}.bias" for i in (0, 2, 4)]
        entries = [
            {"left": weights, "right": "w", "steps": [TO_FLAX, {"stack": 0}]},
            {"left": biases, "right": "b", "steps": [{"stack": 0}]},
        ]
        assert framework_parity.compare(left, right, mapped(entries)).verdict == "parity"
        del entries[0]["steps"][0]
        assert framework_parity.compare(left, right, mapped(entries)).verdict == "parity-broken"

    def test_modules_within_a_scan_of_nnx_are_left_out_and_the_output_is_compared(self, mapped):
        class Block(nnx.Module):
            def __init__(self, rngs):
                self.linear = nnx.Linear(5, 5, rngs=rngs)

            def __call__(self, x):
                return nnx.tanh(self.linear(x))

        @nnx.scan(in_axes=(nnx.Carry, 0), out_axes=nnx.Carry)
        def run(x, block):
            return block(x)

        class Stack(nnx.Module):
            def __init__(self, rngs):
                self.blocks, self.out = nnx.vmap(Block)(rngs.split(3)), nnx.Linear(5, 2, rngs=rngs)

            def __call__(self, x):
                return self.out(run(x, self.blocks))

        layers = [module for _ in range(3) for module in (torch.nn.Linear(5, 5), torch.nn.Tanh())]
        left = torch_target(torch.nn.Sequential(*layers, torch.nn.Linear(5, 2)), 3, 5)
        stacked = [
            {"left": [f"{i}.{one}" for i in (0, 2, 4)], "right": f"blocks.linear.{two}", "steps": [*turn, {"stack": 0}]}
            for one, two, turn in (("weight", "kernel", [TO_FLAX]), ("bias", "bias", []))
        ]
        last = [{"left": "6.weight", "right": "out.kernel", "steps": [TO_FLAX]}, {"left": "6.bias", "right": "out.bias"}]
        right = nnx_target(Stack(nnx.Rngs(0)), left.inputs.numpy())
        report = framework_parity.compare(left, right, mapped(stacked + last))
        assert report.verdict == "parity"
        assert [row["right"] for row in report.measured["layers"]] == ["out", "output"]

    def test_models_with_several_inputs(self, mapped):
        class Two(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.table, self.up = torch.nn.Embedding(9, 4), torch.nn.Linear(5, 4)

            def forward(self, tokens, values):
                return self.table(tokens) + self.up(values)

        x = (torch.arange(3), torch.from_numpy(pytorch_blocks.inputs(3, 5)))
        left = TorchTarget.build(Two(), {**common(x), "batch": (x, x[1])}, "cpu")
        params = {"table": np.zeros((9, 4)), "up": np.zeros((5, 4)), "bias": np.zeros(4)}
        right = function_target(params, lambda p, x: p["table"][x[0]] + x[1] @ p["up"] + p["bias"], np.zeros(1))
        entries = [
            {"left": "table.weight", "right": "table"},
            {"left": "up.weight", "right": "up", "steps": [TO_FLAX]},
            {"left": "up.bias", "right": "bias"},
        ]
        assert framework_parity.compare(left, right, mapped(entries)).verdict == "parity"

    def test_names_are_counted(self, mapped):
        step = [{"stack": 0}]
        both, one = {"left": "a.{i}.w", "right": "b.{i}.w", "repeat": 2}, {"left": "c.{i}", "right": "d", "repeat": 2}
        entries = mapped([both, {**one, "steps": step}], layers=[{"left": "l.{i}", "right": "r.{i}", "repeat": 2}])
        assert [(entry.left, entry.right) for entry in entries.entries] == [
            (("a.0.w",), ("b.0.w",)),
            (("a.1.w",), ("b.1.w",)),
            (("c.0", "c.1"), ("d",)),
        ]
        assert entries.layers == (("l.0", "r.0"), ("l.1", "r.1"))

    @pytest.mark.parametrize(
        ("steps", "given", "made"),
        [
            ([{"unstack": 1}], [(2, 3)], [(2,), (2,), (2,)]),
            ([{"concatenate": 0}], [(2, 3), (4, 3)], [(6, 3)]),
            ([{"split": {"axis": 0, "parts": 4}}, {"select": [0, 2, 1, 3]}, {"concatenate": 0}], [(8,)], [(8,)]),
            ([{"sum": True}], [(4,), (4,)], [(4,)]),
            ([{"reshape": [2, -1]}], [(4, 3)], [(2, 6)]),
        ],
    )
    def test_steps(self, steps, given, made):
        entry = parity_mapping.Entry(("l",) * len(given), ("r",) * len(made), tuple(steps), "tensors.0")
        assert [value.shape for value in entry.convert([np.zeros(shape) for shape in given])] == made

    def test_gates_are_reordered_by_value(self):
        steps = ({"split": {"axis": 0, "parts": 4}}, {"select": [0, 2, 1, 3]}, {"concatenate": 0})
        (made,) = parity_mapping.Entry(("l",), ("r",), steps, "tensors.0").convert([np.arange(4)])
        assert made.tolist() == [0, 2, 1, 3]

    @pytest.mark.parametrize(
        ("given", "wanted", "steps"),
        [
            ([(7, 5)], [(5, 7)], "[{permute: [1, 0]}]"),
            ([(8, 3, 5, 5)], [(5, 5, 3, 8)], "[{permute: [2, 3, 1, 0]}]"),
            ([(5, 5, 3, 8)], [(8, 3, 5, 5)], "[{permute: [3, 2, 0, 1]}]"),
            ([(8, 3, 5)], [(5, 3, 8)], "[{permute: [2, 1, 0]}]"),
            ([(7, 5)] * 3, [(3, 5, 7)], "[{stack: 0}, {permute: [0, 2, 1]}]"),
            ([(7,)] * 3, [(21,)], "[{concatenate: 0}]"),
            ([(3, 7)], [(7,)] * 3, "[{unstack: 0}]"),
            ([(8,), (8,)], [(8,)], "[{sum: true}]"),
            ([(8, 6)], [(6, 2, 4)], "[{permute: [1, 0]}, {reshape: [6, 2, 4]}]"),
            ([(7, 5)], [(6, 7)], ""),
            ([(2,), (3,)], [(5,), (1,), (1,)], ""),
        ],
    )
    def test_suggestions(self, given, wanted, steps):
        assert parity_mapping.suggestion(given, wanted) == steps

    def test_a_shape_that_no_layout_mends_is_said_to_be_so(self, mlp, mapped):
        report = framework_parity.compare(mlp, dense_port(mlp.inputs.numpy(), hidden=6), mapped(DENSE))
        assert set(ids(report)) == {"shape-mismatch"}
        assert "no change of layout" in first(report).next_step

    def test_images_in_the_wrong_order_are_named(self):
        left = torch_target(pytorch_blocks.ConvBlock(4), 3, 4, 8, 8)
        mapping = parity_mapping.read_mapping(BLOCKS / "mappings/conv_flax_nnx.yaml")
        right = nnx_target(flax_nnx_blocks.ConvBlock(4, rngs=nnx.Rngs(0)), left.inputs.numpy())
        with pytest.raises(UnusableInput, match="the right model raised.*`activations` of the mapping can reorder"):
            framework_parity.compare(left, right, dataclasses.replace(mapping, activations=None))

    def test_outputs_of_another_shape(self, mlp, mapped):
        right = dense_port(mlp.inputs.numpy())
        inner = right.pure
        right.pure = lambda *given: (inner(*given)[0].T, ())
        finding = first(framework_parity.compare(mlp, right, mapped(DENSE)))
        assert (finding.id, finding.where) == ("shape-mismatch", "layer output")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("tensors: [", "is not YAML"),
        ("activations: [0, 1]", "'tensors' is a required property"),
        ({"tensors": []}, "tensors: "),
        ({"tensors": [{"left": "a", "right": "b", "steps": [{"rotate": 1}]}]}, "tensors.0.steps.0"),
        ({"tensors": [{"left": "a", "right": "b", "step": []}]}, "'step' was unexpected"),
        ({"tensors": [{"left": "a", "right": "b", "steps": [{"permute": [0, 2]}]}]}, "no order of 2 axes"),
        ({"activations": [1, 2], "tensors": [{"left": "a", "right": "b"}]}, "activations: [1, 2] is no order"),
        ({"tensors": [{"left": "a.{i}", "right": "b"}]}, "`repeat` goes with {i}"),
        ({"tensors": [{"left": "a", "right": "b", "repeat": 2}]}, "`repeat` goes with {i}"),
        ({"tensors": [{"left": "a", "right": "b"}, {"left": "c", "right": "b"}]}, "'b' is given by tensors.0 already"),
    ],
)
def test_mapping_files_that_cannot_be_used(tmp_path, content, said):
    with pytest.raises(UnusableInput) as error:
        read(tmp_path / "m.yaml", content)
    assert said in str(error.value) and str(error.value).startswith("m.yaml")


def test_a_missing_mapping_is_named(tmp_path):
    with pytest.raises(UnusableInput, match="cannot read the mapping"):
        parity_mapping.read_mapping(tmp_path / "missing.yaml")


def test_the_weights_are_those_of_the_left_model(mlp, mapped, tmp_path):
    with torch.no_grad():
        mlp.model.up.bias.zero_()
    content = framework_parity.weights(mlp, dense_port(mlp.inputs.numpy()), mapped(DENSE))
    (tmp_path / "w.npz").write_bytes(content)
    with np.load(tmp_path / "w.npz", allow_pickle=False) as saved:
        assert set(saved) == {"up.w", "up.b", "down.w", "down.b"}
        np.testing.assert_array_equal(saved["up.w"], mlp.model.up.weight.detach().numpy().T)
        # filled for the comparison only
        assert not saved["up.b"].any()


TARGET = """
import torch
def build():
    torch.manual_seed(0)
    return {"model": torch.nn.Linear(3, 2), "batch": (torch.ones(4, 3), torch.ones(4, 2)), "loss_fn": torch.nn.MSELoss()}
"""


def command(folder, *arguments):
    script = SKILL / "scripts/framework_parity.py"
    targets = ["--left", "t.py:build", "--right", "t.py:build", "--mapping", "m.yaml"]
    return subprocess.run(
        [sys.executable, str(script), *targets, *arguments], cwd=folder, capture_output=True, text=True
    )


def test_the_command_prints_one_object_and_writes_the_weights(tmp_path):
    (tmp_path / "t.py").write_text(TARGET)
    (tmp_path / "m.yaml").write_text("tensors: [{left: weight, right: weight}, {left: bias, right: bias}]")
    done = command(tmp_path, "--json", "--write", "w.npz")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["verdict"] == "parity"
    assert sorted(np.load(tmp_path / "w.npz")) == ["bias", "weight"]


def test_the_command_says_what_is_wrong_without_a_traceback(tmp_path):
    (tmp_path / "t.py").write_text(TARGET)
    done = command(tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "cannot read the mapping m.yaml" in done.stderr and "Traceback" not in done.stderr
