"""
What it checks: tables that end in a row "Total" or "Sum". A column of percentages with the total 100% must add up to
100, within what rounding permits. A column of counts must not have a total above the sum of its rows or below the
largest of them (less than the sum is possible: rows may overlap).

Why it matters: a total that its own rows do not give means that a row is missing or a figure is old.

How to fix: correct the total, or the row that is off.
"""

import re

from pluglint.rule import HERE, MARKDOWN, WARNING, Example, Problem, Rule

RULE = Rule(
    title="a total is not the sum of its rows",
    severity=WARNING,
    on=MARKDOWN,
    source="arithmetic",
    needles=("| Total", "| **Total", "| Sum", "| **Sum"),
)

_HEADER = "---\nname: example\ndescription: Reads changes. Use when one is ready.\n---\n\n"
_TABLE = _HEADER + "| Part | Share | Files |\n| --- | --- | --- |\n| a | {0}% | 2 |\n| b | 33% | 3 |\n| c | 33.5% | 4 |\n| **Total** | **100%** | {1} |{2}\n"

GOOD = (
    Example(_TABLE.format("33", "9", "")),
    Example(_TABLE.format("34", "8", "")),
    Example(_HEADER + "| Part | Coverage |\n| --- | --- |\n| a | 80% |\n| b | 90% |\n| Total | 85% |\n"),
)
GOOD += (
    Example(_HEADER + "| Run | Found | Rate |\n| --- | --- | --- |\n| a | 2 | 100% |\n| b | 3 | 100% |\n| Total | 5 | 100% |\n"),
)
BAD = (
    Example(_TABLE.format("23", "9", HERE), message="the total says 100%, but the rows give 89.5"),
    Example(_TABLE.format("33", "12", HERE), message="the total says 12, but the rows give 9"),
)


def check(document):
    markdown = document.markdown
    for table in markdown.tables:
        if "Total" not in (body := markdown.slice(table.body)) and "Sum" not in body:
            continue
        rows = [row for row in markdown.rows(table) if row]
        titles = [markdown.slice(row[0]).strip("*_ :").lower() for row in rows]
        if len(rows) < 3 or titles[-1] not in ("total", "sum") or any("total" in title or "sum" in title for title in titles[:-1]):
            continue
        for column, cell in enumerate(rows[-1][1:], 1):
            values = [_value(markdown.slice(row[column])) if column < len(row) else None for row in rows]
            if any(value is None for value in values) or len({unit for _, unit, _ in values}) != 1:
                continue
            total, unit, _ = values[-1]
            amount = sum(value for value, _, _ in values[:-1])
            slack = sum(step for _, _, step in values) / 2 + 1e-9
            off = total == 100 and abs(amount - total) > slack and all(value < 100 for value, _, _ in values[:-1]) if unit == "%" else total > amount + slack or total < max(value for value, _, _ in values[:-1]) - slack
            if off:
                yield Problem(document.source, cell, f"the total says {markdown.slice(cell).strip('*_ ')}, but the rows give {amount:.6g}", "Correct the total, or the row that is off.")


def _value(raw):
    """(number, unit, step of its last digit) of a cell, or None."""
    match = re.fullmatch(r"[*_` ]*([$€£]?)(\d[\d,]*(?:\.\d+)?) ?(%|[A-Za-z]{1,8})?[*_` ]*", raw)
    if match is None:
        return None
    digits = match.group(2).replace(",", "")
    unit = match.group(3) or match.group(1)
    return float(digits), unit.rstrip("s") if len(unit) > 2 else unit, 10.0 ** -len(digits.partition(".")[2]) if "." in digits or unit else 0.0
