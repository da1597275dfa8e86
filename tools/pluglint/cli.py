"""The command line with its options. Only typer is imported here; each command imports the rest when it is called."""

from __future__ import annotations

import sys
from typing import Annotated, Callable, Optional

import typer

from pluglint.guard import guarded, usage

EPILOG = """\b
Exit status
  0  nothing found at or above --fail-on
  1  findings
  2  wrong use, or a configuration that cannot be read
  3  pluglint itself failed (a rule crashed); the other findings are still reported
"""

app = typer.Typer(
    name="pluglint",
    help="Checks a Claude Code plugin package before release.",
    epilog=EPILOG,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    no_args_is_help=True,
)


def _version(value: bool) -> None:
    if value:
        from pluglint import __version__

        print(f"pluglint {__version__}")
        raise typer.Exit()


@app.callback()
def root(version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and leave.")] = False) -> None:
    pass


@app.command(epilog=EPILOG)
def check(
    targets: Annotated[Optional[list[str]], typer.Argument(help="Plugin, marketplace, .claude folder, agents/ or skills/ folder, skill, or file. Default: the working folder.", metavar="[TARGET]...", show_default=False)] = None,
    output_format: Annotated[str, typer.Option("--format", help="text, json, sarif (code scanning), github (annotations and job summary), gitlab (code quality), junit or markdown (summary).")] = "text",
    output: Annotated[Optional[str], typer.Option("--output", "-o", help="Write the report to a file instead of standard output.")] = None,
    profile: Annotated[Optional[str], typer.Option(help="Whose judgement: claude-code (the client), portable (agentskills.io and Agent Plugins), directory (submission to claude.com).")] = None,
    select: Annotated[Optional[list[str]], typer.Option(help="Run only this rule; repeat for more; `all` runs every rule, info included.")] = None,
    ignore: Annotated[Optional[list[str]], typer.Option(help="Leave this rule out; repeat for more.")] = None,
    fail_on: Annotated[Optional[str], typer.Option(help="Lowest severity that makes the exit status 1: error, warning, info or never. Default: warning.", show_default=False)] = None,
    config: Annotated[Optional[str], typer.Option(help="Configuration file. Default: the nearest pluglint.toml or [tool.pluglint] upwards; `none` for no file.", show_default=False)] = None,
    show_files: Annotated[bool, typer.Option("--show-files", help="Also say what each file was taken for.")] = False,
    statistics: Annotated[bool, typer.Option("--statistics", help="Also list how often each rule found something; only with --format text.")] = False,
    since: Annotated[Optional[str], typer.Option(metavar="REF", help="Report only what changed since REF (a branch, tag or commit) and this one parted: findings on lines that differ, committed or not, and findings anywhere that were not there then. Needs git and that history.", show_default=False)] = None,
    baseline: Annotated[Optional[str], typer.Option(metavar="FILE", help="Leave out the findings that FILE knows. Those no longer found leave FILE by themselves (not where CI is set in the environment); none is ever added.", show_default=False)] = None,
    write_baseline: Annotated[Optional[str], typer.Option("--write-baseline", metavar="FILE", help="Write all present findings into FILE instead of reporting them, and leave with status 0.", show_default=False)] = None,
    mend: Annotated[bool, typer.Option("--fix", help="Mend what can be mended without a change of meaning for a model or a person, and report what is left. All files are written or none.")] = False,
    unsafe_fixes: Annotated[bool, typer.Option("--unsafe-fixes", help="Also mend what changes meaning: prompts, descriptions, numbers in pages. Read the result.")] = False,
    show_diff: Annotated[bool, typer.Option("--diff", help="Print what --fix (with --unsafe-fixes: these too) would do, and write nothing. The exit status is 1 if there is something.")] = False,
    no_inline: Annotated[bool, typer.Option("--no-inline", help="Do not obey suppressions inside the files: for packages that you do not trust.")] = False,
    no_cache: Annotated[bool, typer.Option("--no-cache", help="Check again even if nothing changed. The cache lies in PLUGLINT_CACHE_DIR (empty: no cache), else in the user's cache folder.")] = False,
) -> None:
    """Check packages and report what is wrong.

    \b
    pluglint check                    the plugin in this folder
    pluglint check plugins/*          several
    pluglint check --format json .    for machines
    pluglint check --diff             what could be mended; --fix does it
    pluglint check --since main       what this branch brings
    pluglint check --write-baseline known.json   begin with what there is
    pluglint check --baseline known.json         then only what is new
    pluglint explain delegate-unknown what a rule is about
    """
    from pluglint.report import FORMATS

    _one_of("--format", output_format, tuple(FORMATS))
    _one_of("--profile", profile, ("claude-code", "portable", "directory"))
    _one_of("--fail-on", fail_on, ("error", "warning", "info", "never"))

    def work() -> int:
        from pluglint.commands import check as command

        if write_baseline is not None and (since is not None or baseline is not None):
            return usage("--write-baseline records all there is; it goes neither with --since nor with --baseline")
        fixing = mend or unsafe_fixes or show_diff
        if fixing and (since is not None or baseline is not None or write_baseline is not None):
            return usage("--fix, --unsafe-fixes and --diff are about all findings; they go neither with --since nor with a baseline")
        paths = targets or ["."]
        settings = command.settings(paths, config, profile, select, ignore, fail_on, not no_inline)
        return command.run(paths, settings, output_format, show_files, output, not no_cache, statistics, since, baseline, write_baseline, mend or unsafe_fixes, unsafe_fixes, show_diff)

    _guard(work)


@app.command()
def explain(
    rule: Annotated[str, typer.Argument(help="Id of a rule, or `all`.", metavar="RULE")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print what a rule checks, why it matters, and how to mend what it finds."""

    def work() -> int:
        from pluglint.commands import explain as command
        from pluglint.rule import rule_ids

        ids = rule_ids()
        if rule == "internal-error":
            print(command.INTERNAL, end="")
            return 0
        if rule not in ids and (text := command.of_release(rule)):
            print(text, end="")
            return 0
        if rule != "all" and rule not in ids:
            from pluglint.words import did_you_mean

            close = did_you_mean(rule, ids)
            return usage(f"no rule is called '{rule}'" + (f"; did you mean '{close}'?" if close else "; `pluglint rules` lists them"))
        for one in ids if rule == "all" else [rule]:
            text = command.run(one, as_json)
            if sys.stdout.isatty() and not as_json:
                from rich.console import Console
                from rich.markdown import Markdown

                Console().print(Markdown(text))
            else:
                print(text, end="" if rule != "all" else "\n")
        return 0

    _guard(work)


@app.command()
def schema(
    name: Annotated[Optional[str], typer.Argument(help="agent, skill, command, manifest, marketplace, config, output, baseline, budget or release. Default: all of them.", metavar="[NAME]", show_default=False)] = None,
    output_dir: Annotated[Optional[str], typer.Option("--output-dir", help="Write NAME.schema.json into this folder.", show_default=False)] = None,
    list_names: Annotated[bool, typer.Option("--list", help="List the schemas.")] = False,
) -> None:
    """Print the JSON Schema of a file, or write the schemas into a folder for an editor."""

    def work() -> int:
        from pluglint.commands import schema as command

        if list_names:
            print(command.listing(), end="")
        elif output_dir is not None:
            from pluglint.schemas import names

            for path in command.write([name] if name else names(), output_dir):
                print(path)
        elif name is None:
            return usage("schema: name one, or give --output-dir; `pluglint schema --list` says which there are")
        else:
            print(command.one(name), end="")
        return 0

    _guard(work)


@app.command()
def rules(
    profile: Annotated[Optional[str], typer.Option(help="Only the rules of one profile: claude-code, portable or directory.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List all rules with their severity."""
    _one_of("--profile", profile, ("claude-code", "portable", "directory"))

    def work() -> int:
        from pluglint.commands import rules as command

        print(command.render(profile, as_json), end="")
        return 0

    _guard(work)


@app.command()
def graph(
    target: Annotated[str, typer.Argument(help="Plugin, marketplace, .claude folder, agents/ or skills/ folder, skill, or file. Default: the working folder.", metavar="[TARGET]", show_default=False)] = ".",
    output_format: Annotated[Optional[str], typer.Option("--format", help="tree, mermaid, dot, json or html. Default: tree.", show_default=False)] = None,
    as_html: Annotated[bool, typer.Option("--html", help="The same as --format html: one page with the drawing, all edges and the budget.")] = False,
    output: Annotated[Optional[str], typer.Option("--output", "-o", help="Write to a file instead of standard output.")] = None,
    config: Annotated[Optional[str], typer.Option(help="Configuration file, for `external-agents`; `none` for no file.", show_default=False)] = None,
) -> None:
    """Show which agents, skills and commands send work to which.

    No rule is run. In the tree `->` sends work and `..>` only mentions, permits or preloads;
    marks say what is unknown, undeclared, external, built in, or part of a circle.

    \b
    pluglint graph                          the plugin in this folder, as a tree
    pluglint graph --format mermaid .       for a Markdown page
    pluglint graph --format dot . | dot -Tsvg -o graph.svg
    pluglint graph --format json .          every edge with file, line and column
    pluglint graph --html -o graph.html .   a page for the browser, with the budget; it loads nothing else
    """
    _one_of("--format", output_format, ("tree", "mermaid", "dot", "json", "html"))
    if as_html and output_format not in (None, "html"):
        usage(f"--html is --format html, and --format says {output_format}; give one of them")
        raise typer.Exit(2)

    def work() -> int:
        from pluglint.commands import graph as command

        return command.run(target, "html" if as_html else output_format or "tree", config, output)

    _guard(work)


@app.command()
def budget(
    targets: Annotated[Optional[list[str]], typer.Argument(help="Plugins, marketplaces or folders, as if all were loaded together. Default: the working folder.", metavar="[TARGET]...", show_default=False)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    since: Annotated[Optional[str], typer.Option(help="Also show what changed since a commit, branch or tag of git.", show_default=False)] = None,
    output: Annotated[Optional[str], typer.Option("--output", "-o", help="Write to a file instead of standard output.")] = None,
    config: Annotated[Optional[str], typer.Option(help="Configuration file, for the limits; `none` for no file.", show_default=False)] = None,
) -> None:
    """Show what packages cost: in every session, and when an agent or a skill is used.

    Sizes are characters, as the client lists them; a quarter of them is its estimate of tokens. Also says whose
    description is dropped on models with 200,000 and with a million tokens of context. The exit status is 1 above a
    limit of `[budget]` in the configuration. No rule is run.

    \b
    pluglint budget                       the plugin in this folder
    pluglint budget --since main          and what this branch changes
    pluglint budget plugins/a plugins/b   several, loaded together
    """

    def work() -> int:
        from pluglint.commands import budget as command

        return command.run(targets or ["."], as_json, config, since, output)

    _guard(work)


@app.command()
def pack(
    target: Annotated[str, typer.Argument(help="The folder of a plugin. Default: the working folder.", metavar="[TARGET]", show_default=False)] = ".",
    output: Annotated[Optional[str], typer.Option("--output", "-o", metavar="FILE", help="The zip to write. Default: NAME-VERSION.zip in the working folder.", show_default=False)] = None,
    list_files: Annotated[bool, typer.Option("--list", help="Only list what would go in, with sizes, and what is left out.")] = False,
    no_check: Annotated[bool, typer.Option("--no-check", help="Pack even if `pluglint check` finds errors.")] = False,
    config: Annotated[Optional[str], typer.Option(help="Configuration file, for `[pack]`; `none` for no file.", show_default=False)] = None,
) -> None:
    """Pack a plugin into the zip that the client takes: `claude --plugin-dir FILE.zip`.

    Left out are tests, caches, version control, editors' files, virtual environments, and what git ignores; `exclude`
    and `include` under `[pack]` in the configuration change that. The same files give the same bytes. What a link
    inside of the plugin leads to is packed in its place; links that lead out are refused. The exit status is 1 when
    `pluglint check` finds errors, 2 when there is nothing that can be packed.

    \b
    pluglint pack --list          what would go in
    pluglint pack -o demo.zip .   the zip
    """

    def work() -> int:
        from pluglint.commands import pack as command

        return command.run(target, config, output, list_files, not no_check)

    _guard(work)


releases = typer.Typer(
    help="Check that a release tells of its changes, write its versions, draft its notes. A plugin's users are offered an update only when its version changes.",
    rich_markup_mode=None,
    no_args_is_help=True,
)
app.add_typer(releases, name="release")
_TARGET = typer.Argument(help="Plugin, or marketplace (each of its plugins). Default: the working folder.", metavar="[TARGET]", show_default=False)
_SINCE = typer.Option(metavar="REF", help="What was released last: a tag as it is, or a branch or commit where it and this one parted. Default: the newest of the tags NAME--v1.2.3, NAME@1.2.3, v1.2.3 and 1.2.3 that this commit builds on.", show_default=False)
_CONFIG = typer.Option(help="Configuration file; `none` for no file.", show_default=False)


@releases.command("check")
def release_check(
    target: Annotated[str, _TARGET] = ".",
    since: Annotated[Optional[str], _SINCE] = None,
    output_format: Annotated[str, typer.Option("--format", help="text, json or github (annotations).")] = "text",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON: short for --format json.")] = False,
    output: Annotated[Optional[str], typer.Option("--output", "-o", help="Write the report to a file instead of standard output.")] = None,
    config: Annotated[Optional[str], _CONFIG] = None,
) -> None:
    """Check that versions, changelog and manifests tell of what changed since the last release.

    An agent, skill, command, script of a skill, MCP or LSP server or hook event that is gone or has another name asks
    for a major version; a new one, or another description, for a minor one; any other shipped text for a patch. Before
    1.0.0 a minor step is enough for a break: Semantic Versioning leaves 0.x open. README, changelog and licence ask for
    nothing. Agents, skills and commands that carry versions of their own are held to the same. The changelog must say
    something of the version; manifests, marketplace entry and badges must agree. Exit status 1: findings; 2: nothing
    to compare with.

    \b
    pluglint release check                  since the newest version tag
    pluglint release check --since main     in a pull request
    """
    _one_of("--format", output_format, ("text", "json", "github"))

    def work() -> int:
        from pluglint.commands import release as command

        if as_json and output_format == "github":
            return usage("--json and --format github exclude each other")
        return command.check(target, since, "json" if as_json else output_format, output, config)

    _guard(work)


@releases.command("bump")
def release_bump(
    target: Annotated[str, _TARGET] = ".",
    since: Annotated[Optional[str], _SINCE] = None,
    part: Annotated[str, typer.Option(help="major, minor or patch, counted from the released version; auto is the smallest that tells of the changes.")] = "auto",
    to: Annotated[Optional[str], typer.Option(metavar="X.Y.Z", help="The version to write, for one plugin.", show_default=False)] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Write nothing; show the difference.")] = False,
    config: Annotated[Optional[str], _CONFIG] = None,
) -> None:
    """Write the next version everywhere: all files, or none.

    Into both manifests, the marketplace entry, the README (badges, titles, "Version:" lines), the headers of changed
    components that carry versions, the files of `also` under `[release]` in the configuration, and the changelog, whose
    Unreleased section becomes the release of today; without one, an entry is drafted for you to edit. Formatting, line
    ends and byte order marks stay. Nothing is written unless `release check` would pass afterwards.

    \b
    pluglint release bump --dry-run     what would change
    pluglint release bump               do it; then commit, and tag
    """
    _one_of("--part", part, ("auto", "major", "minor", "patch"))

    def work() -> int:
        from pluglint.commands import release as command

        if to is not None and part != "auto":
            return usage("--to and --part exclude each other")
        return command.bump(target, since, part, to, dry_run, config)

    _guard(work)


@releases.command("notes")
def release_notes(
    target: Annotated[str, _TARGET] = ".",
    since: Annotated[Optional[str], _SINCE] = None,
    output: Annotated[Optional[str], typer.Option("--output", "-o", help="Write to a file instead of standard output.")] = None,
    config: Annotated[Optional[str], _CONFIG] = None,
) -> None:
    """Draft a changelog section from what differs between the components.

    It lists what was added, changed, renamed and removed, with lines and with the characters that every session pays.
    It cannot know why: edit it.
    """

    def work() -> int:
        from pluglint.commands import release as command

        return command.notes(target, since, output, config)

    _guard(work)


@app.command()
def new(
    kind: Annotated[str, typer.Argument(help="plugin, agent or skill.", metavar="KIND", show_default=False)],
    name: Annotated[str, typer.Argument(help="Lower-case words with hyphens.", metavar="NAME", show_default=False)],
    description: Annotated[Optional[str], typer.Option("--description", help="What it does and when to use it, on one line. It must be given: the model goes by nothing else when it chooses.", show_default=False)] = None,
    into: Annotated[str, typer.Option("--into", metavar="FOLDER", help="A plugin goes into a new folder below this one, an agent or a skill into the plugin or .claude folder that holds it.")] = ".",
    author: Annotated[Optional[str], typer.Option("--author", metavar="NAME", help="Author of a plugin. Default: `user.name` of git.", show_default=False)] = None,
    license_id: Annotated[Optional[str], typer.Option("--license", metavar="SPDX", help="Licence of a plugin, such as MIT. The text, as LICENSE, is yours to add.", show_default=False)] = None,
    parts: Annotated[Optional[list[str]], typer.Option("--with", metavar="PART", help="What a plugin begins with, agent or skill; repeat for both: the agent then works by the skill. Default: skill.", show_default=False)] = None,
) -> None:
    """Write a new plugin, agent or skill that passes every rule.

    Nothing is overwritten, and all files are written or none. The rules judge the result, the name and the description
    before the first file is there.

    \b
    pluglint new plugin build-logs --description "Reads the log of a failed build and names the first error. Use when a build failed."
    pluglint new plugin build-logs --with agent --with skill --license MIT --description "..."
    pluglint new agent log-reader --description "..."               into the plugin in this folder
    pluglint new skill log-reading --into plugins/ci --description "..."
    """
    _one_of("KIND", kind, ("plugin", "agent", "skill"))
    for part in parts or ():
        _one_of("--with", part, ("agent", "skill"))

    def work() -> int:
        if kind != "plugin":
            for option, value in (("--author", author), ("--license", license_id), ("--with", parts)):
                if value:
                    return usage(f"{option} goes with `new plugin` only")
        from pluglint.commands import new as command

        return command.run(kind, name, into, description, author, license_id or "", parts)

    _guard(work)


def _one_of(option: str, value: Optional[str], allowed: tuple[str, ...]) -> None:
    if value is not None and value not in allowed:
        from pluglint.words import did_you_mean

        close = did_you_mean(value, allowed)
        usage(f"{option} is '{value}'; it can be {', '.join(allowed)}" + (f". Did you mean '{close}'?" if close else ""))
        raise typer.Exit(2)


def _guard(work: Callable[[], int]) -> None:
    raise typer.Exit(guarded(work))
