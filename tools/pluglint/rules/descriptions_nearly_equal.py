'''
What it checks: no two skills or agents of a package have nearly the same words in their descriptions (option
`similarity`, the share of common words). A pair is left alone when one of the two descriptions names
the other, or when each has a proper name that the other lacks.

Why it matters: the model chooses by the description. Between two equal ones it chooses by chance, and one of them is
work that nobody ever sees.

How to fix: say in each what sets it apart from the other, or name the other ("for monthly reports use report-author"),
or make one of the two.
'''

import re
from collections import Counter
from itertools import chain, combinations
from math import ceil

from pluglint.rule import HERE, PACKAGE, WARNING, Example, Problem, Rule

RULE = Rule(
    title="two descriptions are nearly equal",
    severity=WARNING,
    on=(PACKAGE,),
    source="client 2.1.330, observed 2026-11-22: nothing but name and description is listed",
    options={"similarity": 0.75},
)

_HEADER = "---\nname: {}\ndescription: {}\n---\nRead the log from its end.\n"
_ONE = "Reads the logs of a failed build and lists the first error of each step. Use when a build failed."
_TWO = "Reads the logs of a failed build and lists the first errors of each step. Use when a build failed."

GOOD = (
    Example({"skills/one/SKILL.md": _HEADER.format("one", _ONE), "skills/two/SKILL.md": _HEADER.format("two", "Draws a chart of build times. Use when a report on build times is due.")}),
    Example({"skills/one/SKILL.md": _HEADER.format("one", _ONE), "skills/log-reader/SKILL.md": _HEADER.format("log-reader", _TWO + " For passing builds use one.")}),
    Example({"agents/one.md": _HEADER.format("one", _ONE.replace("failed build", "failed Python build")), "agents/two.md": _HEADER.format("two", _TWO.replace("failed build", "failed Rust build"))}),
)
BAD = (
    Example(
        {"skills/one/SKILL.md": _HEADER.format("one", _ONE), "skills/two/SKILL.md": _HEADER.format("two", _TWO + HERE)},
        message="the description is nearly that of the skill 'one'",
    ),
    Example(
        {"agents/reader.md": _HEADER.format("reader", _ONE), "skills/two/SKILL.md": _HEADER.format("two", _ONE + HERE)},
        message="the description is that of the agent 'reader'",
    ),
)

_NOISE = frozenset(
    "a an and any are as at be by each for from in into is it its of on or that the their them they this to use used uses user using when whenever with you your needs need should must proactively".split()
)
_MARKS = {ord(mark): " " for mark in ".,;:!?()[]{}<>\"'`*/|—–…"}


_RIVALS = 12  # texts compared for one pair of words: keeps a package of near copies linear
_BEGINNING = 600  # characters: enough to tell texts apart, and a bound for very long ones


def check(package, options):
    wanted = options["similarity"]
    listed = [one for one in (*package.agents, *package.skills) if one.description]
    beginnings = "\0".join([one.description[:_BEGINNING].replace("\0", " ") for one in listed])
    texts = [frozenset(text.split()) - _NOISE for text in beginnings.lower().translate(_MARKS).split("\0")]
    counts = Counter(chain.from_iterable(texts))
    # Words as numbers, rare ones first; below `shared` stand those that occur once.
    number = {word: at for at, word in enumerate(sorted(counts, key=lambda word: (counts[word], word)))}
    shared = sum(1 for count in counts.values() if count == 1)
    index = {}
    first = {}  # the first text of each set of words: a thousand equal ones are compared with it alone
    for at, own in enumerate(texts):
        size = len(own)
        if size < 4:
            continue
        earlier = first.setdefault(own, at)
        # Sets as alike as wanted have at least two of their rarest words in common: only those are compared.
        rarest = sorted([number[word] for word in own])[: size - ceil(wanted * size) + 2]
        seen = [] if earlier == at else [earlier]
        for pair in () if seen else combinations(rarest if rarest[0] >= shared else [word for word in rarest if word >= shared], 2):
            rivals = index.get(pair)
            if rivals is None:
                index[pair] = [at]
            else:
                seen += rivals
                if len(rivals) < _RIVALS:
                    rivals.append(at)
        least, most = wanted * size, size / wanted
        alike = [(_likeness(own, texts[other]), -other) for other in set(seen) if least <= len(texts[other]) <= most and len(own & texts[other]) >= least]
        if alike and max(alike)[0] >= wanted:
            other = listed[-max(alike)[1]]
            share = _likeness(_words(listed[at].description), _words(other.description))
            if share >= wanted and not _tell_apart(listed[at], other):
                yield _problem(listed[at], other, share)


def _words(text):
    return frozenset(text.lower().translate(_MARKS).split()) - _NOISE


def _likeness(one, other):
    common = len(one & other)
    return common / (len(one) + len(other) - common)


def _tell_apart(one, other):
    """Whether one text names the other component, or each has a proper name that the other lacks ("Python", "TypeScript")."""
    left, right = one.description, other.description
    if other.name in left or one.name in right:
        return True
    names = [set(re.findall(r"(?<=[\w,(] )[A-Z][\w+#]*", text)) for text in (left, right)]
    return bool(names[0] - names[1] and names[1] - names[0])


def _problem(one, other, share):
    node, origin = one.field("description"), other.field("description")
    how = "" if one.description == other.description else "nearly " if share < 1 else "but for the order of words "
    hint = f"Say what sets it apart, or name '{other.name}' in it."
    return Problem(one.source, node.span, f"the description is {how}that of the {other.kind} '{other.name}'", hint, (other.at(origin.span, "the other description"),))
