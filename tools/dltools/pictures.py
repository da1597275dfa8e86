"""Plots as files: .png, .svg or .pdf, written whole or not at all."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from dltools.report import UnusableInput, write_atomic

KINDS = (".png", ".svg", ".pdf")


def check_picture(path: Path | None) -> None:
    """Looks at the name given to `--plot` before any work is done.

    Raises:
        UnusableInput: it does not end with one of `KINDS`.
    """
    if path is not None and path.suffix not in KINDS:
        raise UnusableInput(f"--plot {path}: the name must end with .png, .svg or .pdf")


def write_picture(path: Path, figure: Any) -> None:
    """Writes a matplotlib figure in the format that the name says, and closes it.

    Raises:
        UnusableInput: the file cannot be written.
    """
    from matplotlib import pyplot

    stream = io.BytesIO()
    figure.savefig(stream, format=path.suffix.lstrip("."))
    pyplot.close(figure)
    write_atomic(path, stream.getvalue())
