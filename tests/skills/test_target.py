"""The target contract: five ways to give a model, state that is restored, and input that cannot be used."""

import importlib
import math
import random
import textwrap
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import torch
from flax import linen, nnx

from dltools import target
from dltools.report import UnusableInput
from dltools.target import StateNotRestored

ASSETS = Path(__file__).parents[2] / "skills/training-diagnostics/assets"
TEMPLATES = {
    "target_pytorch": "torch",
    "target_flax_nnx": "nnx",
    "target_flax_linen": "linen",
    "target_equinox": "equinox",
    "target_function": "function",
}


def template(name):
    return target.load(f"{ASSETS / name}.py:build")


@pytest.fixture
def written(tmp_path):
    """Writes a target file and returns its spec."""

    def write(text, factory="build"):
        path = tmp_path / "mine.py"
        path.write_text(textwrap.dedent(text))
        return f"{path}:{factory}"

    return write


def test_every_template_is_tested():
    assert {path.stem for path in ASSETS.glob("target_*.py")} == set(TEMPLATES)


@pytest.mark.parametrize(("name", "flavour"), TEMPLATES.items())
class TestTemplates:
    def test_loss_starts_at_chance_and_every_parameter_gets_a_gradient(self, name, flavour):
        loaded = template(name)
        assert loaded.flavour == flavour
        assert loaded.batch_size == 128
        assert loaded.loss() == pytest.approx(math.log(10), abs=0.02)
        loss, gradients = loaded.loss_and_gradients()
        assert loss == pytest.approx(math.log(10), abs=0.02)
        assert gradients.keys() == loaded.parameters().keys()
        assert all(float(abs(gradient).max()) > 0 for gradient in gradients.values())

    def test_nothing_is_left_changed(self, name, flavour):
        loaded = template(name)
        before = loaded.fingerprint()
        with loaded.preserved():
            loaded.loss_and_gradients()
            loaded.outputs(train=True)
            random.random()
            np.random.rand()
        assert loaded.fingerprint() == before

    def test_dropout_is_active_in_training_only_and_follows_the_seed(self, name, flavour):
        loaded = template(name)

        def outputs(train, seed):
            return np.asarray(loaded.outputs(train=train, seed=seed))

        assert np.array_equal(outputs(False, 1), outputs(False, 2))
        assert np.array_equal(outputs(True, 1), outputs(True, 1))
        assert not np.array_equal(outputs(True, 1), outputs(True, 2))


def torch_target(model, inputs=None, **more):
    inputs = torch.randn(8, 4) if inputs is None else inputs
    common = {"batch": (inputs, torch.zeros(8, dtype=torch.long)), "loss_fn": torch.nn.functional.cross_entropy}
    common.update(optimizer=None, num_classes=None, labels=None, properties={}, **more)
    return importlib.import_module("dltools.torch_target").TorchTarget.build(model, common, "cpu")


class TestTorchState:
    def test_batch_statistics_momentum_gradients_and_modes_come_back(self):
        model = torch.nn.Sequential(torch.nn.Linear(4, 6), torch.nn.BatchNorm1d(6), torch.nn.Linear(6, 3))
        model[1].eval()
        loaded = torch_target(model)
        loaded.optimizer = torch.optim.Adam(model.parameters())
        model[0].weight.grad = torch.ones_like(model[0].weight)
        before = loaded.fingerprint()
        with loaded.preserved():
            for _ in range(2):
                model.train()
                loaded.optimizer.zero_grad()
                loaded.loss_fn(model(loaded.inputs), loaded.targets).backward()
                loaded.optimizer.step()
            loaded.inputs.add_(1)
            model[0].weight.requires_grad_(False)
            assert loaded.fingerprint() != before
        assert loaded.fingerprint() == before
        assert not model[1].training
        assert model[0].weight.grad.eq(1).all()

    @pytest.mark.parametrize(
        "change",
        [
            lambda model: model.weight.data.add_(1e-3),
            lambda model: model.eval(),
            lambda model: setattr(model.weight, "grad", torch.zeros_like(model.weight)),
            lambda model: model.weight.requires_grad_(False),
            lambda model: model.register_forward_hook(lambda *_: None),
            lambda model: torch.rand(1),
            lambda model: random.random(),
        ],
    )
    def test_the_fingerprint_sees_each_kind_of_change(self, change):
        model = torch.nn.Linear(4, 3)
        loaded = torch_target(model)
        before = loaded.fingerprint()
        change(model)
        assert loaded.fingerprint() != before

    def test_a_hook_left_behind_is_an_error(self):
        model = torch.nn.Linear(4, 3)
        with pytest.raises(StateNotRestored), torch_target(model).preserved():
            model.register_forward_hook(lambda *_: None)

    def test_state_comes_back_when_the_body_raises(self):
        model = torch.nn.Linear(4, 3)
        loaded = torch_target(model)
        before = loaded.fingerprint()
        with pytest.raises(ZeroDivisionError), loaded.preserved():
            model.weight.data.zero_()
            raise ZeroDivisionError
        assert loaded.fingerprint() == before

    def test_half_precision_and_integer_weights(self):
        model = torch.nn.Linear(4, 3).to(torch.bfloat16)
        model.steps = torch.nn.Parameter(torch.tensor([3]), requires_grad=False)
        loaded = torch_target(model, torch.randn(8, 4, dtype=torch.bfloat16))
        with loaded.preserved():
            _, gradients = loaded.loss_and_gradients()
        assert set(gradients) == {"weight", "bias"}
        assert gradients["weight"].dtype == torch.bfloat16

    def test_a_detached_branch_has_no_gradient(self):
        class Detached(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.used, self.cut = torch.nn.Linear(4, 3), torch.nn.Linear(4, 3)

            def forward(self, x):
                return self.used(x) + self.cut(x).detach()

        _, gradients = torch_target(Detached()).loss_and_gradients()
        assert gradients["cut.weight"] is None
        assert gradients["used.weight"] is not None

    def test_a_model_without_parameters_is_a_sentence(self):
        with pytest.raises(UnusableInput, match="no trainable"):
            torch_target(torch.nn.Softmax(1)).loss_and_gradients()

    def test_inputs_by_name(self):
        class Named(torch.nn.Linear):
            def forward(self, features, scale):
                return super().forward(features) * scale

        loaded = torch_target(Named(4, 3), {"features": torch.ones(8, 4), "scale": torch.tensor(0.0)})
        assert loaded.outputs().eq(0).all()
        assert loaded.batch_size == 8

    def test_a_device_that_is_not_there(self, written):
        if torch.cuda.is_available():
            pytest.skip("this machine has the device")
        with pytest.raises(UnusableInput, match="--device cuda"):
            target.load(f"{ASSETS / 'target_pytorch.py'}:build", device="cuda")


class TestJaxState:
    def jax_target(self, kind, model, params=None, inputs=None):
        from dltools.jax_target import JaxTarget

        inputs = jnp.ones((8, 4)) * jnp.arange(8.0)[:, None] if inputs is None else inputs
        common = dict(
            batch=(inputs, jnp.zeros(8, int)),
            loss_fn=lambda z, y: optax.softmax_cross_entropy_with_integer_labels(z, y).mean(),
            optimizer=None,
            num_classes=3,
            labels=None,
            properties={},
        )
        return JaxTarget.build(kind, model, params, None, common)

    def test_nnx_batch_statistics_stay_with_the_user(self):
        class Normed(nnx.Module):
            def __init__(self, rngs):
                self.norm = nnx.BatchNorm(4, rngs=rngs)
                self.head = nnx.Linear(4, 3, rngs=rngs)

            def __call__(self, x):
                return self.head(self.norm(x))

        model = Normed(nnx.Rngs(0))
        loaded = self.jax_target("nnx", model)
        before = loaded.fingerprint()
        _, other = loaded.call(loaded.params, loaded.inputs, train=True)
        loaded.loss_and_gradients()
        assert loaded.fingerprint() == before
        changed = importlib.import_module("dltools.jax_target").named_leaves(other)
        assert float(abs(changed["norm.mean"]).max()) > 0
        with loaded.preserved():
            model.train()
            model(loaded.inputs)
            assert loaded.fingerprint() != before
        assert loaded.fingerprint() == before

    def test_linen_batch_statistics_and_the_name_of_the_mode(self):
        class Normed(linen.Module):
            @linen.compact
            def __call__(self, x, deterministic: bool = True):
                return linen.Dense(3)(linen.BatchNorm(use_running_average=deterministic)(x))

        model = Normed()
        params = model.init(jax.random.key(0), jnp.ones((8, 4)))
        loaded = self.jax_target("linen", model, params)
        _, other = loaded.call(loaded.params, loaded.inputs, train=True)
        assert float(abs(other["batch_stats"]["BatchNorm_0"]["mean"]).max()) > 0
        assert not np.array_equal(loaded.outputs(train=True), loaded.outputs(train=False))

    def test_integer_parameters_get_no_gradient(self):
        from dltools.jax_target import JaxTarget

        common = dict(
            batch=(jnp.ones((2, 1)), jnp.ones((2, 1))),
            loss_fn=lambda z, y: ((z - y) ** 2).mean(),
            optimizer=None,
            num_classes=None,
            labels=None,
            properties={},
        )
        params = {"w": jnp.ones((1, 1)), "table": jnp.arange(3)}
        loaded = JaxTarget.build("function", None, params, lambda p, x: x @ p["w"] * p["table"][2], common)
        loss, gradients = loaded.loss_and_gradients()
        assert loss == 1.0
        assert {name: float(value.sum()) for name, value in gradients.items()} == {"w": 4.0}


BUILD = "import torch\ndef build():\n    return {returned}\n"
GOOD = "dict(model=torch.nn.Linear(2, 2), batch=(torch.ones(3, 2), torch.zeros(3)), loss_fn=lambda o, t: o.mean())"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("def build(:\n", "at mine.py:1: SyntaxError"),
        ("import a_module_that_is_not_there\n", "at mine.py:1: ModuleNotFoundError"),
        ("def build():\n    return 1 / 0\n", "at mine.py:2: ZeroDivisionError"),
        ("import sys\nsys.exit(0)\n", "at mine.py:2: SystemExit"),
        ("def build():\n    while True:\n        try:\n            while True: pass\n        except Exception: pass\n", "within 0.5 s"),
        ("import time\ntime.sleep(60)\n", "within 0.5 s"),
        ("build = 3\n", "is a int, not a function"),
        ("def other(): pass\n", "has no function 'build'"),
        ("def build(): return None\n", "returned a NoneType"),
        (BUILD.format(returned="{}"), "must return `model`"),
        (BUILD.format(returned="dict(model=torch.nn.Linear(2, 2))"), "must return `batch`"),
        (BUILD.format(returned="dict(model=torch.nn.Linear(2, 2), batch=3, loss_fn=print)"), "must be .inputs, targets."),
        (BUILD.format(returned="dict(model=3, batch=(1, 2), loss_fn=print)"), "is a builtins.int"),
        (BUILD.format(returned="dict(modle=3)"), "did you mean 'model'"),
        (BUILD.format(returned="dict(op=torch.sin, inputs=())"), "needs a model, a batch"),
        (BUILD.format(returned=GOOD[:-1] + ", properties={'casual': True})"), "unknown property 'casual'"),
        (BUILD.format(returned=GOOD[:-1] + ", evaluation=(1,))"), "must be .inputs, labels. or .inputs, labels, score."),
        (BUILD.format(returned=GOOD[:-1] + ", optimizer=3)"), "must be a torch.optim.Optimizer"),
        (BUILD.format(returned=GOOD[:-1] + ", intermediates=3)"), "`intermediates` of .* is a int, not a function"),
        (BUILD.format(returned=GOOD[:-1] + ", intermediates=print)"), "goes with `params` and `apply`"),
        (
            BUILD.format(returned=GOOD[:-1] + ", optimizer=torch.optim.SGD(torch.nn.Linear(1, 1).parameters(), 0.1))"),
            "none of the model's parameters",
        ),
        (BUILD.format(returned="dict(params={'w': torch.ones(2)}, apply=print, batch=(1, 2), loss_fn=print)"), "are torch tensors"),
    ],
)
def test_unusable_targets_get_a_sentence(written, text, message):
    with pytest.raises(UnusableInput, match=message):
        target.load(written(text), timeout=0.5)


def test_evaluation_and_calibration_are_handed_on(written):
    given = GOOD[:-1] + ", evaluation=(torch.ones(5, 2), torch.zeros(5)), calibration=torch.ones(7, 2))"
    loaded = target.load(written(BUILD.format(returned=given)))
    assert loaded.evaluation[0].shape == (5, 2)
    assert loaded.calibration.shape == (7, 2)


@pytest.mark.parametrize("spec", ["mine.py", "mine.py:", "mine.py:two words", "missing.py:build", ":build"])
def test_a_spec_that_names_no_factory(spec):
    with pytest.raises(UnusableInput, match="of the form FILE.py:factory|there is no file"):
        target.load(spec)


def test_the_limit_does_not_outlive_the_factory(written):
    target.load(written(BUILD.format(returned=GOOD)), timeout=0.2)
    import time

    time.sleep(0.3)  # an alarm left behind would end the process here


def test_a_loss_that_is_not_reduced_is_named(written):
    unreduced = GOOD.replace("o.mean()", "o")
    loaded = target.load(written(BUILD.format(returned=unreduced)))
    assert tuple(loaded.raw_loss().shape) == (3, 2)
    with pytest.raises(UnusableInput, match=r"shape \(3, 2\), not one number"):
        loaded.loss()
    with pytest.raises(UnusableInput, match=r"shape \(3, 2\), not one number"):
        loaded.loss_and_gradients()


def test_the_file_may_import_its_neighbours(tmp_path):
    (tmp_path / "my_layers.py").write_text("import torch\nlayer = torch.nn.Linear(2, 2)\n")
    (tmp_path / "mine.py").write_text("from my_layers import layer\n" + BUILD.format(returned=GOOD.replace("torch.nn.Linear(2, 2)", "layer")))
    assert target.load(f"{tmp_path / 'mine.py'}:build").parameters().keys() == {"weight", "bias"}


def test_operations(written):
    spec = written("import torch\ndef build():\n    return {'op': torch.sin, 'inputs': (torch.ones(2),)}\n")
    operation = target.load_operation(spec)
    assert operation.framework == "torch"
    assert operation.op is torch.sin


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        ("{'op': torch.sin}", 'must return {"op": callable'),
        ("{'op': 3, 'inputs': (torch.ones(1),)}", "not a function"),
        ("{'op': torch.sin, 'inputs': ()}", "at least one element"),
        ("{'op': torch.sin, 'inputs': (1.0,)}", "no torch.Tensor and no jax.Array"),
    ],
)
def test_operations_that_cannot_be_used(written, returned, message):
    with pytest.raises(UnusableInput, match=message):
        target.load_operation(written(f"import torch\ndef build():\n    return {returned}\n"))


def test_a_module_called_value_keeps_its_name():
    import jax.numpy as jnp
    from dltools.jax_target import named_leaves

    assert list(named_leaves({"attention": {"value": {"kernel": jnp.ones(1)}}})) == ["attention.value.kernel"]
