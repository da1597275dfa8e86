"""
What it checks: a number that a heading or the sentence above a list states ("Pre-flight: 5 Checks", "three
principles:", "Use cases (20 scenarios):") against what follows: items, sub-headings, table rows, examples. It
reports only where no natural way of counting gives the number.

Why it matters: the statement is false. A model told of five checks runs four and reports five, or invents
the fifth; a reader concludes that a part was lost.

How to fix: add what is missing, or correct the number. Where the number is meant as "about", say so.
"""

import re
from bisect import bisect_left
from itertools import islice

from pluglint.rule import HERE, INFO, MARKDOWN, Example, Problem, Rule, Span
from pluglint.words import number, plural

RULE = Rule(
    title="a number stated in the text is not what follows",
    severity=INFO,
    on=tuple(kind for kind in MARKDOWN if kind != "changelog"),
    source="pluglint 0.1.0: statements about the file itself must hold",
)

_HEADER = "---\nname: example\ndescription: Reads changes. Use when one is ready.\n---\n"

GOOD = (
    Example(_HEADER + "## Pre-flight: 2 Checks\n\n- [ ] It builds\n- [ ] It is tested\n"),
    Example(_HEADER + "## Validation (2 Checks)\n\n### 1. Theory\n\n- Is it right?\n- Is it proved?\n- Is it cited?\n\n### 2. Code\n\n- Does it run?\n"),
    Example(_HEADER + "- **2-step framework** (24 questions):\n  - Read\n  - Write\n"),
    Example(_HEADER + "## Ask at least 3 questions\n\n- Why?\n- How?\n\nOne of three options:\n\n- Stop\n- Go\n"),
    Example(_HEADER + "## The 3 Principles\n\n- They are short\n- They are old\n\n## 1. Be right\n\nYes.\n\n## 2. Be clear\n\nYes.\n\n## 3. Be done\n\nYes.\n"),
    Example(_HEADER + "## Phase 3 Checks\n\n- It builds\n- It runs\n"),
    Example(_HEADER + "## Currency (15 points)\n\n- Read\n- Write\n\n## Two-Phase Publishing\n\n- Upload\n- Wait\n- Publish\n\nFor each of the 6 pillars:\n\n- Grade\n- Say why\n"),
)
BAD = (
    Example(_HEADER + f"Written on\nthe last day of 2025 as it\nwas\n===\n\nTwo words.\n\nThe 3 rules{HERE}\n---\n\n- Read\n- Test\n", message="the text says 3 rules, but 2 items follow"),
    Example(_HEADER + f"## Pre-flight: 5 Checks{HERE}\n\n- [ ] It builds\n- [ ] It is tested\n- [ ] It is read\n- [ ] It says why\n", message="the text says 5 checks, but 4 items follow"),
    Example(_HEADER + f"## The 3 Principles{HERE}\n\n- Be right\n- Be clear\n\n## Steps\n\nRead.\n\n## Limits\n\nNone.\n\n## Words\n\nFew.\n", message="the text says 3 principles, but 2 items follow"),
    Example(_HEADER + f"## Validation (3 Checks){HERE}\n\n### 1. Theory\n\n- Is it right?\n\n### 2. Code\n\n- Does it run?\n", message="the text says 3 checks, but 2 sub-headings follow"),
    Example(_HEADER + f"Keep to three principles:{HERE}\n\n- Be right\n- Be clear\n", message="the text says three principles, but 2 items follow"),
    Example(_HEADER + f"## Use cases\n\nEnhanced use cases (20 scenarios):{HERE}\n- Reading\n- Writing\n- Sending\n", message="the text says 20 scenarios, but 3 items follow"),
    Example(_HEADER + f"## Frameworks\n\n- **4-step framework**{HERE}\n  - Read\n  - Test\n  - Write\n", message="the text says 4-step, but 3 items follow"),
    Example(_HEADER + f"## The 4 Rules{HERE}\n\n| Rule | Why |\n| --- | --- |\n| Read | first |\n| Test | then |\n| Write | last |\n", message="the text says 4 rules, but 3 table rows follow"),
)

_NOUNS = (
    "checks|steps|principles|questions|phases|rules|items|examples|scenarios|tips|patterns|anti-patterns|approaches|levels|layers|categories|ways|reasons|criteria|stages|pillars|"
    "dimensions|use cases|modes|techniques|strategies|tasks|areas|aspects|factors|features|mistakes|pitfalls|practices|requirements|goals|components|"
    "guidelines|methods|capabilities|laws|commandments|gates|self-checks|options|types|kinds|parts"
)
_WORDS = "two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|twenty"
_NUMBER_WORDS = frozenset(_WORDS.split("|"))
_NUMBER = r"\d{1,3}|" + _WORDS


def check(document):
    markdown = document.markdown
    if not (markdown.lists or markdown.tables or len(markdown.headings) > 2):
        return
    text = document.text
    left = 8 * len(text)  # sections lie in each other six deep at most; blocks under introductions must not add up without end
    for index in _candidates([heading.text for heading in markdown.headings]):
        section = markdown.sections[index]
        stated = _stated(section.heading.text, section.heading.span.start)
        left -= section.end - section.start
        if stated and left > 0:
            yield from _judge(document, stated, section.start, section.end, markdown.sections, index)
    left = 8 * len(text)
    lines = _introductions(document)
    for index in _candidates([text[start:end] for start, end in lines]):
        start, end = lines[index]
        stated = _stated(text[start:end], start, sentence=True)
        if stated:
            stop = _block_end(document, lines, index)
            left -= stop - end
            if left > 0:
                yield from _judge(document, stated, end, stop, None, 0)


def _candidates(lines):
    """Which lines hold a number before one of the nouns: one search over all of them."""
    if not lines:
        return []
    joined = "\n".join([line.replace("\n", " ") for line in lines]).lower()  # an underlined heading may have several lines
    if _NUMBER_WORDS.isdisjoint(joined.replace("-", " ").split()) and not re.search(r"\d[ -][a-z]", joined):
        return []  # the quick look at words costs a tenth of the search below
    found = []
    at = line = 0
    for match in re.finditer(rf"(?:\d|{_WORDS})[ -](?=[a-z])", joined):
        line += joined.count("\n", at, match.start())
        at = match.start()
        if not found or found[-1] != line:
            found.append(line)
    return found


def _stated(text, offset, sentence=False):
    """[(value, words as written, span of the number)]."""
    found = []
    pattern = rf"(?<![\w.,/+~≥≤<>=$#:^–—-])({_NUMBER})(?:(-)(step|phase|stage|part|layer|level|pillar|principle|question)s?\b|(?=(?: [A-Za-z][\w/&-]*)?(?: [A-Za-z][\w/&-]*)? (?:{_NOUNS})\b)((?: [A-Za-z][\w/&-]*)*? (?:{_NOUNS})))(?![\w/-])"
    for match in re.finditer(pattern, text, re.I):
        before = text[: match.start()].rstrip(" (*_").lower()
        if re.search(r"(?:each of the|based on|least|most|\d to|than|about|around|over|under|roughly|only|first|last|next|top|every|each|per|max|maximum|min|minimum|any|or|and|of|all but|step|phase|part|level|stage|question|rule|option|tier|pick|choose|select|propose|generate|ask|suggest|offer|give|list|write|create|provide|another|these other|×|x)\Z", before):
            continue
        after = text[match.end() :]
        # "React 18 Features": the number belongs to the name before it.
        if re.search(r"[A-Z][\w.]* \Z", text[: match.start()]) and not re.search(r"\b(?:The|These|Our|My|Its|Their|Core|Key|Main|With|Has|In|Follow|Apply|Use|Run) \Z", text[: match.start()]):
            continue
        if match.group(2) and match.group(3).lower() == "phase" and match.group(1).lower() == "two":
            continue  # two-phase commit
        kind = r"(?: [\w-]+){0,3}" if match.group(2) else ""
        if sentence and not re.match(rf"{kind}[\s*_`)]*(?:\([^()\n]{{0,80}}\)[\s*_]*)?[:：]?[\s*_]*\Z", after):
            continue
        if re.match(r"\s*(?:\+|or more|each|per\b|total\b|of\b|minimum|max)", after):
            continue
        value = number(match.group(1))
        if value is not None and 2 <= value < 100:  # more are an inventory, which a list only groups
            found.append((value, match.group(0).strip(), Span(offset + match.start(1), offset + match.end(1))))
    return found


def _introductions(document):
    """Lines right above a list, and first lines of items above a list of their own, as [(start, end)]."""
    text = document.text
    body = document.frontmatter.body
    found = []
    for one in document.markdown.lists:
        first = one.items[0].start
        end = text.rfind("\n", 0, first)
        while end > body and text[end - 1] in " \t\r\n":
            end -= 1
        if end <= body or text[end - 1] not in ":：*_)":
            continue
        start = text.rfind("\n", 0, end) + 1
        if text[start] not in "#|`" and end - start <= 400 and (not found or found[-1][0] < start):
            found.append((start, end))
    return found


def _block_end(document, lines, index):
    """How far the list under an introduction may reach: to the next heading or introduction at its margin, and no further than anybody counts."""
    start, end = lines[index]
    headings = document.markdown.headings
    at = bisect_left(headings, end, key=lambda heading: heading.span.start)
    stop = min(headings[at].span.start if at < len(headings) else len(document.text), end + 20_000)
    own = _margin(document.text, start)
    for later, _ in islice(lines, index + 1, index + 60):
        if later >= stop:
            break
        if _margin(document.text, later) <= own:
            return later
    return stop


def _margin(text, start):
    """(column, whether the line is a list item): a paragraph reaches over the items that follow at its column."""
    at = start
    while text[at : at + 1] in (" ", "\t"):
        at += 1
    return at - start, re.match(r"(?:[-*+]|\d{1,9}[.)])[ \t]", text[at : at + 12]) is not None


def _judge(document, stated, start, end, sections, index):
    counts, main = _counts(document, start, end, sections, index)
    if not main:
        return
    value, words, span = stated[0]
    line = document.source.line_span(span.start)
    values = [number(found) for found in re.findall(rf"\b(?:{_NUMBER})\b", document.source.slice(line), re.I)]
    if any(value in counts for value in values):  # "4-step framework (24 questions)": one of the numbers is accounted for
        return
    amount, noun, place = main
    if amount < 2:
        return
    verb = "follows" if amount == 1 else "follow"
    hint = "Add what is missing, or correct the number." if amount < value else "Correct the number."
    yield Problem(document.source, span, f"the text says {words.lower()}, but {plural(amount, noun)} {verb}", hint, (document.at(place, "counted here"),))


def _counts(document, start, end, sections, index):
    """(every number that some way of counting gives, (count, noun, place) of the plainest way)."""
    markdown = document.markdown
    counts = set()
    main = None
    lists = _between(markdown.lists, start, end, lambda one: one.items[0].start)
    if sections is not None:
        main = _heading_counts(sections, index, end, counts, len(lists) == 1)
    if sections is None and not lists:
        return counts, None
    depth = min((one.depth for one in lists), default=0)
    if sections is None:
        first = lists[0]
        if len(lists) > 1 and first.depth > depth:  # the list of an item: what comes after it at the outer level is another matter
            depth = first.depth
            cut = next((one.items[0].start for one in lists if one.depth < depth), end)
            before = markdown.lists[max(0, bisect_left(markdown.lists, first.items[0].start, key=lambda one: one.items[0].start) - 50) :][:50]
            outer = [item.start for one in before if one.depth < depth for item in one.items if item.start > first.items[0].start]
            cut = min([cut, *outer])
            lists = [one for one in lists if one.items[0].start < cut]
    total = 0
    outermost = 0
    for one in lists:
        counts.add(len(one.items))
        closing = document.text[one.items[-1].text_start : one.items[-1].end]
        if re.match(r"\W*(?:overall|total|average|sum|summary|result|score|note|optional|bonus)\b", closing, re.I):
            counts.add(len(one.items) - 1)
        if re.match(r"\W*(?:(?:plus|and)\b.*\d|\.\.\.|…|etc)", closing, re.I):  # "plus 5 more"
            return counts, None
        counts.add(sum(item.box is not None for item in one.items))
        total += len(one.items)
        outermost += len(one.items) if one.depth == depth else 0
    counts.update((total, outermost, total - outermost, len(lists), sum(one.depth == depth for one in lists)))
    tables = _between(markdown.tables, start, end, lambda table: table.span.start)
    rows = [len(markdown.rows(table)) for table in tables]
    counts.update(rows)
    counts.update((sum(rows), len(tables), sum(rows) + outermost))
    for table in tables:
        columns = len(markdown.cells(table.header))
        counts.update((columns, columns - 1))
    fences = _between(markdown.fences, start, end, lambda fence: fence.span.start)
    counts.add(len(fences))
    for fence in fences:
        _inside(document.text[fence.content.start : fence.content.end], counts)
    _paragraphs(markdown.prose[start:end], counts)
    if main is None and lists:
        main = (len(lists[0].items), "item", lists[0].span) if sections is None or len(lists) == 1 else None
        if main is None:
            top = [one for one in lists if one.depth == depth]
            main = (len(top[0].items), "item", top[0].span) if len(top) == 1 else None
    if main is None and len(tables) == 1 and not lists:
        main = (rows[0], "table row", tables[0].span)
    return counts, main


def _between(things, start, end, key):
    return things[bisect_left(things, start, key=key) : bisect_left(things, end, key=key)]


def _heading_counts(sections, index, end, counts, listed):
    own = sections[index].heading
    levels = {}
    after = {}
    for later in islice(sections, index + 1, index + 110):  # enough for any count that is judged
        if later.start <= end and later.heading.span.start < end:
            levels.setdefault(later.heading.level, []).append(later.heading)
        elif later.heading.level < own.level:
            break
        else:
            after.setdefault(later.heading.level, []).append(later.heading)
    for headings in levels.values():
        numbered = [heading for heading in headings if any(char.isdigit() for char in heading.text[:16])]
        counts.update((len(headings), len(numbered), len(headings) - 1))
    following = after.get(own.level, [])
    if listed:  # its own list is what it counts, unless the sections after it carry numbers
        following = [heading for heading in following if any(char.isdigit() for char in heading.text[:16])]
    counts.update(range(2, len(following) + 1) if following and not levels else (len(following),))
    if not levels:
        return None
    headings = levels[min(levels)]
    numbered = [heading for heading in headings if any(char.isdigit() for char in heading.text[:16])]
    chosen = numbered if len(numbered) > 1 else headings
    return (len(chosen), "sub-heading", Span(chosen[0].span.start, chosen[-1].span.end))


def _inside(text, counts):
    """Ways to count what a code block lists: items, numbers, non-empty lines, paragraphs."""
    lines = [line.strip() for line in text.split("\n")]
    counts.add(sum(line != "" for line in lines))
    counts.add(sum(line[:2] in ("- ", "* ", "+ ") for line in lines))
    counts.add(sum(re.match(r"\d+[.):]", line) is not None for line in lines))
    counts.add(sum(line.startswith("#") for line in lines))
    counts.add(len([part for part in re.split(r"\n\s*\n", text) if part.strip()]))


def _paragraphs(prose, counts):
    """Paragraphs, and those that begin in bold: "**First**: ..." """
    parts = [part.strip() for part in prose.split("\n\n") if part.strip()]
    counts.add(len(parts))
    bold = sum(part.startswith("**") for part in parts)
    counts.update((bold, bold - 1, sum(line.lstrip().startswith("**") for line in prose.split("\n"))))
