"""
What it checks: every code block marked `bash`, `sh` or `shell` parses: `bash -n` reads it and runs nothing. Sessions
with a prompt (`$ ls`), blocks with placeholders (`<name>`, `{{ name }}`) and fragments are left out. Without bash on
the machine nothing is checked.

Why it matters: the model runs the block as it stands, and the shell refuses it, or runs its first half.

How to fix: correct the block; mark output or prose as `text`, a fragment as `bash fragment`.
"""

import re

from pluglint.parse.code import blocks
from pluglint.rule import HERE, INFO, MARKDOWN, Example, Problem, Rule

RULE = Rule(
    title="a shell block does not parse",
    severity=INFO,
    on=MARKDOWN,
    source="bash 5.2, `bash -n`",
)

_HEADER = "---\nname: example\ndescription: Reads changes. Use when one is ready.\n---\n"

GOOD = (
    Example(_HEADER + "```bash\nfor f in *.md; do\n  echo \"$f\"\ndone\n```\n\n```sh\n$ ls (all)\n```\n\n```bash fragment\nif true; then\n```\n"),
    Example(_HEADER + "Change the head of the loop:\n\n```bash\nfor _ in {1..20}; do\n```\n\n```bash\n@test \"it runs\" {\n  run ls\n}\n```\n"),
    Example(_HEADER + "```bash\ngit checkout <branch>\n```\n\n```bash\ncat <<'END'\nit's (fine)\nEND\n```\n\n```bash\n# it's a comment (really)\nls -l | wc -l && echo done\n```\n"),
    Example(_HEADER + "```bash\nif [ -z \"$MAX\" ]; then\n  # nothing was set\nfi\n```\n"),
)
BAD = (
    Example(_HEADER + f"```bash\necho start\nif true; then\n  echo x{HERE}\n```\n\n```sh\nls\n```\n", message="this shell block does not parse: it ends inside an open command or quote"),
    Example(_HEADER + f"```bash\nls\n\nFound (2 files){HERE}\n```\n", message="this shell block does not parse: '2' is out of place"),
    Example(_HEADER + f"```bash\necho \"start{HERE}\nls\n```\n", message="this shell block does not parse: a quote is not closed"),
)


def check(document):
    found = []
    for block in blocks(document.markdown, frozenset(("bash", "sh", "shell"))):
        if not _simple(block.code) and not _not_meant(block.code):
            found.append(block)
    if not found:
        return
    # Most documents are right: one process reads all their blocks. Odd quotes might pair up across blocks.
    even = [block.code for block in found if all(block.code.count(mark) % 2 == 0 for mark in "'\"`") and "<<" not in block.code]
    if len(even) == len(found) and len(found) > 1 and not _complaint("\n:\n".join(even)):
        return
    for block in found[:100]:  # a process each: enough to see what is wrong
        complaint = _complaint(block.code)
        if not complaint:
            continue
        line, reason = _read(complaint, block.code)
        yield Problem(document.source, block.span(document.text, line, 1), f"this shell block does not parse: {reason}", "Correct it; or mark it as `text` or `bash fragment` if it is not meant to run.")


def _simple(code):
    """Commands of words, simple quotes and variables, pipes, redirections and comments need no shell to be judged."""
    word = r"(?>(?:[\w./~@%+,:=*?^\[\]-]|\$\w+|\$\{\w+\}|\"(?:[^\"`\\$\n]|\$\w+|\$\{\w+\})*+\"|'[^'\n]*+')++)"
    blank = r"(?:[ \t]|\\\n)"
    keyword = r"(?:if|for|while|until|case|select|function|do|done|then|else|elif|fi|esac|time|coproc|in|\[\[)(?![\w./~@%+,:=*?^-])"
    target = rf"(?:\d?>>?{blank}*+{word}|2>&1)"
    command = rf"(?!{keyword}){word}(?:{blank}++(?:{target}|{word}))*+"
    line = rf"{blank}*+(?:{command}(?:{blank}*+(?:&&|\|\|?|;(?!;)){blank}*+{command})*+{blank}*+;?{blank}*+)?(?:(?<![^\s;])#[^\n]*+)?"
    return re.fullmatch(rf"(?:{line}(?:\n|\Z))*+", code) is not None


def _not_meant(code):
    """Sessions with prompts, bats tests, heads of loops, templates, and placeholders, which the shell would take for redirections."""
    lines = [line for line in code.split("\n") if line.strip()]
    if len(lines) < 3 and re.search(r"(?:\bdo|\bthen|\{|\\|\|)[ \t]*\n*\Z", code):
        return True  # the head of a loop, to show a change
    body = re.search(r"\b(?:then|do|else)[ \t]*(?:#[^\n]*)?\n(?:[ \t]*(?:#[^\n]*)?\n)*[ \t]*(?:fi|else|elif|done)\b", code)
    if body is not None and "#" in body.group():
        return True  # a comment in the place of a body
    return "@test " in code or re.search(r"(?:\A|\n)[ \t]*(?:[$%] |>>> |PS>|C:\\)", code) is not None or "{{" in code or re.search(r"<[A-Za-z][^<>\n]*>", code) is not None or "…" in code


def _complaint(code):
    """What `bash -n` says of a script, or nothing."""
    import shutil
    import subprocess

    bash = shutil.which("bash")
    if bash is None or "\0" in code:
        return ""
    try:
        done = subprocess.run(
            [bash, "--norc", "--noprofile", "-O", "extglob", "-n"], input=code.encode("utf-8", "replace"), capture_output=True, env={"LC_ALL": "C"}, timeout=10, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stderr.decode("utf-8", "replace") if done.returncode != 0 else ""


def _read(complaint, code):
    """(line, reason in the words of this rule) of bash's complaint: its own differ between releases."""
    match = re.search(r"line (\d+): ([^\n]*)", complaint)
    line, text = (int(match.group(1)), match.group(2)) if match else (1, complaint)
    last = code.rstrip().count("\n") + 1
    token = re.search(r"unexpected token [`'](.*?)'", text)
    if "looking for matching" in text:
        mark = re.search(r"matching [`'](.)'", text)
        if mark and mark.group(1) in "\"'`":
            return min(line, last), "a quote is not closed"
        return min(line, last), f"'{mark.group(1) if mark else '('}' is missing"
    if "unexpected end of file" in text:
        return last, "it ends inside an open command or quote"
    if token:
        name = "the line end" if token.group(1) == "newline" else f"'{token.group(1)}'"
        return min(line, last), f"{name} is out of place"
    return min(line, last), text[:80]
