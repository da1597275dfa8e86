"""What a package says of itself: counts, badges, versions, names in tables; and what is there to compare with."""

from __future__ import annotations

import re
from typing import Any, Iterator, NamedTuple

from pluglint import discover as d
from pluglint.finding import Location
from pluglint.manifest_fields import listed_plugins
from pluglint.model import Document, JsonDocument, MarkdownDocument, Package
from pluglint.parse.node import STRING, Node
from pluglint.text import Source, Span
from pluglint.words import NUMBER_WORDS, number

KINDS = ("agent", "skill", "command", "plugin", "hook")


class Tally(NamedTuple):
    """How many components there are.

    accepted  every number that a true statement may give (a reader may count hooks by event or by handler)
    count     the number to suggest
    open      whether more may exist than can be seen from here: plugins that live elsewhere, linked folders
    places    some of the components
    """

    accepted: frozenset[int]
    count: int
    open: bool
    places: tuple[Location, ...]


def tallies(package: Package) -> dict[str, Tally]:
    """kind -> count, for a plugin or for all plugins of a marketplace."""
    return package.memo("tallies", _tallies)


def _tallies(package: Package) -> dict[str, Tally]:
    others = [one for one in package.workspace.packages if one is not package and one.kind == d.PLUGIN] if package.workspace is not None else []
    inner = [one for one in others if one.path.startswith(package.path.rstrip("/") + "/")]
    entries = marketplace_entries(package)
    remote = any((entry.get("source") is not None and entry.get("source").kind != STRING) for entry in entries)
    result = {}
    for kind in ("agent", "skill", "command", "hook"):
        own = _count(package, kind)
        if package.kind == d.MARKETPLACE or (inner and entries):
            accepted = {sum(numbers) for numbers in zip(*(_pair(_count(one, kind)) for one in [package, *inner]))} | (own.accepted if own.count else set())
            total = own.count + sum(_count(one, kind).count for one in inner)
            places = own.places + tuple(place for one in inner[:3] for place in _count(one, kind).places[:1])
            hidden = remote or own.open or any(_count(one, kind).open for one in inner)
            if kind != "hook" and total:  # what two plugins bundle may be counted once
                accepted.add(len({_stem(rel) for one in (package, *inner) for rel, taken in one.taken_for.items() if taken == kind}))
            result[kind] = Tally(frozenset(accepted) | {total}, total, hidden, places[:3])
        elif inner:  # a plugin with other plugins below it: its texts may speak of either
            total = own.count + sum(_count(one, kind).count for one in inner)
            result[kind] = Tally(own.accepted | {total}, own.count, own.open, own.places[:3])
        else:
            result[kind] = own._replace(places=own.places[:3])
    if not result["command"].count:  # each skill is also a slash command
        result["command"] = result["command"]._replace(accepted=frozenset(range(result["skill"].count + 1)))
    else:
        result["command"] = result["command"]._replace(accepted=result["command"].accepted | {result["command"].count + result["skill"].count})
    if entries and package.marketplace is not None:
        local = sum(1 for entry in entries if entry.get("source") is not None and entry.get("source").kind == STRING)
        document = package.marketplace
        result["plugin"] = Tally(frozenset({len(entries), local, len(inner)}), len(entries), False, (document.at(document.root.key("plugins").span, f"{len(entries)} entries"),))
    return result


def _stem(rel: str) -> str:
    """The name of a component by its path."""
    return (rel.rpartition("/")[0] if rel.endswith("/SKILL.md") else rel.removesuffix(".md")).rpartition("/")[2]


def _pair(tally: Tally) -> tuple[int, int]:
    return tally.count, min(tally.accepted)


def _count(package: Package, kind: str) -> Tally:
    return package.memo("count-" + kind, lambda one: _own(one, kind))


def _own(package: Package, kind: str) -> Tally:
    if kind == "hook":
        return _hooks(package)
    rels = [rel for rel, taken in package.taken_for.items() if taken == kind]
    documents = {"agent": package.agents, "skill": package.skills, "command": package.commands}[kind]
    accepted = {len(rels)}
    # A README below agents/ is loaded, but nobody counts it.
    notes = ("readme.md", "claude.md", "agents.md")
    accepted.add(sum(1 for rel in rels if not rel.lower().endswith(notes)))
    if kind == "agent":
        accepted.add(sum(1 for one in documents if one.header is not None or one.frontmatter.error is not None))
    # The skill or command that carries the plugin's own name is its front door, and often not counted.
    own_names = {package.name, package.path.rstrip("/").rpartition("/")[2]}
    if any(one.name in own_names for one in documents):
        accepted |= {count - 1 for count in accepted}
    folder = kind + "s"
    # Components in folders that the client does not read (a pack of plugins without manifests): no telling what is meant.
    nested = any(f"/{folder}/" in rel and taken in ("page", "reference", "skill") for rel, taken in package.taken_for.items())
    linked = nested or any(entry.link is not None and (entry.folder or entry.link == "dangling") for rel, entry in package.entries.items() if entry.link is not None and rel.split("/")[0] == folder)
    places = tuple(one.at(one.first_line(), f"one of {len(rels)}") for one in documents[:3])
    return Tally(frozenset(accepted), len(rels), linked, places)


def _hooks(package: Package) -> Tally:
    events = groups = handlers = 0
    commands = set()
    places = []
    nodes: list[tuple[JsonDocument, Node | None]] = [(one, one.get("hooks") or one.root) for one in package.json if one.kind == "hooks"]
    if package.manifest is not None and package.manifest.get("hooks") is not None and package.manifest.get("hooks").pairs:
        node = package.manifest.get("hooks")
        nodes.append((package.manifest, node.get("hooks") or node))
    for document, node in nodes:
        if node is None:
            continue
        places.append(document.at(document.first_line(), "the hooks"))
        for _, event in node.pairs:
            events += 1
            for group in event.items:
                groups += 1
                inside = group.get("hooks")
                for handler in inside.items if inside is not None else ():
                    handlers += 1
                    commands.add(handler.string("command"))
    return Tally(frozenset({events, groups, handlers, len(commands)}), handlers, bool(package.problems), tuple(places))


def marketplace_entries(package: Package) -> tuple[Node, ...]:
    node = package.marketplace.get("plugins") if package.marketplace is not None else None
    return tuple(item for item in node.items if item.pairs) if node is not None else ()


def entry_packages(package: Package) -> list[tuple[Node, Package]]:
    """Each marketplace entry with a local source, and the package that lies there."""
    entries = listed_plugins(package.marketplace) if package.marketplace is not None else []
    return [(entry.node, entry.package) for entry in entries if entry.package is not None]


def own_entries(package: Package) -> list[tuple[Node, Package]]:
    """`entry_packages` without the former names that a marketplace keeps beside the plugin's own."""
    pairs = entry_packages(package)
    kept = {id(target) for entry, target in pairs if entry.string("name") == target.name}
    return [(entry, target) for entry, target in pairs if id(target) not in kept or entry.string("name") == target.name]


# -- badges


class Badge(NamedTuple):
    """A static badge: `label` and `value` decoded, `span` of the value as written, `alt` with its place."""

    label: str
    value: str
    span: Span
    alt: str
    alt_start: int


def badges(document: MarkdownDocument) -> Iterator[Badge]:
    text = document.text
    mark = "img.shields.io/badge/"
    at = text.find(mark, document.frontmatter.body)
    while at >= 0:
        begin = at + len(mark)
        match = re.compile(r"[^\s)\"'>?]{1,300}").match(text, begin)
        at = text.find(mark, begin)
        if match is None:
            continue
        raw = match.group().replace("--", "\0\0").replace("__", "\1\1")
        parts = raw.split("-")
        value = parts[-2] if len(parts) >= 3 else parts[0]
        start = begin + (len("-".join(parts[:-2])) + 1 if len(parts) >= 3 else 0)
        label = "-".join(parts[:-2]) if len(parts) >= 3 else ""
        alt, alt_start = "", 0
        line = text.rfind("\n", 0, begin) + 1
        bracket = text.rfind("![", line, begin)
        if bracket >= 0 and "](" in text[bracket:begin]:
            alt_start = bracket + 2
            alt = text[alt_start : text.index("](", bracket)]
        yield Badge(_decoded(label), _decoded(value), Span(start, start + len(value)), alt, alt_start)


def _decoded(part: str) -> str:
    if "%" in part:
        from urllib.parse import unquote  # rarely needed, and slow to load

        part = unquote(part)
    return part.replace("_", " ").replace("\0\0", "-").replace("\1\1", "_").strip()


# -- counts


class Claim(NamedTuple):
    """A stated count: of what, how many, where. `at_least`: "50+", "over 50"."""

    kind: str
    value: int
    span: Span
    at_least: bool = False
    strict: bool = True  # a heading, badge or table: also wrong when there is none at all


_NOUN = r"(?:sub-?)?agents?|(?:agent )?skills?|(?:slash )?commands?|plugins?|hooks?"
_NEUTRAL = frozenset(
    "specialized specialised specialist expert local ai custom dedicated domain claude code slash agent autonomous focused composable marketplace production-ready "
    "purpose-built reusable powerful interactive individual included bundled built-in plugin total curated different comprehensive".split()
)
_REFUSED_BEFORE = frozenset(
    "to top first last next another other new more additional remaining these those my your each every per most least about around nearly almost some roughly "
    "approximately by or from between only than needs requires minimum maximum max min take takes".split()
)
_SUBJECT = r"\b(?:plugin|suite|package|collection|marketplace|toolkit|kit|pack|bundle|library|repository|repo|it|we)\b"
_OWNS = (
    r"\b(?:has|have|contains?|include[sd]?|including|provides?|providing|ships?|shipping|comes? with|offers?|offering|bundles?|bundling|brings?|adds?|packs?|"
    r"features|featuring|consists? of|with|of|combines?|combining|comprises?|delivers?|installs?)\b"
)


def kind_of(noun: str) -> str:
    noun = noun.lower().rstrip("s")
    for kind in KINDS:
        if noun.endswith(kind):
            return kind
    return ""


def claims_in_text(text: str, start: int, end: int, whole: bool) -> Iterator[Claim]:
    """Counts that running text states. `whole`: the text is a description of the package, so no subject is asked for."""
    if not any(word in text for word in ("agents", "skills", "commands", "plugins", "hooks", "Agents", "Skills", "Commands", "Plugins", "Hooks")):
        return
    words = "|".join(word for word, value in NUMBER_WORDS.items() if value > 1)
    pattern = (
        rf"(?i)(?<![\w.,#$/:%–—-])(\d{{1,3}}(?:,\d{{3}})+|\d{{1,5}}|{words})(\+?)[*_`]{{0,3}}((?:[ \n]+[A-Za-z-]+){{0,3}}?)[ \n]+[*_]{{0,3}}"
        r"((?:sub-?)?agents|skills|commands|plugins|hooks)\b(?![-/'’\w]|:\w)"
    )
    found = []
    for match in re.compile(pattern).finditer(text, start, end):
        value = number(match.group(1))
        middle = match.group(3).lower().split()
        if len(found) >= 400:  # no description of a package states more
            break
        if value is None or any(word not in _NEUTRAL for word in middle):
            continue
        sentence = _sentence_start(text, start, match.start())
        stop = _sentence_end(text, match.end(), end)
        before, after = text[sentence : match.start()], text[match.end() : stop]
        at_least = bool(match.group(2)) or bool(re.search(r"(?i)\b(?:over|more than)\s+[*_]*\Z", before))
        if _refused(before, after, at_least):
            continue
        found.append((match, value, at_least, before, after, sentence))
    for at, (match, value, at_least, before, after, sentence) in enumerate(found):
        near = [other for other in (found[at - 1] if at else None, found[at + 1] if at + 1 < len(found) else None) if other is not None]
        listed = any(other[5] == sentence and kind_of(other[0].group(4)) != kind_of(match.group(4)) and _gap(match, other[0]) <= 25 for other in near)
        if whole or listed or re.search(r"(?i)\ball(?: of (?:the|its|our))?\s+[*_]*\Z", before) or (
            re.search(rf"(?i){_OWNS}[^.;:]{{0,60}}\Z", before) and re.search(rf"(?i)(?:\b(?:this|the|our)\s+(?:[\w-]+\s+){{0,2}}|\A\W*(?:an?\s+|the\s+)?(?:[\w-]+\s+){{0,3}}){_SUBJECT}", before)
        ):
            yield Claim(kind_of(match.group(4)), value, Span(*match.span(1)), at_least, listed)


def _gap(one: re.Match, other: re.Match) -> int:
    return other.start() - one.end() if one.start() < other.start() else one.start() - other.end()


def _sentence_start(text: str, start: int, at: int) -> int:
    floor = max(start, at - 200)
    best = floor
    for mark in (". ", ".\n", "! ", "? ", "; ", "\n\n", "\n- ", "\n* ", "\n#", "\n|", "|", "\n> \n", ": "):
        here = text.rfind(mark, floor, at)
        if here >= 0:
            best = max(best, here + len(mark))
    return best


def _sentence_end(text: str, at: int, end: int) -> int:
    limit = min(end, at + 120)
    ends = [here for here in (text.find(mark, at, limit) for mark in (". ", ".\n", "; ", "\n\n", "\n- ", "\n* ", "\n#", "|")) if here >= 0]
    return min(ends, default=limit)


def _refused(before: str, after: str, at_least: bool) -> bool:
    """Whether the words around say that the count is not one of the whole package."""
    last = before.rstrip(" \n*_`(>").rsplit(None, 1)[-1:] or [""]
    word = last[0].strip("*_`(~≈").lower()
    if (word in _REFUSED_BEFORE and not at_least) or before.rstrip().endswith(("~", "≈", "<", ">", "≤", "≥", "=", "/")):
        return True
    if last[0][:1].isupper() and word not in ("all", "with", "includes", "contains", "has", "provides", "the", "and", "features", "ships") and before.strip(" \n*_`(>"):
        return True  # "Claude 4 agents", "Tier 2 agents"
    if re.search(r"\d\+?\s+(?:out )?of\s+(?:the |its |our )?\Z", before):
        return True
    if re.search(
        r"(?i)\b(?:each|per|every|if|when|will|would|could|might|planned|e\.g|example|previous\w*|spawn\w*|launch\w*|runs?|running|dispatch\w*|start\w*|creat\w*|invok\w*|"
        r"call\w*|pick|choose|select|assign\w*|us(?:e|es|ing)|orchestrat\w*|coordinat\w*|deploy\w*|delegat\w*|across|parallel|version|was|were|had|from)\b",
        before,
    ):
        return True
    if re.match(r"(?i)[*_]*\s+(?:can|will|may|should|must|run|runs|work|works|in parallel|at|per|each|such|like|simultaneous\w*|concurrent\w*|or|and/or|plus more|more)\b", after):
        return True
    joined = re.match(r"(?i)[*_]*,?\s*(?:and|or|&|/|\+)\s*[*_]*(?:([A-Za-z-]+)\s+)?(?:agents|skills|commands|hooks|plugins)\b", after)
    if joined is not None and (joined.group(1) or "").lower() not in NUMBER_WORDS:
        return True  # a sum over both
    return bool(re.search(r"(?i)\b(?:in parallel|at once|at a time|simultaneously|concurrently|each|per|apiece|such as)\b", after[:60]))


_NOT_NOW = r"(?i)\b(?:road ?map|planned|future|upcoming|change ?log|what.?s new|news|updates?|history|releases?|migrat\w+|examples?|usage|workflows?|troubleshoot\w*|faq|install\w*|setup|set up|getting started|quick ?start|v?\d+\.\d+|coming soon|how (?:it|to)|comparison|contributing|related)\b"
_INVENTORY = r"(?i)(?:what.?s (?:inside|included|in)|overview|features|contents|components|what (?:it|you|this)|at a glance|stat(?:istic)?s|inventory|highlights|summary|include[sd])"


def claims_in_readme(document: MarkdownDocument) -> Iterator[Claim]:
    """Counts of components that a README states of its whole package, each once."""
    text = document.text
    if not any(word in text for word in ("gent", "kill", "ommand", "lugin", "ook")):
        return
    yield from _badge_claims(document)
    markdown = document.markdown
    yield from _heading_claims(document)
    yield from _table_claims(document)
    prose = markdown.prose
    blocked = sorted([heading.span for heading in markdown.headings] + [table.span for table in markdown.tables] + markdown.code_spans)
    for begin, end, chain in _parts(document):
        if any(re.search(_NOT_NOW, title) for title in chain):
            continue
        for claim in claims_in_text(prose, begin, end, False):
            if not any(span[0] <= claim.span.start < span[1] for span in blocked):
                yield claim
        if not chain or re.search(_INVENTORY, chain[-1]):
            yield from _line_claims(prose, begin, end, blocked)


def _parts(document: MarkdownDocument) -> Iterator[tuple[int, int, list[str]]]:
    """(start, end, titles of the headings of level 2 and below that hold it) of each stretch between headings."""
    markdown = document.markdown
    sections = markdown.sections
    yield document.frontmatter.body, (sections[0].heading.span.start if sections else len(document.text)), []
    chain: list[tuple[int, str]] = []
    for section in sections:
        while chain and chain[-1][0] >= section.heading.level:
            chain.pop()
        if section.heading.level > 1:
            chain.append((section.heading.level, section.heading.text))
        yield section.start, section.own_end, [title for _, title in chain]


def _line_claims(prose: str, begin: int, end: int, blocked: list[Span]) -> Iterator[Claim]:
    """List items of an inventory: "- **6 skills** for ...", "- Agents: 5"."""
    pattern = rf"\n[ >]{{0,3}}(?:[-*+] +)?[*_]{{0,2}}(?:(\d{{1,3}}(?:,\d{{3}})+|\d{{1,5}})(\+?)[ *_]+((?:[A-Za-z-]+ ){{0,2}})({_NOUN})(?:[*_]{{0,2}} *(?:[:(,.–—-]|for\b|covering\b|\n|\Z))|({_NOUN})[*_]{{0,2}}: ?[*_]{{0,2}} ?(\d{{1,5}})(\+?)[*_]{{0,2}} *(?=[\n|(,]|\Z))"
    for match in re.compile(pattern, re.I).finditer(prose, max(begin - 1, 0), end):
        group, noun, plus = (1, 4, 2) if match.group(1) else (6, 5, 7)
        if match.group(1) and any(word.lower() not in _NEUTRAL for word in match.group(3).split()):
            continue
        if any(span[0] <= match.start(group) < span[1] for span in blocked):
            continue
        value = number(match.group(group))
        line_end = prose.find("\n", match.end())
        rest = prose[match.end() - 1 : line_end if line_end > 0 else end]
        if value is not None and value > 1 and not _refused("", rest, False):
            yield Claim(kind_of(match.group(noun)), value, Span(*match.span(group)), bool(match.group(plus)))


def _heading_claims(document: MarkdownDocument) -> Iterator[Claim]:
    """`## Skills (6)`, `## 6 Skills`, `## The five agents`. Headings of groups ("Backend agents (3)") state nothing about the whole."""
    found = []
    adjective = "|".join(sorted(_NEUTRAL)) + "|available|our|the|all"
    words = "|".join(word for word, value in NUMBER_WORDS.items() if value > 1)
    stack: list[tuple[int, str]] = []
    for heading in document.markdown.headings:
        while stack and stack[-1][0] >= heading.level:
            stack.pop()
        parents = [title for level, title in stack if level > 1]
        stack.append((heading.level, heading.text))
        if len(heading.text) > 80 or heading.level == 1 and not re.match(r"\W*\d", heading.text):
            continue
        match = re.match(
            rf"(?i)[^\w\n]*(?:(?:{adjective})[ -])*({_NOUN})\W{{0,4}}[(\[:–—-]\s*(\d{{1,5}})(\+?)(?: (?:total|in total))?\s*[)\]*_]*\s*\Z", heading.text
        )
        noun, value = (1, 2)
        if match is None:
            match = re.match(rf"(?i)[^\w\n]*(?:(?:the|our|all) )?(\d{{1,5}}|{words})(\+?) (?:(?:{adjective}) )*({_NOUN})[^\w\n]*\Z", heading.text)
            noun, value = (3, 1)
        if match is None or heading.level > 2 and parents and not all(re.search(_INVENTORY, title) or kind_of(title.strip(" *_")) for title in parents):
            continue
        if any(re.search(_NOT_NOW, title) for title in parents):
            continue
        count = number(match.group(value))
        if count is not None:
            at = heading.span.start + match.start(value)
            plus = match.group(3 if noun == 1 else 2)
            found.append(Claim(kind_of(match.group(noun)), count, Span(at, at + len(match.group(value))), bool(plus)))
    for claim in found:
        if len({other.value for other in found if other.kind == claim.kind}) == 1:  # several: parts of a whole
            yield claim


def _table_claims(document: MarkdownDocument) -> Iterator[Claim]:
    """`| Agents | 5 |` below a column that counts."""
    markdown = document.markdown
    for table in markdown.tables:
        header = [markdown.slice(cell).strip("*_ ").lower() for cell in markdown.cells(table.header)]
        column = next((at for at, cell in enumerate(header) if at and cell in ("count", "number", "#", "total", "quantity", "how many")), None)
        if column is None:
            continue
        rows = [row for row in markdown.rows(table) if len(row) > column]
        named = [(re.fullmatch(rf"(?i)[^\w]*({_NOUN})[^\w]*", markdown.slice(row[0])), row[column]) for row in rows]
        kinds = [kind_of(match.group(1)) for match, _ in named if match is not None]
        for match, cell in named:
            raw = markdown.slice(cell)
            count = re.fullmatch(r"\W*(\d{1,3}(?:,\d{3})+|\d{1,5})(\+?)\W*", raw)
            if match is not None and count is not None and kinds.count(kind_of(match.group(1))) == 1 and not re.search(r"`\.(?!claude\b)[a-z][\w-]*/", document.source.slice(document.source.line_span(cell.start))):  # what another client gets
                at = cell.start + count.start(1)
                yield Claim(kind_of(match.group(1)), number(count.group(1)) or 0, Span(at, at + len(count.group(1))), bool(count.group(2)))


def _badge_claims(document: MarkdownDocument) -> Iterator[Claim]:
    for badge in badges(document):
        whole = f"{badge.label}: {badge.value}" if badge.label else badge.value
        match = re.fullmatch(rf"(?i)(?:total )?({_NOUN})\W{{1,3}}(\d{{1,5}})(\+?)|(\d{{1,5}})(\+?) ({_NOUN})", whole)
        if match is not None:
            digits = match.group(2) or match.group(4)
            at = document.text.rfind(digits, badge.span.start, badge.span.end)
            if at >= 0:
                yield Claim(kind_of(match.group(1) or match.group(6)), int(digits), Span(at, at + len(digits)), bool(match.group(3) or match.group(5)))
        match = re.fullmatch(rf"(?i)(?:total )?({_NOUN})\W{{1,3}}(\d{{1,5}})(\+?)", badge.alt)
        if match is not None:
            yield Claim(kind_of(match.group(1)), int(match.group(2)), Span(badge.alt_start + match.start(2), badge.alt_start + match.end(2)), bool(match.group(3)))


# -- values of JSON files


def span_in(source: Source, node: Node, start: int, end: int) -> Span:
    """The place of `node.text[start:end]` in the file; the whole value when escapes moved it and it cannot be found."""
    inner = node.span.start + 1
    if node.span.end - node.span.start - 2 == len(node.text):
        return Span(inner + start, inner + end)
    context = node.text[start : end + 8]
    at = source.text.find(context, node.span.start, node.span.end)
    return Span(at, at + end - start) if at >= 0 else node.span


# -- names in tables and lists


class Named(NamedTuple):
    """A name in the first cell of a table row, or at the start of a list item."""

    name: str
    span: Span


def plain_name(raw: str, start: int) -> Named | None:
    """The component name that a cell or list item holds, without marks: `**[x](./skills/x)**`, `` `/x FILE` ``, `@plugin:x`."""
    match = re.match(r"[*_~\s]*(?:\[[*_`]*)?[`*_]*/((?:[\w.-]+:)*[A-Za-z][\w-]*)(?=[\s`*_\]]|\Z)", raw) or re.match(r"[*_~\s]*(?:\[[*_`]*)?[`*_]*(?:@agent-|[/@])?((?:[\w.-]+:)*[A-Za-z][\w-]*(?: [A-Za-z][\w-]*){0,4})(?=[`*_\]]|\s*\Z|\s*[(:]|\s+[–—-])", raw)
    if match is None:
        return None
    name = match.group(1).strip("_")
    bare = name.rpartition(":")[2]
    at = start + match.start(1) + len(name) - len(bare)
    return Named(bare, Span(at, at + len(bare)))


def folded(name: str) -> str:
    """A name as a person may write it: "Data cleaning" for data-cleaning."""
    return name.lower().replace(" ", "-").replace("_", "-").strip("-")


def known_names(package: Package) -> dict[str, tuple[str, Document]]:
    """Folded name -> (kind, document) of each component of a package."""
    return package.memo("known_names", _known)


def _known(package: Package) -> dict[str, tuple[str, Document]]:
    names: dict[str, tuple[str, Document]] = {}
    for kind, documents in (("agent", package.agents), ("skill", package.skills), ("command", package.commands)):
        for one in documents:
            for name in (one.name, one.string("name").strip(), one.stem if kind != "skill" else ""):
                if name:
                    names.setdefault(folded(name), (kind, one))
    return names


def same_version(one: str, other: str) -> bool:
    """`v1.4` says the same as `1.4.0`; build metadata counts for nothing."""
    return _version(one) == _version(other)


def _version(text: str) -> Any:
    core, dash, pre = text.strip().lstrip("vV=").partition("+")[0].partition("-")
    parts = core.split(".")
    while len(parts) > 1 and parts[-1] in ("0", "x"):
        parts.pop()
    return [part.lstrip("0") or "0" for part in parts], pre


def is_version(text: str) -> bool:
    return re.fullmatch(r"v?\d+(?:\.\d+){1,3}(?:[-+][0-9A-Za-z.+-]+)?", text.strip()) is not None


class Inventory(NamedTuple):
    """A table or list of the README that names components of this package.

    head      where to point for the table as a whole
    kind      the kind of component it lists, "" for a mixture
    known     (name, kind, document) that exist; `gone` names that do not, though they look like components
    label     "table" or "list"; `about` the kind that the heading or the column title speaks of
    """

    label: str
    head: Span
    kind: str
    known: list[tuple[Named, str, Document]]
    gone: list[Named]
    texts: list[tuple[Named, str, Span]]
    about: str


def inventories(readme: MarkdownDocument) -> list[Inventory]:
    """The tables and lists of a README at least half of whose names are components of the package."""
    return readme.package.memo("inventories", lambda package: _inventories(readme))


# Titles of columns whose names are no components, though some may be called alike.
_OTHER_TITLES = frozenset("tool tools role roles option flag event hook file script package setting variable".split())


def _inventories(readme: MarkdownDocument) -> list[Inventory]:
    markdown = readme.markdown
    known = known_names(readme.package)
    found = []
    if not known:
        return found
    for table in markdown.tables:
        header = markdown.cells(table.header)
        titles = [markdown.slice(cell).strip("*_` ").lower() for cell in header]
        if titles and titles[0] in _OTHER_TITLES:
            continue
        rows = [row for row in markdown.rows(table) if row]
        names = [plain_name(markdown.slice(row[0]), row[0].start) for row in rows]
        column = next((at for at, title in enumerate(titles) if at and title in ("description", "what it does", "purpose")), None)
        texts = [(name, markdown.slice(row[column]), row[column]) for name, row in zip(names, rows) if column is not None and name is not None and column < len(row)]
        inventory = _inventory("table", header[0] if header and header[0].end > header[0].start else table.header, _kind_above(markdown, table.span.start, titles[:1]), names, known, texts, markdown)
        if inventory is not None:
            found.append(inventory)
    for items in markdown.lists:
        if items.depth or len(items.items) > 400:
            continue
        names = [_item_name(markdown, item.text) for item in items.items]
        inventory = _inventory("list", items.items[0].text, _kind_above(markdown, items.span.start, []), names, known, [], markdown)
        if inventory is not None:
            found.append(inventory)
    return found


def _item_name(markdown: Any, span: Span) -> Named | None:
    """The name that a list item starts with: marked (bold, code, link), or with a colon or dash behind it."""
    raw = markdown.slice(span)
    named = plain_name(raw, span.start)
    if named is None or "." in named.name:
        return None
    after = markdown.text[named.span.end : span.end].lstrip("`*_])")
    marked = raw[:1] in "`*_["
    return named if marked or not after.strip() or after.lstrip()[:1] in "(:–—-" else None


def _kind_above(markdown: Any, offset: int, titles: list[str]) -> str:
    """The kind that the column title or the heading above speaks of."""
    for text in (*titles, markdown.heading_above(offset)):
        match = re.search(rf"(?i)\b({_NOUN})\b", text)
        if match is not None:
            return kind_of(match.group(1))
    return ""


def _inventory(label: str, head: Span, kind: str, names: list[Named | None], known: dict, texts: list, markdown: Any) -> Inventory | None:
    there, gone = [], []
    for name in names:
        if name is None:
            continue
        hit = known.get(folded(name.name))
        if hit is not None:
            there.append((name, *hit))
        elif name.name == name.name.lower() and " " not in name.name and ("-" in name.name or markdown.text[name.span.start - 1] in "`/"):
            gone.append(name)
    if len(there) < 2 or len(there) * 2 < len(names):
        return None
    kinds = {one for _, one, _ in there}
    return Inventory(label, head, kinds.pop() if len(kinds) == 1 else "", there, gone, texts, kind)
