"""The process of a server: started in a session of its own, and always ended with all that it started."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Self

import psutil
from dltools.report import UnusableInput

AFTERWARDS = 2.0  # seconds that descendants have to end after the command, and all of them after SIGKILL


class ServerProcess:
    """Runs a command while the `with` block lasts; leaving it kills the command and its descendants.

    Args:
        arguments: the command, started without a shell in the current folder.

    Raises:
        UnusableInput: on entering, the command cannot be started.
    """

    def __init__(self, arguments: Sequence[str]) -> None:
        self.arguments = list(arguments)
        self._family: dict[int, psutil.Process] = {}

    def __enter__(self) -> Self:
        # a file, since a pipe that nobody reads fills up and blocks the server
        self._output = tempfile.TemporaryFile()
        try:
            self.process = subprocess.Popen(
                self.arguments, stdin=subprocess.DEVNULL, stdout=self._output, stderr=subprocess.STDOUT,
                start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            self._output.close()
            raise UnusableInput(f"cannot start {self.arguments[0]!r}: {error.strerror}") from None
        self.began = time.monotonic()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
        self._output.close()

    @property
    def status(self) -> int | None:
        """The exit status; None while the command runs, and -n where signal n ended it."""
        return self.process.poll()

    def last_lines(self, count: int = 12) -> str:
        """The end of what the server wrote to standard output and standard error."""
        self._output.flush()
        end = os.fstat(self._output.fileno()).st_size
        text = os.pread(self._output.fileno(), 20_000, max(0, end - 20_000)).decode(errors="replace")
        return "\n".join(text.rstrip().splitlines()[-count:])

    def alive(self) -> list[psutil.Process]:
        """What runs of the command and all that it started; a descendant stays known when its parent has ended."""
        for process in [*self._known(), *self._of_the_session()]:
            self._family.setdefault(process.pid, process)
        return [process for process in self._family.values() if _runs(process)]

    def others(self) -> Callable[[], float]:
        """Starts a measurement; the returned function gives the share of all processors that other programs used since.

        Other than this process, the command and its descendants.
        """
        began, idle, own = time.monotonic(), _idle(), self._own_seconds()

        def share() -> float:
            available = (time.monotonic() - began) * (psutil.cpu_count() or 1)
            return max(0.0, 1 - (_idle() - idle + self._own_seconds() - own) / available)

        return share

    def _own_seconds(self) -> float:
        total = time.process_time()
        for process in self.alive():
            with contextlib.suppress(psutil.Error):
                used = process.cpu_times()
                total += used.user + used.system
        return total

    def stop(self, timeout: float) -> dict[str, Any]:
        """Sends SIGTERM to the command alone, as container runtimes do, and waits.

        Returns:
            `seconds` until the command and its descendants were gone, `status` (None where it did not end in time) and
            `left`, the command lines of descendants that still run then.
        """
        self.alive()
        began = time.monotonic()
        if self.status is None:
            self.process.send_signal(signal.SIGTERM)
        while self.status is None and time.monotonic() - began < timeout:
            time.sleep(0.01)
        ended = time.monotonic()
        # descendants get a moment longer, to end by themselves
        while self.status is not None and self.alive() and time.monotonic() - ended < AFTERWARDS:
            time.sleep(0.05)
        seconds, others = time.monotonic() - began, [p for p in self.alive() if p.pid != self.process.pid]
        return {"seconds": seconds, "status": self.status, "left": [_name(process) for process in others]}

    def kill(self) -> None:
        """Ends everything at once, and waits until it is gone."""
        deadline = time.monotonic() + AFTERWARDS
        # again and again, since a process may start another one while it is being ended
        while (running := self.alive()) and time.monotonic() < deadline:
            for process in running:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
            self.process.poll()
            time.sleep(0.01)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(AFTERWARDS)

    def _known(self) -> list[psutil.Process]:
        try:
            parent = psutil.Process(self.process.pid)
            return [parent, *parent.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def _of_the_session(self) -> list[psutil.Process]:
        found = []
        for process in psutil.process_iter():
            try:
                if os.getsid(process.pid) == self.process.pid:
                    found.append(process)
            except (ProcessLookupError, PermissionError):
                continue
        return found


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _idle() -> float:
    times = psutil.cpu_times()
    return times.idle + getattr(times, "iowait", 0.0)


def _name(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())[:120] or process.name()
    except psutil.Error:
        return str(process.pid)
