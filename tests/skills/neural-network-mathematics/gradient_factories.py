"""Factories for the command line of check_gradients; each imports only the framework that it needs."""


def _cube(factor):
    import torch

    class Cube(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        def backward(ctx, g):
            return factor * ctx.saved_tensors[0] ** 2 * g

    return {"op": Cube.apply, "inputs": (torch.tensor([0.7, -1.3, 2.1]),)}


def planted_torch():
    return _cube(2)


def right_torch():
    return _cube(3)


def planted_jax():
    import jax
    import jax.numpy as jnp

    @jax.custom_vjp
    def cube(x):
        return x**3

    cube.defvjp(lambda x: (x**3, x), lambda x, g: (2 * x**2 * g,))
    return {"op": cube, "inputs": (jnp.array([0.7, -1.3, 2.1]),)}


def random_torch():
    import torch

    return {"op": lambda x: x + torch.randn_like(x), "inputs": (torch.ones(3),)}


def integers():
    import torch

    return {"op": lambda x: x * 2, "inputs": (torch.arange(3),)}


def raises():
    raise ValueError("no data here")
