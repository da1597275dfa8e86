"""Places for the boxes and lines of a directed graph, read from left to right.

Each connected part is layered by longest path (edges that close a circle count backwards), a line over several layers
gets a bend in each, the order within a layer follows the neighbours, and the parts are packed into rows. After
Sugiyama, Tagawa and Toda 1981, with the simplest choice for every step.
"""

from __future__ import annotations

from typing import NamedTuple

BOX = 36  # height of a box
BEND = 10  # room of a line that passes through a layer
BETWEEN = 10  # from box to box in a layer
GAP = 72  # from layer to layer, where the lines run
APART = 28  # from part to part
PORT = 6  # lines that run back leave and enter a box so far from those that run on
WIDTH = 1180  # parts are packed into rows of at most this width, wider ones aside
BENDS = 20_000  # lines with more bends than this together run straight: the time stays linear
SWEEPS = 6

Point = tuple[float, float]


class Layout(NamedTuple):
    """All lengths in pixels.

    boxes   node -> left, top and width (the height is BOX)
    lines   edge -> points from the source's side to the target's side
    width, height  of the whole
    alone   top of the boxes without any line; None where there are none
    """

    boxes: dict[int, tuple[float, float, float]]
    lines: dict[tuple[int, int], list[Point]]
    width: float
    height: float
    alone: float | None


def layout(widths: list[float], edges: list[tuple[int, int]]) -> Layout:
    """Places nodes 0, 1, ... of these widths, and the edges between them (each pair once)."""
    boxes: dict[int, tuple[float, float, float]] = {}
    lines: dict[tuple[int, int], list[Point]] = {}
    parts = []
    lonely = []
    after: list[list[int]] = [[] for _ in widths]
    for source, target in edges:
        after[source].append(target)
    for nodes in _parts(len(widths), edges):
        if len(nodes) == 1 and not after[nodes[0]]:
            lonely.append(nodes[0])
        else:
            parts.append(_part(nodes, after, widths))
    parts.sort(key=lambda part: (-part.height, -part.width))
    across = max([WIDTH, *(part.width for part in parts)])
    x = y = row = 0.0
    for part in parts:
        if x and x + part.width > across:
            x, y, row = 0.0, y + row + APART, 0.0
        for node, (left, top, width) in part.boxes.items():
            boxes[node] = (left + x, top + y, width)
        for edge, points in part.lines.items():
            lines[edge] = [(px + x, py + y) for px, py in points]
        x, row = x + part.width + APART, max(row, part.height)
    height = y + row
    alone = None
    if lonely:
        alone = height + (2 * APART if parts else APART)
        height = _grid(lonely, widths, boxes, alone)
    right = max((left + width for left, _, width in boxes.values()), default=0.0)
    return Layout(boxes, lines, right, height, alone)


def _grid(nodes: list[int], widths: list[float], boxes: dict[int, tuple[float, float, float]], top: float) -> float:
    """Boxes without lines in columns of one width; returns where they end."""
    width = max(widths[node] for node in nodes)
    columns = max(1, int((WIDTH + BETWEEN) // (width + BETWEEN)))
    for at, node in enumerate(nodes):
        boxes[node] = ((at % columns) * (width + BETWEEN), top + (at // columns) * (BOX + BETWEEN), width)
    return top + -(-len(nodes) // columns) * (BOX + BETWEEN) - BETWEEN


def _parts(count: int, edges: list[tuple[int, int]]) -> list[list[int]]:
    """The connected parts, each in order of node."""
    head = list(range(count))

    def find(node: int) -> int:
        while head[node] != node:
            head[node] = head[head[node]]
            node = head[node]
        return node

    for source, target in edges:
        head[find(source)] = find(target)
    parts: dict[int, list[int]] = {}
    for node in range(count):
        parts.setdefault(find(node), []).append(node)
    return list(parts.values())


def _part(nodes: list[int], after: list[list[int]], widths: list[float]) -> Layout:
    back = _closing(nodes, after)
    pairs = [(node, other) for node in nodes for other in after[node] if node != other]
    onward = list(dict.fromkeys((b, a) if (a, b) in back else (a, b) for a, b in pairs))
    layer = _layers(nodes, onward)
    # bends are numbered below zero
    chains: dict[tuple[int, int], list[int]] = {}
    straight = sum(layer[b] - layer[a] - 1 for a, b in onward) > BENDS
    fresh = -1
    for a, b in onward:
        chain = []
        for level in range(layer[a] + 1, layer[b]) if not straight else ():
            layer[fresh] = level
            chain.append(fresh)
            fresh -= 1
        chains[a, b] = chain
    links = [pair for (a, b), chain in chains.items() for pair in zip([a, *chain], [*chain, b])]
    y = _heights(layer, links)
    # columns
    deepest = max(layer.values())
    wide = [max((widths[node] for node in nodes if layer[node] == level), default=0.0) for level in range(deepest + 1)]
    lefts = [0.0]
    for width in wide[:-1]:
        lefts.append(lefts[-1] + width + GAP)
    boxes = {node: (lefts[layer[node]], y[node] - BOX / 2, wide[layer[node]]) for node in nodes}
    lines: dict[tuple[int, int], list[Point]] = {}
    for a, b in pairs:
        backwards = (a, b) in back
        first, last = (b, a) if backwards else (a, b)
        shift = PORT if backwards else -PORT
        points = [(boxes[first][0] + boxes[first][2], y[first] + shift)]
        for bend in chains[first, last]:
            level = layer[bend]
            points += [(lefts[level], y[bend] + shift), (lefts[level] + wide[level], y[bend] + shift)]
        points.append((boxes[last][0], y[last] + shift))
        lines[a, b] = points[::-1] if backwards else points
    for node in nodes:
        if node in after[node]:
            left, top, width = boxes[node]
            lines[node, node] = [(left + width - 30, top), (left + width - 10, top)]
    top = min([box[1] for box in boxes.values()] + [py for points in lines.values() for _, py in points])
    top -= 14 if any(a == b for a, b in lines) else 0
    bottom = max([box[1] + BOX for box in boxes.values()] + [py for points in lines.values() for _, py in points])
    return Layout(
        {node: (left, y0 - top, width) for node, (left, y0, width) in boxes.items()},
        {edge: [(px, py - top) for px, py in points] for edge, points in lines.items()},
        lefts[-1] + wide[-1], bottom - top, None,
    )


def _closing(nodes: list[int], after: list[list[int]]) -> set[tuple[int, int]]:
    """Edges that lead back to a node on the way: without them there is no circle. Depth first, without recursion."""
    entered = set()
    done = set()
    closing = set()
    targets = {other for node in nodes for other in after[node] if other != node}
    for root in [*(node for node in nodes if node not in targets), *nodes]:
        if root in entered:
            continue
        entered.add(root)
        work = [(root, iter(after[root]))]
        while work:
            node, rest = work[-1]
            step = next(rest, None)
            if step is None:
                done.add(node)
                work.pop()
            elif step not in entered:
                entered.add(step)
                work.append((step, iter(after[step])))
            elif step not in done and step != node:
                closing.add((node, step))
    return closing


def _layers(nodes: list[int], edges: list[tuple[int, int]]) -> dict[int, int]:
    """Longest way from a beginning; beginnings then move up to what they lead to."""
    after: dict[int, list[int]] = {node: [] for node in nodes}
    waiting = dict.fromkeys(nodes, 0)
    for a, b in edges:
        after[a].append(b)
        waiting[b] += 1
    begins = [node for node in nodes if not waiting[node]]
    layer = dict.fromkeys(nodes, 0)
    ready = list(begins)
    while ready:
        node = ready.pop()
        for other in after[node]:
            layer[other] = max(layer[other], layer[node] + 1)
            waiting[other] -= 1
            if not waiting[other]:
                ready.append(other)
    for node in begins:
        if after[node]:
            layer[node] = min(layer[other] for other in after[node]) - 1
    return layer


def _heights(layer: dict[int, int], links: list[tuple[int, int]]) -> dict[int, float]:
    """The middle of every node and bend: near its neighbours, without overlap, in an order with few crossings."""
    rows: list[list[int]] = [[] for _ in range(max(layer.values()) + 1)]
    for node, level in layer.items():
        rows[level].append(node)
    before: dict[int, list[int]] = {node: [] for node in layer}
    after: dict[int, list[int]] = {node: [] for node in layer}
    for a, b in links:
        after[a].append(b)
        before[b].append(a)
    y: dict[int, float] = {}
    for row in rows:
        _stack(row, {node: 0.0 for node in row}, y)
    for sweep in range(2 * SWEEPS):
        down = sweep % 2 == 0
        for row in rows if down else rows[::-1]:
            near = before if down else after
            wish = {node: sum(y[other] for other in near[node]) / len(near[node]) if near[node] else y[node] for node in row}
            if sweep < SWEEPS:  # the first half also changes the order
                row.sort(key=wish.__getitem__)
            _stack(row, wish, y)
    # the fullest layer is closed up, and the others follow it outwards: no empty bands
    full = max(range(len(rows)), key=lambda level: sum(_room(node) for node in rows[level]))
    _stack(rows[full], dict.fromkeys(rows[full], 0.0), y)
    for level in [*range(full - 1, -1, -1), *range(full + 1, len(rows))]:
        near = after if level < full else before
        _stack(rows[level], {node: sum(y[other] for other in near[node]) / len(near[node]) if near[node] else y[node] for node in rows[level]}, y)
    return y


def _room(node: int) -> float:
    return BOX if node >= 0 else BEND


def _stack(row: list[int], wish: dict[int, float], y: dict[int, float]) -> None:
    """Heights near the wished ones with the order kept: halfway between pushing down from the top and up from the bottom."""
    steps = [(_room(a) + _room(b)) / 2 + BETWEEN for a, b in zip(row, row[1:])]
    low: list[float] = []
    for at, node in enumerate(row):
        low.append(max(wish[node], low[-1] + steps[at - 1]) if at else wish[node])
    high = 0.0
    for at in range(len(row) - 1, -1, -1):
        high = min(wish[row[at]], high - steps[at]) if at < len(steps) else wish[row[at]]
        y[row[at]] = (low[at] + high) / 2
