"""`--fix`: what each rule mends, what stays byte for byte, and what happens when something goes wrong."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import pytest
from examples import MANIFEST, config_for, write
from typer.testing import CliRunner

from pluglint import engine, fix
from pluglint.cli import app
from pluglint.commands.check import settings
from pluglint.finding import PlainEdit
from pluglint.rule import load_all
from pluglint.text import edited

RULES = [rule for rule in load_all() if rule.rule.fix]
MENDED = [pytest.param(rule, example, id=f"{rule.id}-{n}") for rule in RULES for n, example in enumerate(rule.module.BAD) if example.fixed is not None]
AGENT = "---\nname: {0}\ndescription: Reads. Use when asked.\ntools: {1}\n---\n{2}\n"


def mended(rule, example, root, monkeypatch, unsafe=True):
    root.mkdir()
    write(rule, example, root)
    monkeypatch.chdir(root)
    config = config_for(rule, example)
    config.select = (rule.id,)
    return fix.fix(["."], config, unsafe)


@pytest.mark.parametrize("rule, example", MENDED)
def test_bad_example_is_mended_in_these_words(rule, example, tmp_path, monkeypatch):
    outcome = mended(rule, example, tmp_path / "demo", monkeypatch)
    added = [line[1:] for line in fix.diff(outcome.changes).splitlines() if line.startswith("+") and not line.startswith("+++")]
    assert "\n".join(added) == example.fixed
    assert [one for one in outcome.report.findings if one.fix is not None] == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_rule_says_what_its_fixes_are(rule, tmp_path, monkeypatch):
    assert rule.rule.fix in ("safe", "unsafe")
    assert any(example.fixed is not None for example in rule.module.BAD), "no example shows the fix"
    for number, example in enumerate(rule.module.BAD):
        if rule.rule.fix == "unsafe" and rule.id != "frontmatter-only-lenient-yaml":
            assert mended(rule, example, tmp_path / f"demo{number}", monkeypatch, unsafe=False).changes == []


def test_rules_without_fixes_offer_none():
    """The declaration is what `explain` shows, so it must not fall behind."""
    import inspect

    for rule in load_all():
        assert ("Fix(" in inspect.getsource(rule.module)) == bool(rule.rule.fix), rule.id


# -- the safe ones leave descriptions and prompts alone


def test_a_description_is_never_edited_as_safe(tmp_path, monkeypatch):
    package(tmp_path, {"agents/a.md": "---\nname: a\ndescription: Plans: all. Use when asked.\ntools: Read\n---\nYou plan.\n", "agents/b.md": "---\nname: b\ndescription: Plans. Use when asked.\ntools: Read\nmodel: inherit\ncolor: @x\n---\nYou plan.\n"}, monkeypatch)
    outcome = fix.fix(["."], settings(["."], None))
    assert [one.path.rpartition("/")[2] for one in outcome.changes] in ([], ["b.md"])
    unsafe = fix.fix(["."], settings(["."], None), unsafe=True)
    assert b'description: "Plans: all. Use when asked."' in next(one.after for one in unsafe.changes if one.path.endswith("a.md"))


# -- bytes


def package(root, files, monkeypatch):
    for name, text in {".claude-plugin/plugin.json": MANIFEST, **files}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    (root / ".git").mkdir(exist_ok=True)
    monkeypatch.chdir(root)
    return root


DOUBLE = AGENT.format("a", "Read, Bash, Read", "You read.")
SINGLE = AGENT.format("a", "Read, Bash", "You read.")
FORMS = {
    "LF": lambda text: text.encode(),
    "CR LF": lambda text: text.replace("\n", "\r\n").encode(),
    "byte order mark": lambda text: b"\xef\xbb\xbf" + text.encode(),
    "mark and CR LF": lambda text: b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode(),
    "mixed": lambda text: text.replace("\n", "\r\n", 3).encode(),
    "no line end at the end": lambda text: text.rstrip("\n").encode(),
    "beyond ASCII": lambda text: text.replace("You read.", "Du liest. 読む \U0001f600").encode(),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
def test_all_other_bytes_stay(form, tmp_path, monkeypatch):
    root = package(tmp_path, {"agents/a.md": form(DOUBLE)}, monkeypatch)
    run("--fix", "--select", "agent-tool-duplicate")
    assert (root / "agents/a.md").read_bytes() == form(SINGLE)


def test_text_that_is_not_utf8_is_left_alone():
    with pytest.raises(UnicodeDecodeError):
        edited(b"caf\xe9 one", [(0, 1, "C")])


def test_edits_behind_line_ends_of_two_characters():
    data = b"one\r\ntwo\nthree\r\nfour"
    assert edited(data, [(4, 7, "2"), (14, 18, "4\n5")]) == b"one\r\n2\nthree\r\n4\r\n5"
    assert edited(b"a\r\nb\r\n", [(2, 3, "c\nd")]) == b"a\r\nc\r\nd\r\n"
    assert edited(b"a\r\nb\r\n", [(1, 2, "")]) == b"ab\r\n"


def test_mode_and_links_stay(tmp_path, monkeypatch):
    root = package(tmp_path, {"agents/a.md": DOUBLE}, monkeypatch)
    (root / "agents/a.md").chmod(0o640)
    run("--fix")
    assert (root / "agents/a.md").stat().st_mode & 0o777 == 0o640


# -- rounds, breaking, and giving up


def test_fixes_that_touch_one_another_take_several_rounds(tmp_path, monkeypatch):
    root = package(tmp_path, {"agents/a.md": AGENT.format("a", "Read, Bash, Read, Bash, Read", "You read.")}, monkeypatch)
    run("--fix", "--select", "agent-tool-duplicate")
    assert (root / "agents/a.md").read_text() == SINGLE


def test_one_fix_makes_way_for_the_next(tmp_path, monkeypatch):
    """`MultiEdit` and `Edit`: the first is taken out; `edit` becomes `Edit` only where none is there yet."""
    root = package(tmp_path, {"agents/a.md": AGENT.format("a", "Read, MultiEdit, edit", "You edit.")}, monkeypatch)
    run("--unsafe-fixes", "--select", "agent-tool-retired", "--select", "agent-tool-unknown", "--select", "agent-tool-duplicate")
    assert "tools: Read, Edit\n" in (root / "agents/a.md").read_text()


@pytest.fixture
def breaking(monkeypatch):
    """The fix of one rule that destroys the header, beside those that are right."""
    real = engine.finding

    def worse(rule, severity, problem):
        one = real(rule, severity, problem)
        if rule != "agent-tool-duplicate" or "b.md" not in one.place.path:
            return one
        return one._replace(fix=one.fix._replace(edits=(PlainEdit(one.place.path, 0, 4, "--- ---\n"),)))

    monkeypatch.setattr(engine, "finding", worse)


def test_a_fix_that_breaks_something_is_left_out(tmp_path, monkeypatch, breaking):
    other = DOUBLE.replace("name: a", "name: b")
    root = package(tmp_path, {"agents/a.md": DOUBLE, "agents/b.md": other, "agents/c.md": DOUBLE.replace("name: a", "name: c")}, monkeypatch)
    run("--fix")
    assert (root / "agents/a.md").read_text() == SINGLE
    assert (root / "agents/b.md").read_text() == other
    assert (root / "agents/c.md").read_text() == SINGLE.replace("name: a", "name: c")


def test_a_fix_that_another_undoes_ends(tmp_path, monkeypatch):
    """A rule whose fix changes nothing that it looks at: the finding stays, and the fix is given up."""
    real = engine.finding

    def useless(rule, severity, problem):
        one = real(rule, severity, problem)
        return one._replace(fix=one.fix._replace(edits=(PlainEdit(one.place.path, 10**6, 10**6, "x"),))) if one.fix else one

    monkeypatch.setattr(engine, "finding", useless)
    root = package(tmp_path, {"agents/a.md": DOUBLE}, monkeypatch)
    assert fix.fix(["."], settings(["."], None)).changes == []
    assert (root / "agents/a.md").read_text() == DOUBLE


# -- writing


def changes_for(root):
    return fix.fix(["."], settings(["."], None)).changes


def test_a_file_that_changed_meanwhile_stops_everything(tmp_path, monkeypatch):
    root = package(tmp_path, {"agents/a.md": DOUBLE, "agents/b.md": DOUBLE.replace("name: a", "name: b")}, monkeypatch)
    changes = changes_for(root)
    (root / "agents/b.md").write_text("changed")
    with pytest.raises(fix.CannotFix, match="b.md: the file was changed meanwhile"):
        fix.write(changes)
    assert (root / "agents/a.md").read_text() == DOUBLE
    assert (root / "agents/b.md").read_text() == "changed"


def test_a_file_that_is_gone_meanwhile_stops_everything(tmp_path, monkeypatch):
    root = package(tmp_path, {"agents/a.md": DOUBLE}, monkeypatch)
    changes = changes_for(root)
    (root / "agents/a.md").unlink()
    with pytest.raises(fix.CannotFix, match="nothing was changed"):
        fix.write(changes)


def test_what_was_written_is_put_back_when_a_later_file_cannot_be(tmp_path, monkeypatch):
    root = package(tmp_path, {"agents/a.md": DOUBLE, "agents/b.md": DOUBLE.replace("name: a", "name: b")}, monkeypatch)
    changes = changes_for(root)
    real = os.replace

    def refuse(source, target):
        if str(target).endswith("b.md"):
            raise PermissionError(13, "Permission denied", str(target))
        real(source, target)

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(fix.CannotFix, match="Permission denied; nothing was changed"):
        fix.write(changes)
    assert (root / "agents/a.md").read_text() == DOUBLE
    assert sorted(os.listdir(root / "agents")) == ["a.md", "b.md"], "a temporary file was left"


def test_two_runs_at_once_mend_once(tmp_path, monkeypatch):
    files = {f"agents/a{n}.md": DOUBLE.replace("name: a", f"name: a{n}") for n in range(5)}
    root = package(tmp_path, files, monkeypatch)
    command = [sys.executable, "-m", "pluglint", "check", "--fix", "."]
    runs = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(4)]
    ended = [(*run.communicate(), run.returncode) for run in runs]
    assert all((root / name).read_text() == SINGLE.replace("name: a", f"name: a{n}") for n, name in enumerate(files))
    assert any(status == 0 for _, _, status in ended)
    assert all(status == 0 or "changed meanwhile" in err for _, err, status in ended)


def test_a_run_waits_for_the_one_that_writes(tmp_path, monkeypatch):
    fcntl = pytest.importorskip("fcntl")
    root = package(tmp_path, {"agents/a.md": DOUBLE}, monkeypatch)
    changes = changes_for(root)
    handle = os.open(root / "agents", os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    writer = threading.Thread(target=fix.write, args=(changes,))
    writer.start()
    writer.join(0.2)
    assert writer.is_alive() and (root / "agents/a.md").read_text() == DOUBLE
    os.close(handle)
    writer.join(10)
    assert (root / "agents/a.md").read_text() == SINGLE


# -- the command line


def run(*arguments):
    result = CliRunner().invoke(app, ["check", "--no-cache", *arguments])
    assert "Traceback" not in result.output
    return result.exit_code, result.stdout, result.stderr


def test_diff_writes_nothing(tmp_path, monkeypatch):
    root = package(tmp_path, {"agents/a.md": DOUBLE}, monkeypatch)
    status, out, _ = run("--diff")
    assert status == 1
    assert out.splitlines()[:2] == ["--- a/agents/a.md", "+++ b/agents/a.md"]
    assert "-tools: Read, Bash, Read" in out and "+tools: Read, Bash" in out
    assert (root / "agents/a.md").read_text() == DOUBLE
    done = subprocess.run(["git", "apply", "--check", "-"], input=out, text=True, cwd=root, capture_output=True)
    assert done.returncode == 0, done.stderr
    run("--fix")
    assert run("--diff")[:2] == (0, "")


def test_fix_says_what_it_did_and_reports_the_rest(tmp_path, monkeypatch):
    package(tmp_path, {"agents/a.md": DOUBLE.replace("You read.", "See [it](gone.md).")}, monkeypatch)
    status, out, err = run("--fix")
    assert err == "mended agents/a.md:4: remove it [agent-tool-duplicate]\n"
    assert status == 1
    assert "link-target-missing" in out and "agent-tool-duplicate" not in out


def test_the_report_says_what_could_be_mended(tmp_path, monkeypatch):
    package(tmp_path, {"agents/a.md": AGENT.format("a", "Read, Bash, Read, MultiEdit", "You read.")}, monkeypatch)
    assert "; mends 1 with --fix and 1 with --unsafe-fixes" in run()[1]


def test_suppressed_findings_are_not_mended(tmp_path, monkeypatch):
    text = DOUBLE.replace("tools:", "# pluglint: ignore[agent-tool-duplicate] for a test\ntools:")
    root = package(tmp_path, {"agents/a.md": text}, monkeypatch)
    run("--fix")
    assert (root / "agents/a.md").read_text() == text


@pytest.mark.parametrize("other", [("--since", "HEAD"), ("--baseline", "b.json"), ("--write-baseline", "b.json")])
def test_fixing_is_about_all_findings(other, tmp_path, monkeypatch):
    package(tmp_path, {}, monkeypatch)
    assert run("--fix", *other)[0] == 2
