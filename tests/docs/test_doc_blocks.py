"""The code in agents, skills, references and the pages of the repository runs and prints what the text says.

`python -m pytest tests/docs -k training-diagnostics` runs the documents of one skill,
`python tests/docs/blocks.py FILE` one document, with everything that its blocks print.
"""

from __future__ import annotations

import subprocess
import sys
import textwrap

import blocks
import documents
import pytest
from markdown_it import MarkdownIt


@pytest.mark.parametrize("path", documents.with_blocks())
def test_blocks_run(path):
    failed = blocks.failures(documents.ROOT / path)
    assert not failed, "\n\n".join(["", *failed])


# -- nothing is left out


def kinds(path):
    return [region.lexemes["block"] for _, region in blocks.parse(path).regions]


def shipped():
    return [documents.ROOT / path for path in documents.with_blocks()]


def languages(path):
    """The language of every fence, as an independent CommonMark parser finds them."""
    markdown = documents.read(path)
    tokens = MarkdownIt("commonmark").parse(markdown.text[markdown.start :])
    return [token.info.split()[0].lower() if token.info.split() else "" for token in tokens if token.type == "fence"]


@pytest.mark.parametrize("path", documents.with_blocks())
def test_every_python_block_is_collected(path):
    """N blocks found by markdown-it, N by us; an output in the language `python` is compared, not run."""
    path = documents.ROOT / path
    assert [block.lang for block in kinds(path)].count("python") == languages(path).count("python")


def test_the_documents_are_the_shipped_ones():
    found = documents.with_blocks()
    assert {"README.md", "CHANGELOG.md", "CONTRIBUTING.md"} <= set(found)
    assert {f"agents/{path.name}" for path in (documents.ROOT / "agents").iterdir()} <= set(found)
    pages = (documents.ROOT / "skills").rglob("*.md")
    assert {path.relative_to(documents.ROOT).as_posix() for path in pages} <= set(found)


def test_at_most_five_percent_of_the_blocks_are_skipped():
    every = [block for path in shipped() for block in kinds(path)]
    for kind in ("python", "shell"):
        skipped = [block.skip for block in every if block.kind == kind and block.skip]
        assert len(skipped) <= 0.05 * sum(block.kind == kind for block in every), skipped


# -- the machinery


@pytest.fixture
def document(tmp_path):
    def write(text):
        path = tmp_path / "page.md"
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        return path

    return write


def one_failure(path):
    found = blocks.failures(path)
    assert len(found) == 1, found
    return found[0]


def test_one_namespace_one_folder_and_the_shell_in_it(document):
    path = document(
        """\
        ```python
        import subprocess
        from dataclasses import dataclass
        from pathlib import Path

        assert not list(Path(".").iterdir())

        @dataclass
        class Point:
            x: "float"

        Path("data.txt").write_text("written 3\\n")
        print(Point(0.5), __name__)
        _ = subprocess.run(["echo", "from below"])
        ```

        <!-- output -->
        ```text
        Point(x=0.5) __main__
        from below
        ```

        - in a list

          ```python
          p = Point(1.0)
          if p.x:
              print(p)
          ```

          <!-- output -->
          ```text
          Point(x=1.0)
          ```

        <!-- exits: 2 -->
        ```bash
        cat data.txt
        test -d "$CLAUDE_PLUGIN_ROOT/skills"
        pluglint check there-is-no-such-folder
        ```

        <!-- output -->
        ```text
        written 3
        ```
        """
    )
    outcomes = blocks.run(path)
    assert [one.kind for one in outcomes] == ["python", "output", "python", "output", "shell", "output"]
    assert {one.state for one in outcomes} == {"ran"}
    assert [one.line for one in outcomes] == [1, 18, 25, 32, 37, 44]
    assert sorted(entry.name for entry in path.parent.iterdir()) == ["page.md"]


def test_a_block_that_raises_names_file_and_line_and_stops_the_document(document):
    path = document(
        """\
        # Title

        ```python
        def broken():
            return 1 / 0

        print("so far")
        broken()
        ```

        ```python
        print("never")
        ```
        """
    )
    failure = one_failure(path)
    assert failure.startswith(f"{path}:3: python block: Traceback")
    assert f'File "{path}", line 8, in <module>' in failure
    assert f'File "{path}", line 5, in broken\n    return 1 / 0' in failure
    assert "ZeroDivisionError" in failure and failure.endswith("so far")
    assert "sybil" not in failure


def test_a_wrong_output_shows_both(document):
    path = document(
        """\
        ```python
        print("loss 2.35")
        ```

        <!-- output -->
        ```text
        loss 2.30
        ```
        """
    )
    failure = one_failure(path)
    assert failure.startswith(f"{path}:6: output block: the output differs")
    assert "says:\nloss 2.30\n" in failure and "printed:\nloss 2.35" in failure


def test_a_wider_tolerance_is_used(document):
    text = "```python\nprint(2.35)\n```\n\n<!-- output: rel=0.1 -->\n```text\n2.30\n```\n"
    assert not blocks.failures(document(text))
    assert blocks.failures(document(text.replace("=0.1", "=0.001")))


def test_a_shell_block_with_another_status_fails_with_what_it_said(document):
    failure = one_failure(document("```bash\npluglint check there-is-no-such-folder\n```\n"))
    assert "ended with status 2, not 0" in failure and "there-is-no-such-folder" in failure


def test_the_first_failing_command_ends_a_shell_block(document):
    failure = one_failure(document("```sh\nfalse | true\npluglint --help\n```\n"))
    assert "status 1" in failure


def test_a_process_that_dies_is_a_failure_of_its_block(document):
    text = "```python\nimport os\n```\n\n```python\nimport signal\nos.kill(os.getpid(), signal.SIGSEGV)\n```\n"
    failure = one_failure(document(text))
    assert ":5: python block: the process ended with status -11" in failure


def test_leaving_the_interpreter_is_a_failure(document):
    assert "SystemExit" in one_failure(document("```python\nraise SystemExit(0)\n```\n"))


def test_a_loop_without_end_is_stopped(document, monkeypatch):
    monkeypatch.setattr(blocks, "_SECONDS", 3)
    assert "not done after 3 s" in one_failure(document("```python\nwhile True:\n    pass\n```\n"))


def test_deprecated_code_is_a_failure(document):
    text = "```python\nimport warnings\nwarnings.warn('gone soon', {}, stacklevel=1)\n```\n"
    assert "gone soon" in one_failure(document(text.format("DeprecationWarning")))
    assert not blocks.failures(document(text.format("UserWarning")))


def test_data_is_parsed(document):
    assert not blocks.failures(document("```json\n{}\n```\n\n```toml\na = 1\n```\n\n```yaml\na: [1]\n```\n"))
    assert ":1: data block: is no JSON" in one_failure(document("```json\n{,}\n```\n"))
    assert ":1: data block: is no TOML" in one_failure(document("```toml\na = \n```\n"))
    assert ":1: data block: is no YAML" in one_failure(document("```yaml\na: [1\n```\n"))


@pytest.mark.parametrize(
    ("commands", "kind"),
    [
        ("pluglint check .", "shell"),
        ("cd x && pluglint check .", "shell"),
        ("python -m pluglint.gen", "shell"),
        ('python "${CLAUDE_PLUGIN_ROOT}/skills/a-b/scripts/probe.py" run.csv', "shell"),
        ("python skills/a/scripts/probe.py", "shell"),
        ("python scripts/probe.py", "shell"),
        ("python tests/docs/claims.py", "shell"),
        ("make check  # runs pluglint check .", "syntax"),
        ("pip install .", "syntax"),
        ("torchrun train.py", "syntax"),
    ],
)
def test_which_shell_blocks_are_ours(commands, kind, document):
    assert [block.kind for block in kinds(document(f"```bash\n{commands}\n```\n"))] == [kind]


def test_shell_blocks_that_are_not_ours_are_only_parsed(document):
    assert not blocks.failures(document("```shell\ntorchrun --no-such-program train.py\n```\n"))
    assert "bash cannot parse it" in one_failure(document("```shell\nif then\n```\n"))


def test_fences_inside_other_fences_are_content(document):
    path = document("````markdown\n```python\n1 / 0\n```\n<!-- output -->\n````\n")
    assert kinds(path) == [] and blocks.failures(path) == []


def test_a_skipped_block_does_not_run(document):
    outcomes = blocks.run(document('<!-- skip: next "needs a GPU with CUDA" -->\n```python\n1 / 0\n```\n'))
    assert [(one.state, one.message) for one in outcomes] == [("skipped", "needs a GPU with CUDA")]


def test_the_example_of_the_guide_runs(document):
    guide = documents.read(documents.ROOT / "CONTRIBUTING.md")
    (example,) = [guide.slice(fence.content) for fence in guide.fences if fence.lang == "markdown"]
    outcomes = blocks.run(document(example))
    assert [one.kind for one in outcomes] == ["python", "output", "shell", "output"]
    assert {one.state for one in outcomes} == {"ran"}


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("<!-- ouput -->\n```text\n```\n", 1, "unknown comment '<!-- ouput -->'"),
        ("<!-- exits 1 -->\n```bash\npluglint\n```\n", 1, "unknown comment"),
        ("<!-- skip: next -->\n```python\n```\n", 1, "unknown comment"),
        ('<!-- skip: next "" -->\n```python\n```\n', 1, "unknown comment"),
        ('<!-- skip: start "reason" -->\n```python\n```\n', 1, "unknown comment"),
        ("<!-- output: rel=a lot -->\n```text\n```\n", 1, "unknown comment"),
        ("<!-- a note to myself -->\n", 1, "unknown comment"),
        ("a\n\n<!-- output -->\n```text\nx\n```\n", 4, "no executed block before this output"),
        ("```bash\nmake check\n```\n<!-- output -->\n```text\nx\n```\n", 5, "no executed block before this output"),
        ('<!-- skip: next "reason" -->\n```python\n```\n<!-- output -->\n```text\n```\n', 5, "is skipped"),
        ("```python\n```\n<!-- output -->\n```text\n```\n<!-- output -->\n```text\n```\n", 7, "compared already"),
        ("<!-- output -->\n\nprose\n\n```text\n```\n", 1, "no block follows the comment 'output'"),
        ("```python\n```\n<!-- output -->\n", 3, "no block follows the comment 'output'"),
        ("```python\n```\n<!-- output -->\n<!-- exits: 1 -->\n```text\n```\n", 5, "takes no other comment"),
        ("<!-- exits: 1 -->\n```bash\nmake\n```\n", 2, "this one is not run"),
        ("<!-- exits: 1 -->\n```python\n```\n", 2, "'exits' is for a shell block"),
        ('<!-- skip: next "reason" -->\n```json\n{}\n```\n', 2, "not run anyway"),
        ("```py\n```\n", 1, "a block in 'py'"),
        ("```\nx\n```\n", 1, "name its language"),
        ("```python\n1\n", 1, "never closed"),
        ("x\n\n<!-- generated: counts -->\n", 3, "no partner"),
        ("x\n\n<!-- end -->\n", 3, "no partner"),
        ("<!-- generated: a -->\n\n<!-- generated: b -->\n\n<!-- end -->\n", 1, "no partner"),
        ("```bash\npip install .\npluglint check .\n```\n", 1, "'pip'"),
    ],
)
def test_what_cannot_be_understood_is_an_error(text, line, message, document):
    path = document(text)
    failure = one_failure(path)
    assert failure.startswith(f"{path}:{line}: ") and message in failure


def test_all_errors_of_a_document_are_told_at_once(document):
    found = blocks.failures(document("```py\n```\n\n<!-- x -->\n\n```\n```\n"))
    assert len(found) == 3


def test_comments_of_generated_parts_and_of_the_linter_are_known(document):
    text = "<!-- generated: counts -->\n2 agents\n<!-- end -->\n<!-- pluglint: ignore[x] reason -->\n"
    text += "<!-- speed: written by `make bench` -->\n\n<!-- end of speed -->\n"
    assert blocks.failures(document(text)) == []


@pytest.mark.parametrize(
    ("expected", "printed", "rel"),
    [
        ("a 1.00 b", "a 1.009 b", 0.01),
        ("a 1.00 b", "a   1.00   b  \n\n", 0.01),
        ("| x | -0.50 |", "| x |   -0.5 |", 0.01),
        ("1,000 steps", "1005 steps", 0.01),
        ("1e-3", "0.001", 0.01),
        ("0", "0.0", 0.01),
        ("loss=2.3, acc=97%", "loss=2.31, acc=97%", 0.01),
        ("1.0", "1.09", 0.1),
        ("nan inf", "nan inf", 0.01),
        ("first\n...\nlast", "first\nlast", 0.01),
        ("first\n...\nlast", "first\na\nb\nlast", 0.01),
        ("...", "anything\nat all", 0.01),
        ("...\nb\n...\nd\n...", "a\nb\nc\nd\ne", 0.01),
        ("", "", 0.01),
    ],
)
def test_equal_outputs(expected, printed, rel):
    assert blocks.difference(expected, printed, rel) is None


@pytest.mark.parametrize(
    ("expected", "printed", "rel"),
    [
        ("a 1.00 b", "a 1.02 b", 0.01),
        ("a 1.00 b", "a 1.00 c", 0.01),
        ("0.5", "-0.5", 0.01),
        ("0", "0.1", 0.01),
        ("1", "1 2", 0.01),
        ("a", "a\nb", 0.01),
        ("a\nb", "a", 0.01),
        ("nan", "0.5", 0.01),
        ("0.5", "nan", 0.01),
        ("1e-3", "1e-4", 0.01),
        ("layer1", "layer2", 0.01),
        ("first\n...\nlast", "first\nlast\nmore", 0.01),
        ("first\n...\nlast", "last", 0.01),
        ("a\n...\na", "a", 0.01),
        ("...\nb\n...\nd\n...", "d\nb", 0.01),
        ("...\nb\nc\n...\nc", "b\nc", 0.01),
        ("something", "", 0.01),
        ("1000", "1001", 0),
    ],
)
def test_outputs_that_differ(expected, printed, rel):
    assert blocks.difference(expected, printed, rel) is not None


def command(*arguments):
    words = [sys.executable, str(documents.ROOT / "tests/docs/blocks.py"), *arguments]
    return subprocess.run(words, capture_output=True, text=True, cwd=documents.ROOT)


def test_the_command_shows_what_each_block_printed(document):
    done = command(str(document("```python\nprint('seen', 3)\n```\n\n```python\nprint(4)\n```\n")))
    assert (done.returncode, done.stderr) == (0, "")
    assert "page.md:1: python ran" in done.stdout and "    seen 3\n" in done.stdout and "    4\n" in done.stdout


def test_the_command_ends_with_1_on_a_failure_and_2_without_a_file(document):
    assert command(str(document("```python\n1 / 0\n```\n"))).returncode == 1
    assert command(str(document("```py\n```\n"))).returncode == 1
    missing = command("no-such-page.md")
    assert missing.returncode == 2 and "no-such-page.md is no file" in missing.stderr
