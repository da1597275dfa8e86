'''
What it checks: the header of a skill holds only the six keys of the portable format: name, description, license, compatibility,
metadata and allowed-tools.

Why it matters: the upload to claude.ai and the reference validator refuse a skill with any other key. The Claude client takes
more, and ignores what it does not know.

How to fix: put facts of your own under `metadata`; keep keys for the Claude client out of portable skills.
'''

from pluglint.facts import FACTS
from pluglint.rule import ERROR, HERE, PORTABLE, SKILL, Example, Problem, Rule
from pluglint.words import did_you_mean

RULE = Rule(
    title="a skill has a key that the portable format does not know",
    severity=ERROR,
    on=(SKILL,),
    source="agentskills.io specification of 2026-08-04; skills upload page of 2026-08-22",
    profiles=(PORTABLE,),
)

_SKILL = "---\nname: example\ndescription: Reads logs. Use when a build failed.\n{}\n---\nRead on.\n"

GOOD = (Example(_SKILL.format("license: MIT\nmetadata:\n  version: \"1.0\"")),)
BAD = (
    Example(_SKILL.format(f"version: 1.0.0{HERE}"), message="the portable format has no key 'version'"),
    Example(_SKILL.format(f"Licence: MIT{HERE}"), message="the portable format has no key 'Licence'"),
)


def check(skill):
    if skill.header is None:
        return
    known = FACTS["skills"]["portable_keys"]
    for key, _ in skill.header.pairs:
        if key.text not in known:
            close = did_you_mean(key.text, known)
            yield Problem(skill.source, key.span, f"the portable format has no key '{key.text}'", f"Did you mean '{close}'?" if close else "Put it under `metadata`, or remove it.")
