"""
What it checks: no checklist holds the same item twice. Case, emphasis and the mark at the end do not count.

Why it matters: the second one asks for nothing new; mostly it was copied to be changed and never was, and
the point that it should have made is missing.

How to fix: change the second item to what was meant, or take it out.
"""

from pluglint.rule import HERE, MARKDOWN, WARNING, Example, Problem, Rule

RULE = Rule(
    title="a checklist holds the same item twice",
    severity=WARNING,
    on=MARKDOWN,
    source="pluglint 0.1.0: a statement made twice in one list",
)

GOOD = (
    Example("---\nname: example\ndescription: Reads changes. Use when one is ready.\n---\n- [ ] Does it build?\n- [ ] Is it tested?\n\n1. Repeat:\n   - run it\n2. Repeat:\n   - read it\n"),
    Example("---\nname: example\ndescription: Reads changes. Use when one is ready.\n---\nReport:\n\n- [ ] [finding]\n- [ ] [finding]\n"),
)
BAD = (
    Example(
        f"---\nname: example\ndescription: Reads changes. Use when one is ready.\n---\n- [ ] Does it build?\n- [ ] Is it tested?\n- [ ] Does it **build**?{HERE}\n",
        message="the checklist has this item twice: 'Does it **build**?'",
    ),
)


def check(document):
    text = document.text
    for one in document.markdown.lists:
        items = one.items
        if items[0].box is None or len(items) < 2:
            continue
        if len({text[item[5] : item[5] + 24].lower() for item in items}) == len(items) and "*" not in text[items[0].start : items[-1].end]:
            continue  # no two begin alike
        seen = {}
        for index, item in enumerate(items):
            key = text[item.text_start : item.end].replace("*", "").replace("`", "").replace("_", "").rstrip(" .?!:;").lower()
            first = seen.setdefault(key, index)
            found = _same(document, one, first, index) if first != index else None
            if found is not None:
                yield found


def _same(document, one, first, index):
    item = one.items[index]
    text = document.text[item.text_start : item.end]
    # Forms have slots that look alike; an item that goes on below its first line may differ there.
    if not text or text[0] in "[<{." or "[" in text or text[-1] in ":,(" or sum(map(str.isalpha, text)) < 8 or _goes_on(document, one, index) or _goes_on(document, one, first):
        return None
    shown = text if len(text) <= 60 else text[:57] + "..."
    return Problem(
        document.source, item.text, f"the checklist has this item twice: '{shown}'", "Change it to what was meant, or take it out.", (document.at(one.items[first].text, "first time"),)
    )


def _goes_on(document, one, index):
    """Whether something stands between an item's first line and the next item."""
    end = one.items[index].end
    following = one.items[index + 1].start if index + 1 < len(one.items) else None
    rest = document.text[end:following] if following is not None else document.text[end : document.text.find("\n\n", end)]
    return rest.strip() != ""
