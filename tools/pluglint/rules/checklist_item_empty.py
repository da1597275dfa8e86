"""
What it checks: every item with a check box says what is to be checked. Forms that are to be filled in (`templates/`,
`assets/`, a file called template) are left out.

Why it matters: a box without a text cannot be ticked off. It is what remains of a point that was deleted or
never written.

How to fix: write the point, or take the line out. In a form that is to be filled in, put a placeholder such
as `<finding>` after the box.
"""

from pluglint.parse.links import is_template
from pluglint.rule import HERE, MARKDOWN, WARNING, Example, Problem, Rule

RULE = Rule(
    title="a check box has no text",
    severity=WARNING,
    on=MARKDOWN,
    source="GitHub Flavored Markdown 0.29, section 5.3 (task list items)",
)

GOOD = (
    Example("---\nname: example\ndescription: Reads changes. Use when one is ready.\n---\n- [ ] It builds\n- [ ] <further points>\n"),
    Example({"docs/review-template.md": "# Review\n\n- [ ]\n- [ ]\n"}),
)
BAD = (
    Example(
        f"---\nname: example\ndescription: Reads changes. Use when one is ready.\n---\n- [ ] It builds\n- [ ]{HERE}\n",
        message="the check box has no text",
    ),
)


def check(document):
    if is_template(document.rel):
        return
    for one in document.markdown.lists:
        for item in one.items:
            if item.box is not None and item.text_start >= item.end:
                yield Problem(document.source, item.span, "the check box has no text", "Write the point, or take the line out.")
