"""
What it checks: a prompt that sends work to an agent of another plugin, and nowhere speaks of that plugin not
being installed.

Why it matters: plugins are installed one by one. Without the other one the call fails ("Agent type 'x' not
found"), and the prompt has no second way.

How to fix: say what happens then, for example "if it is not installed, return the work order to the caller".
"""

import re

from pluglint.graph import EXTERNAL, UNDECLARED
from pluglint.rule import AGENT, CLAUDE_CODE, COMMAND, DIRECTORY, HERE, INFO, SKILL, Example, Problem, Rule

RULE = Rule(
    title="no word on what happens without the other plugin",
    severity=INFO,
    on=(AGENT, SKILL, COMMAND),
    source="calls scripted against client 2.1.330, 2026-11-22",
    profiles=(CLAUDE_CODE, DIRECTORY),
)

CONFIG = {"external_agents": {"jax-pro": "jax-suite:jax-pro", "jax-suite:jax-pro": "jax-suite:jax-pro"}}
_HEADER = "---\nname: lead\ndescription: Splits requests. Use when one spans several fields.\n---\n"

GOOD = (
    Example({"agents/lead.md": _HEADER + "Hand over to `jax-suite:jax-pro`. If it is not installed, return a work order.\n"}),
)
BAD = (
    Example({"agents/lead.md": _HEADER + f"Hand over to `jax-suite:jax-pro`.{HERE}\n"}, message="nothing is said about 'jax-suite:jax-pro' not being installed"),
)

_FALLBACK = r"(?i:\b(?:installed|available|absent|missing|fall ?back|otherwise|does not exist|do not exist|if present|optional)\b)"


def check(document):
    edges = [edge for edge in document.edges if edge.status in (EXTERNAL, UNDECLARED) and edge.sends]
    if not edges or re.search(_FALLBACK, document.body):
        return
    seen = set()
    for edge in edges:
        if edge.target not in seen:
            seen.add(edge.target)
            yield Problem(document.source, edge.span, f"nothing is said about '{edge.target}' not being installed", "Say what to do when the plugin is not there.")
