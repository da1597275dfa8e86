'''
What it checks: a skill that the model may call has a description, and it is one text.

Why it matters: without it (missing, empty, or a list) the skill is not in the listing that the model gets: it is
never used unless somebody types its name. The portable format refuses it.

How to fix: add `description:` with what the skill does and when to use it. A skill that only people should start
says so with `disable-model-invocation: true`.
'''

from pluglint.rule import ERROR, HERE, SKILL, Example, Problem, Rule

RULE = Rule(
    title="a skill has no description that the model could read",
    severity=ERROR,
    on=(SKILL,),
    source="client 2.1.330, observed 2026-11-22",
)

GOOD = (
    Example("---\nname: example\ndescription: Reads logs. Use when a build failed.\n---\nRead on.\n"),
    Example("---\nname: example\ndisable-model-invocation: true\n---\nRead on.\n"),
)
BAD = (
    Example(f"---{HERE}\nname: example\n---\nRead on.\n", message="the skill has no description: the model is not told of it"),
    Example(f"---\nname: example\ndescription:{HERE}\n---\nRead on.\n", message="the description is empty: the model is not told of the skill"),
)


def check(skill):
    front = skill.frontmatter
    if front.state or front.error or skill.description or skill.flag("disable-model-invocation"):
        return  # a header that is missing or cannot be read is another fault
    node = skill.field("description")
    hint = "Say what the skill does and when to use it."
    if node is None:
        yield Problem(skill.source, skill.first_line(), "the skill has no description: the model is not told of it", hint)
    elif node.kind not in ("list", "map", "alias"):  # lists and maps: description-not-text
        yield Problem(skill.source, skill.header.key("description").span, "the description is empty: the model is not told of the skill", hint)
