"""The delegation graph and the budget as one HTML page that needs nothing besides itself.

Drawing and tables are there without JavaScript, which only highlights. The page may load nothing at all (its content
security policy says so), and its one style and one script are allowed by their hashes.
"""

from __future__ import annotations

import base64
import hashlib
import html
import os
import unicodedata
from typing import TYPE_CHECKING, Iterator

from pluglint.budget import MODELS, Budget, free, tokens
from pluglint.report import printable
from pluglint.report.graphs import merged, summary
from pluglint.report.layout import BOX, Layout, layout
from pluglint.words import plural

if TYPE_CHECKING:
    from pluglint.commands.graph import Arrow, Graph, Key, Node

LETTER = 7.25  # width of a letter of the monospaced font at 12 pixels
SMALL = LETTER * 10 / 12
LONGEST = 32  # letters of a name that are shown
MARGIN = 18  # left and right of a name, together
STATUS = {
    "package": "found here",
    "workspace": "of another plugin here",
    "built-in": "built in to the client",
    "external": "of a declared other plugin",
    "undeclared": "of a plugin that is not declared",
    "unknown": "nobody is called so",
}


def page(graph: Graph, budget: Budget) -> str:
    """The whole page. Every name in it is text: nothing that a package says becomes markup."""
    names = [name for _, _, name in graph.packages]
    head = _text(names[0]) if len(names) == 1 else plural(len(names), "package")
    style, script = _own("graph_page.css"), _own("graph_page.js")
    ids = {key: f"n{number}" for number, key in enumerate(graph.nodes)}
    policy = f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; base-uri 'none'; form-action 'none'"
    return f"""\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Delegation and budget: {head}</title>
<style>{style}</style>
</head>
<body>
<main>
<h1>{head}: who delegates to whom, and what it costs</h1>
<p class="quiet">{_text(summary(graph))}. {budget.always:,} characters in every session, about {tokens(budget.always):,} tokens.</p>
<h2 id="graph">Delegation</h2>
{_legend(graph)}
{"".join(_drawing(graph, ids))}
<h2 id="edges-head">Edges</h2>
<p id="said" role="status"></p>
{"".join(_edges(graph, ids))}
<h2 id="budget">Budget</h2>
{"".join(_budget(budget))}
</main>
<script>{script}</script>
</body>
</html>
"""


def _own(name: str) -> str:
    with open(os.path.join(os.path.dirname(__file__), name), encoding="utf-8") as handle:
        return handle.read()


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _text(text: str) -> str:
    return html.escape(printable(text))


def _cut(name: str) -> str:
    """A name as it is shown in a box: printable, and without its middle where it is long."""
    name = printable(name)
    return name if len(name) <= LONGEST else f"{name[: LONGEST // 2]}…{name[-(LONGEST - LONGEST // 2 - 1) :]}"


def _letters(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def _label(node: Node) -> tuple[str, str]:
    """(plugin, name): the two lines of a box."""
    plugin, colon, name = node.name.rpartition(":")
    return (_cut(plugin), _cut(name)) if colon and plugin and name else ("", _cut(node.name))


# -- the drawing


def _legend(graph: Graph) -> str:
    """What the shapes, lines and colours mean, as far as they occur."""
    kinds = {node.kind for node in graph.nodes.values()}
    statuses = {node.status for node in graph.nodes.values()}
    items = [(f'<g class="node">{_shape(kind, 1, 1, 34, 16)}</g>', kind) for kind in ("agent", "skill", "command") if kind in kinds]
    items += [(f'<g class="node {status}">{_shape("agent", 1, 1, 34, 16)}</g>', f"{status}: {words}") for status, words in STATUS.items() if status in statuses and statuses != {"package"}]
    lines = {_line(graph, arrows) for arrows in _pairs(graph).values()}
    for name, words in (("sends", "sends work"), ("mentions", "mentions, permits or preloads"), ("circle", "sends work in a circle")):
        if any(name in line.split() for line in lines):
            items.append((f'<path class="edge {"sends circle" if name == "circle" else name}" d="M1 9H29"/>', words))
    drawn = "".join(f'<li><svg width="36" height="18" aria-hidden="true">{picture}</svg>{words}</li>' for picture, words in items)
    return f'<ul class="legend" aria-label="Legend">{drawn}</ul>' if items else ""


def _pairs(graph: Graph) -> dict[tuple[Key, Key], list[Arrow]]:
    return {(source, target): arrows for source, targets in merged(graph).items() for target, arrows in targets.items()}


def _line(graph: Graph, arrows: list[Arrow]) -> str:
    """The classes of the line for all edges between two nodes."""
    sends = any(arrow.edge.sends for arrow in arrows)
    circular = sends and (arrows[0].source, arrows[0].target) in graph.circular
    return ("sends" if sends else "mentions") + (" circle" if circular else "")


def _shape(kind: str, x: float, y: float, width: float, height: float) -> str:
    """Agents are boxes, skills are round, commands have a double side."""
    radius = height / 2 if kind == "skill" else 4
    side = f'<path d="M{x + 5:g} {y:g}v{height:g}"/>' if kind == "command" else ""
    return f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="{radius:g}"/>{side}'


def _drawing(graph: Graph, ids: dict[Key, str]) -> Iterator[str]:
    if not graph.nodes:
        yield "<p>There are no agents, skills or commands.</p>\n"
        return
    keys = list(graph.nodes)
    number = {key: at for at, key in enumerate(keys)}
    labels = [_label(graph.nodes[key]) for key in keys]
    widths = [max(_letters(plugin) * SMALL, _letters(name) * LETTER) + MARGIN for plugin, name in labels]
    pairs = _pairs(graph)
    placed = layout(widths, [(number[source], number[target]) for source, target in pairs])
    out, into = _degrees(graph)
    words = f"{plural(len(keys), 'component')} and {plural(len(pairs), 'line')} between them. The table below holds the same edges."
    yield f'<div class="scroll drawing" tabindex="0" role="region" aria-label="Drawing of the delegation graph">\n<svg width="{placed.width + 4:.0f}" height="{placed.height + 4:.0f}" viewBox="-2 -2 {placed.width + 4:.0f} {placed.height + 4:.0f}" role="group" aria-label="{words}">\n'
    yield "<defs>" + "".join(f'<marker id="{name}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" markerUnits="userSpaceOnUse" orient="auto"><path d="M0 .5L8 4L0 7.5z"/></marker>' for name in ("end", "end-circle", "end-on")) + "</defs>\n"
    for (source, target), arrows in pairs.items():
        points = placed.lines[number[source], number[target]]
        yield f'<path class="edge {_line(graph, arrows)}" data-from="{ids[source]}" data-to="{ids[target]}" d="{_curve(points, source == target)}" aria-hidden="true"/>\n'
    if placed.alone is not None and pairs:
        yield f'<text class="note" x="0" y="{placed.alone - 12:g}">without edges</text>\n'
    for key, (plugin, name) in zip(keys, labels):
        yield _box(graph.nodes[key], ids[key], plugin, name, placed, number[key], out.get(key, 0), into.get(key, 0))
    yield "</svg>\n</div>\n"


def _degrees(graph: Graph) -> tuple[dict[Key, int], dict[Key, int]]:
    out: dict[Key, int] = {}
    into: dict[Key, int] = {}
    for arrow in graph.arrows:
        out[arrow.source] = out.get(arrow.source, 0) + 1
        into[arrow.target] = into.get(arrow.target, 0) + 1
    return out, into


def _box(node: Node, own: str, plugin: str, name: str, placed: Layout, number: int, out: int, into: int) -> str:
    left, top, width = placed.boxes[number]
    status = "" if node.status == "package" else f", {node.status}"
    told = f"{node.kind} {_text(node.name)}{status}: {out} out, {into} in"
    middle = left + width / 2
    lines = [("plugin", top + 14, plugin), ("name", top + 28, name)] if plugin else [("name", top + 22, name)]
    texts = "".join(f'<text class="{kind}" x="{middle:g}" y="{y:g}" text-anchor="middle">{html.escape(text)}</text>' for kind, y, text in lines)
    return (
        f'<a class="node {node.kind} {node.status}" id="node={own}" href="#node={own}" data-node="{own}" data-name="{_text(node.name)}" aria-label="{told}">'
        f"<title>{told}</title>{_shape(node.kind, left, top, width, BOX)}{texts}</a>\n"
    )


def _curve(points: list[tuple[float, float]], loop: bool) -> str:
    (x, y), *rest = points
    drawn = [f"M{x:.1f} {y:.1f}"]
    if loop:
        ((x2, y2),) = rest
        return f"M{x:.1f} {y:.1f}C{x:.1f} {y - 16:.1f} {x2:.1f} {y2 - 16:.1f} {x2:.1f} {y2:.1f}"
    for x2, y2 in rest:
        half = (x2 - x) / 2
        drawn.append(f"H{x2:.1f}" if y == y2 else f"C{x + half:.1f} {y:.1f} {x2 - half:.1f} {y2:.1f} {x2:.1f} {y2:.1f}")
        x, y = x2, y2
    return "".join(drawn)


# -- the tables


def _edges(graph: Graph, ids: dict[Key, str]) -> Iterator[str]:
    if not graph.arrows:
        yield "<p>Nothing delegates or refers to anything.</p>\n"
        return
    yield '<div class="scroll" tabindex="0" role="region" aria-labelledby="edges-head">\n<table id="edges">\n<caption>Every place that names who is to do something.</caption>\n'
    yield "<thead><tr>" + "".join(f'<th scope="col">{head}</th>' for head in ("From", "To", "How", "Place")) + "</tr></thead>\n<tbody>\n"
    for arrow in graph.arrows:
        status = graph.nodes[arrow.target].status
        how = "sends" if arrow.edge.sends else "mentions"
        circle = ' <span class="bad">in a circle</span>' if arrow.edge.sends and (arrow.source, arrow.target) in graph.circular else ""
        mark = "" if status == "package" else f' <span class="{"bad" if status in ("unknown", "undeclared") else "quiet"}">{status}</span>'
        yield (
            f'<tr data-from="{ids[arrow.source]}" data-to="{ids[arrow.target]}"><td>{_link(arrow.source, ids)}</td><td>{_link(arrow.target, ids)}{mark}</td>'
            f'<td class="how">{how} ({arrow.edge.via}){circle}</td><td class="place">{_text(arrow.path)}:{arrow.line}</td></tr>\n'
        )
    yield "</tbody>\n</table>\n</div>\n"


def _link(key: Key, ids: dict[Key, str]) -> str:
    return f'<span class="quiet">{key[0]}</span> <a href="#node={ids[key]}">{_text(key[1])}</a>'


def _bar(parts: list[tuple[str, float]]) -> str:
    """A bar of parts (class, share of the whole); what is left stays quiet."""
    x = 0.0
    drawn = '<rect class="rest" width="100" height="6" rx="1"/>'
    for name, share in parts:
        width = min(100 * share, 100 - x)
        drawn += f'<rect class="{name}" x="{x:.2f}" width="{width:.2f}" height="6"/>'
        x += width
    return f'<svg viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">{drawn}</svg>'


def _budget(budget: Budget) -> Iterator[str]:
    if not budget.costs:
        yield "<p>Nothing is listed.</p>\n"
        return
    yield f"<p>Every session: {budget.always:,} characters, about {tokens(budget.always):,} tokens; {budget.agents:,} for agents, {budget.skills:,} for skills and commands.</p>\n<dl>\n"
    yield f"<dt>Agents, skills and commands</dt><dd>{_bar([('agent-bar', budget.agents / max(budget.always, 1)), ('skill-bar', budget.skills / max(budget.always, 1))])}</dd><dd>{_share(budget.agents, budget.always)} for agents</dd>\n"
    for model in MODELS:
        gone = sum(1 for one in budget.costs if model in one.dropped)
        words = f'<strong class="bad">{plural(gone, "description")} dropped</strong>' if gone else "nothing dropped"
        full = budget.skills / free(model)
        bar = _bar([("skill-bar", full)] if full <= 1 else [("over", 1)])
        yield f"<dt>Skill listing, {model} models</dt><dd>{bar}</dd><dd>{budget.skills:,} of {free(model):,} characters; {words}</dd>\n"
    yield '</dl>\n<div class="scroll" tabindex="0" role="region" aria-label="Budget by component">\n<table>\n<caption>Characters, as the client counts them. Bars: share of the largest.</caption>\n'
    yield '<thead><tr><th scope="col">Component</th><th scope="col" colspan="2">Every session</th><th scope="col" colspan="2">When used</th><th scope="col">Description dropped on</th></tr></thead>\n<tbody>\n'
    listed = max(one.listed for one in budget.costs) or 1
    used = max(one.used for one in budget.costs) or 1
    for one in budget.costs:
        dropped = ", ".join(f"{model} models" for model in one.dropped)
        yield (
            f'<tr><th scope="row">{one.kind} {_text(one.name)}</th><td class="number">{f"{one.listed:,}" if one.listed else "not told"}</td><td class="bar">{_bar([(f"{one.kind}-bar", one.listed / listed)])}</td>'
            f'<td class="number">{one.used:,}</td><td class="bar">{_bar([("used-bar", one.used / used)])}</td><td>{dropped}</td></tr>\n'
        )
    yield "</tbody>\n</table>\n</div>\n"


def _share(part: int, whole: int) -> str:
    return f"{100 * part / max(whole, 1):.0f} %"
