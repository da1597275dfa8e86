"""
What it checks: `Grep` and `Glob` beside `Bash` under `tools`.

Why it matters: the client withdraws Grep and Glob from an agent that has Bash; a call answers that the tool is not
available. The agent can search through Bash, so little is lost, but text that tells it to use Grep misleads it.

How to fix: leave Grep and Glob out, or leave Bash out where searching is all the agent needs it for.
"""

from pluglint.facts import FACTS
from pluglint.headers import tools_of
from pluglint.rule import AGENT, CLAUDE_CODE, DIRECTORY, HERE, INFO, Example, Problem, Rule

RULE = Rule(
    title="Grep or Glob beside Bash",
    severity=INFO,
    on=(AGENT,),
    source="calls scripted against client 2.1.330, 2026-11-22",
    profiles=(CLAUDE_CODE, DIRECTORY),
)

_TOP = "---\nname: example\ndescription: Reads changes. Use when one is ready.\n"
GOOD = (Example(_TOP + "tools: Read, Grep, Glob\n---\nYou read.\n"), Example(_TOP + "tools: Read, Bash\n---\nYou read.\n"))
BAD = (Example(_TOP + f"tools: Read, Grep, Bash{HERE}\n---\nYou read.\n", message="the client withdraws 'Grep' from an agent that has Bash"),)


def check(document):
    tools = tools_of(document, "tools")
    bash = next((tool for tool in tools if tool.base == "Bash"), None)
    if bash is None:
        return
    for tool in tools:
        if tool.base in FACTS["tools"]["withdrawn_beside_bash"]:
            yield Problem(
                document.source,
                tool.span,
                f"the client withdraws '{tool.base}' from an agent that has Bash",
                "Remove one of the two; with Bash the agent searches through the shell.",
                (document.at(bash.span, "Bash is here"),),
            )
