"""
What it checks: a `matcher` that holds more than names, `|` and commas is a regular expression that
compiles; names of tools in it are tools that some session has; and the event is one that looks at matchers. A retired
name beside living ones is left alone.

Why it matters: a matcher that names no tool never matches, so the guard behind it never runs. On events without matchers
(`Stop`, `UserPromptSubmit`, ...) it is not read, and the hook runs every time.

How to fix: correct the name (the case counts), write `mcp__server__.*` for all tools of a server, or remove the matcher.
"""

import re

from pluglint.facts import FACTS, tool_names
from pluglint.manifest_fields import hook_groups, within
from pluglint.parse.node import STRING
from pluglint.rule import CLAUDE_CODE, DIRECTORY, HERE, HOOKS, MANIFEST, MARKETPLACE, SETTINGS, SKILL, WARNING, Example, Problem, Rule
from pluglint.words import did_you_mean

RULE = Rule(
    title="a matcher that does not match what it says",
    severity=WARNING,
    on=(HOOKS, MANIFEST, MARKETPLACE, SETTINGS, SKILL),
    source="hooks page of 2026-10-03; tool constants of @anthropic-ai/claude-agent-sdk 0.3.330",
    profiles=(CLAUDE_CODE, DIRECTORY),
)

_HOOK = '"hooks": [{"type": "command", "command": "true"}]'

GOOD = (
    Example('{"hooks": {"PreToolUse": [{"matcher": "Edit|Write, Bash|MultiEdit", ' + _HOOK + '}, {"matcher": "mcp__files__.*", ' + _HOOK + '}, {"matcher": "", ' + _HOOK + "}]}}\n"),
    Example('{"hooks": {"SessionStart": [{"matcher": "startup|clear", ' + _HOOK + '}], "SubagentStop": [{"matcher": "^demo:a$", ' + _HOOK + "}]}}\n"),
)
BAD = (
    Example('{\n  "hooks": {"PreToolUse": [\n    {"matcher": "MultiEdit", ' + HERE + "\n     " + _HOOK + "}\n  ]}\n}\n", message="no tool is called 'MultiEdit'"),
    Example('{\n  "hooks": {"PreToolUse": [\n    {"matcher": "Edit|Wirte", ' + HERE + "\n     " + _HOOK + "}\n  ]}\n}\n", message="no tool is called 'Wirte'"),
    Example('{\n  "hooks": {"PreToolUse": [\n    {"matcher": "Bash(", ' + HERE + "\n     " + _HOOK + "}\n  ]}\n}\n", message="'Bash(' is no regular expression: missing ), unterminated subpattern"),
    Example('{\n  "hooks": {"Stop": [\n    {"matcher": "Bash", ' + HERE + "\n     " + _HOOK + "}\n  ]}\n}\n", message="'Stop' looks at no matcher: this hook runs every time"),
    Example('{\n  "hooks": {"PreToolUse": [\n    {"matcher": "mcp__files", ' + HERE + "\n     " + _HOOK + "}\n  ]}\n}\n", message="'mcp__files' names a server and no tool: it matches nothing"),
)

_TOOL_EVENTS = frozenset(("PreToolUse", "PostToolUse", "PostToolUseFailure", "PermissionRequest", "PermissionDenied"))


def check(document):
    for event, group in hook_groups(document):
        matcher = group.get("matcher")
        if matcher is None or matcher.kind != STRING:
            continue
        if event.text in FACTS["hooks"]["without_matcher"]:
            if matcher.text not in ("", "*", ".*"):
                yield Problem(document.source, matcher.span, f"'{event.text}' looks at no matcher: this hook runs every time", "Remove the matcher.")
        elif re.fullmatch(r"[\w\s|,-]*", matcher.text):
            if event.text in _TOOL_EVENTS:
                yield from _names(document, matcher)
        elif matcher.text != "*":
            yield from _pattern(document, matcher)


def _names(document, matcher):
    known = tool_names()
    retired = FACTS["tools"]["retired"]
    alive = any(match.group() in known for match in re.finditer(r"[\w-]+", matcher.text))
    for match in re.finditer(r"[\w-]+", matcher.text):
        name = match.group()
        if name in known or (alive and name in retired):  # an old name beside living ones serves older clients
            continue
        if name.startswith("mcp__"):
            if name.count("__") == 1:
                yield Problem(document.source, within(document, matcher, name, match.start()), f"'{name}' names a server and no tool: it matches nothing", f"Write '{name}__.*'.")
            continue
        close = did_you_mean(name, known)
        hint = f"The tool is gone; instead: {retired[name]}." if name in retired else f"Did you mean '{close}'?" if close else "Names of tools are case-sensitive."
        yield Problem(document.source, within(document, matcher, name, match.start()), f"no tool is called '{name}'", hint)


def _pattern(document, matcher):
    try:
        re.compile(re.sub(r"\(\?<(?![=!])", "(?P<", matcher.text))
    except (re.error, RecursionError, OverflowError) as error:
        # JavaScript allows some things that Python does not: only what both refuse is reported.
        message = getattr(error, "msg", "")
        if message.startswith(("missing )", "unbalanced", "unterminated character set", "nothing to repeat")):
            yield Problem(document.source, matcher.span, f"'{matcher.text}' is no regular expression: {message}", "The client reads a matcher with other characters than names and '|' as a regular expression.")
