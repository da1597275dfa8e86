"""Writing files so that nothing is lost: through a temporary file beside the target, and a rename."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from typing import NamedTuple


def write_atomic(path: str, text: str) -> None:
    """Writes UTF-8 text. The old file stays whole when anything fails; a link is followed and stays a link.

    Raises OSError, which names `path`.
    """
    path_given, path = path, os.path.realpath(path)
    try:
        _write(path, text)
    except OSError as error:
        raise OSError(error.errno, error.strerror, path_given) from None


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
            done.append(change)
            _replace(change.path, temporary)
    except BaseException:
        for change in reversed(done):
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
    if change.before is not None:
        _replace(change.path, _stage(change.path, None, change.before))
    elif os.path.lexists(change.path):
        os.unlink(change.path)


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


def _write(path: str, text: str) -> None:
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        mask = os.umask(0)
        os.umask(mask)
        mode = stat.S_IFREG | 0o666 & ~mask
    if not stat.S_ISREG(mode):  # a device or a pipe (/dev/stdout): a rename would put a file in its place
        with open(path, "w", encoding="utf-8", newline="") as out:
            out.write(text)
        return
    handle, temporary = tempfile.mkstemp(prefix=".pluglint-", dir=os.path.dirname(path))
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as out:
            out.write(text)
        os.chmod(temporary, stat.S_IMODE(mode))
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
