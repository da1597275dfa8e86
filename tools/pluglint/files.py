"""Writing files so that nothing is lost: through a temporary file beside the target, and a rename."""

from __future__ import annotations

import os
import stat
import tempfile


def write_atomic(path: str, text: str) -> None:
    """Writes UTF-8 text. The old file stays whole when anything fails; a link is followed and stays a link.

    Raises OSError, which names `path`.
    """
    path_given, path = path, os.path.realpath(path)
    try:
        _write(path, text)
    except OSError as error:
        raise OSError(error.errno, error.strerror, path_given) from None


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
