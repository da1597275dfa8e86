"""
What it checks: names of files and folders hold no control, invisible or undecodable characters, and none that Windows forbids
(`< > : " | ? * \\`, a blank or full stop at the end, `con`, `aux`, `nul`…).

Why it matters: a name that cannot be created stops a checkout or an installation half way; an invisible character makes two names look
the same, and an escape sequence repaints the terminal of whoever lists the folder.

How to fix: rename it with letters, digits, hyphens, underscores and full stops.
"""

from pluglint.rule import HERE, PACKAGE, WARNING, Example, Problem, Rule

RULE = Rule(
    title="a path name breaks a checkout or deceives the eye",
    severity=WARNING,
    on=(PACKAGE,),
    source="naming rules of Windows file systems; not tried with the client",
)

GOOD = (Example({"docs/caf\N{LATIN SMALL LETTER E WITH ACUTE} notes.md": "# Notes\n"}),)
BAD = (
    Example({"docs/a\u200bb.md": f"# Notes{HERE}\n"}, message="the name holds the invisible character U+200B"),
    Example({"docs/what?.md": f"# Notes{HERE}\n"}, message="the name holds '?', which Windows does not allow"),
    Example({"docs/aux.md": f"# Notes{HERE}\n"}, message="Windows reserves the name 'aux'"),
)

_RESERVED = frozenset("con prn aux nul com1 com2 com3 com4 com5 com6 com7 com8 com9 lpt1 lpt2 lpt3 lpt4 lpt5 lpt6 lpt7 lpt8 lpt9".split())
_FORBIDDEN = '<>:"|?*\\'


def check(package):
    joined = "/".join(package.entries)
    forbidden = [char for char in _FORBIDDEN if char in joined]
    trailing = "./" in joined or " /" in joined or joined[-1:] in (".", " ")
    for rel, entry in package.entries.items():
        name = rel.rpartition("/")[2]
        if not name.isprintable():
            odd = next(char for char in name if not char.isprintable())
            kind = "a byte that is not UTF-8" if 0xDC80 <= ord(odd) <= 0xDCFF else f"the {'control' if ord(odd) < 160 else 'invisible'} character U+{ord(odd):04X}"
            message = f"the name holds {kind}"
        elif name.partition(".")[0].lower() in _RESERVED:
            message = f"Windows reserves the name '{name.partition('.')[0]}'"
        elif forbidden and any(char in name for char in forbidden):
            message = f"the name holds '{next(char for char in name if char in forbidden)}', which Windows does not allow"
        elif trailing and name[-1] in " .":
            message = f"the name ends in a {'blank' if name[-1] == ' ' else 'full stop'}, which Windows does not allow"
        else:
            continue
        document = package.documents.get(rel)
        place = document.at(document.first_line()) if document is not None else package.place(rel)
        yield Problem(place.source, place.span, message, "Rename it with letters, digits and hyphens.")
