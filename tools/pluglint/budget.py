"""What a package costs in characters: in every session, and each time that a component is used.

The client puts one line for each agent, skill and command into every session. The lines of skills and commands share
a budget, which is smaller on models with less context; a description that no longer fits is dropped, and its name
stays. A used agent brings its body and the skills that it preloads, a used skill or command its body.
Counted as the client was seen to (facts/claude_code.json); `${...}` in bodies is not filled in.
"""

from __future__ import annotations

from typing import NamedTuple

from pluglint.facts import FACTS
from pluglint.headers import is_listed, listing_line
from pluglint.model import MarkdownDocument, Package

CHARACTERS_PER_TOKEN = 4  # what `claude plugin details` goes by
MODELS = {"200K": FACTS["skills"]["listing_budget_200k"], "1M": FACTS["skills"]["listing_budget_1m"]}


class Cost(NamedTuple):
    """Characters of one component.

    listed   its line in every session; 0 where the model is not told of it
    used     what it adds to a conversation when it is called
    dropped  the models, by context, on which its description is left out
    """

    kind: str
    name: str
    path: str
    listed: int
    used: int
    dropped: tuple[str, ...]


class Budget(NamedTuple):
    """The costs of some packages together, as if all were loaded in this order."""

    costs: list[Cost]

    @property
    def agents(self) -> int:
        """Characters of the agents' lines."""
        return sum(one.listed for one in self.costs if one.kind == "agent")

    @property
    def skills(self) -> int:
        """Characters of the lines of skills and commands, before anything is dropped."""
        return sum(one.listed for one in self.costs if one.kind != "agent")

    @property
    def always(self) -> int:
        """Characters in every session, before anything is dropped."""
        return self.agents + self.skills


def tokens(characters: int) -> int:
    """Tokens as the client estimates them."""
    return -(-characters // CHARACTERS_PER_TOKEN)


def free(model: str) -> int:
    """Characters of the skill listing that the client's own skills leave, by context of the model."""
    return MODELS[model] - FACTS["skills"]["listing_own"]


def budget(packages: list[Package]) -> Budget:
    """The costs of packages that are loaded together, components in the order in which the model is told of them."""
    agents = [one for package in packages for one in sorted(package.agents, key=lambda one: one.qualified)]
    # commands of all plugins come before the skills of any
    told = [one for kind in ("commands", "skills") for package in packages for one in sorted(getattr(package, kind), key=lambda one: one.qualified)]
    dropped = {model: _dropped([one for one in told if is_listed(one)], free(model)) for model in MODELS}
    costs = []
    for one in (*agents, *told):
        where = tuple(model for model in MODELS if one.qualified in dropped[model])
        costs.append(Cost(one.kind, one.qualified, one.source.path, len(listing_line(one)) + 1 if is_listed(one) else 0, _used(one), where))
    return Budget(costs)


def _dropped(listed: list[MarkdownDocument], room: int) -> set[str]:
    """Names whose description does not fit. Names always stay; each description in turn is taken if there is room for it."""
    left = room - sum(len(f"- {one.qualified}\n") for one in listed)
    gone = set()
    for one in listed:
        more = len(listing_line(one)) - len(f"- {one.qualified}")
        if more <= left:
            left -= more
        else:
            gone.add(one.qualified)
    return gone


def _used(document: MarkdownDocument) -> int:
    own = len(document.body.strip())
    if document.kind != "agent":
        return own
    skills = document.package.skills_by_name
    preloaded = {skills[value.text].rel: skills[value.text] for value in document.names("skills") if value.text in skills}
    return own + sum(len(skill.body.strip()) for skill in preloaded.values())
