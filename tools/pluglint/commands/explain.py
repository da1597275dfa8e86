"""`pluglint explain`: the page of a rule."""

from __future__ import annotations

import inspect
import re
import textwrap

from pluglint.report import printable
from pluglint.rule import HERE, Example, Loaded, load


INTERNAL = """\
`internal-error` is no rule: it is how a rule that crashed shows itself. It has severity error, cannot be silenced or
left out, leaves the other rules running and makes the exit status 3. It is a fault in pluglint: please report it with
the file that it names.
"""


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
    return parts


def run(rule_id: str, as_json: bool = False) -> str:
    if as_json:
        import json

        rule = load(rule_id).rule
        return json.dumps({"id": rule_id, **rule._asdict(), "page": page(rule_id)}, indent=2) + "\n"
    return page(rule_id)
