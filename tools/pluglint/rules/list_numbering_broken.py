"""
What it checks: the numbers of an ordered list go up by one, also where code or a paragraph stands between
two items. A list may begin at any number, and a list numbered 1, 1, 1 throughout counts itself.

Why it matters: the model reads the numbers as written. After 1, 2, 4 a reference to "step 3" leads
nowhere, and a step was very probably lost in an edit.

How to fix: number the items in sequence, and look whether one is missing.
"""

import re

from pluglint.rule import HERE, MARKDOWN, WARNING, Example, Problem, Rule, Span

RULE = Rule(
    title="the numbers of a list do not go up by one",
    severity=WARNING,
    on=MARKDOWN,
    source="CommonMark 0.31.2, section 5.3: only the first number counts for rendering, but models read the source",
)

GOOD = (
    Example("---\nname: example\ndescription: Reads changes. Use when one is ready.\n---\n1. Read\n2. Test\n\nThen:\n\n3. Write\n"),
    Example("---\nname: example\ndescription: Reads changes. Use when one is ready.\n---\n1. Read\n1. Test\n1. Write\n"),
    Example("---\nname: example\ndescription: Reads changes. Use when one is ready.\n---\nIt began in\n2019. The rest is known.\n\n0. Look\n1. Leap\n"),
    Example("---\nname: example\ndescription: Reads changes. Use when one is ready.\n---\n1. Read, 2. test,\n3. write.\n"),
)
GOOD += (
    Example("---\nname: example\ndescription: Reads changes. Use when one is ready.\n---\n1. Choose:\n\n   ### Output: chat\n\n   1. Say it\n   2. Stop\n\n   ### Output: file\n\n   1. Write it\n"),
    Example("---\nname: example\ndescription: Reads changes. Use when one is ready.\n---\n1. Read\n2. Think\n3-5. Write, in three parts\n6. Send\n"),
    Example("---\nname: example\ndescription: Reads changes. Use when one is ready.\n---\n1. Read\n2. Think\n\nSaid once:\n\n> 5. Write\n\n18. A rule\n19. Another\n10. One taken from above\n"),
)
BAD = (
    Example(
        f"---\nname: example\ndescription: Reads changes. Use when one is ready.\n---\n1. Read\n2. Test\n4. Write{HERE}\n",
        message="the list goes from 2 to 4",
    ),
    Example(
        f"---\nname: example\ndescription: Reads changes. Use when one is ready.\n---\n1. Read\n2. Test\n2. Write{HERE}\n3. Send\n",
        message="the list has the number 2 twice",
    ),
    Example(
        f"---\nname: example\ndescription: Reads changes. Use when one is ready.\n---\n1. Read\n2. Test\n\nThen, after a pause:\n\n5. Write{HERE}\n",
        message="the list goes from 2 to 5",
    ),
)


def check(document):
    markdown = document.markdown
    last = None  # last item of the ordered list above at the margin, while no heading came between
    ordered = [one for one in markdown.lists if one.ordered]
    if not ordered:
        return
    heading_ends = [heading.span.start for heading in markdown.headings]
    passed = 0
    for one in ordered:
        items = one.items
        while passed < len(heading_ends) and heading_ends[passed] < items[0].start:
            passed += 1
            last = None
        first = items[0]
        before = last if last is not None and one.depth == 0 and first.number > 1 and first.column == last.column and first.mark == last.mark else None
        if one.depth == 0:
            last = items[-1]
        if before is None or first.number == before.number + 1:
            numbers = [item[0] for item in items]
            if numbers == list(range(first.number, first.number + len(items))) or (first.number < 2 and len(items) > 1 and set(numbers) == {first.number}):
                continue
        for item in items:
            if before is not None and item.number != before.number + 1:
                between = document.text[before.text_start : item.start]
                if f" {item.number - 1}. " in between or re.search(rf"\d ?[-–] ?{item.number - 1}\. ", between):  # a wrapped line of "1. this, 2. that, 3. the rest", or "3-5. both"
                    break
                if any(before.start < end < item.start for end in heading_ends) or item.number < 2 or abs(item.number - before.number) > 5 or document.text[document.source.line_span(item.start).start : item.start].lstrip().startswith(">"):
                    break  # another list, a selection that keeps its numbers, or a quotation
                what = f"the list has the number {item.number} twice" if item.number == before.number else f"the list goes from {before.number} to {item.number}"
                related = (document.at(before.span, f"number {before.number}"),)
                yield Problem(document.source, Span(item.start, item.start + len(str(item.number))), what, "Number the items in sequence, and look whether one is missing.", related)
                break
            before = item
