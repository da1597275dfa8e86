"""
What it checks: every code block marked `json` parses. Several values below each other (a request and its
answer, JSON lines), the entries of an object without its braces, ellipses, comments and placeholders are taken for
illustration; `jsonc`, `json5` and blocks marked as fragments are left out.

Why it matters: the model copies the block into a configuration file, and the program that reads it refuses
the file.

How to fix: correct the block, or write `json fragment` behind the fence.
"""

import re

from pluglint.parse.code import blocks, placeholder
from pluglint.rule import HERE, INFO, MARKDOWN, Example, Problem, Rule

RULE = Rule(
    title="a json block does not parse",
    severity=INFO,
    on=MARKDOWN,
    source="RFC 8259",
)

_HEADER = "---\nname: example\ndescription: Reads changes. Use when one is ready.\n---\n"

GOOD = (
    Example(_HEADER + "```json\n{\"a\": [1, 2]}\n```\n\n```json\n{\"a\": 1}\n{\"b\": 2}\n```\n\n```json\n\"hooks\": {\"a\": 1},\n\"b\": 2\n```\n"),
    Example(_HEADER + "```json\n{\n  // the port\n  \"port\": 1,\n  ...\n}\n```\n\n```json\n{\"id\": <number>, \"count\": N}\n```\n\n```jsonc\n{\"a\": 1,}\n```\n\n```json fragment\n{\"a\":\n```\n"),
)
BAD = (
    Example(_HEADER + f"```json\n{{\n  \"a\": 1\n  \"b\": 2{HERE}\n}}\n```\n", message="this json block does not parse: expected a comma between entries"),
    Example(_HEADER + f"```json\n{{\n  \"a\": 1,{HERE}\n}}\n```\n", message="this json block does not parse: a comma stands before the closing mark"),
    Example(_HEADER + f"```json\n{{'a': 1}}{HERE}\n```\n", message="this json block does not parse: names and texts take double quotes"),
)


def check(document):
    for block in blocks(document.markdown, frozenset(("json",))):
        from json import JSONDecodeError, JSONDecoder

        decoder = JSONDecoder(strict=False)
        code = block.code
        at = 0
        try:
            while True:  # values below each other
                while at < len(code) and code[at] in " \t\r\n,":
                    at += 1
                if at >= len(code):
                    break
                _, at = decoder.raw_decode(code, at)
        except JSONDecodeError as error:
            found = error
        except RecursionError:
            continue
        else:
            continue
        if _illustrates(code):
            continue
        line, column, reason = _reason(code, found)
        span = block.span(document.text, line, column)
        yield Problem(document.source, span, f"this json block does not parse: {reason}", "Correct it, or write `json fragment` behind the fence.")


def _illustrates(code):
    """Comments, ellipses and placeholders say that the block is not meant as it stands; so do entries without braces."""
    bare = re.sub(r"\"(?:[^\"\\\n]|\\.)*\"", '""', code)
    if "//" in bare or "/*" in bare or "#" in bare or "✅" in bare or "❌" in bare or any(placeholder(line) for line in bare.split("\n")) or re.search(r"[<$*|]|\.\.|\{[A-Za-z_]|[:,\[]\s*[A-Z][A-Z_]*\b", bare):
        return True
    if re.match(r"\s*[\"'][^\"'\n]*[\"']\s*:", code):
        import json

        try:
            json.loads("{" + code.strip().rstrip(",") + "}", strict=False)
            return True
        except (ValueError, RecursionError):
            return False
    return re.match(r"\s*[\[{\"]", code) is None and re.search(r"\n\s*[\[{]", code) is not None  # a request line above its body


def _reason(code, error):
    at = error.pos
    line, column = error.lineno, error.colno
    char = code[at : at + 1]
    if char == "'":
        return line, column, "names and texts take double quotes"
    before = code[:at].rstrip()
    if char in "}]" and char and before.endswith(",") or error.msg.startswith(("Illegal trailing comma", "Expecting property name")) and char and (char == "}" or code[at:].lstrip(", \t\r\n")[:1] in ("}", "]")):
        comma = before.rfind(",") if char != "," else at
        return code.count("\n", 0, comma) + 1, comma - code.rfind("\n", 0, comma), "a comma stands before the closing mark"
    if error.msg.startswith("Expecting ',' delimiter"):
        return (line, column, "expected a comma between entries") if char else (line, column, "it ends too early")
    if error.msg.startswith("Expecting property name"):
        return line, column, "expected a name in double quotes" if char else "it ends too early"
    if error.msg.startswith("Expecting value"):
        return line, column, f"'{_word(code, at)}' is no value" if char else "it ends too early"
    return line, column, error.msg[:1].lower() + error.msg[1:].rstrip(" at")


def _word(code, at):
    return re.match(r"[\w.+-]+|.", code[at:], re.S).group()[:30].strip() or "the line end"
