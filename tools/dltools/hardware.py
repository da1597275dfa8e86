"""Peak arithmetic and memory bandwidth of accelerators, from the manufacturers' data sheets.

Tensor cores are given without structured sparsity: where a data sheet prints the figure "with sparsity", it is halved
here. Figures are the SXM or OAM variants'; a PCIe card of the same name is slower. As of November 2026.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from dltools.report import UnusableInput


@dataclasses.dataclass(frozen=True)
class Hardware:
    """One accelerator.

    Args:
        name: as given to `--hardware`.
        peak: FLOP/s by data type; `tf32` is float32 on tensor cores, as frameworks use it when allowed to.
        bandwidth: of its memory, in bytes/s.
        memory: in bytes (powers of ten, as on the data sheet).
        source: the data sheet.
    """

    name: str
    peak: Mapping[str, float]
    bandwidth: float
    memory: float
    source: str


def _sheet(
    name: str, float32: float, sixteen: float, bandwidth: float, memory: float, source: str, **more: float
) -> Hardware:
    # in TFLOP/s, GB/s and GB, as data sheets print them
    peaks = {"float32": float32, "float16": sixteen, "bfloat16": sixteen} | more
    return Hardware(
        name, {key: value * 1e12 for key, value in peaks.items() if value}, bandwidth * 1e9, memory * 1e9, source
    )


HARDWARE = {
    one.name: one
    for one in (
        # Pascal and Volta have no bfloat16
        _sheet("p100-sxm2-16gb", 10.6, 21.2, 732, 16, "NVIDIA P100 data sheet, 2016", bfloat16=0),
        _sheet("v100-sxm2-32gb", 15.7, 125, 900, 32, "NVIDIA V100 data sheet, 2020", bfloat16=0),
        _sheet("a100-sxm-80gb", 19.5, 312, 2039, 80, "NVIDIA A100 data sheet, 2021", tf32=156),
        _sheet("h100-sxm-80gb", 67, 989.5, 3350, 80, "NVIDIA H100 data sheet, 2023", tf32=494.5),
        _sheet("h200-sxm-141gb", 67, 989.5, 4800, 141, "NVIDIA H200 data sheet, 2024", tf32=494.5),
        _sheet("l4-24gb", 30.3, 121, 300, 24, "NVIDIA L4 data sheet, 2023", tf32=60),
        # multiplies in bfloat16; figures of one chip, whose memory is stated as 32 GiB
        _sheet("tpu-v3", 0, 0, 900, 34.4, "Google Cloud documentation, TPU v3", bfloat16=123),
        _sheet("tpu-v4", 0, 0, 1200, 34.4, "Google Cloud documentation, TPU v4", bfloat16=275),
    )
}


def hardware(name: str) -> Hardware:
    """An accelerator by its name.

    Raises:
        UnusableInput: there is none of that name.
    """
    if name not in HARDWARE:
        raise UnusableInput(f"--hardware: no data on {name!r}; known are {', '.join(HARDWARE)}")
    return HARDWARE[name]
