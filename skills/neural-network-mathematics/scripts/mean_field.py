"""Mean-field theory of signal propagation in wide random networks: what a stack of layers does to variances.

A layer maps h to phi(norm(W h + b)), plus h itself where it is residual. The weights have mean 0 and variance v,
the biases variance b. In the limit of many units per layer the pre-activations of one input are independent
normal numbers, so a layer is described by one-dimensional and two-dimensional Gaussian integrals:

    q'  = fan_in v E[phi(sqrt(q) z)^2] + b                       forward second moment (Poole et al. 2016, section 2)
    c'  = (fan_in v E[phi(u1) phi(u2)] + b) / q'                 correlation of two inputs (the same, equation 5)
    g   = fan_out v E[phi'(sqrt(q) z)^2] g'                      backward second moment (Schoenholz et al. 2017)

The mean of phi needs no correction: second moments, not variances, enter the next layer, which is what makes the
recursion right for sigmoid and ReLU as well. Backward, the theory takes the weights of the backward pass as
independent of those of the forward pass; that is an assumption that holds well for wide layers.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable, Sequence

import numpy as np

NODES = 200  # Gauss-Hermite; the second moments of ReLU and its kin are exact for an even number

SELU_SCALE, SELU_ALPHA = 1.0507009873554805, 1.6732632423543772  # Klambauer et al. 2017, equation 14


def _erf(x: np.ndarray) -> np.ndarray:
    from scipy.special import erf

    return erf(x)


def _sigmoid(x: np.ndarray) -> np.ndarray:
    from scipy.special import expit

    return expit(x)


def _normal_density(x: np.ndarray) -> np.ndarray:
    return np.exp(-x * x / 2) / math.sqrt(2 * math.pi)


def _normal_cdf(x: np.ndarray) -> np.ndarray:
    return (1 + _erf(x / math.sqrt(2))) / 2


def _leak(slope: float) -> tuple[Callable, Callable]:
    return lambda x: np.where(x > 0, x, slope * x), lambda x: np.where(x > 0, 1.0, slope)


def _elu(scale: float, alpha: float) -> tuple[Callable, Callable]:
    return (
        lambda x: scale * np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0))),
        lambda x: scale * np.where(x > 0, 1.0, alpha * np.exp(np.minimum(x, 0))),
    )


def _sigmoid_slope(x: np.ndarray) -> np.ndarray:
    return _sigmoid(x) * _sigmoid(-x)


# name -> (phi, its derivative), both on arrays
ACTIVATIONS: dict[str, tuple[Callable, Callable]] = {
    "linear": _leak(1.0),
    "relu": _leak(0.0),
    "leaky-relu": _leak(0.01),
    "tanh": (np.tanh, lambda x: 1 - np.tanh(x) ** 2),
    "sigmoid": (_sigmoid, _sigmoid_slope),
    "gelu": (lambda x: x * _normal_cdf(x), lambda x: _normal_cdf(x) + x * _normal_density(x)),
    "silu": (lambda x: x * _sigmoid(x), lambda x: _sigmoid(x) + x * _sigmoid_slope(x)),
    "elu": _elu(1.0, 1.0),
    "selu": _elu(SELU_SCALE, SELU_ALPHA),
    "softplus": (lambda x: np.logaddexp(0, x), _sigmoid),
}

NORMS = ("none", "layer", "rms")


@functools.cache
def _nodes() -> tuple[np.ndarray, np.ndarray]:
    z, weight = np.polynomial.hermite_e.hermegauss(NODES)
    return z, weight / weight.sum()


def expectation(function: Callable, q: float) -> float:
    """E[function(sqrt(q) z)] for a standard normal z, by Gauss-Hermite quadrature.

    Args:
        function: maps an array to an array of the same shape.
        q: second moment of the argument, at least 0.
    """
    z, weight = _nodes()
    return float(weight @ function(math.sqrt(q) * z))


def cross_expectation(function: Callable, q: float, c: float) -> float:
    """E[function(u1) function(u2)] for normal u1, u2 of mean 0, second moment q and correlation c."""
    z, weight = _nodes()
    first = math.sqrt(q) * z
    second = math.sqrt(q) * (c * z[:, None] + math.sqrt(max(0.0, 1 - c * c)) * z[None, :])
    return float((weight * function(first)) @ (function(second) @ weight))


def unit_gain(activation: str) -> float:
    """The gain g for which std = g / sqrt(fan_in) keeps pre-activations of second moment 1 at 1, without biases.

    It is E[phi(z)^2]^(-1/2). `torch.nn.init.calculate_gain` returns other numbers for sigmoid, tanh and SELU.
    """
    phi, _ = ACTIVATIONS[activation]
    return expectation(lambda x: phi(x) ** 2, 1.0) ** -0.5


def gradient_factor(activation: str) -> float:
    """By what the gradient's second moment is multiplied per layer at the unit gain: g^2 E[phi'(z)^2]."""
    _, slope = ACTIVATIONS[activation]
    return unit_gain(activation) ** 2 * expectation(lambda x: slope(x) ** 2, 1.0)


def critical_point(activation: str, q: float = 1.0) -> tuple[float, float] | None:
    """The gain and bias standard deviation at which both q and the gradient are kept, or None where none exists.

    The edge of chaos of Schoenholz et al. 2017: gain^2 E[phi'^2] = 1 and gain^2 E[phi^2] + b^2 = q.
    """
    phi, slope = ACTIVATIONS[activation]
    square = 1 / expectation(lambda x: slope(x) ** 2, q)
    bias = q - square * expectation(lambda x: phi(x) ** 2, q)
    # a bias variance of -1e-12 is a rounded 0 (ReLU), not an impossible one
    return None if bias < -1e-9 else (math.sqrt(square), math.sqrt(bias) if bias > 1e-9 else 0.0)


def moment_slope(activation: str, gain: float, q: float = 1.0) -> float:
    """Derivative of q -> gain^2 E[phi(sqrt(q) z)^2] + const: above 1, layers drift away from the fixed point q.

    Differentiating under the integral gives gain^2 E[x phi(x) phi'(x)] / q with x = sqrt(q) z.
    """
    phi, slope = ACTIVATIONS[activation]
    return gain**2 * expectation(lambda x: x * phi(x) * slope(x), q) / q


@dataclasses.dataclass(frozen=True)
class Layer:
    """One layer, h -> phi(norm(W h + b)) [+ h].

    Args:
        activation: a key of `ACTIVATIONS`.
        fan_in: numbers that enter one unit; for a convolution in_channels * kernel height * kernel width.
        fan_out: units that one input number reaches; for a convolution out_channels * kernel height * kernel width.
        weight_variance: of one weight.
        bias_variance: of one bias.
        norm: `none`, or `layer` or `rms` for a normalisation between the linear map and the activation.
        residual: whether the layer's input is added to its output.
        init: how the weights are drawn, for messages and for the measurement.
    """

    activation: str
    fan_in: int
    fan_out: int
    weight_variance: float
    bias_variance: float = 0.0
    norm: str = "none"
    residual: bool = False
    init: str = ""

    @property
    def sigma_w2(self) -> float:
        """fan_in times the weight variance: the sigma_w^2 of the mean-field papers."""
        return self.fan_in * self.weight_variance


@dataclasses.dataclass(frozen=True)
class Step:
    """What the theory predicts for one layer; all numbers are for the wide limit.

    Args:
        pre: second moment of W h + b over units.
        out: second moment of the layer's output over units.
        mean: mean of the layer's output over units (over the draw of the weights it is not 0 for ReLU or sigmoid).
        correlation: of the outputs' pre-activations for two inputs (cosine over units).
        chi: fan_in v E[phi'^2], divided by q under a norm: the growth of a small difference between two inputs.
        gradient: second moment of the gradient at the layer's output, with 1 at the output of the last layer.
        weight_gradient: second moment of the gradient of one weight, for one input.
    """

    pre: float
    out: float
    mean: float
    correlation: float
    chi: float
    gradient: float = 1.0
    weight_gradient: float = 1.0


def propagate(layers: Sequence[Layer], input_moment: float = 1.0, correlation: float = 0.5) -> list[Step]:
    """Runs the recursions through the stack, forward and then backward.

    Args:
        layers: from input to output.
        input_moment: mean square of the components of the input.
        correlation: cosine between two inputs, from -1 to 1.

    Returns:
        One `Step` per layer. A layer whose signal is exactly 0 gives zeros, never a division by it.
    """
    moment, mean, cross = input_moment, 0.0, correlation * input_moment
    entering, slopes, steps = [], [], []
    for layer in layers:
        phi, slope = ACTIVATIONS[layer.activation]
        entering.append(moment)
        pre = layer.sigma_w2 * moment + layer.bias_variance
        c = (layer.sigma_w2 * cross + layer.bias_variance) / pre if pre > 0 else 1.0
        c = min(1.0, max(-1.0, c))
        q = pre if layer.norm == "none" else 1.0
        slope2 = expectation(lambda x: slope(x) ** 2, q)
        if layer.norm != "none":
            slope2 = slope2 / pre if pre > 0 else 0.0
        square = expectation(lambda x: phi(x) ** 2, q)
        product = cross_expectation(phi, q, c)
        if layer.residual:
            # W is new in this layer: phi(Wh) and h are independent unit by unit, so that only their means multiply
            average = expectation(phi, q)
            moment += square + 2 * mean * average
            cross += product + 2 * mean * average
            mean += average
        else:
            moment, cross, mean = square, product, expectation(phi, q)
        slopes.append(slope2)
        steps.append(Step(pre, moment, mean, c, layer.sigma_w2 * slope2))
    gradient = 1.0
    for index in reversed(range(len(layers))):
        layer = layers[index]
        local = gradient * slopes[index]  # at the pre-activation
        steps[index] = dataclasses.replace(steps[index], gradient=gradient, weight_gradient=local * entering[index])
        gradient = layer.fan_out * layer.weight_variance * local + (gradient if layer.residual else 0.0)
    return steps


@dataclasses.dataclass(frozen=True)
class FixedPoint:
    """Where an endless stack of one layer settles.

    Args:
        q: second moment of the pre-activation; 0 or infinite where it leaves every bound.
        c: correlation of two inputs.
        chi: sigma_w^2 E[phi'^2] at q: the gradient's second moment is multiplied by it per layer, and below 1
            every pair of inputs ends with correlation 1 (ordered phase), above 1 none does (chaotic phase).
        depth_scale: layers after which a correlation has come closer to c by a factor e (xi_c).
        gradient_depth_scale: layers after which the gradient's second moment has changed by a factor e (xi_grad).
        q_slope: derivative of the map of q at the fixed point; above 1 the smallest deviation from q grows.
    """

    q: float
    c: float
    chi: float
    depth_scale: float
    gradient_depth_scale: float
    q_slope: float


def fixed_point(layer: Layer, q: float = 1.0, iterations: int = 2000) -> FixedPoint | None:
    """Iterates the maps of q and c to their fixed points (Poole et al. 2016; Schoenholz et al. 2017).

    Args:
        layer: the layer that is repeated.
        q: where to start.
        iterations: the most that are done.

    Returns:
        None for a residual layer, a layer with a norm, a q without bound, and a q that settles too slowly (tanh with
        gain 1 falls only like 1 / depth).
    """
    if layer.residual or layer.norm != "none":
        return None
    phi, slope = ACTIVATIONS[layer.activation]

    def following(q: float) -> float:
        return layer.sigma_w2 * expectation(lambda x: phi(x) ** 2, q) + layer.bias_variance

    for _ in range(iterations):
        new = following(q)
        done, q = abs(new - q) <= 1e-12 * new, new
        if done or not 1e-12 < q < 1e12:
            break
    else:
        return None
    if q >= 1e12:
        return None
    if q <= 1e-12:
        chi = layer.sigma_w2 * float(slope(np.array([0.0]))[0]) ** 2
        return FixedPoint(0.0, math.nan, chi, math.nan, _scale(chi), chi)
    chi = layer.sigma_w2 * expectation(lambda x: slope(x) ** 2, q)
    steepness = moment_slope(layer.activation, math.sqrt(layer.sigma_w2), q)
    # c = 1 is always a fixed point, and the stable one where chi is at most 1
    c, rate = 1.0, chi
    if chi > 1 + 1e-4:
        c = 0.5
        for _ in range(iterations):
            new = min(1.0, (layer.sigma_w2 * cross_expectation(phi, q, c) + layer.bias_variance) / q)
            done, c = abs(new - c) <= 1e-10, new
            if done:
                break
        rate = layer.sigma_w2 * cross_expectation(slope, q, c)
    return FixedPoint(q, c, chi, _scale(rate), _scale(chi), steepness)


def _scale(factor: float) -> float:
    if factor <= 0:
        return 0.0
    # quadrature and rounding leave a critical layer a little beside 1
    return math.inf if abs(math.log(factor)) < 1e-4 else 1 / abs(math.log(factor))
