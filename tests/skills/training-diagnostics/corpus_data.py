"""Batches of real and made data for the corpus. The tuning half and the test half share none."""

import functools

import numpy as np
from sklearn import datasets


def _standardised(x):
    return (x - x.mean(axis=0)) / (x.std(axis=0) + 1e-6)


@functools.cache
def _loaded(name):
    return getattr(datasets, f"load_{name}")()


def digits(size=96, offset=900):
    """Test half. Images (N, 64) in [0, 1] and classes."""
    data = _loaded("digits")
    return np.float32(data.data[offset : offset + size] / 16), data.target[offset : offset + size]


def iris(size=96, seed=3):
    """Test half. Four measurements and three classes."""
    return _drawn("iris", size, seed)


def friedman(size=96, seed=5):
    """Test half. Ten inputs and one standardised number, (N, 1)."""
    x, y = datasets.make_friedman1(size, random_state=seed)
    return np.float32(_standardised(x)), np.float32(_standardised(y[:, None]))


def figures(size=32):
    """Test half. Images (N, 8, 8) and masks (N, 8, 8) of the strokes."""
    x, _ = digits(size, 1200)
    images = x.reshape(-1, 8, 8)
    return images, (images > 0.4).astype(np.int64)


def wine(size=96, seed=1):
    """Tuning half. Thirteen measurements and three classes."""
    return _drawn("wine", size, seed)


def cancer(size=96, seed=2):
    """Tuning half. Thirty measurements and two classes."""
    return _drawn("breast_cancer", size, seed)


def diabetes(size=96, seed=4):
    """Tuning half. Ten inputs and one standardised number, (N, 1)."""
    data = _loaded("diabetes")
    chosen = np.random.default_rng(seed).permutation(len(data.data))[:size]
    return np.float32(_standardised(data.data[chosen])), np.float32(_standardised(data.target[chosen, None]))


def stripes(size=64, seed=6):
    """Tuning half. Noisy images (N, 10, 10) of stripes, whose direction is the class, and masks of the stripes."""
    generator = np.random.default_rng(seed)
    direction = generator.integers(0, 2, size)
    place = np.arange(10)
    masks = np.empty((size, 10, 10), np.int64)
    for index, way in enumerate(direction):
        lines = ((place + generator.integers(0, 4)) // 2 % 2).astype(np.int64)
        masks[index] = lines[:, None] if way else lines[None, :]
    return np.float32(masks + 0.3 * generator.normal(size=masks.shape)), direction, masks


def tokens(size=64, seed=7):
    """Tuning half. Sentences (N, 12) of 20 tokens, of which class k prefers those around 5k."""
    generator = np.random.default_rng(seed)
    classes = generator.integers(0, 4, size)
    return (classes[:, None] * 5 + generator.integers(0, 8, (size, 12))) % 20, classes


def _drawn(name, size, seed):
    data = _loaded(name)
    chosen = np.random.default_rng(seed).permutation(len(data.data))[:size]
    return np.float32(_standardised(data.data[chosen])), data.target[chosen]
