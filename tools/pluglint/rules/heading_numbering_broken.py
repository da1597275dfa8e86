"""
What it checks: numbered headings of one level under one parent ("Step 1", "Phase 2:", "### 3. Title", "Q4") go
up by one. A new start at 1 and ranges ("Step 2-3") are fine; so is any first number.

Why it matters: the model reads the numbers as written. After Step 1, 2, 4 it looks for a third step or
reports one that it never took, and every reference by number is off.

How to fix: number the headings in sequence, and look whether a step is missing.
"""

import re

from pluglint.parse.links import skill_folder
from pluglint.rule import AGENT, COMMAND, HERE, PAGE, README, REFERENCE, SKILL, WARNING, Example, Problem, Rule, Span

RULE = Rule(
    title="the numbers of headings do not go up by one",
    severity=WARNING,
    on=(AGENT, SKILL, COMMAND, REFERENCE, README, PAGE),
    source="pluglint 0.1.0: numbered steps that models follow in order",
)

_HEADER = "---\nname: example\ndescription: Reads changes. Use when one is ready.\n---\n"

GOOD = (
    Example(_HEADER + "## Work\n\n### Step 1: Read\n\n### Step 2-3: Test\n\n### Step 4: Write\n\n## After\n\n### Step 5: Send\n"),
    Example(_HEADER + "## 1. Read\n\n### 1.1 Code\n\n### 1.2 Tests\n\n## 2. Write\n"),
    Example(_HEADER + "### Step 1: Read\n\n### Step 2a: Test here\n\n### Step 2b: Test there\n\n### Step 3: Write\n"),
    Example(_HEADER + "### Phase 2: Test\n\n### Phase 5: Write\n"),
    Example(_HEADER + "### Phase 1\n\n### Phase 2\n\n### Phase 1 (again)\n"),
)
GOOD += (
    Example(_HEADER + "### Pattern 1: Plain\n\n### Pattern 2a: Both\n\n### Pattern 2: Either\n\n### Pattern 3: None\n"),
    Example(_HEADER + "## Step 1: Talk\n\n## Step 1-B: Draw lots\n\n## Step 2: Write\n\n### Phase 1: Plan\n\n### Phase 2: Do\n\n### Phase 2 End: Report\n"),
    Example({"skills/x/SKILL.md": _HEADER + "## Phase 1\n\n## Phase 2\n\n## Phase 3\n", "skills/x/references/more.md": "# More\n\n## Phase 1: why\n\n## Phase 3: why\n"}),
)
BAD = (
    Example(_HEADER + f"### Step 1: Read\n\n### Step 2: Test\n\n### Step 4: Write{HERE}\n", message="the headings go from Step 2 to Step 4"),
    Example(_HEADER + f"## 1. Read\n\n## 2. Test\n\n## 2. Write{HERE}\n", message="the headings have the number 2 twice"),
    Example(_HEADER + f"### **Q1**: Why?\n\n### **Q3**: How?{HERE}\n", message="the headings go from Q1 to Q3"),
)


def check(document):
    headings = document.markdown.headings
    if len(headings) < 2:
        return
    # A cheap look first: two headings whose text begins with a number, or with a word and a number.
    starts = re.findall(r"\n[^\w\n]*(?:[A-Z][a-z]* ?)?#?\d", "\n" + "\n".join([heading.text for heading in headings]))
    if len(starts) < 2:
        return
    last = {}  # (level, word) -> what stood last under the current parent
    for heading in headings:
        level = heading.level
        if last:
            for key in [key for key in last if key[0] > level]:
                del last[key]
        found = _numbered(heading.text)
        if found is None:
            continue
        word, first, end, letter, at, width = found
        before = last.get((level, word))
        regular = before[2] if before is not None else first <= 1
        last[level, word] = (end, heading, regular, letter)
        if before is None or first == before[0] + 1 or (first <= 1 and before[0] > 1) or (letter or before[3] or _closing(heading.text)) and first == before[0]:
            continue
        number, above, _, _ = before
        # A selection ("Phases 2, 3 and 6 are yours") starts somewhere or leaps; and a heading that a broken
        # fence hides is there all the same.
        if not regular or first - number > 3 or _written_between(document.text, word, number, first, above.span.end, heading.span.start) or _in_skill(document, word, number, first):
            continue
        shown = word if len(word) == 1 or not word else word + " "
        what = f"the headings have the number {first} twice" if first == number else f"the headings go from {shown}{number} to {shown}{first}"
        start = heading.span.start + at
        yield Problem(document.source, Span(start, start + width), what, "Number them in sequence, and look whether one is missing.", (document.at(above.span, "the one before"),))


def _written_between(text, word, number, first, start, end):
    missing = range(number + 1, first)
    return any(re.search(rf"\n[ >]*#{{1,6}} [^\n\w]*{word} ?{one}\b", text[start:end]) for one in missing)


def _closing(text):
    """Whether a heading ends what one before it began: "Phase 2 End"."""
    return re.match(r"[^\w]*\w+ \d+ End\b", text) is not None


def _in_skill(document, word, number, first):
    """Whether the steps that a reference leaves out stand in its SKILL.md."""
    folder = skill_folder(document) if document.kind == REFERENCE and word else None
    skill = document.package.documents.get(f"{folder}/SKILL.md".lstrip("/")) if folder is not None else None
    return skill is not None and _written_between(skill.text, word, number, first, 0, len(skill.text))


def _numbered(text):
    """(word, first number, last number, letter behind it, offset, width of the number) of a numbered heading, or None."""
    match = re.match(r"[^\w]*(?:(Step|Phase|Stage|Part|Principle|Question|Rule|Task|Check|Level|Lesson|Chapter|Example|Pattern|Option|Q)[ -]?)?#?(\d{1,2})(?:\s?[-–—]\s?(\d{1,2}))?((?:-?[A-Z]\b|[A-Za-z])?)(?![\w%])(?!\.\d)([.):]?)", text)
    if match is None:
        return None
    word, first, end, letter, mark = match.groups()
    if word is None and mark not in (".", ")"):
        return None
    if mark == "." and text[match.end() : match.end() + 1].isdigit():
        return None
    return word or "", int(first), int(end or first), letter, match.start(2), len(first)
