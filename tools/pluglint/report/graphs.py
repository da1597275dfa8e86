"""The delegation graph as a tree for people, as Mermaid, as DOT, and as JSON."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any, Callable, Iterator

from pluglint.report import printable
from pluglint.words import plural

if TYPE_CHECKING:
    from pluglint.commands.graph import Arrow, Graph, Key

VERSION = 1
_STYLE = {"unknown": "bold red", "undeclared": "yellow", "external": "cyan", "built-in": "dim", "workspace": "green", "package": ""}
_COLOUR = {"unknown": "#c0392b", "undeclared": "#b7950b", "external": "#2471a3", "built-in": "#7f8c8d", "workspace": "#1e8449", "package": ""}
_SENDS, _MENTIONS = "->", "..>"


def in_colour() -> bool:
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def show(graph: Graph) -> None:
    """Prints the tree to a terminal, in colour. Imports rich."""
    from rich.console import Console
    from rich.text import Text

    Console(highlight=False, soft_wrap=True).print(Text.assemble(*_tree(graph)), end="")


def tree(graph: Graph) -> str:
    return "".join(text for text, _ in _tree(graph))


def merged(graph: Graph) -> dict[Key, dict[Key, list[Arrow]]]:
    """source -> target -> arrows, in order of place."""
    result: dict[Key, dict[Key, list[Arrow]]] = {}
    for arrow in graph.arrows:
        result.setdefault(arrow.source, {}).setdefault(arrow.target, []).append(arrow)
    return result


def _tree(graph: Graph) -> Iterator[tuple[str, str]]:
    after = merged(graph)
    reached = {target for source, targets in after.items() for target in targets if target != source}
    shown: set[Key] = set()
    # Beginnings first; what is left after them stands on circles only.
    for key in [*(key for key in after if key not in reached), *after]:
        if key in shown:
            continue
        shown.add(key)
        yield f"{graph.nodes[key].kind} {printable(key[1])}\n", "bold"
        yield from _branches(graph, after, key, shown)
    alone = [node for key, node in graph.nodes.items() if key not in after and key not in reached and node.status == "package"]
    if alone and len(alone) < len(graph.nodes):
        yield "\n", ""
    for kind in ("agent", "skill", "command"):
        names = [printable(node.name) for node in alone if node.kind == kind]
        if names:
            more = f" and {len(names) - 20} more" if len(names) > 20 else ""
            yield f"{plural(len(names), kind)} without edges: {', '.join(names[:20])}{more}\n", "dim"
    yield ("\n" if graph.nodes else "") + summary(graph) + "\n", "bold"


def _branches(graph: Graph, after: dict, root: Key, shown: set[Key]) -> Iterator[tuple[str, str]]:
    """Everything below a node, each node opened once. A stack and not recursion: chains may be long."""
    stack = [(root, iter(after[root].items()))]
    path = {root}
    while stack:
        opened, rest = stack[-1]
        step = next(rest, None)
        if step is None:
            path.discard(opened)
            stack.pop()
            continue
        key, arrows = step
        node = graph.nodes[key]
        yield f"{'  ' * len(stack)}{_SENDS if any(arrow.edge.sends for arrow in arrows) else _MENTIONS} ", "dim"
        yield f"{node.kind} {printable(node.name)}", _STYLE[node.status]
        marks = [node.status] if node.status in ("unknown", "undeclared", "external", "built-in") else []
        if key in path:
            marks.append("circle")
        elif key in shown and key in after:
            marks.append("above")
        if marks:
            yield f" [{', '.join(marks)}]", _STYLE["unknown"] if node.status == "unknown" or "circle" in marks else "dim"
        times = f", {len(arrows)} times" if len(arrows) > 1 else ""
        yield f"  {arrows[0].edge.via}{times}, {printable(arrows[0].path)}:{arrows[0].line}\n", "dim"
        if key in after and key not in shown:
            shown.add(key)
            path.add(key)
            stack.append((key, iter(after[key].items())))


def summary(graph: Graph) -> str:
    """One line: how many of each kind, what is not of the package, what stands on circles."""
    kinds: dict[str, int] = {}
    lost: dict[str, int] = {}
    for node in graph.nodes.values():
        if node.status in ("package", "workspace"):
            kinds[node.kind] = kinds.get(node.kind, 0) + 1
        else:
            lost[node.status] = lost.get(node.status, 0) + 1
    parts = [plural(kinds[kind], kind) for kind in sorted(kinds)] or ["no agents, skills or commands"]
    text = f"{', '.join(parts)}; {plural(len(graph.arrows), 'edge')}"
    text += "".join(f"; {count} {status}" for status, count in sorted(lost.items()))
    if graph.circular:
        text += f"; {plural(len(graph.circular), 'edge')} on a circle"
    return text


def _drawn(graph: Graph) -> dict[Key, str]:
    """Nodes of a picture with their ids: all agents, and of the rest what has an edge."""
    used = {key for arrow in graph.arrows for key in (arrow.source, arrow.target)}
    return {key: f"n{number}" for number, key in enumerate(key for key, node in graph.nodes.items() if key in used or node.kind == "agent")}


def mermaid(graph: Graph) -> str:
    ids = _drawn(graph)
    shapes = {"agent": ('["', '"]'), "skill": ('(["', '"])'), "command": ('[["', '"]]')}
    lines = ["flowchart LR"]
    for key, name in ids.items():
        node = graph.nodes[key]
        left, right = shapes.get(node.kind, ('["', '"]'))
        lines.append(f"    {name}{left}{_mermaid_text(node.name)}{right}")
    links = []
    for source, targets in merged(graph).items():
        for target, arrows in targets.items():
            link = "-->" if any(arrow.edge.sends for arrow in arrows) else "-.->"
            lines.append(f'    {ids[source]} {link}|"{arrows[0].edge.via}"| {ids[target]}')
            links.append((source, target))
    circle = [str(number) for number, pair in enumerate(links) if pair in graph.circular]
    if circle:
        lines.append(f"    linkStyle {','.join(circle)} stroke:#c0392b,stroke-width:2px")
    for status, colour in _COLOUR.items():
        names = [name for key, name in ids.items() if graph.nodes[key].status == status] if colour else []
        if names:
            dashes = ",stroke-dasharray:5 5" if status in ("unknown", "undeclared") else ""
            style = status.replace("-", "")
            lines += [f"    classDef {style} stroke:{colour},color:{colour}{dashes}", f"    class {','.join(names)} {style}"]
    return "\n".join(lines) + "\n"


def _mermaid_text(text: str) -> str:
    """A label in quotes: whatever Mermaid or HTML would read as a mark goes in as a numbered entity."""
    return "".join(char if char.isalnum() or char in " :-_./" else f"#{ord(char)};" for char in printable(text))


def dot(graph: Graph) -> str:
    ids = _drawn(graph)
    shapes = {"agent": "box", "skill": "ellipse", "command": "component"}
    lines = ["digraph delegation {", "    rankdir=LR;", '    node [fontname="sans-serif"];']
    for key, name in ids.items():
        node = graph.nodes[key]
        colour = _COLOUR[node.status]
        extra = f', color="{colour}", fontcolor="{colour}"' if colour else ""
        extra += ", style=dashed" if node.status in ("unknown", "undeclared") else ""
        lines.append(f'    {name} [label="{_dot_text(node.name)}", shape={shapes.get(node.kind, "box")}{extra}];')
    for source, targets in merged(graph).items():
        for target, arrows in targets.items():
            extra = "" if any(arrow.edge.sends for arrow in arrows) else ", style=dotted"
            extra += ', color="#c0392b", penwidth=2' if (source, target) in graph.circular else ""
            lines.append(f'    {ids[source]} -> {ids[target]} [label="{arrows[0].edge.via}"{extra}];')
    return "\n".join([*lines, "}"]) + "\n"


def _dot_text(text: str) -> str:
    return printable(text).replace("\\", "\\\\").replace('"', '\\"')


def as_json(graph: Graph) -> str:
    data = {
        "version": VERSION,
        "packages": [{"path": path, "kind": kind, "name": name} for path, kind, name in graph.packages],
        "nodes": [node._asdict() for node in graph.nodes.values()],
        "edges": [
            {
                "source": arrow.source[1],
                "source_kind": arrow.source[0],
                "target": arrow.edge.target,
                "target_kind": arrow.target[0],
                "found": arrow.edge.found,
                "status": arrow.edge.status,
                "via": arrow.edge.via,
                "sends": arrow.edge.sends,
                "circular": arrow.edge.sends and (arrow.source, arrow.target) in graph.circular,
                "path": arrow.path,
                "line": arrow.line,
                "column": arrow.column,
            }
            for arrow in graph.arrows
        ],
    }
    return json.dumps(data, indent=2, ensure_ascii=True) + "\n"


FORMATS: dict[str, Callable[[Any], str]] = {"tree": tree, "mermaid": mermaid, "dot": dot, "json": as_json}
