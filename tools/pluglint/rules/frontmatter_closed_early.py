"""
What it checks: the header must not hold `---` anywhere before the line that is meant to close it, neither in
a value nor in a comment.

Why it matters: the client ends the header at the first three hyphens after its opening line, wherever they
stand, even inside quotes. The keys that follow become part of the prompt: an agent whose `tools` line comes
after them loads with every tool. A YAML parser sees nothing wrong.

How to fix: write a dash (–), one hyphen or a colon instead, and end the header with a line that is `---` alone.
"""

from pluglint.rule import AGENT, CLAUDE_CODE, COMMAND, DIRECTORY, ERROR, HERE, SKILL, Example, Problem, Rule

RULE = Rule(
    title="a header that `---` inside a value or comment ends too early",
    severity=ERROR,
    on=(AGENT, SKILL, COMMAND),
    source="headers loaded by client 2.1.330, observed 2026-11-23",
    profiles=(CLAUDE_CODE, DIRECTORY),
)

GOOD = (Example("---\nname: example\ndescription: Reads logs - all of them. Use when one is long.\ntools: Read\n---\nYou read logs.\n\n---\n\nMore.\n"),)
BAD = (
    Example(
        f"---\nname: example\ndescription: Reads logs --- all of them. Use when one is long. {HERE}\ntools: Read\n---\nYou read logs.\n",
        message="the client ends the header at this '---'; it never sees the keys tools",
    ),
    Example(
        {"skills/example/SKILL.md": f"---\nname: example\n# ----- what it does ----- {HERE}\ndescription: Reads logs. Use when one is long.\n---\nRead.\n"},
        message="the client ends the header at this '---'; it never sees the keys description",
        also=("skill-description-missing",),
    ),
)


def check(document):
    early = document.frontmatter.early
    if early is None:
        return
    lost = []
    rest = document.text[early.end : early.end + 4000].split("\n")[1:]
    for line in rest:
        if line.strip() == "---":
            break
        key = line.split(":")[0]
        if ":" in line and key.replace("-", "").replace("_", "").isalnum():
            lost.append(key)
    else:
        lost = []
    seen = f"; it never sees the keys {', '.join(lost)}" if lost else ""
    yield Problem(document.source, early, f"the client ends the header at this '---'{seen}", "Replace the hyphens; only the closing line may be '---'.")
