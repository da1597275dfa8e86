"""The delegation graph: who sends work to whom, and whether there is anybody.

An edge is anything that sends work to an agent or a skill: a "Delegate To" table, a list under a
delegation heading or sentence, "use the x agent", `plugin:agent` in prose, `@agent-plugin:name`,
`Agent(...)` in tools, `agent:` of a skill, `skills:` of an agent, `subagent_type` in code.
"""

from __future__ import annotations

import re
from typing import Iterator, NamedTuple

from pluglint.facts import FACTS
from pluglint.model import MarkdownDocument, Package, split_names
from pluglint.parse.node import LIST, MAP, NULL
from pluglint.text import Span
from pluglint.words import did_you_mean

# How an edge is written.
TABLE, LISTED, SENTENCE, MENTION, QUALIFIED, TOOL, HEADER_AGENT, HEADER_SKILLS, SUBAGENT_TYPE = (
    "table", "list", "sentence", "mention", "qualified", "tool", "agent-field", "skills-field", "subagent-type",
)
# What a target turned out to be.
HERE, SIBLING, BUILT_IN, EXTERNAL, UNKNOWN = "package", "workspace", "built-in", "external", "unknown"


class Edge(NamedTuple):
    """One place that sends work.

    source   path (`rel`) of the document; `sender` its qualified name
    target   the name as written; `found` the qualified name that it resolves to ("" if unknown)
    wants    "agent" or "skill", or "either" where the text does not say
    status   HERE, SIBLING (another plugin of this target), BUILT_IN, EXTERNAL (declared in the configuration) or UNKNOWN
    via      how it is written
    start, end   the place of the name
    task     what is sent, as far as the text says it
    """

    source: str
    sender: str
    target: str
    found: str
    wants: str
    status: str
    via: str
    start: int
    end: int
    task: str

    @property
    def span(self) -> Span:
        return Span(self.start, self.end)


_NAME = r"[A-Za-z][A-Za-z0-9]*(?:[-_][A-Za-z0-9]+)*"
_FULL = rf"{_NAME}(?::{_NAME}){{0,3}}"
_DELEGATION_COLUMN = re.compile(
    r"(?:delegate(?:s|d)?(?: to)?|delegation target|hand[- ]?(?:off|over)s?(?: to)?|escalate to|route(?:s)? to|spawn|dispatch to|sub-?agent(?:[_ ]type)?|agent to (?:use|call|invoke))\Z", re.I
)
_AGENT_COLUMN = re.compile(r"(?:(?:target |specialist )?agent(?: name)?|specialist)\Z", re.I)
_DELEGATION_WORDS = re.compile(r"\b(?:delegat(?:e|es|ed|ing|ion)|hand(?:s|ing)?[- ]?(?:off|over)|escalat(?:e|es|ion) to|sub-?agents? to (?:use|call|invoke|spawn))\b", re.I)
_ITEM_NAME = re.compile(rf"(?:\*\*|__)?(`?)@?({_FULL})\1(?:\*\*|__)?(?=\s*(?:[:(,]|\*\*:|[-–—→]\s|$))")
_SENTENCE = re.compile(
    rf"\b(?:use|invoke|call|spawn|launch|run|dispatch|delegates?(?:\s+\w+){{0,3}}\s+to|hand(?:s|ed)?\s+(?:it\s+|this\s+|off\s+|over\s+)*to|route(?:\s+\w+){{0,2}}\s+to|escalate\s+to|defer\s+to)\s+(?:the\s+|an?\s+)?(?:\*\*|`|@)*({_FULL})(?:\*\*|`)*\s+(?:sub-?)?agent\b(?![-'’])",
    re.I,
)
_MENTION = re.compile(rf"@agent-({_NAME}(?::{_NAME}){{0,3}})")
_SUBAGENT_TYPE = re.compile(rf"subagent_type[\"'`]*\s*[:=]\s*[\"'`]({_FULL})[\"'`]")
_TEMPLATE = re.compile(r"(?:your|my|some|example|agent|name|foo|bar|other|another|specialized|specialist|new|custom|same|general|single|separate|sub|this|that|each|appropriate|relevant|following)(?:[-_].*)?\Z", re.I)


def edges_of(document: MarkdownDocument) -> list[Edge]:
    """All edges that one document states, in order of place, one for each place."""
    package = document.package
    taken: set[int] = set()
    found: list[Edge] = []
    for target, span, wants, via, task in _mentions(document):
        if span.start in taken:
            continue
        taken.add(span.start)
        qualified, status, kind = resolve(package, target, wants)
        found.append(Edge(document.rel, document.qualified, target, qualified, kind, status, via, span.start, span.end, task))
    found.sort(key=lambda edge: edge.start)
    return found


def resolve(package: Package, target: str, wants: str = "agent") -> tuple[str, str, str]:
    """(qualified name or "", status, "agent" or "skill") of a name written in a package."""
    agents, skills = package.agents_by_name, package.skills_by_name
    if wants != "skill" and target in agents:
        return agents[target].qualified, HERE, "agent"
    if wants != "agent" and target in skills:
        return skills[target].qualified, HERE, "skill"
    if wants != "skill" and target in FACTS["agents"]["built_in"]:
        return target, BUILT_IN, "agent"
    external = package.config.external_agents if package.config is not None else {}
    if target in external:
        return external[target], EXTERNAL, "agent" if wants != "skill" else "skill"
    if package.workspace is not None:
        for other in package.workspace.packages:
            if other is package:
                continue
            if wants != "skill" and target in other.agents_by_name:
                return other.agents_by_name[target].qualified, SIBLING, "agent"
            if wants != "agent" and target in other.skills_by_name:
                return other.skills_by_name[target].qualified, SIBLING, "skill"
    return "", UNKNOWN, wants


def _mentions(document: MarkdownDocument) -> Iterator[tuple[str, Span, str, str, str]]:
    """(name, place, wanted kind, how written, task) for each place that sends work, strongest forms first."""
    yield from _header_mentions(document)
    text = document.text
    if "ubagent_type" in text:
        for match in _SUBAGENT_TYPE.finditer(text, document.frontmatter.body):
            if not _TEMPLATE.match(match.group(1)) or match.group(1) == "general-purpose":
                yield match.group(1), Span(*match.span(1)), "agent", SUBAGENT_TYPE, ""
    if document.kind not in ("agent", "skill", "command", "reference"):
        return
    body = text
    if "@agent-" in body:
        for match in _MENTION.finditer(document.markdown.prose, document.frontmatter.body):
            yield match.group(1), Span(*match.span(1)), "agent", MENTION, ""
    yield from _tables(document)
    yield from _lists(document)
    if " agent" in body or " subagent" in body or " sub-agent" in body:
        yield from _sentences(document)
    namespaces = document.package.memo("namespaces", _namespaces)
    for namespace in namespaces:
        if namespace + ":" in body:
            yield from _qualified(document, namespace)


def _namespaces(package: Package) -> list[str]:
    """Plugin names of the target: `plugin:name` in prose is taken for a reference when the plugin is one of these."""
    packages = package.workspace.packages if package.workspace is not None else [package]
    return sorted({one.namespace for one in packages if one.namespace and (one.agents or one.skills)})


def _header_mentions(document: MarkdownDocument) -> Iterator[tuple[str, Span, str, str, str]]:
    if document.header is None:
        return
    if document.kind == "agent":
        for value in document.names("tools"):
            if value.text.startswith(("Agent(", "Task(")) and value.text.endswith(")"):
                inside = value.text.index("(") + 1
                for name, at in split_names(value.text[inside:-1]):
                    begin = value.span.start + inside + at
                    yield name, Span(begin, begin + len(name)), "agent", TOOL, ""
        for value in document.names("skills"):
            yield value.text, value.span, "skill", HEADER_SKILLS, ""
    elif document.kind in ("skill", "command"):
        node = document.field("agent")
        if node is not None and node.kind not in (LIST, MAP, NULL) and node.text.strip():
            yield node.text.strip(), node.span, "agent", HEADER_AGENT, ""


def _looks_like_component(name: str, package: Package) -> bool:
    """Whether a word can be a component's name: it is one, or it is lower case with a hyphen or a colon."""
    if name in package.agents_by_name or name in package.skills_by_name:
        return True
    if name != name.lower() or _TEMPLATE.match(name):
        return False
    return "-" in name or ":" in name or did_you_mean(name, package.agents_by_name) is not None


def _tables(document: MarkdownDocument) -> Iterator[tuple[str, Span, str, str, str]]:
    markdown = document.markdown
    for table in markdown.tables:
        header = [markdown.slice(cell).strip("*_` ") for cell in markdown.cells(table.header)]
        column = next((at for at, cell in enumerate(header) if len(cell) < 40 and _DELEGATION_COLUMN.match(cell)), None)
        if column is None:
            column = next((at for at, cell in enumerate(header) if len(cell) < 40 and _AGENT_COLUMN.match(cell)), None)
            if column is None or not (_DELEGATION_WORDS.search(_heading_above(document, table.span.start)) or _DELEGATION_WORDS.search(markdown.intro(table.span.start))):
                continue
        for row in markdown.rows(table):
            if column >= len(row):
                continue
            cell = markdown.slice(row[column])
            others = " ".join(markdown.slice(span) for at, span in enumerate(row) if at != column)
            for match in re.finditer(rf"(?<![\w/.@-])@?({_FULL})(?![\w/.(-])", cell):
                name = match.group(1)
                whole = cell.strip("*_`@ ") == name
                if name.startswith("agent-") and name[6:] in document.package.agents_by_name:
                    continue
                if name in document.package.agents_by_name or name in document.package.skills_by_name or (whole or "-" in name or ":" in name) and _looks_like_component(name, document.package):
                    begin = row[column].start + match.start(1)
                    yield name, Span(begin, begin + len(name)), "either", TABLE, others.strip()


def _heading_above(document: MarkdownDocument, offset: int) -> str:
    """The heading of the section that holds an offset."""
    found = ""
    for heading in document.markdown.headings:
        if heading.span.start > offset:
            break
        found = heading.text
    return found


def _lists(document: MarkdownDocument) -> Iterator[tuple[str, Span, str, str, str]]:
    markdown = document.markdown
    text = document.text
    if "elegat" not in text and "and-off" not in text and "andoff" not in text and "and off" not in text and "and over" not in text and "ELEGAT" not in text:
        return
    for one in markdown.lists:
        if one.depth:
            continue
        intro = markdown.intro(one.items[0].start)
        heading = _heading_above(document, one.items[0].start)
        introduced = intro.rstrip("*_ ").endswith(":") and len(intro) < 200 and _DELEGATION_WORDS.search(intro)
        headed = _DELEGATION_WORDS.search(heading) and (intro.lstrip("# ").rstrip("# ") == heading or intro.rstrip("*_ ").endswith(":"))
        if not introduced and not headed:
            continue
        for item in one.items:
            line = text[item.text_start : item.end]
            match = _ITEM_NAME.match(line)
            if match is None:
                continue
            name = match.group(2)
            if not _looks_like_component(name, document.package):
                continue
            begin = item.text_start + match.start(2)
            yield name, Span(begin, begin + len(name)), "either", LISTED, line[match.end() :].strip(" :*-–—→")


def _sentences(document: MarkdownDocument) -> Iterator[tuple[str, Span, str, str, str]]:
    prose = document.markdown.prose
    for word in (" agent", " subagent", " sub-agent"):
        at = prose.find(word, document.frontmatter.body)
        while at >= 0:
            start = max(prose.rfind("\n", 0, at) + 1, at - 160)
            for match in _SENTENCE.finditer(prose, start, min(at + len(word) + 1, len(prose))):
                name = match.group(1)
                if match.end() >= at + len(word) - 1 and ("-" in name or ":" in name) and _looks_like_component(name, document.package):
                    yield name, Span(*match.span(1)), "agent", SENTENCE, ""
            at = prose.find(word, at + 1)


def _qualified(document: MarkdownDocument, namespace: str) -> Iterator[tuple[str, Span, str, str, str]]:
    prose = document.markdown.prose
    pattern = re.compile(rf"(?<![\w/:.@-]){re.escape(namespace)}:({_NAME}(?::{_NAME}){{0,2}})(?![\w/:]|[.-]\w)")
    for match in pattern.finditer(prose, document.frontmatter.body):
        yield match.group(), Span(*match.span()), "either", QUALIFIED, ""


class Graph(NamedTuple):
    """Nodes (qualified name -> kind) and edges of a package or of several."""

    nodes: dict[str, str]
    edges: list[Edge]

    def followers(self) -> dict[str, list[str]]:
        """sender -> names of the agents that it sends work to, known ones only."""
        result: dict[str, list[str]] = {}
        for edge in self.edges:
            if edge.found and edge.found != edge.sender and edge.found not in result.setdefault(edge.sender, []):
                result[edge.sender].append(edge.found)
        return result


def graph_of(packages: list[Package]) -> Graph:
    """The graph of packages whose `edges` were filled."""
    nodes: dict[str, str] = {}
    edges: list[Edge] = []
    for package in packages:
        for document in (*package.agents, *package.skills, *package.commands):
            nodes[document.qualified] = document.kind
        edges.extend(package.edges)
    return Graph(nodes, edges)
