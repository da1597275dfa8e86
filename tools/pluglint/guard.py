"""What stands around every command: each failure becomes a sentence and an exit status, never a traceback."""

from __future__ import annotations

import sys
from typing import Callable

USAGE, INTERNAL, INTERRUPTED = 2, 3, 130


def usage(message: str) -> int:
    """Says on standard error what was wrong with a call; returns its exit status."""
    print(f"pluglint: {message}", file=sys.stderr)
    return USAGE


def guarded(work: Callable[[], int]) -> int:
    """The exit status of a piece of work, whatever happens in it."""
    try:
        return work()
    except BrokenPipeError:  # the reader went away (`| head`): not our failure
        import os

        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the last line of defence
        if type(error).__name__ in ("UsageError", "ConfigError"):
            return usage(str(error))
        if isinstance(error, OSError) and error.filename:
            return usage(f"{error.filename}: {error.strerror}")
        import traceback

        trace = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{trace.filename.rpartition('/')[2]}:{trace.lineno}"
        print(f"pluglint: internal error: {type(error).__name__}: {error} ({where}). Please report it.", file=sys.stderr)
        return INTERNAL
