"""
What it checks: an agent that is told to run a command (a step that begins with "Run" and names a command line
program, the tests or the linter; a shell block under such a step) while its `tools` list holds nothing that
runs commands.

Why it matters: the client gives an agent what its list names and nothing else. The step cannot be done, and
the agent may report on tests that never ran.

How to fix: add `Bash` to `tools`, or say who runs the command.
"""

import re

from pluglint.rule import AGENT, CLAUDE_CODE, DIRECTORY, HERE, WARNING, Example, Problem, Rule, Span
from pluglint.rules._delegation import tools_of

RULE = Rule(
    title="a command to run, but no tool that runs it",
    severity=WARNING,
    on=(AGENT,),
    source="calls scripted against client 2.1.330, 2026-11-22",
    profiles=(CLAUDE_CODE, DIRECTORY),
    needles=("un ", "xecute "),
)

_HEADER = "---\nname: tester\ndescription: Tests changes. Use when one is ready.\ntools: {}\n---\n"

GOOD = (
    Example(_HEADER.format("Read, Bash") + "1. Run `pytest -q`.\n"),
    Example(_HEADER.format("Read, Grep") + "1. Ask the caller to run `pytest -q`.\n2. Check that the tests would run.\n"),
    Example(_HEADER.format("Read, Grep") + "## Commands to recommend\n\n- Run `pytest -q`.\n"),
    Example(_HEADER.format("Read, Grep") + "1. Run through the checklist.\n2. Run a mental test of each case.\n"),
)
BAD = (
    Example(_HEADER.format("Read, Grep") + f"1. Read the change.\n2. Run `pytest -q` and read its output.{HERE}\n", message="the agent is told to run `pytest -q`, but its tools lack Bash"),
    Example(_HEADER.format("Read, Grep") + f"- **Run the tests** before you report.{HERE}\n", message="the agent is told to run the tests, but its tools lack Bash"),
    Example(_HEADER.format("Read, Grep") + f"Run the checks:\n\n```bash{HERE}\nmake check\n```\n", message="the agent is told to run a shell block, but its tools lack Bash"),
)

_PROGRAMS = r"(?:ansible|aws|az|bandit|black|brew|bun|bundle|cargo|cat|cd|chmod|cmake|composer|curl|deno|docker|dotnet|eslint|find|gcloud|gh|git|go|gradle|\./gradlew|grep|helm|isort|jest|jq|just|kubectl|ls|make|mkdir|mvn|mypy|nbstripout|nox|npm|npx|nvidia-smi|pip|pip-audit|playwright|pnpm|poetry|prettier|pyright|pytest|python3?|rg|rspec|ruby|ruff|semgrep|sh|bash|sqlfluff|swift|terraform|tox|trivy|tsc|uv|uvx|vitest|wget|yarn)"
_STEP = (
    rf"\n[ \t]*(?:(?:[-*+]|\d+[.)])[ \t]+)?(?:\*\*)?(?:(?:Then|First|Next|Now|Always|Finally),?[ \t]+)?(?:[Rr]e-?run|[Rr]un|[Ee]xecute)[ \t]+(?:\*\*)?"
    rf"(`{_PROGRAMS}(?:[ \t][^`\n]*)?`|(?:the|all|any|every)[ \t]+(?:(?:applicable|existing|full|complete|whole|relevant|unit|project's|available|affected|automated)[ \t]+)*(?:test suite|tests?|linters?|type[- ]checker|benchmarks?|formatter|build)\b)"
)
_SOMEBODY_ELSE = r"(?i:caller|the user|ask |recommend|suggest|propose|would|by hand|developer|author|mentally|delegat)"
_NO_STEPS = r"(?i:recommend|suggest|example|template|output|format|report|for the (?:user|author|developer|caller)|commands? to|reference|cheat)"


def check(agent):
    tools = tools_of(agent) if agent.header is not None else None
    if not tools or tools & {"*", "Bash", "PowerShell", "Agent", "Monitor"} or any(name.startswith("mcp__") for name in tools):
        return
    prose = agent.markdown.prose
    tail = (agent.at(agent.field("tools").span, "the tools"),)
    hint = "Add `Bash` to `tools`, or say who runs it."
    shift = agent.frontmatter.body - 1  # the header is blank in `prose`, line ends included
    for match in re.finditer(_STEP, "\n" + prose[agent.frontmatter.body :]):
        start, end = match.start(1) + shift, match.end(1) + shift
        line = agent.source.slice(agent.source.line_span(start))
        if not re.search(_SOMEBODY_ELSE, line) and not _in_other_section(agent, start):
            yield Problem(agent.source, Span(start, end), f"the agent is told to run {match.group(1)[:60]}, but its tools lack Bash", hint, tail)
    for fence in agent.markdown.fences:
        if fence.lang not in ("bash", "sh", "shell", "zsh", "console"):
            continue
        intro = agent.markdown.intro(fence.span.start)
        if re.match(r"(?:[-*+] |\d+[.)] )?(?:\*\*)?(?:(?:Then|First|Next|Now|Always),? )?(?:[Rr]un|[Ee]xecute)\b[^\n]{0,120}:(?:\*\*)?\Z", intro) and "`" not in intro:
            if not re.search(_SOMEBODY_ELSE, intro) and not _in_other_section(agent, fence.span.start):
                end = agent.text.find("\n", fence.span.start)
                yield Problem(agent.source, Span(fence.span.start, end if end > 0 else fence.span.end), "the agent is told to run a shell block, but its tools lack Bash", hint, tail)


def _in_other_section(agent, offset):
    """Whether the place stands under a heading that speaks of advice, of examples or of the answer's form."""
    heading = ""
    for one in agent.markdown.headings:
        if one.span.start > offset:
            break
        heading = one.text
    return re.search(_NO_STEPS, heading) is not None
