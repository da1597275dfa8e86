"""check_properties: planted violations are found and named, their right twins pass, and what it cannot see it says."""

import json
import subprocess
import sys
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest
import torch
from torch import nn

ROOT = Path(__file__).resolve().parents[3]
HERE = Path(__file__).resolve().parent
SCRIPTS = ROOT / "skills/neural-architecture-patterns/scripts"
for folder in (str(HERE), str(SCRIPTS)):
    if folder not in sys.path:
        sys.path.insert(0, folder)

import check_properties
import property_targets_torch as planted

from dltools import target
from dltools.report import CannotDecide, UnusableInput

SCRIPT = SCRIPTS / "check_properties.py"
torch.set_num_threads(1)

# planted violation -> (finding, what `where` must say)
TORCH = {
    "no_causal_mask": ("causal-leak", "block.attention: output"),
    "mask_off_by_one": ("causal-leak", "block.attention: output"),
    "mask_transposed": ("causal-leak", "block.attention: output"),
    "mask_after_softmax": ("causal-leak", "block.attention: output"),
    "first_row_sees_all": ("causal-leak", "block.attention: output 0 from input"),
    "norm_over_positions": ("causal-leak", "block.norm: output"),
    "leak_behind_zero": ("causal-leak", "block.attention: output"),
    "conv_both_ways": ("causal-leak", "Conv1d: output"),
    "transformer_without_positions": ("no-position-information", "model"),
    "mask_on_queries": ("padding-leak", "block.attention: outputs"),
    "mask_not_passed_on": ("padding-leak", "block.attention: outputs"),
    "mean_over_padding": ("padding-leak", "outputs"),
    "pad_token_seen": ("padding-leak", "output"),
    "causal_pad_token_seen": ("padding-leak", "output"),
    "placed_set": ("not-permutation-equivariant", "element"),
    "placed_pool": ("not-permutation-invariant", "model"),
    "graph_by_index": ("not-permutation-equivariant", "element"),
    "reshape_across_batch": ("batch-mixing", "Mixing: example"),
    "mean_over_batch": ("batch-mixing", "Mixing: example"),
    "batch_norm_without_statistics": ("batch-mixing", "norm: example"),
    "batch_norm_declared_independent": ("batch-mixing", "example"),
    "norm_stays_in_float32": ("dtype-changed", "norm"),
    "cast_shows_float32": ("dtype-changed", "norm"),
    "dropout_never_on": ("train-flag-without-effect", "model"),
    "dropout_always_on": ("train-flag-without-effect", "model"),
    "dropout_built_not_called": ("train-flag-without-effect", "model"),
    "strided_convolution": ("not-shift-equivariant", "axis 2"),
    "strided_and_upsampled": ("not-shift-equivariant", "axis 2"),
    "convolution_with_places": ("not-shift-equivariant", "axis 3"),
}
JAX = {
    "no_causal_mask": "causal-leak",
    "mask_off_by_one": "causal-leak",
    "first_row_sees_all": "causal-leak",
    "conv_both_ways": "causal-leak",
    "transformer_without_positions": "no-position-information",
    "mask_on_queries": "padding-leak",
    "mean_over_padding": "padding-leak",
    "last_of_array": "padding-leak",
    "placed_set": "not-permutation-equivariant",
    "reshape_across_batch": "batch-mixing",
    "batch_norm_declared_independent": "batch-mixing",
    "dtype_not_passed_on": "dtype-changed",
    "dropout_never_on": "train-flag-without-effect",
    "train_not_used": "train-flag-without-effect",
    "strided_convolution": "not-shift-equivariant",
}
TWINS = [name for name in vars(planted) if name.endswith("_right")]


@pytest.fixture(scope="module", autouse=True)
def quick_compilation():
    """Compiles without most optimisations: here compilation takes longer than the steps."""
    import jax

    before = jax.config.read("jax_disable_most_optimizations")
    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", before)


def load(name, framework="torch"):
    return target.load(f"{HERE / f'property_targets_{framework}.py'}:{name}")


def checked(loaded, **options):
    """The report; the target is as before, by its hash."""
    before = loaded.fingerprint()
    report = check_properties.check(loaded, **options)
    assert loaded.fingerprint() == before
    return report


def of(model, inputs, **properties):
    """A target without a file."""
    from dltools.torch_target import TorchTarget

    common = {"batch": (inputs, torch.zeros(4)), "loss_fn": lambda out, _: out.mean(), "optimizer": None}
    return TorchTarget.build(model, {**common, "num_classes": None, "labels": None, "properties": properties}, "cpu")


@pytest.mark.parametrize("name", TORCH)
def test_planted_violation_is_found_and_placed(name):
    report = checked(load(name))
    wanted, where = TORCH[name]
    assert [finding.id for finding in report.findings] == [wanted]
    assert report.findings[0].where.startswith(where)
    assert report.findings[0].values and report.findings[0].next_step
    assert report.exit_status == 1


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("name", TWINS)
def test_right_twin_passes(name, seed):
    report = checked(load(name), seed=seed)
    assert (report.verdict, report.findings) == ("healthy", ())


@pytest.mark.parametrize("name", JAX)
def test_planted_violation_is_found_in_jax(name):
    report = checked(load(name, "jax"))
    assert [finding.id for finding in report.findings] == [JAX[name]]


def test_right_twins_pass_in_jax():
    import property_targets_jax

    names = [name for name in vars(property_targets_jax) if name.endswith("_right")]
    assert len(names) >= 10
    for name in names:
        report = checked(load(name, "jax"))
        assert (report.verdict, report.findings) == ("healthy", ()), name


def test_the_reach_of_a_leak_tells_a_shifted_mask_from_a_missing_one():
    shifted, missing = (checked(load(name)).findings[0] for name in ("mask_off_by_one", "no_causal_mask"))
    assert shifted.values["positions_ahead"] == 1
    assert "It looks 1 ahead" in shifted.next_step
    assert missing.values["positions_ahead"] > 1
    assert "missing" in missing.next_step
    first = checked(load("first_row_sees_all")).findings[0]
    assert first.values["output_position"] == 0
    assert "Only the first position" in first.next_step


def test_a_leak_behind_a_zero_weight_is_invisible_without_other_weights():
    """Why all-zero parameters are made random: with them as they are, no output changes."""
    loaded = load("leak_behind_zero")
    x = loaded.inputs.clone()
    x[:, 6:] = x[:, 6:] % 10 + 1
    torch.testing.assert_close(loaded.outputs()[:, :6], loaded.outputs(x)[:, :6], rtol=0, atol=0)
    report = checked(loaded)
    assert [finding.id for finding in report.findings] == ["causal-leak"]
    assert any("parameters that are all zero" in note for note in report.notes)


def test_what_is_not_declared_is_information():
    report = checked(of(planted.Tokens("none", positions=False), planted.tokens()))
    assert (report.verdict, report.findings, report.exit_status) == ("nothing-declared", (), 0)
    text = "\n".join(report.notes)
    assert "causal, not declared: not causal" in text
    assert "permutation_equivariant, not declared: permutation-equivariant" in text
    assert "permutation_invariant, not declared: not permutation-invariant" in text
    assert report.measured["causal"]["holds"] is False


def test_batch_norm_in_training_is_named_and_no_finding():
    report = checked(load("reshape_across_batch_right"))
    note = next(note for note in report.notes if note.startswith("batch_independent in training"))
    assert "batch normalisation (norm), which does this by design" in note


def test_only_the_named_properties_are_measured():
    report = checked(load("no_causal_mask"), only=["dtype"])
    assert list(report.measured) == ["dtype"]
    with pytest.raises(UnusableInput, match="--only causality"):
        check_properties.check(load("no_causal_mask"), only=["causality"])


def test_strides_hold_for_their_own_shifts():
    finding = checked(load("strided_convolution")).findings[0]
    assert finding.values["stride_of_output"] == 2
    assert "shifts by 2 do" in finding.message
    finding = checked(load("strided_and_upsampled")).findings[0]
    assert finding.values["change_when_shifted_by_1"] > 0.01 > finding.values["change_when_shifted_by_2"]


def test_borders_are_kept_out():
    """With zero padding the outputs at the border do change; only the interior is compared."""
    report = checked(load("convolution_with_places_right"))
    assert "those that see neither border" in report.measured["shift_equivariant"]["seen"]
    model = load("convolution_with_places_right").model
    x = planted.IMAGE
    with torch.no_grad():
        gap = (model(x.roll(1, 3)) - model(x).roll(1, 3)).abs().amax(dim=(0, 1, 2))
    assert gap[0] > 0.01 and gap[4:12].max() < 1e-5


def test_an_input_too_small_for_its_receptive_field_is_enlarged():
    class Wide(nn.Module):
        def __init__(self, fixed):
            super().__init__()
            self.layers = nn.Sequential(*[nn.Conv2d(2, 2, 5, padding=2) for _ in range(3)])
            self.fixed = fixed

        def forward(self, x):
            assert not self.fixed or x.shape[-1] == 8
            return self.layers(x)

    small = planted.floats(4, 2, 8, 8)
    report = checked(of(Wide(False), small, shift_equivariant={"axis": 3}))
    assert report.verdict == "healthy"
    assert "on the input repeated" in report.measured["shift_equivariant"]["seen"]
    report = checked(of(Wide(True), small, shift_equivariant={"axis": 3}))
    assert report.verdict == "cannot-decide"
    assert "larger input" in "\n".join(report.notes)


def test_a_model_that_sees_everything_is_compared_under_a_cyclic_shift():
    circular = nn.Sequential(*[nn.Conv2d(2, 2, 5, padding=2, padding_mode="circular") for _ in range(3)])
    assert checked(of(circular, planted.floats(4, 2, 6, 6), shift_equivariant=True)).verdict == "healthy"
    flat = nn.Sequential(nn.Flatten(), nn.Linear(72, 72), nn.Unflatten(1, (2, 6, 6)))
    report = checked(of(flat, planted.floats(4, 2, 6, 6), shift_equivariant=True))
    assert [finding.id for finding in report.findings] == ["not-shift-equivariant"]


def test_one_dimensional_layers_along_another_axis():
    model = nn.Conv1d(16, 16, 3, padding=1)
    inputs = planted.floats(4, 16, 12)
    assert checked(of(model, inputs, shift_equivariant={"axis": 2})).verdict == "healthy"
    assert checked(of(model, inputs, permutation_equivariant={"axis": 2})).verdict == "faults"


def test_the_meaning_of_a_mask_can_be_declared_and_is_guessed_right():
    class Padded(planted.Pooled):
        def forward(self, x, padding):
            return super().forward(x, ~padding)

    inputs = {"x": planted.floats(), "padding": torch.zeros(4, 12, dtype=torch.bool)}
    assert checked(of(Padded(), inputs, padding_mask="padding")).verdict == "healthy"
    with pytest.raises(UnusableInput, match="marks every position as padding"):
        check_properties.check(of(Padded(), inputs, padding_mask={"input": "padding", "marks": "real"}))
    inputs["padding"][:, -1] = True
    report = checked(of(Padded(), inputs, padding_mask={"input": "padding", "marks": "real"}))
    assert "opposite meaning" in report.findings[0].next_step


def test_a_model_that_reads_the_first_position_is_safe_for_padding_on_the_right():
    class First(nn.Module):
        def __init__(self):
            super().__init__()
            self.block, self.head = planted.Block("both"), nn.Linear(16, 2)

        def forward(self, x, mask):
            return self.head(self.block(x, mask)[:, 0])

    report = checked(of(First(), planted.MASKED, padding_mask="mask"))
    assert "declare {'side': 'right'}" in report.findings[0].next_step
    assert report.findings[0].values["changes"]["contents of padding on the right"] == 0
    declared = {"input": "mask", "side": "right"}
    assert checked(of(First(), planted.MASKED, padding_mask=declared)).verdict == "healthy"
    with pytest.raises(UnusableInput, match="the side 'end'"):
        check_properties.check(of(First(), planted.MASKED, padding_mask={"input": "mask", "side": "end"}))


def test_the_fused_encoder_of_pytorch_is_switched_off_for_the_checks():
    """With a padding mask it returns nested tensors, which no hook can look into."""

    class Encoder(nn.Module):
        def __init__(self, mean):
            super().__init__()
            layer = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True)
            self.layers, self.mean = nn.TransformerEncoder(layer, 2), mean

        def forward(self, x, padding):
            x = self.layers(x, src_key_padding_mask=padding)
            return x - x.mean(1, keepdim=True) if self.mean else x

    inputs = {"x": planted.floats(), "padding": torch.zeros(4, 12, dtype=torch.bool)}
    assert checked(of(Encoder(False), inputs, padding_mask="padding")).verdict == "healthy"
    finding = checked(of(Encoder(True), inputs, padding_mask="padding")).findings[0]
    assert finding.where.startswith("Encoder: output")
    assert torch.backends.mha.get_fastpath_enabled()


def test_an_additive_mask_is_understood():
    class Added(nn.Module):
        def __init__(self, used):
            super().__init__()
            self.layer, self.used = nn.Linear(16, 1), used

        def forward(self, x, mask):
            scores = self.layer(x)[..., 0] + (mask if self.used else 0)
            return (scores.softmax(1)[..., None] * x).sum(1)

    inputs = {"x": planted.floats(), "mask": torch.zeros(4, 12)}
    assert checked(of(Added(True), inputs, padding_mask="mask")).verdict == "healthy"
    assert checked(of(Added(False), inputs, padding_mask="mask")).findings[0].id == "padding-leak"


def test_a_table_of_positions_is_not_taken_for_the_padding_token():
    class Placed(planted.Tokens):
        def __init__(self):
            super().__init__("both", positions=False, pad=0)
            self.place_table = nn.Embedding(12, 16)

        def forward(self, tokens):
            x = self.embed(tokens) + self.place_table(torch.arange(tokens.shape[1]))
            return self.head(self.block(x, tokens != 0))

    report = checked(of(Placed(), planted.tokens(1), padding_mask={"token": 0}))
    assert report.verdict == "healthy"
    assert not any("place_table" in name for name in report.measured["padding_mask"]["changes"])
    assert any("embed.weight" in name for name in report.measured["padding_mask"]["changes"])


def test_rounding_of_a_long_sum_is_no_finding():
    """Permuting two thousand summands changes their float32 sum, by less than the tolerance."""
    model = planted.SetModel(pool=True)
    inputs = 1 + planted.floats(4, 2000, 16)
    report = checked(of(model, inputs, permutation_invariant=True))
    seen = report.measured["permutation_invariant"]
    assert report.verdict == "healthy"
    assert 0 < seen["relative_change"] < seen["tolerance"]


def test_narrow_floats_are_cast_so_that_a_leak_shows():
    """In bfloat16 one hundred units in the last place are most of the output."""
    report = checked(of(planted.Tokens("none").to(torch.bfloat16), planted.tokens(), causal=True))
    assert [finding.id for finding in report.findings] == ["causal-leak"]
    assert report.findings[0].values["tolerance"] < 1e-3


@pytest.mark.parametrize(("model", "length"), [(planted.SetModel(), 12), (nn.GRU(16, 16, batch_first=True), 300)])
def test_the_tolerance_is_a_hundred_units_or_ten_times_the_measured_rounding(model, length):
    from property_subject import Subject

    subject = Subject(of(model, planted.floats(4, length, 16)))
    subject.measure_rounding()
    assert subject.rounding > 0
    assert subject.tolerance == max(100 * 2.0**-23, 10 * subject.rounding)


class Constant(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(16, 16)

    def forward(self, x):
        return self.layer(x * 0)


class Random(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer, self.draw = nn.Linear(16, 16), np.random.default_rng(0)

    def forward(self, x):
        return self.layer(x) + self.draw.normal()


class Infinite(nn.Linear):
    def forward(self, x):
        return super().forward(x).log()


@pytest.mark.parametrize(
    ("model", "says"),
    [
        (Constant(), "do not depend on the inputs"),
        (Random(), "two calls with the same seed differ"),
        (Infinite(16, 16), "are not finite"),
        (nn.Linear(16, 16, device="meta"), "meta device"),
    ],
)
def test_where_nothing_can_be_seen_it_says_why(model, says):
    inputs = planted.floats()
    loaded = of(nn.Linear(16, 16), inputs, causal=True)
    loaded.model = model
    with pytest.raises(CannotDecide, match=says):
        check_properties.check(loaded)


@pytest.mark.parametrize(
    ("model", "inputs", "properties", "says"),
    [
        (planted.Tokens(), torch.ones(4, 12, dtype=torch.long), {"causal": True}, "one value only"),
        (planted.Tokens(), planted.tokens()[:, :1], {"causal": True}, "no future"),
        (planted.SetModel(pool=True), planted.floats(), {"causal": True}, "no axis over the 12 positions"),
        (planted.SetModel(), planted.floats()[:1], {"batch_independent": True}, "one example"),
        (
            nn.Sequential(nn.Conv2d(2, 2, 3), nn.Flatten()),
            planted.IMAGE,
            {"shift_equivariant": True},
            "no axis that runs",
        ),
        (planted.SetModel(), torch.ones(4, 12, 16), {"permutation_invariant": True}, "permutation changes nothing"),
    ],
)
def test_a_declared_property_that_cannot_be_decided(model, inputs, properties, says):
    loaded = of(model, inputs, **properties)
    if says == "permutation changes nothing":
        # equal elements, different examples
        loaded.batch = (torch.arange(4.0)[:, None, None] * torch.ones(4, 12, 16), torch.zeros(4))
    if says == "one value only":
        with pytest.raises(CannotDecide, match=says):
            check_properties.check(loaded)
        return
    report = checked(loaded)
    assert (report.verdict, report.exit_status) == ("cannot-decide", 3)
    assert says in "\n".join(report.notes)


def test_bad_declarations_are_one_sentence():
    with pytest.raises(UnusableInput, match="names? the input 'm'"):
        check_properties.check(of(planted.Pooled(), planted.MASKED, padding_mask="m"))
    with pytest.raises(UnusableInput, match="axis 7"):
        check_properties.check(of(planted.Tokens(), planted.tokens(), causal={"axis": 7}))
    with pytest.raises(UnusableInput, match="`output_axis` 2 does not run over the 12"):
        check_properties.check(of(planted.Tokens(), planted.tokens(), causal={"output_axis": 2}))
    with pytest.raises(UnusableInput, match="inputs are floats"):
        check_properties.check(of(planted.SetModel(), planted.floats(), padding_mask=True))
    with pytest.raises(UnusableInput, match="the model raised"):
        check_properties.check(of(planted.SetModel(), planted.floats(4, 12, 3)))


def run(*arguments):
    return subprocess.run([sys.executable, str(SCRIPT), *arguments], capture_output=True, text=True, timeout=120)


def test_command_line(tmp_path):
    done = run("--target", f"{HERE / 'property_targets_torch.py'}:mask_off_by_one", "--json")
    assert done.returncode == 1, done.stderr
    report = json.loads(done.stdout)
    assert report["verdict"] == "faults"
    assert [finding["id"] for finding in report["findings"]] == ["causal-leak"]
    assert {"where", "message", "values", "next_step"} <= set(report["findings"][0])
    wrong = tmp_path / "wrong.py"
    wrong.write_text(
        "def build():\n"
        "    return {'model': 1, 'batch': (1, 2), 'loss_fn': print, 'properties': {'causal': {'axes': 1}}}\n"
    )
    done = run("--target", f"{wrong}:build")
    assert done.returncode == 2
    assert "declares 'axes' under 'causal'" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_function_of_images_with_channels_first_is_recognised():
    import jax
    from dltools.jax_target import JaxTarget

    def apply(params, inputs):
        return jax.lax.conv(inputs, params["w"], (1, 1), "SAME")

    params = {"w": jnp.asarray(np.random.default_rng(0).normal(size=(2, 2, 3, 3)), jnp.float32)}
    images = jnp.asarray(np.random.default_rng(1).normal(size=(3, 2, 12, 12)), jnp.float32)
    common = {"batch": (images, jnp.ones(3)), "loss_fn": lambda out, _: out.mean(), "optimizer": None}
    loaded = JaxTarget.build("function", None, params, apply, {**common, "properties": {"shift_equivariant": True}})
    report = checked(loaded)
    assert report.verdict == "healthy"
    assert "axis 2" in report.measured["shift_equivariant"]["seen"]


def test_a_jax_model_without_arrays_along_the_batch_is_said():
    from dltools.jax_target import JaxTarget

    common = {"batch": ({"x": jnp.ones(4)}, jnp.ones(4)), "loss_fn": lambda out, _: out.mean(), "optimizer": None}
    loaded = JaxTarget.build(
        "function",
        None,
        {"w": jnp.ones(1)},
        lambda params, inputs: inputs["x"] * params["w"],
        {**common, "properties": {}},
    )
    with pytest.raises(UnusableInput, match="at least two axes"):
        check_properties.check(loaded)
