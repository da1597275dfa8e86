"""
What it checks: in one list, either every item has a check box (`- [ ]`) or none has. Marks such as `[N/A]` and `[~]` are boxes
too, an item that ends in a colon is a heading, and a single last item without a box is a remark on the list.

Why it matters: an item without a box is not a point to tick off. A model that works through the boxes
passes over it, and a reader takes it for a remark about the item above.

How to fix: give every item of the list a box, or none. Move a remark below the list or under its item.
"""

import re

from pluglint.rule import HERE, MARKDOWN, WARNING, Edit, Example, Fix, Problem, Rule, Span
from pluglint.words import plural

RULE = Rule(
    title="a checklist mixes items with and without a box",
    severity=WARNING,
    on=MARKDOWN,
    source="GitHub Flavored Markdown 0.29, section 5.3 (task list items)",
    fix="unsafe",
)

GOOD = (
    Example("---\nname: example\ndescription: Reads changes. Use when one is ready.\n---\n- [ ] It builds\n  - with every compiler\n- [x] It is tested\n"),
    Example("---\nname: example\ndescription: Reads changes. Use when one is ready.\n---\n- [ ] It builds\n- [ ] It is tested\n\nAfter that:\n\n- hand it on\n- close the request\n"),
    Example("---\nname: example\ndescription: Reads changes. Use when one is ready.\n---\nFiles:\n- Change: `a.py`\n\n- [ ] Write the test\n- [ ] Write the code\n"),
)
GOOD += (
    Example("---\nname: example\ndescription: Reads changes. Use when one is ready.\n---\n- [x] It builds\n- [N/A] It is translated\n- [ ] It is sent\n- ~~[ ] It is printed~~\n"),
    Example("---\nname: example\ndescription: Reads changes. Use when one is ready.\n---\n- Each type says:\n- [ ] what it is for\n- [ ] what it costs\n"),
    Example("---\nname: example\ndescription: Reads changes. Use when one is ready.\n---\n- [x] It builds\n- [x] It is tested\n- **Verdict**: it may go\n"),
)
BAD = (
    Example(
        f"---\nname: example\ndescription: Reads changes. Use when one is ready.\n---\n- [ ] It builds\n- [ ] It is tested\n- **Style**: it is formatted{HERE}\n- [ ] It says why\n",
        message="1 item of 4 has no check box in this list",
        fixed='- [ ] **Style**: it is formatted',
    ),
    Example(
        f"---\nname: example\ndescription: Reads changes. Use when one is ready.\n---\n- [ ] **Domain**: fits{HERE}\n- **Theory**: holds\n- **Code**: runs\n",
        message="only 1 item of 3 has a check box in this list",
    ),
)


# A mark of its own, a box that is struck out, or a heading of the items after it.
_MEANT = r"\[[^\]\n]{1,12}\](?!\()|~~\[|[^\n]*:[ *_]*\Z"


def check(document):
    for items in document.markdown.lists:
        boxes = {item[2] for item in items.items}
        if None not in boxes or len(boxes) == 1:
            continue
        bare = [item for item in items.items if item.box is None]
        if any(re.match(_MEANT, document.text[item.text_start : item.end]) for item in bare) or len(bare) == 1 and bare[0] is items.items[-1]:
            continue
        if _set_apart(document.text, items.items):
            continue
        boxed = [item for item in items.items if item.box is not None]
        if len(bare) <= len(boxed):
            odd, what = bare, f"{plural(len(bare), 'item')} of {len(items.items)} {'has' if len(bare) == 1 else 'have'} no check box in this list"
        else:
            odd, what = boxed, f"only {plural(len(boxed), 'item')} of {len(items.items)} {'has' if len(boxed) == 1 else 'have'} a check box in this list"
        related = tuple(document.at(item.span, "and here") for item in odd[1:6])
        fix = Fix("give every item a box", tuple(Edit(document.source, Span(item.text_start, item.text_start), "[ ] ") for item in bare)) if odd is bare else None
        yield Problem(document.source, odd[0].span, what, "Give every item a box, or none.", related, fix)


def _set_apart(text, items):
    """Whether blank lines divide items with boxes from items without: one list to a parser, several to a reader."""
    changes = 0
    loose = True  # blank lines between all items divide nothing
    for above, item in zip(items, items[1:]):
        blank = "\n\n" in text[above.end : item.start]
        if (above.box is None) != (item.box is None):
            if not blank:
                return False
            changes += 1
        elif not blank:
            loose = False
    return changes == 1 or not loose
