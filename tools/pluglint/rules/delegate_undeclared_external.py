"""
What it checks: a name of the form `plugin:agent` to which work is sent, where the plugin is neither part of
what is checked nor declared under `external-agents`.

Why it matters: nothing here shows that such an agent exists. Where its plugin is not installed the call fails
("Agent type 'x' not found"), and a misspelt plugin name looks just the same.

How to fix: declare the plugin with the agents that are used, and say in the prompt what happens without them:

    [external-agents]
    other-plugin = ["jax-pro"]
"""

from pluglint.graph import UNDECLARED
from pluglint.rule import AGENT, CLAUDE_CODE, COMMAND, DIRECTORY, HERE, REFERENCE, SKILL, WARNING, Example, Problem, Rule
from pluglint.words import did_you_mean

RULE = Rule(
    title="work is sent to another plugin that is not declared",
    severity=WARNING,
    on=(AGENT, SKILL, COMMAND, REFERENCE),
    source="calls scripted against client 2.1.330, 2026-11-22",
    profiles=(CLAUDE_CODE, DIRECTORY),
)

_HEADER = "---\nname: lead\ndescription: Splits requests. Use when one spans several fields.\n---\n"

CONFIG = {"external_agents": {"jax-declared:jax-pro": "jax-declared:jax-pro"}}

GOOD = (
    Example({"agents/lead.md": _HEADER + "Hand over to `jax-declared:jax-pro` when it is installed.\n"}),
    Example({"agents/lead.md": _HEADER + "The image is `ubuntu:noble`; use `std:vector` for lists.\n"}),
)
BAD = (
    Example({"agents/lead.md": _HEADER + f"| Delegate To | When |\n| --- | --- |\n| `jax-suite:jax-pro` | numerical code |{HERE}\n"}, message="'jax-suite:jax-pro' belongs to plugin 'jax-suite', which is neither here nor declared"),
    Example({"agents/lead.md": _HEADER + f"Delegate to the `dem:helper` agent.{HERE}\n"}, message="'dem:helper' belongs to plugin 'dem', which is neither here nor declared"),
)


def check(document):
    for edge in document.edges:
        if edge.status != UNDECLARED:
            continue
        plugin = edge.target.partition(":")[0]
        package = document.package
        close = did_you_mean(plugin, [one.namespace for one in package.workspace.packages if one.namespace] if package.workspace is not None else [])
        hint = f"Did you mean '{close}{edge.target[len(plugin):]}'?" if close else f"Declare it: `{plugin} = [\"{edge.target.partition(':')[2]}\"]` under `[external-agents]`."
        yield Problem(document.source, edge.span, f"'{edge.target}' belongs to plugin '{plugin}', which is neither here nor declared", hint)
