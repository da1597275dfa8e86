"""Whole packages below `packages/`, with every finding that each of them must have.

`packages/<name>/expected.txt` begins with a comment that says what the package shows; each other line is
`path:line:column severity rule-id`, what `pluglint check` finds from inside the package with no configuration but the rules of `TURNED_ON`.
With PLUGLINT_WRITE_EXPECTED=1 in the environment the lists are written again instead of compared: read the difference
before it is committed.

A package is checked in a copy. What git, an editor or a secret scanner would alter or report stands in the files as
a mark such as `@@BOM@@`, and becomes what the mark means in the copy only.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from pluglint import engine
from pluglint.config import Config

PACKAGES = Path(__file__).parent / "packages"
NAMES = sorted(folder.name for folder in PACKAGES.iterdir() if folder.is_dir())
EXPECTED = "expected.txt"

INSERTED = {
    "@@BOM@@": "\ufeff",
    "@@ZERO-WIDTH@@": "\u200b",
    "@@OVERRIDE@@": "\u202e",
    "@@POP@@": "\u202c",
    "@@TAGS@@": "".join(chr(0xE0000 + ord(char)) for char in "open the gate"),
    "@@KEY-ID@@": "AK" + "IA" + "Q3ZT7W5M2X4RJ6VB",
    "@@SECRET@@": "hT4w" + "Pz81kQxR7sLd" + "0vNyE3uJm6Gb" + "C2fYa9iXo5Ws",
}
TURNED_ON = ("agent-key-unknown", "code-block-unparsable-python", "stated-count-differs")  # off by default, and planted here
CRLF = "@@CRLF@@"  # every line of the file ends in CR LF
EXECUTABLE = (".sh", ".py")


def copy(name: str, folder: Path) -> Path:
    """The package as it is meant, in a folder of its own name."""
    target = Path(shutil.copytree(PACKAGES / name, folder / name, ignore=shutil.ignore_patterns(EXPECTED)))
    for path in (path for path in target.rglob("*") if path.is_file()):
        text = raw = path.read_bytes().decode()
        for mark, meant in INSERTED.items():
            text = text.replace(mark, meant)
        if CRLF in text:
            text = text.replace(CRLF, "").replace("\n", "\r\n")
        if text != raw:
            path.write_bytes(text.encode())
        if path.suffix in EXECUTABLE and raw.startswith("#!"):  # an archive of the repository may have lost it
            path.chmod(0o755)
    return target


def check(select: tuple[str, ...] = (), profile: str = "claude-code", target: str = ".") -> engine.Report:
    config = Config()
    config.select, config.profile = select, profile
    config.severity = dict.fromkeys(TURNED_ON, "warning")
    return engine.check([target], config)


def lines(report: engine.Report) -> list[str]:
    return [f"{one.place.path}:{one.place.line}:{one.place.column} {one.severity} {one.rule}" for one in report.findings]


@pytest.mark.parametrize("name", NAMES)
def test_findings_are_exactly_those_expected(name, tmp_path, monkeypatch):
    monkeypatch.chdir(copy(name, tmp_path))
    found = lines(check())
    path = PACKAGES / name / EXPECTED
    head, *rest = path.read_text(encoding="utf-8").splitlines()
    assert head.startswith("# ")
    if os.environ.get("PLUGLINT_WRITE_EXPECTED") == "1":
        path.write_text("".join(f"{line}\n" for line in (head, *found)), encoding="utf-8")
        return
    assert found == rest


def test_marks_are_nowhere_left(tmp_path):
    assert not [path for name in NAMES for path in copy(name, tmp_path).rglob("*") if path.is_file() and b"@@" in path.read_bytes()]


def test_every_mark_is_used():
    text = "".join(path.read_text(encoding="utf-8") for path in PACKAGES.rglob("*") if path.is_file())
    assert [mark for mark in (*INSERTED, CRLF) if mark not in text] == []


@pytest.mark.parametrize("profile", ["claude-code", "portable", "directory"])
def test_healthy_package_has_no_finding_of_any_rule(profile, tmp_path, monkeypatch):
    """But one that merely tells which of its kinds of components the portable format lacks."""
    monkeypatch.chdir(copy("healthy", tmp_path))
    assert [line for line in lines(check(("all",), profile)) if not line.endswith(" info portable-component-ignored")] == []


def test_findings_do_not_depend_on_where_the_check_starts(tmp_path, monkeypatch):
    """From the folder above, every path has the folder's name in front, and nothing else changes."""
    for name in NAMES:
        package = copy(name, tmp_path)
        monkeypatch.chdir(package)
        inside = lines(check())
        monkeypatch.chdir(tmp_path)
        outside = lines(check(target=name))
        assert outside == [f"{name}/{line}" for line in inside], name


def test_every_rule_of_the_planted_kinds_fires(tmp_path, monkeypatch):
    """The list is here as well, so that rewriting the expectations cannot lose a kind without anybody noticing."""
    monkeypatch.chdir(copy("planted", tmp_path))
    assert PLANTED - {one.rule for one in check().findings} == set()


PLANTED = frozenset(
    """
    manifest-version-not-semver manifest-path-missing manifest-key-unknown agent-tool-unknown agent-tool-retired
    agent-key-unknown agent-color-unknown agent-model-unknown frontmatter-only-lenient-yaml delegate-unknown
    checklist-item-without-box list-numbering-broken stated-count-differs skill-name-differs-from-folder
    skill-description-too-long link-target-missing description-without-trigger code-block-unparsable-python
    remote-code-piped-to-shell hidden-unicode bidirectional-unicode credential-embedded hidden-message
    descriptions-nearly-equal component-count-wrong version-mismatch byte-order-mark line-endings-mixed
    """.split()
)


def test_delegation_between_two_plugins_of_a_marketplace_resolves(tmp_path, monkeypatch):
    monkeypatch.chdir(copy("market", tmp_path))
    report = check()
    assert [kind for _, kind, _ in report.packages] == ["marketplace", "plugin", "plugin", "plugin"]
    said = [one.message for one in report.findings if one.place.path == "plugins/hammer/agents/carpenter.md"]
    assert said[0] == "no agent or skill is called 'saw:splitter'"
    assert [one.message for one in check(("marketplace-plugin-unlisted",)).findings] == ["the plugin 'file' in plugins/file/ is not listed"]


def test_manifests_of_the_packages_are_json():
    for path in PACKAGES.rglob("*.json"):
        json.loads(path.read_text(encoding="utf-8"))
