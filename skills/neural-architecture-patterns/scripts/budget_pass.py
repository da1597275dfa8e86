"""What one pass of a model uses, and how an error in the user's own code is said."""

from __future__ import annotations

import dataclasses
import sysconfig
import traceback
from pathlib import Path

HERE = Path(__file__).resolve().parent
# not the user's own code: Python itself, these scripts, and the tools that they share
OURS = (Path(sysconfig.get_path("stdlib")), HERE, HERE.parents[2] / "tools")


@dataclasses.dataclass
class Pass:
    """What one pass over the batch uses.

    Args:
        flops: of the forward pass, by operator.
        by_module: of the forward pass, by module path ('' is the whole model); empty where modules are not known.
        training_flops: forward and backward together; None without a backward pass.
        not_counted: (operator, place) to calls, for operators without a formula that may do more than a few
            operations for each element.
        read: bytes of the parameters that enter a counted product, each once.
        saved: bytes kept for the backward pass, each array once, without parameters; None without one.
        cache: bytes of the key-value cache in the outputs; None where there is none.
    """

    flops: dict[str, int]
    by_module: dict[str, int]
    training_flops: int | None
    not_counted: dict[tuple[str, str], int]
    read: int
    saved: int | None
    cache: int | None


def said(error: BaseException) -> str:
    """The kind of an exception and the first line of its message."""
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__


def place(frames: traceback.StackSummary) -> str:
    """FILE:LINE of the last frame in the user's own code; empty where there is none.

    Args:
        frames: of an exception, or of a traced operation.
    """
    for frame in reversed(frames):
        path = Path(frame.filename)
        library = {"site-packages", "dist-packages"} & set(path.parts) or any(path.is_relative_to(o) for o in OURS)
        if not library and not frame.filename.startswith("<"):
            return f"{path.name}:{frame.lineno}"
    return ""


def at(error: BaseException) -> str:
    """`at FILE:LINE: ` of an exception, to be put before a message."""
    where = place(traceback.extract_tb(error.__traceback__))
    return f"at {where}: " if where else ""
