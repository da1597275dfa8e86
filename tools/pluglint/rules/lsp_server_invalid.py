"""
What it checks: every language server in `.lsp.json` (or under `lspServers`) has a command without blanks and a map
`extensionToLanguage` whose keys start with a dot, and no key that the client does not know. `.lsp.json` has no wrapper.

Why it matters: these objects are strict: in the manifest one unknown key keeps the plugin from loading, in `.lsp.json`
the file is skipped. Validation does not read `.lsp.json` at all.

How to fix: {"python": {"command": "pyright-langserver", "args": ["--stdio"], "extensionToLanguage": {".py": "python"}}}
"""

from pluglint.manifest_fields import faults, lsp_servers, shapes
from pluglint.parse.node import MAP, STRING
from pluglint.rule import CLAUDE_CODE, DIRECTORY, ERROR, HERE, LSP, MANIFEST, Example, Problem, Rule

RULE = Rule(
    title="a language server that the client refuses",
    severity=ERROR,
    on=(LSP, MANIFEST),
    source="manifest and components references of October 2026",
    profiles=(CLAUDE_CODE, DIRECTORY),
)

GOOD = (Example('{"python": {"command": "pyright-langserver", "args": ["--stdio"], "extensionToLanguage": {".py": "python"}}}\n'),)
BAD = (
    Example('{\n  "lspServers": {"python": {"command": "pyright", "extensionToLanguage": {".py": "python"}}}' + HERE + "\n}\n", message="`.lsp.json` has no wrapper: `lspServers` is taken for a server"),
    Example('{\n  "python": {"command": "pyright --stdio", "extensionToLanguage": {".py": "python"}}' + HERE + "\n}\n", message="`command` of the server 'python' holds blanks"),
    Example('{\n  "python": {"command": "pyright", "extensionToLanguage": {"py": "python"}}' + HERE + "\n}\n", message="the ending 'py' does not start with a dot"),
    Example('{\n  "python": {"command": "pyright"}' + HERE + "\n}\n", message="the server 'python' has no `extensionToLanguage`"),
)


def check(document):
    root = document.root
    if root is not None and document.kind == "lsp":
        wrapper = next((name for name, value in root.pairs if name.text in ("lspServers", "servers") and value.kind == MAP and value.get("command") is None), None)
        if wrapper is not None:
            yield Problem(document.source, wrapper.span, f"`.lsp.json` has no wrapper: `{wrapper.text}` is taken for a server", "Put the servers at the top of the file.")
            return
    for name, server in lsp_servers(document):
        owner = f"the server '{name.text}'"
        for fault in faults(server, shapes()["objects"]["lsp"], owner):
            yield Problem(document.source, fault.span, fault.message, fault.hint)
        command, endings = server.get("command"), server.get("extensionToLanguage")
        if command is not None and command.kind == STRING and " " in command.text.strip() and not command.text.startswith("/"):
            yield Problem(document.source, command.span, f"`command` of {owner} holds blanks", "Put the arguments into `args`.")
        if endings is not None and endings.kind == MAP:
            if not endings.pairs:
                yield Problem(document.source, endings.span, f"`extensionToLanguage` of {owner} is empty", 'Write {".py": "python"}.')
            for ending, _ in endings.pairs:
                if not ending.text.startswith("."):
                    yield Problem(document.source, ending.span, f"the ending '{ending.text}' does not start with a dot", f"Write '.{ending.text}'.")
