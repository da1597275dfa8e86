"""The page of a rule, as `pluglint explain` prints it, RULES.md holds it, and SARIF carries it along."""

from __future__ import annotations

import inspect
import re
import textwrap

from pluglint.report import printable
from pluglint.rule import HERE, Example, Loaded, load


def page(rule_id: str, level: int = 2) -> str:
    """The Markdown page of a rule: its docstring, what it is, and its first examples."""
    loaded = load(rule_id)
    rule = loaded.rule
    marks = "#" * level
    facts = [
        ("Severity", rule.severity + (", off by default" if rule.severity == "info" else "")),
        ("Checked on", ", ".join(rule.on) if rule.on else "the run itself"),
        ("Profiles", ", ".join(rule.profiles)),
        ("Source", rule.source),
        ("Since", rule.since),
    ]
    if rule.options:
        facts.insert(3, ("Options", ", ".join(f"`{name}` (default `{value!r}`)" for name, value in rule.options.items())))
    if rule.fix:
        facts.append(("Fix", "`--fix`" if rule.fix == "safe" else "`--unsafe-fixes`"))
    parts = [f"{marks} {rule_id}", "", f"{rule.title[0].upper()}{rule.title[1:]}.", ""]
    parts += ["| | |", "| --- | --- |"] + [f"| {name} | {value} |" for name, value in facts] + [""]
    parts += [inspect.cleandoc(loaded.module.__doc__ or ""), ""]
    parts += _examples("Bad", loaded, loaded.module.BAD[:1])
    parts += _examples("Good", loaded, loaded.module.GOOD[:1])
    return "\n".join(parts).rstrip() + "\n"


def _examples(title: str, loaded: Loaded, examples: tuple[Example, ...]) -> list[str]:
    parts = []
    for example in examples:
        files = example.files if isinstance(example.files, dict) else {"": example.files}
        parts += [f"**{title}**", ""]
        for path, text in files.items():
            if path:
                parts += [f"`{path}`", ""]
            text = textwrap.dedent(text).strip("\n")
            fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))  # longer than any inside
            shown = "\n".join(map(printable, text.replace(HERE, "").rstrip().split("\n")))  # an example may hold what nobody sees
            parts += [f"{fence}text", shown, fence, ""]
        if example.message:
            parts += [f"> {example.message}", ""]
        if example.fixed:
            parts += ["**Mended**", "", "```text", *map(printable, example.fixed.split("\n")), "```", ""]
    return parts
