"""
What it checks: every code block marked `python`, `py` or `python3` parses. Doctests (`>>>`) and the `%` and `!`
lines of notebooks are allowed for. A block marked as a fragment (a word such as `fragment`, `no-run` or `text`
after the language, or `<!-- pluglint: fragment -->` above it) is left out, and so is one with placeholders
(`<name>`, `{{ name }}`) at the place that does not parse, a signature (`read(path: str) -> Text`), and a sketch
with `...` among the arguments or only a comment for a body.

Why it matters: the model copies the block into a file and runs it: the user's first result is a SyntaxError.
Prose in a python block is read as code, and so is a list in it.

How to fix: correct the code; mark prose as `text` or take the fence away; mark a fragment as such:

    ```python fragment
"""

import ast
import re
import sys
import warnings

from pluglint.parse.code import blocks, placeholder
from pluglint.rule import HERE, INFO, MARKDOWN, Example, Problem, Rule

RULE = Rule(
    title="a python block does not parse",
    severity=INFO,
    on=MARKDOWN,
    source="the grammar of the Python that runs pluglint (3.11 or later), newer syntax allowed for",
)

_HEADER = "---\nname: example\ndescription: Reads changes. Use when one is ready.\n---\n"

GOOD = (
    Example(_HEADER + "```python\ndef f(path):\n    ...\n```\n\n1. Then:\n\n   ```py\n   %matplotlib inline\n   !pip list\n   await f(1)\n   ```\n"),
    Example(_HEADER + "```python\n>>> 1 + 1\n2\n>>> for x in []:\n...     print(x)\n```\n"),
    Example(_HEADER + "```python fragment\nif ready(\n```\n\n<!-- pluglint: fragment -->\n```python\nif ready(\n```\n"),
    Example(_HEADER + "```python\n    \"name\": value,\n```\n\n```python\n\"name\": value,\n```\n\n```python\nelse:\n    x = 1\n```\n"),
    Example(_HEADER + "```python\nmodel = <your model>\n```\n\n```python\ntype Pair[T] = tuple[T, T]\n```\n\n```python\nprint(f\"{names[\"a\"]}\")\n```\n"),
)
GOOD += (
    Example(_HEADER + "```python\nread(path: str, all: bool = True) -> Text\n```\n\n```python\nclass Reader:\n    def read(self, path: str) -> Text\n    def close(self)\n```\n\n```python\nrun(path=1,\n    ...\n)\n```\n\n```python\nfor one in all_of_them:\n    # read it\n```\n"),
)
GOOD += (
    Example(_HEADER + "```python\ndef read(path: str) -> str:\n```\n\n```python\n@cached(size=1)\n```\n\n```python\ndef read(\n    path: str,\n) -> str\n```\n\n```python\n# Speed\n'rate': {\n    'values': [1, 2]\n}\n\n# Size\n'size': {\n    'values': [3]\n}\n```\n"),
    Example(_HEADER + "```python\n# rules.rego\nimport \"data/v1\" as data\n```\n"),
)
BAD = (
    Example(_HEADER + f"```python\ndef count(path:{HERE}\n    return 1\n```\n", message="this python block does not parse: '(' was never closed"),
    Example(_HEADER + f"```python\n- Look at the loss{HERE}\n- Look at the gradients\n```\n", message="this python block does not parse: invalid syntax"),
    Example(_HEADER + f"1. Run:\n\n   ```python\n   x = 1\n   y = = 2{HERE}\n   ```\n", message="this python block does not parse: invalid syntax"),
)


def check(document):
    found = [*blocks(document.markdown, frozenset(("python", "py", "python3")))]
    if not found:
        return
    for block in found:
        if "\\" in block.code:  # Python warns of escapes that it does not know: that is no matter of ours
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                error = _error(block.code)
        else:
            error = _error(block.code)
        if error is None:
            continue
        line, column, end_column, reason = error
        span = block.span(document.text, line, column, end_column)
        hint = "Correct it; or write `python fragment` behind the fence if it is not meant to run, and `text` if it is no code."
        yield Problem(document.source, span, f"this python block does not parse: {reason}", hint)


def _error(code):
    """(line, column, end column, reason) of what is wrong, or None."""
    if _parses(code):
        return None
    code = _plain(code)
    try:
        compile(code, "block", "exec", ast.PyCF_ONLY_AST, True)
        return None
    except SyntaxError as error:
        found = error
    except ValueError:  # a NUL character
        return (code[: code.find("\0")].count("\n") + 1, 1, 0, "it holds a NUL character")
    except (RecursionError, MemoryError):
        return None
    line = found.lineno or 1
    lines = code.split("\n")
    at = lines[line - 1] if line <= len(lines) else ""
    if _is_newer(code, at, found) or _is_fragment(lines, line, found.msg) or _is_part(code):
        return None
    end = found.end_offset if found.end_lineno == line else 0
    return line, found.offset or 1, end or 0, found.msg


def _is_part(code):
    """Whether what is missing is a body, or the brackets around entries; or the first line names a file of another language."""
    bare = code.rstrip()
    if re.match(r"\s*#\s*[\w./-]*\w\.(?!py\b|pyi\b|ipynb\b)[a-z]{2,10}[ \t]*\n", code):
        return True
    parts = (bare + "\n    pass", bare + ":\n    pass", bare + "\ndef part():\n    pass", "{" + re.sub(r"\}\n", "},\n", bare) + "\n}")
    return any(_parses(part) for part in parts)


def _parses(code):
    """The quick way: symbols are made from the syntax tree in C, at half the cost of the tree in Python."""
    try:
        from _symtable import symtable
    except ImportError:
        return False
    try:
        symtable(code, "block", "exec")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _plain(code):
    """The code with doctest prompts and notebook commands taken out, line for line and column for column."""
    lines = code.split("\n")
    if any(line.lstrip().startswith(">>>") for line in lines):
        kept = []
        for line in lines:
            bare = line.lstrip()
            kept.append(bare[4:] if bare.startswith((">>> ", "... ")) else "")
        return "\n".join(kept)
    if any(line.lstrip()[:1] in ("%", "!") for line in lines):
        if lines[0].startswith("%%") and not lines[0].startswith(("%%time", "%%capture", "%%prun")):
            return ""
        lines = [line[: len(line) - len(line.lstrip())] + "pass" if re.match(r"\s*[%!]{1,2}[A-Za-z]", line) else line for line in lines]
    first = next((line for line in lines if line.strip()), "")
    if first[:1] in (" ", "\t"):  # an excerpt from further in
        import textwrap

        dedented = textwrap.dedent("\n".join(lines))
        if dedented[:1] not in (" ", "\t"):
            try:
                compile(dedented, "block", "exec", ast.PyCF_ONLY_AST, True)
                return dedented
            except (SyntaxError, ValueError, RecursionError, MemoryError):
                pass
    return "\n".join(lines)


def _is_newer(code, line, error):
    """Whether a later Python than the one that runs may well accept it."""
    if sys.version_info < (3, 12):
        if re.search(r"\b[rRbB]?[fF][rRbB]?[\"']", line) or error.msg.startswith("f-string"):
            return True
        if re.search(r"(?:^|\n)[ \t]*(?:type\s+\w+\s*(?:\[[^\n]*\])?\s*=|(?:async\s+)?(?:def|class)\s+\w+\s*\[)", code):
            return True
    if sys.version_info < (3, 14) and (re.search(r"\b[tT][rR]?[\"']", line) or re.match(r"\s*except\s+\w[\w.]*\s*,", line)):
        return True
    return False


def _is_sketch(lines, number, message):
    """A signature as reference pages give it, an ellipsis among the arguments, or a comment in the place of a body."""
    line = lines[number - 1] if number <= len(lines) else ""
    if re.match(r"\s*[\w.]+\([^()\n]*(?:\([^()\n]*\)[^()\n]*)*\)\s*->\s*\S", line) or re.match(r"\s*(?:async )?def \w+\(.*\)(?:\s*->[^:]+)?\s*(?:#.*)?\Z", line) or re.match(r"\s*(?:[\w.]+\()?\w+: ?[A-Z\w][\w.\[\], |]*(?: = [^,()]+)?[,)]", line):
        return True
    if message.startswith("positional argument follows"):
        return any(before.strip().rstrip(",") == "..." for before in lines[max(0, number - 12) : number]) or ", ...)" in line
    if message.startswith("expected an indented block"):
        return any(before.strip().startswith("#") for before in lines[max(0, number - 3) : number + 2])
    return False


def _is_fragment(lines, number, message):
    """Whether the block is a piece of something: indented, a branch without its head, entries of a dictionary, or with a placeholder."""
    line = lines[number - 1] if number <= len(lines) else ""
    if placeholder(line) and "print " not in line or _is_sketch(lines, number, message):
        return True
    first = next((line for line in lines if line.strip() and not line.startswith("#")), "")
    if first[:1] in (" ", "\t") or re.match(r"(?:elif|else|except|finally|case)\b.*:", first):
        return True
    if first[:1] in ("'", '"', "*"):
        try:
            compile("{\n" + "\n".join(lines) + "\n}", "block", "eval", ast.PyCF_ONLY_AST, True)
            return True
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return False
    return False
