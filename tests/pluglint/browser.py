"""A headless Chromium over its debugging pipe: opens one page, runs expressions in it, and notes what it complains of.

Nothing is resolved or fetched over a network; the profile is a temporary folder.
"""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


class NoBrowser(Exception):
    """There is no Chromium; the text is a sentence for people."""


def find() -> str:
    named = os.environ.get("CHROMIUM")
    path = shutil.which(named) if named else next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        raise NoBrowser(f"no Chromium here ({named or ', '.join(NAMES)}): install it, as in `apt-get install chromium`, or name one in CHROMIUM")
    return path


class Page:
    """One tab. `complaints` are console messages, exceptions and refused loads; `asked` are the addresses that it asked for."""

    def __init__(self, profile: Path) -> None:
        # it reads commands on descriptor 3 and answers on 4, each message ended by a zero byte
        to_read, self._write = os.pipe()
        self._read, to_write = os.pipe()
        words = [find(), "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--remote-debugging-pipe", "--host-resolver-rules=MAP * ~NOTFOUND", f"--user-data-dir={profile}", "about:blank"]
        script = f'exec 3<&{to_read} 4>&{to_write}; exec "$@"'
        self._process = subprocess.Popen(["bash", "-c", script, "browser", *words], pass_fds=(to_read, to_write), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_read)
        os.close(to_write)
        self._number = 0
        self._buffer = b""
        self._session = ""
        self._loaded: set[str] = set()
        self.complaints: list[str] = []
        self.asked: list[str] = []
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self._call(f"{domain}.enable")
        self._call("Page.setLifecycleEventsEnabled", enabled=True)

    def close(self) -> None:
        if self._process.poll() is None:
            self._session = ""
            self._call("Browser.close")
            self._process.wait(30)
        os.close(self._write)
        os.close(self._read)

    def _call(self, method: str, **given: Any) -> dict[str, Any]:
        self._number += 1
        message = {"id": self._number, "method": method, "params": given, **({"sessionId": self._session} if self._session else {})}
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                return answer["result"]

    def _next(self) -> dict[str, Any]:
        """The next message; events are noted on the way."""
        end = time.monotonic() + 60
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._read], [], [], max(0, end - time.monotonic()))
            data = os.read(self._read, 65536) if ready else b""
            assert data, "the browser does not answer"
            self._buffer += data
        raw, self._buffer = self._buffer.split(b"\0", 1)
        message = json.loads(raw)
        event, given = message.get("method"), message.get("params", {})
        if event == "Log.entryAdded":
            self.complaints.append(given["entry"]["text"])
        elif event == "Runtime.consoleAPICalled":
            self.complaints.append(str(given["args"]))
        elif event == "Runtime.exceptionThrown":
            self.complaints.append(given["exceptionDetails"]["text"])
        elif event == "Network.requestWillBeSent":
            self.asked.append(given["request"]["url"])
        elif event == "Page.lifecycleEvent" and given["name"] == "load":
            self._loaded.add(given["loaderId"])
        return message

    def open(self, address: str, scheme: str = "light") -> None:
        self._call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self._call("Emulation.setDeviceMetricsOverride", width=1300, height=1000, deviceScaleFactor=1, mobile=False)
        self._go("about:blank")  # an address that differs in its hash alone would not be loaded anew
        self.complaints.clear()
        self.asked.clear()
        self._go(address)

    def _go(self, address: str) -> None:
        """Waits for the page itself: the load event of the one before may still be on its way."""
        loader = self._call("Page.navigate", url=address).get("loaderId")
        while loader not in self._loaded:
            self._next()
        self.ask("0")  # what was said until now has arrived after this

    def ask(self, expression: str) -> Any:
        """The value of a JavaScript expression."""
        result = self._call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def click(self, selector: str) -> None:
        """A click of the mouse in the middle of an element."""
        x, y = self.ask(f"(() => {{ const e = document.querySelector({json.dumps(selector)}); e.scrollIntoView({{block: 'center'}}); const r = e.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2]; }})()")
        for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
            self._call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="none" if kind == "mouseMoved" else "left", clickCount=1)

    def move(self, x: float, y: float) -> None:
        self._call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def press(self, key: str) -> None:
        code = {"Enter": 13, "Escape": 27, "Tab": 9}[key]
        for kind in ("keyDown", "keyUp"):
            self._call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, **({"text": "\r"} if key == "Enter" and kind == "keyDown" else {}))
