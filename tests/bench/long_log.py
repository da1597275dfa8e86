"""Writes the log of a million steps and says what diagnose_run.py needs for it beyond its libraries.

python tests/bench/long_log.py /tmp/long.csv
"""

from __future__ import annotations

import importlib
import sys
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "skills" / "training-diagnostics" / "scripts")]
STEPS = 1_000_000


def write(path: Path) -> None:
    """A decaying loss with noise, learning rate and gradient norm at every step, validation every 5,000 steps."""
    rng = np.random.default_rng(0)
    step = np.arange(STEPS)
    trend = 2.3 * np.exp(-step / 150_000)
    loss = trend + 0.2 + rng.normal(0, 0.05, STEPS)
    rate = 5e-4 * (1 + np.cos(np.pi * step / STEPS))
    norm = np.exp(rng.normal(0, 0.4, STEPS))
    with path.open("w") as stream:
        stream.write("step,train_loss,lr,grad_norm,val_loss\n")
        stream.writelines(
            f"{s},{loss[s]:.6f},{rate[s]:.4e},{norm[s]:.5f},{f'{trend[s] + 0.25:.6f}' if s % 5000 == 4999 else ''}\n"
            for s in range(STEPS)
        )


def memory(field: str) -> float:
    """Memory of this process in MiB: `VmRSS` now, `VmHWM` at most so far.

    `ru_maxrss` would not do: Linux hands the parent's peak on to a program that the parent starts.
    """
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{field}:")) / 1024


def main() -> None:
    """Measures one run in this process."""
    path = Path(sys.argv[1])
    if not path.exists():
        # in a process of its own, so that its memory is not counted
        import multiprocessing

        writer = multiprocessing.get_context("spawn").Process(target=write, args=(path,))
        writer.start()
        writer.join()
    for library in ("pandas", "rich.progress", "scipy.stats"):
        importlib.import_module(library)
    from run_diagnosis import diagnose

    before, clock, processor = memory("VmRSS"), time.perf_counter(), time.process_time()
    report = diagnose(path)
    wall, busy = time.perf_counter() - clock, time.process_time() - processor
    peak = memory("VmHWM")
    print(f"{report.verdict}: {wall:.2f} s wall, {busy:.2f} s processor, {peak - before:.0f} MiB".replace(":", " :", 1))


if __name__ == "__main__":
    main()
