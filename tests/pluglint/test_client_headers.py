"""Headers as the real client read them, against our reading of the same bytes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pluglint import discover, load
from pluglint.config import Config

OBSERVED = json.loads(Path(__file__).with_name("client_headers.json").read_text())


@pytest.mark.parametrize("case", OBSERVED["headers"], ids=lambda case: case["case"])
def test_header_is_read_as_the_client_reads_it(case, tmp_path):
    (tmp_path / "agents").mkdir()
    fence = "---\r\n" if "\r" in case["header"] else "---\n"
    text = fence + case["header"] + "---\nBody.\n"
    (tmp_path / "agents" / f"{case['case']}.md").write_bytes(text.encode())
    package = load.load_package(discover.discover(str(tmp_path)).roots[0], Config())
    (agent,) = package.agents
    assert agent.name == case["name"]
    description = agent.field("description")
    assert (str(description.value).strip() if description is not None else "Agent from p plugin") == case["description"]
    node = agent.field("tools")
    if node is None or node.kind == "boolean":
        assert case["tools"] == "All tools"
    else:
        names = [name.text for name in agent.names("tools")]
        assert " ".join(names) == case["tools"].replace(", ", " ").replace(",", " ")
