"""Shows headers of agents to the real client and writes down what it made of them.

    python tests/client/record_headers.py [VERSION]

writes tests/pluglint/client_headers.json again, for the pinned release or the one that is named. New cases go into
that file by hand, with nothing but `case` and `header`.
"""

from __future__ import annotations

import datetime
import json
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from harness import REPOSITORY, VERSION, Client, NoClient, install, leave_network

FILE = REPOSITORY / "tests" / "pluglint" / "client_headers.json"


def observe(client: Client, folder: Path, cases: Iterable[dict[str, str]]) -> list[dict[str, str]]:
    """Each case with the name, description and tools that the listing shows for an agent with its header.

    All go into one plugin called p, each into a folder of its own. The folder becomes part of the agent's name, so
    that each entry can be told whatever the client took for its name.
    """
    cases = list(cases)
    plugin = folder / "p"
    (plugin / ".claude-plugin").mkdir(parents=True)
    (plugin / ".claude-plugin" / "plugin.json").write_text('{"name": "p"}')
    for case in cases:
        home = plugin / "agents" / case["case"]
        home.mkdir(parents=True)
        fence = "---\r\n" if "\r" in case["header"] else "---\n"
        (home / f"{case['case']}.md").write_bytes(f"{fence}{case['header']}---\nBody.\n".encode())
    told = client.session(folder, [plugin]).agents.values()
    seen = []
    for case in cases:
        prefix = f"p:{case['case']}:"
        entries = [one for one in told if one.name.startswith(prefix)]
        if len(entries) != 1:
            raise LookupError(f"{case['case']}: {len(entries)} entries in the listing, not one")
        entry = entries[0]
        seen.append({"case": case["case"], "header": case["header"], "name": entry.name.removeprefix(prefix), "description": entry.description, "tools": entry.tools})
    return seen


def main() -> None:
    version = sys.argv[1] if len(sys.argv) > 1 else VERSION
    recorded = json.loads(FILE.read_text("utf-8"))
    try:
        client = Client(install(version))
    except NoClient as reason:
        sys.exit(str(reason))
    leave_network()
    with tempfile.TemporaryDirectory() as folder:
        recorded["headers"] = observe(client, Path(folder), recorded["headers"])
    recorded["client"] = version
    recorded["observed"] = datetime.date.today().isoformat()
    FILE.write_text(json.dumps(recorded, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
