"""Writing files so that nothing is lost: through a temporary file beside the target, and a rename."""

from __future__ import annotations

import os
import stat
import tempfile


def write_atomic(path: str, text: str | bytes) -> None:
    """Writes bytes, or text as UTF-8. The old file stays whole when anything fails; a link is followed and stays a link.

    Raises OSError, which names `path`.
    """
    path_given, path = path, os.path.realpath(path)
    try:
        _write(path, text.encode() if isinstance(text, str) else text)
    except OSError as error:
        raise OSError(error.errno, error.strerror, path_given) from None


def _write(path: str, data: bytes) -> None:
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        mask = os.umask(0)
        os.umask(mask)
        mode = stat.S_IFREG | 0o666 & ~mask
    if not stat.S_ISREG(mode):  # a device or a pipe (/dev/stdout): a rename would put a file in its place
        with open(path, "wb") as out:
            out.write(data)
        return
    handle, temporary = tempfile.mkstemp(prefix=".pluglint-", dir=os.path.dirname(path))
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(data)
        os.chmod(temporary, stat.S_IMODE(mode))
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
