"""Requests to a server: alone, in a closed loop, and at a given rate; and whether two answers agree."""

from __future__ import annotations

import asyncio
import dataclasses
import itertools
import json
import math
import random
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import aiohttp


@dataclasses.dataclass(frozen=True)
class Call:
    """One request and what became of it.

    Args:
        index: which of the given requests it was.
        began, seconds: when it began and how long it took, in seconds; at a given rate both from the planned moment.
        status: the HTTP status, None where there was no answer.
        answer: the JSON of the answer, or its text.
        error: why there was no answer: timeout, or the kind of broken connection.
    """

    index: int
    began: float
    seconds: float
    status: int | None
    answer: Any
    error: str = ""

    @property
    def ok(self) -> bool:
        """Answered with a status of success."""
        return self.status is not None and 200 <= self.status < 300


@dataclasses.dataclass(frozen=True)
class Client:
    """Sends bodies by POST to one address.

    Args:
        url: the address.
        timeout: seconds that one request may take.
    """

    url: str
    timeout: float

    def session(self, *, reuse: bool = True) -> aiohttp.ClientSession:
        """A session without a limit of connections: a limit would queue requests within the client, unseen."""
        connector = aiohttp.TCPConnector(limit=0, force_close=not reuse)
        return aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=self.timeout))

    async def send(self, session: aiohttp.ClientSession, index: int, body: bytes, began: float | None = None) -> Call:
        """Sends one body; never raises for what the server does. `began` is the planned moment, by default now."""
        start = time.perf_counter() if began is None else began
        status, answer, error = None, None, ""
        try:
            async with session.post(self.url, data=body, headers={"Content-Type": "application/json"}) as response:
                content = await response.read()
                status, answer = response.status, _parsed(content)
        except TimeoutError:
            error = "timeout"
        except (aiohttp.ClientError, OSError) as problem:
            error = type(problem).__name__
        return Call(index, start, time.perf_counter() - start, status, answer, error)

    async def closed_loop(
        self,
        session: aiohttp.ClientSession,
        bodies: Sequence[tuple[int, bytes]],
        concurrency: int,
        more: Callable[[], bool],
    ) -> list[Call]:
        """`concurrency` clients, each of which sends its next request when the last one is answered."""
        calls: list[Call] = []

        async def client(first: int) -> None:
            # each starts elsewhere, so that different requests meet in the server
            for index, body in itertools.islice(itertools.cycle(bodies), first % len(bodies), None):
                if not more():
                    return
                calls.append(await self.send(session, index, body))

        await asyncio.gather(*(client(number) for number in range(concurrency)))
        return calls

    async def open_loop(self, bodies: Sequence[tuple[int, bytes]], moments: Sequence[float]) -> list[Call]:
        """Sends a request at each moment (seconds from now), whether or not the ones before are answered."""
        async with self.session() as session:
            start, tasks = time.perf_counter(), []
            for moment, (index, body) in zip(moments, itertools.cycle(bodies)):
                await asyncio.sleep(max(0.0, start + moment - time.perf_counter()))
                tasks.append(asyncio.create_task(self.send(session, index, body, began=start + moment)))
            return list(await asyncio.gather(*tasks))


def until(seconds: float | None, requests: int | None) -> Callable[[], bool]:
    """A condition that holds for so many calls, or until so many seconds have passed since now."""
    if requests is not None:
        left = iter(range(requests))
        return lambda: next(left, None) is not None
    end = time.perf_counter() + (seconds or 0.0)
    return lambda: time.perf_counter() < end


def poisson_moments(rate: float, seconds: float, seed: int) -> list[float]:
    """Moments of independent arrivals, `rate` in a second on average, within `seconds`."""
    draw, moment, moments = random.Random(seed), 0.0, []
    while (moment := moment + draw.expovariate(rate)) < seconds:
        moments.append(moment)
    return moments


def quantile(values: Sequence[float], share: float) -> float | None:
    """The smallest value that at least `share` of all do not exceed (nearest rank).

    None for fewer than 1 / (1 - share) values (20 for p95, 100 for p99): it would be no more than the maximum.
    """
    if len(values) * (1 - share) < 1 - 1e-9:
        return None
    return sorted(values)[math.ceil(share * len(values) - 1e-9) - 1]


def difference(expected: Any, got: Any) -> float:
    """How far an answer is from the expected one: the largest ratio of |difference| to the magnitude of the array.

    Numbers are compared with the largest magnitude within their innermost list, since small entries of a vector carry
    its rounding error. Infinite where the structure, a text or a truth value differs.
    """
    if isinstance(expected, dict) and isinstance(got, dict) and expected.keys() == got.keys():
        return max((difference(expected[key], got[key]) for key in expected), default=0.0)
    if isinstance(expected, list) and isinstance(got, list) and len(expected) == len(got):
        if all(_is_number(value) for value in (*expected, *got)):
            scale = max((abs(value) for value in expected if math.isfinite(value)), default=0.0)
            return max((_distance(a, b, scale) for a, b in zip(expected, got, strict=True)), default=0.0)
        return max((difference(a, b) for a, b in zip(expected, got, strict=True)), default=0.0)
    if _is_number(expected) and _is_number(got):
        return _distance(expected, got, abs(expected))
    return 0.0 if type(expected) is type(got) and expected == got else math.inf


def malformed(body: bytes) -> Iterator[tuple[str, bytes, bool]]:
    """Faulty variants of a request: (what is wrong, body, whether every server must refuse it)."""
    yield "empty body", b"", True
    yield "JSON cut in the middle", body[: len(body) // 2], True
    yield "null", b"null", True
    yield "an object without any key", b"{}", True
    request = json.loads(body)
    path = _numbers(request)
    if path is not None:
        values = _at(request, path)
        yield "text instead of numbers", _with(request, path, "abc"), True
        yield "null among the numbers", _with(request, path, [None, *values[1:]]), True
        # Python's parser takes NaN, although JSON has no such number
        yield "NaN among the numbers", _with(request, path, [math.nan, *values[1:]]), False
        # where any length is allowed, this is an ordinary request
        yield "one number missing", _with(request, path, values[1:]), False


def _parsed(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return content.decode(errors="replace")


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _distance(expected: float, got: float, scale: float) -> float:
    if abs(expected - got) <= 1e-9 or (math.isnan(expected) and math.isnan(got)) or expected == got:
        return 0.0
    if not (math.isfinite(expected) and math.isfinite(got)):
        return math.inf
    return abs(expected - got) / scale if scale > 0 else math.inf


def _numbers(value: Any, path: tuple[Any, ...] = ()) -> tuple[Any, ...] | None:
    """The way to the longest innermost list of numbers, if there is one with at least two."""
    best = None
    if isinstance(value, list) and len(value) > 1 and all(_is_number(item) for item in value):
        return path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        found = _numbers(item, (*path, key))
        if found is not None and (
            best is None or len(_at(value, found[len(path) :])) > len(_at(value, best[len(path) :]))
        ):
            best = found
    return best


def _at(value: Any, path: Sequence[Any]) -> Any:
    for key in path:
        value = value[key]
    return value


def _with(request: Any, path: tuple[Any, ...], replacement: Any) -> bytes:
    if not path:
        return json.dumps(replacement).encode()
    changed = json.loads(json.dumps(request))
    _at(changed, path[:-1])[path[-1]] = replacement
    return json.dumps(changed).encode()
