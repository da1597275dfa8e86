# /// script
# requires-python = ">=3.11"
# dependencies = ["aiohttp", "psutil", "typer", "rich", "matplotlib"]
# ///
"""Starts a model server, puts load on it, and says whether its answers, its speed and its refusals can be relied on.

    serve_check.py --command "python server.py --port {port}" --url http://127.0.0.1:{port}/predict \\
        --request requests.jsonl --expect answers.jsonl --concurrency 1,4,16 --max-p95-ms 50
    serve_check.py ... --variant "off=--max-batch 1" --variant "on=--max-batch 16" --plot load.png
    serve_check.py --url http://127.0.0.1:8000/v2/models/m/infer --request request.json

Any HTTP server that takes JSON by POST will do: LitServe, Triton, TensorFlow Serving, vLLM, your own. {port} becomes a
free port. The command runs without a shell and is always ended, with all that it started; without --command, a server
that runs already is checked. --variant adds arguments to the command; each variant is checked in full. Only this
machine is put under load, unless --remote is given.

The request file holds one request (.json), or one on each line (.jsonl). Give several with different answers: with one
alone, answers that a batch has mixed up cannot be seen. --expect holds what the local model answers, in the same form.
Under load every answer must also equal the one that the same request had alone (--no-compare for answers that are drawn
at random).

Phases: (1) start, seconds until the first answer; (2) each request alone; (3) load; (4) malformed requests, alone and
between good ones: 4xx, never 5xx or silence; (5) SIGTERM while requests are under way: they must be answered, and no
process may be left.

In a closed loop (--concurrency) a client waits for its answer before it sends again: a server that stalls is sent less,
and the stall hits few requests (coordinated omission). At a given rate (--rate, Poisson arrivals) nobody waits, and
latency counts from the planned moment: these are the numbers to compare with a promise to users.

Verdict: healthy, faults, or cannot-decide (too few requests for the quantile that has a budget). Findings:
did-not-start, request-failed, wrong-answer, errors-under-load, latency-over-budget, throughput-falls-with-load,
bad-request-not-refused, bad-request-harms-others, shutdown-not-graceful. references/serving.md defines them.
"""

from __future__ import annotations

import ipaddress
import json
import shlex
import signal
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

sys.path[:0] = [str(Path(__file__).resolve().parents[3] / "tools"), str(Path(__file__).resolve().parent)]

import typer
from dltools.pictures import check_picture
from dltools.report import UnusableInput, answering, finish, help_text

TOOL = "serve-check"

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


def _on_this_machine(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _read(path: Path, option: str) -> list[Any]:
    """The JSON values of a file: one, or one on each line of .jsonl."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UnusableInput(f"{option}: cannot read {path}: {getattr(error, 'strerror', 'it is not UTF-8')}") from None
    lines = [text]
    if path.suffix == ".jsonl":
        lines = [line for line in text.splitlines() if line.strip()]
    values = []
    for number, line in enumerate(lines, 1):
        try:
            values.append(json.loads(line))
        except ValueError as error:
            raise UnusableInput(f"{option}: {path}, line {number} is not JSON: {error}") from None
    if not values:
        raise UnusableInput(f"{option}: {path} is empty")
    return values


def _numbers(text: str | None, option: str, kind: type) -> list[Any]:
    try:
        values = [kind(part) for part in (text or "").split(",") if part.strip()]
    except ValueError:
        values = [0]
    if any(not 0 < value < 100_000 for value in values):
        raise UnusableInput(f"{option} {text!r}: write numbers from 1 on, separated by commas, such as 1,4,16")
    return values


def _variants(command: str | None, further: Sequence[str]) -> dict[str, list[str]]:
    if command is None:
        if further:
            raise UnusableInput("--variant adds arguments to --command, which is missing")
        return {"": []}
    try:
        arguments = shlex.split(command)
        pairs = [part.partition("=") for part in further]
        named = {name: [*arguments, *shlex.split(more)] for name, _, more in pairs}
    except ValueError as error:
        raise UnusableInput(f"the command cannot be split into arguments: {error}") from None
    if not arguments:
        raise UnusableInput("--command is empty")
    if any(not equals or not name for name, equals, _ in pairs) or len(named) < len(pairs):
        raise UnusableInput('--variant: write a name of its own and arguments for each, such as "on=--max-batch 16"')
    return named or {"": arguments}


@app.command(help=help_text(__doc__))
def main(
    url: Annotated[str, typer.Option(help="address of the prediction; {port} becomes a free port")],
    request: Annotated[Path, typer.Option(help="one request (.json), or one on each line (.jsonl)")],
    command: Annotated[str | None, typer.Option(help="starts the server; without it one runs already")] = None,
    variant: Annotated[list[str] | None, typer.Option(help="NAME=ARGUMENTS added to the command; repeatable")] = None,
    expect: Annotated[Path | None, typer.Option(help="the answers of the local model, as --request")] = None,
    concurrency: Annotated[str, typer.Option(help="clients of closed loops")] = "1,4,16",
    rate: Annotated[str | None, typer.Option(help="requests in a second of open loops, such as 50,100")] = None,
    seconds: Annotated[float, typer.Option(help="of each level")] = 5.0,
    requests: Annotated[int | None, typer.Option(help="of each level, instead of --seconds")] = None,
    max_p95_ms: Annotated[float | None, typer.Option(help="budget at every level")] = None,
    tolerance: Annotated[float, typer.Option(help="of numbers, relative to the largest of their list")] = 1e-3,
    compare: Annotated[bool, typer.Option(help="answers under load with those alone")] = True,
    ready: Annotated[str | None, typer.Option(help="health address that answers 200 when ready")] = None,
    timeout: Annotated[float, typer.Option(help="seconds for one request")] = 10.0,
    start_timeout: Annotated[float, typer.Option(help="seconds until the first answer")] = 60.0,
    stop_timeout: Annotated[float, typer.Option(help="seconds after SIGTERM")] = 15.0,
    remote: Annotated[bool, typer.Option("--remote", help="the server may be on another machine")] = False,
    plot_to: Annotated[Path | None, typer.Option("--plot", help="picture (.png, .svg, .pdf)")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object")] = False,
    seed: Annotated[int, typer.Option(help="of the arrivals at a given rate")] = 0,
    debug: Annotated[bool, typer.Option("--debug", help="show the traceback of an unexpected error")] = False,
) -> None:
    with answering(TOOL, as_json, debug):
        from serve_phases import Plan, address, check
        from serve_show import plot, table

        # whatever ends this process, apart from SIGKILL, must end the server
        # (a shell starts background jobs with SIGINT ignored)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for ending in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(ending, lambda *_: signal.raise_signal(signal.SIGINT))
        limits = {"--seconds": seconds, "--requests": requests, "--max-p95-ms": max_p95_ms, "--tolerance": tolerance}
        limits |= {"--timeout": timeout, "--start-timeout": start_timeout, "--stop-timeout": stop_timeout}
        for option, value in limits.items():
            if value is not None and not 0 < value < float("inf"):
                raise UnusableInput(f"{option} is {value:g}; give a number above 0")
        check_picture(plot_to)
        variants = _variants(command, variant or [])
        if "{port}" in url:
            if command is None:
                raise UnusableInput("{port} in --url needs a --command that is given the same port")
            port = str(_free_port())
            url, ready = url.replace("{port}", port), ready and ready.replace("{port}", port)
            variants = {name: [part.replace("{port}", port) for part in words] for name, words in variants.items()}
        for one in filter(None, (url, ready)):
            if not remote and not _on_this_machine(address(one)[0]):
                raise UnusableInput(f"{one} is not this machine; --remote, if load may be put on it")
        bodies = [json.dumps(value).encode() for value in _read(request, "--request")]
        expected = _read(expect, "--expect") if expect else []
        if expected and len(expected) != len(bodies):
            raise UnusableInput(f"--request holds {len(bodies)} and --expect {len(expected)}; one for each is needed")
        plan = Plan(
            url, bodies, expected, _numbers(concurrency, "--concurrency", int), _numbers(rate, "--rate", float),
            seconds, requests, timeout, start_timeout, stop_timeout, tolerance, compare, max_p95_ms, ready, seed,
        )  # fmt: skip
        if not plan.concurrency and not plan.rates:
            raise UnusableInput("--concurrency and --rate are both empty: name a load")
        report = check(plan, variants, _say if sys.stderr.isatty() else lambda text: None)
        if plot_to is not None:
            plot(report, plot_to)
        if not as_json:
            table(report)
        finish(report, as_json)


def _say(text: str) -> None:
    print(f"... {text}", file=sys.stderr)


if __name__ == "__main__":
    app()
