"""The published JSON Schemas. They are generated from `spec/` by `python -m pluglint.gen`; do not edit them."""

from __future__ import annotations

import os
from typing import Any

FOLDER = os.path.dirname(__file__)
_END = ".schema.json"


def names() -> list[str]:
    return sorted(name[: -len(_END)] for name in os.listdir(FOLDER) if name.endswith(_END))


def text(name: str) -> str:
    with open(os.path.join(FOLDER, name + _END), encoding="utf-8") as handle:
        return handle.read()


def load(name: str) -> dict[str, Any]:
    import json

    return json.loads(text(name))
