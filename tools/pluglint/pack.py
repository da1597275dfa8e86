"""All rules from one file: a cache beside the byte code that Python itself keeps.

A hundred and fifty small modules cost more to find and open than to run. The pack holds their code
without docstrings and examples, which only `explain` and the tests need. It is made on first use in
the folder where Python keeps byte code, checked against name, size and time of every rule file, and
left out where that folder cannot be written or Python was told not to write byte code.
"""

from __future__ import annotations

import os
from types import CodeType

from pluglint.rule import Loaded, load, rule_ids

_FOLDER = os.path.join(os.path.dirname(__file__), "rules")


def load_rules(ids: list[str] | None = None) -> list[Loaded]:
    """The given rules (default: all) in order of id. `Loaded.module` is None for rules from the pack."""
    code = _code()
    wanted = rule_ids() if ids is None else ids
    if code is None:
        return [load(rule_id) for rule_id in wanted]
    loaded = []
    for rule_id in wanted:
        space: dict = {"__name__": "pluglint.rules." + rule_id.replace("-", "_")}
        exec(code[rule_id], space)  # noqa: S102 - code compiled from this package's own files
        loaded.append(Loaded(rule_id, space["RULE"], space["check"], None))
    return loaded


def _code() -> dict[str, CodeType] | None:
    """rule id -> code, from the pack if it is current, else compiled and packed; None where there is no place for it."""
    import marshal
    from importlib.util import MAGIC_NUMBER, cache_from_source

    try:
        own = os.stat(__file__)  # what is left out is decided here: another version of this file makes another pack
        stamp = [("", own.st_size, own.st_mtime_ns)]
        with os.scandir(_FOLDER) as entries:
            for entry in entries:
                if entry.name.endswith(".py") and not entry.name.startswith("_"):
                    info = entry.stat()
                    stamp.append((entry.name, info.st_size, info.st_mtime_ns))
        stamp.sort()
        path = cache_from_source(os.path.join(_FOLDER, "pack.py")) + "k"
    except (OSError, NotImplementedError):
        return None
    try:
        with open(path, "rb") as handle:
            magic, packed_stamp, code = marshal.loads(handle.read())
        if magic == MAGIC_NUMBER and packed_stamp == stamp:
            return code
    except (OSError, EOFError, ValueError, TypeError):
        pass
    return _make(path, stamp)


def _make(path: str, stamp: list[tuple[str, int, int]]) -> dict[str, CodeType] | None:
    import ast
    import marshal
    import sys
    import tempfile
    from importlib.util import MAGIC_NUMBER

    if sys.dont_write_bytecode:
        return None
    code = {}
    for name, _, _ in stamp[1:]:
        source_path = os.path.join(_FOLDER, name)
        with open(source_path, encoding="utf-8") as handle:
            tree = ast.parse(handle.read())
        tree.body = [node for at, node in enumerate(tree.body) if not _left_out(at, node)]
        code[name[:-3].replace("_", "-")] = compile(tree, source_path, "exec")
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=".pack-", dir=os.path.dirname(path))
        with os.fdopen(handle, "wb") as out:
            out.write(marshal.dumps((MAGIC_NUMBER, stamp, code)))
        os.replace(temporary, path)
    except OSError:
        return None
    return code


def _left_out(at: int, node) -> bool:  # type: ignore[no-untyped-def]
    import ast

    if at == 0 and isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return True
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, (ast.AugAssign, ast.AnnAssign)) else []
    return any(isinstance(target, ast.Name) and target.id in ("GOOD", "BAD", "CONFIG") for target in targets)
