"""What `pluglint budget --json` prints: version 1. All sizes are characters."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from pluglint.spec import Open

Count = Annotated[int, Field(ge=0)]


class Always(Open):
    """What every session pays, before anything is dropped."""

    characters: Count
    tokens: Count = Field(description="As the client estimates them: a quarter of the characters.")
    agents: Count
    skills: Count = Field(description="Skills and commands.")


class Listing(Open):
    """The listing of skills and commands on models of one context size."""

    free: Count = Field(description="What the client's own skills leave.")
    dropped: list[str] = Field(description="Names whose description does not fit.")


class Size(Open):
    """Of one component."""

    listed: Count = Field(description="Its line in every session; 0 where the model is not told of it.")
    used: Count = Field(description="What it adds when it is used.")


class Component(Size):
    """An agent, a skill or a command."""

    kind: Literal["agent", "skill", "command"]
    name: str = Field(description="As the model is told.")
    path: str
    dropped: list[str] = Field(description="Context sizes on which its description is left out.", examples=[["200K"]])
    before: Size | None = Field(None, description="With --since: what it cost then; null where it was not there.")


class Earlier(Open):
    """With --since: the package then."""

    characters: Count
    removed: list[str] = Field(description="Names of components that are gone.")


class Budget(Open):
    """The cost of some packages that are loaded together."""

    version: Literal[1]
    always: Always
    listing: dict[str, Listing] = Field(description="By context size.")
    components: list[Component]
    exceeded: list[str] = Field(description="One sentence for each limit of the configuration that is passed.")
    before: Earlier = Field(None)
