"""
What it checks: names of files in the README that can only mean a file of this package (`CHANGELOG.md`, `LICENSE`,
`agents/x.md`, "see LICENSE file for details") and that are not there. Links are checked by another rule; names in an
instruction to create or configure something in the reader's own project are left alone.

Why it matters: a README that sends its reader to a file which was not shipped promises what the package does not keep;
for LICENSE it leaves open what the reader is allowed to do.

How to fix: ship the file, or take the sentence out.
"""

import re

from pluglint.discover import MARKETPLACE, PLUGIN
from pluglint.rule import HERE, README, WARNING, Example, Problem, Rule, Span
from pluglint.words import did_you_mean

RULE = Rule(
    title="the README speaks of a file that is not shipped",
    severity=WARNING,
    on=(README,),
    source="list of the files in the package",
)

_AGENT = "---\nname: reader\ndescription: Reads changes. Use when one is ready.\n---\n"

GOOD = (
    Example({"README.md": "# Demo\n\nSee `agents/reader.md` and `LICENSE`.\n\nCreate `agents/mine.md` in your project, or `.claude/agents/x.md`.\n", "agents/reader.md": _AGENT, "LICENSE": "MIT\n"}),
    Example({"README.md": "# Demo\n\nIt writes `CHANGELOG.md` for you; agents stand in `agents/<name>.md`.\n"}),
)
GOOD += (
    Example({"README.md": "# Demo\n\nHooks stand in the settings:\n\n- Plugin `hooks/hooks.json`, or the front matter\n", "agents/reader.md": _AGENT}),
)
BAD = (
    Example({"README.md": f"# Demo\n\nThe prompt is in `agents/raeder.md`.{HERE}\n\n## License\n\nMIT License - see LICENSE file for details{HERE}\n", "agents/reader.md": _AGENT}, message="'agents/raeder.md' is not in the package"),
    Example({"README.md": f"# Demo\n\nSee `CHANGELOG.md` for what changed.{HERE}\n"}, message="'CHANGELOG.md' is not in the package"),
)

_ROOT_FILES = ("CHANGELOG.md", "LICENSE", "LICENSE.md", "LICENSE.txt", "CONTRIBUTING.md", "SECURITY.md", "CODE_OF_CONDUCT.md", "NOTICE", "AUTHORS")
_ELSEWHERE = r"(?i)\b(?:creat\w*|writ\w*|wrote|generat\w*|add\w*|your|you|into|copy|copies|copied|produc\w*|output\w*|sav\w*|updat\w*|edit\w*|scaffold\w*|project\w*|repo\w*|append\w*|upstream|mov\w*|renam\w*|remov\w*|delet\w*|read[s]?|scan\w*|maintain\w*|follow\w*|bump\w*|exampl\w*|e\.g|if|like|such as|missing|optional\w*|parent|main|host\w*|emit\w*|place|put|drop|install\w*)\b"


def check(document):
    package = document.package
    if package.kind not in (PLUGIN, MARKETPLACE):
        return
    for name, span in _names(document):
        if package.exists(name) or name.upper().startswith("LICENSE") and _license(package) or package.exists(f".github/{name}") or package.exists(f"docs/{name}"):
            continue
        close = did_you_mean(name, [rel for rel in package.entries if rel.split("/")[0] == name.split("/")[0]]) if "/" in name else None
        hint = f"Did you mean '{close}'?" if close else "Ship it, or take the sentence out."
        yield Problem(document.source, span, f"'{name}' is not in the package", hint)


def _license(package):
    """Whether there is a license, here or in the package around this one."""
    around = [one for one in package.workspace.packages if package.path.startswith(one.path.rstrip("/") + "/")] if package.workspace is not None else []
    return any(rel.upper().startswith(("LICENSE", "LICENCE", "COPYING")) for one in (package, *around) for rel in one.entries)


def _names(document):
    """(path, place) of what the README speaks of as its own."""
    text = document.text
    markdown = document.markdown
    linked = [link.span for link in markdown.links]
    for span in markdown.code_spans:
        raw = document.source.slice(span).strip("`")
        name = raw[2:] if raw.startswith("./") else raw
        if not (name in _ROOT_FILES or re.fullmatch(r"(?:agents|skills|commands|hooks)/[\w./-]+\.(?:md|json)", name)):
            continue
        if any(start <= span.start < end for start, end in linked) or re.search(_ELSEWHERE, _sentence(text, span)):
            continue
        if text[max(0, span.start - 7) : span.start].lower().endswith("plugin "):  # where plugins keep it
            continue
        line = document.source.line_span(span.start)
        if text[line.start : span.start].strip(" -*+>") == "" == text[span.end : line.end].strip() and name in _ROOT_FILES:
            continue  # one of a list of file names: what the plugin reads, as a rule
        at = text.index(name, span.start)
        yield name, Span(at, at + len(name))
    if "ee LICENSE" in text:  # in the whole text: a fence that is not closed would hide the last lines of a README
        for match in re.finditer(r"[Ss]ee (LICENSE)(?= (?:file )?(?:for|in this)|\.?\s*(?:\n|\Z))", text):
            yield "LICENSE", Span(*match.span(1))


def _sentence(text, span):
    """The paragraph line and its neighbourhood: what is done with the file."""
    floor, limit = max(0, span.start - 600), span.end + 600
    start = max(text.rfind(mark, floor, span.start) for mark in ("\n\n", "\n- ", "\n#", ". "))
    ends = [at for at in (text.find(mark, span.end, limit) for mark in ("\n\n", "\n- ", ". ")) if at >= 0]
    return text[max(start, floor) : span.start] + " " + text[span.end : min(ends, default=limit)]
