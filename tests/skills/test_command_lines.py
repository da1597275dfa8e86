"""What all tools of the skills have in common on the command line."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOOLS = sorted(path for path in ROOT.glob("skills/*/scripts/*.py") if "app = typer.Typer(" in path.read_text())


def test_there_are_tools_in_every_skill():
    assert {path.parents[1].name for path in TOOLS} == {path.parent.name for path in ROOT.glob("skills/*/SKILL.md")}


@pytest.mark.parametrize("tool", TOOLS, ids=lambda path: path.stem)
def test_help_teaches(tool):
    done = subprocess.run([sys.executable, "-X", "importtime", str(tool), "--help"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    words = " ".join(done.stdout.split())
    assert words.count("Exit status: 0 nothing found, 1 findings, 2 wrong use or unusable input") == 1
    assert "--json" in words and "--debug" in words
    # help is quick: what takes seconds to import is imported when it is needed
    assert not {"torch", "jax", "scipy", "matplotlib", "pandas"} & {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    shown = {line.strip() for line in done.stdout.splitlines()}
    commands = [line.strip() for line in examples(tool) if tool.name in line]
    assert commands and set(commands) <= shown


def examples(tool):
    """The indented lines of the text that `--help` prints."""
    tree = ast.parse(tool.read_text())
    texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    longest = max(texts, key=lambda text: text.count(f"    {tool.name}") + text.count(f"    python {tool.name}"))
    return [line for line in longest.splitlines() if line.startswith("    ")]
