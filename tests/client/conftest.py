"""The client for the tests beside this file: fetched, then cut off from the network."""

from __future__ import annotations

import pytest
from harness import Client, NoClient, install, leave_network


@pytest.fixture(scope="session")
def client() -> Client:
    try:
        binary = install()
    except NoClient as reason:
        pytest.exit(str(reason), returncode=1)
    leave_network()  # after the download, and for good: what follows reaches loopback alone
    return Client(binary)
