"""The delegation graph: who sends work to whom, and whether there is anybody.

An edge is a place that names an agent or a skill as the one to do something: a "Delegate To" table, a list
under a delegation heading or sentence, "x → use y" in a list, "use the x agent", "hand over to `x`", "load the
x skill", "see also `x`", `plugin:agent` in prose, `@agent-plugin:name`, `Agent(...)` in tools, `agent:` of a
skill, `skills:` of an agent, `subagent_type` in code.

This module says what an edge is and whom a name means; mentions.py finds the names.
"""

from __future__ import annotations

import re
from typing import Iterable, NamedTuple

from pluglint.facts import FACTS
from pluglint.model import Package
from pluglint.text import Span
from pluglint.words import did_you_mean

# How an edge is written.
TABLE, LISTED, SENTENCE, SEE_ALSO, MENTION, QUALIFIED, TOOL, HEADER_AGENT, HEADER_SKILLS, SUBAGENT_TYPE = (
    "table", "list", "sentence", "see-also", "mention", "qualified", "tool", "agent-field", "skills-field", "subagent-type",
)
SENDING = frozenset({TABLE, LISTED, SENTENCE, HEADER_AGENT, SUBAGENT_TYPE})  # the others only mention, permit or preload
# What a target turned out to be.
HERE, SIBLING, BUILT_IN, EXTERNAL, UNDECLARED, UNKNOWN = "package", "workspace", "built-in", "external", "undeclared", "unknown"
AGENT, SKILL, COMMAND, EITHER = "agent", "skill", "command", "either"


class Edge(NamedTuple):
    """One place that names who is to do something.

    source   path (`rel`) of the document; `sender` its qualified name
    target   the name as written; `found` the qualified name that it resolves to ("" if there is none here)
    wants    what the target is: "agent", "skill" or "command"; of one not found what the text asks for, "either" where it does not say
    status   HERE, SIBLING (another plugin of this target), BUILT_IN, EXTERNAL (declared in the configuration),
             UNDECLARED (`plugin:name` of a plugin that neither the target nor the configuration knows) or UNKNOWN
    via      how it is written
    start, end   the place of the name
    task     what is sent, as far as the text says it
    """

    source: str
    sender: str
    target: str
    found: str
    wants: str
    status: str
    via: str
    start: int
    end: int
    task: str

    @property
    def span(self) -> Span:
        return Span(self.start, self.end)

    @property
    def sends(self) -> bool:
        """Whether it sends work to an agent, and does not only mention, permit or preload."""
        return self.via in SENDING and self.wants in (AGENT, EITHER)


# Adjectives in front of "agent" and words from documentation about agents: no names.
_TEMPLATE = (
    r"(?:(?:your|my|some|example|foo|bar|baz|other|another|this|that|each|every|new|custom|same|general|single|separate|sub|specialized|specialist|appropriate|relevant|following|multi|long|read|tool)(?:[-_].*)?"
    r"|name|x|y|type|id|(?:plugin|skill|agent|subagent|namespace|command)(?:[-_](?:name|type|id|x|y|here|a|b))?)\Z"
)


def resolve(package: Package, target: str, wants: str = AGENT) -> tuple[str, str, str]:
    """(qualified name or "", status, kind) of a name written in a package."""
    found = _in_package(package, target, wants)
    if found is not None:
        return found[0], HERE, found[1]
    if wants != SKILL and target.lower() in package.memo("built-in-agents", _built_in_agents):
        return target, BUILT_IN, AGENT
    external = package.config.external_agents if package.config is not None else {}
    if target in external:
        return external[target], EXTERNAL, SKILL if wants == SKILL else AGENT
    if package.workspace is not None:
        for other in package.workspace.packages:
            found = _in_package(other, target, wants) if other is not package else None
            if found is not None:
                return found[0], SIBLING, found[1]
    plugin, colon, rest = target.partition(":")
    if colon and rest and rest[0] != ":" and plugin not in package.memo("namespaces", namespaces):
        return "", UNDECLARED, wants
    return "", UNKNOWN, wants


def _in_package(package: Package, target: str, wants: str) -> tuple[str, str] | None:
    if wants != SKILL:
        names = package.memo("qualified_agents", _qualified_agents)
        qualified = names.get(target) or names.get(target.lower())
        if qualified:
            return qualified, AGENT
    if wants != AGENT and target in package.skills_by_name:
        return package.skills_by_name[target].qualified, SKILL
    if wants == EITHER and package.namespace and target.startswith(package.namespace + ":"):
        command = package.commands_by_name.get(target[len(package.namespace) + 1 :])
        if command is not None:
            return command.qualified, COMMAND
    return None


def _built_in_agents(package: Package) -> frozenset[str]:
    return frozenset(name.lower() for name in FACTS["agents"]["built_in"])


def _qualified_agents(package: Package) -> dict[str, str]:
    """Spelling -> qualified name. The client takes `demo:A` for `demo:a` when an agent is called, so lower case stands in too."""
    names = {name: agent.qualified for name, agent in package.agents_by_name.items()}
    return {**{name.lower(): qualified for name, qualified in names.items()}, **names}


def namespaces(package: Package) -> list[str]:
    """Plugin names of the target (`package.memo("namespaces", namespaces)` keeps them)."""
    packages = package.workspace.packages if package.workspace is not None else [package]
    return sorted({one.namespace for one in packages if one.namespace})


def known(package: Package, name: str, wants: str = EITHER) -> bool:
    """Whether a name means somebody."""
    return resolve(package, name, wants)[1] in (HERE, SIBLING, BUILT_IN, EXTERNAL)


def is_template(name: str) -> bool:
    """Whether a name only stands for names: `your-agent`, `plugin-name`."""
    return any(re.match(_TEMPLATE, part) for part in name.split(":"))


def near(package: Package, name: str, wants: str = EITHER) -> bool:
    """Whether a name is a slip of the pen away from a component of the package."""
    bearers: list[Iterable[str]] = []
    if wants != SKILL:
        bearers.append(package.agents_by_name)
    if wants != AGENT:
        bearers.append(package.skills_by_name)
    return len(name) > 4 and any(did_you_mean(name, names) is not None for names in bearers)


def plausible(name: str, package: Package) -> bool:
    """Whether an unknown word can only be a component's name where one is asked for."""
    if name != name.lower() or is_template(name):
        return False
    return "-" in name or ":" in name or near(package, name, AGENT)
