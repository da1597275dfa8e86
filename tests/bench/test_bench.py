"""The table of the bench, from made-up times: what it divides by what, and where it goes."""

import pytest
from bench import END, START, Row, fill, table

ROWS = [
    Row("python -c pass", None, 0.01, None),
    Row("pluglint, cold", 0.4, 0.05, 50.4),
    Row("agnix", 0.2, 0.02, None),
]


def test_ratios():
    assert table(ROWS).splitlines()[2:] == [
        "| python -c pass | - | 1.00 | - |",
        "| pluglint, cold | 2.00 | 5.00 | 50 MiB |",
        "| agnix | 1.00 | 2.00 | - |",
    ]


def test_without_agnix_there_is_no_ratio_to_it():
    assert table(ROWS[:2]).splitlines()[3] == "| pluglint, cold | - | 5.00 | 50 MiB |"


def test_the_page_keeps_all_but_the_old_table():
    page = f"before\n{START}\nold\n{END}\nafter\n"
    assert fill(page, "new") == f"before\n{START}\n\nnew\n\n{END}\nafter\n"
    assert fill(fill(page, "new"), "newer") == fill(page, "newer")


def test_a_page_without_the_markers_is_refused():
    with pytest.raises(SystemExit, match="no place for the table"):
        fill("nothing here", "new")
