"""The header of `SKILL.md`, and of commands, which take the same keys but two."""

from __future__ import annotations

from pydantic import Field

from pluglint.facts import FACTS
from pluglint.spec import Flag, Map, Names, Open, Text, one_of

_SKILLS, _AGENTS = FACTS["skills"], FACTS["agents"]


class _Invoked(Open):
    description: Text = Field(
        description=f"What it does and when to use it. With `when_to_use` the client lists at most {_SKILLS['listing_cut']:,} characters; agentskills.io allows {_SKILLS['portable_description']:,}.",
        examples=["Cleans tabular data. Use when a file has missing or duplicate rows."],
    )
    when_to_use: str = Field(None, description="Put after the description in the listing.")
    argument_hint: str | list[str] = Field(None, alias="argument-hint", description="Shown after the name.", examples=["FILE"])
    arguments: Names = Field(None, description="Names of its arguments, for `$name` in the body.")
    disable_model_invocation: Flag = Field(None, alias="disable-model-invocation", description="Only a person can call it; the model is not told of it.")
    user_invocable: Flag = Field(None, alias="user-invocable", description="Whether it has a slash command.")
    allowed_tools: Names = Field(None, alias="allowed-tools", description="Tools that need no permission while it runs. Not a restriction.")
    disallowed_tools: Names = Field(None, alias="disallowed-tools", description="Tools that it may not use.")
    model: str = Field(None, description="An alias, a full id, or `inherit`.", examples=_SKILLS["models"])
    effort: one_of(_AGENTS["efforts"]) = Field(None, description="How hard the model thinks.")  # type: ignore[valid-type]
    context: one_of(_SKILLS["contexts"]) = Field(None, description="`fork` runs it in a subagent.")  # type: ignore[valid-type]
    agent: str = Field(None, description="With `context: fork`: the agent that runs it.")
    background: Flag = Field(None, description="With `context: fork`: run in the background.")
    hooks: Map = Field(None, description="Hooks that live until the session ends.")
    shell: one_of(_SKILLS["shells"]) = Field(None, description="The shell of its commands.")  # type: ignore[valid-type]
    metadata: Map = Field(None, description="Anything; no client acts on it.")
    license: str = Field(None, description="A licence name or file.")
    compatibility: str = Field(None, description="What it needs to run.")


class Skill(_Invoked):
    """Front matter of a skill (SKILL.md)."""

    name: Text = Field(
        None,
        description=f"The name of its folder, which is what the client goes by. agentskills.io requires it, at most {_SKILLS['portable_name']} characters.",
        examples=["data-cleaning"],
    )
    paths: Names = Field(None, description="Globs of files that it is for.")


class Command(_Invoked):
    """Front matter of a command (commands/*.md)."""
