"""Trees that break other programs: each yields a finding at the right file, or nothing where all is well; never a traceback, a hang or exit status 3."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from pluglint import engine
from pluglint.config import Config
from pluglint.report import FORMATS, renderer
from pluglint.rule import rule_ids

TOOLS = Path(__file__).resolve().parents[2] / "tools"
HEADER = "---\nname: {}\ndescription: Reads logs and counts events. Use when a log must be searched.\n---\n\n"
AGENT = HEADER.format("a") + "You read logs.\n"
SKILL = HEADER.format("s") + "Read the log.\n"
MANIFEST = '{\n  "name": "demo",\n  "version": "1.0.0",\n  "description": "A demonstration.",\n  "author": {"name": "Example Author"},\n  "license": "MIT"\n}\n'
SECONDS = 60  # for one tree: stops a hang, and says nothing about speed; the slowest takes a few seconds


class StillRunning(BaseException):
    """No Exception: the engine would take it for the crash of a rule and go on."""


@pytest.fixture(autouse=True)
def no_hang():
    def stop(*_):
        raise StillRunning(f"after {SECONDS} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(SECONDS)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def tree(root: Path, **files) -> Path:
    """Writes a plugin: `agents__a_md="..."` would be unreadable, so files come as a mapping under `files`."""
    everything = {".claude-plugin/plugin.json": MANIFEST, **files.pop("files", {})}
    for path, content in everything.items():
        if content is None:
            continue
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "surrogateescape"))
    return root


def report(root: Path, profile: str = "claude-code"):
    config = Config()
    config.profile = profile
    config.select = ("all",)
    found = engine.check([str(root)], config)
    assert [one.message for one in found.findings if one.rule == engine.INTERNAL_ERROR] == []
    for name in FORMATS:
        shown = renderer(name).render(found, True) if name == "text" else renderer(name).render(found)
        shown.encode("utf-8")  # nothing that a terminal or a file cannot take
        assert not any(char in shown for char in "\x00\x1b\x07\x7f\u202e\u200b")
        if name in ("json", "sarif", "gitlab"):
            json.loads(shown)
        if name == "junit":
            ElementTree.fromstring(shown)
    return found


def at(found, path: str) -> set[str]:
    """The rules that fired on one file."""
    return {one.rule for one in found.findings if one.place.path.endswith(path)}


# What each hostile text should be found for: (where it is put, text, a rule that must fire there or None where it is harmless).
LONG = 400_000
TEXTS = {
    "nul": ("agents/a.md", AGENT + "A\0B\n", "control-character"),
    "invalid UTF-8": ("skills/s/SKILL.md", SKILL.encode() + b"caf\xe9\n", "utf8-invalid"),
    "UTF-16": ("agents/a.md", AGENT.encode("utf-16"), "encoding-utf16"),
    "UTF-16 without mark": ("agents/a.md", AGENT.encode("utf-16-le"), "encoding-utf16"),
    "UTF-32": ("agents/a.md", AGENT.encode("utf-32"), "encoding-utf16"),
    "UTF-16 manifest": (".claude-plugin/plugin.json", MANIFEST.encode("utf-16"), "encoding-utf16"),
    "byte order mark": ("skills/s/SKILL.md", b"\xef\xbb\xbf" + SKILL.encode(), "byte-order-mark"),
    "two byte order marks": ("skills/s/SKILL.md", b"\xef\xbb\xbf" * 2 + SKILL.encode(), "byte-order-mark"),
    "CR only": ("agents/a.md", AGENT.replace("\n", "\r"), "carriage-return-only"),
    "CR LF": ("agents/a.md", AGENT.replace("\n", "\r\n"), "line-endings-mixed"),
    "mixed": ("agents/a.md", AGENT.replace("\n", "\r\n", 2), "line-endings-mixed"),
    "binary": ("agents/a.md", bytes(range(256)) * 40, "control-character"),
    "random bytes in JSON": (".claude-plugin/plugin.json", bytes(range(255, -1, -1)) * 4, "utf8-invalid"),
    "escape sequences": ("README.md", "# Demo\n\n\x1b]0;title\x07\x1b[2J\n", "control-character"),
    "empty agent": ("agents/a.md", "", None),
    "empty manifest": (".claude-plugin/plugin.json", "", None),
    "one line break": ("agents/a.md", "\n", None),
    "only a fence": ("agents/a.md", "---", None),
    "only two fences": ("agents/a.md", "---\n---", None),
    "header without end": ("agents/a.md", "---\n" + "a: b\n" * 20_000, None),
    "alias bomb": ("agents/a.md", "---\na: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join([f'*{chr(97 + n)}'] * 9)}]\n" for n in range(20)) + "---\n", None),
    "alias of itself": ("agents/a.md", "---\na: &a [*a]\nname: *a\n---\n", None),
    "merge keys": ("agents/a.md", "---\nx: &x {name: a}\n<<: *x\n<<: [*x, *x]\n---\n", None),
    "YAML 3,000 deep": ("agents/a.md", "---\na: " + "[" * 3_000 + "]" * 3_000 + "\n---\n", None),
    "YAML 100,000 deep": ("agents/a.md", "---\na: " + "[" * 100_000 + "]" * 100_000 + "\n---\n", None),
    "YAML maps 50,000 deep": ("agents/a.md", "---\na: " + "{a: " * 50_000 + "}" * 50_000 + "\n---\n", None),
    "YAML block lists 2,000 deep": ("agents/a.md", "---\na:\n " + "- " * 2_000 + "x\n---\n", None),
    "YAML tags": ("agents/a.md", "---\nname: !!python/object/apply:os.system ['true']\ndescription: !!binary x\n---\n", None),
    "YAML huge numbers": ("agents/a.md", f"---\nmaxTurns: {'9' * 5_000}\nname: 1e{'9' * 400}\ndescription: 0x{'f' * 5000}\n---\n", None),
    "YAML dates": ("agents/a.md", "---\nname: 2026-13-45\ndescription: 99999-01-01T00:00:00Z\n---\n", None),
    "YAML list": ("agents/a.md", "---\n- a\n- b\n---\n", None),
    "YAML text": ("agents/a.md", "---\njust words\n---\n", None),
    "YAML odd keys": ("agents/a.md", "---\n? [a, b]\n: c\n? {x: y}\n: z\nnull: a\n1: b\n---\n", None),
    "every field a map": ("agents/a.md", "---\n" + "".join(f"{key}: {{a: [b]}}\n" for key in ("name", "description", "tools", "model", "color", "skills", "effort", "maxTurns", "memory")) + "---\nx\n", None),
    "every field a list": ("skills/s/SKILL.md", "---\n" + "".join(f"{key}: [[a], {{b: c}}, null, 1]\n" for key in ("name", "description", "allowed-tools", "model", "agent", "context", "arguments", "paths", "hooks")) + "---\nx\n", None),
    "every field null": ("commands/c.md", "---\n" + "".join(f"{key}:\n" for key in ("name", "description", "allowed-tools", "model", "argument-hint")) + "---\nx\n", None),
    "duplicate YAML keys": ("agents/a.md", AGENT.replace("name: a\n", "name: a\nname: b\n" * 50), None),
    "20,000 YAML keys": ("agents/a.md", "---\n" + "".join(f"k{n}: v\n" for n in range(20_000)) + "---\n", None),
    "blanks in a header value": ("agents/a.md", "---\nname: a: b" + " " * LONG + "c\n---\n", None),
    "blanks in a plain value": ("agents/a.md", "---\nname: b" + " " * LONG + "c\n---\n", None),
    "JSON 20,000 deep": (".claude-plugin/plugin.json", "[" * 20_000 + "]" * 20_000, None),
    "JSON objects 20,000 deep": (".claude-plugin/plugin.json", '{"a":' * 20_000 + "1" + "}" * 20_000, None),
    "JSON array": (".claude-plugin/plugin.json", "[1, 2, 3]\n", None),
    "JSON string": (".claude-plugin/plugin.json", '"name"\n', None),
    "JSON huge numbers": (".claude-plugin/plugin.json", '{"name": 1e999999, "version": -1E-999999, "description": ' + "9" * 5_000 + "}", None),
    "JSON NaN": (".claude-plugin/plugin.json", '{"name": NaN, "version": -Infinity}', None),
    "JSON duplicate keys": (".claude-plugin/plugin.json", "{" + ", ".join('"name": "demo"' for _ in range(500)) + "}", None),
    "JSON lone surrogates": (".claude-plugin/plugin.json", '{"name": "\\ud800", "version": "\\udfff", "description": "\\ud83d\\ude00 \\udc00", "agents": ["./\\ud800.md"], "keywords": ["\\u0000"]}', None),
    "JSON every field a number": (".claude-plugin/plugin.json", json.dumps({key: 7 for key in ("name", "version", "description", "author", "keywords", "agents", "skills", "commands", "hooks", "mcpServers", "dependencies", "userConfig")}), None),
    "JSON every field nested": (".claude-plugin/plugin.json", json.dumps({key: [{"a": [None, {}]}] for key in ("name", "version", "description", "author", "keywords", "agents", "skills", "commands", "hooks", "mcpServers", "dependencies", "userConfig")}), None),
    "JSON paths that leave": (".claude-plugin/plugin.json", MANIFEST.replace("{\n", '{\n  "agents": ["../../../etc/passwd", "/etc/passwd", "./\\u0000", "", ".", "./" ],\n', 1), None),
    "hooks of every shape": ("hooks/hooks.json", '{"hooks": {"PreToolUse": [{"matcher": "(((", "hooks": [{"type": "command", "command": "\\u0000 \' \\" $("}]}, 5, null, []], "Stop": {}, "": 1}}', None),
    "hooks with a hostile matcher": ("hooks/hooks.json", json.dumps({"hooks": {"PreToolUse": [{"matcher": "(a+)+" * 40 + "$", "hooks": [{"type": "command", "command": "x " * 10_000}]}]}}), None),
    "servers of every shape": (".mcp.json", '{"mcpServers": {"": null, "a": [], "b": {"command": 5, "args": "x", "env": []}}}', None),
    "50,000 brackets": ("agents/a.md", AGENT + "[" * 50_000 + "\n", None),
    "50,000 bracket pairs": ("agents/a.md", AGENT + "[" * 50_000 + "](x)" * 20_000 + "\n", None),
    "50,000 links": ("skills/s/SKILL.md", SKILL + "[a](b.md) `c` " * 30_000 + "\n", None),
    "50,000 backticks": ("agents/a.md", AGENT + "`" * 50_000 + "\n", None),
    "runs of backticks": ("agents/a.md", AGENT + " ".join("`" * n for n in range(1, 900)) + "\n", None),
    "50,000 asterisks": ("agents/a.md", AGENT + "*" * 50_000 + "\n\n" + "* " * 50_000 + "\n", None),
    "50,000 underscores": ("agents/a.md", AGENT + "_" * 50_000 + " " + "_a" * 50_000 + "\n", None),
    "50,000 bars": ("agents/a.md", AGENT + "|" * 50_000 + "\n|" + "-|" * 50_000 + "\n" + "|" * 50_000 + "\n", None),
    "50,000 quote marks": ("agents/a.md", AGENT + ">" * 50_000 + "\n" + "> " * 50_000 + "\n", None),
    "50,000 hashes": ("agents/a.md", AGENT + "#" * 50_000 + "\n# a" + " #" * 50_000 + " b\n", None),
    "50,000 tildes": ("agents/a.md", AGENT + "~" * 50_000 + "\n", None),
    "open comments": ("agents/a.md", AGENT + "x <!-- " * 50_000 + "\n", None),
    "closed comments": ("agents/a.md", AGENT + "x <!-- y --> " * 30_000 + "\n", None),
    "open tags": ("agents/a.md", AGENT + "<a href=" * 50_000 + "\n", None),
    "blanks in a heading": ("agents/a.md", AGENT + "# a" + " " * LONG + "b \n", None),
    "blanks in a table": ("agents/a.md", AGENT + "| a |\n" + "\t" * LONG + "-x\n| b |\n---" + " " * LONG + "x\n", None),
    "blank lines": ("agents/a.md", AGENT + "- a\n" + "\n" * LONG + "- b\n", None),
    "lines of blanks": ("agents/a.md", AGENT + (" " * 300 + "\n") * 2_000, None),
    "one long line": ("agents/a.md", AGENT + "word " * (LONG // 5) + "\n", None),
    "one long word": ("agents/a.md", AGENT + "w" * LONG + "\n", None),
    "one long number": ("agents/a.md", AGENT + "## 5 Checks\n\n" + "9" * LONG + ". x\n## " + "9" * LONG + " checks\n\n- a\n", None),
    "40,000 lines": ("agents/a.md", AGENT + "a line of text\n" * 40_000, None),
    "nested lists": ("agents/a.md", AGENT + "".join("  " * n + "- a\n" for n in range(600)), None),
    "lists far in": ("agents/a.md", AGENT + "- a\n" + "          - b\n" * 20_000, None),
    "open fences in lists": ("agents/a.md", AGENT + "- a\n\n  ```py\n  x\n" * 15_000, None),
    "open fences in quotes": ("agents/a.md", AGENT + "> ```py\n> x\n\n" * 15_000, None),
    "fences of every width": ("agents/a.md", AGENT + "".join("`" * n + "\n" for n in range(3, 900)), None),
    "many headings": ("agents/a.md", AGENT + "## A\n\nx\n\n" * 20_000, None),
    "many commands": ("skills/s/SKILL.md", SKILL + "curl x | curl x | " * 20_000 + "\n", "remote-code-piped-to-shell" if False else None),
    "many suppressions": ("agents/a.md", AGENT + "<!-- pluglint: ignore[utf8-invalid] reason -->\n\n" * 8_000, None),
    "suppression that is open": ("agents/a.md", AGENT + "<!-- pluglint: ignore[" * 20_000, None),
    "zero-width everywhere": ("README.md", "# Demo\n\n" + "a\u200bb\n" * 20_000, "hidden-unicode"),
    "zero-width in one line": ("README.md", "# Demo\n\n" + "a\u200b" * 100_000 + "\n", "hidden-unicode"),
    "overrides everywhere": ("README.md", "# Demo\n\n" + "a\u202eb" * 50_000 + "\n", "bidirectional-unicode"),
    "tags everywhere": ("README.md", "# Demo\n\n" + "a\U000e0041" * 50_000 + "\n", "hidden-message"),
    "Python that nests": ("agents/a.md", AGENT + "```python\nx = " + "(" * 5_000 + "\n```\n\n```python\n" + "-" * 20_000 + "1\n```\n\n```json\n" + "[" * 50_000 + "\n```\n", None),
    "Python with NUL": ("agents/a.md", AGENT + "```python\nx = '\0'\n```\n```python\n\ud800\n```\n".replace("\ud800", "\udced\udca0\udc80"), None),
}


@pytest.mark.parametrize("name", TEXTS)
def test_hostile_text(name, tmp_path):
    path, content, rule = TEXTS[name]
    root = tree(tmp_path / "demo", files={"agents/z.md": HEADER.format("z") + "You read.\n", path: content})
    found = report(root)
    if rule is not None:
        assert rule in at(found, path)
    assert any(shown.endswith(path) for shown in found.files)


@pytest.mark.parametrize("profile", ["portable", "directory"])
@pytest.mark.parametrize("name", [name for name in TEXTS if TEXTS[name][0].endswith(".json") or name.startswith(("YAML", "every"))])
def test_hostile_text_under_the_other_profiles(name, profile, tmp_path):
    path, content, _ = TEXTS[name]
    report(tree(tmp_path / "demo", files={path: content, "plugin.json": content if path.endswith("plugin.json") else None}), profile)


def test_a_line_of_five_megabytes_is_left_alone_and_said_so(tmp_path):
    root = tree(tmp_path / "demo", files={"agents/a.md": AGENT + "x" * 5_000_000, "docs/b.md": "y" * 5_000_000})
    found = report(root)
    assert "agent-too-large" in at(found, "agents/a.md")
    assert "file-not-checked" in at(found, "docs/b.md")


def test_pipes_sockets_and_folders_where_files_belong(tmp_path):
    root = tree(tmp_path / "demo")
    (root / "agents").mkdir()
    os.mkfifo(root / "agents/pipe.md")
    (root / "agents/folder.md").mkdir()
    (root / "skills/s/SKILL.md").mkdir(parents=True)
    (root / "hooks/hooks.json").mkdir(parents=True)
    here = os.getcwd()
    os.chdir(root / "agents")  # socket paths are short
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket.md")
        os.chdir(here)
        found = report(root)
    assert "file-unreadable" in at(found, "agents/pipe.md")
    assert "file-unreadable" in at(found, "agents/socket.md")
    assert "file-unreadable" in at(found, "agents/folder.md")
    assert "file-unreadable" in at(found, "hooks/hooks.json")
    assert "skill-not-discovered" in at(found, "skills/s/SKILL.md")


def test_manifest_that_is_a_folder(tmp_path):
    (tmp_path / "demo/.claude-plugin/plugin.json").mkdir(parents=True)
    (tmp_path / "demo/agents").mkdir()
    assert "file-unreadable" in at(report(tmp_path / "demo"), ".claude-plugin/plugin.json")


def test_a_file_that_vanishes_or_may_not_be_read(tmp_path, monkeypatch):
    """Permission bits do not stop root, so the refusal is played."""
    root = tree(tmp_path / "demo", files={"agents/a.md": AGENT, "agents/b.md": AGENT.replace("name: a", "name: b")})
    real = os.open

    def refuse(path, *arguments, **options):
        if str(path).endswith("agents/a.md"):
            raise PermissionError(13, "Permission denied", path)
        if str(path).endswith("agents/b.md"):
            raise FileNotFoundError(2, "No such file or directory", path)
        return real(path, *arguments, **options)

    monkeypatch.setattr(os, "open", refuse)
    found = report(root)
    assert "file-unreadable" in at(found, "agents/a.md") & at(found, "agents/b.md")


def test_a_folder_that_may_not_be_listed(tmp_path, monkeypatch):
    root = tree(tmp_path / "demo", files={"agents/a.md": AGENT, "docs/b.md": "# B\n"})
    real = os.scandir

    def refuse(path):
        if str(path).endswith("docs"):
            raise PermissionError(13, "Permission denied", path)
        return real(path)

    monkeypatch.setattr(os, "scandir", refuse)
    found = report(root)
    assert "file-not-checked" in at(found, "docs")


def test_links_are_named_and_nothing_outside_is_read(tmp_path):
    outside = tmp_path / "outside"
    tree(outside, files={"agents/secret.md": AGENT.replace("logs", "CANARY"), "skills/x/SKILL.md": SKILL.replace("log", "CANARY"), "canary.md": "CANARY\u200b\n"})
    root = tree(tmp_path / "demo", files={"agents/a.md": AGENT, "skills/s/SKILL.md": SKILL})
    links = {
        "agents/out.md": "../../outside/agents/secret.md",
        "agents/in.md": "a.md",
        "agents/gone.md": "nowhere.md",
        "agents/self.md": "self.md",
        "agents/device.md": "/dev/zero",
        "skills/out": "../../outside/skills/x",
        "skills/up": "..",
        "skills/s/references": "../../../outside",
        "skills/s/loop": ".",
        "README.md": "../outside/canary.md",
        "commands": "../outside/agents",
        "hooks": "/dev",
        ".mcp.json": "/dev/urandom",
    }
    for name, target in links.items():
        (root / name).symlink_to(target)
    found = report(root)
    assert {rel for rel in links if "link-not-loaded" in at(found, "demo/" + rel)} == {"agents/out.md", "agents/in.md", "agents/gone.md", "agents/self.md", "agents/device.md", "skills/out", "commands", "hooks", ".mcp.json"}
    assert "link-left-behind" in at(found, "skills/s/references") & at(found, "README.md")
    assert "CANARY" not in repr(found)
    assert "hidden-unicode" not in {one.rule for one in found.findings}


def test_a_plugin_made_of_links(tmp_path):
    tree(tmp_path / "outside", files={"agents/a.md": AGENT.replace("logs", "CANARY")})
    root = tmp_path / "demo"
    root.mkdir()
    (root / ".claude-plugin").symlink_to("../outside/.claude-plugin")
    (root / "agents").symlink_to("../outside/agents")
    found = report(root)
    assert "link-not-loaded" in at(found, "demo/.claude-plugin") & at(found, "demo/agents")
    assert "CANARY" not in repr(found) and not any("a.md" in path for path in found.files)


@pytest.mark.parametrize("name", ["a\nb.md", "a\x1b[31mb.md", "a\u202eb.md", "a\u200bb.md", "a\udcff\udcfeb.md", "-rf.md", "[x](y).md", "a'b\".md", "%s{0}$(x).md", "a\\b.md", " .md", "\u1f600" * 40 + ".md"])
def test_hostile_file_name(name, tmp_path):
    root = tree(tmp_path / "demo", files={f"agents/{name}": AGENT, f"skills/{name}/SKILL.md": SKILL, f"skills/s/references/{name}": "# A\n"})
    found = report(root)
    if not name.isprintable():
        assert "path-name-unsafe" in {one.rule for one in found.findings}


def test_folders_without_end(tmp_path):
    root = tree(tmp_path / "demo", files={"agents/a.md": AGENT})
    here = os.getcwd()
    os.chdir(root)
    try:
        for _ in range(600):
            os.mkdir("d")
            os.chdir("d")
    finally:
        os.chdir(here)
    found = report(root)
    assert any(one.rule == "file-not-checked" and "deeper than" in one.message for one in found.findings)


def test_thousands_of_small_roots(tmp_path):
    """Finding the owner of each file must not look at every root."""
    for number in range(1_000):
        folder = tmp_path / f"market/p{number}/.claude-plugin"
        folder.mkdir(parents=True)
        (folder / "plugin.json").write_text(MANIFEST.replace("demo", f"p{number}"))
    report(tmp_path / "market")


def test_names_that_differ_by_case_and_accent(tmp_path):
    root = tree(tmp_path / "demo", files={"docs/cafe\u0301.md": "# A\n", "docs/caf\u00e9.md": "# B\n", "docs/B.md": "# B\n", "docs/b.md": "# B\n"})
    found = report(root)
    assert sum(one.rule == "names-clash-by-case" for one in found.findings) == 2


def test_a_secret_is_never_shown_whole(tmp_path):
    secret = "bX9v/Kq2" + "LmT7wRz4" + "Yc1PdNs8" + "HjU6eGf3" + "AoVtQiZk"
    root = tree(tmp_path / "demo", files={"README.md": f"# Demo\n\nexport AWS_SECRET_ACCESS_KEY={secret}\n"})
    found = report(root)
    assert "credential-embedded" in at(found, "README.md")
    own = [one for one in found.findings if one.rule == "credential-embedded"]
    assert secret not in repr(own) and secret[4:20] not in repr(own)


# The real command, from outside.
COMMAND = ["JSON 20,000 deep", "YAML 100,000 deep", "binary", "50,000 links", "JSON lone surrogates", "escape sequences"]


def run(*arguments: str, cwd: Path, **options) -> subprocess.CompletedProcess:
    environment = {**os.environ, "PYTHONPATH": str(TOOLS), "NO_COLOR": "1", **options.pop("env", {})}
    return subprocess.run([sys.executable, "-m", "pluglint", *arguments], cwd=cwd, env=environment, capture_output=True, timeout=60, **options)


@pytest.mark.parametrize("name", COMMAND)
def test_command_line(name, tmp_path):
    path, content, _ = TEXTS[name]
    tree(tmp_path / "demo", files={path: content})
    for form in ("text", "json"):
        done = run("check", "--config", "none", "--format", form, "demo", cwd=tmp_path)
        assert done.returncode in (0, 1), done.stderr
        assert b"Traceback" not in done.stderr and b"\x1b" not in done.stdout
        done.stdout.decode("utf-8")


def test_command_line_with_undecodable_names_and_no_locale(tmp_path):
    tree(tmp_path / "demo", files={"agents/a\udcff\n\x1b[31m.md": AGENT + "\u200b\n"})
    for form in ("text", "json"):
        done = run("check", "--config", "none", "--format", form, "demo", cwd=tmp_path, env={"LC_ALL": "C", "PYTHONIOENCODING": "ascii"})
        assert done.returncode == 1, done.stderr
        assert b"\x1b" not in done.stdout and b"\xff" not in done.stdout and b"Traceback" not in done.stderr


@pytest.mark.parametrize("target", ["missing", "empty", "demo/agents/pipe.md", "demo/agents/link.md", "a\nb", "\udcff", "/dev/null"])
def test_targets_that_are_nothing(target, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "demo/agents").mkdir(parents=True)
    os.mkfifo(tmp_path / "demo/agents/pipe.md")
    (tmp_path / "demo/agents/link.md").symlink_to("/etc/hostname")
    done = run("check", "--config", "none", target, cwd=tmp_path)
    assert done.returncode == (1 if "link" in target else 2) and b"Traceback" not in done.stderr, done.stderr


def test_no_rule_is_named_here_that_does_not_exist():
    named = {rule for _, _, rule in TEXTS.values() if rule is not None}
    assert named <= set(rule_ids())
