"""Every number that somebody could doubt has a row with its origin; and the check that says so finds what it should."""

from __future__ import annotations

import json
import subprocess
import sys

import claims
import documents
import pytest
import quantities
import yaml


@pytest.mark.parametrize("path", documents.with_claims())
def test_every_number_has_a_row(path):
    found = [one for one in claims.check(documents=[path]) if path in one.where]
    assert not found, "\n\n".join(["", *map(str, found)])


def test_no_row_is_wrong():
    found = [one for one in claims.check() if one.kind == "bad-row"]
    assert not found, "\n".join(["", *map(str, found)])


# -- the finder


def numbers(text):
    return [text[one.start : one.end] for one in quantities.find(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # units
        ("accuracy is 97 % and 3%", ["97", "3"]),
        ("**97** % of it", ["97"]),
        ("5 per cent, or five percent, one percentage point", ["5", "five", "one"]),
        ("97\\% of it", ["97"]),
        ("between 3–5 % of it", ["3–5"]),
        ("takes 72 h, 35 ms or 10 seconds", ["72", "35", "10"]),
        ("a 10-second pause of two minutes", ["10", "two"]),
        ("a 24-GB card with 80 GB and 364 MiB", ["24", "80", "364"]),
        ("4 bytes a value, 3.5 bits", ["4", "3.5"]),
        ("2,500 tokens, 1,700 characters", ["2,500", "1,700"]),
        ("86M parameters, 7B, 10k, a 7B-parameter model", ["86", "7", "10", "7"]),
        ("86 M parameters and 86 million parameters", ["86", "86"]),
        ("4.1 GFLOPs at 312 TFLOP/s and 12 MACs", ["4.1", "312", "12"]),
        ("1.2e18 FLOPs", ["1.2e18"]),
        ("6 × 10^{18} FLOPs", ["6 × 10^{18}"]),
        ("100 samples per second, 30 images/s", ["100", "30"]),
        ("drew 250 W at −3 dB", ["250", "−3"]),
        ("two orders of magnitude", ["two"]),
        ("at the end of the line 5\nseconds", ["5"]),
        ("a share in percent, or in %", ["%"]),
        # multipliers
        ("3x faster, 2× as fast, 2.5x.", ["3", "2", "2.5"]),
        ("ten times as many; 4 times the memory; three times slower", ["ten times as", "4", "three times slower"]),
        ("twice as fast, twice the memory", ["twice as", "twice the"]),
        ("half of a healthy layer is zero, a third of them", ["half of", "a third of"]),
        ("tenfold, a 10-fold rise", ["ten", "10"]),
        ("a factor of 10, a factor of about four, factor $10^{-3}$", ["10", "factor of about four", "10^{-3}"]),
        ("doubles, is halved, double the memory", ["doubles", "is halved", "double the"]),
        # comparisons
        ("at most 5 blocks, at least 90, up to 3", ["5", "90", "3"]),
        ("fewer than 40, more than 7, no more than 8", ["40", "7", "8"]),
        ("above 0.5, below 0.1, about 0.25, around 3", ["0.5", "0.1", "0.25", "3"]),
        ("within 1e-5, near 1e-6, close to 2.3", ["1e-5", "1e-6", "2.3"]),
        ("larger than about 4; rather than 4; other than 4", ["4"]),
        ("≥ 3, < 0.1, <= 4, >5, ~0.7, ≈ 2.3, 0.97 ± 0.01", ["3", "0.1", "4", "5", "0.7", "2.3", "0.01"]),
        ("at least three seeds, fewer than ten samples", ["three", "ten"]),
        ("a threshold of 0.9, limited to 5, a tolerance of 1e-3", ["0.9", "5", "1e-3"]),
        ("5 or more, 3 or fewer, 90+", ["5", "3", "90"]),
        ("between 3 and 5, from 0.97 to 0.61", ["3", "5", "0.97", "0.61"]),
        ("at\nmost 5, more than\n6", ["5", "6"]),
        ("accuracy above 1", ["1"]),
        ("below -0.5", ["-0.5"]),
        # results
        ("reaches 0.97, falls to 2.1, rises by 0.3 and stays at 0.5", ["0.97", "2.1", "0.3", "0.5"]),
        ("diverges after 300 steps, needs 40 epochs", ["300", "40"]),
        ("wrong by six points, by 1.5 points", ["six", "1.5"]),
        # formulas
        ("$\\sigma'(x) \\le 1/4$", ["1/4"]),
        ("$\\sigma'(x) \\leq \\frac{1}{4}$", ["\\frac{1}{4}"]),
        ("$0.1 < x < 0.9$ and $x \\approx 2.3$", ["0.1", "0.9", "2.3"]),
        ("at least $2^{10}$, at most $\\sqrt{2}$", ["2^{10}", "2"]),
    ],
)
def test_numbers_that_are_found(text, expected):
    assert numbers(text.replace("**", "  ")) == expected


@pytest.mark.parametrize(
    "text",
    [
        "2 agents and 6 skills",
        "train for 300 steps with 5 seeds, in 4 groups of 8 checks",
        "a dropout of 0.1 and a learning rate of 3e-4",
        "use 3x3 convolutions, 16×16 patches, 224 x 224 images, 4 × d features",
        "ResNet-50, ViT-B/16, GPT-2, FP16, INT8, float64, top-5, H100, 3D, 8-bit",
        "PyTorch 2.13.0, version 1.2, Python 3.11 or newer, Python ≥ 3.11, torch >= 2.0",
        "2026-11-23, in 2015, He et al. 2015, section 2.2, (Kingma and Ba, 2015, table 3)",
        "ln(10) is the expected loss, ln 2 for two classes",
        "exit status 2, step 0, layer 3, question 4",
        "more than one batch size, at least two causes, at most one",
        "no more than zero, above 0, x > 0, close to 0",
        "a probability between 0 and 1",
        "$n \\ge 1$, $0 < p < 1$, $x \\in [0, 1]$, $3 W x$, $d = 64$, $x^2 + 3x$",
        "the 95th percentile, the 2nd moment, the 1990s",
        "k-fold or 5-fold cross-validation, the second half of the run",
        "run it three times, once or twice",
        "a -> 3, b => 5, c <- 4, <-4 and ~~5~~",
        "double precision, double descent, halve the rate, a doubled activation",
        "below 2/λ, below 2(1+β)/λ, near $2/\\eta$, ends at the 1-WL test, ln(2K/δ), tanh(2x)",
        "at most `n` of 5",
        "more than usual\n\n5 blocks",
        "10.48550/arXiv.1706.03762",
    ],
)
def test_numbers_that_are_none(text):
    assert numbers(text.replace("`n`", quantities.HIDDEN * 3)) == []


def test_a_number_is_found_once_with_its_line_and_kind():
    found = quantities.find("First.\nat most 5 % of\nit, 3x as fast")
    assert [(one.line, one.text, one.kind) for one in found] == [(2, "5 %", "percent"), (3, "3x", "multiplier")]


@pytest.fixture
def page(tmp_path):
    def write(text, name="page.md"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


def in_page(path):
    text = path.read_text(encoding="utf-8")
    return [text[one.start : one.end] for one in quantities.find_in(path)]


def test_only_prose_is_looked_at(page):
    path = page(
        "---\nname: x\nmaxTurns: at most 11\ndescription: At least 12 of\n  them, 13 % of\n  all\nmodel: 14 GB\n---\n"
        "# At most 15\n\n`at most 1` and ``2 % of`` it\n\n```text\nat most 3\n```\n\n- ~~~python\n  4 %\n  ~~~\n\n"
        "<!-- output: rel=5 % -->\n<!-- generated: counts -->\nat most 6\n<!-- end -->\n\n"
        "[at most 16](https://example.org/50%20at%20most%207) <img width=\"8%\"> https://example.org/9%20\n\n"
        "> at most\n> 17\n\n- at most **18**\n- _at most_ 19\n"
    )
    assert in_page(path) == ["12", "13", "15", "16", "17", "18", "19"]


def test_tables_count(page):
    path = page(
        "| Model | Memory (GB) | Accuracy (%) | Loss | Layers |\n| --- | ---: | ---: | ---: | ---: |\n"
        "| ViT-B/16 | 17 | 81.8 | 0.74 | 12 |\n| at most 5 | 3 to 4 | 80 ± 1 | 1.0e-3 | `0.5` |\n"
    )
    assert in_page(path) == ["17", "81.8", "0.74", "5", "3", "4", "80", "1", "1.0e-3"]


def test_descriptions_of_manifests_count(page):
    plugins = [{"description": '5 % "of" it', "category": "6 %"}]
    text = json.dumps({"version": "1.0.0", "timeout": "5 s", "description": "at most 3 agents", "plugins": plugins})
    assert in_page(page(text, "plugin.json")) == ["3", "5"]


# -- the rows


def row(**changes):
    return {"text": "at most 5 blocks", "kind": "computed", "test": "tests/test_x.py::test_a", **changes}


@pytest.fixture
def repository(tmp_path):
    """A small repository whose README has one claim."""
    for path, text in {
        "README.md": "# Title\n\nIt needs **at\nmost** 5 [`blocks`](https://example.org/x).\n\n```sh\nmake\n```\n",
        "agents/runs.md": "---\nname: runs\n---\n\nUp to 7 of them.\n\n```python\nprint(7)\n```\n",
        "tests/test_x.py": "def test_a(): ...\n\nclass TestB:\n    def test_c(self): ...\n\ndef helper(): ...\n",
        "skills/a/scripts/x.py": "",
        "Makefile": "test: ready\n\ttrue\n",
        "tests/docs/claims.yaml": yaml.safe_dump({"agents/runs.md": [row(text="Up to 7")]}),
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")
    return tmp_path


def with_rows(repository, *rows, document="README.md", file="claims.d/part.yaml"):
    path = repository / "tests/docs" / file
    path.parent.mkdir(exist_ok=True)
    path.write_text(yaml.safe_dump({document: list(rows)}), encoding="utf-8")
    return [(one.kind, one.message) for one in claims.check(repository)]


def test_a_number_without_a_row_is_told_with_a_row_to_paste(repository):
    (finding,) = claims.check(repository)
    assert finding.kind == "missing-row" and finding.where == "README.md:4"
    assert finding.message == "'at most 5' has no row (comparison): It needs at most 5 [blocks](https://example.org/x)."
    pasted = yaml.safe_load(finding.row)
    pasted["README.md"][0]["test"] = "tests/test_x.py::test_a"
    assert with_rows(repository, *pasted["README.md"]) == []


@pytest.mark.parametrize(
    "good",
    [
        row(),
        row(text="It needs at most 5"),
        row(text="AT  `most` _5_"),
        row(test="tests/test_x.py::TestB::test_c"),
        row(test="tests/test_x.py::test_a[case-1]"),
        {"text": "at most 5", "kind": "measured", "command": "make test && du -sm ."},
        {"text": "at most 5", "kind": "measured", "command": "python skills/a/scripts/x.py --seed 0"},
        {"text": "at most 5", "kind": "measured", "command": 'python "${CLAUDE_PLUGIN_ROOT}/skills/a/scripts/x.py"'},
        {"text": "at most 5", "kind": "measured", "command": "OMP_NUM_THREADS=1 python skills/a/scripts/x.py"},
        {"text": "at most 5", "kind": "measured", "command": "pluglint check . --format json"},
        {"text": "at most 5", "kind": "cited", "source": "He et al. 2015, section 2.2, equation 10"},
        {"text": "at most 5", "kind": "cited", "source": "PyTorch documentation, torch.optim.Adam, read 2026-11-20"},
    ],
)
def test_rows_that_are_right(good, repository):
    assert with_rows(repository, good) == []


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (row(test="tests/test_x.py::test_b"), "has no test_b"),
        (row(test="tests/test_x.py::TestB::test_a"), "has no TestB::test_a"),
        (row(test="tests/test_x.py::helper"), "is no test"),
        (row(test="tests/test_x.py"), "is no test"),
        (row(test="tests/test_y.py::test_a"), "no file tests/test_y.py"),
        (row(test="skills/a/scripts/x.py::test_a"), "below tests/"),
        ({"text": "at most 5", "kind": "measured", "command": "blocks of this file"}, "no block of README.md is run"),
        ({"text": "at most 5", "kind": "measured", "command": "python skills/a/scripts/y.py"}, "there is no file"),
        ({"text": "at most 5", "kind": "measured", "command": "make race"}, "no target 'race'"),
        ({"text": "at most 5", "kind": "measured", "command": "make"}, "no target"),
        ({"text": "at most 5", "kind": "measured", "command": "du -sm ."}, "names no script"),
        ({"text": "at most 5", "kind": "measured", "command": "seen once"}, "names no script"),
        ({"text": "at most 5", "kind": "measured", "command": 'python "x.py'}, "cannot be read"),
        ({"text": "at most 5", "kind": "cited", "source": "He et al."}, "author and a year"),
        ({"text": "at most 5", "kind": "cited", "source": "2015"}, "author and a year"),
        ({"text": "at most 5", "kind": "cited", "source": "https://example.org/Smith/2015"}, "author and a year"),
    ],
)
def test_rows_whose_origin_is_not_there(bad, message, repository):
    ((kind, said),) = with_rows(repository, bad)
    assert kind == "bad-row" and message in said


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (row(text="at most 6 blocks"), "does not occur in README.md"),
        (row(text="It needs"), "holds no number"),
        (row(text="**"), "does not occur"),
        (row(note="x"), "note: Extra inputs are not permitted"),
        (row(kind="guessed"), "'computed', 'measured', 'cited'"),
        ({"text": "at most 5 blocks", "kind": "cited"}, "source: Field required"),
        ({"text": "at most 5 blocks", "test": "tests/test_x.py::test_a"}, "Unable to extract tag"),
        (row(text=5), "valid string"),
        (row(text=""), "at least 1 character"),
        ("at most 5 blocks", "valid dictionary"),
    ],
)
def test_rows_that_are_wrong_cover_nothing(bad, message, repository):
    found = with_rows(repository, bad)
    assert [kind for kind, _ in found] == ["bad-row", "missing-row"]
    assert message in found[0][1]


def test_blocks_of_the_file_stand_behind_a_number_where_one_is_run(repository):
    good = {"text": "Up to 7", "kind": "measured", "command": "blocks of this file"}
    found = with_rows(repository, good, document="agents/runs.md", file="claims.yaml")
    assert [kind for kind, _ in found] == ["missing-row"]  # the one of README.md


def test_a_row_covers_every_place_where_its_words_stand(repository):
    (repository / "README.md").write_text("At most 5 of\nthese, at most 5 of those, 5 %.\n", encoding="utf-8")
    found = with_rows(repository, row(text="at most 5 of"))
    assert [message.partition(" has")[0] for _, message in found] == ["'5 %'"]


def test_numbers_in_a_part_that_a_command_writes_need_no_row(repository):
    part = "<!-- speed: written by `make {}` -->\n5 s\n\n<!-- end of speed -->\n"
    (repository / "README.md").write_text(part.format("test"), encoding="utf-8")
    (repository / "tests/docs/claims.yaml").write_text("agents/runs.md:\n" + yaml.safe_dump([row(text="Up to 7")]))
    assert claims.check(repository) == []
    (repository / "README.md").write_text(part.format("race"), encoding="utf-8")
    (finding,) = claims.check(repository)
    assert finding.where == "README.md:1" and "no target 'race'" in finding.message
    (repository / "README.md").write_text("<!-- generated: speed -->\n5 s\n", encoding="utf-8")
    (finding,) = claims.check(repository)
    assert finding.kind == "missing-row"


def test_rows_for_a_document_that_is_not_shipped(repository):
    found = with_rows(repository, row(), document="docs/old.md")
    assert found[0] == ("bad-row", "docs/old.md is no document that is shipped")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("README.md: [", "cannot be read"),
        ("- README.md", "must be a mapping"),
        ("README.md: x", "must have a list"),
        ("README.md: []\nREADME.md: []", "'README.md' stands twice"),
        ("README.md:\n- text: a\n  text: b", "'text' stands twice"),
    ],
)
def test_files_of_rows_that_cannot_be_read(text, message, repository):
    (repository / "tests/docs/claims.d").mkdir()
    (repository / "tests/docs/claims.d/part.yaml").write_text(text, encoding="utf-8")
    found = claims.check(repository)
    assert found[0].where.startswith("tests/docs/claims.d/part.yaml") and message in found[0].message


def command(*arguments):
    words = [sys.executable, str(documents.ROOT / "tests/docs/claims.py"), *arguments]
    return subprocess.run(words, capture_output=True, text=True, cwd=documents.ROOT)


def test_the_command_says_that_all_is_well_or_what_is_not():
    found = claims.check()
    done, machine = command(), command("--json")
    assert done.returncode == machine.returncode == (1 if found else 0)
    assert [one["message"] for one in json.loads(machine.stdout)["findings"]] == [one.message for one in found]
    assert all(one.message in done.stdout for one in found) and (found or "every number has its row" in done.stdout)


def test_the_command_knows_the_documents():
    assert command("README.md").returncode == command(str(documents.ROOT / "README.md")).returncode
    done = command("Makefile")
    assert done.returncode == 2 and "Makefile is no document that is shipped" in done.stderr
