"""
What it checks: every code block marked `yaml` or `yml` parses. Templates (`{{ }}`, `{% %}`), ellipses, placeholders
and blocks marked as fragments are left out.

Why it matters: the model copies the block into a configuration file, and the program that reads it refuses
the file.

How to fix: correct the block (mostly a text with `: ` that needs quotes, or a tab), or write `yaml fragment` behind
the fence.
"""

import re

from pluglint.parse.code import blocks, placeholder
from pluglint.rule import HERE, INFO, MARKDOWN, Example, Problem, Rule

RULE = Rule(
    title="a yaml block does not parse",
    severity=INFO,
    on=MARKDOWN,
    source="YAML 1.1 as PyYAML reads it",
)

_HEADER = "---\nname: example\ndescription: Reads changes. Use when one is ready.\n---\n"

GOOD = (
    Example(_HEADER + "```yaml\na: 1\nb:\n  - !Ref x\n---\nc: 2\n```\n\n```yaml\nvalue: {{ .Values.x }}: 1\n```\n\n```yaml fragment\na: b: c\n```\n"),
    Example(_HEADER + "```yaml\non: push\n...\nsteps: [<name>: 1: 2\n```\n"),
    Example(_HEADER + "```yaml\nargument-hint: [file] [line]\n```\n\n```yaml\n---\nname: x\ndescription: Reads.\n---\nState: a: b\n- !`git diff`\n```\n"),
)
BAD = (
    Example(_HEADER + f"```yaml\na: 1\nb: read: write{HERE}\n```\n", message="this yaml block does not parse: a second ': ' in one value; a text that holds it needs quotes"),
    Example(_HEADER + f"```yml\na:\n\tb: 1{HERE}\n```\n", message="this yaml block does not parse: indented with a tab"),
)


def check(document):
    for block in blocks(document.markdown, frozenset(("yaml", "yml"))):
        code = _header_only(block.code)
        if "{{" in code or "{%" in code or _plain(code):
            continue
        found = _error(code)
        if found is None or found.problem_mark is None:
            continue
        line = found.problem_mark.line + 1
        lines = code.split("\n")
        near = lines[max(0, line - 2) : line + 1]
        first = next((one for one in lines if one.strip() and not one.startswith("#")), "")
        if any(placeholder(one) for one in near) or first[:1] == " " or lines[line - 1 : line] and lines[line - 1].startswith("argument-hint:"):
            continue
        span = block.span(document.text, line, found.problem_mark.column + 1)
        reason = _reason(found, code)
        yield Problem(document.source, span, f"this yaml block does not parse: {reason}", "Correct it, or write `yaml fragment` behind the fence.")


def _header_only(code):
    """Of a Markdown file shown as YAML, the header: what is below it is text."""
    if code.startswith("---\n") and "\ndescription:" in code[:2000]:
        end = code.find("\n---", 4)
        return code[: end + 1] if end > 0 else code
    return code


def _reason(error, code):
    """PyYAML and libyaml word their findings differently."""
    problem = str(error.problem or "").replace("\n", " ")
    if "mapping values are not allowed" in problem:
        return "a second ': ' in one value; a text that holds it needs quotes"
    if "cannot start any token" in problem:
        lines = code.split("\n")
        line = lines[error.problem_mark.line] if error.problem_mark.line < len(lines) else ""
        char = line[error.problem_mark.column : error.problem_mark.column + 1]
        return "indented with a tab" if char == "\t" else f"nothing can start with '{char}' without quotes"
    if "document start" in problem:
        return "a line that is no entry and no item"
    if "could not find expected ':'" in problem:
        return "an entry without a colon"
    return problem


def _plain(code):
    """Simple `key: word` lines need no parser."""
    return re.fullmatch(r"(?:[A-Za-z_]\w*: [A-Za-z0-9_.]+(?:\n|\Z))*", code) is not None


def _error(code):
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        for _ in yaml.parse(code, Loader=loader):
            pass
    except yaml.MarkedYAMLError as error:
        return error
    except (yaml.YAMLError, RecursionError, ValueError):
        return None
    return None
