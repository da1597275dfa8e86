"""What several rules about headers share: the fate of a file without one, known keys, and the tools of an agent."""

from __future__ import annotations

from typing import NamedTuple

from pluglint.discover import CLAUDE_FOLDER
from pluglint.facts import FACTS
from pluglint.model import MarkdownDocument, Package, split_names
from pluglint.parse.node import ALIAS, LIST, MAP, NULL, Node
from pluglint.text import Span
from pluglint.words import did_you_mean, edit_distance

# What becomes of a tool name in the header of an agent.
GRANTED, EVERY, NEVER, RETIRED, UNFAMILIAR, UNKNOWN = "granted", "every", "never", "retired", "unfamiliar", "unknown"


class Tool(NamedTuple):
    """One entry of `tools` or `disallowedTools`.

    text   as written, with a pattern in parentheses where there is one
    span   its place
    base   the name in front of the parentheses, aliases resolved
    state  one of the constants above
    close  the known name that it resembles, or the replacement of a retired one, or ""
    """

    text: str
    span: Span
    base: str
    state: str
    close: str


def _states() -> dict[str, str]:
    tools = FACTS["tools"]
    states = dict.fromkeys((*tools["known"], *tools["session_dependent"], *tools["aliases"]), GRANTED)
    states.update(dict.fromkeys(tools["never_for_subagents"], NEVER))
    states.update(dict.fromkeys(tools["retired"], RETIRED))
    states["*"] = EVERY
    return states


_STATES = _states()
_CURRENT = sorted(name for name, state in _STATES.items() if state in (GRANTED, NEVER))
# Names that people write for what a tool of the client does.
_OTHER_WORDS = {
    "shell": "Bash", "ls": "Bash", "multiedit": "Edit", "multi_edit": "Edit", "terminal": "Bash", "execute": "Bash", "exec": "Bash", "command": "Bash", "run_command": "Bash", "read_file": "Read", "view": "Read",
    "write_file": "Write", "create": "Write", "edit_file": "Edit", "str_replace": "Edit", "search": "Grep", "find": "Glob", "list": "Glob",
    "fetch": "WebFetch", "browser": "WebFetch", "web": "WebSearch", "delegate": "Agent", "subagent": "Agent",
}


def tools_of(document: MarkdownDocument, key: str) -> list[Tool]:
    """The entries of `tools` or `disallowedTools`, read once for each file."""
    cache = document.package.memo("tools_of", lambda package: {})
    found = cache.get((document.rel, key))
    if found is None:
        found = cache[document.rel, key] = [_tool(text, span) for text, span in _entries(document, key)]
    return found


def _entries(document: MarkdownDocument, key: str):
    for value in document.names(key):
        if "," in value.text and not value.text.endswith(")"):  # one item of a list that holds several names
            inside = max(document.text.find(value.text, value.span.start, value.span.end), 0)
            for name, at in split_names(value.text):
                yield name, Span(inside + at, inside + at + len(name)) if inside else value.span
        elif value.text.strip():
            yield value.text.strip(), value.span


def _tool(text: str, span: Span) -> Tool:
    base = text.partition("(")[0].strip()
    state = _STATES.get(base)
    if state == RETIRED:
        return Tool(text, span, base, state, FACTS["tools"]["retired"][base])
    if state is not None:
        return Tool(text, span, FACTS["tools"]["aliases"].get(base, base), state, "")
    if base.startswith("mcp__"):
        return Tool(text, span, base, GRANTED, "")
    close = _OTHER_WORDS.get(base.lower()) or _close_tool(base)
    camel = base[:1].isupper() and base.isascii() and base.isalpha() and base != "All"
    # A name in the shape of a tool may be newer than our facts, unless it is a known one but for its case or one letter.
    if camel and not (close and edit_distance(base.lower(), close.lower(), 1) <= 1):
        return Tool(text, span, base, UNFAMILIAR, close)
    return Tool(text, span, base, UNKNOWN, close)


def _close_tool(base: str) -> str:
    """The tool that a name resembles. Stricter than `did_you_mean`: "redis" is no typo of Edit, nor "react" of Read."""
    close = did_you_mean(base, _CURRENT) if len(base) > 1 else None
    if close is None or len(base) < 8 and folded(base) != folded(close) and edit_distance(base.lower(), close.lower(), 1) > 1:
        return ""
    return close


def nothing_left(tools: list[Tool]) -> bool:
    """Whether a list of tools holds no name that any session could grant."""
    return bool(tools) and all(tool.state in (UNKNOWN, RETIRED, NEVER) for tool in tools)


def in_utf16(text: str) -> bool:
    """Whether a file that was read as UTF-8 is in truth UTF-16 or UTF-32: it then starts with zeros between its letters."""
    start = text[:200]
    if "\0" not in start:
        return False
    if start[:2] == "\ufffd\ufffd" and "\0" in start[:12]:
        return True
    return len(start) > 8 and (start[1::2].count("\0") > len(start) * 0.4 or start[::2].count("\0") > len(start) * 0.4)


def keeps_notes(document: MarkdownDocument) -> bool:
    """Whether an agent has a `memory` that the client knows: it then gets Write, Edit and Read besides its `tools`."""
    return document.string("memory") in FACTS["agents"]["memories"]


def listed_tools(document: MarkdownDocument) -> str:
    """What the client writes behind "Tools:" in the listing of agents that the model gets.

    With `memory` the client adds what an agent needs to keep notes, unless all tools are open anyway; denied tools are
    left out by their very names.
    """
    tools, denied = ([value.text for value in document.names(key)] for key in ("tools", "disallowedTools"))
    if document.field("tools") is not None and keeps_notes(document):
        tools += [name for name in ("Write", "Edit", "Read") if name not in tools]
    if not tools or "*" in tools:
        return f"All tools except {', '.join(denied)}" if denied and "*" not in denied else "All tools"
    return ", ".join(name for name in tools if name not in denied) or "None"


def listing_line(document: MarkdownDocument) -> str:
    """The line, without its end, by which the model is told of an agent, a skill or a command."""
    if document.kind == "agent":
        return f"- {document.qualified}: {document.description} (Tools: {listed_tools(document)})"
    return f"- {document.qualified}: {document.listing[: FACTS['skills']['listing_cut']]}"


def is_listed(document: MarkdownDocument) -> bool:
    """Whether the model is told of a component: always of an agent; of a skill or command that it may start and that says what it does."""
    return document.kind == "agent" or bool(document.description) and not document.flag("disable-model-invocation")


def without_header(document: MarkdownDocument) -> str:
    """What the client does with a prompt file whose header it cannot read."""
    if document.kind != "agent":
        return f"the model is not told of the {document.kind}"
    package = document.package
    if package.is_plugin:
        return f"the agent loads as 'Agent from {shown(package.name)} plugin' with every tool"
    if in_project(package):
        return "the client skips the agent"
    return "a plugin's agent loads with every tool, a project's is skipped"


def in_project(package: Package) -> bool:
    """Whether the files are a project's own (`.claude`), for which the client is stricter than for a plugin's."""
    return package.kind == CLAUDE_FOLDER


def leads_session(document: MarkdownDocument) -> bool:
    """Whether an agent is meant to be the session itself (`--agent`), where all tools and `Agent(x)` work."""
    return document.field("initialPrompt") is not None


def known_keys(kind: str) -> frozenset[str]:
    """The header keys that the client reads in an agent, a skill or a command."""
    return _KNOWN_KEYS[kind]


def _known_keys() -> dict[str, frozenset[str]]:
    agents, skills = FACTS["agents"], frozenset(FACTS["skills"]["keys"])
    return {
        "agent": frozenset((*agents["applied_keys"], *agents["accepted_without_effect"], *agents["ignored_in_plugins"])),
        "skill": skills,
        "command": skills - {"name", "paths"},
    }


_KNOWN_KEYS = _known_keys()
_ALLOWING = frozenset("tools tool allowedtools allowedtool availabletools permittedtools toolset".split())
_DENYING = frozenset("disallowedtools disallowedtool deniedtools denytools blockedtools forbiddentools excludedtools".split())


def foreign_keys(document: MarkdownDocument) -> list[tuple[Node, str, str]]:
    """(key, what it resembles, which) of each top-level key that neither the client nor the house schema knows.

    `which` is "tools" for a key that was meant to limit the tools of an agent and leaves them open,
    "misspelled" for another that resembles a known key which the header lacks, else "".
    """
    header = document.header
    if header is None:
        return []
    known = known_keys(document.kind)
    strange = [name for name, _ in header.pairs if name.text not in known and name.kind not in (LIST, MAP, ALIAS, NULL)]
    if not strange:
        return []
    config = document.package.config
    declared = config.house_keys.get(document.kind, ()) if config is not None else ()
    present = set(header.keys())
    found = []
    for name in strange:
        if name.text in declared:
            continue
        close = _close_key(name.text, known, present)
        if name.text == close + "s" and header.get(name.text).kind in (LIST, MAP):  # several of something, where the client takes one
            close = ""
        fold = folded(name.text)
        meant = "tools" if fold in _ALLOWING else "disallowedTools" if fold in _DENYING else ""
        if document.kind == "agent" and meant and meant not in present:
            found.append((name, meant, "tools"))
        else:
            found.append((name, close, "misspelled" if close else ""))
    return found


def shown(text: str, limit: int = 60) -> str:
    """A value of a header as a message quotes it: on one line, without invisible characters, not too long."""
    text = "".join(char if char.isprintable() else " " for char in text[: 4 * limit])
    text = " ".join(text.split())
    return text if len(text) <= limit else text[: limit - 1] + "…"


def folded(key: str) -> str:
    return key.replace("-", "").replace("_", "").replace(" ", "").lower()


def _close_key(key: str, known: frozenset[str], present: set[str]) -> str:
    """The known key that a strange one stands for. Stricter than `did_you_mean`: "mode" and "rules" are words of their own."""
    fold = folded(key)
    best = ""
    for candidate in sorted(known):
        if candidate in present:
            continue
        if folded(candidate) == fold:
            return candidate
        limit = 2 if len(key) > 8 else 1
        if not best and len(key) > 4 and edit_distance(fold, folded(candidate), limit) <= limit:
            best = candidate
    return best
