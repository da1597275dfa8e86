"""Writing several files so that all of them change, or none."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import tempfile
from typing import NamedTuple


class Change(NamedTuple):
    """A file that is to hold other bytes; `before` is what it held when that was decided, None where there was none."""

    path: str
    before: bytes | None
    after: bytes


def write_all(changes: list[Change]) -> None:
    """Writes several files, or none: what was written is put back when a later one fails.

    Raises OSError, which names the path, also for a file that is read-only or was changed meanwhile.
    """
    staged: list[tuple[Change, str]] = []
    done: list[Change] = []
    try:
        for change in changes:
            staged.append((change, _stage(change.path, change.before, change.after)))
        for change, temporary in staged:
            done.append(change)  # before: an interrupt may come right behind the rename
            _replace(change.path, temporary)
    except BaseException:
        for change in reversed(done):
            with contextlib.suppress(OSError):  # the others must be put back all the same
                _put_back(change)
        raise
    finally:
        for _, temporary in staged:
            if os.path.lexists(temporary):
                os.unlink(temporary)


def _replace(path: str, temporary: str) -> None:
    try:
        os.replace(temporary, path)
    except OSError as error:
        raise OSError(error.errno, error.strerror, path) from None


def _put_back(change: Change) -> None:
    if change.before is None:
        if os.path.lexists(change.path):
            os.unlink(change.path)
        return
    with open(change.path, "rb") as file:
        if file.read() == change.before:  # it was not reached
            return
    temporary = _stage(change.path, None, change.before)
    try:
        _replace(change.path, temporary)
    except OSError:
        os.unlink(temporary)
        raise


def _stage(path: str, before: bytes | None, data: bytes) -> str:
    """A temporary file beside `path` with new bytes and the old mode; `before` is held against what is there now."""
    try:
        mode = None
        if os.path.lexists(path):
            mode = stat.S_IMODE(os.stat(path).st_mode)
            if not mode & 0o222 or not os.access(path, os.W_OK):
                raise OSError(errno.EACCES, "the file is read-only", path)  # a rename would go through all the same
            if before is not None:
                with open(path, "rb") as file:
                    if file.read() != before:
                        raise OSError(errno.EBUSY, "the file was changed meanwhile", path)
        elif before is not None:
            raise OSError(errno.ENOENT, "the file is gone", path)
        handle, temporary = tempfile.mkstemp(prefix=".pluglint-", dir=os.path.dirname(path))
    except OSError as error:
        raise OSError(error.errno, error.strerror, path) from None
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(data)
        if mode is None:
            mask = os.umask(0)
            os.umask(mask)
            mode = 0o666 & ~mask
        os.chmod(temporary, mode)
    except BaseException:
        os.unlink(temporary)
        raise
    return temporary
