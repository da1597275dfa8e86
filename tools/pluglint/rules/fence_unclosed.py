"""
What it checks: every code fence is closed, with a mark of its kind that is at least as long, before the file or the
list item or block quote that holds it ends.

Why it matters: the rest of the file is code: headings, lists and checks in it are none.

How to fix: close the block. In a list item, indent the closing fence like the opening one.
"""

from pluglint.parse.fences import cuts, headings_inside
from pluglint.rule import ERROR, HERE, MARKDOWN, Edit, Example, Fix, Problem, Rule, Span
from pluglint.words import plural

RULE = Rule(
    title="a code block is not closed",
    severity=ERROR,
    on=MARKDOWN,
    source="CommonMark 0.31.2, section 4.5",
    fix="unsafe",
)

_HEADER = "---\nname: example\ndescription: Reads changes. Use when one is ready.\n---\n"

GOOD = (
    Example(_HEADER + "~~~~text\n~~~\n```\n~~~~\n\n1. Run:\n   ```bash\n   ls\n   ```\n"),
    Example(_HEADER + "> ```\n> quoted\n> ```\n\nText.\n"),
)
BAD = (
    Example(_HEADER + f"Run:\n\n```bash{HERE}\nls\n\n## Limits\n\nNone.\n", message="the code block is not closed: the 3 lines to the end of the file are code", fixed='```'),
    Example(_HEADER + f"````text{HERE}\nls\n```\n", message="the code block is not closed: the 2 lines to the end of the file are code", fixed='````'),
    Example(_HEADER + f"1. Run:\n   ```bash{HERE}\n   ls\n\nText.\n", message="the code block is not closed before its list item ends"),
)


def check(document):
    fences = document.markdown.fences
    if not fences or all(fence.closed for fence in fences):
        return
    text = document.text
    strays = [cut.stray.span.start for cut in cuts(document.markdown) if cut.stray is not None]
    told = any(cut.stray is not None and headings_inside(document.markdown, cut.stray) for cut in cuts(document.markdown))
    for fence in fences:
        if fence.closed or told and not text[fence.span.end :].strip():  # the end of what fence-swallows-sections reports
            continue
        lines = [line for line in text[fence.content.start : fence.content.end].split("\n") if line.strip()]
        if text[fence.span.end :].strip():
            message = "the code block is not closed before its list item ends"
            if ">" in text[text.rfind("\n", 0, fence.span.start) + 1 : fence.span.start]:
                message = "the code block is not closed before its block quote ends"
            hint = "Close it, with the closing fence indented like the opening one."
        elif not lines:
            message, hint = "the code block is not closed: a fence opens at the end of the file", "Take the fence out, or look for the block that it should close."
        else:
            message = f"the code block is not closed: the {plural(len(lines), 'line')} to the end of the file {'is' if len(lines) == 1 else 'are'} code"
            hint = f"Close it with {fence.mark} on a line of its own."
        opening = next((start for start in strays if start == fence.span.start), None)
        if opening is not None:
            hint = "It was meant to close the block above, which the closing fence of a block inside it ended: write the outer fence with one mark more."
        start = fence.span.start
        end = text.find("\n", start)
        fix = None
        if "to the end of the file" in message and opening is None and not fence.indent:
            fix = Fix("close it at the end of the file", (Edit(document.source, Span(len(text), len(text)), ("" if text.endswith("\n") else "\n") + fence.mark + "\n"),))
        yield Problem(document.source, fence.span._replace(end=len(text) if end < 0 else end), message, hint, (), fix)
