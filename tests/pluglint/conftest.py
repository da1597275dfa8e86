"""Settings for all tests of pluglint."""

import pytest


@pytest.fixture(autouse=True, scope="session")
def _no_cache_of_the_user():
    """Tests change rules under the same files; those of the cache name a folder of their own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PLUGLINT_CACHE_DIR", "")
        yield
