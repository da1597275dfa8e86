"""Facts about the client: data with a source, a client version and a date, kept apart from code.

`FACTS["tools"]["known"]` and so on; see claude_code.json for what there is.
"""

from __future__ import annotations

import json
import os
from typing import Any


def _load() -> dict[str, Any]:
    with open(os.path.join(os.path.dirname(__file__), "claude_code.json"), encoding="utf-8") as handle:
        return json.load(handle)


FACTS: dict[str, Any] = _load()


def tool_names() -> frozenset[str]:
    """Every tool name that some session of the client recognises, aliases included."""
    tools = FACTS["tools"]
    return frozenset(tools["known"]) | frozenset(tools["session_dependent"]) | frozenset(tools["aliases"])
