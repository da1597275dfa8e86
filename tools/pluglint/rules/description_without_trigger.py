'''
What it checks: the description of a skill names an occasion to use it ("Use when ...", "before a release", "for reading
logs", "triggers on ..."). Of an agent, only a description of fewer than 60 characters is looked at. Descriptions
in other languages than English are not judged.

Why it matters: the model reads the description to decide whether this is the moment for the skill. One that only says what
it is competes with every other on the same words, and is passed over.

How to fix: add a sentence that begins with "Use when".
'''

import re

from pluglint.rule import AGENT, HERE, SKILL, WARNING, Example, Problem, Rule

RULE = Rule(
    title="a description names no occasion",
    severity=WARNING,
    on=(SKILL, AGENT),
    source="skills page of 2026-10-03; skill authoring guide of 2026-08-22",
)

_OCCASION = (
    r"(?i)\b(?:us(?:e[ds]?|ing|er|ers|eful|age)|when(?:ever|\s?to)?|where(?:ver)?|while|before|after|during|if|once|until|upon|unless|every|each|as soon as|invok\w+"
    r"|trigger\w*|activat\w+|must|should|shall|needs?|needed|needing|requir\w+|proactive\w*|ask(?:s|ed|ing)?|mention\w*|sa(?:y|ys|id)|want\w*|request\w*|calls?|called|load(?:s|ed)?"
    r"|appl(?:y|ies|icable)|scenarios?|situations?|cases?|tasks?|questions?|whether|in order to|delegat\w+|spawn\w*|run|consult|helpful|ideal|suitable|designed|intended|given|always|never"
    r"|for (?:any|all|every|each|an?|the)\b|for(?: \w+){0,3} \w+ing|to (?:help|assist|support|guide)|on demand|working (?:with|on))\b"
)
_ENGLISH = r"(?i)\b(?:the|a|an|and|of|with|in|on|from|your|that|this|into|by|is|are|or)\b"
_FOREIGN = r"(?i)\b(?:der|die|das|und|für|mit|von|beim|zum|zur|eine?|le|la|les|des|du|et|pour|avec|une?|el|los|las|para|con|del|por|uma?|com|il|per|gli|di|een|het|voor|och|för)\b"

GOOD = (
    Example("---\nname: example\ndescription: Reads logs. Use when a build failed.\n---\nRead on.\n"),
    Example("---\nname: example\ndescription: Guidelines for writing plots in the house style.\n---\nRead on.\n"),
    Example("---\nname: example\ndescription: Liest Protokolle und zählt die Fehler.\n---\nRead on.\n"),
    Example("---\nname: example\ndescription: Helps with stuff.\ndisable-model-invocation: true\n---\nRead on.\n"),
    Example({"agents/example.md": "---\nname: example\ndescription: Senior engineer with deep experience of small controllers, their compilers and their buses.\n---\nYou read.\n"}),
)
BAD = (
    Example(f"---\nname: example\ndescription: Helps with stuff.{HERE}\n---\nRead on.\n", message="the description names no occasion to use the skill"),
    Example({"agents/example.md": f"---\nname: example\ndescription: Helps with stuff.{HERE}\n---\nYou read.\n"}, message="the description names no occasion to use the agent"),
)


def check(document):
    text = document.listing
    lower = text.lower()
    if "use" in lower and ("use when" in lower or "use this" in lower or "use for" in lower or "use pro" in lower):
        return  # what nearly all say
    if not text or document.kind == "agent" and len(text) >= 60 or re.search(_OCCASION, text) or document.flag("disable-model-invocation"):
        return
    letters = sum(1 for char in text if char.isalpha() and not char.isascii())
    english = re.search(_ENGLISH, text)
    if letters * 20 > len(text) or not english and (letters or re.search(_FOREIGN, text)):
        return
    node = document.field("description")
    if node is not None and len(text.split()) > 1:
        yield Problem(document.source, node.span, f"the description names no occasion to use the {document.kind}", 'Add a sentence that begins with "Use when".')
