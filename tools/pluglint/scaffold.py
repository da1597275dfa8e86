"""The texts of a new plugin, agent or skill, and writing them so that nothing is overwritten.

The texts hold no gaps to fill in: what they say is true of any component, and the description is the author's.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from typing import Any

AGENT, SKILL = "agent", "skill"
VERSION = "0.1.0"
MAX_NAME = 64  # what agentskills.io and Agent Plugins 1.0.0 allow


def title(name: str) -> str:
    """A heading made of a name: `build-logs` gives `Build logs`."""
    return name.replace("-", " ").capitalize()


def yaml_text(text: str) -> str:
    """A one-line text as a YAML value: plain where a plain scalar means the same everywhere, else in quotes."""
    plain = re.match(r"[A-Za-z][^\s:#]", text) and not re.search(r": |:$| #|[^ -~]", text) and text.lower() not in ("yes", "no", "on", "off", "true", "false", "null")
    return text if plain and text == text.strip() else json.dumps(text, ensure_ascii=False)


def agent(name: str, description: str, skill: str = "") -> str:
    """An agent that may read and search; with `skill` it works by that skill, which is put before its prompt."""
    preloaded = f"skills: {skill}\n" if skill else ""
    way = f"Work by the skill `{skill}`, which you were given.\n\n" if skill else ""
    return f"""\
---
name: {name}
description: {yaml_text(description)}
tools: Read, Grep, Glob
{preloaded}model: inherit
---

# {title(name)}

{way}1. Read what the request points at before you judge it.
2. Stay with the request: report what else you notice in one line, and leave it alone.
3. Answer with the result first, then with the places (`file:line`) that it rests on.
4. Say what you could not find out, and why.
"""


def skill(name: str, description: str) -> str:
    return f"""\
---
name: {name}
description: {yaml_text(description)}
---

# {title(name)}

1. Read what the request points at before anything is changed.
2. Do what was asked, in the smallest steps that can be checked one by one.
3. Check the result against the request.
4. Say what was done, what was checked, and what was not.
"""


def plugin(name: str, description: str, author: str, license_id: str, parts: list[str], today: str) -> dict[str, str]:
    """path -> text of a plugin with a skill, an agent or both, which bear the plugin's name."""
    manifest: dict[str, Any] = {"name": name, "version": VERSION, "description": description, "author": {"name": author}}
    if license_id:
        manifest["license"] = license_id
    files = {".claude-plugin/plugin.json": json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"}
    rows = []
    if SKILL in parts:
        files[f"skills/{name}/SKILL.md"] = skill(name, description)
        rows.append(f"- The skill `{name}`: type `/{name}:{name}`, or let the model load it when a prompt calls for it.")
    if AGENT in parts:
        # two components with one description would compete for the same work
        own = f"Does in a context of its own what the skill {name}:{name} is for, and answers with the result alone. Use when that work would fill the conversation with files." if SKILL in parts else description
        files[f"agents/{name}.md"] = agent(name, own, name if SKILL in parts else "")
        rows.append(f"- The agent `{name}`: mention it as `@agent-{name}:{name}`, or let the model hand work to it.")
    files["README.md"] = f"""\
# {title(name)}

{markdown_text(description)}

## Install

Load the plugin from its folder for one session of Claude Code:

```bash
claude --plugin-dir .
```

## What is in it

{chr(10).join(rows)}

Changes are in the [changelog](CHANGELOG.md).{f" The licence is {markdown_text(license_id)}." if license_id else ""}
"""
    files["CHANGELOG.md"] = f"# Changelog\n\n## [{VERSION}] - {today}\n\n- The first version.\n"
    return files


def markdown_text(text: str) -> str:
    """A line of text as a paragraph that Markdown reads as that text."""
    text = re.sub(r"([\\`*_\[\]<>|~])", r"\\\1", text)
    return re.sub(r"\A(?=[#+=-])", r"\\", re.sub(r"\A(\d+)([.)])", r"\1\\\2", text))


def create(top: str, files: dict[str, str]) -> None:
    """Writes files below the new folder `top`, or the new file `top` itself (under the key ""): all or none.

    Folders above are made. Raises FileExistsError where something is there already, and OSError.
    """
    folder = os.path.dirname(os.path.abspath(top))
    made = _missing_folders(folder)
    try:
        os.makedirs(folder, exist_ok=True)
        stage = tempfile.mkdtemp(prefix=".pluglint-", dir=folder)
        try:
            _fill(stage, files, top)
        finally:
            shutil.rmtree(stage, ignore_errors=True)
    except BaseException:
        for path in made:
            try:
                os.rmdir(path)
            except OSError:
                break
        raise


def _fill(stage: str, files: dict[str, str], top: str) -> None:
    new = os.path.join(stage, "new")
    for rel, text in files.items():
        path = os.path.join(new, rel) if rel else new
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "x", encoding="utf-8", newline="\n") as out:
            out.write(text)
    if os.path.isdir(new):
        if os.path.lexists(top):  # a rename would take the place of an empty folder
            raise FileExistsError(17, "File exists", top)
        os.rename(new, top)
    else:
        os.link(new, top)  # fails where a rename would overwrite


def _missing_folders(folder: str) -> list[str]:
    """The folders that have to be made, innermost first."""
    missing = []
    while not os.path.lexists(folder):
        missing.append(folder)
        folder = os.path.dirname(folder)
    return missing
