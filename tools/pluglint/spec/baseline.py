"""What `--write-baseline` writes: version 1."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Baseline(BaseModel):
    """Findings that are known and not reported. Each key is `path: rule: fingerprint`, with the path relative to this file; each value is the message."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, str] = Field(init=False)

    version: Literal[1]
