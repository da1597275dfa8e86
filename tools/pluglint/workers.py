"""Shares work between processes: each takes the next piece when it is free, so that none waits for another.

One fork and two pipes. All input is in memory before the fork, so nothing is sent but results, as plain
data. Where there is no `fork` the caller does the work alone.
"""

from __future__ import annotations

import os
import sys
from typing import Any, Callable, Iterator

PIECES = 64  # small enough for an even end, and one byte each in the queue


def can_share() -> bool:
    return hasattr(os, "fork") and (os.cpu_count() or 1) > 1 and sys.gettrace() is None


def share(work: Callable[[Iterator[int]], Any], processes: int) -> Callable[[], list[Any]]:
    """Starts helpers that call `work` with pieces (numbers below `PIECES`) from one queue.

    `work` returns data that `marshal` can write. The function returned does what is left of the queue in
    this process too, waits for the helpers, and gives all results. Pieces of a helper that died (memory,
    a signal) are done again here.
    """
    import marshal

    queue, filler = os.pipe()
    os.write(filler, bytes(range(PIECES)))
    os.close(filler)
    sys.stdout.flush()
    sys.stderr.flush()
    helpers = []
    for _ in range(processes - 1):
        read_end, write_end = os.pipe()
        pid = os.fork()
        if pid == 0:  # the helper: hand over the result, and leave without clean-up
            status = 1
            try:
                os.close(read_end)
                taken: list[int] = []
                result = work(_pieces(queue, taken))
                with os.fdopen(write_end, "wb") as out:
                    out.write(marshal.dumps((taken, result)))
                status = 0
            finally:
                os._exit(status)
        os.close(write_end)
        helpers.append((pid, read_end))

    def finish() -> list[Any]:
        done: list[int] = []
        results = [work(_pieces(queue, done))]
        os.close(queue)
        for pid, read_end in helpers:
            with os.fdopen(read_end, "rb") as pipe:
                data = pipe.read()
            _, status = os.waitpid(pid, 0)
            if status == 0 and data:
                taken, result = marshal.loads(data)
                done += taken
                results.append(result)
        missing = sorted(set(range(PIECES)) - set(done))
        if missing:
            results.append(work(iter(missing)))
        return results

    return finish


def _pieces(queue: int, taken: list[int]) -> Iterator[int]:
    """Pieces from the queue until it is empty. Reading one byte from a pipe is atomic: no piece goes to two."""
    while True:
        piece = os.read(queue, 1)
        if not piece:
            return
        taken.append(piece[0])
        yield piece[0]
