"""
What it checks: every code block marked `toml` parses. Ellipses, placeholders and blocks marked as fragments are left
out.

Why it matters: the model copies the block into `pyproject.toml` or another configuration file, and the program
that reads it refuses the file.

How to fix: correct the block, or write `toml fragment` behind the fence.
"""

import re

from pluglint.parse.code import blocks, placeholder
from pluglint.rule import HERE, MARKDOWN, WARNING, Example, Problem, Rule

RULE = Rule(
    title="a toml block does not parse",
    severity=WARNING,
    on=MARKDOWN,
    source="TOML 1.0.0",
)

_HEADER = "---\nname: example\ndescription: Reads changes. Use when one is ready.\n---\n"

GOOD = (Example(_HEADER + "```toml\n[tool.x]\na = 1\n```\n\n```toml\na = <value>\n```\n\n```toml fragment\na =\n```\n"),)
GOOD += (
    Example(_HEADER + "```toml\n# Bad\n[run]\nall = true\n\n# Good\n[run]\nall = false\n```\n"),
)
BAD = (
    Example(_HEADER + f"```toml\n[tool.x]\na = yes{HERE}\n```\n", message="this toml block does not parse: invalid value"),
    Example(_HEADER + f"```toml\n[tool.x]\na: 1{HERE}\n```\n", message="this toml block does not parse: expected '=' after a key in a key/value pair"),
)


def check(document):
    for block in blocks(document.markdown, frozenset(("toml",))):
        import tomllib

        try:
            tomllib.loads(block.code)
            continue
        except RecursionError:
            continue
        except tomllib.TOMLDecodeError as error:
            text = str(error)
        match = re.fullmatch(r"(.*?) \(at (?:line (\d+), column (\d+)|end of document)\)", text, re.S)
        line = int(match.group(2)) if match and match.group(2) else block.code.rstrip().count("\n") + 1
        column = int(match.group(3)) if match and match.group(3) else 1
        lines = block.code.split("\n")
        if placeholder(lines[min(line, len(lines)) - 1]) or "{{" in block.code:
            continue
        if "twice" in text.lower() or "overwrite" in text.lower():
            if re.search(r"^[ \t]*#", block.code, re.M):
                continue  # two files or two ways in one block, each under its comment
        if column > len(lines[min(line, len(lines)) - 1]):
            column = 1
        reason = match.group(1) if match else text
        yield Problem(document.source, block.span(document.text, line, column), f"this toml block does not parse: {reason[:1].lower()}{reason[1:]}", "Correct it, or write `toml fragment` behind the fence.")
