"""The page of `pluglint graph --html` as text: well formed, self-contained, and with everything in it. test_graph_browser.py opens it."""

from __future__ import annotations

import base64
import hashlib
import json
import random
import re
from html.parser import HTMLParser

import pytest
from test_graph_command import FRIENDLY, HOSTILE, graph
from typer.testing import CliRunner

from pluglint.cli import app
from pluglint.report.layout import BOX, layout

VOID = {"meta", "rect", "path", "br", "link", "img"}


class Reader(HTMLParser):
    """Elements with their attributes and text; fails where tags do not match."""

    def __init__(self, text):
        super().__init__()
        self.open = []
        self.elements = []
        self.text = ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        assert len({name for name, _ in attributes}) == len(attributes), (tag, attributes)
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1:] not in (["script"], ["style"]):
            self.text += data

    def all(self, tag, kind=""):
        return [attributes for name, attributes in self.elements if name == tag and kind in attributes.get("class", "").split() + [""]]


def made(root, files, *options):
    result = graph(root, files, "--html", *options)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture
def text(tmp_path):
    return made(tmp_path, FRIENDLY)


def test_everything_of_the_graph_is_there(text, tmp_path):
    data = json.loads(graph(tmp_path, FRIENDLY, "--format", "json").output)
    page = Reader(text)
    nodes = page.all("a", "node")
    assert [(one["data-name"], set(one["class"].split())) for one in nodes] == [(one["name"], {"node", one["kind"], one["status"]}) for one in data["nodes"]]
    names = {one["data-node"]: one["data-name"] for one in nodes}
    drawn = [(names[one["data-from"]], names[one["data-to"]], "circle" in one["class"]) for one in page.all("path", "edge") if "data-from" in one]
    assert set(drawn) == {(one["source"], one["found"] or one["target"], one["circular"]) for one in data["edges"]} and len(drawn) == len(set(drawn))
    rows = [(names[one["data-from"]], names[one["data-to"]]) for one in page.all("tr") if "data-from" in one]
    assert rows == [(one["source"], one["found"] or one["target"]) for one in data["edges"]]
    for edge in data["edges"]:
        assert f"{edge['path']}:{edge['line']}" in page.text


def test_every_link_and_label_leads_somewhere(text):
    page = Reader(text)
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    for _, attributes in page.elements:
        if "href" in attributes:
            assert attributes["href"].startswith("#") and attributes["href"][1:] in ids
        for name in ("aria-labelledby", "aria-describedby"):
            assert attributes.get(name, ids[0]) in ids
        for name in ("data-from", "data-to"):
            assert f"node={attributes[name]}" in ids if name in attributes else True
    assert set(re.findall(r"url\(#([^)]*)\)", text)) <= set(ids)


def test_nothing_is_loaded(text):
    page = Reader(text)
    assert not re.search(r"https?:|//|@import|url\((?!#)", re.sub(r"// .*", "", text)), "no address but those within the page"
    assert not [attributes for _, attributes in page.elements if attributes.keys() & {"src", "srcset", "style"} or any(name.startswith("on") for name in attributes)]
    policy = next(one["content"] for one in page.all("meta") if one.get("http-equiv") == "Content-Security-Policy")
    rules = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert rules["default-src"] == "'none'"
    for tag, rule in (("style", "style-src"), ("script", "script-src")):
        (content,) = re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.S)
        assert rules[rule] == f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"


def test_it_can_be_read_without_seeing_it(text):
    page = Reader(text)
    assert page.elements[0] == ("html", {"lang": "en"})
    for node in page.all("a", "node"):
        assert re.fullmatch(r"(agent|skill) .*: \d+ out, \d+ in", node["aria-label"]) and node["data-name"] in node["aria-label"]
    for svg in page.all("svg"):
        assert svg.get("aria-label") or svg.get("aria-hidden") == "true"
    for region in page.all("div", "scroll"):
        assert region["tabindex"] == "0" and (region.get("aria-label") or region.get("aria-labelledby"))
    assert all(cell.get("scope") in ("col", "row") for cell in page.all("th"))
    assert "unknown" in page.text and "in a circle" in page.text and "undeclared" in page.text, "what colours say is also said in words"


def test_the_budget_is_that_of_the_budget_command(text, tmp_path):
    data = json.loads(CliRunner().invoke(app, ["budget", "--json", "--config", "none", str(tmp_path)]).output)
    page = re.sub(r"\s+", " ", Reader(text).text)
    assert f"Every session: {data['always']['characters']:,} characters, about {data['always']['tokens']:,} tokens" in page
    for one in data["components"]:
        assert re.search(rf"{one['kind']} {one['name']}{one['listed']:,}{one['used']:,}", page)


def test_dropped_descriptions_are_marked(tmp_path):
    files = {f"skills/s{number}/SKILL.md": f"---\nname: s{number}\ndescription: {'x' * 900} Use when asked.\n---\nRead.\n" for number in range(4)}
    page = Reader(made(tmp_path, files))
    assert "2 descriptions dropped" in page.text and "200K models" in page.text and "nothing dropped" in page.text


def test_hostile_names_stay_text(tmp_path):
    name = HOSTILE + "</title></script><script>alert(1)</script>" + '" onclick="x'
    files = {
        ".claude-plugin/plugin.json": json.dumps({"name": "<i>demo", "version": "1.0.0", "description": "x", "author": {"name": "A"}}),
        "agents/x.md": f"---\nname: {json.dumps(name)}\ndescription: Does work. Use when there is some.\nskills: [{json.dumps(name)}]\n---\nYou work.\n",
    }
    text = made(tmp_path, files)
    page = Reader(text)
    assert text.count("<script>") == 1 and "\x1b" not in text and "\u202e" not in text
    assert {tag for tag, _ in page.elements} <= {"html", "head", "meta", "title", "style", "body", "main", "h1", "h2", "p", "ul", "li", "svg", "g", "rect", "path", "defs", "marker", "div", "a", "text", "table", "caption", "thead", "tbody", "tr", "th", "td", "span", "strong", "dl", "dt", "dd", "script"}
    assert "\\x1b[31m" in page.text and "</script>" in page.text


def test_output_file_and_a_single_file(tmp_path):
    out = tmp_path / "graph.html"
    assert made(tmp_path, FRIENDLY, "-o", str(out)) == ""
    assert out.read_text().startswith("<!DOCTYPE html>")
    result = CliRunner().invoke(app, ["graph", "--format", "html", "--config", "none", str(tmp_path / "agents/reader.md")])
    assert {one["data-name"] for one in Reader(result.output).all("a", "node")} == {"demo:reader", "demo:lead"}


# -- places


def shapes(count, chance, seed):
    choose = random.Random(seed)
    return [(a, b) for a in range(count) for b in range(count) if choose.random() < chance]


@pytest.mark.parametrize("count, edges", [
    (0, []),
    (1, []),
    (1, [(0, 0)]),
    (2, [(0, 1), (1, 0)]),
    (150, []),
    (150, shapes(150, 0.01, 1)),
    (150, shapes(150, 0.1, 2)),
    (40, shapes(40, 1, 3)),
    (1200, [(at, at + 1) for at in range(1199)]),
    (300, [(at, at + 1) for at in range(299)] + [(0, at) for at in range(2, 300)]),
])
def test_boxes_never_touch_and_lines_end_at_their_boxes(count, edges):
    widths = [60.0 + 7 * (number % 23) for number in range(count)]
    placed = layout(widths, edges)
    assert len(placed.boxes) == count and placed.lines.keys() == set(edges)
    boxes = sorted(placed.boxes.values(), key=lambda box: box[1])
    for at, (left, top, width) in enumerate(boxes):
        assert left >= 0 and top >= -1e-6 and left + width <= placed.width + 1e-6 and top + BOX <= placed.height + 1e-6
        for other_left, other_top, other_width in boxes[at + 1 :]:
            if other_top >= top + BOX - 1e-6:
                break
            assert left + width <= other_left or other_left + other_width <= left
    for (source, target), points in placed.lines.items():
        for node, (x, y) in ((source, points[0]), (target, points[-1])):
            left, top, width = placed.boxes[node]
            assert left - 1e-6 <= x <= left + width + 1e-6 and top - 1e-6 <= y <= top + BOX + 1e-6
        assert source == target or points[0][0] in (placed.boxes[source][0], sum(placed.boxes[source][::2]))


def test_lines_run_to_the_right_but_for_those_that_close_a_circle():
    placed = layout([80.0] * 3, [(0, 1), (1, 2), (0, 2), (2, 0)])
    x = {node: box[0] for node, box in placed.boxes.items()}
    assert x[0] < x[1] < x[2]
    assert placed.lines[2, 0][0][0] == x[2] and placed.lines[2, 0][-1][0] == x[0] + 80
    assert len(placed.lines[0, 2]) == 4, "one bend where it passes through a layer: a way in and a way out"


def test_what_belongs_to_nobody_stands_below():
    placed = layout([80.0] * 4, [(0, 1)])
    assert placed.alone is not None and min(placed.boxes[2][1], placed.boxes[3][1]) == placed.alone > placed.boxes[0][1] + BOX
