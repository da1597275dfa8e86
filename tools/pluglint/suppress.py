"""What is silenced, where, and what was silenced for nothing.

In front matter:       # pluglint: ignore[rule-id] reason
In a Markdown body:    <!-- pluglint: ignore[rule-id, other-rule] until=2027-01-31 reason -->
For a whole file:      ignore-file[rule-id] reason, anywhere in the file
In the configuration:  [[suppress]] with rule, path, reason, until

A comment counts for its own line and the next one that is not blank. Rule ids are mandatory, so is a reason.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from pluglint.config import Config, is_date
from pluglint.finding import ERROR, WARNING, Finding, Problem, finding
from pluglint.globs import matches
from pluglint.model import Document, Package
from pluglint.text import Span
from pluglint.words import did_you_mean

_COMMENT = re.compile(r"(?:#|<!--)[ \t]*pluglint:[ \t]*(ignore(?:-file)?)(\[[^\]\n]*\])?([^\n]*)")
_UNTIL = re.compile(r"\buntil=(\S+)")

UNUSED, MALFORMED, EXPIRED = "suppression-unused", "suppression-malformed", "suppression-expired"
RULES = (UNUSED, MALFORMED, EXPIRED)


class Comment(NamedTuple):
    document: Document
    rules: tuple[str, ...]
    lines: tuple[int, int] | None  # first and last line that it covers, None for the whole file
    span: Span


def apply(findings: list[Finding], packages: list[Package], config: Config, rule_ids: list[str], ran: set[str]) -> tuple[list[Finding], int, list[Finding]]:
    """(findings that stay, number silenced, findings about the suppressions themselves)."""
    comments: list[Comment] = []
    own: list[Finding] = []
    if config.inline:
        for package in packages:
            for document in package.documents.values():
                if "pluglint:" in document.text:
                    for item in _comments(document, rule_ids):
                        if isinstance(item, Comment):
                            comments.append(item)
                        else:
                            own.append(item)
    if not comments and not config.suppress:
        return findings, 0, [one for one in own if one.rule in ran]
    by_path: dict[str, list[int]] = {}
    for index, comment in enumerate(comments):
        by_path.setdefault(comment.document.source.path, []).append(index)
    today = _today() if any(entry.until for entry in config.suppress) else ""
    used: set[int] = set()
    used_entries: set[int] = set()
    kept = []
    for one in findings:
        silenced = False
        for place in (one.place, *one.related):
            for index in by_path.get(place.path, ()):
                comment = comments[index]
                if one.rule in comment.rules and (comment.lines is None or place.line <= comment.lines[1] and place.end_line >= comment.lines[0]):
                    used.add(index)
                    silenced = True
        for number, entry in enumerate(config.suppress):
            if one.rule in entry.rules and matches(entry.path, one.place.path):
                used_entries.add(number)
                silenced = silenced or not entry.until or today <= entry.until
        if not silenced:
            kept.append(one)
    for index, comment in enumerate(comments):
        if index not in used and any(rule in ran for rule in comment.rules):
            names = ", ".join(comment.rules)
            problem = Problem(comment.document.source, comment.span, f"this comment silences {names}, which finds nothing here", "Delete the comment.")
            own.append(finding(UNUSED, WARNING, problem))
    if config.path is not None:
        own.extend(_unused_entries(config, used_entries, ran, packages, today))
    return kept, len(findings) - len(kept), [one for one in own if one.rule in ran]


def _unused_entries(config: Config, used: set[int], ran: set[str], packages: list[Package], today: str) -> list[Finding]:
    import os

    from pluglint.text import decode

    assert config.path is not None
    with open(config.path, "rb") as handle:
        source = decode(handle.read(), os.path.relpath(config.path).replace(os.sep, "/"), os.path.basename(config.path))
    result = []
    for number, entry in enumerate(config.suppress):
        offset = 0
        for _ in range(entry.line - 1):
            offset = source.text.find("\n", offset) + 1
        span = source.line_span(offset)
        names = ", ".join(entry.rules)
        if entry.until and today > entry.until:
            problem = Problem(source, span, f"this suppression of {names} ended on {entry.until}", "Mend what it hid, or set a later date.")
            result.append(finding(EXPIRED, ERROR, problem))
        elif number not in used and any(rule in ran for rule in entry.rules):
            problem = Problem(source, span, f"this entry silences {names} in {entry.path}, where it finds nothing", "Delete the entry.")
            result.append(finding(UNUSED, WARNING, problem))
    return result


def _comments(document: Document, rule_ids: list[str]) -> list[Comment | Finding]:
    found: list[Comment | Finding] = []
    text, source = document.text, document.source
    markdown = getattr(document, "markdown", None)
    body = document.frontmatter.body if markdown is not None else 0
    total = text.count("\n") + 1
    for match in _COMMENT.finditer(text):
        in_header = match.start() < body
        if markdown is not None and (text[match.start()] == "#") != in_header:
            continue
        if markdown is not None and not in_header and (markdown.in_code(match.start()) or any(f.span.start <= match.start() < f.span.end for f in markdown.fences)):
            continue
        span = Span(match.start(), match.end())
        word, bracket, rest = match.groups()
        rest = rest.split("-->")[0]

        def fault(message: str, hint: str, rule: str = MALFORMED, span: Span = span) -> Finding:
            return finding(rule, ERROR, Problem(source, span, message, hint))

        names = tuple(name.strip() for name in (bracket or "[]")[1:-1].split(",") if name.strip())
        if not names:
            found.append(fault("a suppression must name its rules", f"Write `pluglint: {word}[rule-id] reason`."))
            continue
        unknown = [name for name in names if name not in rule_ids]
        if unknown:
            close = did_you_mean(unknown[0], rule_ids)
            found.append(fault(f"no rule is called '{unknown[0]}'", f"Did you mean '{close}'?" if close else "`pluglint rules` lists the rules."))
            continue
        until = _UNTIL.search(rest)
        reason = _UNTIL.sub("", rest).strip(" \t-:—")
        if not reason:
            found.append(fault("a suppression must give its reason", f"Write `pluglint: {word}[{', '.join(names)}] reason`."))
            continue
        if until is not None:
            if not is_date(until.group(1)):
                found.append(fault(f"'{until.group(1)}' is no date", "Write until=YYYY-MM-DD."))
                continue
            if _today() > until.group(1):
                found.append(fault(f"this suppression of {', '.join(names)} ended on {until.group(1)}", "Mend what it hid, or set a later date.", EXPIRED))
                continue
        lines = None
        if word == "ignore":
            line = source.position(match.start())[0]
            last = line + 1
            while last < total and not source.line_text(last).strip():
                last += 1
            lines = (line, last)
        found.append(Comment(document, names, lines, span))
    return found


def _today() -> str:
    import datetime

    return datetime.date.today().isoformat()
