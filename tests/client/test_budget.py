"""What `pluglint budget` says of the client's listing, asked of the client."""

from __future__ import annotations

import pytest

from pluglint.budget import budget
from pluglint.config import Config
from pluglint.discover import discover
from pluglint.load import load_package

pytestmark = pytest.mark.client

MODELS = {"200K": "claude-sonnet-4-5", "1M": "opus"}
# model: lengths of the descriptions of skills
LENGTHS = {
    "200K": ([200] * 10, [1000, 1000, 600, 100, 100], [1000, 898], [1000, 899]),
    "1M": ([1000] * 60, [1500] * 15 + [1202], [1500] * 15 + [1203]),
}


def plugin(folder, name, lengths, command=False):
    root = folder / name
    (root / ".claude-plugin").mkdir(parents=True)
    (root / ".claude-plugin/plugin.json").write_text('{"name": "%s", "version": "1.0.0", "description": "x", "author": {"name": "a"}}' % name)
    for number, length in enumerate(lengths):
        skill = root / f"skills/s{number:03}"
        skill.mkdir(parents=True)
        (skill / "SKILL.md").write_text(f"---\nname: s{number:03}\ndescription: {'x' * length}\n---\nhi\n")
    if command:
        (root / "commands").mkdir()
        (root / "commands/zz.md").write_text("---\ndescription: A command.\n---\nhi\n")
    return root


def expected(roots, context):
    packages = [load_package(discover(str(root)).roots[0], Config()) for root in roots]
    return {one.name for one in budget(packages).costs if context in one.dropped}


def seen(client, folder, roots, context):
    session = client.session(folder, roots, options=["--model", MODELS[context]])
    assert session.skills
    return {name for name, listed in session.skills.items() if not listed.description}


@pytest.mark.parametrize(("context", "lengths"), [(context, lengths) for context, cases in LENGTHS.items() for lengths in cases])
def test_dropped_descriptions(client, tmp_path, context, lengths):
    roots = [plugin(tmp_path, "demo", lengths)]
    assert seen(client, tmp_path / "run", roots, context) == expected(roots, context)


@pytest.mark.parametrize("order", [("alpha", "zeta"), ("zeta", "alpha")])
def test_several_plugins(client, tmp_path, order):
    roots = [plugin(tmp_path, name, [1200], command=True) for name in order]
    assert seen(client, tmp_path / "run", roots, "200K") == expected(roots, "200K") == {f"{order[1]}:s000"}
