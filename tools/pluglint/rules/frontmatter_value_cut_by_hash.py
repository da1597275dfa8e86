"""
What it checks: an unquoted text of the header (description, when_to_use, argument-hint ...) that holds a blank
followed by `#`.

Why it matters: in YAML this starts a comment. "Use C# and #tags" becomes "Use C# and", and nobody is told.

How to fix: put the value in double quotes, or, if a comment is meant, on a line of its own.
"""

from pluglint.edits import quoted
from pluglint.parse.node import STRING
from pluglint.rule import AGENT, COMMAND, HERE, SKILL, WARNING, Example, Fix, Problem, Rule, Span

RULE = Rule(
    title="a value of the header is cut at a '#'",
    severity=WARNING,
    on=(AGENT, SKILL, COMMAND),
    source="a description with ' #' loaded by client 2.1.330, 2026-11-22",
    fix="unsafe",
)

GOOD = (
    Example("---\nname: example\ndescription: \"Writes C# and #tags. Use when asked.\"\n---\nYou write.\n"),
    Example("---\nname: example # short\ndescription: Writes C# code. Use when asked.\nmodel: opus  # slow\n---\nYou write.\n"),
)
BAD = (
    Example(
        f"---\nname: example\ndescription: Use C# and #tags when asked.{HERE}\n---\nYou write.\n",
        message="the description is cut here: a blank followed by '#' starts a comment",
        fixed='description: "Use C# and #tags when asked."',
    ),
    Example(
        {"commands/example.md": f"---\ndescription: Closes an issue.\nargument-hint: issue #number{HERE}\n---\nClose it.\n"},
        message="the argument-hint is cut here: a blank followed by '#' starts a comment",
        fixed='argument-hint: "issue #number"',
    ),
)

_PROSE = frozenset(("description", "when_to_use", "argument-hint", "compatibility", "display-name", "initialPrompt"))


def check(document):
    header = document.header
    if header is None or document.frontmatter.forgiven is not None:  # the second try puts values in quotes
        return
    if "#" not in document.source.slice(document.frontmatter.span):
        return
    text = document.text
    for key, value in header.pairs:
        if key.text not in _PROSE or value.kind != STRING or value.style:
            continue
        end = document.source.line_span(value.span.end).end
        rest = text[value.span.end : end].rstrip()
        if rest[:1] in (" ", "\t") and rest.lstrip().startswith("#"):
            at = value.span.end + len(rest) - len(rest.lstrip())
            edit = quoted(document, Span(value.span.start, value.span.end + len(rest)))
            yield Problem(
                document.source,
                Span(at, value.span.end + len(rest)),
                f"the {key.text} is cut here: a blank followed by '#' starts a comment",
                "Put the value in double quotes.",
                (),
                Fix("put the value in quotes", (edit,)) if edit else None,
            )
