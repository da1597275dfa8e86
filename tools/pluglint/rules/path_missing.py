"""
What it checks: every path behind `${CLAUDE_PLUGIN_ROOT}/` and `${CLAUDE_SKILL_DIR}/` in a prompt, shell
blocks included, is a file or folder of the package. Paths that a command creates (`>`, `mkdir`, `touch`) are left
out, and so are blocks of JSON, Markdown or a programming language: they show how another plugin might look. Paths of
one file into one folder that does not exist are one finding.

Why it matters: the client puts the real folder in place of the variable, and the command or the Read that the model
then makes fails.

How to fix: correct the path, or ship the file.
"""

import re
from bisect import bisect_right

from pluglint.parse.links import gap, name_index, names_by_folder, skill_folder, unlisted
from pluglint.rule import AGENT, COMMAND, ERROR, HERE, REFERENCE, SKILL, Example, Problem, Rule, Span
from pluglint.words import did_you_mean, plural

RULE = Rule(
    title="a path in the package does not exist",
    severity=ERROR,
    on=(AGENT, SKILL, COMMAND, REFERENCE),
    source="client 2.1.330, observed 2026-11-22: both variables are filled in in bodies",
    needles=("CLAUDE_PLUGIN_ROOT", "CLAUDE_SKILL_DIR"),
)

_HEADER = "---\nname: example\ndescription: Reads changes. Use when one is ready.\n---\n"

GOOD = (
    Example({"skills/example/SKILL.md": _HEADER + "Run `python ${CLAUDE_SKILL_DIR}/scripts/run.py --all`, then see ${CLAUDE_PLUGIN_ROOT}/skills/example/.\n", "skills/example/scripts/run.py": "\n"}),
    Example(_HEADER + "```bash\nmkdir -p ${CLAUDE_PLUGIN_ROOT}/cache\nls > \"${CLAUDE_PLUGIN_ROOT}/list.txt\"\n```\nRead `${CLAUDE_PLUGIN_ROOT}/<name>.md`, `${CLAUDE_PLUGIN_ROOT}/docs/*.md` and ${CLAUDE_PLUGIN_ROOT}/$NAME.\n"),
    Example(_HEADER + "A hook looks so:\n\n```json\n{\"command\": \"${CLAUDE_PLUGIN_ROOT}/scripts/check.sh\"}\n```\n\nA script:\n\n```bash\n#!/bin/sh\n. \"${CLAUDE_PLUGIN_ROOT}/lib/common.sh\"\n```\n"),
)
BAD = (
    Example(
        _HEADER + f"Run `${{CLAUDE_PLUGIN_ROOT}}/bin/a` and `${{CLAUDE_PLUGIN_ROOT}}/bin/b`.{HERE}\n\nThen `${{CLAUDE_PLUGIN_ROOT}}/bin/a` again.\n",
        message="'bin/a' does not exist, nor does 1 more path into 'bin/'",
    ),
    Example(
        {"skills/example/SKILL.md": _HEADER + f"```bash\npython ${{CLAUDE_SKILL_DIR}}/scripts/runs.py --all{HERE}\n```\n", "skills/example/scripts/run.py": "\n"},
        message="'skills/example/scripts/runs.py' does not exist",
    ),
    Example(_HEADER + f"Read ${{CLAUDE_PLUGIN_ROOT}}/docs/Guide.md.{HERE}\n", message="'docs/Guide.md' does not exist"),
)

_RUN = frozenset(("", "!", "bash", "sh", "shell", "zsh", "console", "text", "txt"))


def check(document):
    text = document.text
    package = document.package
    if package.kind not in ("plugin", "marketplace") and "CLAUDE_SKILL_DIR" not in text:
        return
    told = set()
    missing = {}  # the folder that is missing, or the path -> places
    for match in re.finditer(r"\$(?:\{CLAUDE_(PLUGIN_ROOT|SKILL_DIR)\}|CLAUDE_(PLUGIN_ROOT|SKILL_DIR))/([\w./@+-]*[\w/])", text, re.A):
        variable, path = match.group(1) or match.group(2), match.group(3)
        after = text[match.end() : match.end() + 2].lstrip(".-@+")
        if match.start() < document.frontmatter.body or ".." in path or (after and after[0] in "*?$<{[…"):
            continue
        base = "" if variable == "PLUGIN_ROOT" else skill_folder(document)
        if base is None or (variable == "PLUGIN_ROOT" and not package.is_plugin):
            continue
        rel = f"{base}/{path}".strip("/").replace("//", "/")
        if package.exists(rel) or rel in told or unlisted(rel) or _created(text, match.start()) or _shown(text, document.markdown.fences, match.start()):
            continue
        told.add(rel)
        missing.setdefault(gap(package, rel) or rel, []).append((match.span(3), rel))
    for gone, places in missing.items():
        span, rel = places[0]
        index = package.memo("links_by_name", name_index)
        name = rel.rpartition("/")[2]
        folder = rel.rpartition("/")[0]
        same = index.get(name.lower(), [])
        beside = package.memo("names_by_folder", names_by_folder).get(folder, ())
        close = same[0] if len(same) == 1 else did_you_mean(name, beside)
        hint = f"Did you mean '{close}'?" if close else "Correct the path, or ship the file."
        more = f", nor {'does' if len(places) == 2 else 'do'} {plural(len(places) - 1, 'more path')} into '{gone}/'" if len(places) > 1 else ""
        yield Problem(document.source, Span(*span), f"'{rel}' does not exist{more}", hint)


def _shown(text, fences, offset):
    """Whether a place lies in a block that is shown rather than run: anything but shell or without a language, and a whole script."""
    at = bisect_right(fences, offset, key=lambda fence: fence.span.start) - 1
    return at >= 0 and offset < fences[at].span.end and (fences[at].lang not in _RUN or text.startswith("#!", fences[at].content.start))


def _created(text, at):
    """Whether the command before a path makes it, or only asks whether it is there."""
    line = text[max(text.rfind("\n", 0, at) + 1, at - 200) : at]
    return re.search(r">>?\s*[\"']?\Z|\b(?:mkdir|touch|ls|rm|venv|tee|write|create|save|generate|if \[|test -|-[dfe]|--out(?:put)?|-o)\b[^|;&]*\Z", line, re.I) is not None
