"""YAML files that people write, checked against the JSON Schema that is shipped for their editors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from dltools.report import UnusableInput


def read_checked(path: Path, what: str, schema: Path) -> Any:
    """The content of a YAML file that fits its schema.

    Args:
        path: the file.
        what: what it is, such as "plan", for messages.
        schema: its JSON Schema, draft 2020-12.

    Raises:
        UnusableInput: it cannot be read, is not YAML, or does not fit; the message names the key.
    """
    import jsonschema
    import yaml

    try:
        given = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", "it is not UTF-8")
        raise UnusableInput(f"cannot read the {what} {path}: {reason}") from None
    except yaml.YAMLError as error:
        raise UnusableInput(f"{path.name} is not YAML: {' '.join(str(error).split())}") from None
    validator = jsonschema.Draft202012Validator(json.loads(schema.read_text(encoding="utf-8")))
    error = next(iter(sorted(validator.iter_errors(given), key=lambda e: [str(part) for part in e.path])), None)
    if error is not None:
        where = ".".join(str(part) for part in error.path) or f"the {what}"
        raise UnusableInput(f"{path.name}: {where}: {error.message}")
    return given
