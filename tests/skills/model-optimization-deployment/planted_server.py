"""A small server with a planted fault: python planted_server.py PORT FAULT. It answers {"outputs": [10 x]}."""

import json
import math
import os
import random
import signal
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PORT, FAULT = int(sys.argv[1]), sys.argv[2]
lock, meeting = threading.Lock(), threading.Condition()
waiting: list = []
state = {"inside": 0, "served": 0}


def answer(body: bytes) -> tuple[int, object]:
    if FAULT == "takes-anything":
        return 200, {"outputs": [0.0]}
    try:
        inputs = json.loads(body)["inputs"]
        assert len(inputs) == 3 and all(math.isfinite(x) for x in inputs)
    except Exception:
        if FAULT == "bad-hangs":
            time.sleep(30)
        return 500 if FAULT == "bad-500" else 400, {"error": "the request is malformed"}
    # waiting, not computing: with more clients there are more answers, whatever else the machine does
    time.sleep(0.03 if FAULT == "slow" else 0.005)
    if FAULT == "drops":
        time.sleep(0.1)
    if FAULT == "some-500" and inputs[0] == 2:
        return 500, {"error": "division by zero"}
    if FAULT == "some-hang" and inputs[0] == 2:
        time.sleep(30)
    if FAULT == "busy-500" and state["inside"] > 2:
        return 500, {"error": "queue full"}
    if FAULT == "dies" and state["served"] > 30:
        print("out of memory", file=sys.stderr, flush=True)
        os._exit(9)
    if FAULT == "falls":
        with lock:
            time.sleep(0.005 * state["inside"])
    if FAULT == "random":
        return 200, {"outputs": [random.random()]}
    return 200, {"outputs": [10 * x for x in inputs]}


def batched(body: bytes) -> tuple[int, object]:
    """Requests that meet within 10 ms are a batch; `swaps` gives each the answer of its neighbour."""
    mine = {"body": body}
    with meeting:
        waiting.append(mine)
    time.sleep(0.01)
    with meeting:
        if "answer" not in mine:
            batch = list(waiting)
            waiting.clear()
            answers = [answer(one["body"]) for one in batch]
            if FAULT == "swaps":
                answers = answers[1:] + answers[:1]
            if FAULT == "harms" and any(status != 200 for status, _ in answers):
                answers = [(400, {"error": "bad batch"})] * len(batch)
            for one, given in zip(batch, answers):
                one["answer"] = given
        return mine["answer"]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # one packet for each answer: two of them wait for one another

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        with lock:
            state["inside"] += 1
            state["served"] += 1
        status, value = batched(body) if FAULT in ("swaps", "harms") else answer(body)
        with lock:
            state["inside"] -= 1
        content = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        self.wfile.flush()

    def do_GET(self):
        ready = time.monotonic() - began > 0.3
        self.send_response(200 if ready else 503)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments):
        pass


def stop(*_):
    if FAULT == "drops":
        os._exit(0)
    # answers what is under way, then ends
    threading.Thread(target=server.shutdown).start()


began = time.monotonic()
if FAULT == "fails":
    sys.exit("cannot load model.onnx")
if FAULT == "deaf":
    time.sleep(60)
if FAULT == "orphans":
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
ThreadingHTTPServer.request_queue_size = 128
server = ThreadingHTTPServer(("127.0.0.1", PORT), Handler)
signal.signal(signal.SIGTERM, signal.SIG_IGN if FAULT == "ignores" else stop)
if FAULT == "writes-pid":
    with open("server.pid", "w") as stream:
        stream.write(str(os.getpid()))
server.serve_forever(poll_interval=0.02)
deadline = time.monotonic() + 0.5
while state["inside"] and time.monotonic() < deadline:
    time.sleep(0.01)
time.sleep(0.05)  # the answers are on their way
os._exit(0)
