"""Where the published schemas are written: pydantic models, read by `gen.py` and by tests, never by a check.

Types and value lists come from `facts/`, so that a new release of the client is entered in one place.
Only what JSON Schema can say of one file stands here; rules say the rest.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema


class Open(BaseModel):
    """A map that may hold more than we name."""

    model_config = ConfigDict(extra="allow")


class Closed(BaseModel):
    """A map that holds nothing but what we name."""

    model_config = ConfigDict(extra="forbid")


def one_of(values: list[str], description: str = "") -> Any:
    """A string out of a list that only the facts know."""
    return Annotated[str, WithJsonSchema({"type": "string", "enum": list(values), **({"description": description} if description else {})})]


Text = Annotated[str, Field(min_length=1)]
Names = Annotated[str | list[str], Field()]
Map = dict[str, Any]
# In skills and commands the client also takes these words for true and false (2.1.218).
Flag = bool | one_of(["yes", "no", "on", "off"])
