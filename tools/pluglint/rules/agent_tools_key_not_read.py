"""
What it checks: an agent limits its tools under `tools` or `disallowedTools`, in exactly this spelling. Keys such as
`allowed-tools` (which belongs to skills), `allowedTools` or `Tools` are not read in an agent.

Why it matters: a key that is not read limits nothing: the agent has **every tool**. The client says so only in its
debug log.

How to fix: rename the key to `tools` or `disallowedTools`.
"""

from pluglint.edits import replaced
from pluglint.headers import foreign_keys, shown
from pluglint.rule import AGENT, CLAUDE_CODE, DIRECTORY, ERROR, HERE, Example, Fix, Problem, Rule

RULE = Rule(
    title="an agent limits its tools under a key that is not read",
    severity=ERROR,
    on=(AGENT,),
    source="agents with such keys loaded by client 2.1.330, 2026-11-22",
    profiles=(CLAUDE_CODE, DIRECTORY),
    fix="unsafe",
)

_TOP = "---\nname: example\ndescription: Reads changes. Use when one is ready.\n"
GOOD = (
    Example(_TOP + "tools: Read, Grep\n---\nYou read.\n"),
    Example(_TOP + "tools: Read\ndisallowedTools: Bash\n---\nYou read.\n"),
)
BAD = (
    Example(_TOP + f"allowed-tools: Read, Grep{HERE}\n---\nYou read.\n", message="the client does not read 'allowed-tools' in an agent: the agent has every tool", fixed='tools: Read, Grep'),
    Example(_TOP + f"Tools: Read, Grep{HERE}\n---\nYou read.\n", message="the client does not read 'Tools' in an agent: the agent has every tool", fixed='tools: Read, Grep'),
    Example(_TOP + f"disallowed-tools: Bash{HERE}\n---\nYou read.\n", message="the client does not read 'disallowed-tools' in an agent: nothing is taken away", fixed='disallowedTools: Bash'),
)


def check(document):
    for key, meant, which in foreign_keys(document):
        if which == "tools":
            edit = replaced(document, key.span, key.text, meant)
            effect = "nothing is taken away" if meant != "tools" or "disallowedTools" in document.header.keys() else "the agent has every tool"
            yield Problem(document.source, key.span, f"the client does not read '{shown(key.text)}' in an agent: {effect}", f"Write it as `{meant}`.", (), Fix(f"write {meant}", (edit,)) if edit else None)
