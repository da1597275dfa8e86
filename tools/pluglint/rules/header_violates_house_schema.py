"""
What it checks: the header of an agent, skill or command against the JSON Schema that the configuration names for
its kind. Every keyword of JSON Schema works, and `format: semver` besides; references stay within the file.

Why it matters: the client passes over keys that it does not know without a word, so nothing but this notices when
a key of your own (`version`, `owner`, `status`) is missing, misspelt or of the wrong form.

How to fix: correct the header, or the schema:

    [header-schemas]
    agent = "schemas/agent.schema.json"
"""

from pluglint.rule import ERROR, HERE, PROMPTS, Example, Problem, Rule

RULE = Rule(
    title="a header breaks the package's own schema",
    severity=ERROR,
    on=PROMPTS,
    source="the package's configuration; client 2.1.330 ignores unknown keys, observed 2026-11-22",
)

_SCHEMA = """{
  "type": "object",
  "required": ["version"],
  "properties": {
    "version": {"type": "string", "format": "semver", "description": "Three numbers with dots."},
    "status": {"enum": ["draft", "stable"]}
  },
  "propertyNames": {"pattern": "^[a-z]+$"}
}
"""
CONFIG = {"header_schemas": {"agent": "house/agent.schema.json"}, "house_keys": {"agent": frozenset({"version", "status"})}}


def _agent(*lines: str) -> dict[str, str]:
    header = ["---", "name: reader", "description: Reads a change. Use when one is ready for review.", "tools: Read", *lines, "---", "You read.", ""]
    return {"agents/reader.md": "\n".join(header), "house/agent.schema.json": _SCHEMA}


GOOD = (
    Example(_agent("version: 1.4.0", "status: stable")),
    Example({"skills/a/SKILL.md": "---\nname: a\ndescription: Reads. Use when there is text.\n---\nRead.\n", **_agent("version: 0.1.0-rc.1")}),
)
BAD = (
    Example(
        {
            "agents/reader.md": f"---\nname: reader{HERE}\ndescription: Reads a change. Use when one is ready for review.\ntools: Read\n---\nYou read.\n",
            "house/agent.schema.json": _SCHEMA,
        },
        message="`version` is missing",
    ),
    Example(_agent(f"version: 1.4{HERE}"), message="`version` is 1.4; the house schema wants string"),
    Example(_agent(f"version: v1.4.0{HERE}"), message="`version` is 'v1.4.0', which does not have the format semver"),
    Example(_agent("version: 1.4.0", f"status: stabel{HERE}"), message="`status` is 'stabel'; the house schema allows draft, stable"),
)


def check(document):
    config = document.package.config
    if config is None or document.kind not in config.header_schemas or document.header is None:
        return
    for fault in config.house_schema(document.kind).faults(document.header):
        yield Problem(document.source, fault.span, fault.message, fault.hint)
