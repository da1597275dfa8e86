"""Operations with right, wrong, coarse, kinked and random derivatives, in PyTorch and JAX, for check_gradients."""

import jax
import jax.numpy as jnp
import numpy as np
import torch
from torch.nn import functional as F

X = (0.7, -1.3, 2.1, 0.4)


def t(*values):
    return torch.tensor(values or X)


def cube_torch(factor, second=None):
    class Cube(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return factor * (x * x.detach() if second == "detached" else x**2) * g

    return Cube.apply


def cube_jax(factor):
    @jax.custom_vjp
    def cube(x):
        return x**3

    cube.defvjp(lambda x: (x**3, x), lambda x, g: (factor * x**2 * g,))
    return cube


class InPlace(torch.nn.Module):
    def forward(self, x):
        return x.mul_(2).exp()


class Twice(torch.autograd.Function):
    """exp with a backward pass that may run once only."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.exp()

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, g):
        return ctx.saved_tensors[0].exp() * g


class CutsIncoming(torch.autograd.Function):
    """exp whose backward pass is differentiable in x, and not in the gradient that comes in."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.exp()

    @staticmethod
    def backward(ctx, g):
        return ctx.saved_tensors[0].exp() * g.detach()


@jax.custom_jvp
def sine_with_wrong_sign(x):
    return jnp.sin(x)


sine_with_wrong_sign.defjvps(lambda dx, y, x: -jnp.cos(x) * dx)


def relu_wrong_at_kink():
    class Relu(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x.clamp(min=0)

        @staticmethod
        def backward(ctx, g):
            return torch.where(ctx.saved_tensors[0] == 0, 5.0, (ctx.saved_tensors[0] > 0).to(g.dtype)) * g

    return Relu.apply


def swapped_outputs():
    class Both(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x.sin(), x.exp()

        @staticmethod
        def backward(ctx, g, h):
            (x,) = ctx.saved_tensors
            return g * x.exp() + h * x.cos()

    return Both.apply


def jx(*values):
    return jnp.array(values or X)


torch.set_num_threads(1)
torch.manual_seed(0)
LAYER = torch.nn.Sequential(torch.nn.Linear(4, 5), torch.nn.LayerNorm(5), torch.nn.GELU())
BIG = torch.randn(30, 30)

# name -> (op, inputs)
OK = {
    "torch cube": (cube_torch(3), (t(),)),
    "torch matmul": (torch.matmul, (BIG[:3, :4], BIG[:4, :2])),
    "torch many entries": (lambda x: torch.softmax(x, -1), (BIG,)),
    "torch module": (LAYER, (BIG[:3, :4],)),
    "torch cross entropy with integer targets": (F.cross_entropy, (BIG[:4, :5], torch.tensor([1, 0, 4, 2]))),
    "torch several outputs": (lambda x: (x.sin(), {"b": x.exp(), "n": x.argmax()}), (t(),)),
    "torch complex": (lambda z: (z.conj() * z**2, z.abs()), (torch.tensor([1 + 2j, -0.5 + 0.3j]),)),
    "torch in place": (InPlace(), (t(),)),
    "torch no dependence": (lambda x, y: x * 2, (t(), t())),
    "torch relu away from 0": (F.relu, (t(),)),
    "torch large and small entries": (lambda x: x.exp(), (torch.tensor([-30.0, 10.0]),)),
    "torch fast oscillation": (lambda x: (3e4 * x).sin(), (t(),)),
    "torch cancels": (lambda x: x - x, (t(),)),
    "torch half inputs": (lambda x: x**2, (t().half(),)),
    "torch inflection": (torch.tanh, (torch.zeros(3),)),
    "jax cube": (cube_jax(3), (jx(),)),
    "jax matmul": (jnp.matmul, (jnp.array(BIG[:3, :4].numpy()), jnp.array(BIG[:4, :2].numpy()))),
    "jax complex": (lambda z: (jnp.conj(z) * z**2, jnp.abs(z)), (jnp.array([1 + 2j, -0.5 + 0.3j]),)),
    "jax several outputs": (lambda x: {"a": jnp.sin(x), "n": jnp.argmax(x)}, (jx(),)),
    "jax branches on values": (lambda x: x**2 if x[0] > 0 else x, (jx(),)),
    "jax key": (lambda x, key: x * jax.random.normal(key, x.shape), (jx(), jax.random.key(0))),
}
BUG = {
    "torch 2x^2 for 3x^2": (cube_torch(2), (t(),)),
    "torch where trap": (lambda x: torch.where(x > 0, x.sqrt(), 0.0), (t(),)),
    "torch detached": (lambda x: x.detach() ** 2, (t(),)),
    "torch one factor detached": (lambda x: x * x.detach(), (t(),)),
    "torch swapped outputs": (swapped_outputs(), (t(),)),
    "torch wrong by 1e-4": (cube_torch(3 * (1 + 1e-4)), (t(),)),
    "torch wrong and float32": (lambda x: cube_torch(2)(x.float()), (t(),)),
    "torch outside the one-sided derivatives": (relu_wrong_at_kink(), (t(0.0, 1.0),)),
    "torch straight through": (lambda x: x + (x.round() - x).detach(), (t(),)),
    "jax 2x^2 for 3x^2": (cube_jax(2), (jx(),)),
    "jax wrong sign": (sine_with_wrong_sign, (jx(),)),
    "jax stop_gradient": (lambda x: x * jax.lax.stop_gradient(x), (jx(),)),
    "jax where trap": (lambda x: jnp.where(x > 0, jnp.sqrt(x), 0.0), (jx(),)),
}
KINK = {
    "torch relu at 0": (F.relu, (t(0.0, 1.0),)),
    "torch abs at 0": (torch.abs, (t(0.0, -1.0),)),
    "torch tie in max": (lambda x: x.max(), (t(1.0, 2.0, 2.0),)),
    "torch tie in amax": (lambda x: x.amax(), (t(1.0, 2.0, 2.0),)),
    "torch floor at 1": (torch.floor, (t(1.0, 1.5),)),
    "torch sqrt at 0": (torch.sqrt, (t(0.0, 1.0),)),
    "torch norm at 0": (lambda x: x.norm(), (torch.zeros(3),)),
    "torch relu at 0 in float32": (lambda x: F.relu(x.float()), (t(0.0, 1.0),)),
    "torch hinge at the margin": (lambda x: F.relu(1 - x).sum(), (t(1.0, 0.2),)),
    "jax relu at 0": (lambda x: jnp.maximum(x, 0.0), (jx(0.0, 1.0),)),
    "jax abs at 0": (jnp.abs, (jx(0.0, 1.0),)),
    "jax tie in max": (jnp.max, (jx(1.0, 2.0, 2.0),)),
}
ROUND_OFF = {
    "torch float32 inside": (lambda x: x.float() ** 3, (t(),)),
    "torch float32 only": (lambda x: x @ torch.eye(4) * x, (t(),)),
    "torch float32 layer inside": (lambda x: torch.sigmoid(x.float()).double() * 3, (t(),)),
    "jax float32 inside": (lambda x: jnp.sin(x.astype(jnp.float32)), (jx(),)),
}
UNDECIDED = {
    "torch dropout": (lambda x: F.dropout(x, 0.5), (torch.ones(64),), "random numbers"),
    "torch noise": (lambda x: x + torch.randn_like(x), (t(),), "random numbers"),
    "jax numpy noise": (lambda x: x + np.random.default_rng().normal(size=4), (jx(),), "random numbers"),
}
UNUSABLE = {
    "torch integers": (lambda x: x * 2, (torch.arange(3),), "nothing to differentiate"),
    "jax integers": (lambda x: x * 2, (jnp.arange(3),), "nothing to differentiate"),
    "torch integer output": (lambda x: x.argmax(), (t(),), "returns no floating-point"),
    "torch raises": (lambda x: x.reshape(7), (t(),), "op raised RuntimeError"),
    "torch not finite": (torch.log, (t(-1.0),), "not finite"),
    "torch nan input": (torch.exp, (t(float("nan")),), "NaN or infinity"),
    "torch container": (lambda x, y: y[0], (t(), [t()]), "container of tensors"),
    "torch empty": (torch.exp, (torch.zeros(0, 3),), "is empty"),
}
