"""
What it checks: `#anchor` in a link, to the same file or to another Markdown file of the package, is an anchor that
GitHub makes of a heading there, or an `id` or `name` in HTML.

Why it matters: the reader lands at the top of the page; a model that looks for the section by that name does not
find it. Mostly the heading was renamed and its table of contents was not.

How to fix: use the anchor of the heading: lower case, blanks to hyphens, punctuation and emojis dropped, `-1`
for the second heading of one name.
"""

from pluglint.parse.links import anchors, fold_anchor, is_template, local, resolve
from pluglint.parse.markdown import Markdown
from pluglint.rule import HERE, MARKDOWN, WARNING, Example, Problem, Rule
from pluglint.words import did_you_mean

RULE = Rule(
    title="a link leads to a heading that does not exist",
    severity=WARNING,
    on=MARKDOWN,
    source="anchors as GitHub made them in 2026-10",
    needles=("](", "]:", "href=", "src=", "HREF=", "SRC="),
)

_HEADER = "---\nname: example\ndescription: Reads changes. Use when one is ready.\n---\n"

GOOD = (
    Example(_HEADER + "[a](#first-step), [b](#first-step-1), [c](#-whats-new-in-v101), [d](#the-read-tool--more), [e](#here)\n\n## First step\n\n## First step\n\n## 🎯 What's New in v1.0.1\n\n## The `Read` tool & more\n\n<a id=\"here\"></a>\n"),
    Example({"skills/example/SKILL.md": _HEADER + "[a](references/page.md#rules), [b](run.py#L10)\n", "skills/example/references/page.md": "# Rules\n", "skills/example/run.py": "\n"}),
    Example(_HEADER + "[snake](#snake_case-names), [link](#see-the-page), [top](#top)\n\n## snake_case names\n\n## See [the page](https://example.com)\n"),
)
GOOD += (
    Example({"docs/page.md": "# Page\n\n[work](#ve-i\u0307\u015f)\n\n## ve \u0130\u015f\n"}),
)
BAD = (
    Example(_HEADER + f"[a](#second-step){HERE}\n\n## First step\n", message="no heading of this file has the anchor '#second-step'"),
    Example(
        {"skills/example/SKILL.md": _HEADER + f"[a](references/page.md#rule){HERE}\n", "skills/example/references/page.md": "# Rules\n"},
        message="no heading of references/page.md has the anchor '#rule'",
    ),
)


def check(document):
    package = document.package
    for link in document.markdown.links:
        if "#" not in link.target or link.image:
            continue
        found = local(link.target)
        if found is None or not found[1]:
            continue
        path, anchor = found
        other = document if not path else package.documents.get(resolve(document.folder, path) or "")
        if other is None or other.kind not in MARKDOWN or is_template(document.rel):
            continue
        known = package.memo(f"anchors:{other.rel}", lambda _, other=other: {fold_anchor(one) for one in anchors(other.markdown if other is document else Markdown(other.text, other.frontmatter.body))})
        wanted = fold_anchor(anchor)
        if wanted in known or wanted in ("top", "readme") or wanted[:1] == "l" and wanted[1:2].isdigit() or wanted.startswith(("user-content-", ":~:")):
            continue
        close = did_you_mean(wanted, known)
        where = "this file" if other is document else path
        at = document.text.find("#", link.target_span.start, link.target_span.end)
        yield Problem(
            document.source, link.target_span._replace(start=max(at, link.target_span.start)), f"no heading of {where} has the anchor '#{anchor}'",
            f"Did you mean '#{close}'?" if close else "Use the anchor of a heading that is there.",
        )
