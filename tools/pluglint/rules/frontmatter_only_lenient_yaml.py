"""
What it checks: the header is YAML for every parser, not only for the client. A plain value must not hold a colon
followed by a space, nor start with `@`, `[`, `{`, `*`, `%` or a backtick.

Why it matters: the client tries such a header a second time with the values in quotes, so it loads. Strict parsers
refuse it: other clients, directories, and tools that read the header drop the component or all its keys.

How to fix: put the value in double quotes, or write it as a block (`description: >-` and indented lines).
"""

from pluglint.rule import AGENT, COMMAND, HERE, SKILL, WARNING, Example, Problem, Rule

RULE = Rule(
    title="only the client's lenient reading accepts the header",
    severity=WARNING,
    on=(AGENT, SKILL, COMMAND),
    source="headers with unquoted values loaded by client 2.1.330, 2026-11-22; YAML 1.2.2, section 7.3.3",
)

GOOD = (
    Example("---\nname: example\ndescription: 'Plans a pipeline: sources and sinks. Use when planning.'\n---\nYou plan.\n"),
    Example("---\nname: example\ndescription: Plans at 10:30 and reads http://x.example. Use when planning.\n---\nYou plan.\n"),
)
BAD = (
    Example(
        f"---\nname: example\ndescription: Plans a pipeline: sources and sinks.{HERE}\n---\nYou plan.\n",
        message="strict YAML parsers refuse this header (a colon followed by a space starts a new key here: put the value in quotes)",
    ),
    Example(
        f"---\nname: example\ndescription: @team plans. Use when planning.{HERE}\n---\nYou plan.\n",
        message="strict YAML parsers refuse this header (this character cannot start a plain value: put the value in quotes)",
    ),
)


def check(document):
    error = document.frontmatter.forgiven
    if error is not None:
        yield Problem(
            document.source,
            error.span,
            f"strict YAML parsers refuse this header ({error.message})",
            "Put the value in double quotes: the client forgives this, other readers do not.",
        )
