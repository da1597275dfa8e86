"""
What it checks: every link and image has a target; `[text]()` has none.

Why it matters: it looks like a link and leads to the page itself; where a badge is linked so, a reader who
clicks to see the evidence gets nothing.

How to fix: write the target, or take the brackets off.
"""

import re

from pluglint.rule import HERE, MARKDOWN, WARNING, Example, Problem, Rule

RULE = Rule(
    title="a link has no target",
    severity=WARNING,
    on=MARKDOWN,
    source="CommonMark 0.31.2, section 6.3: an empty target is a link to the page itself",
    needles=("](", "]:", "href=", "src=", "HREF=", "SRC="),
)

GOOD = (
    Example("---\nname: example\ndescription: Reads changes. Use when one is ready.\n---\nWrite `[text]()` or call f[0]().\n\n```js\nconst x = handlers[name]();\n```\n"),
)
GOOD += (
    Example({"commands/example.md": "---\ndescription: Writes a page.\n---\nFill this in:\n\n- [Link to the manual]()\n- [Link to the API]()\n"}),
)
BAD = (
    Example({"README.md": f"# Demo\n\n[![build](https://example.com/badge.svg)](){HERE}\n", "agents/example.md": "---\nname: example\ndescription: Reads changes. Use when one is ready.\n---\nRead.\n"}, message="the link has no target"),
    Example({"README.md": f"# Demo\n\n![]( ){HERE}\n", "agents/example.md": "---\nname: example\ndescription: Reads changes. Use when one is ready.\n---\nWrite.\n"}, message="the image has no target"),
)


def check(document):
    text = document.text
    for link in document.markdown.links:
        # `handlers[name]()` is a call that lost its back-ticks.
        if not link.target and re.match(r"!?\[(?:link to|your|insert|name of|url of)\b", text[link.span.start : link.span.end], re.I):
            continue  # a slot of a form to fill in
        if not link.target and not (text[link.span.start - 1 : link.span.start].isalnum() or text[link.span.start - 1 : link.span.start] in ("_", ")", "]")):
            yield Problem(document.source, link.span, f"the {'image' if link.image else 'link'} has no target", "Write the target, or take the brackets off.")
