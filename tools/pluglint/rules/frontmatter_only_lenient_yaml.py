"""
What it checks: the header is YAML for every parser, not only for the client. A plain value must not hold a colon
followed by a space, nor start with `@`, `[`, `{`, `*`, `%` or a backtick.

Why it matters: the client tries such a header a second time with the values in quotes, so it loads. Strict parsers
refuse it: other clients, directories, and tools that read the header drop the component or all its keys.

How to fix: put the value in double quotes, or write it as a block (`description: >-` and indented lines).
"""

import re

from pluglint.edits import quoted
from pluglint.rule import AGENT, COMMAND, HERE, SKILL, WARNING, Example, Fix, Problem, Rule, Span

RULE = Rule(
    title="only the client's lenient reading accepts the header",
    severity=WARNING,
    on=(AGENT, SKILL, COMMAND),
    source="headers with unquoted values loaded by client 2.1.330, 2026-11-22; YAML 1.2.2, section 7.3.3",
    fix="unsafe",
)

GOOD = (
    Example("---\nname: example\ndescription: 'Plans a pipeline: sources and sinks. Use when planning.'\n---\nYou plan.\n"),
    Example("---\nname: example\ndescription: Plans at 10:30 and reads http://x.example. Use when planning.\n---\nYou plan.\n"),
)
BAD = (
    Example(
        f"---\nname: example\ndescription: Plans a pipeline: sources and sinks.{HERE}\n---\nYou plan.\n",
        message="strict YAML parsers refuse this header (a colon followed by a space starts a new key here: put the value in quotes)",
        fixed='description: "Plans a pipeline: sources and sinks."',
    ),
    Example(
        f"---\nname: example\ndescription: @team plans. Use when planning.{HERE}\n---\nYou plan.\n",
        message="strict YAML parsers refuse this header (this character cannot start a plain value: put the value in quotes)",
        fixed='description: "@team plans. Use when planning."',
    ),
)


def check(document):
    error = document.frontmatter.forgiven
    if error is not None:
        line = document.source.line_span(error.span.start)
        value = re.match(r"([\w-]+):[ \t]+", document.source.slice(line))
        end = line.start + len(document.source.slice(line).rstrip())
        edit = quoted(document, Span(line.start + value.end(), end)) if value else None
        yield Problem(
            document.source,
            error.span,
            f"strict YAML parsers refuse this header ({error.message})",
            "Put the value in double quotes: the client forgives this, other readers do not.",
            (),
            Fix("put the value in quotes", (edit,), safe=value.group(1) not in ("description", "when_to_use")) if edit else None,
        )
