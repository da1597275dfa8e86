"""`pluglint graph`: who sends work to whom. No rule is run."""

from __future__ import annotations

from typing import NamedTuple

from pluglint import discover, engine
from pluglint.commands.check import UsageError, _write, settings
from pluglint.graph import AGENT, EITHER, Edge
from pluglint.model import MarkdownDocument, Package, Workspace

READ = ("agent", "skill", "command", "reference")
Key = tuple[str, str]  # (kind, name): an agent and a skill may bear the same name


class Node(NamedTuple):
    """A component, or a name that stands for one elsewhere or nowhere. `status` as in graph.py; `path` is empty where there is no file."""

    kind: str
    name: str
    status: str
    path: str


class Arrow(NamedTuple):
    """An edge between two nodes, with its place."""

    source: Key
    target: Key
    edge: Edge
    path: str
    line: int
    column: int


class Graph(NamedTuple):
    """`circular` holds the pairs of nodes whose arrow is part of a circle."""

    nodes: dict[Key, Node]
    arrows: list[Arrow]
    packages: list[tuple[str, str, str]]
    circular: set[tuple[Key, Key]]


def build(packages: list[Package], only: str | None = None) -> Graph:
    nodes: dict[Key, Node] = {}
    arrows: list[Arrow] = []
    for package in packages:
        for document in (*package.agents, *package.skills, *package.commands):
            key = (document.kind, document.qualified)
            nodes.setdefault(key, Node(document.kind, document.qualified, "package", document.source.path))
    for package in packages:
        for document in package.markdown:
            if document.kind not in READ or only is not None and document.source.path != only:
                continue
            owner = _owner(package, document)
            source = (owner.kind, owner.qualified)
            nodes.setdefault(source, Node(owner.kind, owner.qualified, "package", owner.source.path))
            for edge in document.edges:
                line, column = document.source.position(edge.start)
                target = _target(edge)
                nodes.setdefault(target, Node(target[0], target[1], edge.status, ""))
                arrows.append(Arrow(source, target, edge, document.source.path, line, column))
            document.release()
    if only is not None:
        used = {key for arrow in arrows for key in (arrow.source, arrow.target)}
        nodes = {key: node for key, node in nodes.items() if key in used or node.path == only}
    roots = [engine.root_of(package) for package in packages]
    return Graph(nodes, arrows, roots, _circular(arrows))


def _owner(package: Package, document: MarkdownDocument) -> MarkdownDocument:
    """A page in a skill's folder speaks for the skill."""
    if document.kind != "reference":
        return document
    holders = [skill for skill in package.skills if not skill.folder or document.rel.startswith(skill.folder + "/")]
    return max(holders, key=lambda skill: len(skill.folder), default=document)


def _target(edge: Edge) -> Key:
    if edge.found:
        return (edge.wants, edge.found)
    return (AGENT if edge.wants == EITHER else edge.wants, edge.target)


def _circular(arrows: list[Arrow]) -> set[tuple[Key, Key]]:
    """Pairs that lie on a circle of sent work. Strongly connected components, without recursion."""
    after: dict[Key, list[Key]] = {}
    for arrow in arrows:
        if arrow.edge.sends and arrow.edge.found:
            after.setdefault(arrow.source, []).append(arrow.target)
    index: dict[Key, int] = {}
    low: dict[Key, int] = {}
    component: dict[Key, Key] = {}
    open_nodes: list[Key] = []
    for root in after:
        if root in index:
            continue
        work = [(root, iter(after[root]))]
        index[root] = low[root] = len(index)
        open_nodes.append(root)
        while work:
            node, rest = work[-1]
            step = next(rest, None)
            if step is None:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    while True:
                        member = open_nodes.pop()
                        component[member] = node
                        if member == node:
                            break
            elif step not in index:
                index[step] = low[step] = len(index)
                open_nodes.append(step)
                work.append((step, iter(after.get(step, ()))))
            elif step not in component:
                low[node] = min(low[node], index[step])
    return {(source, target) for source, targets in after.items() for target in targets if component[source] == component[target]}


def load(target: str, config_path: str | None) -> tuple[Graph, list[Package]]:
    config = settings([target], config_path)
    try:
        found = discover.discover(target, config.exclude)
    except discover.NothingToCheck as error:
        raise UsageError(str(error)) from None
    packages = engine._packages(found, config, {})
    Workspace(packages)
    return build(packages, found.only), packages


def run(target: str, output_format: str, config_path: str | None = None, output: str | None = None) -> int:
    graph, packages = load(target, config_path)
    if output_format == "html":
        from pluglint.budget import budget
        from pluglint.report.graph_page import page

        _write(page(graph, budget(packages)), output)
        return 0
    from pluglint.report import graphs

    if output is None and output_format == "tree" and graphs.in_colour():
        graphs.show(graph)
    else:
        _write(graphs.FORMATS[output_format](graph), output)
    return 0
