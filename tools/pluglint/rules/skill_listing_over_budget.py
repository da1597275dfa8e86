'''
What it checks: the entries of all skills and commands in the listing that the model gets have together at most 1,700
characters (option `max`).

Why it matters: the client gives the whole listing 1 % of the context: 8,000 characters on models with 200,000 tokens, of which
its own skills take 6,074. Past that, names stay, and a description is dropped where it no longer fits, commands
being told first and skills by name. On models with a million tokens the listing has 30,000 characters, 23,926 of them free.

How to fix: shorten descriptions; set `disable-model-invocation: true` where only people start a skill; split the
package; or raise `max` if it is meant for models with a large context only.
'''

from pluglint.facts import FACTS
from pluglint.headers import is_listed, listing_line
from pluglint.rule import CLAUDE_CODE, DIRECTORY, HERE, INFO, PACKAGE, Example, Problem, Rule

RULE = Rule(
    title="the skills' descriptions do not fit the listing",
    severity=INFO,
    on=(PACKAGE,),
    source="client 2.1.330, observed 2026-11-22",
    profiles=(CLAUDE_CODE, DIRECTORY),
    options={"max": FACTS["skills"]["listing_left_200k"]},
)

_TEXT = "---\nname: {0}\ndescription: Reads logs of the kind {0}. {1}Use when a build failed.\n---\nRead on.\n"
_MORE = "It lists errors. " * 50

GOOD = (Example({"skills/one/SKILL.md": _TEXT.format("one", _MORE)}),)
BAD = (
    Example(
        {"skills/one/SKILL.md": _TEXT.format("one", _MORE), "skills/two/SKILL.md": _TEXT.format("two", _MORE).replace("\n---\n", f"{HERE}\n---\n")},
        message="the listing of 2 skills has 1,830 characters, 1,700 are the most: descriptions from 'two' on can be dropped",
    ),
    Example({"skills/one/SKILL.md": _TEXT.format("one", "").replace("\n---\n", f"{HERE}\n---\n")}, message="the listing of 1 skill has 65 characters, 50 are the most: descriptions from 'one' on can be dropped", options={"max": 50}),
)


def check(package, options):
    total, first = 0, None
    listed = [one for one in (*package.skills, *package.commands) if is_listed(one)]
    for one in sorted(listed, key=lambda one: one.qualified):
        total += len(listing_line(one)) + 1
        if first is None and total > options["max"]:
            first = one
    if first is not None:
        count = f"{len(listed)} skill{'' if len(listed) == 1 else 's'}"
        message = f"the listing of {count} has {total:,} characters, {options['max']:,} are the most: descriptions from '{first.name}' on can be dropped"
        yield Problem(first.source, first.field("description").span, message, "Shorten descriptions, or hide skills that only people start.")
