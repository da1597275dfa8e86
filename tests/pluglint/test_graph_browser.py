"""The page of `pluglint graph --html` in a real browser: `make test-browser`."""

from __future__ import annotations

import json

import pytest
from browser import NoBrowser, Page
from test_graph_command import FRIENDLY, HOSTILE, graph

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    try:
        page = Page(tmp_path_factory.mktemp("profile"))
    except NoBrowser as reason:
        pytest.exit(str(reason), returncode=1)
    yield page
    page.close()


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """(address of the page, the same graph as JSON)"""
    root = tmp_path_factory.mktemp("package")
    data = json.loads(graph(root, FRIENDLY, "--format", "json").output)
    assert graph(root, FRIENDLY, "--html", "-o", str(root / "graph.html")).exit_code == 0
    return (root / "graph.html").as_uri(), data


def node(name):
    return f"a.node[data-name={json.dumps(name)}]"


def lit(page):
    """(from, to) of the edges that are highlighted."""
    names = "id => document.getElementById('node=' + id).dataset.name"
    return page.ask(f"(n => [...document.querySelectorAll('.drawing .edge.on')].map(e => [n(e.dataset.from), n(e.dataset.to)]).sort())({names})")


def shown_rows(page):
    return page.ask("[...document.querySelectorAll('#edges tbody tr')].filter(r => r.getBoundingClientRect().height > 0).length")


LEAD = [["demo:lead", name] for name in ("Explore", "demo:reader", "far:away", "torch-pro")] + [["demo:reader", "demo:lead"]]


def test_browser_tells_what_it_is_asked(page, tmp_path):
    """The tests below rest on these: a refused style and a broken script are heard."""
    (tmp_path / "bad.html").write_text("<meta http-equiv=Content-Security-Policy content=\"style-src 'none'\"><style>p{}</style><script>throw Error('x')</script><img src='nothing.png'>")
    page.open((tmp_path / "bad.html").as_uri())
    assert any("Content Security Policy" in one for one in page.complaints) and any("Uncaught" in one for one in page.complaints)
    assert len(page.asked) == 2


@pytest.mark.parametrize("scheme, colour", [("light", "rgb(255, 255, 255)"), ("dark", "rgb(13, 17, 23)")])
def test_page_loads_itself_alone_and_complains_of_nothing(page, made, scheme, colour):
    page.open(made[0], scheme)
    assert page.complaints == [] and page.asked == [made[0]]
    assert page.ask("getComputedStyle(document.body).backgroundColor") == colour


def test_everything_of_the_graph_is_drawn(page, made):
    page.open(made[0])
    assert page.ask("document.querySelectorAll('.drawing a.node').length") == len(made[1]["nodes"])
    pairs = {(edge["source"], edge["target"]) for edge in made[1]["edges"]}
    assert page.ask("document.querySelectorAll('.drawing .edge').length") == len(pairs)
    assert shown_rows(page) == len(made[1]["edges"])
    overlaps = "(b => b.some((r, i) => b.some((s, j) => i < j && r.left < s.right && s.left < r.right && r.top < s.bottom && s.top < r.bottom)))"
    assert page.ask(overlaps + "([...document.querySelectorAll('a.node rect')].map(e => e.getBoundingClientRect()))") is False
    assert page.ask("[...document.querySelectorAll('a.node')].every(n => [...n.querySelectorAll('text')].every(t => t.getBBox().width <= n.querySelector('rect').getBBox().width))"), "names fit into their boxes"


def test_click_highlights_the_edges_of_a_node(page, made):
    page.open(made[0])
    assert lit(page) == []
    page.click(node("demo:lead"))
    assert lit(page) == LEAD
    assert shown_rows(page) == 5
    assert page.ask("document.getElementById('said').textContent") == "Only the edges of demo:lead: 5 of 6. Show all"
    page.click("#said a")
    page.move(1, 1)
    assert lit(page) == [] and shown_rows(page) == 6


def test_hover_highlights_and_leaves(page, made):
    page.open(made[0])
    x, y = page.ask(f"(r => [r.x + 9, r.y + 9])(document.querySelector({json.dumps(node('torch-pro'))}).getBoundingClientRect())")
    page.move(x, y)
    assert lit(page) == [["demo:lead", "torch-pro"]] and shown_rows(page) == 6
    page.move(1, 1)
    assert lit(page) == []


def test_address_names_the_node(page, made):
    page.open(made[0])
    own = page.ask(f"document.querySelector({json.dumps(node('demo:lead'))}).id")
    page.open(f"{made[0]}#{own}")
    assert lit(page) == LEAD
    page.open(made[0] + "#node=n999")
    assert lit(page) == [] and shown_rows(page) == 6 and page.complaints == []


def test_keyboard(page, made):
    page.open(made[0])
    seen = []
    for _ in range(12):
        page.press("Tab")
        seen.append(page.ask("document.activeElement.dataset.name || ''"))
    assert {one["name"] for one in made[1]["nodes"]} <= set(seen), "each node can be reached with the Tab key"
    page.ask(f"document.querySelector({json.dumps(node('torch-pro'))}).focus()")
    page.press("Enter")
    assert lit(page) == [["demo:lead", "torch-pro"]]
    page.press("Escape")
    assert lit(page) == [] and shown_rows(page) == 6


def test_hostile_names_stay_text(page, tmp_path):
    name = json.dumps(HOSTILE + "</title></script><script>throw Error(1)</script>" + '" onclick="throw 1')
    files = {"agents/x.md": f"---\nname: {name}\ndescription: Does work. Use when there is some.\nskills: [{name}]\n---\nYou work.\n"}
    assert graph(tmp_path, files, "--html", "-o", str(tmp_path / "graph.html")).exit_code == 0
    address = (tmp_path / "graph.html").as_uri()
    page.open(address)
    page.click("a.node")
    assert page.complaints == [] and page.asked == [address]
    assert page.ask("document.querySelectorAll('script').length") == 1
    assert page.ask("document.querySelectorAll('[onclick], .drawing b').length") == 0
