"""
What it checks: every relative link and image, in brackets, as a reference or in HTML, names a file of the
package. The path is taken from the folder of the file that holds the link. Addresses, anchors, code and
placeholders such as `path/to/file` or `{name}` are left out, and so are files under `templates/` or
`assets/`, which are read elsewhere, and what a web site or a build completes: routes
such as `/pricing`, pages without `.md`, and a page whose copy elsewhere has the target. Many links of one file into one
folder that does not exist are one finding, and so are more than twenty in one file.

Why it matters: the model follows the link with the Read tool and gets an error; what it should have
learnt is not there. Letter case counts: a link that works on macOS or Windows fails on Linux.

How to fix: correct the path, or ship the file.
"""

from pluglint.parse.links import elsewhere, gap, is_template, local, name_index, names_by_folder, relative, resolve, unlisted
from pluglint.rule import ERROR, HERE, MARKDOWN, PAGE, Example, Problem, Rule
from pluglint.words import did_you_mean

RULE = Rule(
    title="a link leads to a file that does not exist",
    severity=ERROR,
    on=MARKDOWN,
    source="skills page of 2026-10-03: files of a skill are read by relative path",
    needles=("](", "]:", "href=", "src=", "HREF=", "SRC="),
)

_HEADER = "---\nname: example\ndescription: Reads changes. Use when one is ready.\n---\n"

GOOD = (
    Example({"skills/example/SKILL.md": _HEADER + "Read [the rules](references/rules.md#first) and [more](./references/my%20notes.md?raw=1).\n", "skills/example/references/rules.md": "# First\n", "skills/example/references/my notes.md": "# More\n"}),
    Example({"skills/example/SKILL.md": _HEADER + "Write `[title](missing.md)`, [x](https://example.com/a.md), [y](path/to/file.md), [z]({{name}}.md), [w](mailto:a@example.com).\n\n```markdown\n[v](missing.md)\n```\n"}),
    Example({"agents/example.md": _HEADER + "See [the skill](../skills/s/SKILL.md) and [its folder](../skills/s/).\n", "skills/s/SKILL.md": "---\nname: s\ndescription: Reads. Use when there is something to read.\n---\nRead.\n"}),
    Example({"templates/plan.md": "# Plan\n\nSee [the specification](./spec.md).\n", "agents/example.md": _HEADER + "Plan.\n"}),
)
_MARKETPLACE = '{"name": "shop", "owner": {"name": "A"}, "description": "A shop.", "plugins": [{"name": "one", "source": "./plugins/one"}]}\n'

GOOD += (
    Example({
        ".claude-plugin/marketplace.json": _MARKETPLACE, "README.md": "# Shop\n\n[one](plugins/one/README.md), [all](plugins/)\n",
        "plugins/one/.claude-plugin/plugin.json": '{"name": "one", "version": "1.0.0", "description": "One.", "author": {"name": "A"}}\n', "plugins/one/README.md": "# One\n",
    }),
)
GOOD += (Example({"docs/page.md": "# Page\n\nSee [the prices](/pricing) and [the tools](/tools/all).\n"}),)
GOOD += (
    Example({"docs/index.md": "# Index\n\n[Use](./use) and [all](/start/here.md).\n", "docs/use.md": "# Use\n"}),
    Example({"source/reference/work.md": "# Work\n\nSee [more](parts/more.md).\n", "built/reference/work.md": "# Work\n\nSee [more](parts/more.md).\n", "built/reference/parts/more.md": "# More\n"}),
)
BAD = (
    Example(
        {"skills/example/SKILL.md": _HEADER + f"[a](refs/a.md){HERE}\n[b](refs/b.md)\n[c](refs/c.md)\n[d](refs/d.md)\n"},
        message="links to 'refs/a.md', which does not exist, as 3 more links into 'skills/example/refs/'",
    ),
    Example(
        {"skills/example/SKILL.md": _HEADER + f"Read [the rules](references/rules.md) first.{HERE}\n"},
        message="links to 'references/rules.md', which does not exist",
    ),
    Example(
        {"skills/example/SKILL.md": _HEADER + f"Read [the rules](references/Rules.md) first.{HERE}\n", "skills/example/references/rules.md": "# Rules\n"},
        message="links to 'references/Rules.md', which exists only as 'references/rules.md'",
    ),
    Example(
        {"skills/example/SKILL.md": _HEADER + f"Read [the rules][r].\n\n[r]: references/rule.md{HERE}\n", "skills/example/references/rules.md": "# Rules\n"},
        message="links to 'references/rule.md', which does not exist",
    ),
    Example(
        {"skills/example/SKILL.md": _HEADER + "Read.\n", "skills/example/references/a.md": f"See [b](references/b.md).{HERE}\n", "skills/example/references/b.md": "# B\n"},
        message="links to 'references/b.md', which does not exist",
    ),
    Example({"README.md": f"# Demo\n\n![the graph](docs/graph.png){HERE}\n", "agents/example.md": _HEADER + "Read.\n"}, message="shows the image 'docs/graph.png', which does not exist"),
)

_FEW, _MANY = 3, 20  # more than these are one mistake: a folder that was moved, a page from elsewhere


def check(document):
    package = document.package
    if package.kind == "file":  # nothing beside the file was listed
        return
    skip = None
    broken = {}  # the folder that is missing -> links into it
    for link in document.markdown.links:
        found = local(link.target)
        if found is None or not found[0]:
            continue
        path = found[0]
        rel = resolve(document.folder, path)
        if rel is None or package.exists(rel) or unlisted(rel) or not _names_a_file(document, path):
            continue
        if skip is None:
            skip = is_template(document.rel)
        if skip:
            return
        if elsewhere(package, rel) or document.kind == PAGE and (_of_a_site(package, path, rel) or _there_after_the_build(document, path)):
            continue
        broken.setdefault(gap(package, rel), []).append((link, path, rel))
    flood = len(broken) > _MANY or len(broken.get("", ())) > _MANY
    if flood:
        broken = {"": [one for links in broken.values() for one in links]}
    for folder, links in broken.items():
        fold = flood or folder and len(links) > _FEW
        for link, path, rel in links[:1] if fold else links:
            message, hint = _explain(document, package, path, rel, "shows the image" if link.image else "links to")
            if fold:
                where = f"into '{folder}/'" if folder else "of this file"
                message += f", as {len(links) - 1} more links {where}"
            yield Problem(document.source, link.target_span, message, hint)


def _names_a_file(document, path):
    """Without an ending, `internal-wiki/page` or `LICENSE` may be an example; a leading dot or a known folder says that it is meant."""
    if path.startswith("/") and not document.package.exists(path.strip("/").partition("/")[0]):
        return False  # an address below the root of the site that the page was copied from
    last = path.rstrip("/").rpartition("/")[2]
    if "." in last.lstrip(".") or path.startswith(("./", "../")):
        return True
    if path.startswith("/"):
        return False
    first = path.partition("/")[0]
    return document.kind == "readme" or ("/" in path and document.package.exists(f"{document.folder}/{first}" if document.folder else first))


def _of_a_site(package, path, rel):
    """Whether the generator of a web site finds the page: it adds the ending."""
    return "." not in path.rstrip("/").rpartition("/")[2] and package.exists(rel + ".md")


def _there_after_the_build(document, path):
    """Whether the link holds in a copy of the page, in a folder of the same name, that a build made."""
    tail = "/".join(document.rel.split("/")[-2:])
    same = document.package.memo("links_by_name", name_index).get(tail.rpartition("/")[2].lower(), ())
    return any(other != document.rel and other.endswith("/" + tail) and document.package.exists(resolve(other.rpartition("/")[0], path) or "-") for other in same)


def _explain(document, package, path, rel, verb):
    index = package.memo("links_by_name", name_index)
    folded = rel.lower()
    name = folded.rpartition("/")[2]
    same = index.get(name, [])
    for other in same:
        if other.lower() == folded:
            return f"{verb} '{path}', which exists only as '{relative(document.folder, other)}'", "Write it in the same letter case."
    missing = f"{verb} '{path}', which does not exist"
    # Written as seen from the skill or the package, where a link is read from its own file's folder.
    parent = document.folder
    while parent:
        parent = parent.rpartition("/")[0]
        other = resolve(parent, path)
        if other is not None and package.exists(other) and other:
            return missing, f"Links are read from the folder of the file: write '{relative(document.folder, other)}'."
    folder = rel.rpartition("/")[0]
    if len(same) == 1:
        return missing, f"Did you mean '{relative(document.folder, same[0])}'?"
    beside = package.memo("names_by_folder", names_by_folder).get(folder, ())
    close = did_you_mean(rel.rpartition("/")[2], beside)
    if close:
        return missing, f"Did you mean '{relative(document.folder, folder + '/' + close if folder else close)}'?"
    return missing, "Correct the path, or ship the file."
