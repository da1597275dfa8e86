"""
What it checks: two agents whose tables, lists or sentences send the same work to each other: the descriptions
of the two tasks share most of their words.

Why it matters: neither does the work. The request goes back and forth until the client, at depth three, takes
the tool for calling agents away, and each round costs a full prompt.

How to fix: decide who does it, and let the other one's row say what is different.
"""

import re

from pluglint.finding import Location
from pluglint.rule import CLAUDE_CODE, DIRECTORY, HERE, GRAPH, WARNING, Example, Problem, Rule

RULE = Rule(
    title="two agents send the same work to each other",
    severity=WARNING,
    on=(GRAPH,),
    source="calls scripted against client 2.1.330, 2026-11-22",
    profiles=(CLAUDE_CODE, DIRECTORY),
    options={"overlap": 0.6},
)

_AGENT = "---\nname: {}\ndescription: Does {} work. Use when there is some.\ntools: Read, Grep\n---\n"
_TABLE = "| Delegate To | When |\n| --- | --- |\n| demo:{} | {} |{}\n"


def _pair(first, second, here=""):
    return {"agents/tester.md": _AGENT.format("tester", "test") + _TABLE.format("builder", first, here), "agents/builder.md": _AGENT.format("builder", "build") + _TABLE.format("tester", second, "")}


GOOD = (
    Example(_pair("code must be written or changed", "tests of new code must be run")),
    Example(_pair("tests", "tests")),
)
BAD = (
    Example(
        {**_pair("flaky integration tests must be repaired", "integration tests that are flaky must be repaired"), "agents/builder.md": _AGENT.format("builder", "build") + _TABLE.format("tester", "integration tests that are flaky must be repaired", HERE)},
        message="'demo:builder' and 'demo:tester' send the same work to each other",
    ),
)

_SMALL = frozenset("a an and any are as at be by can does for from has have if in into is it its must need needs needed of on one or should that the their them then there they this those to use used was were when where which will with you your".split())


def check(package, options):
    tasks = {}
    for edge in package.edges:
        if edge.sends and edge.found and edge.found != edge.sender and edge.task:
            tasks.setdefault((edge.sender, edge.found), []).append(edge)
    for (sender, receiver), edges in sorted(tasks.items()):
        back = tasks.get((receiver, sender), ()) if sender < receiver else ()
        for edge in edges if back else ():
            mine = _words(edge.task)
            other = next((one for one in back if len(mine) >= 3 and _overlap(mine, _words(one.task)) >= options["overlap"]), None)
            if other is not None:
                source, related = package.documents[edge.source].source, package.documents[other.source].source
                yield Problem(source, edge.span, f"'{sender}' and '{receiver}' send the same work to each other", "Decide which of the two does it.", (Location(related, other.span, "and back here"),))
                break


def _words(task):
    return {word[:-1] if word.endswith("s") and len(word) > 3 else word for word in re.findall(r"[a-z0-9]+", task.lower())} - _SMALL


def _overlap(left, right):
    return len(left & right) / len(left | right) if len(right) >= 3 else 0
