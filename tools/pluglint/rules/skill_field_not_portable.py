'''
What it checks: the values of a skill's header have the form of the portable format: `allowed-tools` one text with blanks
between the names, `compatibility` a text of 1 to 500 characters, `license` and `name` a text, `metadata` a map of texts.

Why it matters: the reference validator and other clients refuse the skill, or read one tool with a comma in its name.

How to fix: write the value in that form.
'''

from pluglint.rule import ERROR, HERE, PORTABLE, SKILL, Example, Problem, Rule

RULE = Rule(
    title="a value of a skill has a form that the portable format does not know",
    severity=ERROR,
    on=(SKILL,),
    source="agentskills.io specification of 2026-08-04",
    profiles=(PORTABLE,),
)

_SKILL = "---\nname: example\ndescription: Reads logs. Use when a build failed.\n{}\n---\nRead on.\n"

GOOD = (Example(_SKILL.format("allowed-tools: Read Bash(git log:*)\ncompatibility: Needs git\nlicense: MIT")),)
BAD = (
    Example(_SKILL.format(f"allowed-tools: [Read, Grep]{HERE}"), message="`allowed-tools` is a list and must be one text"),
    Example(_SKILL.format(f"allowed-tools: Read, Grep{HERE}"), message="`allowed-tools` has commas between the names"),
    Example(_SKILL.format(f"compatibility: {'x' * 501}{HERE}"), message="`compatibility` has 501 characters, 500 are allowed"),
    Example(_SKILL.format(f"metadata:\n  tags: [logs]{HERE}"), message="`metadata` holds a list under 'tags' and must hold texts"),
)


def check(skill):
    if skill.header is None:
        return
    for key in ("allowed-tools", "compatibility", "license"):
        node = skill.field(key)
        if node is None:
            continue
        size = len(node.text.strip())
        if node.kind in ("list", "map"):
            yield Problem(skill.source, node.span, f"`{key}` is a {node.kind} and must be one text", "Write one text, with blanks between names." if key == "allowed-tools" else "Write one text.")
        elif key == "allowed-tools" and any(value.text.endswith(",") or ", " in node.text for value in skill.names(key)[:1]):
            yield Problem(skill.source, node.span, "`allowed-tools` has commas between the names", "Put blanks between the names.")
        elif key == "compatibility" and not 0 < size <= 500:
            yield Problem(skill.source, node.span if size else skill.header.key(key).span, f"`compatibility` has {size} characters, 500 are allowed" if size else "`compatibility` is empty", "Write 1 to 500 characters, or remove the key.")
    metadata = skill.field("metadata")
    if metadata is not None and metadata.kind == "map":
        for key, value in metadata.pairs:
            if value.kind in ("list", "map"):
                yield Problem(skill.source, value.span, f"`metadata` holds a {value.kind} under '{key.text}' and must hold texts", "Write one text.")
