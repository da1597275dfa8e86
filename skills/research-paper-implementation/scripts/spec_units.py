"""Units of specifications: what can be added, what can be compared, and by which factor."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Mapping

SECONDS = {
    "s": 1.0, "second": 1.0, "seconds": 1.0, "min": 60.0, "minute": 60.0, "minutes": 60.0, "h": 3600.0, "hour": 3600.0,
    "hours": 3600.0, "day": 86400.0, "days": 86400.0, "ms": 1e-3, "us": 1e-6,
}  # fmt: skip
BASE = {
    "step": ("step", "steps", "iteration", "iterations", "update", "updates"),
    "token": ("token", "tokens"),
    "example": (
        "example",
        "examples",
        "image",
        "images",
        "sample",
        "samples",
        "sequence",
        "sequences",
        "pair",
        "pairs",
    ),
    "device": ("device", "devices", "GPU", "GPUs", "TPU", "TPUs", "chip", "chips", "core", "cores"),
}
FLOP = {"FLOP": 1.0, "FLOPs": 1.0, "MAC": 2.0, "MACs": 2.0}  # a multiply-add is two operations
BYTE = {"byte": 1.0, "bytes": 1.0, "B": 1.0}
PREFIX = {"k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18, "Z": 1e21}
BINARY = {"Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40}
# without a dimension, so that a product of sizes is a number of parameters
COUNTS = (
    "1", "layers", "blocks", "features", "channels", "heads", "parameters", "entries", "classes", "pixels", "patches",
    "epochs", "checkpoints", "hypotheses", "models", "runs", "seeds", "crops", "times", "nats", "bits",
)  # fmt: skip
TIMES = {"thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12}
SCALED = {"percent": 0.01, "%": 0.01, "probability": 1.0, "fraction": 1.0}


@dataclasses.dataclass(frozen=True)
class Unit:
    """A unit.

    Args:
        text: as written.
        factor: multiplies a value in this unit into base units (s, FLOP, byte, step, token, example, device).
        dimensions: exponent of each base unit.
        kind: the word of a unit without dimension, such as `epochs`, `percent` or `1`.
    """

    text: str
    factor: float
    dimensions: Mapping[str, int]
    kind: str = ""


class UnknownUnit(Exception):
    """A unit has a word that is not known; the message names it and the nearest known one."""


def parse(text: str) -> Unit:
    """A unit such as `steps`, `examples/step`, `TFLOP/s/device`, `GPU-hours`, `features/head` or `million parameters`.

    Raises:
        UnknownUnit: a word of it is not known.
    """
    factor, dimensions, kind = 1.0, {}, ""
    for position, part in enumerate(text.replace(" per ", "/").split("/")):
        sign = 1 if position == 0 else -1
        for word in part.replace("-", "*").split("*"):
            *times, word = word.split() or [""]
            scale, base, word_kind = _word(word)
            for one in times:
                if one not in TIMES:
                    raise UnknownUnit(f"the unit {one!r} is not known; before a unit may stand {', '.join(TIMES)}")
                scale *= TIMES[one]
            factor *= scale**sign
            if base:
                dimensions[base] = dimensions.get(base, 0) + sign
            if position == 0:
                kind = word_kind
    dimensions = {base: n for base, n in dimensions.items() if n}
    return Unit(text, factor, dimensions, "" if dimensions else kind)


def _word(word: str) -> tuple[float, str, str]:
    if word in SECONDS:
        return SECONDS[word], "s", ""
    for base, words in BASE.items():
        if word in words:
            return 1.0, base, ""
    if word in COUNTS or f"{word}s" in COUNTS or word in ("class", "patch", "entry", "hypothesis"):
        return 1.0, "", {"class": "classes", "patch": "patches", "entry": "entries"}.get(word, word)
    if word in SCALED:
        return SCALED[word], "", "percent" if word == "%" else word
    for prefixes, names, base in ((PREFIX, FLOP, "FLOP"), (PREFIX | BINARY, BYTE, "byte")):
        for name, scale in names.items():
            rest = word.removesuffix(name)
            if rest != word and (rest == "" or rest in prefixes):
                return scale * prefixes.get(rest, 1.0), base, ""
    known = [*SECONDS, *COUNTS, *SCALED, *(w for words in BASE.values() for w in words), *FLOP, "GFLOP", "TFLOP"]
    close = difflib.get_close_matches(word, known, 1, 0.7)
    raise UnknownUnit(f"the unit {word!r} is not known" + (f"; did you mean {close[0]!r}?" if close else ""))
