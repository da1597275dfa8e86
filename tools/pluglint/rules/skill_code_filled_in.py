r'''
What it checks: no awk program, shell function or whole shell script in the text of a skill or command holds `$0`,
`$1` ... as code. Those in other places may be meant for the arguments of the skill, and are left alone.

Why it matters: when the skill is called with arguments, the client writes the first word of them over each `$0`, the
second over each `$1`, in code as in prose: `awk '{print $1}'` called with `build 12` reads `awk '{print 12}'` to the
model. Without arguments the text stays, so that a short try does not show it.

How to fix: put the code into a file of the skill and name that; or write `\$1`, which the client turns into `$1`, or in
a shell `${1}`, which it leaves alone.
'''

import re

from pluglint.rule import CLAUDE_CODE, COMMAND, DIRECTORY, HERE, SKILL, WARNING, Example, Problem, Rule
from pluglint.text import Span
from pluglint.words import plural

RULE = Rule(
    title="the client fills in a `$1` that is code",
    severity=WARNING,
    on=(SKILL, COMMAND),
    source="client 2.1.330, 2026-11-23: a skill called with and without arguments",
    profiles=(CLAUDE_CODE, DIRECTORY),
    needles=("awk", "() {", "(){", "#!"),
)

_SKILL = "---\nname: example\ndescription: Reads logs. Use when a build failed.\n---\n"

GOOD = (
    Example(_SKILL + "Read the log of $0 at step $1.\n\n```bash\ngh run view $0 --log\n```\n"),
    Example(_SKILL + "```bash\nawk '{print \\$1}' build.log\n```\n\n```bash\nlast() {\n  tail -n 1 \"${1}\"\n}\n```\n"),
    Example(_SKILL + "```bash\nawk '/error/' \"$0.log\"\n```\n\n```bash\nclean() {\n  rm -f build.log\n}\n```\n"),
    Example(_SKILL + "It costs $5 a run. Do not parse with awk: `$1` is a name here.\n"),
)
BAD = (
    Example(_SKILL + f"```bash\nps aux | awk '{{print $2, $11}}'{HERE}\n```\n", message="`$2` in this awk program is filled in when the skill is called with 3 words or more"),
    Example(_SKILL + f"Count with `awk -F, '{{n += $3}} END {{print n}}' runs.csv`.{HERE}\n", message="`$3` in this awk program is filled in when the skill is called with 4 words or more"),
    Example(_SKILL + f"```bash\nlast() {{\n  tail -n 1 \"$1\"{HERE}\n}}\n```\n", message="`$1` in this shell function is filled in when the skill is called with 2 words or more"),
    Example(_SKILL + f"```sh\n#!/bin/sh\ntail -n 1 \"$1\"{HERE}\n```\n", message="`$1` in this shell script is filled in when the skill is called with 2 words or more"),
)

_AWK = r"\b[gm]?awk\b[^'\n`]*'([^']{0,2000})'"
_FUNCTION = r"(?ms)^[ \t]*(?:function[ \t]+)?[\w-]+[ \t]*\([ \t]*\)[ \t]*\{(.{0,4000}?)^[ \t]*\}"
_FILLED = r"(?<!\\)\$\d+\b"
_SHELLS = ("bash", "sh", "shell", "zsh")


def check(document):
    text = document.text
    programs = [match.span(1) for match in re.compile(_AWK).finditer(text, document.markdown.start)]
    pieces = [("awk program", *span) for span in programs]
    for fence in document.markdown.fences:
        if fence.lang in _SHELLS:
            if text.startswith("#!", fence.content[0]):
                pieces.append(("shell script", *fence.content))
            else:
                pieces += [("shell function", *match.span(1)) for match in re.compile(_FUNCTION).finditer(text, *fence.content)]
    for what, start, end in pieces:
        for filled in re.compile(_FILLED).finditer(text, start, end):
            if what == "awk program" or not any(a <= filled.start() < b for a, b in programs):
                words = int(filled.group()[1:]) + 1
                message = f"`{filled.group()}` in this {what} is filled in when the skill is called with {plural(words, 'word')} or more"
                yield Problem(document.source, Span(*filled.span()), message, f"Put the code into a file of the skill, or write `\\{filled.group()}`.")
                break  # one finding for all that a piece of code holds
