"""`.claude-plugin/marketplace.json`."""

from __future__ import annotations

from pydantic import Field

from pluglint.facts import FACTS
from pluglint.spec import Map, Open, Text, one_of
from pluglint.spec.manifest import Components, Person


class Source(Open):
    """Where the client fetches a plugin."""

    source: one_of(list(FACTS["marketplace"]["sources"]))  # type: ignore[valid-type]


class Entry(Components):
    """One plugin of a marketplace. It may hold any key of the plugin's manifest."""

    name: Text = Field(description="The plugin's name, unique in the file.")
    source: str | Source = Field(description="A path from the marketplace's root that starts with ./, or where to fetch it.", examples=["./plugins/one"])
    category: str = None  # type: ignore[assignment]
    tags: list[str] = None  # type: ignore[assignment]
    strict: bool = Field(None, description="false: this entry is the plugin's only manifest.")
    relevance: Map = None  # type: ignore[assignment]
    hooks: Map = Field(None, description="Hooks themselves: a path here never loads.")
    headers: Map = Field(None, description="Only with sources of type archive.")
    headersHelper: str = None  # type: ignore[assignment]


class Metadata(Open):
    """Facts about the marketplace as a whole."""

    description: str = None  # type: ignore[assignment]
    version: str = None  # type: ignore[assignment]
    pluginRoot: str = Field(None, description="A folder that bare source names are looked for in.")


class Marketplace(Open):
    """A Claude Code marketplace (.claude-plugin/marketplace.json)."""

    schema_: str = Field(None, alias="$schema", description="Ignored by the client.")
    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", description="Letters, digits, dots, hyphens.", examples=["example-plugins"])
    owner: Person
    plugins: list[Entry]
    description: str = None  # type: ignore[assignment]
    version: str = None  # type: ignore[assignment]
    metadata: Metadata = None  # type: ignore[assignment]
    forceRemoveDeletedPlugins: bool = None  # type: ignore[assignment]
    allowCrossMarketplaceDependenciesOn: list[str] = None  # type: ignore[assignment]
    renames: dict[str, str | None] = Field(None, description="Old name to new name, or to null when a plugin is gone.")
