"""`.claude-plugin/plugin.json`. Unknown keys draw a warning from the client and are no type error."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from pluglint.spec import Closed, Map, Open, Text

RelativePath = Annotated[str, Field(pattern=r"^\./", examples=["./agents/reviewer.md"])]
Paths = RelativePath | list[RelativePath]
SkillPath = Annotated[str, Field(pattern=r"^(\./|\.$)", examples=["./skills/"])]
AgentPath = Annotated[str, Field(pattern=r"^\./.*\.md$", examples=["./agents/reviewer.md"])]


class Person(Open):
    """A name with an address."""

    name: Text
    email: str = None  # type: ignore[assignment]
    url: str = None  # type: ignore[assignment]


class UserConfig(Closed):
    """One value that the client asks the user for."""

    type: Literal["string", "number", "boolean", "directory", "file"]
    title: Text
    description: Text
    required: bool = None  # type: ignore[assignment]
    default: str | float | bool | list[str] = None  # type: ignore[assignment]
    options: list[Annotated[str, Field(min_length=1, max_length=64)]] = None  # type: ignore[assignment]
    multiple: bool = None  # type: ignore[assignment]
    sensitive: bool = None  # type: ignore[assignment]
    min: float = None  # type: ignore[assignment]
    max: float = None  # type: ignore[assignment]


class Channel(Closed):
    """A message channel over one of the plugin's MCP servers."""

    server: Text
    displayName: str = None  # type: ignore[assignment]
    userConfig: dict[str, UserConfig] = None  # type: ignore[assignment]


class Components(Open):
    """The keys that a manifest and a marketplace entry share."""

    displayName: str = Field(None, description="The name that people are shown.")
    version: str = Field(None, description="When set, users get an update only when it changes.", examples=["1.4.0"])
    description: str = Field(None, description="What the plugin is for.")
    author: Person = Field(None, description="An object with a name; a string is refused.")
    homepage: str = Field(None, pattern=r"^[A-Za-z][A-Za-z0-9+.-]*:", description="A URL.", examples=["https://example.com/plugin"])
    repository: str = Field(None, description="A URL; an object is refused.")
    license: str = Field(None, description="An SPDX identifier.", examples=["MIT"])
    keywords: list[str] = Field(None, description="A list; a string is refused.")
    agents: AgentPath | list[AgentPath] = Field(None, description="Agent files. Replaces the folder agents/; a folder is refused.")
    skills: SkillPath | list[SkillPath] = Field(None, description="Folders of skills, beside skills/.")
    commands: Paths | Map = Field(None, description="Command files or folders. Replaces commands/.")
    hooks: Any = Field(None, description="A file beside hooks/hooks.json, or hooks themselves.")
    mcpServers: Any = Field(None, description="A file, an address, or servers.")
    lspServers: Any = Field(None, description="A file, or servers.")
    outputStyles: Paths = Field(None, description="Replaces output-styles/.")
    workflows: Paths = Field(None, description="Replaces workflows/.")
    userConfig: dict[str, UserConfig] = Field(None, description="Values that the client asks for.")
    channels: list[Channel] = Field(None, description="Message channels.")
    dependencies: list[str | Map] = Field(None, description="Plugins that must be installed; without one of them this one does not load.")
    settings: Map = Field(None, description="Settings that come with the plugin.")
    experimental: Map = Field(None, description="Themes, monitors and evals.")
    metadata: Map = Field(None, description="Anything; the client does not act on it.")
    defaultEnabled: bool = Field(None, description="Whether it is on once installed.")
    engines: Map = Field(None, description="Releases of the client that it is for.")


class Manifest(Components):
    """Manifest of a Claude Code plugin (.claude-plugin/plugin.json)."""

    schema_: str = Field(None, alias="$schema", description="Ignored by the client.")
    name: str = Field(
        pattern=r"^[^\s@:/\\\x00-\x1f]+$",
        description="The plugin's name: it stands before the name of every agent and skill. Lower case with hyphens.",
        examples=["deep-learning"],
    )
