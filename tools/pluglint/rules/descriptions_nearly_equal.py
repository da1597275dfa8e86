'''
What it checks: no two skills or agents of a package have nearly the same words in their descriptions (option
`similarity`, the share of common words). A pair is left alone when one of the two descriptions names the other.

Why it matters: the model chooses by the description. Between two equal ones it chooses by chance, and one of them is
work that nobody ever sees.

How to fix: say in each what sets it apart from the other, or name the other ("for monthly reports use report-author"),
or make one of the two.
'''

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


def check(package, options):
    wanted = options["similarity"]
    listed = [one for one in (*package.agents, *package.skills) if one.description]
    words = [frozenset(one.description.lower().translate(_MARKS).split()) - _NOISE for one in listed]
    rarity = {}
    for own in words:
        for word in own:
            rarity[word] = rarity.get(word, 0) + 1
    index = {}
    for at, own in enumerate(words):
        size = len(own)
        if size < 4:
            continue
        # Sets as alike as wanted share one of their rarest words: only those need comparing.
        prefix = sorted(own, key=lambda word: (rarity[word], word))[: size - int(-(-wanted * size // 1)) + 1]
        seen = set()
        for word in prefix:
            if rarity[word] < 2:
                continue
            rivals = index.setdefault(word, [])
            seen.update(rivals)
            rivals.append(at)
        alike = [(len(own & words[other]) / len(own | words[other]), -other) for other in seen if wanted * size <= len(words[other]) <= size / wanted]
        if alike:
            share, other = max(alike)
            if share >= wanted and not _tell_apart(listed[at], listed[-other]):
                yield _problem(listed[at], listed[-other], share)


def _tell_apart(one, other):
    return other.name in one.description or one.name in other.description


def _problem(one, other, share):
    node, origin = one.field("description"), other.field("description")
    how = "" if one.description == other.description else "nearly " if share < 1 else "but for the order of words "
    hint = f"Say what sets it apart, or name '{other.name}' in it."
    return Problem(one.source, node.span, f"the description is {how}that of the {other.kind} '{other.name}'", hint, (other.at(origin.span, "the other description"),))
