"""
What it checks: a code block that holds another code block has a longer fence than the one inside. With fences of
one length, the inner closing fence ends the outer block, and the outer closing fence opens a new block that
swallows the headings and the text below it.

Why it matters: sections of the file turn into code, up to the next fence, where text and code change places
again. Readers see a wall of code; a model may take the instructions in it for an example.

How to fix: give the outer block four back-ticks at both ends.
"""

from pluglint.parse.fences import cuts, headings_inside, left_open
from pluglint.rule import ERROR, HERE, MARKDOWN, Example, Location, Problem, Rule
from pluglint.words import plural

RULE = Rule(
    title="a code block swallows sections",
    severity=ERROR,
    on=MARKDOWN,
    source="CommonMark 0.31.2, section 4.5: a fence with an info string does not close a block",
)

_HEADER = "---\nname: example\ndescription: Reads changes. Use when one is ready.\n---\n"

GOOD = (
    Example(_HEADER + "````markdown\n# Report\n\n```python\nx = 1\n```\n\n## Result\n````\n\n## Next\n\nRead on.\n"),
    Example(_HEADER + "```markdown\n# Report\n\n## Result\n\nText.\n```\n\n## Next\n\nRead on.\n\n```\n# Plain\n\nText.\n```\n"),
    Example(_HEADER + "```bash\ncat <<'END'\n```\n\n## Next\n\nRead on.\n"),
    Example(_HEADER + "```\nReport:\n    ```bash\n    ls\n    ```\n```\n\n## Next\n\n```\n### Result\n\nText.\n```\n"),
)
BAD = (
    Example(
        _HEADER + f"```\nThe answer:\n```python\nx = 1\n```\n\nClean.\n```{HERE}\n\n## Metrics\n\nText.\n\n## Limits\n\nText.\n\n```bash\nls\n```\n",
        message="the code block that opens here swallows 'Metrics' and 1 more heading",
    ),
    Example(
        _HEADER + f"```markdown\n# Report\n\n```sql\nselect 1\n```\n\nText.\n```{HERE}\n\n## Next\n\nRead on.\n",
        message="the code block that opens here swallows 'Next'",
        also=("fence-unclosed",),
    ),
    Example(
        _HEADER + f"```python\nx = 1\n```\n````{HERE}\n\n## Next\n\nRead on.\n\n```markdown\n# Report\n````\n",
        message="the code block that opens here swallows 'Next'",
    ),
)


def check(document):
    markdown = document.markdown
    if len(markdown.fences) < 2:
        return
    for cut in cuts(markdown):
        if cut.stray is None:
            continue
        swallowed = headings_inside(markdown, cut.stray)
        if not swallowed:
            continue
        name = document.source.slice(swallowed[0])
        outer_end = document.source.line_span(cut.outer.span.end)
        related: tuple[Location, ...] = (
            document.at(document.source.line_span(cut.outer.span.start), "the outer block opens here"),
            document.at(cut.inner, "a block opens inside it"),
            document.at(outer_end, "and its closing fence ends the outer block here"),
        )
        yield Problem(
            document.source, document.source.line_span(cut.stray.span.start), f"the code block that opens here swallows '{name[:60]}'{_more(swallowed)}",
            f"Write the fence of the outer block with {len(cut.outer.mark) + 1} marks, at both of its ends.", related,
        )
        return  # what follows is out of step for the same reason
    for fence in markdown.fences:
        inner = left_open(markdown, fence)
        swallowed = [one for one in headings_inside(markdown, fence) if one.start < inner.start] if inner is not None else []
        if swallowed:
            yield Problem(
                document.source, document.source.line_span(fence.span.start), f"the code block that opens here swallows '{document.source.slice(swallowed[0])[:60]}'{_more(swallowed)}",
                "The fence was meant to close a block: look for the one above that it should close.", (document.at(inner, "a block opens inside it and is not closed there"),),
            )
            return


def _more(swallowed):
    return f" and {plural(len(swallowed) - 1, 'more heading')}" if len(swallowed) > 1 else ""
