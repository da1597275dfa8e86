"""The client for the tests beside this file: fetched, then cut off from the network."""

from __future__ import annotations

import shutil

import pytest
from harness import REPOSITORY, Client, NoClient, install, leave_network


@pytest.fixture(scope="session")
def client() -> Client:
    try:
        binary = install()
    except NoClient as reason:
        pytest.exit(str(reason), returncode=1)
    leave_network()  # after the download, and for good: what follows reaches loopback alone
    return Client(binary)


@pytest.fixture(scope="session")
def clone(tmp_path_factory):
    """The repository without what git ignores, as somebody who adds it as a marketplace would have it."""
    to = tmp_path_factory.mktemp("clone") / "deep-learning"
    ignored = [line.rstrip("/") for line in (REPOSITORY / ".gitignore").read_text().split()]
    shutil.copytree(REPOSITORY, to, symlinks=True, ignore=shutil.ignore_patterns(".git", *ignored))
    return to
