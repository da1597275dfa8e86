"""The header of `agents/*.md`."""

from __future__ import annotations

from pydantic import Field

from pluglint.facts import FACTS
from pluglint.spec import Map, Names, Open, Text, one_of

_AGENTS = FACTS["agents"]
_IGNORED = "Ignored in plugin agents."


class Agent(Open):
    """Front matter of a Claude Code agent."""

    name: Text = Field(max_length=_AGENTS["max_name"], description="The name it is called by, after `plugin:`.", examples=["code-reviewer"])
    description: Text = Field(description="What it does and when to send work to it. Every session reads all of it.", examples=["Reads a change and lists what is wrong. Use when one is ready for review."])
    tools: Names = Field(None, description="Tools it may use, as a list or with commas. Without this key it has every tool.", examples=["Read, Grep, Glob", ["Read", "Edit"]])
    disallowedTools: Names = Field(None, description="Tools taken away from what it would have.")
    model: str = Field(None, description="`inherit`, an alias or the full id of a model.", examples=_AGENTS["models"])
    color: one_of(_AGENTS["colors"]) = Field(None, description="The colour of its name in the client.")  # type: ignore[valid-type]
    effort: one_of(_AGENTS["efforts"]) | int = Field(None, description="How hard the model thinks.")  # type: ignore[valid-type]
    maxTurns: int = Field(None, ge=1, description="It stops after so many turns.")
    skills: Names = Field(None, description="Skills whose whole text is put before it.")
    memory: one_of(_AGENTS["memories"]) = Field(None, description="Where it keeps notes. Adds Read, Write and Edit.")  # type: ignore[valid-type]
    isolation: one_of(_AGENTS["isolations"]) = Field(None, description="Work in a git worktree of its own.")  # type: ignore[valid-type]
    background: bool = Field(None, description="Always run in the background.")
    omitClaudeMd: bool = Field(None, description="Do not pass CLAUDE.md on.")
    experimental: Map = Field(None, description="Settings that may change.")
    permissionMode: one_of(_AGENTS["permission_modes"]) = Field(None, description=_IGNORED, deprecated=True)  # type: ignore[valid-type]
    hooks: Map = Field(None, description=_IGNORED, deprecated=True)
    mcpServers: Map | list[str | Map] = Field(None, description=_IGNORED, deprecated=True)
    initialPrompt: str = Field(None, description=_IGNORED, deprecated=True)
    observer: str = Field(None, description=_IGNORED, deprecated=True)
