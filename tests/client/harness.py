"""Runs the real client, offline, and says what it did with a plugin.

The client is the program that people use: a pinned release of the npm package, unpacked under `.client/` in this
repository and started by its full path, so that one installed elsewhere on the machine is never taken for it. It
talks to a fake Messages API on 127.0.0.1 that notes every request and answers from a script. Each run has a home, a
configuration and a temporary folder of its own and no other environment; where the kernel allows it, the whole test
process has moved into a network that has nothing but loopback.

    client = Client(install())
    session = client.session(folder, [plugin], main=[Call("Agent", subagent_type="demo:a", ...)])
    session.agents         {"demo:a": Listed("demo:a", "Reads logs.", "Read, Grep"), ...}: what the model was told
    session.requests       what was sent, in order
    session.warnings("demo")   lines of the debug log

The client says nothing and exits with 0 when a plugin does not load, so never look at the status alone.
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import platform
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]
CACHE = REPOSITORY / ".client"
PACKAGE = "@anthropic-ai/claude-code"
VERSION = "2.1.330"


# -- the program


class NoClient(Exception):
    """The client cannot be had; the text is a sentence for people."""


def _binary(prefix: Path) -> Path:
    """Where a release keeps its program: in the package of the platform, not in the one that was asked for."""
    system = {"Linux": "linux", "Darwin": "darwin"}.get(platform.system(), platform.system().lower())
    machine = {"x86_64": "x64", "AMD64": "x64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    libc = "-musl" if system == "linux" and platform.libc_ver()[0] != "glibc" else ""
    return prefix / "node_modules" / f"{PACKAGE}-{system}-{machine}{libc}" / "claude"


def install(version: str = VERSION) -> Path:
    """The program of a release, fetched from npm the first time.

    Install scripts do not run: all they would do is link the program, and it is called by its path here. The folder
    gets its name only when it is complete, so a broken download leaves nothing that looks like a client.
    """
    home = CACHE / version
    if _binary(home).is_file():
        return _binary(home)
    npm = shutil.which("npm")
    if npm is None:
        raise NoClient("The client comes from npm, and there is no npm here: install Node.js 20 or newer.")
    CACHE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="new-", dir=CACHE) as new:
        words = [npm, "install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-save", "--prefix", new, f"{PACKAGE}@{version}"]
        done = subprocess.run(words, cwd=new, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode:
            said = [line.split(" ", 2)[-1] for line in done.stderr.splitlines() if line.startswith("npm error")]
            reason = next((line for line in said if not line.startswith(("code ", "errno ", "syscall "))), "no reason given")
            raise NoClient(f"npm could not install {PACKAGE} {version}: {reason}")
        if not _binary(Path(new)).is_file():
            raise NoClient(f"{PACKAGE} {version} has no program for {platform.system()} on {platform.machine()}.")
        shutil.rmtree(home, ignore_errors=True)
        (Path(new) / "node_modules").rename(_made(home) / "node_modules")
    return _binary(home)


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


# -- the network

_NEW_USER, _NEW_NET = 0x10000000, 0x40000000  # flags of unshare(2); os.unshare came with Python 3.12
_SET_FLAGS, _UP_AND_RUNNING = 0x8914, 0x41  # SIOCSIFFLAGS; IFF_UP | IFF_RUNNING


def _leave_network() -> None:
    """Moves this thread, and all that it starts, into a network of its own, and turns loopback on there."""
    libc = ctypes.CDLL(None, use_errno=True)
    user, group = os.getuid(), os.getgid()
    if libc.unshare(_NEW_NET | (_NEW_USER if user else 0)):  # whoever is not root needs a user namespace as well
        raise OSError(ctypes.get_errno(), "no namespace")
    if user:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as some:
        fcntl.ioctl(some, _SET_FLAGS, struct.pack("16sh14x", b"lo", _UP_AND_RUNNING))


def leave_network() -> bool:
    """Cuts this process off from every network but loopback, if that can be done.

    Some systems grant the namespace and then refuse what has to be done inside; there is no way back from that. So
    another process goes first.
    """
    if platform.system() != "Linux":
        return False
    trial = [sys.executable, "-c", "import harness; harness._leave_network()"]
    if subprocess.run(trial, cwd=Path(__file__).parent, capture_output=True).returncode:
        return False
    _leave_network()
    return True


# -- the fake API


class Call:
    """One tool call that the fake model makes."""

    def __init__(self, tool: str, **given: Any) -> None:
        self.block = {"type": "tool_use", "name": tool, "input": given}


def agent_call(name: str, prompt: str = "Do the task.") -> Call:
    """Calls an agent and waits for it (left alone, the client runs agents in the background)."""
    return Call("Agent", subagent_type=name, description="scripted", prompt=prompt, run_in_background=False)


def skill_call(name: str, args: str = "") -> Call:
    return Call("Skill", skill=name, args=args)


# What one conversation answers: one step for each request, and "ok" when they are used up. Calls in one list are made
# at once.
Steps = Sequence[Call | Sequence[Call]]


@dataclass(frozen=True)
class Request:
    """One request for an answer."""

    agent: str  # an opaque id where a called agent asks, else empty
    model: str
    system: list[str]  # without the line that is for billing
    tools: list[str]
    messages: list[tuple[str, str]]  # role, text

    @property
    def text(self) -> str:
        """Everything that the model reads, tools aside."""
        return "\n".join([*self.system, *(text for _, text in self.messages)])


def _text(content: Any) -> str:
    """The text of a message, of its blocks, and of the tool results among them."""
    if isinstance(content, str):
        return content
    return "\n".join(block["text"] if block.get("type") == "text" else _text(block.get("content") or "") for block in content)


def _request(agent: str, body: Mapping[str, Any]) -> Request:
    system = body.get("system") or []
    parts = [system] if isinstance(system, str) else [block["text"] for block in system]
    return Request(
        agent=agent,
        model=body["model"],
        system=[part for part in parts if not part.startswith("x-anthropic-billing-header")],
        tools=[tool["name"] for tool in body.get("tools") or []],
        messages=[(message["role"], _text(message["content"])) for message in body["messages"]],
    )


class FakeApi:
    """A Messages API on loopback: notes requests, answers from scripts.

    `main` is what the main conversation answers, `agents` what the called agents do, in the order in which they first
    ask. Questions on the side (a title for the session, say) come without tools and get "ok".
    """

    def __init__(self, main: Steps = (), agents: Sequence[Steps] = ()) -> None:
        self.requests: list[Request] = []
        self.others: list[str] = []
        self._lock = threading.Lock()
        self._waiting = [list(steps) for steps in agents]
        self._steps: dict[str, list[Any]] = {"": list(main)}
        api = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: Any) -> None:
                pass

            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                status, kind, out = api._answer(f"{self.command} {self.path}", self.headers.get("x-claude-code-agent-id") or "", body)
                self.send_response(status)
                self.send_header("content-type", kind)
                self.send_header("content-length", str(len(out)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(out)

            do_GET = do_HEAD = do_POST = answer

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port: int = self._server.server_port

    def __enter__(self) -> FakeApi:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: Any) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _answer(self, line: str, agent: str, body: bytes) -> tuple[int, str, bytes]:
        if not re.match(r"POST /v1/messages(\?|$)", line):
            self.others.append(line)
            return 404, "application/json", b"{}"
        data = json.loads(body)
        blocks: list[dict[str, Any]] = [{"type": "text", "text": "ok"}]
        with self._lock:
            if data.get("tools") or agent:
                if agent not in self._steps:
                    self._steps[agent] = self._waiting.pop(0) if self._waiting else []
                steps = self._steps[agent]
                if steps:
                    step = steps.pop(0)
                    calls = [step] if isinstance(step, Call) else step
                    blocks = [{**call.block, "id": f"toolu_{len(self.requests)}_{n}"} for n, call in enumerate(calls)]
                self.requests.append(_request(agent, data))
        return (200, *_encoded(data, blocks))


def _encoded(asked: Mapping[str, Any], blocks: list[dict[str, Any]]) -> tuple[str, bytes]:
    """The blocks as an answer, streamed if that was asked for."""
    stop = "tool_use" if blocks[0]["type"] == "tool_use" else "end_turn"
    message = {"id": "msg_fake", "type": "message", "role": "assistant", "model": asked["model"], "stop_sequence": None, "usage": {"input_tokens": 1, "output_tokens": 1}}
    if not asked.get("stream"):
        return "application/json", json.dumps({**message, "content": blocks, "stop_reason": stop}).encode()
    events: list[dict[str, Any]] = [{"type": "message_start", "message": {**message, "content": [], "stop_reason": None}}]
    for n, block in enumerate(blocks):
        if block["type"] == "text":
            empty, delta = {**block, "text": ""}, {"type": "text_delta", "text": block["text"]}
        else:
            empty, delta = {**block, "input": {}}, {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
        events.append({"type": "content_block_start", "index": n, "content_block": empty})
        events.append({"type": "content_block_delta", "index": n, "delta": delta})
        events.append({"type": "content_block_stop", "index": n})
    events.append({"type": "message_delta", "delta": {"stop_reason": stop, "stop_sequence": None}, "usage": {"output_tokens": 1}})
    events.append({"type": "message_stop"})
    return "text/event-stream", "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events).encode()


# -- what the model is told

_AGENTS = "Available agent types for the Agent tool:\n"
_SKILLS = "The following skills are available for use with the Skill tool:\n"


@dataclass(frozen=True)
class Listed:
    """An entry of a listing, `line` as it stands there; `tools` only of agents."""

    line: str
    name: str
    description: str
    tools: str = ""


def _entries(text: str, head: str, own: Sequence[str], others: Sequence[str]) -> dict[str, Listed]:
    """The entries of the plugins called `own` in the listing under `head`.

    Descriptions keep their line breaks, so an entry ends only where the next one of a known name starts, or the
    listing does.
    """
    if head not in text:
        return {}
    block = text.split(head, 1)[1].split(_AGENTS)[0].split(_SKILLS)[0]
    prefixed = "|".join(re.escape(name) for name in own) or "(?!)"
    known = "|".join(re.escape(name) for name in sorted(others, key=len, reverse=True)) or "(?!)"
    starts = list(re.finditer(rf"^- ((?:{prefixed}):[^\n]*?|{known})(?:: |:?$)", block, re.MULTILINE))
    found = {}
    for at, start in enumerate(starts):
        name = start.group(1)
        if not any(name.startswith(f"{one}:") for one in own):
            continue
        end = starts[at + 1].start() if at + 1 < len(starts) else len(block)
        body = block[start.end() : end]
        if at + 1 == len(starts):  # what follows the listing is set off by an empty line
            body = body.split("\n\n")[0]
        body = body.removesuffix("\n")
        tools = re.search(r" ?\(Tools: (.*)\)\Z", body, re.DOTALL) if head == _AGENTS else None
        description = body[: tools.start()] if tools else body
        found[name] = Listed(start.group(0) + body, name, description, tools.group(1) if tools else "")
    return found


# -- a run


@dataclass(frozen=True)
class Result:
    """What came back from a tool call of the main conversation."""

    text: str
    failed: bool


@dataclass(frozen=True)
class Session:
    """One run of the client, from its start to its end."""

    status: int
    stderr: str
    version: str
    plugins: list[str]  # names, the client's own left out
    errors: list[dict[str, str]]  # what the client says of plugins that did not load, or not whole
    loaded_agents: list[str]  # of our plugins, as the client itself counts them
    loaded_skills: list[str]
    commands: list[str]  # what can be typed after a slash
    agents: dict[str, Listed]  # what the model was told
    skills: dict[str, Listed]
    requests: list[Request]
    others: list[str]  # requests for anything else; nothing but loopback hears them
    results: list[Result]
    log: list[str] = field(repr=False)

    def called(self) -> list[Request]:
        """The first request of each called agent."""
        first: dict[str, Request] = {}
        for request in self.requests:
            if request.agent:
                first.setdefault(request.agent, request)
        return list(first.values())

    def warnings(self, *names: str) -> list[str]:
        """Lines of the debug log at the level of a warning or an error that hold one of the names."""
        return [line for line in self.log if re.search(r"\[(WARN|ERROR)\]", line) and any(name in line for name in names)]


class Client:
    """The client, ready to run."""

    def __init__(self, binary: Path) -> None:
        self.binary = binary

    def run(self, folder: Path, *words: str, port: int = 9, timeout: float = 60) -> subprocess.CompletedProcess[str]:
        """One run with `folder` as its whole world: home, temporary folder, and `folder/work` to work in.

        Port 9 is where nobody listens: the commands about plugins need no API.
        """
        home, temporary, work = (_made(folder / name) for name in ("home", "tmp", "work"))
        environment = {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "TERM": "dumb",
            "HOME": str(home),
            "CLAUDE_CONFIG_DIR": str(home / ".claude"),
            # the client also puts a socket into its temporary folder
            "TMPDIR": str(temporary),
            "CLAUDE_CODE_TMPDIR": str(temporary),
            "XDG_RUNTIME_DIR": str(temporary),
            "ANTHROPIC_BASE_URL": f"http://127.0.0.1:{port}",
            "ANTHROPIC_API_KEY": "no-key",
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            "DISABLE_AUTOUPDATER": "1",
            "DISABLE_TELEMETRY": "1",
            "DISABLE_ERROR_REPORTING": "1",
        }
        started = subprocess.Popen(
            [str(self.binary), *words], cwd=work, env=environment, text=True, errors="replace", start_new_session=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        try:
            out, err = started.communicate(timeout=timeout)
        except BaseException:
            os.killpg(started.pid, signal.SIGKILL)  # a session of its own: it and what it started, nothing else
            started.communicate()
            raise
        return subprocess.CompletedProcess(started.args, started.returncode, out, err)

    def session(self, folder: Path, plugins: Sequence[Path], prompt: str = "hello", main: Steps = (), agents: Sequence[Steps] = (), options: Sequence[str] = ()) -> Session:
        """Starts a session with the plugins, sends one prompt, plays the script to its end."""
        log = _made(folder) / "debug.log"
        words = ["-p", prompt, "--output-format", "stream-json", "--verbose", "--debug-file", str(log)]
        for plugin in plugins:
            words += ["--plugin-dir", str(plugin)]
        with FakeApi(main, agents) as api:
            done = self.run(folder, *words, *options, port=api.port)
        events = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        start: dict[str, Any] = next((one for one in events if one.get("type") == "system" and one.get("subtype") == "init"), {})
        names = [one["name"] for one in start.get("plugins", []) if one.get("path") != "builtin"]

        def own(words: Sequence[str]) -> list[str]:
            return sorted(word for word in words if word.split(":")[0] in names)

        told = next((request.text for request in api.requests if not request.agent), "")
        blocks = [block for one in events if one.get("type") == "user" for block in one["message"]["content"] if isinstance(block, dict)]
        return Session(
            status=done.returncode,
            stderr=done.stderr,
            version=start.get("claude_code_version", ""),
            plugins=names,
            errors=start.get("plugin_errors", []),
            loaded_agents=own(start.get("agents", [])),
            loaded_skills=own(start.get("skills", [])),
            commands=own(start.get("slash_commands", [])),
            agents=_entries(told, _AGENTS, names, start.get("agents", [])),
            skills=_entries(told, _SKILLS, names, start.get("skills", [])),
            requests=api.requests,
            others=api.others,
            results=[Result(_text(block.get("content") or ""), bool(block.get("is_error"))) for block in blocks if block.get("type") == "tool_result"],
            log=log.read_text("utf-8", "replace").splitlines() if log.exists() else [],
        )

    def validate(self, folder: Path, target: Path, *options: str) -> tuple[int, dict[str, Any]]:
        """The client's own check: its status and its report."""
        done = self.run(folder, "plugin", "validate", "--json", *options, str(target))
        return done.returncode, json.loads(done.stdout)


if __name__ == "__main__":
    try:
        print(install(*sys.argv[1:2]))
    except NoClient as reason:
        sys.exit(str(reason))
