"""Finds the places of a document that send work to somebody (see graph.py for what an edge is).

A name that nobody bears becomes an edge only where the text cannot mean anything else: prose is full of
hyphenated words, and a false alarm costs more here than a missed one.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import lru_cache
from typing import Iterable, Iterator, NamedTuple

from pluglint.graph import (
    AGENT, EITHER, HEADER_AGENT, HEADER_SKILLS, LISTED, MENTION, QUALIFIED, SEE_ALSO, SENTENCE, SKILL, SUBAGENT_TYPE, TABLE, TOOL,
    Edge, is_template, known, namespaces, near, plausible, resolve,
)
from pluglint.model import MarkdownDocument, Package, Value, split_names
from pluglint.parse.markdown import List, Table
from pluglint.parse.node import LIST, MAP, NULL
from pluglint.text import Span


class Mention(NamedTuple):
    """An edge before its target is resolved."""

    name: str
    start: int
    wants: str
    via: str
    task: str = ""


_NAME = r"[A-Za-z][A-Za-z0-9]*(?:[-_][A-Za-z0-9]+)*"
_FULL = rf"{_NAME}(?::{_NAME}){{0,3}}"
_MARK = r"[*_`\"'“]{0,4}"
_GAP = r"(?:[ \t]+|[ \t]*\n[ \t]*)"
_END = r"(?![\w/:@-]|\.\w)"
_STRONG_COLUMN = r"(?i:delegate[sd]?(?: to)?|delegation targets?|sub-?agents?(?:[_ ]types?)?|(?:sub-?)?agent to (?:use|call|invoke|spawn))\Z"
_WEAK_COLUMN = r"(?i:hand[- ]?(?:off|over)s?(?: to)?|escalate to|routes? to|spawn|dispatch to|send to)\Z"
_AGENT_COLUMN = r"(?i:(?:(?:target|specialist) )?agents?(?: names?)?|specialists?)\Z"
_DELEGATION = r"(?i:\b(?:delegat(?:e[sd]?|ing|ion)|hand(?:s|ing)?[- ]?(?:off|over)s?|escalat(?:e|es|ion) to|sub-?agents? to (?:use|call|invoke|spawn)))\b"
_STRONG_INTRO = (
    r"(?i:\b(?:delegat(?:e[sd]?|ing)|hand(?:s|ing)? (?:off|over|work)(?: work)?) to"
    r"(?: (?:the|these|those|other|another|following|specialist|speciali[sz]ed|one|of|our|its|appropriate|right))*(?: (?:sub-?)?agents?| specialists?)?)[*_ ]*:?[*_ ]*\Z"
)
_NOT_FOR = r"(?i:\b(?:(?:do(?:es)? not|don't|never) (?:use|call|invoke)|not (?:for|the right)|out of scope|when not to use|instead|other agents))"
_ROLE = (
    r"(?:pro|expert|engineer|architect|reviewer|review|developer|specialist|auditor|analyst|debugger|agent|orchestrator|writer|tester|designer|master|"
    r"runner|explorer|planner|researcher|scientist|validator|checker|optimizer|optimiser|detective|coordinator|implementer|fixer|builder|generator|modernizer)\Z"
)
_TAGS = frozenset("true false null none yes no latest stable dev main master prod alpine slim local test".split())
_ELSEWHERE = r"(?i:\b(?:codex|cursor|gemini|copilot|opencode|windsurf|autogen|crewai|langgraph|removed|renamed|deprecated|no longer|formerly|for example|such as|named like)\b|\be\.g\.)"


# Words that a form of delegation cannot do without: nothing is looked at where none of its words stands.
_DELEGATING = ("legat", "off to", "over to", "scalate to", "andoff", "and-off", "andover", "gents to ")
_NOT_HERE = ("ot use ", "ot for", "ot to use", " instead")
_ARROWS = ("->", "→")
_SENTENCES = ("agent", " skill", "legat", "hand", "Hand", "efer to", "scalate to")
_SEE_ALSO = ("ee also", "ee Also", "elated agent", "elated Agent", "elated skill", "elated Skill")
ANCHORS = frozenset({"agent", "Agent", "ubagent_type", "@agent-", *_DELEGATING, *_NOT_HERE, *_ARROWS, *_SENTENCES, *_SEE_ALSO})


def namespace_words(package: Package) -> list[str]:
    """How references to components of the target begin: `plugin:`."""
    return [namespace + ":" for namespace in package.memo("namespaces", namespaces)]


def edges_of(document: MarkdownDocument) -> list[Edge]:
    """All edges that one document states, in order of place, one for each place."""
    package = document.package
    taken: set[int] = set()
    found: list[Edge] = []
    rel, sender = document.rel, ""
    for name, start, wants, via, task in _mentions(document):
        if start in taken:
            continue
        taken.add(start)
        sender = sender or document.qualified
        qualified, status, kind = resolve(package, name, wants)
        found.append(Edge(rel, sender, name, qualified, kind, status, via, start, start + len(name), task))
    found.sort(key=lambda edge: edge.start)
    return found


def _mentions(document: MarkdownDocument) -> Iterator[Mention]:
    """Every place that names somebody, strongest forms first."""
    yield from _header_mentions(document)
    agents = document.holds(("agent", "Agent"))  # most words below need not be looked for where no agent is spoken of
    if agents and document.holds(("ubagent_type",)):
        yield from _subagent_types(document)
    if document.kind not in ("agent", "skill", "command", "reference"):
        return
    agents = agents or document.kind == "agent"
    if agents and document.holds(("@agent-",)):
        yield from _at_mentions(document)
    for table in document.markdown.tables:
        yield from _table(document, table)
    yield from _lists(document, agents)
    yield from _sentences(document, agents)
    if document.holds(_SEE_ALSO):
        yield from _see_also(document)
    for namespace in document.package.memo("namespaces", namespaces):
        if document.holds((namespace + ":",)):
            yield from _qualified(document, namespace)


def _header_mentions(document: MarkdownDocument) -> Iterator[Mention]:
    if document.header is None:
        return
    if document.kind == "agent":
        for value in document.names("tools"):
            yield from _agent_tool(value)
        for value in document.names("skills"):
            yield Mention(value.text, value.span.start, SKILL, HEADER_SKILLS)
    elif document.kind in ("skill", "command"):
        node = document.field("agent")
        if node is not None and node.kind not in (LIST, MAP, NULL) and node.text.strip():
            name = node.text.strip()
            inner = document.text.find(name, node.span.start, node.span.end)
            yield Mention(name, inner if inner >= 0 else node.span.start, AGENT, HEADER_AGENT)


def _agent_tool(value: Value) -> Iterator[Mention]:
    if value.text.startswith(("Agent(", "Task(")) and value.text.endswith(")"):
        inside = value.text.index("(") + 1
        shift = 1 if value.span.end - value.span.start > len(value.text) else 0  # quotes
        for name, at in split_names(value.text[inside:-1]):
            if name != "*":
                yield Mention(name, value.span.start + shift + inside + at, AGENT, TOOL)


def _subagent_types(document: MarkdownDocument) -> Iterator[Mention]:
    """`subagent_type: "x"`, with an equals sign, in JSON, or without quotes where a name stands alone."""
    text = document.text
    package = document.package
    pattern = re.compile(rf"subagent_type[\"'`]*\s{{0,4}}(?:[:=]\s{{0,4}}|(?=`))([\"'`]?)({_NAME}(?:::?{_NAME}){{0,3}})(\1)(?=[\s,;)}}`\"'.]|\Z)")
    defined_here = "AgentDefinition" in text
    for match in pattern.finditer(text, document.frontmatter.body):
        name = match.group(2)
        if not known(package, name, AGENT):
            if is_template(name) or defined_here or f'"{name}":' in text or f"'{name}':" in text:
                continue
            if not match.group(1) and ("-" not in name and ":" not in name or name != name.lower()):  # a variable or a type
                continue
        yield Mention(name, match.start(2), AGENT, SUBAGENT_TYPE)


def _at_mentions(document: MarkdownDocument) -> Iterator[Mention]:
    for match in re.compile(rf"(?<![\w/.`@-])`?@agent-({_FULL}){_END}").finditer(document.markdown.prose, document.frontmatter.body):
        name = match.group(1)
        if known(document.package, name, AGENT) or not is_template(name) and (":" in name or near(document.package, name, AGENT)):
            yield Mention(name, match.start(1), AGENT, MENTION)


def _table(document: MarkdownDocument, table: Table) -> Iterator[Mention]:
    """The names in the column of a table that says whom to send work to."""
    markdown, package = document.markdown, document.package
    if not _may_delegate(markdown.slice(table.header)):
        return
    header = [markdown.slice(cell).strip("*_` ") for cell in markdown.cells(table.header)]
    column, strong = _column(document, table, header)
    if column < 0:
        return
    candidates: list[tuple[Mention, bool]] = []
    for row in markdown.rows(table):
        if column >= len(row):
            continue
        task = ""
        cell = markdown.slice(row[column])
        plain = cell in package.agents_by_name and ":" not in cell  # nothing but a known name: most cells are
        for name, at, alone, marked in ((cell, 0, True, False),) if plain else _names_in(cell):
            if not task:
                task = " ".join(markdown.slice(span) for index, span in enumerate(row) if index != column).strip()
            whole = alone and (strong or "-" in name or ":" in name)
            candidates.append((Mention(name, row[column].start + at, EITHER, TABLE, task), whole or marked))
    yield from _settle(package, candidates, strong)


@lru_cache(maxsize=256)
def _may_delegate(header: str) -> bool:
    """Whether a table with such a header can say whom to send work to. Cached: most tables of a package have one of a few headers."""
    return re.search(r"(?i:delegat|hand|escalate|route|spawn|dispatch|send to|agent|specialist)", header) is not None


def _column(document: MarkdownDocument, table: Table, header: list[str]) -> tuple[int, bool]:
    """(index of the column that holds targets or -1, whether its title leaves no doubt)."""
    for pattern, strong in ((_STRONG_COLUMN, True), (_WEAK_COLUMN, False)):
        for at, cell in enumerate(header):
            if len(cell) < 40 and re.match(pattern, cell):
                return at, strong
    for at, cell in enumerate(header):
        if len(cell) < 40 and re.match(_AGENT_COLUMN, cell):
            above = (document.markdown.heading_above(table.span.start), _intro(document, table.span.start))
            if any(re.search(_DELEGATION, text) for text in above):
                return at, False
    return -1, False


def _names_in(cell: str) -> Iterator[tuple[str, int, bool, bool]]:
    """(name, offset, whether the cell holds nothing but names, whether it is set off as code or bold)."""
    found = list(
        re.finditer(
            rf"(?:\A|[,;+&→/]|->|<br ?/?>|\s(?:or|and|then)\s)\s*(?:the )?({_MARK})@?({_FULL})(?=[*_`\"'”]{{0,4}}\s*(?:(?:sub-?)?agents?\b\s*)?(?:\Z|[,;+&→/(]|->|<br|(?:or|and|then)\s|[-–—:]\s))",
            cell,
        )
    )
    if not found:
        return
    rest = re.sub(r"\([^()]*\)", " ", cell)
    for match in found:
        rest = rest.replace(match.group(2), " ", 1)
    alone = re.search(r"[A-Za-z]", re.sub(r"\b(?:or|and|then|the|(?:sub-?)?agents?|br)\b", " ", rest)) is None
    for match in found:
        name, at = match.group(2), match.start(2)
        if name.startswith("agent-") and cell[at - 1 : at] == "@":
            continue
        yield name, at, alone, bool(match.group(1).strip("_\"'“"))


def _settle(package: Package, candidates: list[tuple[Mention, bool]], strong: bool) -> Iterator[Mention]:
    """What is known, and what is not where the place leaves no doubt, or where a neighbour is known.

    A candidate that does not stand out (neither alone in its cell nor set off) counts only when it is known.
    """
    borne = [known(package, mention.name) for mention, _ in candidates]
    believed = strong or any(borne)
    sure = strong and any(borne)  # then even a word like any other is a name
    for (mention, stands_out), is_known in zip(candidates, borne):
        if is_known:
            if stands_out or "-" in mention.name or ":" in mention.name:
                yield mention
        elif stands_out and not is_template(mention.name):
            if believed and (plausible(mention.name, package) or sure and mention.name == mention.name.lower()) or ("-" in mention.name and near(package, mention.name)):
                yield mention


def _intro(document: MarkdownDocument, offset: int) -> str:
    """The line above the one that holds an offset, blank ones left out."""
    markdown = document.markdown
    return markdown.intro(max(markdown.text.rfind("\n", 0, offset), 0))  # in the first line nothing stands above


def _lists(document: MarkdownDocument, agents: bool) -> Iterator[Mention]:
    """Lists that a delegating line or heading introduces, lists of what an agent is not for, and arrows in any list."""
    lists = document.markdown.lists
    if not lists:
        return
    starts = [one.items[0].start for one in lists]
    seen: set[int] = set()
    for at in _spots(document, _DELEGATING if agents else ("legat",)):
        for index, line in _introduced(document, starts, at):
            if index not in seen and re.search(_DELEGATION, line) and not re.match(r"\*\*[A-Z][^*\n]*\*\* ?(?:→|->)", line):  # what somebody else does
                seen.add(index)
                yield from _named_items(document, lists[index], re.search(_STRONG_INTRO, line) is not None)
    if not agents:
        return
    for at in _spots(document, _NOT_HERE):
        for index, line in _introduced(document, starts, at):
            if index not in seen and re.search(_NOT_FOR, line):
                seen.add(index)
                yield from _redirecting_items(document, lists[index])
    for at in _spots(document, _ARROWS):
        index = bisect_right(starts, at) - 1
        if index >= 0 and index not in seen and at < lists[index].span.end:
            seen.add(index)
            yield from _redirecting_items(document, lists[index], arrows_only=True)


def _spots(document: MarkdownDocument, words: Iterable[str]) -> Iterator[int]:
    """Offsets of some words in the body."""
    start = document.frontmatter.body
    for word in words:
        for at in document.places(word):
            if at >= start:
                yield at


def _introduced(document: MarkdownDocument, starts: list[int], at: int) -> Iterator[tuple[int, str]]:
    """(index of a list, introducing line) for the lists that the line around an offset introduces, as a heading or with a colon."""
    text = document.text
    line_start = text.rfind("\n", 0, at) + 1
    line_end = text.find("\n", at)
    line_end = len(text) if line_end < 0 else line_end
    line = text[line_start:line_end].strip()
    if line.startswith("|") or len(line) > 240:
        return
    index = bisect_right(starts, at)
    heading = document.markdown.heading_index(at)
    if heading >= 0 and line_start <= document.markdown.headings[heading].span.start < line_end:
        headings = document.markdown.headings
        stop = headings[heading + 1].span.start if heading + 1 < len(headings) else len(text)
        while index < len(starts) and starts[index] < stop:
            above = _intro(document, starts[index])
            if above == line or above.rstrip("*_ ").endswith(":"):
                yield index, headings[heading].text
            index += 1
    elif index < len(starts) and line.rstrip("*_ ").endswith(":") and not document.markdown.prose[line_end : starts[index]].strip(" \t\n>"):
        yield index, line


def _named_items(document: MarkdownDocument, one: List, strong: bool) -> Iterator[Mention]:
    """`- **name**: task`, `1. name (task)`, and `- task → name`."""
    candidates = []
    pattern = re.compile(rf"(?:the |to )?({_MARK})@?({_FULL})(?:[*_`\"'”]{{0,4}})(?: (?:sub-?)?agent\b)?[*_`]{{0,4}}(?=\s*(?:[:(,]|[-–—→]\s|$))")
    for item in one.items:
        line = document.text[item.text_start : item.end]
        match = pattern.match(line)
        if match is not None and (match.group(1).strip("_\"'“") or "-" in match.group(2) or ":" in match.group(2) or strong):
            task = line[match.end() :].strip(" :*-–—→")
            candidates.append((Mention(match.group(2), item.text_start + match.start(2), EITHER, LISTED, task), True))
    yield from _settle(document.package, candidates, strong)
    yield from _redirecting_items(document, one, arrows_only=True)


def _redirecting_items(document: MarkdownDocument, one: List, arrows_only: bool = False) -> Iterator[Mention]:
    """`- task → name`, `- task: use name`, `- task (hand over to name)`."""
    lead = r"(?:→|->|=>)\s*(?:(?:use|delegate to|hand (?:it )?(?:off|over) to|see|ask|call|spawn)\s+)?"
    if not arrows_only:
        lead = rf"(?:{lead}|(?:[:;,(–—-]|\.|\s)\s*(?i:use|see|ask|call|hand (?:it )?(?:off |over )?to|delegate to|belongs to|goes to|is for|work of)\s+)"
    pattern = re.compile(rf"{lead}(?:the\s+)?({_MARK})@?({_FULL}){_END}([*_`\"'”]{{0,4}})((?:\s+(?:sub-?)?agent\b)?)\s*(?=[.;,)]|$|\s(?:or|and|instead|for|when|if)\b|[-–—(])")
    candidates = []
    for item in one.items:
        line = document.text[item.text_start : item.end]
        for match in pattern.finditer(line):
            name = match.group(2)
            marked = bool(match.group(1).strip("_\"'“"))
            if marked or "-" in name or ":" in name or match.group(4):
                task = line[: match.start()].strip(" :*-–—→(")
                candidates.append((Mention(name, item.text_start + match.start(2), EITHER, LISTED, task), marked or bool(match.group(4)) or not arrows_only))
    yield from _settle(document.package, candidates, False)


def _sentences(document: MarkdownDocument, agents: bool) -> Iterator[Mention]:
    """Sentences that send work: found by a literal first, then read in a window of their own."""
    body = document.frontmatter.body
    examples: list[Span] | None = None
    readers = {"agent": _agent_sentence, " skill": _skill_sentence}
    for anchor in _SENTENCES:
        reader, everywhere = readers.get(anchor, _handing_sentence), anchor in (" skill", "legat")
        if not agents and not everywhere:
            continue
        for at in document.places(anchor):
            if at < body:
                continue
            prose = document.markdown.prose
            if examples is None:
                examples = _examples(prose)
            if prose.startswith(anchor, at) and not any(start <= at < end for start, end in examples) and not _dialogue(prose, at):
                yield from reader(document, prose, at, anchor)


def _examples(prose: str) -> list[Span]:
    """Blocks between <example> and </example>: what is said there is not said by the document."""
    spans = []
    at = prose.find("<example")
    while at >= 0:
        end = prose.find("</example", at)
        end = len(prose) if end < 0 else end
        spans.append(Span(at, end))
        at = prose.find("<example", end)
    return spans


def _dialogue(prose: str, at: int) -> bool:
    line = prose[prose.rfind("\n", 0, at) + 1 : at].lstrip(" \t>-*_").lower()
    return line.startswith(("user:", "assistant:", "human:", "context:", "user\"", "assistant**", "user**"))


def _agent_sentence(document: MarkdownDocument, prose: str, at: int, anchor: str) -> Iterator[Mention]:
    """Use the x agent; delegate this to the `x` subagent."""
    end = at + len(anchor)
    if prose[end : end + 1] == "s":
        end += 1
    if prose[end : end + 1].isalnum() or prose[end : end + 1] in ("-", "_", "/", "'", "’"):
        return
    if prose[at - 3 : at] == "sub":
        at -= 3
    elif prose[at - 4 : at] == "sub-":
        at -= 4
    if not prose[at - 1].isspace():
        return
    start = max(prose.rfind("\n\n", 0, at) + 1, at - 180)
    head = re.compile(
        rf"(?<!\w)(?i:(use|using|invok(?:e|es|ing)|call|spawn|launch|run|dispatch|dispatching|ask|delegat(?:e|es|ing)(?:{_GAP}[\w'-]+){{0,4}}?{_GAP}to|hand(?:s|ed)?(?:{_GAP}(?:it|this|work|off|over)){{0,3}}{_GAP}to|route(?:{_GAP}\w+){{0,2}}{_GAP}to|escalate{_GAP}to|defer{_GAP}to)){_GAP}"
        rf"((?i:the{_GAP}|an?{_GAP}|\d+{_GAP})?(?i:local{_GAP})?)({_MARK})@?({_FULL})([*`_\"'”]{{0,4}})[ \t]*\n?[ \t]*\Z"
    ).search(prose, start, at)
    if head is None:
        return
    name, marked, package = head.group(4), bool(set(head.group(3)) & set("`*")), document.package
    mention = Mention(name, head.start(4), AGENT, SENTENCE, _task_after(prose, end))
    if known(package, name, AGENT):
        if "-" in name or ":" in name or marked:
            yield mention
        return
    if ("-" not in name and ":" not in name) or name != name.lower() or is_template(name) or _about(prose, head.start(4), end):
        return
    believable = re.search(_ROLE, name) is not None and (marked or document.kind in ("agent", "command")) or near(package, name, AGENT)
    article = head.group(2).strip().lower()
    if believable if not marked else (article in ("the", "") or believable):
        yield mention


def _skill_sentence(document: MarkdownDocument, prose: str, at: int, anchor: str) -> Iterator[Mention]:
    """Load the `x` skill."""
    end = at + len(anchor)
    if prose[end : end + 1].isalnum() and prose[end : end + 2] not in ("s ", "s.", "s,"):
        return
    head = re.compile(
        rf"(?<!\w)(?i:use|using|load|invoke|apply|run|follow|consult|read|see|call|activate){_GAP}(?i:the{_GAP}|its{_GAP}|your{_GAP})?({_MARK})({_FULL})[*`_\"'”]{{0,4}}\Z"
    ).search(prose, max(prose.rfind("\n\n", 0, at) + 1, at - 120), at)
    if head is None:
        return
    name = head.group(2)
    marked = bool(set(head.group(1)) & set("`*"))
    if known(document.package, name, SKILL):
        if "-" in name or ":" in name or marked:
            yield Mention(name, head.start(2), SKILL, SENTENCE)
    elif marked and "-" in name and not is_template(name) and near(document.package, name, SKILL) and not _about(prose, head.start(2), end):
        yield Mention(name, head.start(2), SKILL, SENTENCE)


def _handing_sentence(document: MarkdownDocument, prose: str, at: int, anchor: str) -> Iterator[Mention]:
    """Hand over to `x`; delegate the numerical part to x-pro; (defer to x)."""
    lead = {"hand": r"hand(?:s|ed|ing)?", "Hand": r"Hand(?:s|ed|ing)?", "legat": r"legat(?:es?|ed|ing)"}.get(anchor)
    lead = rf"{lead}(?:{_GAP}[\w'-]+){{0,6}}?{_GAP}to" if lead else re.escape(anchor)
    target = rf"(?:the{_GAP})?({_MARK})@?({_FULL}){_END}([*`_\"'”]{{0,4}})(?!\()"
    head = re.compile(rf"{lead}{_GAP}{target}").match(prose, at, min(at + 200, len(prose)))
    more = re.compile(rf",?{_GAP}?(?:(?:,|or|and){_GAP})(?:to{_GAP})?{target}")
    while head is not None:
        name, marked = head.group(2), bool(set(head.group(1)) & set("`*"))
        wants = EITHER
        mention = Mention(name, head.start(2), wants, SENTENCE, _task_after(prose, head.end()))
        if known(document.package, name, wants):
            if "-" in name or ":" in name or marked:
                yield mention
        elif name == name.lower() and not is_template(name) and ("-" in name or ":" in name and marked) and not _about(prose, head.start(2), head.end()):
            gentle = "legat" in anchor or "efer" in anchor
            if near(document.package, name) or ":" in name or (marked or gentle) and re.search(_ROLE, name):
                yield mention
        elif not marked:
            return
        head = more.match(prose, head.end(), min(head.end() + 120, len(prose)))


def _task_after(prose: str, at: int) -> str:
    """The rest of the sentence."""
    match = re.compile(r"[^.\n]{0,200}").match(prose, at)
    return match.group().strip(" :,*`") if match is not None else ""


def _about(prose: str, start: int, end: int) -> bool:
    """Whether the line speaks of other products, of the past, or gives an example, or a noun follows ("the x agent pattern")."""
    line_start = prose.rfind("\n", 0, start) + 1
    line_end = prose.find("\n", end)
    line = prose[line_start : line_end if line_end >= 0 else len(prose)]
    if re.search(_ELSEWHERE, line):
        return True
    return re.compile(r"[ \t]+(?i:patterns?|frameworks?|models?|loops?|sdk|api|types?|architectures?|systems?|workflows?|modes?|approach|names?|files?|style|class|templates?|tools?|teams?)\b").match(prose, end) is not None


def _see_also(document: MarkdownDocument) -> Iterator[Mention]:
    """`See also: x, y`, and what stands under a heading of that name: known names only, they may be anything."""
    prose, package = document.markdown.prose, document.package
    spans = [Span(section.start, section.own_end) for section in document.markdown.sections if re.match(r"(?i:see also|related (?:agents?|skills?))", section.heading.text)]
    for match in re.compile(r"(?i:see also|related (?:agents?|skills?))\b[^\n]{0,400}").finditer(prose, document.frontmatter.body):
        spans.append(Span(*match.span()))
    pattern = re.compile(rf"(?:`|\*\*)({_FULL})(?:`|\*\*)")
    for start, end in spans:
        for match in pattern.finditer(prose, start, end):
            name = match.group(1)
            if known(package, name) or "-" in name and not is_template(name) and near(package, name):
                yield Mention(name, match.start(1), EITHER, SEE_ALSO)


def _qualified(document: MarkdownDocument, namespace: str) -> Iterator[Mention]:
    """`plugin:name` of a plugin of the target. `/plugin:name` is a command line, no agent."""
    prose, package = document.markdown.prose, document.package
    pattern = re.compile(rf"(?<![\w/:.@-]){re.escape(namespace)}:({_NAME}(?::{_NAME}){{0,2}})(?![\w/:]|[.-]\w|[ \t]*=)")
    for match in pattern.finditer(prose, document.frontmatter.body):
        name = match.group()
        if known(package, name):
            yield Mention(name, match.start(), EITHER, QUALIFIED)
        elif not is_template(match.group(1)) and match.group(1) not in _TAGS and match.group(1) == match.group(1).lower():
            # `node:fs` in a plugin that is called node is no reference.
            if near(package, name) or "-" in namespace and ("-" in match.group(1) or prose[match.start() - 1 : match.start()] == "`") and not _about(prose, match.start(), match.end()):
                yield Mention(name, match.start(), EITHER, QUALIFIED)
