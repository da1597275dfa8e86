"""What a rule is, and how rules are found.

A rule is one module in `rules/`. Its file name is its id (underscores for hyphens), its docstring is
its page (`pluglint explain`), and it holds

    RULE   = Rule(title, severity, on, source, ...)
    GOOD   = (Example(...), ...)     what must yield nothing
    BAD    = (Example(...), ...)     what must yield this rule, on the marked lines
    def check(subject): yield Problem(...)

`subject` is a document or the whole package, as `on` says. A rule with `options` is called as
`check(subject, options)`.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any, NamedTuple

from pluglint.finding import ERROR, INFO, WARNING, Edit, Fix, Location, Problem
from pluglint.text import Span

__all__ = [
    "ERROR", "WARNING", "INFO", "Problem", "Location", "Fix", "Edit", "Span", "Rule", "Example", "Loaded",
    "AGENT", "SKILL", "COMMAND", "README", "CHANGELOG", "REFERENCE", "PAGE",
    "MANIFEST", "PORTABLE_MANIFEST", "MARKETPLACE", "HOOKS", "MCP", "LSP", "SETTINGS", "PACKAGE", "GRAPH", "WORKSPACE",
    "PROMPTS", "MARKDOWN", "JSON_FILES", "CLAUDE_CODE", "PORTABLE", "DIRECTORY", "ALL_PROFILES", "HERE",
]

# Subjects. Each is also the `kind` of a document.
AGENT, SKILL, COMMAND = "agent", "skill", "command"
README, CHANGELOG = "readme", "changelog"
REFERENCE = "reference"  # Markdown below a skill's folder
PAGE = "page"  # any other Markdown
MANIFEST, PORTABLE_MANIFEST, MARKETPLACE = "manifest", "portable-manifest", "marketplace"
HOOKS, MCP, LSP, SETTINGS = "hooks", "mcp", "lsp", "settings"
PACKAGE = "package"  # once for each root
GRAPH = "graph"  # once for each root, when the delegations of all its files are known (`package.edges`)
WORKSPACE = "workspace"  # once for the whole target, over all its roots

PROMPTS = (AGENT, SKILL, COMMAND)
MARKDOWN = (AGENT, SKILL, COMMAND, REFERENCE, README, CHANGELOG, PAGE)
JSON_FILES = (MANIFEST, PORTABLE_MANIFEST, MARKETPLACE, HOOKS, MCP, LSP, SETTINGS)

# Profiles: whose judgement a rule speaks for. Their verdicts never mix.
CLAUDE_CODE, PORTABLE, DIRECTORY = "claude-code", "portable", "directory"
ALL_PROFILES = (CLAUDE_CODE, PORTABLE, DIRECTORY)

HERE = "«here»"  # marks, at the end of a line of a bad example, where the finding must be


class Rule(NamedTuple):
    """Metadata of a rule.

    title     what is wrong, in a few words, as it reads after "allow"
    severity  error: the client refuses, drops or opens up something, or a statement is false;
              warning: something is lost or very probably a mistake; info: taste, off by default
    on        kinds of subjects that `check` is called with
    source    where the requirement stands or was observed, with version and date
    profiles  for which judgement it speaks
    options   name -> default of what configuration may set
    since     release of pluglint that brought it
    needles   texts of which one must stand in a document before `check` is called with it; empty: it is always called
    fix       "safe" or "unsafe" where the rule can mend what it finds, else ""
    """

    title: str
    severity: str
    on: tuple[str, ...]
    source: str
    profiles: tuple[str, ...] = ALL_PROFILES
    options: dict[str, Any] = {}
    since: str = "0.1.0"
    needles: tuple[str, ...] = ()
    fix: str = ""


class Example(NamedTuple):
    """Input of a rule, its test and its documentation at once.

    files    path -> text, or one text for rules about one kind of file (it is put at the usual place)
    message  for bad examples: the message of the first finding, in full
    options  options of the rule under test
    profile  the profile to run under
    also     other rules of severity error that this input cannot help breaking
    fixed    for bad examples: the lines that the rule's fixes write, one under another; None where nothing is said of them
    """

    files: dict[str, str] | str
    message: str = ""
    options: dict[str, Any] = {}
    profile: str = ""
    also: tuple[str, ...] = ()
    fixed: str | None = None


class Loaded(NamedTuple):
    """A rule with its code."""

    id: str
    rule: Rule
    check: Any
    module: Any


def rule_ids() -> list[str]:
    """All rule ids, from the file names alone: nothing is imported."""
    folder = os.path.join(os.path.dirname(__file__), "rules")
    return sorted(
        name[:-3].replace("_", "-") for name in os.listdir(folder) if name.endswith(".py") and not name.startswith("_")
    )


def load(rule_id: str) -> Loaded:
    """Imports one rule. The id must be one of `rule_ids()`."""
    module = import_module("pluglint.rules." + rule_id.replace("-", "_"))
    return Loaded(rule_id, module.RULE, module.check, module)


def load_all() -> list[Loaded]:
    return [load(rule_id) for rule_id in rule_ids()]
