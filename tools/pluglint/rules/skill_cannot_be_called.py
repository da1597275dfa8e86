'''
What it checks: a skill or command is open to the model or to people, or to both.

Why it matters: `disable-model-invocation: true` takes it from the model and `user-invocable: false` from people: together
nobody can ever start it.

How to fix: remove one of the two keys.
'''

from pluglint.rule import CLAUDE_CODE, COMMAND, DIRECTORY, ERROR, HERE, SKILL, Example, Problem, Rule

RULE = Rule(
    title="a skill can be called by nobody",
    severity=ERROR,
    on=(SKILL, COMMAND),
    source="client 2.1.330, observed 2026-11-22",
    profiles=(CLAUDE_CODE, DIRECTORY),
)

_SKILL = "---\nname: example\ndescription: Reads logs. Use when a build failed.\n{}\n---\nRead on.\n"

GOOD = (Example(_SKILL.format("disable-model-invocation: true")), Example(_SKILL.format("user-invocable: false")))
BAD = (Example(_SKILL.format(f"disable-model-invocation: true\nuser-invocable: false{HERE}"), message="neither the model nor people can call this skill"),)


def check(document):
    if document.header is not None and document.flag("disable-model-invocation") is True and document.flag("user-invocable") is False:
        closed = document.field("disable-model-invocation")
        yield Problem(
            document.source, document.field("user-invocable").span, f"neither the model nor people can call this {document.kind}", "Remove one of the two keys.",
            (document.at(closed.span, "closes it to the model"),),
        )
