"""
What it checks: a script of the package that a prompt calls directly (`./scripts/x.sh`, `${CLAUDE_PLUGIN_ROOT}/scripts/x.sh`, without
`bash` or `python` before it) may be executed.

Why it matters: the call fails with "Permission denied", and the model spends a turn on finding out why, or gives up.

How to fix: `git update-index --chmod=+x scripts/x.sh`, or write the interpreter before the path.
"""

import re
import sys

from pluglint.rule import HERE, PROMPTS, REFERENCE, WARNING, Example, Problem, Rule, Span

RULE = Rule(
    title="a script that is called directly is not executable",
    severity=WARNING,
    on=(*PROMPTS, REFERENCE),
    source="manifest reference of 2026-10-03",
)

_SKILL = "---\nname: x\ndescription: Reads logs. Use when a log must be searched.\n---\n"

GOOD = (
    Example({"skills/x/SKILL.md": _SKILL + "```bash\n./scripts/x.sh\n```\n", "skills/x/scripts/x.sh": "+x\n#!/bin/sh\n"}),
    Example({"skills/x/SKILL.md": _SKILL + "```bash\nbash ./scripts/x.sh\n```\n", "skills/x/scripts/x.sh": "#!/bin/sh\n"}),
    Example({"skills/x/SKILL.md": _SKILL + "```bash\nsh \\\n  scripts/x.sh -q\n```\n", "skills/x/scripts/x.sh": "#!/bin/sh\n"}),
)
GOOD += (
    Example({"skills/x/SKILL.md": _SKILL + "The list is cut by `scripts/x.sh --top` instead; put `\"${CLAUDE_SKILL_DIR}/scripts/x.sh\"` in the place of PATH.\n", "skills/x/scripts/x.sh": "#!/bin/sh\n"}),
)
BAD = (
    Example({"skills/x/SKILL.md": _SKILL + f"```bash\n./scripts/x.sh --all{HERE}\n```\n", "skills/x/scripts/x.sh": "#!/bin/sh\n"}, message="'skills/x/scripts/x.sh' is called directly but is not executable"),
    Example({"skills/x/SKILL.md": _SKILL + f'Run `"${{CLAUDE_PLUGIN_ROOT}}/bin/x.py" --all`.{HERE}\n', "bin/x.py": "#!/usr/bin/env python3\n"}, message="'bin/x.py' is called directly but is not executable"),
)

_SHELLS = frozenset(("", "bash", "sh", "shell", "zsh", "console", "terminal"))
_CALL = r"[ \t$]*(?:!?`)?[\"']?(\.?\.?/?(?:\$\{CLAUDE_[A-Z]+_(?:ROOT|DIR)\}/)?[\w.-]+/[\w./-]*[\w-])[\"']?(?=[ \t\n`;|&)]|\Z)"


def _scripts(package):
    """Files that look like scripts and have no execute bit; mostly none, and then nothing is searched."""
    if sys.platform == "win32":  # no such bit there
        return frozenset()
    endings = (".sh", ".bash", ".py", ".js", ".mjs", ".rb", ".pl")
    return frozenset(rel for rel, entry in package.entries.items() if rel.endswith(endings) and not entry.folder and entry.link is None and not entry.mode & 0o111)


def check(document):
    package = document.package
    scripts = package.memo("scripts without execute bit", _scripts)
    if not scripts or "/" not in document.text:
        return
    markdown = document.markdown
    starts = []
    for fence in markdown.fences:
        if fence.lang in _SHELLS:
            at = fence.content.start
            while at < fence.content.end:
                if document.text[max(0, at - 2) : at] != "\\\n":  # the rest of the command on the line above
                    starts.append(at)
                stop = document.text.find("\n", at, fence.content.end)
                at = fence.content.end if stop < 0 else stop + 1
    starts += [span.start for span in markdown.code_spans]
    for at in starts:
        match = re.compile(_CALL).match(document.text, at)
        if match is None:
            continue
        span = Span(*match.span(1))
        rel = _resolve(document, match.group(1), scripts, package)
        if rel is not None and not (document.text[at] == "`" and _is_mention(document.text, at, match.end())):
            yield Problem(document.source, span, f"'{rel}' is called directly but is not executable", "Set its execute bit, or write the interpreter before the path.")


def _is_mention(text, start, end):
    """`scripts/x.sh` alone in backticks names the file; with arguments or ./ it is a call, where it is said to run or begins a line."""
    inside = text[start:end].lstrip("`!\"'")
    if text[end : end + 1] == "`" and not inside.startswith("./"):
        return True
    before = text[max(text.rfind("\n", 0, start) + 1, start - 60) : start]
    return before.strip(" -*+>0123456789.") != "" and not re.search(r"(?i)\b(?:run|runs|running|execute|invoke|call|start|launch|try|use|using|with)\b", before)


def _resolve(document, path, scripts, package):
    if path.startswith(("/", "../")):
        return None
    if path.startswith("${"):
        variable, _, rest = path.partition("}/")
        candidates = (f"{_skill_folder(document)}{rest}",) if "SKILL" in variable else (rest,)
    else:
        rest = path[2:] if path.startswith("./") else path
        candidates = (_skill_folder(document) + rest, rest)
    for rel in candidates:
        if rel in package.entries:
            return rel if rel in scripts else None
    return None


def _skill_folder(document):
    parts = document.rel.split("/")
    return "/".join(parts[:2]) + "/" if parts[0] == "skills" and len(parts) > 2 else ""
