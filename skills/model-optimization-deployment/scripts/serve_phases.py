"""What is done to a server: start, requests alone, load, malformed requests, stop; and what that says about it."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import shlex
import socket
import statistics
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from dltools.report import CANNOT_DECIDE, Finding, Report, UnusableInput
from serve_load import Client, difference, malformed, poisson_moments, quantile, until
from served_process import ServerProcess

# Each level is measured in so many parts. That all parts of one level are slower than all of another is one of 252
# equally likely orders, if nothing differs (p = 0.004).
PARTS = 5
FALL = 0.8  # a throughput below this share of the best one at less load is a fall, if all parts confirm it
SHORTEST = 0.25  # seconds of a level; a shorter one shows the scheduler of the machine more than the server
KEPT_UP = 0.9  # below this share of the offered rate a server does not keep up
OTHERS = 0.25  # share of the processors that other programs may use without a note


@dataclasses.dataclass(frozen=True)
class Plan:
    """What is to be checked.

    Args:
        url: where requests go by POST.
        requests: the bodies.
        expected: the answers of the local model, one for each request, or none.
        concurrency: numbers of clients in closed loops.
        rates: requests in a second of open loops.
        seconds, requests_per_level: how long a level lasts; the number of requests where it is given.
        timeout: seconds that one request may take.
        start_timeout, stop_timeout: seconds for the start and after SIGTERM.
        tolerance: the largest difference of numbers, relative to the largest magnitude of their list.
        compare: compare the answers under load with those alone.
        max_p95_ms: the budget of the 95th percentile at every level, in milliseconds.
        ready: an address that answers GET with success once the server is ready; without it, the first request decides.
        seed: of the arrivals of open loops.
    """

    url: str
    requests: Sequence[bytes]
    expected: Sequence[Any] = ()
    concurrency: Sequence[int] = (1, 4, 16)
    rates: Sequence[float] = ()
    seconds: float = 5.0
    requests_per_level: int | None = None
    timeout: float = 10.0
    start_timeout: float = 60.0
    stop_timeout: float = 15.0
    tolerance: float = 1e-3
    compare: bool = True
    max_p95_ms: float | None = None
    ready: str | None = None
    seed: int = 0


def check(plan: Plan, variants: dict[str, list[str]], say: Callable[[str], None] = lambda text: None) -> Report:
    """Checks a server once for each variant.

    Args:
        plan: what to do.
        variants: the command of each, as a list of arguments; an empty list for a server that runs already.
        say: is told what is being done.

    Returns:
        A report with the verdict `healthy`, `faults` or `cannot-decide`.

    Raises:
        UnusableInput: a command cannot be started, its port is taken, or nothing answers where a server should run.
    """
    findings, measured, notes = [], {}, []
    for name, arguments in variants.items():
        run = _Check(plan, name, say)
        if arguments:
            run.with_command(arguments)
        else:
            asyncio.run(run.all_phases(None))
        findings += run.findings
        notes += [f"{name}: {note}" if name else note for note in run.notes]
        measured[name or "server"] = run.measured
    notes.append(
        "client and server share the processors of one machine: compare variants with each other, and measure the "
        "numbers that you promise from another machine"
    )
    undecided = any(run["undecided"] for run in measured.values())
    verdict = "faults" if findings else CANNOT_DECIDE if undecided else "healthy"
    return Report("serve-check", verdict, findings, {"variants": measured}, notes)


class _Level:
    """What was measured at one load."""

    def __init__(self) -> None:
        self.calls: list[Any] = []
        self.parts: list[float] = []  # answers in a second
        self.wall = self.cpu = 0.0

    async def measure(self, calls: Awaitable[list[Any]]) -> None:
        """Adds one part; time ends with its last answer."""
        began, cpu = time.perf_counter(), time.process_time()
        found = await calls
        wall = time.perf_counter() - began
        self.calls += found
        self.parts.append(sum(call.ok for call in found) / wall)
        self.wall, self.cpu = self.wall + wall, self.cpu + time.process_time() - cpu


class _Check:
    """One variant."""

    def __init__(self, plan: Plan, name: str, say: Callable[[str], None]) -> None:
        self.plan, self.name = plan, name
        self.say = lambda text: say(f"{name}: {text}" if name else text)
        self.client = Client(plan.url, plan.timeout)
        self.findings: list[Finding] = []
        self.notes: list[str] = []
        self.measured: dict[str, Any] = {"levels": [], "undecided": False}
        self.alone: dict[int, Any] = {}

    def found(self, kind: str, where: str, message: str, values: dict[str, Any], next_step: str) -> None:
        place = ", ".join(part for part in (self.name, where) if part)
        self.findings.append(Finding(kind, place, message, values, next_step))

    def with_command(self, arguments: list[str]) -> None:
        """Starts the command and runs all phases."""
        host, port = address(self.plan.url)
        with contextlib.suppress(OSError), socket.create_connection((host, port), timeout=1):
            raise UnusableInput(
                f"something answers on {host}:{port} before the command is started, and would be measured in its "
                "place; end it, or write {port} in --command and --url for a free port"
            )
        with ServerProcess(arguments) as server:
            asyncio.run(self.all_phases(server))

    async def all_phases(self, server: Any) -> None:
        self.say("waiting for the first answer")
        if not await self.start(server):
            return
        await self.one_by_one()
        bodies = [(index, self.plan.requests[index]) for index in self.alone]
        if bodies:
            await self.load(bodies, server)
            self.judge_levels()
            if server is None or server.status is None:
                await self.refusals(bodies)
        if server is None:
            return
        if server.status is not None:
            self.died(server)
        else:
            await self.shutdown(server, bodies)

    def died(self, server: Any) -> None:
        tail = server.last_lines()
        self.found(
            "errors-under-load", "server process", f"the command ended with status {server.status} during the check",
            {"status": server.status, "last_lines": tail}, "read its last lines; look for memory and for the signal",
        )  # fmt: skip

    # -- start

    async def start(self, server: Any) -> bool:
        """Waits until the server answers; False, with a finding, where it does not."""
        began = server.began if server else time.monotonic()
        last = "nothing accepts connections"
        async with self.client.session(reuse=False) as session:
            while True:
                if server and server.status is not None:
                    self.not_started(server, f"the command ended with status {server.status}")
                    return False
                left = self.plan.start_timeout - (time.monotonic() - began)
                if left <= 0:
                    break
                status, last = await self.first_answer(session, left, last)
                # 503 is how servers say that the model is being loaded
                if status is not None and status != 503 and (self.plan.ready is None or status < 300):
                    self.measured["start_s"] = time.monotonic() - began if server else None
                    return True
                await asyncio.sleep(0.05)
        if server is None:
            raise UnusableInput(f"{self.plan.url}: no answer within {self.plan.start_timeout:g} s ({last})")
        self.not_started(server, f"no answer within {self.plan.start_timeout:g} s ({last})")
        return False

    async def first_answer(self, session: Any, left: float, last: str) -> tuple[int | None, str]:
        limit = aiohttp.ClientTimeout(total=min(self.plan.timeout, left))
        try:
            if self.plan.ready:
                async with session.get(self.plan.ready, timeout=limit) as response:
                    return response.status, f"status {response.status} of {self.plan.ready}"
            headers = {"Content-Type": "application/json"}
            began = time.perf_counter()
            body = self.plan.requests[0]
            async with session.post(self.plan.url, data=body, headers=headers, timeout=limit) as response:
                await response.read()
                self.measured["first_ms"] = (time.perf_counter() - began) * 1000
                return response.status, f"status {response.status}"
        except TimeoutError:
            return None, "connections are accepted, but not answered"
        except (aiohttp.ClientError, OSError):
            return None, last

    def not_started(self, server: Any, why: str) -> None:
        lines = server.last_lines()
        self.found(
            "did-not-start", shlex.join(server.arguments), why, {"status": server.status, "last_lines": lines},
            "run the command by hand; check that it listens where --url says",
        )  # fmt: skip

    # -- alone

    async def one_by_one(self) -> None:
        """Each request by itself, twice: what is right must not depend on what else is under way."""
        self.say("each request alone")
        again, seconds = [], []
        async with self.client.session() as session:
            for index, body in enumerate(self.plan.requests):
                call = await self.client.send(session, index, body)
                self.measured.setdefault("first_ms", _ms(call.seconds))
                if not call.ok:
                    self.failed_alone(call)
                    continue
                self.alone[index] = call.answer
                if self.plan.expected:
                    self.judge_expected(call)
                call = await self.client.send(session, index, body)
                seconds.append(call.seconds)
                again.append(call.ok and difference(self.alone[index], call.answer) <= self.plan.tolerance)
        self.measured["alone_ms"] = _ms(statistics.median(seconds)) if seconds else None
        if seconds:
            start = self.measured["start_s"]
            self.notes.append(
                f"{'' if start is None else f'ready after {start:.2g} s; '}the first answer took "
                f"{self.measured['first_ms']:.3g} ms, later ones {self.measured['alone_ms']:.3g} ms (median, alone)"
            )
        self.compared = self.plan.compare and all(again)
        if self.plan.compare and not all(again):
            self.notes.append(
                f"{again.count(False)} of {len(again)} requests have another answer when repeated: answers under load "
                "are not compared; take away what is random (seed, temperature 0), or is it dropout in training mode?"
            )
        answers = list(self.alone.values())
        if self.compared and all(difference(answers[0], other) <= self.plan.tolerance for other in answers[1:]):
            self.notes.append(
                "all requests have the same answer: mixed-up answers cannot be seen; give different requests"
            )

    def failed_alone(self, call: Any) -> None:
        said = call.error or f"status {call.status}"
        self.found(
            "request-failed", f"request {call.index + 1}", f"sent alone it gets {said}: {_short(call.answer)}",
            {"status": call.status, "error": call.error},
            "below 500: make the request fit the server; 500 and above, or a timeout: read the server's log",
        )  # fmt: skip

    def judge_expected(self, call: Any) -> None:
        apart = difference(self.plan.expected[call.index], call.answer)
        if apart > self.plan.tolerance:
            self.found(
                "wrong-answer", f"request {call.index + 1}",
                f"the answer is {_short(call.answer)} in place of {_short(self.plan.expected[call.index])}",
                {"relative_difference": apart, "tolerance": self.plan.tolerance},
                "compare what reaches the model on both sides: preprocessing, dtype, axes, evaluation mode, version",
            )  # fmt: skip

    # -- load

    async def load(self, bodies: list[tuple[int, bytes]], server: Any) -> None:
        """All levels. The closed loops take turns, so that what else the machine does meets all of them."""
        plan = self.plan
        load = {clients: _Level() for clients in plan.concurrency}
        others = server.others() if server else None
        for part in range(PARTS):
            for clients, level in load.items():
                self.say(f"load: {clients} clients, part {part + 1} of {PARTS}")
                async with self.client.session() as session:
                    # not measured: opens the connections and fills caches
                    await self.client.closed_loop(session, bodies, clients, until(None, clients))
                    more = until(plan.seconds / PARTS, None)
                    if plan.requests_per_level is not None:
                        share = [plan.requests_per_level * edge // PARTS for edge in (part, part + 1)]
                        more = until(None, share[1] - share[0])
                    await level.measure(self.client.closed_loop(session, bodies, clients, more))
                if server is not None and server.status is not None:
                    break
        for clients, level in load.items():
            self.level(f"concurrency {clients}", {"clients": clients}, level)
        for number, rate in enumerate(plan.rates):
            if server is not None and server.status is not None:
                break
            self.say(f"load: {rate:g} requests in a second")
            seconds = plan.seconds if plan.requests_per_level is None else plan.requests_per_level / rate
            moments = poisson_moments(rate, seconds, plan.seed + number)
            level = _Level()
            await level.measure(self.client.open_loop(bodies, moments))
            self.level(f"rate {rate:g}/s", {"rate": rate, "offered": len(moments) / seconds}, level)
        if server and server.status is None and (share := others()) > OTHERS:
            self.notes.append(
                f"other programs kept the processors {share:.0%} busy during the load: the numbers are worse than the "
                "server; measure again on a quiet machine"
            )

    def level(self, label: str, load: dict[str, Any], level: _Level) -> None:
        """Adds a row of the table, with the findings on errors and answers."""
        calls = level.calls
        if not calls:
            return
        good = [call for call in calls if call.ok]
        seconds = [call.seconds for call in good]
        kinds = Counter(call.error or f"status {call.status}" for call in calls if not call.ok)
        wrong = []
        if self.compared:
            wrong = [c for c in good if difference(self.alone[c.index], c.answer) > self.plan.tolerance]
        self.measured["levels"].append({
            "level": label, **load, "requests": len(calls), "errors": len(calls) - len(good), "wrong": len(wrong),
            "kinds": dict(kinds), "seconds": level.wall, "throughput": len(good) / level.wall, "parts": level.parts,
            "mean_ms": _ms(sum(seconds) / len(seconds)) if seconds else None,
            "p50_ms": _ms(quantile(seconds, 0.5)), "p95_ms": _ms(quantile(seconds, 0.95)),
            "p99_ms": _ms(quantile(seconds, 0.99)), "longest_ms": _ms(max(seconds, default=None)),
            "client_cpu": level.cpu / level.wall,
        })  # fmt: skip
        if kinds:
            first = next(call for call in calls if not call.ok)
            counts = ", ".join(f"{count} x {kind}" for kind, count in kinds.most_common())
            self.found(
                "errors-under-load", label,
                f"{len(calls) - len(good)} of {len(calls)} requests failed ({counts}), all of which were answered "
                f"alone; the first: request {first.index + 1}: {_short(first.answer)}",
                {"failed": len(calls) - len(good), "requests": len(calls), "kinds": dict(kinds)},
                "read the server's log; look for a limit of queue or threads, memory, an input that fails its batch",
            )  # fmt: skip
        if wrong:
            self.found_wrong(label, wrong, len(good))

    def found_wrong(self, label: str, wrong: list[Any], total: int) -> None:
        belongs = sum(
            any(index != call.index and difference(answer, call.answer) <= self.plan.tolerance
                for index, answer in self.alone.items())
            for call in wrong
        )  # fmt: skip
        message = f"{len(wrong)} of {total} answers differ from those that the same requests had alone"
        if belongs:
            message += f"; {belongs} of them are the answer to another request"
        self.found(
            "wrong-answer", label, message, {"wrong": len(wrong), "answers": total, "answers_of_others": belongs},
            "look at how batches are put together and taken apart, at padding, shared buffers, and training mode",
        )  # fmt: skip

    def judge_levels(self) -> None:
        plan, levels = self.plan, self.measured["levels"]
        for entry in levels:
            if plan.max_p95_ms is not None and entry["p95_ms"] is None:
                self.measured["undecided"] = True
                self.notes.append(
                    f"{entry['level']}: too few answers for a 95th percentile; raise --seconds or --requests"
                )
            elif plan.max_p95_ms is not None and entry["p95_ms"] > plan.max_p95_ms:
                self.found(
                    "latency-over-budget", entry["level"],
                    f"the 95th percentile is {entry['p95_ms']:.3g} ms, allowed are {plan.max_p95_ms:g} ms",
                    {"p95_ms": entry["p95_ms"], "budget_ms": plan.max_p95_ms, "p50_ms": entry["p50_ms"]},
                    "compare with the latency alone: if that is small, requests wait; batch them, or add workers",
                )  # fmt: skip
            if entry["client_cpu"] > 0.8:
                self.notes.append(
                    f"{entry['level']}: the client used {entry['client_cpu']:.0%} of one processor: the numbers may "
                    "be its own limit and not the server's"
                )
            if "rate" in entry and entry["throughput"] < KEPT_UP * entry["offered"]:
                self.notes.append(
                    f"{entry['level']}: the server does not keep up ({entry['throughput']:.4g}/s answered)"
                )
        self.judge_fall(sorted((e for e in levels if "clients" in e), key=lambda entry: entry["clients"]))

    def judge_fall(self, levels: list[dict[str, Any]]) -> None:
        levels = [entry for entry in levels if entry["seconds"] >= SHORTEST]
        for position, entry in enumerate(levels[1:], 1):
            best = max(levels[:position], key=lambda other: other["throughput"])
            if entry["throughput"] < FALL * best["throughput"] and max(entry["parts"]) < min(best["parts"]):
                self.found(
                    "throughput-falls-with-load", entry["level"],
                    f"{entry['throughput']:.4g} answers in a second, at {best['level']} there were "
                    f"{best['throughput']:.4g}",
                    {"throughput": entry["throughput"], "best": best["throughput"], "best_at": best["level"]},
                    "look for more threads than processors, swapping, locks; limit the queue and refuse with 503 early",
                )  # fmt: skip
                return

    # -- refusals

    async def refusals(self, bodies: list[tuple[int, bytes]]) -> None:
        """Malformed requests alone, then between good ones."""
        self.say("malformed requests")
        answers, bad, taken = [], [], {}
        async with self.client.session(reuse=False) as session:
            for kind, body, always in malformed(bodies[0][1]):
                call = await self.client.send(session, -1, body)
                answers.append({"kind": kind, "status": call.status, "error": call.error})
                if call.status is not None and 400 <= call.status < 500:
                    bad.append((-1, body))
                elif always or not call.ok:
                    taken.setdefault(call.error or f"status {call.status}", []).append(kind)
        self.measured["malformed"] = answers
        for said, kinds in taken.items():
            self.found(
                "bad-request-not-refused", "malformed requests",
                f"{said} instead of a refusal with 4xx: {', '.join(kinds)}",
                {"answer": said, "kinds": kinds}, "check the request before it is queued, and answer 400 or 422",
            )  # fmt: skip
        # what fails without malformed requests is found already, and so is what is not refused when it is alone
        if not bad or any(entry["errors"] or entry["wrong"] for entry in self.measured["levels"]):
            return
        mixed = [pair for number, good in enumerate(bodies) for pair in (good, bad[number % len(bad)])]
        clients = max([4, *self.plan.concurrency])
        async with self.client.session() as session:
            calls = await self.client.closed_loop(session, mixed, clients, until(None, max(100, 4 * clients)))
        self.judge_mixed([call for call in calls if call.index >= 0])

    def judge_mixed(self, good: list[Any]) -> None:
        failed = [call for call in good if not call.ok]
        wrong = [
            call for call in good
            if call.ok and self.compared and difference(self.alone[call.index], call.answer) > self.plan.tolerance
        ]  # fmt: skip
        self.measured["between_malformed"] = {"requests": len(good), "errors": len(failed), "wrong": len(wrong)}
        if failed or wrong:
            said = _short(failed[0].answer) if failed else _short(wrong[0].answer)
            self.found(
                "bad-request-harms-others", "good requests between malformed ones",
                f"{len(failed)} of {len(good)} good requests failed and {len(wrong)} were answered wrongly: {said}",
                {"failed": len(failed), "wrong": len(wrong), "requests": len(good)},
                "one bad request takes its batch along: check each request before it is put into a batch",
            )  # fmt: skip

    # -- stop

    async def shutdown(self, server: Any, bodies: list[tuple[int, bytes]]) -> None:
        self.say("stopping")
        alone_ms = self.measured["alone_ms"] or 0.0
        tasks = []
        async with self.client.session(reuse=False) as session:
            for index, body in bodies[:4] * (4 // max(1, len(bodies[:4]))):
                tasks.append(asyncio.create_task(self.client.send(session, index, body)))
            # long enough to be accepted, and half the time that an answer takes, so that slow answers are under way
            await asyncio.sleep(max(0.05, alone_ms / 2000))
            under_way = [task for task in tasks if not task.done()]
            result = await asyncio.to_thread(server.stop, self.plan.stop_timeout)
            calls = await asyncio.gather(*under_way)
        dropped = [call for call in calls if not call.ok]
        self.measured["shutdown"] = {**result, "under_way": len(calls), "dropped": len(dropped)}
        problems = []
        if result["status"] is None:
            problems.append(f"it did not end within {self.plan.stop_timeout:g} s after SIGTERM, and was killed")
        if dropped:
            said = dropped[0].error or f"status {dropped[0].status}"
            problems.append(f"{len(dropped)} of {len(calls)} requests that were under way were not answered ({said})")
        if result["left"] and result["status"] is not None:
            problems.append(
                f"{len(result['left'])} of its processes ran on and were killed, the first: {result['left'][0]}"
            )
        if problems:
            self.found(
                "shutdown-not-graceful", "after SIGTERM", "; ".join(problems), self.measured["shutdown"],
                "on SIGTERM: stop accepting, answer what is under way, end every worker",
            )  # fmt: skip


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else seconds * 1000


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = " ".join(text.split())
    return text if len(text) <= 120 else f"{text[:117]}..."


def address(url: str) -> tuple[str, int]:
    """Host and port of an http or https address.

    Raises:
        UnusableInput: it is none.
    """
    parts = urlsplit(url)
    try:
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        raise UnusableInput(f"--url {url}: the port is no number from 1 to 65535") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UnusableInput(f"--url {url}: write it as http://127.0.0.1:8000/predict")
    return parts.hostname, port
