"""What `pluglint release check --format json` prints: version 1, the report of a check and `plugins`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from pluglint.spec import Open
from pluglint.spec.output import Output


class Reason(Open):
    """Why a version has to rise."""

    part: Literal["major", "minor", "patch"]
    text: str = Field(examples=["agent reader was removed"])
    path: str = Field(description="A file that the change is in; may be one that is gone.")


class Plugin(Open):
    """What was compared for one plugin."""

    name: str
    path: str
    since: str = Field(description="The reference, as it was named or found.")
    commit: str
    released: str = Field(description="Its version then; empty where it had none.")
    version: str = Field(description="Its version now; empty where it has none.")
    new: bool = Field(description="Whether the plugin was not there then.")
    needs: Literal["", "major", "minor", "patch"] = Field(
        description="The weight of what changed; empty where nothing shipped did."
    )
    least: str = Field(description="The lowest version that tells of it; empty where there is none.")
    reasons: list[Reason]


class Release(Output):
    """The judgement on a release."""

    plugins: list[Plugin]
