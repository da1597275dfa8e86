"""The package as rules see it: documents with spans, and the indexes that need all of them.

Nothing here judges. Documents are built once by load.py and never change.
"""

from __future__ import annotations

from typing import Any, Iterable, NamedTuple

from pluglint import discover as d
from pluglint.finding import Location
from pluglint.needles import Needles, places_of
from pluglint.parse.frontmatter import FrontMatter, cut
from pluglint.parse.json import parse_json
from pluglint.parse.markdown import Markdown
from pluglint.parse.node import ALIAS, LIST, MAP, NULL, STRING, Node
from pluglint.text import Source, Span

_NO_SCALARS = frozenset((LIST, MAP, ALIAS, NULL))

TOO_LARGE, UNREADABLE, NOT_A_FILE = "too-large", "unreadable", "not-a-file"


class Value(NamedTuple):
    """A text with its place."""

    text: str
    span: Span


class Document:
    """A text file of the package. `kind` is one of the subjects of `rule.py`."""

    __slots__ = ("kind", "source", "package", "_places")

    def __init__(self, kind: str, source: Source, package: "Package") -> None:
        self.kind = kind
        self.source = source
        self.package = package
        self._places: dict[str, list[int]] | None = None

    def places(self, word: str) -> list[int]:
        """Offsets at which a word stands in the text, in order."""
        needles = self.package.needles
        if needles is None or word not in needles.words:
            return places_of(word, self.source.text)
        if self._places is None:
            self._places = needles.places(self.source.text)
        return self._places.get(word, [])

    def holds(self, words: Iterable[str]) -> bool:
        """Whether one of some words stands in the text."""
        needles = self.package.needles
        if needles is None:
            text = self.source.text
            return any(word in text for word in words)
        if self._places is None:
            self._places = needles.places(self.source.text)
        for word in words:
            if word in self._places or word not in needles.words and word in self.source.text:
                return True
        return False

    @property
    def rel(self) -> str:
        return self.source.rel

    @property
    def text(self) -> str:
        return self.source.text

    @property
    def folder(self) -> str:
        """The folder that holds the file, relative to the package; empty at its root."""
        return self.source.rel.rpartition("/")[0]

    @property
    def stem(self) -> str:
        """The file name without its ending."""
        return self.source.rel.rpartition("/")[2].rsplit(".", 1)[0]

    def at(self, span: Span, label: str = "") -> Location:
        return Location(self.source, span, label)

    def release(self) -> None:
        """Forgets what can be made again: on a big tree it is many times the size of the text."""
        self._places = None

    def first_line(self) -> Span:
        return self.source.line_span(0)


class MarkdownDocument(Document):
    """A Markdown file: header (`frontmatter`), `body` offset, structure (`markdown`, scanned on first use)."""

    __slots__ = ("frontmatter", "_markdown", "_edges", "_fields", "_names", "_qualified")

    def __init__(self, kind: str, source: Source, package: "Package") -> None:
        super().__init__(kind, source, package)
        self.frontmatter: FrontMatter = cut(source.text, source.newline != "\n")
        self._markdown: Markdown | None = None
        self._edges: list | None = None
        node = self.frontmatter.node
        self._fields: dict[str, Node] = {key.text: value for key, value in node.pairs} if node is not None else {}  # the last of a repeated key counts
        self._names: dict[str, list[Value]] = {}
        self._qualified = ""

    def release(self) -> None:
        super().release()
        self._markdown = None
        self._edges = None

    @property
    def edges(self) -> list:
        """The delegations that the file states (see mentions.py), found once."""
        if self._edges is None:
            from pluglint.mentions import edges_of

            self._edges = edges_of(self)
        return self._edges

    @property
    def markdown(self) -> Markdown:
        if self._markdown is None:
            self._markdown = Markdown(self.source.text, self.frontmatter.body)
        return self._markdown

    @property
    def header(self) -> Node | None:
        """The map of the header, or None when there is none that parses."""
        return self.frontmatter.node

    @property
    def body(self) -> str:
        return self.source.text[self.frontmatter.body :]

    def field(self, key: str) -> Node | None:
        """The value under a key of the header, or None."""
        return self._fields.get(key)

    def string(self, key: str) -> str:
        """A scalar of the header as text, or the empty string."""
        node = self._fields.get(key)
        return node.text if node is not None and node.kind not in _NO_SCALARS else ""

    def flag(self, key: str) -> bool | None:
        """A yes or no of the header in any spelling that the client takes, or None where it is neither."""
        node = self.field(key)
        word = node.text.strip().lower() if node is not None and node.kind not in (LIST, MAP) else ""
        return True if word in ("true", "yes", "on", "1") else False if word in ("false", "no", "off", "0") else None

    def names(self, key: str) -> list[Value]:
        """A field that lists names: a YAML list, or one string with commas or blanks between them.

        Parentheses hold together: `Bash(git log, git diff)` is one name.
        """
        if key not in self._names:
            self._names[key] = self._split(key)
        return self._names[key]

    def _split(self, key: str) -> list[Value]:
        node = self.field(key)
        if node is None:
            return []
        if node.kind == LIST:
            return [Value(item.text, item.span) for item in node.items if item.kind not in (LIST, MAP, NULL)]
        if node.kind != STRING:
            return []
        inner = self.source.text.find(node.text, node.span.start, node.span.end)
        if inner < 0:  # a folded or escaped value: its own text has no place
            return [Value(name, node.span) for name, _ in split_names(node.text)]
        return [Value(name, Span(inner + at, inner + at + len(name))) for name, at in split_names(node.text)]

    @property
    def description(self) -> str:
        """The description as the client reads it: one text, trimmed."""
        return self.string("description").strip()

    @property
    def listing(self) -> str:
        """What the model is told of the component, before the client cuts it: of skills also `when_to_use`."""
        more = self.string("when_to_use").strip() if self.kind != "agent" else ""
        return f"{self.description} - {more}" if more else self.description

    @property
    def name(self) -> str:
        """The name under which the client knows the component.

        Agents: the header's name, else the file name. Skills and commands: the folder or file name.
        """
        if self.kind == "agent":
            return self.string("name").strip() or self.stem
        if self.kind == "skill":
            return self.folder.rpartition("/")[2] or self.string("name").strip() or self.package.name
        return self.stem

    @property
    def qualified(self) -> str:
        """The name that the model is shown: `plugin:agent`, `plugin:sub:agent`, `plugin:skill`; bare outside plugins."""
        if not self._qualified:
            sub = self.package.agent_subfolder(self).replace("/", ":") if self.kind == "agent" else ""
            self._qualified = ":".join(part for part in (self.package.namespace, sub, self.name) if part)
        return self._qualified


class JsonDocument(Document):
    """A JSON file: its tree (`node`) or why there is none (`error`)."""

    __slots__ = ("node", "error")

    def __init__(self, kind: str, source: Source, package: "Package") -> None:
        super().__init__(kind, source, package)
        self.node, self.error = parse_json(source.text)

    @property
    def root(self) -> Node | None:
        """The top-level object, or None when the file does not hold one."""
        return self.node if self.node is not None and self.node.kind == MAP else None

    def get(self, *keys: str) -> Node | None:
        """The value at a path of keys, or None."""
        node = self.root
        for key in keys:
            if node is None or node.kind != MAP:
                return None
            node = node.get(key)
        return node


class Unread(NamedTuple):
    """A file that was not opened, and why."""

    entry: d.Entry
    kind: str
    reason: str
    source: Source
    detail: str = ""


class Package:
    """One package root with all that was read in it."""

    def __init__(self, root: d.Root) -> None:
        self.kind = root.kind
        self.path = root.path
        self.shown = root.shown
        self.entries = root.entries
        self.problems = root.problems
        self.excluded = root.excluded
        self.manifest: JsonDocument | None = None
        self.portable_manifest: JsonDocument | None = None
        self.marketplace: JsonDocument | None = None
        self.agents: list[MarkdownDocument] = []
        self.skills: list[MarkdownDocument] = []
        self.commands: list[MarkdownDocument] = []
        self.readme: MarkdownDocument | None = None
        self.changelog: MarkdownDocument | None = None
        self.markdown: list[MarkdownDocument] = []  # every Markdown document, the above included
        self.json: list[JsonDocument] = []  # every JSON document that the client reads
        self.unread: list[Unread] = []
        self.documents: dict[str, Document] = {}
        self.taken_for: dict[str, str] = {}  # rel -> what each file was taken for
        self.config: Any = None
        self.needles: Needles | None = None  # set by the engine where there is enough text to pay for it
        self.workspace: "Workspace | None" = None
        self.edges: list = []  # filled by the engine before package rules run: see graph.py
        self._memo: dict[str, Any] = {}

    # -- names

    @property
    def name(self) -> str:
        """The plugin's name: the manifest's, the portable manifest's, or the folder's."""
        return self.memo("name", _name)

    @property
    def is_plugin(self) -> bool:
        return self.kind in (d.PLUGIN, d.MARKETPLACE)

    @property
    def namespace(self) -> str:
        """What the client puts before names: the plugin's name, nothing in a project's own folders."""
        return self.name if self.is_plugin else ""

    @property
    def version(self) -> str:
        return self.manifest.root.string("version") if self.manifest is not None and self.manifest.root is not None else ""

    def agent_subfolder(self, agent: Document) -> str:
        """The folders between `agents/` and the file: they become part of the agent's name."""
        folder = agent.folder
        if folder == "agents":
            return ""
        if folder.startswith("agents/"):
            return folder[len("agents/") :]
        return folder if self.kind == d.AGENTS_FOLDER else ""

    def memo(self, key: str, make: Any) -> Any:
        """A value that several rules share, made once."""
        if key not in self._memo:
            self._memo[key] = make(self)
        return self._memo[key]

    @property
    def agents_by_name(self) -> dict[str, MarkdownDocument]:
        """Every spelling that finds an agent of this package from inside it: bare, with sub-folder, and qualified."""
        return self.memo("agents_by_name", _agents_by_name)

    @property
    def skills_by_name(self) -> dict[str, MarkdownDocument]:
        """Every spelling that finds a skill: folder name, header name, and both qualified."""
        return self.memo("skills_by_name", _skills_by_name)

    @property
    def commands_by_name(self) -> dict[str, MarkdownDocument]:
        return self.memo("commands_by_name", lambda package: {c.name: c for c in package.commands})

    # -- files

    def exists(self, rel: str) -> bool:
        """Whether a path (forward slashes, relative to the root) exists, folders included, in this exact case.

        Files that the configuration excludes from checking exist.
        """
        rel = rel.strip("/")
        return not rel or rel in self.entries or rel in self.excluded

    def place(self, rel: str = "") -> Location:
        """Somewhere to point at when a package as a whole is meant: its manifest, else its first document, else an empty file."""
        for document in (self.manifest, self.portable_manifest, self.marketplace, self.readme):
            if document is not None and not rel:
                return document.at(document.first_line())
        if not rel and self.documents:
            document = next(iter(self.documents.values()))
            return document.at(document.first_line())
        return Location(Source(d.shown_path(self.shown, rel) or ".", rel, ""), Span(0, 0), "")


class Workspace:
    """All packages of one target."""

    def __init__(self, packages: list[Package], only: str | None = None) -> None:
        self.packages = packages
        self.only = only
        for package in packages:
            package.workspace = self


def split_names(text: str) -> list[tuple[str, int]]:
    """Names between commas or blanks, parentheses held together, with their offsets."""
    found = []
    depth = 0
    start = -1
    for at, char in enumerate(text):
        if char == "(":
            depth += 1
        elif char == ")":
            depth = max(0, depth - 1)
        if depth == 0 and (char == "," or char.isspace()):
            if start >= 0:
                found.append((text[start:at], start))
                start = -1
        elif start < 0:
            start = at
    if start >= 0:
        found.append((text[start:], start))
    return found


def _name(package: Package) -> str:
    for document in (package.manifest, package.portable_manifest):
        if document is not None and document.root is not None and document.root.string("name"):
            return document.root.string("name")
    return package.path.rstrip("/").rpartition("/")[2]


def _agents_by_name(package: Package) -> dict[str, MarkdownDocument]:
    names: dict[str, MarkdownDocument] = {}
    for agent in package.agents:
        sub = package.agent_subfolder(agent).replace("/", ":")
        local = f"{sub}:{agent.name}" if sub else agent.name
        for name in (agent.name, local, agent.qualified):
            names.setdefault(name, agent)
    return names


def _skills_by_name(package: Package) -> dict[str, MarkdownDocument]:
    names: dict[str, MarkdownDocument] = {}
    prefix = package.namespace
    for skill in package.skills:
        for name in (skill.name, skill.string("name").strip()):
            if name:
                names.setdefault(name, skill)
                if prefix:
                    names.setdefault(f"{prefix}:{name}", skill)
    return names
