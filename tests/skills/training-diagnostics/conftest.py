"""The scripts of the skill are imported by name, as they import each other."""

import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).resolve().parents[3] / "skills/training-diagnostics/scripts"
for folder in (str(Path(__file__).resolve().parent), str(SCRIPTS)):
    if folder not in sys.path:
        sys.path.insert(0, folder)


@pytest.fixture(scope="module")
def quick_compilation():
    """Compiles without most optimisations, for models whose compilation takes longer than their steps."""
    import jax

    before = jax.config.read("jax_disable_most_optimizations")
    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", before)
