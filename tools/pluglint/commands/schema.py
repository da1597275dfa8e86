"""`pluglint schema`: the published JSON Schemas, for editors and for other tools."""

from __future__ import annotations

import os

from pluglint import schemas
from pluglint.commands import UsageError
from pluglint.files import write_atomic
from pluglint.words import did_you_mean


def listing() -> str:
    """One line a schema: its name and what it describes."""
    names = schemas.names()
    width = max(map(len, names), default=0)
    return "".join(f"{name:<{width + 2}}{schemas.load(name).get('description', '')}\n" for name in names)


def one(name: str) -> str:
    """The text of one schema. Raises `UsageError`."""
    names = schemas.names()
    if name not in names:
        close = did_you_mean(name, names)
        raise UsageError(f"no schema is called '{name}'" + (f"; did you mean '{close}'?" if close else f"; there are {', '.join(names)}"))
    return schemas.text(name)


def write(names: list[str], folder: str) -> list[str]:
    """Writes schemas into a folder, which is made when it is missing; returns the paths. Raises OSError, `UsageError`."""
    texts = {name: one(name) for name in names}
    os.makedirs(folder, exist_ok=True)
    paths = []
    for name, text in texts.items():
        paths.append(os.path.join(folder, f"{name}.schema.json"))
        write_atomic(paths[-1], text)
    return paths
