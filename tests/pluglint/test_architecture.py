"""What may import what, and what a clean run may not load."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

import pluglint

ROOT = Path(pluglint.__file__).parent

# Each part may import those before it. A name stands for the module, or for everything in the folder.
ORDER = [
    "text",
    "words",
    "semver",
    "globs",
    "needles",
    "workers",
    "finding",
    "fingerprint",
    "parse",
    "facts",
    "files",
    "transaction",
    "schemas",
    "shapes",
    "house",
    "discover",
    "git",
    "model",
    "load",
    "changelog",
    "arithmetic",
    "graph",
    "mentions",
    "edits",
    "headers",
    "budget",
    "manifest_fields",
    "claims",
    "rule",
    "rules",
    "pack",
    "config",
    "suppress",
    "engine",
    "cache",
    "baseline",
    "since",
    "fix",
    "shipped",
    "differences",
    "references",
    "release",
    "notes",
    "bump",
    "archive",
    "scaffold",
    "report",
    "commands",
    "guard",
    "cli",
    "__main__",
]
# Outside: they may import anything, and nothing in the chain imports them.
OUTSIDE = ("spec", "gen")
# (importer, imported): why.
EXCEPTIONS = {
    ("model", "mentions"): "a document hands out its own edges; the import is made when they are first asked for",
    ("config", "house"): "the configuration hands out the loaded schema; the import is made when one is named",
}
# What a rule file may import. SHARED are the modules that hold what several rules ask.
SHARED = {"arithmetic", "changelog", "claims", "edits", "headers", "manifest_fields"}
RULES_MAY = {"rule", "finding", "model", "graph", "words", "facts", "text", "shapes", "parse", "discover", "rules", *SHARED}
# Modules of the standard library that open, run or load something, and so have no place in a rule.
NOT_IN_RULES = {"os", "pathlib", "subprocess", "socket", "urllib", "http", "shutil", "tempfile", "glob", "io", "multiprocessing", "threading", "asyncio", "importlib", "tomllib", "datetime"}
# Rules that hand a code block to the reader of its language, and so import it, inside the function that needs it.
READERS = {"rules.code_block_unparsable_shell": {"shutil", "subprocess"}, "rules.code_block_unparsable_toml": {"tomllib"}, "rules.code_block_unparsable_yaml": {"yaml"}}


def modules() -> dict[str, Path]:
    return {str(path.relative_to(ROOT).with_suffix("")).replace("/", ".").removesuffix(".__init__"): path for path in sorted(ROOT.rglob("*.py"))}


def part_of(module: str) -> str:
    return module.split(".")[0]


def imports(path: Path) -> set[str]:
    """Every module that a file imports, inside functions too, except for type checkers; our own without `pluglint.`."""
    found = set()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    skipped = {id(inner) for node in ast.walk(tree) if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test) for inner in ast.walk(node)}
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found |= {f"pluglint.{name.name}" for name in node.names} if node.module == "pluglint" else {node.module or ""}
    return found


def own(path: Path) -> set[str]:
    names = {name.removeprefix("pluglint.") for name in imports(path) if name.startswith("pluglint.")}
    return names - {"__version__"}


@pytest.mark.parametrize("module", [name for name in modules() if part_of(name) not in OUTSIDE and name != "__init__"])
def test_a_part_imports_only_what_stands_before_it(module):
    part = part_of(module)
    assert part in ORDER, "give the new part its place in ORDER"
    for name in own(modules()[module]):
        other = part_of(name)
        assert other not in OUTSIDE, f"{module} imports {name}"
        assert other == part or (part, other) in EXCEPTIONS or ORDER.index(other) < ORDER.index(part), f"{module} imports {name}"


def test_exceptions_are_still_needed():
    for importer, imported in EXCEPTIONS:
        assert any(part_of(name) == imported for module, path in modules().items() if part_of(module) == importer for name in own(path)), (importer, imported)


@pytest.mark.parametrize("module", [name for name in modules() if name.startswith("rules.")])
def test_a_rule_imports_only_what_rules_may(module):
    path = modules()[module]
    assert {part_of(name) for name in own(path)} <= RULES_MAY
    for name in imports(path):
        top = name.split(".")[0]
        if top in READERS.get(module, ()):
            continue
        assert top == "pluglint" or top in sys.stdlib_module_names, f"{module} imports {name}: no third party in rules"
        assert top not in NOT_IN_RULES, f"{module} imports {name}"
    tree = ast.parse(path.read_text(encoding="utf-8"))
    from_discover = [name.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module == "pluglint.discover" for name in node.names]
    assert all(name.isupper() for name in from_discover), "the kinds of roots, and nothing that opens one"
    calls = {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    assert "open" not in calls


@pytest.mark.parametrize("module", [name for name in modules() if name.startswith("rules.")])
def test_a_rule_compiles_no_pattern_when_imported(module):
    tree = ast.parse(modules()[module].read_text(encoding="utf-8"))
    for node in tree.body:
        if not isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            assert "attr='compile'" not in ast.dump(node), f"line {node.lineno}: pass the pattern to re.search and let it cache"


def test_the_package_imports_nothing_by_itself():
    assert imports(ROOT / "__init__.py") == set()


# -- start-up

HEAVY = ["rich", "pydantic", "jsonschema", "markdown_it", "importlib.metadata", "tomllib", "yaml", "multiprocessing", "pluglint.house", "pluglint.parse.toml", "pluglint.git", "pluglint.semver", "pluglint.shipped", "pluglint.release", "pluglint.archive", "zipfile", *(f"pluglint.{name}" for name in ("since", "baseline", "fingerprint", "scaffold", "commands.new", "report.pages", "report.sarif", "report.graph_page", "report.layout"))]


def loaded(folder: Path, *arguments: str) -> set[str]:
    """Which of HEAVY a run in a fresh interpreter holds when it is done."""
    code = (
        "import sys\n"
        "from pluglint.cli import app\n"
        "try:\n    app(sys.argv[1:], standalone_mode=False)\n"
        "except SystemExit:\n    pass\n"
        f"print(*[name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, *arguments], cwd=folder, capture_output=True, text=True, timeout=60, env={**os.environ, "PYTHONPATH": str(ROOT.parent)})
    assert "Traceback" not in done.stderr, done.stderr
    assert "No findings" in done.stdout or "[" in done.stdout, done.stdout + done.stderr
    return set(done.stderr.split())


@pytest.fixture
def package(tmp_path):
    header = "---\nname: {0}\ndescription: Reads a change and lists what is wrong. Use when one is ready for review.\n{1}---\n\nYou read.\n"
    for name, text in {
        ".claude-plugin/plugin.json": '{"name": "demo", "version": "1.0.0", "description": "A demo.", "author": {"name": "Example Author"}, "license": "MIT"}\n',
        "agents/reader.md": header.format("reader", "tools: Read, Grep\nmodel: inherit\n"),
        "skills/reading/SKILL.md": header.format("reading", ""),
        "README.md": "# Demo\n\nReads changes.\n",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / ".git").mkdir()
    return tmp_path


def test_a_clean_run_loads_nothing_heavy(package):
    assert loaded(package, "check") == set()


def test_the_short_way_to_check_loads_no_other_report(package):
    code = "import os, sys\nsys.argv = ['pluglint', 'check']\nleave = os._exit\nos._exit = lambda status: (print(*sys.modules, file=sys.stderr, flush=True), leave(status))\nfrom pluglint.__main__ import main\nmain()\n"
    done = subprocess.run([sys.executable, "-c", code], cwd=package, capture_output=True, text=True, timeout=60, env={**os.environ, "PYTHONPATH": str(ROOT.parent)})
    assert "in plugin demo" in done.stdout, done.stderr
    modules = set(done.stderr.split())
    assert "pluglint.report.text" in modules
    assert not modules & {*HEAVY, "typer", "subprocess", "hashlib", "pluglint.shapes"}


def test_json_loads_nothing_heavy(package):
    assert loaded(package, "check", "--format", "json") == set()


def test_a_configuration_loads_only_what_reads_it(package):
    (package / "pluglint.toml").write_text("exclude = ['drafts/**']\n")
    assert loaded(package, "check") == {"tomllib", "pluglint.parse.toml"}


def test_a_header_that_is_not_plain_loads_yaml(package):
    (package / "agents/list.md").write_text("---\nname: list\ndescription: Reads a list. Use when there is one.\ntools: [Read]\n---\n\nYou read.\n")
    assert loaded(package, "check") == {"yaml"}
