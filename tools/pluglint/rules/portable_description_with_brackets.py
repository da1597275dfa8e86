'''
What it checks: the description of a skill has no `<` or `>` in it.

Why it matters: the upload to claude.ai refuses the skill.

How to fix: use words ("below", "above"), or quotes.
'''

from pluglint.rule import ERROR, HERE, PORTABLE, SKILL, Example, Problem, Rule, Span

RULE = Rule(
    title="a skill's description has angle brackets",
    severity=ERROR,
    on=(SKILL,),
    source="skills upload page of 2026-08-22",
    profiles=(PORTABLE,),
)

GOOD = (Example("---\nname: example\ndescription: Reads logs. Use when a build failed.\n---\nRead on.\n"),)
BAD = (Example(f"---\nname: example\ndescription: Reads logs of <service>. Use when a build failed.{HERE}\n---\nRead on.\n", message="the description has '<' in it"),)


def check(skill):
    node = skill.field("description")
    found = next((char for char in node.text if char in "<>"), "") if node is not None and node.kind == "string" else ""
    if found:
        # The mark of a block (`>`) is no part of the text.
        at = skill.text.find(found, node.span.start + (node.style in (">", "|")), node.span.end)
        span = Span(at, at + 1) if at >= 0 else node.span
        yield Problem(skill.source, span, f"the description has '{found}' in it", "Use words or quotes instead.")
