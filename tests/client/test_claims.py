"""What the rules of pluglint say of the client, beside what the client does.

Each claim is a small plugin with one thing wrong. It is loaded into the real client, where the damage must show, and
checked with pluglint, which must report it with the severity that the damage deserves and no other error. Where the
client takes something without harm, the claim names no rule, and pluglint may report no error.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from harness import Call, Session, agent_call, skill_call

from pluglint import engine
from pluglint.config import Config

pytestmark = pytest.mark.client


def manifest(**more: Any) -> str:
    return json.dumps({"name": "demo", "version": "1.0.0", "description": "A demonstration.", "author": {"name": "Example Author"}, "license": "MIT", **more})


def agent(*header: str, name: str = "a", description: str = "Reads logs. Use when a build failed.", tools: str | None = "Read, Grep", body: str = "You read logs.") -> str:
    lines = [f"name: {name}", f"description: {description}", *([f"tools: {tools}"] if tools is not None else []), *header]
    return "\n".join(["---", *lines, "---", body, ""])


def skill(*header: str, name: str = "s", description: str = "Reads logs. Use when a log must be searched.", body: str = "Read the log.") -> str:
    return "\n".join(["---", f"name: {name}", f"description: {description}", *header, "---", body, ""])


def hooks(event: str, handler: dict[str, Any] | None = None, **group: Any) -> str:
    return json.dumps({"hooks": {event: [{**group, "hooks": [handler or {"type": "command", "command": "true"}]}]}})


BASE = {".claude-plugin/plugin.json": manifest(), "agents/a.md": agent(), "skills/s/SKILL.md": skill()}
GENERIC = "Agent from demo plugin"
ALL = "All tools"


def errors(session: Session) -> list[str]:
    return [error["type"] for error in session.errors]


@dataclass(frozen=True)
class Claim:
    """`files` go over BASE; None takes one away, "-> x" makes a link.

    `agents` are all that the model is told of, with their tools, and `skills` likewise. `call` is an agent that is
    called: it gets exactly `tools`, or the call fails with the words of `refused`. `view` of the session is `shows`.
    """

    name: str
    rule: str
    severity: str
    files: dict[str, str | bytes | None]
    agents: dict[str, str] = field(default_factory=lambda: {"demo:a": "Read, Grep"})
    skills: tuple[str, ...] = ("demo:s",)
    call: str = ""
    tools: tuple[str, ...] | None = None
    refused: str = ""
    prompt: str = "hello"
    main: tuple[Call, ...] = ()
    view: Callable[[Session], Any] = errors
    shows: Any = field(default_factory=list)
    also: tuple[str, ...] = ()  # rules that report errors of the same damage


def described(name: str) -> Callable[[Session], str]:
    return lambda session: session.agents[name].description


def logged(*words: str) -> Callable[[Session], bool]:
    return lambda session: any(all(word in line for word in words) for line in session.warnings("demo", "agent a", "'a'", "a.md"))


def called_with(*tools: str) -> Callable[[Session], list[bool]]:
    return lambda session: [tool in session.called()[0].tools for tool in tools]


OPEN = {"agents": {"demo:a": ALL}, "view": described("demo:a"), "shows": GENERIC}  # a broken header opens everything up
GONE: dict[str, Any] = {"agents": {}, "skills": (), "view": lambda session: session.plugins, "shows": []}

CLAIMS = [
    # headers
    Claim("nothing wrong", "", "", {}, call="demo:a", tools=("Read", "Grep")),
    Claim("no header", "frontmatter-missing", "error", {"agents/a.md": "You read logs.\n"}, **OPEN),
    Claim("a README among the agents", "frontmatter-missing", "error", {"agents/README.md": "# Agents\n"}, agents={"demo:a": "Read, Grep", "demo:README": ALL}),
    Claim("header not closed", "frontmatter-unclosed", "error", {"agents/a.md": agent().replace("\n---\nYou", "\nYou")}, **OPEN),
    Claim("header after an empty line", "frontmatter-late", "error", {"agents/a.md": "\n" + agent()}, **OPEN),
    Claim("header that is no YAML", "frontmatter-unparsable", "error", {"agents/a.md": agent(description='"open quote')}, **OPEN),
    Claim("--- inside a value closes the header", "frontmatter-closed-early", "error", {"agents/a.md": agent(description="Reads logs --- use when a build failed.")}, agents={"demo:a": ALL}, view=described("demo:a"), shows="Reads logs"),
    Claim("# cuts a value", "frontmatter-value-cut-by-hash", "warning", {"agents/a.md": agent(description="Use when C# and #tags are read.")}, view=described("demo:a"), shows="Use when C# and"),
    Claim("lone CR", "carriage-return-only", "error", {"agents/a.md": agent().replace("\n", "\r")}, **OPEN),
    Claim("UTF-16", "encoding-utf16", "error", {"agents/a.md": agent().encode("utf-16")}, **OPEN),
    Claim("byte order mark", "byte-order-mark", "warning", {"agents/a.md": "\ufeff" + agent()}),
    Claim("CRLF", "", "", {"agents/a.md": agent().replace("\n", "\r\n")}),
    Claim("lenient YAML", "frontmatter-only-lenient-yaml", "warning", {"agents/a.md": agent(description="Reads: logs. Use when a build failed.")}, view=described("demo:a"), shows="Reads: logs. Use when a build failed."),
    # agents
    Claim("description missing", "agent-description-missing", "error", {"agents/a.md": "---\nname: a\ntools: Read, Grep\n---\nYou read.\n"}, view=described("demo:a"), shows=GENERIC),
    Claim("description a list", "description-not-text", "error", {"agents/a.md": agent(description="[Reads logs]")}, view=described("demo:a"), shows=GENERIC),
    Claim("unknown tool", "agent-tool-unknown", "error", {"agents/a.md": agent(tools="Read, python, numpy")}, agents={"demo:a": "Read, python, numpy"}, call="demo:a", tools=("Read",)),
    Claim("no known tool", "agent-tools-resolve-to-nothing", "error", {"agents/a.md": agent(tools="python, numpy")}, agents={"demo:a": "python, numpy"}, call="demo:a", refused="zero tools"),
    Claim("tools in lower case", "agent-tools-resolve-to-nothing", "error", {"agents/a.md": agent(tools="read, grep")}, agents={"demo:a": "read, grep"}, call="demo:a", refused="zero tools"),
    Claim("empty tools", "agent-tools-empty", "error", {"agents/a.md": agent(tools="[]")}, agents={"demo:a": ALL}, call="demo:a", tools=()),
    Claim("retired tools", "agent-tool-retired", "error", {"agents/a.md": agent(tools="Read, MultiEdit, LS")}, agents={"demo:a": "Read, MultiEdit, LS"}, call="demo:a", tools=("Read",)),
    Claim("tool that agents never get", "agent-tool-not-for-agents", "warning", {"agents/a.md": agent(tools="Read, AskUserQuestion")}, agents={"demo:a": "Read, AskUserQuestion"}, call="demo:a", tools=("Read",)),
    Claim("Grep beside Bash", "agent-tool-withdrawn-beside-bash", "info", {"agents/a.md": agent(tools="Read, Grep, Glob, Bash")}, agents={"demo:a": "Read, Grep, Glob, Bash"}, call="demo:a", tools=("Read", "Bash")),
    Claim("pattern on Bash", "agent-tool-pattern-without-effect", "warning", {"agents/a.md": agent(tools="Bash(git:*)")}, agents={"demo:a": "Bash(git:*)"}, call="demo:a", tools=("Bash",)),
    Claim("allowed-tools in an agent", "agent-tools-key-not-read", "error", {"agents/a.md": agent("allowed-tools: Read", tools=None)}, agents={"demo:a": ALL}, call="demo:a", view=called_with("Bash", "Edit", "Write"), shows=[True] * 3),
    Claim("tool denied by a wrong name", "agent-denied-tool-unknown", "error", {"agents/a.md": agent("disallowedTools: bash, Edit", tools=None)}, agents={"demo:a": "All tools except bash, Edit"}, call="demo:a", view=called_with("Bash", "Edit"), shows=[True, False]),
    Claim("tools as a list", "", "", {"agents/a.md": agent(tools="\n  - Read\n  - Grep")}, call="demo:a", tools=("Read", "Grep")),
    Claim("Task is Agent", "", "", {"agents/a.md": agent(tools="Read, Task")}, agents={"demo:a": "Read, Task"}, call="demo:a", tools=("Read", "Agent")),
    Claim("model of another house", "agent-model-unknown", "error", {"agents/a.md": agent("model: gpt-4")}, call="demo:a", view=lambda session: session.called()[0].model, shows="gpt-4"),
    Claim("memory lets a reader write", "agent-memory-grants-write", "warning", {"agents/a.md": agent("memory: project")}, agents={"demo:a": "Read, Grep, Write, Edit"}, call="demo:a", view=called_with("Write", "Edit"), shows=[True, True]),
    Claim("memory of one who may not write", "", "", {"agents/a.md": agent("memory: project", "disallowedTools: Write", tools="Read, Edit")}, agents={"demo:a": "Read, Edit"}),
    Claim("empty tools with memory", "agent-tools-empty", "error", {"agents/a.md": agent("memory: project", tools="[]")}, agents={"demo:a": "Write, Edit, Read"}, call="demo:a", tools=("Write", "Edit", "Read")),
    Claim("no known tool with memory", "agent-tools-resolve-to-nothing", "error", {"agents/a.md": agent("memory: project", tools="python, numpy")}, agents={"demo:a": "python, numpy, Write, Edit, Read"}, call="demo:a", tools=("Write", "Edit", "Read")),
    Claim("name a number", "frontmatter-value-refused", "error", {"agents/a.md": agent(name="3000")}, agents={"demo:3000": "Read, Grep"}),
    Claim("maxTurns a word", "frontmatter-value-wrong-type", "warning", {"agents/a.md": agent("maxTurns: many")}),
    Claim("two agents of one name", "agent-name-duplicate", "error", {"agents/b.md": agent()}),
    Claim("name over 256 characters", "agent-name-refused", "error", {"agents/a.md": agent(name="a" * 257)}),
    Claim("agent is a link", "link-not-loaded", "error", {"agents/b.md": "-> a.md"}),
    Claim("agent is no .md", "agent-file-not-loaded", "warning", {"agents/b.txt": agent(name="b")}),
    Claim("agent over 1 MiB", "agent-too-large", "error", {"agents/a.md": agent(body="You read logs.\n" * 80_000)}, agents={}),
    Claim("description that looks like another agent", "agent-description-imitates-listing", "warning", {"agents/a.md": agent(description="|\n  Reads logs. Use when a build failed.\n  - demo:b: Writes logs.")}, agents={"demo:a": "", "demo:b": "Read, Grep"}),
    Claim("permissionMode in a plugin", "frontmatter-key-ignored-in-plugin", "warning", {"agents/a.md": agent("permissionMode: plan")}, view=logged("permissionMode"), shows=True),
    Claim("unknown key", "agent-key-unknown", "info", {"agents/a.md": agent("maturity: stable")}, view=logged("maturity"), shows=True),
    Claim("hidden skill preloaded", "agent-preloads-hidden-skill", "error", {"agents/a.md": agent("skills: s"), "skills/s/SKILL.md": skill("disable-model-invocation: true")}, skills=(), call="demo:a", view=lambda session: "Read the log." in session.called()[0].text, shows=False),
    Claim("skill preloaded", "", "", {"agents/a.md": agent("skills: s")}, call="demo:a", view=lambda session: "Read the log." in session.called()[0].text, shows=True),
    Claim("agent called by its bare name", "delegate-bare-name", "warning", {"agents/a.md": agent(tools="Read, Agent", body='Call the Agent tool with `subagent_type: "b"`.'), "agents/b.md": agent(name="b", description="Writes logs. Use when none exist.")}, agents={"demo:a": "Read, Agent", "demo:b": "Read, Grep"}, call="b", refused="not found"),
    Claim("agent mentioned without prefix", "delegate-mention-not-recognised", "warning", {"README.md": "# demo\n\nType `@demo:a` to have logs read.\n"}, prompt="@demo:a read", view=lambda session: "invoke the agent" in session.requests[0].text, shows=False),
    Claim("agent in a sub-folder", "", "", {"agents/a.md": None, "agents/x/a.md": agent()}, agents={"demo:x:a": "Read, Grep"}),
    # skills and commands
    Claim("skill without header", "frontmatter-missing", "error", {"skills/s/SKILL.md": "Read the log.\n"}, skills=(), view=lambda session: session.commands, shows=["demo:s"]),
    Claim("skill without description", "skill-description-missing", "error", {"skills/s/SKILL.md": "---\nname: s\n---\nRead the log.\n"}, skills=(), view=lambda session: session.commands, shows=["demo:s"]),
    Claim("skill in lower case", "skill-file-wrong-case", "error", {"skills/s/SKILL.md": None, "skills/s/skill.md": skill()}, skills=(), view=lambda session: session.commands, shows=[]),
    Claim("skill without folder", "skill-not-discovered", "error", {"skills/t.md": skill(name="t", description="Writes logs. Use when none exist.")}, view=lambda session: session.commands, shows=["demo:s"]),
    Claim("skill a folder too deep", "skill-not-discovered", "error", {"skills/x/t/SKILL.md": skill(name="t", description="Writes logs. Use when none exist.")}, view=lambda session: session.commands, shows=["demo:s"]),
    Claim("skill description cut", "skill-description-cut", "warning", {"skills/s/SKILL.md": skill(description="Use when a log must be read. " * 60)}, view=lambda session: (len(session.skills["demo:s"].description), session.skills["demo:s"].description[-1]), shows=(1536, "…")),
    Claim("command hides a skill", "skill-and-command-share-a-name", "error", {"commands/s.md": skill(body="Write the log.").replace("name: s\n", "")}, main=(skill_call("demo:s"),), view=lambda session: ["Read the log." in session.requests[-1].text, "Write the log." in session.requests[-1].text], shows=[False, True]),
    Claim("skill forks into a bare name", "skill-agent-not-qualified", "error", {"skills/s/SKILL.md": skill("context: fork", "agent: a")}, main=(skill_call("demo:s"),), view=called_with("Bash", "Edit", "Write"), shows=[True] * 3),
    Claim("skill forks into an agent", "", "", {"skills/s/SKILL.md": skill("context: fork", "agent: demo:a")}, main=(skill_call("demo:s"),), view=lambda session: sorted(session.called()[0].tools), shows=["Grep", "Read"]),
    Claim("code in a skill", "skill-code-filled-in", "warning", {"skills/s/SKILL.md": skill(body="Run `ps | awk '{print $1}'`, then \\$1.")}, main=(skill_call("demo:s", "build 12"),), view=lambda session: ["awk '{print 12}'`, then $1." in session.requests[-1].text], shows=[True]),
    Claim("skill closed to all", "skill-cannot-be-called", "error", {"skills/s/SKILL.md": skill("disable-model-invocation: true", "user-invocable: false")}, skills=(), main=(skill_call("demo:s"),), view=lambda session: (session.commands, session.results[0].failed), shows=([], True)),
    Claim("allowed-tools a map", "frontmatter-value-refused", "error", {"skills/s/SKILL.md": skill("allowed-tools: {Read: yes}")}),
    Claim("shell that is none of the two", "frontmatter-value-refused", "error", {"skills/s/SKILL.md": skill("shell: zsh")}, view=lambda session: any("Falling back to bash" in line for line in session.log), shows=True),
    Claim("paths a map", "frontmatter-value-wrong-type", "warning", {"skills/s/SKILL.md": skill("paths: {src: yes}")}),
    Claim("skill name unlike its folder", "skill-name-differs-from-folder", "warning", {"skills/s/SKILL.md": skill(name="t")}, skills=("demo:s (demo:t)",), view=lambda session: session.commands, shows=["demo:s"]),
    Claim("blank in the folder of a skill", "skill-folder-with-blanks", "warning", {"skills/s/SKILL.md": None, "skills/my s/SKILL.md": skill(name="my-s")}, skills=("demo:my-s",)),
    Claim("reserved folder of a skill", "skill-folder-reserved", "info", {"skills/synced/SKILL.md": skill(name="synced", description="Writes logs. Use when none exist.")}, skills=("demo:s", "demo:synced")),
    # the manifest and its neighbours
    Claim("blank in the plugin's name", "manifest-name-invalid", "error", {".claude-plugin/plugin.json": manifest(name="my demo")}, **GONE),
    Claim("colon in the plugin's name", "manifest-name-invalid", "error", {".claude-plugin/plugin.json": manifest(name="my:demo")}, **GONE),
    Claim("trailing comma", "json-unparsable", "error", {".claude-plugin/plugin.json": manifest().replace("}", ",}")}, **GONE),
    Claim("agents named without ./", "manifest-path-shape", "error", {".claude-plugin/plugin.json": manifest(agents="agents/a.md")}, **GONE),
    Claim("agents named by their folder", "manifest-path-shape", "error", {".claude-plugin/plugin.json": manifest(agents="./agents/")}, **GONE),
    Claim("agents that do not exist", "manifest-path-missing", "error", {".claude-plugin/plugin.json": manifest(agents="./agents/no.md")}, agents={}, view=errors, shows=["path-not-found"]),
    Claim("one agent that does not exist", "manifest-path-missing", "error", {".claude-plugin/plugin.json": manifest(agents=["./agents/a.md", "./agents/no.md"])}, view=errors, shows=["path-not-found"]),
    Claim("hooks that do not exist", "manifest-path-missing", "error", {".claude-plugin/plugin.json": manifest(hooks="./no.json")}, view=errors, shows=["path-not-found"]),
    Claim("servers that do not exist", "manifest-path-missing", "error", {".claude-plugin/plugin.json": manifest(mcpServers="./no.json")}, view=lambda session: (errors(session), session.warnings("no.json")), shows=([], [])),
    Claim("agents elsewhere replace the folder", "manifest-path-replaces-folder", "warning", {".claude-plugin/plugin.json": manifest(agents=["./more/b.md"]), "more/b.md": agent(name="b")}, agents={"demo:b": "Read, Grep"}),
    Claim("agents inside .claude-plugin", "component-inside-claude-plugin-folder", "error", {"agents/a.md": None, ".claude-plugin/agents/a.md": agent()}, agents={}, view=errors, shows=[]),
    Claim("Agents in upper case", "component-folder-wrong-case", "error", {"agents/a.md": None, "Agents/a.md": agent()}, agents={}, view=errors, shows=[]),
    Claim("author a text", "manifest-value-wrong-type", "error", {".claude-plugin/plugin.json": manifest(author="Me")}, view=lambda session: session.warnings("author") != [], shows=True),
    Claim("unknown user option", "user-config-invalid", "error", {".claude-plugin/plugin.json": manifest(userConfig={"KEY": {"type": "string", "description": "A key."}})}, **GONE),
    Claim("hooks that are no hooks", "hook-table-invalid", "error", {"hooks/hooks.json": '{"PreToolUse": []}'}, view=errors, shows=["hook-load-failed"]),
    Claim("hooks named twice", "manifest-path-repeats-default", "info", {".claude-plugin/plugin.json": manifest(hooks="./hooks/hooks.json"), "hooks/hooks.json": hooks("Stop")}, view=lambda session: (errors(session), session.warnings("hooks"), any("loaded once" in line for line in session.log)), shows=([], [], True)),
    Claim("broken hook", "hook-handler-invalid", "error", {"hooks/hooks.json": hooks("Stop", handler={"type": "command"})}, view=logged("entry ignored"), shows=True),
    Claim("broken hook that may be a guard", "hook-handler-invalid", "error", {"hooks/hooks.json": hooks("PreToolUse", handler={"type": "command"})}, **GONE),
    Claim("broken hook on permissions", "hook-handler-invalid", "error", {"hooks/hooks.json": hooks("PermissionRequest", handler={"type": "comand", "command": "true"})}, **GONE),
    Claim("hooks a list", "hook-table-invalid", "error", {"hooks/hooks.json": '{"hooks": []}'}, **GONE),
    Claim("hooks null", "hook-table-invalid", "error", {"hooks/hooks.json": '{"hooks": null}'}, view=errors, shows=["hook-load-failed"]),
    Claim("group without hooks", "hook-table-invalid", "error", {"hooks/hooks.json": '{"hooks": {"Stop": [{"type": "command", "command": "true"}]}}'}, view=logged("entry ignored"), shows=True),
    Claim("group without hooks that may be a guard", "hook-table-invalid", "error", {"hooks/hooks.json": '{"hooks": {"PreToolUse": [{"type": "command", "command": "true"}]}}'}, **GONE),
    Claim("broken guard of a skill", "hook-handler-invalid", "error", {"skills/s/SKILL.md": skill("hooks:", "  PreToolUse:", "    - hooks:", "        - type: command")}, view=lambda session: any("the skill loads with no hooks and no allowed-tools" in line for line in session.log), shows=True),
    Claim("matcher a list", "hook-matcher-not-text", "error", {"hooks/hooks.json": hooks("PostToolUse", matcher=["Edit"])}, view=logged("entry ignored"), shows=True),
    Claim("matcher a list on what may be a guard", "hook-matcher-not-text", "error", {"hooks/hooks.json": hooks("PreToolUse", matcher=["Edit"])}, **GONE),
    Claim("if on an event without tools", "hook-if-never-runs", "error", {"hooks/hooks.json": hooks("SessionStart", handler={"type": "command", "command": "true", "if": "Bash(git *)"})}, view=lambda session: any("Hooks: SessionStart" in line for line in session.log), shows=False),
    Claim("hook that runs", "", "", {"hooks/hooks.json": hooks("SessionStart")}, view=lambda session: any("Hooks: SessionStart" in line for line in session.log), shows=True),
    Claim("channel without a server of its name", "channel-server-unknown", "warning", {".claude-plugin/plugin.json": manifest(channels=[{"server": "chat"}])}),
    Claim("channel with an unknown key", "channel-invalid", "error", {".claude-plugin/plugin.json": manifest(mcpServers={"chat": {"command": "true"}}, channels=[{"server": "chat", "more": 1}])}, **GONE),
    Claim("monitor without description", "channel-invalid", "error", {".claude-plugin/plugin.json": manifest(experimental={"monitors": [{"name": "m", "command": "true"}]})}, **GONE),
    Claim("dependency that is not there", "manifest-dependency", "info", {".claude-plugin/plugin.json": manifest(dependencies=["other"])}, **GONE),
    Claim("settings that name an agent", "settings-agent-replaces-prompt", "warning", {"settings.json": '{"agent": "a"}'}, skills=(), agents={}, view=lambda session: session.requests[0].system[-1].startswith("You read logs."), shows=True),
    Claim("CLAUDE.md at the root", "claude-md-in-plugin", "info", {"CLAUDE.md": "Speak of whales.\n"}, view=lambda session: "whales" in session.requests[0].text, shows=False),
]


def write(claim: Claim, root: Path) -> Path:
    for path, text in (BASE | claim.files).items():
        if text is None:
            continue
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(text, bytes):
            file.write_bytes(text)
        elif text.startswith("-> "):
            file.symlink_to(text[3:])
        else:
            file.write_bytes(text.encode())
    return root


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.name.replace(" ", "-"))
def test_client_does_what_the_rule_says(claim, client, tmp_path):
    plugin = write(claim, tmp_path / "demo")
    main = (agent_call(claim.call),) if claim.call else claim.main
    session = client.session(tmp_path, [plugin], prompt=claim.prompt, main=main)
    assert session.status == 0, session.stderr
    assert {name: one.tools for name, one in session.agents.items()} == claim.agents
    assert tuple(session.skills) == claim.skills
    if claim.tools is not None:
        assert sorted(session.called()[0].tools) == sorted(claim.tools)
    if claim.refused:
        assert session.results[0].failed and claim.refused in session.results[0].text
    assert claim.view(session) == claim.shows


@pytest.mark.parametrize("claim", [claim for claim in CLAIMS if claim.rule.startswith("frontmatter-value-")], ids=lambda claim: claim.name.replace(" ", "-"))
def test_validation_refuses_values_as_the_rules_say(claim, client, tmp_path):
    status, report = client.validate(tmp_path, write(claim, tmp_path / "demo"))
    assert report["success"] is (claim.rule != "frontmatter-value-refused"), report
    assert status == (claim.rule == "frontmatter-value-refused")


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.name.replace(" ", "-"))
def test_pluglint_reports_it(claim, tmp_path):
    config = Config()
    config.select = ("all",)
    found = {(one.rule, one.severity) for one in engine.check([str(write(claim, tmp_path / "demo"))], config).findings}
    if claim.rule:
        assert (claim.rule, claim.severity) in found
    assert {rule for rule, severity in found if severity == "error"} <= {claim.rule, *claim.also}
