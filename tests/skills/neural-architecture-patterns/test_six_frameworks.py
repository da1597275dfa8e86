"""The same three blocks in six frameworks, and the traps that their pages warn of."""

import os
import subprocess
import sys
import warnings
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import torch
from flax import linen, nnx

os.environ.setdefault("KERAS_BACKEND", "jax")

ROOT = Path(__file__).resolve().parents[3]
SKILL = ROOT / "skills/neural-architecture-patterns"
BLOCKS = SKILL / "assets/frameworks"
sys.path[:0] = [str(SKILL / "scripts"), str(BLOCKS)]

import equinox as eqx  # noqa: E402
import flax_linen_blocks  # noqa: E402
import flax_nnx_blocks  # noqa: E402
import framework_parity  # noqa: E402
import haiku as hk  # noqa: E402
import keras  # noqa: E402
import keras_blocks  # noqa: E402
import parity_mapping  # noqa: E402
import parity_recording  # noqa: E402
import pytorch_blocks  # noqa: E402
from dltools import target  # noqa: E402

JAX_FRAMEWORKS = ("flax_nnx", "flax_linen", "equinox", "keras", "haiku")
X = np.random.default_rng(0).normal(2, 3, size=(5, 4)).astype(np.float32)


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def mapping_of(block, framework):
    path = BLOCKS / f"mappings/{block}_{framework}.yaml"
    return parity_mapping.read_mapping(path if path.is_file() else BLOCKS / f"mappings/{block}_flax.yaml")


@pytest.fixture(scope="module")
def loaded():
    names = [(one, block) for one in ("pytorch", *JAX_FRAMEWORKS) for block in ("mlp", "attention", "conv")]
    return {(one, block): target.load(f"{BLOCKS / one}_blocks.py:{block}") for one, block in names}


@pytest.mark.parametrize("block", ["mlp", "attention", "conv"])
def test_all_six_give_the_same_outputs_with_the_same_weights(loaded, block):
    left = parity_recording.Side.of("left", loaded["pytorch", block])
    x = parity_recording.inputs_of(left.target)
    # all tensors random: fresh biases, scales and statistics would hide what went where
    rng = np.random.default_rng(1)
    values = {n: (a + 0.1 * rng.random(a.shape)).astype(np.float32) for n, a in left.tensors.items()}
    outputs = {"pytorch": left.run(x, values)["output"].outputs}
    for framework in JAX_FRAMEWORKS:
        mapping = mapping_of(block, framework)
        right = parity_recording.Side.of("right", loaded[framework, block])
        made, misfits = framework_parity.convert(values, right.tensors, mapping)
        unmapped = [name for name in right.tensors if name not in made and not mapping.skips("right", name)]
        assert (misfits, unmapped) == ([], []), framework
        out = right.run(parity_recording.mapped(mapping.turned, x), made)["output"].outputs
        outputs[framework] = out.transpose(0, 3, 1, 2) if mapping.activations else out
    assert len(outputs) == 6
    every = np.stack(list(outputs.values()))
    assert np.ptp(every, axis=0).max() <= 1e-5
    assert every[0].std() > 0.1


@pytest.mark.parametrize("framework", JAX_FRAMEWORKS)
def test_the_tool_says_so_too(loaded, framework):
    report = framework_parity.compare(loaded["pytorch", "conv"], loaded[framework, "conv"], mapping_of("conv", framework))
    assert (report.verdict, report.findings) == ("parity", [])


@pytest.mark.parametrize("framework", ["pytorch", *JAX_FRAMEWORKS])
def test_the_attention_block_is_causal_and_drops_out_in_training(loaded, framework):
    subject = loaded[framework, "attention"]
    x = parity_recording.inputs_of(subject)
    changed = x.copy()
    changed[:, 4:] += 1

    def outputs(inputs, train=False):
        if framework == "pytorch":
            return subject.outputs(torch.from_numpy(inputs), train=train).numpy()
        return np.asarray(jax.jit(lambda one: subject.outputs(one, train=train))(inputs))

    first, second = outputs(x), outputs(changed)
    np.testing.assert_allclose(first[:, :4], second[:, :4], atol=1e-6)
    assert np.abs(first[:, 4:] - second[:, 4:]).max() > 0.1
    assert np.abs(outputs(x, train=True) - first).max() > 1e-3


@pytest.mark.parametrize("kind", ["nnx", "linen"])
def test_the_dtype_of_flax_blocks_is_passed_on(kind):
    def run(x):
        if kind == "nnx":
            model = flax_nnx_blocks.AttentionBlock(16, 4, 32, dtype=jnp.bfloat16, rngs=nnx.Rngs(0))
            return model.up.kernel[...], model(x)
        model = flax_linen_blocks.AttentionBlock(4, 32, dtype=jnp.bfloat16)
        variables = model.init(jax.random.key(0), x)
        return variables["params"]["up"]["kernel"], model.apply(variables, x)

    kernel, out = jax.eval_shape(run, jnp.ones((1, 6, 16), jnp.bfloat16))
    assert (kernel.dtype, out.dtype) == (jnp.float32, jnp.bfloat16)


# what the pages say about defaults and traps


def test_defaults_of_epsilon():
    import inspect

    assert torch.nn.LayerNorm(1).eps == eqx.nn.LayerNorm(1).eps == 1e-5
    assert inspect.signature(hk.LayerNorm.__init__).parameters["eps"].default == 1e-5
    assert nnx.LayerNorm(1, rngs=nnx.Rngs(0)).epsilon == linen.LayerNorm().epsilon == 1e-6
    assert keras.layers.LayerNormalization().epsilon == 1e-3
    assert torch.nn.BatchNorm1d(1).eps == nnx.BatchNorm(1, rngs=nnx.Rngs(0)).epsilon == 1e-5
    assert inspect.signature(hk.BatchNorm.__init__).parameters["eps"].default == 1e-5
    assert keras.layers.BatchNormalization().epsilon == 1e-3


def test_share_of_the_old_statistics_that_is_kept():
    import inspect

    assert torch.nn.BatchNorm1d(1).momentum == 0.1
    assert nnx.BatchNorm(1, rngs=nnx.Rngs(0)).momentum == linen.BatchNorm().momentum == 0.99
    assert inspect.signature(eqx.nn.BatchNorm.__init__).parameters["momentum"].default == 0.99
    assert keras.layers.BatchNormalization().momentum == 0.99
    assert inspect.signature(hk.BatchNorm.__init__).parameters["decay_rate"].default is inspect.Parameter.empty


def test_default_weight_decay_of_adamw():
    import inspect

    assert torch.optim.AdamW([torch.ones(1, requires_grad=True)]).defaults["weight_decay"] == 0.01
    assert inspect.signature(optax.adamw).parameters["weight_decay"].default == 1e-4
    assert keras.optimizers.AdamW().weight_decay == 0.004


def one_step_of_adamw():
    """The weight 1 after one step at rate 0.1 and decay 0.5 without gradient: 1 - 0.1 * 0.5 if both are multiplied."""
    weight = torch.ones(1, requires_grad=True)
    weight.grad = torch.zeros(1)
    torch.optim.AdamW([weight], lr=0.1, weight_decay=0.5).step()
    yield weight.item()
    rule = optax.adamw(0.1, weight_decay=0.5)
    yield 1 + float(rule.update(jnp.zeros(1), rule.init(jnp.ones(1)), jnp.ones(1))[0][0])
    variable = keras.Variable(np.ones(1, "float32"))
    keras.optimizers.AdamW(0.1, weight_decay=0.5).apply([jnp.zeros(1)], [variable])
    yield float(variable.value[0])


def test_adamw_multiplies_the_decay_by_the_learning_rate():
    assert list(one_step_of_adamw()) == pytest.approx([0.95] * 3)


def test_kernels_start_from_the_distributions_of_the_table():
    wide, key = 256, jax.random.key(0)
    uniform = {"torch": torch.nn.Linear(wide, wide).weight.detach(), "eqx": eqx.nn.Linear(wide, wide, key=key).weight}
    for name, kernel in uniform.items():
        assert np.abs(np.asarray(kernel)).max() == pytest.approx(wide**-0.5, rel=1e-3), name
    layer = keras.layers.Dense(wide)
    layer.build((None, wide))
    assert np.abs(np.asarray(layer.kernel)).max() == pytest.approx((6 / (2 * wide)) ** 0.5, rel=1e-3)
    kernel = np.asarray(nnx.Linear(wide, wide, rngs=nnx.Rngs(0)).kernel[...])
    assert kernel.std() == pytest.approx(wide**-0.5, rel=0.02)
    params = hk.transform(lambda x: hk.Linear(wide)(x)).init(key, np.zeros((1, wide)))
    # cut at two standard deviations, and not scaled up again
    assert np.abs(np.asarray(params["linear"]["w"])).max() == pytest.approx(2 * wide**-0.5, rel=1e-2)


def test_gates_of_lstm_cells():
    """One step with the weights of PyTorch's cell, whose gates are i, f, g, o."""
    torch.manual_seed(0)
    cell = torch.nn.LSTMCell(3, 4)
    x, h, c = (torch.randn(2, size) for size in (3, 4, 4))
    w_in, w_h, b_in, b_h = (p.detach().numpy() for p in cell.parameters())
    wanted = cell(x, (h, c))[0].detach().numpy()
    x, h, c = (jnp.asarray(t.numpy()) for t in (x, h, c))

    flax = nnx.OptimizedLSTMCell(3, 4, rngs=nnx.Rngs(0))
    flax.dense_i.kernel[...], flax.dense_h.kernel[...], flax.dense_h.bias[...] = w_in.T, w_h.T, b_in + b_h
    apart = nnx.LSTMCell(3, 4, rngs=nnx.Rngs(0))
    for place, gate in enumerate(("i", "f", "g", "o")):
        part = slice(4 * place, 4 * place + 4)
        getattr(apart, {"f": "if_"}.get(gate, f"i{gate}")).kernel[...] = w_in[part].T
        getattr(apart, f"h{gate}").kernel[...] = w_h[part].T
        getattr(apart, f"h{gate}").bias[...] = (b_in + b_h)[part]
    for layer in (flax, apart):
        np.testing.assert_allclose(np.asarray(layer((c, h), x)[1]), wanted, atol=1e-6)

    equinox = eqx.tree_at(
        lambda m: (m.weight_ih, m.weight_hh, m.bias),
        eqx.nn.LSTMCell(3, 4, key=jax.random.key(0)),
        tuple(jnp.asarray(a) for a in (w_in, w_h, b_in + b_h)),
    )
    np.testing.assert_allclose(np.asarray(jax.vmap(equinox)(x, (h, c))[0]), wanted, atol=1e-6)


def test_gelu_is_exact_or_by_tanh_by_default():
    x = np.linspace(-3, 3, 61).astype(np.float32)
    exact = torch.nn.functional.gelu(torch.from_numpy(x)).numpy()
    np.testing.assert_allclose(keras.activations.gelu(x), exact, atol=1e-6)
    for gelu in (jax.nn.gelu, nnx.gelu, linen.gelu):
        assert 1e-4 < np.abs(np.asarray(gelu(jnp.asarray(x))) - exact).max() < 1e-3


def running_variance():
    """The variance that one batch leaves behind, where a tenth of it is taken, starting from 1."""
    layer = torch.nn.BatchNorm1d(4, momentum=0.1)
    layer(torch.from_numpy(X))
    yield "torch", layer.running_var.numpy()
    layer = nnx.BatchNorm(4, momentum=0.9, rngs=nnx.Rngs(0))
    layer(X)
    yield "nnx", layer.var[...]
    layer = linen.BatchNorm(use_running_average=False, momentum=0.9)
    _, changed = layer.apply(layer.init(jax.random.key(0), X), X, mutable=["batch_stats"])
    yield "linen", changed["batch_stats"]["var"]
    layer = keras.layers.BatchNormalization(momentum=0.9)
    layer(X, training=True)
    yield "keras", layer.moving_variance.value
    layer, state = eqx.nn.make_with_state(eqx.nn.BatchNorm)(4, "batch", momentum=0.9, mode="batch")
    _, state = jax.vmap(layer, axis_name="batch", in_axes=(0, None), out_axes=(0, None))(X, state)
    yield "equinox", state.get(layer.batch_state_index)[1]


def test_pytorch_alone_takes_the_unbiased_variance_into_its_running_statistics():
    for name, found in running_variance():
        variance = X.var(axis=0, ddof=1 if name == "torch" else 0)
        np.testing.assert_allclose(np.asarray(found), 0.9 + 0.1 * variance, rtol=1e-5, err_msg=name)


def test_haiku_starts_its_statistics_at_the_first_batch():
    block = hk.transform_with_state(lambda x: hk.BatchNorm(True, True, 0.9)(x, True))
    params, state = block.init(jax.random.key(0), X)
    _, state = block.apply(params, state, None, X)
    average = state["batch_norm/~/var_ema"]["average"]
    np.testing.assert_allclose(np.asarray(average)[0], X.var(axis=0), rtol=1e-5)


def test_equinox_divides_a_variance_that_started_at_one_as_if_it_had_started_at_zero():
    layer, state = eqx.nn.make_with_state(eqx.nn.BatchNorm)(4, "batch", momentum=0.9, mode="batch")
    _, state = jax.vmap(layer, axis_name="batch", in_axes=(0, None), out_axes=(0, None))(X, state)
    one = jax.vmap(eqx.nn.inference_mode(layer), axis_name="batch", in_axes=(0, None), out_axes=(0, None))
    used = (0.9 + 0.1 * X.var(axis=0)) / 0.1
    np.testing.assert_allclose(np.asarray(one(X, state)[0]).std(axis=0), X.std(axis=0) / np.sqrt(used), rtol=1e-4)


def test_linen_numbers_the_outermost_layer_first():
    class Model(linen.Module):
        @linen.compact
        def __call__(self, x):
            return linen.Dense(10)(linen.relu(linen.Dense(32)(x)))

    params = jax.eval_shape(Model().init, jax.random.key(0), X)["params"]
    assert params["Dense_0"]["kernel"].shape == (32, 10)
    assert params["Dense_1"]["kernel"].shape == (4, 32)


def test_dropout_is_a_stream_and_no_collection():
    layer = linen.Dropout(0.5, deterministic=False)
    keys = {"params": jax.random.key(0), "dropout": jax.random.key(1)}
    assert layer.init(keys, X) == {}
    with pytest.raises(Exception, match='needs PRNG for "dropout"'):
        layer.apply({}, X)


class Counter(nnx.Module):
    def __init__(self):
        self.calls = nnx.Variable(jnp.zeros(()))

    def __call__(self):
        self.calls[...] += 1
        return self.calls[...]


def test_plain_jit_loses_what_an_nnx_module_changes():
    counter = Counter()
    jax.jit(lambda module: module())(counter)
    assert counter.calls[...] == 0
    nnx.jit(lambda module: module())(counter)
    assert counter.calls[...] == 1


def test_nnx_refuses_a_plain_list_of_layers_and_an_optimizer_without_wrt():
    class Stack(nnx.Module):
        def __init__(self, container):
            self.layers = container(nnx.Linear(2, 2, rngs=nnx.Rngs(0)) for _ in range(2))

    with pytest.raises(ValueError, match="assigned to static attribute 'layers'"):
        Stack(list)
    assert len(jax.tree.leaves(nnx.state(Stack(nnx.List)))) == 4
    with pytest.raises(TypeError, match="wrt"):
        nnx.Optimizer(Stack(nnx.List), optax.sgd(0.1))
    with pytest.warns(DeprecationWarning, match=r"'\.value' access is now deprecated"):
        _ = nnx.Linear(2, 2, rngs=nnx.Rngs(0)).kernel.value


def test_haiku_asks_for_statistics_that_only_training_makes():
    block = hk.transform_with_state(lambda x, train: hk.BatchNorm(True, True, 0.9)(x, train))
    with pytest.raises(ValueError, match="No value for 'average'"):
        block.init(jax.random.key(0), X, False)
    assert block.init(jax.random.key(0), X, True)[1]


def test_equinox_batch_norm_without_a_mode_warns():
    with pytest.warns(UserWarning, match="defaults to 'ema'"):
        eqx.nn.BatchNorm(4, "batch")


def test_there_is_no_jax_scan():
    assert not hasattr(jax, "scan") and hasattr(jax.lax, "scan")
    assert hasattr(jax, "shard_map")


@pytest.mark.parametrize(
    ("old", "category", "said"),
    [
        (lambda: torch.cuda.amp.GradScaler(enabled=False), FutureWarning, "torch.amp.GradScaler"),
        (lambda: torch.jit.script(torch.nn.Linear(1, 1)), DeprecationWarning, "torch.export"),
        (
            lambda: torch.ao.quantization.quantize_dynamic(torch.nn.Linear(1, 1)),
            DeprecationWarning,
            "torch.ao.quantization is deprecated",
        ),
    ],
    ids=["torch.cuda.amp", "torch.jit.script", "torch.ao.quantization"],
)
def test_old_names_of_pytorch_still_work_and_warn(old, category, said):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        old()
    assert any(issubclass(one.category, category) and said in str(one.message) for one in caught)


def test_keras_without_a_backend_looks_for_tensorflow(tmp_path):
    environment = {key: value for key, value in os.environ.items() if key != "KERAS_BACKEND"}
    environment["KERAS_HOME"] = str(tmp_path)
    done = subprocess.run([sys.executable, "-c", "import keras"], env=environment, capture_output=True, text=True)
    assert done.returncode != 0
    assert "No module named 'tensorflow'" in done.stderr


def test_the_causal_masks_of_pytorch_differ_in_sign():
    x = torch.from_numpy(pytorch_blocks.inputs(1, 3, 4))
    forbidden = torch.ones(3, 3, dtype=torch.bool).triu(1)
    attention = torch.nn.MultiheadAttention(4, 1, batch_first=True).eval()
    with torch.no_grad():
        _, weights = attention(x, x, x, attn_mask=forbidden)
        values = torch.nn.functional.scaled_dot_product_attention(x, x, torch.eye(3, 4)[None], attn_mask=~forbidden)
    assert torch.all(weights[0][forbidden] == 0)
    assert torch.all(values[0, :, :3][forbidden] == 0)


def test_variables_of_keras_have_a_path_each():
    paths = [variable.path for variable in keras_blocks.attention_model(16, 4, 32).variables]
    assert len(set(paths)) == len(paths)
