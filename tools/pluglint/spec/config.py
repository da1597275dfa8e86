"""`pluglint.toml`, or `[tool.pluglint]` in pyproject.toml. This is the list of setting names."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from pluglint.discover import SIZE_LIMIT
from pluglint.finding import SEVERITIES
from pluglint.rule import ALL_PROFILES, CLAUDE_CODE
from pluglint.spec import Closed, Text, one_of

Count = Annotated[int, Field(ge=0)]
RuleId = Annotated[str, Field(min_length=1, examples=["delegate-unknown"])]


class Suppress(Closed):
    """Silences rules in files. Names its rules, and why."""

    rule: RuleId = Field(None, description="The rule to silence.")
    rules: list[RuleId] = Field(None, description="Several rules to silence.")
    path: Text = Field("**", description="Glob of the files, as they are shown in the report.", examples=["agents/legacy/**"])
    reason: Text = Field(description="Why this is right here.")
    until: str = Field(None, pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$", description="Last day on which this holds.", examples=["2027-01-31"])


class HeaderSchemas(Closed):
    """Your own JSON Schema for headers, each a path relative to this file."""

    agent: Text = None  # type: ignore[assignment]
    skill: Text = None  # type: ignore[assignment]
    command: Text = None  # type: ignore[assignment]


class Sections(Closed):
    """Headings that every file of a kind must have."""

    agent: list[Text] = None  # type: ignore[assignment]
    skill: list[Text] = None  # type: ignore[assignment]
    command: list[Text] = None  # type: ignore[assignment]
    readme: list[Text] = None  # type: ignore[assignment]


class Limits(Closed):
    """Most characters; `pluglint budget` fails above them."""

    always: Count = Field(None, description="All lines in every session.")
    agents: Count = Field(None, description="The agents' lines in every session.")
    skills: Count = Field(None, description="The lines of skills and commands in every session.")
    agent_used: Count = Field(None, alias="agent-used", description="Any one agent when it is used, with the skills that it preloads.")
    skill_used: Count = Field(None, alias="skill-used", description="Any one skill when it is used.")
    command_used: Count = Field(None, alias="command-used", description="Any one command when it is used.")


class Pack(Closed):
    """What `pluglint pack` packs, and what `pluglint release` takes for shipped."""

    exclude: list[Text] = Field([], description="Globs of files that are left out, beside tests, caches, version control, editors' files and virtual environments.", examples=[["docs/**"]])
    include: list[Text] = Field([], description="Globs of files that go in although they would be left out, or git ignores them.", examples=[["dist/server.js"]])


class Release(Closed):
    """How `pluglint release` goes about a release."""

    also: list[Text] = Field([], description="More files that state the plugin's version: `release bump` replaces it there, `release check` looks for it. Relative to this file.", examples=[["src/version.py"]])


class Config(Closed):
    """Settings of pluglint. A package needs none of them."""

    profile: one_of(list(ALL_PROFILES)) = Field(CLAUDE_CODE, description="Whose judgement counts.")  # type: ignore[valid-type]
    select: list[RuleId] = Field([], description="Run only these rules; `all` is every rule, info included.", examples=[["all"]])
    ignore: list[RuleId] = Field([], description="Leave these rules out.")
    severity: dict[str, one_of(list(SEVERITIES))] = Field({}, description="Rule id to severity. A severity given here turns an info rule on.")  # type: ignore[valid-type]
    fail_on: Literal["error", "warning", "info", "never"] = Field("warning", alias="fail-on", description="Lowest severity that makes the exit status 1.")
    exclude: list[Text] = Field([], description="Globs of files that are not looked at.", examples=[["drafts/**"]])
    suppress: list[Suppress] = Field([], description="What is silenced, where and why.")
    external_agents: dict[str, list[Text]] = Field({}, alias="external-agents", description="Agents of other plugins that this package sends work to: plugin to names.", examples=[{"other-plugin": ["jax-pro"]}])
    header_schemas: HeaderSchemas = Field(None, alias="header-schemas", description="Your own JSON Schemas for headers.")
    sections: Sections = Field(None, description="Headings that must be there.")
    budget: Limits = Field(None, description="What the package may cost.")
    pack: Pack = Field(None, description="What is shipped.")
    release: Release = Field(None, description="How releases are made.")
    max_file_size: int = Field(SIZE_LIMIT, alias="max-file-size", ge=1, le=1 << 30, description="Files of more bytes are not read.")
    rules: dict[str, dict[str, Any]] = Field({}, description="Rule id to its options; `pluglint explain RULE` lists them.")
