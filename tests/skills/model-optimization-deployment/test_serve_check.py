"""Load on real servers on loopback, each with one planted fault; LitServe with the template."""

import json
import math
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).resolve().parents[3]
SKILL = ROOT / "skills/model-optimization-deployment"
sys.path.insert(0, str(SKILL / "scripts"))

import serve_check as tool
import serve_load as load
import serve_phases as phases
from dltools.report import UnusableInput

PLANTED = Path(__file__).parent / "planted_server.py"
COMMAND = [sys.executable, str(SKILL / "scripts/serve_check.py")]
INPUTS = [[float(first), 0.5, -1.0] for first in range(1, 9)]


def free_port():
    return tool._free_port()


def checked(fault, requests=INPUTS, **changes):
    port = free_port()
    settings = {"concurrency": (1, 8), "requests_per_level": 40, "timeout": 5.0, **changes}
    bodies = [json.dumps({"inputs": one}).encode() for one in requests]
    plan = phases.Plan(f"http://127.0.0.1:{port}/predict", bodies, **settings)
    report = phases.check(plan, {"": [sys.executable, str(PLANTED), str(port), fault]})
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0, "the server still runs"
    return report


def ids(report):
    return {finding.id for finding in report.findings}


EXPECTED = [{"outputs": [10 * x for x in one]} for one in INPUTS]


def test_a_sound_server_is_healthy_at_all_loads():
    report = checked("", expected=EXPECTED, rates=(100.0,), max_p95_ms=5000.0)
    assert report.verdict == "healthy" and report.exit_status == 0
    run = report.measured["variants"]["server"]
    assert [entry["level"] for entry in run["levels"]] == ["concurrency 1", "concurrency 8", "rate 100/s"]
    for entry in run["levels"]:
        assert entry["errors"] == entry["wrong"] == 0
        assert entry["p50_ms"] <= entry["p95_ms"] <= entry["longest_ms"]
        assert entry["p99_ms"] is None  # 40 answers have no 99th percentile
        assert entry["throughput"] == pytest.approx(entry["requests"] / entry["seconds"])
    assert run["levels"][0]["requests"] == run["levels"][1]["requests"] == 40
    assert {answer["status"] for answer in run["malformed"]} == {400}
    assert run["shutdown"]["status"] == 0 and run["shutdown"]["left"] == []
    assert run["start_s"] > 0


@pytest.mark.parametrize(
    ("fault", "changes", "found", "said"),
    [
        ("slow", {"max_p95_ms": 10.0}, {"latency-over-budget"}, "allowed are 10 ms"),
        ("some-500", {}, {"request-failed"}, "division by zero"),
        ("some-hang", {"timeout": 0.4}, {"request-failed"}, "timeout"),
        ("busy-500", {}, {"errors-under-load"}, "queue full"),
        ("swaps", {}, {"wrong-answer"}, "are the answer to another request"),
        ("falls", {}, {"throughput-falls-with-load"}, ", at concurrency 1 there were"),
        ("bad-500", {}, {"bad-request-not-refused"}, "status 500 instead of a refusal"),
        ("bad-hangs", {"timeout": 0.4}, {"bad-request-not-refused"}, "timeout instead of a refusal"),
        ("takes-anything", {"compare": False}, {"bad-request-not-refused"}, "status 200 instead of a refusal"),
        ("harms", {}, {"bad-request-harms-others"}, "bad batch"),
        (
            "drops",
            {"requests_per_level": 8, "requests": INPUTS[:2]},
            {"shutdown-not-graceful"},
            "that were under way were not answered",
        ),
        ("ignores", {"requests_per_level": 8, "stop_timeout": 0.5}, {"shutdown-not-graceful"}, "and was killed"),
        ("orphans", {}, {"shutdown-not-graceful"}, "1 of its processes ran on"),
        ("fails", {}, {"did-not-start"}, "ended with status 1"),
        ("deaf", {"start_timeout": 0.5}, {"did-not-start"}, "nothing accepts connections"),
    ],
)
def test_a_planted_fault_is_found_and_nothing_else(fault, changes, found, said):
    report = checked(fault, **changes)
    assert ids(report) == found
    assert said in " ".join(finding.message for finding in report.findings)
    assert report.verdict == "faults" and report.exit_status == 1
    assert all(finding.next_step for finding in report.findings)


def test_what_a_server_says_when_it_fails_is_shown():
    (finding,) = checked("fails").findings
    assert "cannot load model.onnx" in finding.values["last_lines"]


def test_a_server_that_dies_under_load_is_named_with_its_last_words():
    report = checked("dies")
    last = report.findings[-1]
    assert ids(report) == {"errors-under-load"} and last.where == "server process"
    assert last.values["status"] == 9 and "out of memory" in last.values["last_lines"]


def test_answers_are_compared_with_those_of_the_local_model():
    wrong = [*EXPECTED[:3], {"outputs": [40.0, 5.0, -10.5]}, *EXPECTED[4:]]
    (finding,) = checked("", expected=wrong).findings
    assert finding.id == "wrong-answer" and finding.where == "request 4"
    assert finding.values["relative_difference"] == pytest.approx(0.5 / 40)


def test_random_answers_are_not_compared_and_that_is_said():
    report = checked("random")
    assert "wrong-answer" not in ids(report)
    assert "have another answer when repeated" in " ".join(report.notes)


def test_equal_requests_cannot_show_mixed_up_answers_and_that_is_said():
    report = checked("swaps", requests=INPUTS[:1])
    assert "wrong-answer" not in ids(report)
    assert "mixed-up answers cannot be seen" in " ".join(report.notes)


def test_too_few_requests_for_the_budget_cannot_decide():
    report = checked("", concurrency=(1,), requests_per_level=10, max_p95_ms=5000.0)
    assert report.verdict == "cannot-decide" and report.exit_status == 3


def test_readiness_waits_for_the_health_address():
    port = free_port()
    plan = phases.Plan(
        f"http://127.0.0.1:{port}/predict", [b'{"inputs": [1, 2, 3]}'], concurrency=(1,), requests_per_level=5,
        ready=f"http://127.0.0.1:{port}/health",
    )  # fmt: skip
    report = phases.check(plan, {"": [sys.executable, str(PLANTED), str(port), ""]})
    assert report.measured["variants"]["server"]["start_s"] >= 0.3  # it answers 503 for so long


def test_a_port_that_is_taken_is_refused_before_anything_is_measured():
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        plan = phases.Plan(f"http://127.0.0.1:{port}/predict", [b"{}"])
        with pytest.raises(UnusableInput, match="would be measured in its place"):
            phases.check(plan, {"": [sys.executable, str(PLANTED), str(port), ""]})


def test_a_server_that_runs_already_is_checked_and_left_running():
    port = free_port()
    server = subprocess.Popen([sys.executable, str(PLANTED), str(port), ""])
    try:
        bodies = [json.dumps({"inputs": one}).encode() for one in INPUTS]
        plan = phases.Plan(f"http://127.0.0.1:{port}/predict", bodies, requests_per_level=20)
        report = phases.check(plan, {"": []})
        assert report.verdict == "healthy" and "shutdown" not in report.measured["variants"]["server"]
        assert server.poll() is None
    finally:
        server.kill()
        server.wait()


def test_a_stall_hits_a_given_rate_harder_than_a_closed_loop():
    """Coordinated omission: a stall delays one request of a closed loop, but all that arrive meanwhile."""
    moments = load.poisson_moments(200.0, 2.0, seed=0)
    assert len(moments) == pytest.approx(400, abs=60) and max(moments) < 2
    assert load.poisson_moments(200.0, 2.0, seed=0) == moments
    # one request at a time, 1 ms each, and a stall from 0.5 s to 1.5 s
    ends, latencies = 0.0, []
    for moment in moments:
        start = max(ends, moment)
        ends = (1.5 if 0.5 <= start < 1.5 else start) + 0.001
        latencies.append(ends - moment)
    closed = [0.001] * 500 + [1.001] + [0.001] * 499
    assert load.quantile(closed, 0.99) == 0.001 and load.quantile(latencies, 0.5) > 0.1


def test_quantiles_are_nearest_ranks_and_need_enough_values():
    values = list(range(1, 101))
    assert [load.quantile(values, q) for q in (0.5, 0.95, 0.99)] == [50, 95, 99]
    assert load.quantile(values[:99], 0.99) is None and load.quantile(values[:19], 0.95) is None
    assert load.quantile(values[:20], 0.95) == 19


@pytest.mark.parametrize(
    ("expected", "got", "apart"),
    [
        ({"a": [1.0, 2.0]}, {"a": [1.0, 2.0]}, 0.0),
        ([100.0, 0.0], [100.0, 1e-3], 1e-5),
        ([1.0, 2.0], [1.0], math.inf),
        ({"a": 1}, {"b": 1}, math.inf),
        ("cat", "dog", math.inf),
        (True, 1, math.inf),
        ([math.nan], [math.nan], 0.0),
        ([1.0], [math.nan], math.inf),
        (4, 5, 0.25),
        ([[1.0], [3.0]], [[1.0], [3.3]], 0.1),
    ],
)
def test_difference_of_answers(expected, got, apart):
    assert load.difference(expected, got) == pytest.approx(apart)


def test_malformed_requests_change_the_longest_list_and_nothing_else():
    body = json.dumps({"id": "x", "shape": [1, 2], "data": [[1.0, 2.0, 3.0]]}).encode()
    variants = {kind: (content, always) for kind, content, always in load.malformed(body)}
    assert json.loads(variants["text instead of numbers"][0]) == {"id": "x", "shape": [1, 2], "data": ["abc"]}
    assert json.loads(variants["one number missing"][0])["data"] == [[2.0, 3.0]]
    assert not variants["one number missing"][1] and variants["empty body"] == (b"", True)
    assert len(list(load.malformed(b'{"prompt": "hello"}'))) == 4


def run(*arguments, folder):
    return subprocess.run([*COMMAND, *arguments], cwd=folder, capture_output=True, text=True, timeout=120)


def write(folder):
    (folder / "requests.jsonl").write_text("".join(json.dumps({"inputs": one}) + "\n" for one in INPUTS))
    return ["--request", "requests.jsonl", "--url", "http://127.0.0.1:{port}/predict"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--url", "http://10.0.0.1/predict"], "is not this machine"),
        (["--url", "ftp://127.0.0.1/"], "write it as http://"),
        (["--url", "http://127.0.0.1:99999/"], "port is no number"),
        (["--url", "http://127.0.0.1:{port}/predict"], "needs a --command"),
        (["--concurrency", "1,x"], "--concurrency '1,x'"),
        (["--concurrency", ""], "name a load"),
        (["--command", "no-such-server", "--url", "http://127.0.0.1:{port}/p"], "cannot start 'no-such-server'"),
        (["--command", "a 'b"], "cannot be split"),
        (["--command", "a", "--variant", "--workers 2"], "a name of its own"),
        (["--variant", "a=b"], "which is missing"),
        (["--seconds", "0"], "--seconds is 0"),
        (["--plot", "load.txt"], "must end with .png"),
        (["--expect", "requests.json"], "cannot read requests.json"),
        (["--request", "broken.jsonl"], "line 2 is not JSON"),
        (["--request", "empty.jsonl"], "is empty"),
        (["--start-timeout", "0.2", "--url", "http://127.0.0.1:9/"], "no answer within 0.2 s"),
    ],
)
def test_unusable_input_is_one_sentence(arguments, said, tmp_path, monkeypatch, capsys):
    write(tmp_path)
    (tmp_path / "broken.jsonl").write_text('{"inputs": []}\n{"inputs"')
    (tmp_path / "empty.jsonl").write_text("\n")
    monkeypatch.chdir(tmp_path)
    given = ["--request", "requests.jsonl", "--url", "http://127.0.0.1:9/", *arguments]
    handlers = {one: signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        with pytest.raises(SystemExit) as end:
            tool.app(given)
    finally:
        for one, handler in handlers.items():
            signal.signal(one, handler)
    assert end.value.code == 2
    error = capsys.readouterr().err
    assert said in error and "Traceback" not in error


@pytest.mark.parametrize("ignored", [False, True], ids=["foreground", "background"])
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_the_server_is_ended_when_the_tool_is_interrupted(how, ignored, tmp_path):
    """A shell starts a job in the background with SIGINT ignored."""
    command = f"{sys.executable} {PLANTED} {{port}} writes-pid"
    words = [*COMMAND, *write(tmp_path), "--command", command, "--seconds", "60"]
    before = signal.signal(signal.SIGINT, signal.SIG_IGN if ignored else signal.default_int_handler)
    process = subprocess.Popen(words, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    signal.signal(signal.SIGINT, before)
    path, deadline = tmp_path / "server.pid", time.monotonic() + 60
    while not (path.exists() and path.read_text()) and time.monotonic() < deadline:
        time.sleep(0.05)
    pid = int(path.read_text())
    time.sleep(0.5)
    process.send_signal(how)
    process.communicate(timeout=30)
    assert process.returncode == 130
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def identity_model(path):
    """An ONNX file: outputs = 2 inputs, of shape (batch, 3)."""
    import onnx
    from onnx import TensorProto, helper

    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", 3]) for name in ("x", "y")]
    two = helper.make_tensor("two", TensorProto.FLOAT, [], [2.0])
    graph = helper.make_graph([helper.make_node("Mul", ["x", "two"], ["y"])], "double", values[:1], values[1:], [two])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10), path)


def test_the_litserve_template_is_healthy_with_and_without_batching(tmp_path):
    identity_model(tmp_path / "model.onnx")
    (tmp_path / "answers.jsonl").write_text(
        "".join(json.dumps({"outputs": [2 * x for x in one]}) + "\n" for one in INPUTS)
    )
    command = f"{sys.executable} {SKILL / 'assets/server_litserve.py'} model.onnx --port {{port}}"
    done = run(
        *write(tmp_path), "--command", command, "--expect", "answers.jsonl",
        "--ready", "http://127.0.0.1:{port}/health",
        "--variant", "off=--max-batch 1", "--variant", "on=--max-batch 8", "--requests", "100", "--concurrency", "1,8",
        "--plot", "load.png", "--json", folder=tmp_path,
    )  # fmt: skip
    report = json.loads(done.stdout)
    assert (done.returncode, report["verdict"]) == (0, "healthy"), report["findings"] or done.stderr
    assert (tmp_path / "load.png").read_bytes().startswith(b"\x89PNG")
    for run_ in report["measured"]["variants"].values():
        assert [entry["errors"] for entry in run_["levels"]] == [0, 0]
        assert run_["levels"][0]["p99_ms"] >= run_["levels"][0]["p50_ms"]
        assert {answer["status"] for answer in run_["malformed"]} == {422}
        assert run_["shutdown"]["left"] == []


NAIVE = """\
import sys
import fastapi, litserve, numpy as np

class Api(litserve.LitAPI):
    def setup(self, device): pass
    def decode_request(self, request):
        x = np.asarray(request["inputs"], float)
        if x.shape != (3,) or not np.isfinite(x).all():
            raise fastapi.HTTPException(422, "wrong shape")
        return x
    def predict(self, x): return 2 * x
    def encode_response(self, y): return {"outputs": y.tolist()}

if __name__ == "__main__":
    server = litserve.LitServer(Api(max_batch_size=8, batch_timeout=0.02), accelerator="cpu")
    server.run(host="127.0.0.1", port=int(sys.argv[1]), generate_client_file=False)
"""


def test_litserve_fails_a_whole_batch_for_one_bad_request_unless_it_is_checked_before(tmp_path):
    """What the template guards against: the check in decode_request, SIGTERM as it comes."""
    (tmp_path / "naive.py").write_text(NAIVE)
    port = free_port()
    bodies = [json.dumps({"inputs": one}).encode() for one in INPUTS]
    url = f"http://127.0.0.1:{port}"
    plan = phases.Plan(f"{url}/predict", bodies, concurrency=(8,), requests_per_level=40, ready=f"{url}/health")
    report = phases.check(plan, {"": [sys.executable, str(tmp_path / "naive.py"), str(port)]})
    assert {"bad-request-not-refused", "bad-request-harms-others", "shutdown-not-graceful"} == ids(report)
    harm = next(finding for finding in report.findings if finding.id == "bad-request-harms-others")
    assert harm.values["failed"] > 0 and "wrong shape" in harm.message
    assert not [
        process for process in psutil.process_iter() if str(port) in _words(process) and process.pid != os.getpid()
    ]


def _words(process):
    try:
        return process.cmdline()
    except psutil.Error:
        return []
