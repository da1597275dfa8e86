'''
What it checks: a command with a header has a description in it.

Why it matters: the model is told only of commands that have one. People can still type the command.

How to fix: add `description:`, or `disable-model-invocation: true` where only people should start it.
'''

from pluglint.rule import CLAUDE_CODE, COMMAND, DIRECTORY, HERE, WARNING, Example, Problem, Rule

RULE = Rule(
    title="a command has no description",
    severity=WARNING,
    on=(COMMAND,),
    source="client 2.1.330, observed 2026-11-22",
    profiles=(CLAUDE_CODE, DIRECTORY),
)

GOOD = (
    Example("---\ndescription: Ship a release\n---\nBuild it first.\n"),
    Example("---\ndisable-model-invocation: true\n---\nBuild it first.\n"),
)
BAD = (
    Example(f"---{HERE}\nargument-hint: \"[version]\"\n---\nBuild $ARGUMENTS first.\n", message="the command has no description: the model is not told of it"),
)


def check(command):
    front = command.frontmatter
    if front.state or front.error or command.description or command.flag("disable-model-invocation"):
        return
    node = command.field("description")
    if node is None or node.kind not in ("list", "map", "alias"):  # lists and maps: description-not-text
        span = command.header.key("description").span if node is not None else command.first_line()
        yield Problem(command.source, span, "the command has no description: the model is not told of it", "Say in a few words what the command does.")
