"""Work shared between processes: all of it is done, once, whatever becomes of the helpers."""

from __future__ import annotations

import functools
import os
import signal
import subprocess
import sys

import pytest

from pluglint import engine, workers
from pluglint.config import Config

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system: nothing is shared")
INSIDE = "PLUGLINT_TEST_IN_ITS_OWN_PROCESS"


def in_a_process_of_its_own(test):
    """Forks where nothing else was imported: other tests leave threads behind (JAX's), and a fork of those may hang."""

    @functools.wraps(test)
    def run(*arguments, **fixtures):
        if os.environ.get(INSIDE):
            return test(*arguments, **fixtures)
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", f"{__file__}::{test.__name__}"]
        done = subprocess.run(command, env={**os.environ, INSIDE: "1"}, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr

    return run


@in_a_process_of_its_own
def test_every_piece_is_done_once():
    results = workers.share(lambda pieces: list(pieces), 3)()
    assert sorted(piece for result in results for piece in result) == list(range(workers.PIECES))


@in_a_process_of_its_own
def test_pieces_of_a_helper_that_dies_are_done_again():
    here = os.getpid()

    def work(pieces):
        done = []
        for piece in pieces:
            done.append(piece)
            if os.getpid() != here and len(done) == 2:
                os.kill(os.getpid(), signal.SIGKILL)
        return done

    results = workers.share(work, 2)()
    assert sorted(piece for result in results for piece in result) == list(range(workers.PIECES))


@in_a_process_of_its_own
def test_shared_and_alone_find_the_same(tmp_path, monkeypatch):
    for number in range(30):
        folder = tmp_path / f"skills/s{number}"
        folder.mkdir(parents=True)
        (folder / "SKILL.md").write_text(f"---\nname: s{number}\ndescription: Reads logs {number}. Use when a log must be searched.\n---\n\n1. a\n2. b\n4. c\n\nUse the jax-expert agent for it.\n")
        (tmp_path / "agents").mkdir(exist_ok=True)
        (tmp_path / f"agents/a{number}.md").write_text(f"---\nname: a{number}\ndescription: Reads {number}. Use when asked.\n---\nDelegate to other agents:\n\n- **a{(number + 1) % 30}**: part {number}\n- **b-{number}**: the rest\n")
    config = Config()
    config.select = ("all",)
    alone = engine.check([str(tmp_path)], config).findings
    monkeypatch.setattr(engine, "FORK_ABOVE", 0)
    monkeypatch.setattr(engine, "NEEDLES_ABOVE", 0)
    monkeypatch.setattr(workers, "can_share", lambda: True)
    assert engine.check([str(tmp_path)], config).findings == alone
    assert {"list-numbering-broken", "delegate-unknown"} <= {one.rule for one in alone}
