"""Whole reports, kept by content: the same files, settings and pluglint give the same report without checking again.

A key covers everything that a report depends on: the listing of each root (names, sizes, modes, links), the bytes
of every file that pluglint may read, the settings with the bytes of the files they come from, the targets as they
were named, the day (suppressions end), the code of pluglint, Python and the packages beside it, and where commands are
looked for (bash judges shell blocks). Times of the files that are checked play no part.
An entry carries its own checksum: one that is cut short or altered is as good as none. Entries are written through a
temporary file and a rename, so that runs beside each other never see half of one; a folder that cannot be written
means no cache.

The folder is `PLUGLINT_CACHE_DIR` (empty: no cache), else `pluglint` in the user's cache folder.
"""

from __future__ import annotations

import os
import sys

from pluglint import engine
from pluglint.config import Config
from pluglint.discover import Discovery
from pluglint.engine import Report, flat, unflat
from pluglint.load import read_all

try:
    from _blake2 import blake2b  # hashlib loads all of OpenSSL for it
except ImportError:
    from hashlib import blake2b

KEPT = 256  # entries; the ones not used for longest go first
_CHECKSUM = 32  # bytes

Contents = dict[str, bytes]  # path -> bytes, as they were when the key was made


def check(targets: list[str], config: Config) -> Report:
    """`engine.check`, or the same report from the cache. Raises `discover.NothingToCheck`."""
    place = folder()
    if place is None:
        return engine.check(targets, config)
    cache = Cache(place)
    found = engine.discover_all(targets, config)
    key, contents = key_of(targets, found, config)
    report = cache.get(key)
    if report is None:
        report = engine.check(targets, config, found, contents)
        if not report.crashed:
            cache.put(key, report)
    return report


class Cache:
    """One folder of entries. Whatever goes wrong with it, a run goes on without."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def get(self, key: str) -> Report | None:
        """The report under a key, if there is a whole one."""
        import marshal

        path = os.path.join(self.folder, key)
        try:
            with open(path, "rb") as handle:
                data = handle.read()
        except OSError:
            return None
        payload = data[_CHECKSUM:]
        # marshal may crash on altered data: nothing is loaded before the checksum fits
        if blake2b(payload, digest_size=_CHECKSUM).digest() != data[:_CHECKSUM]:
            return None
        try:
            os.utime(path)
        except OSError:
            pass
        findings, *rest = marshal.loads(payload)
        return Report([unflat(one) for one in findings], *rest)

    def put(self, key: str, report: Report) -> None:
        """Keeps a report."""
        import marshal

        payload = marshal.dumps(([flat(one) for one in report.findings], *[_plain(part) for part in report[1:]]))
        # the number of the process makes the name this run's own, without the import of tempfile
        temporary = os.path.join(self.folder, f".{os.getpid()}.new")
        try:
            os.makedirs(self.folder, mode=0o700, exist_ok=True)
            with open(temporary, "wb") as out:
                out.write(blake2b(payload, digest_size=_CHECKSUM).digest() + payload)
            os.replace(temporary, os.path.join(self.folder, key))
        except OSError:
            try:
                os.unlink(temporary)
            except OSError:
                pass
            return
        self._prune()

    def _prune(self) -> None:
        try:
            with os.scandir(self.folder) as entries:
                aged = sorted((entry.stat().st_mtime, entry.path) for entry in entries)
            for _, path in aged[:-KEPT]:
                os.unlink(path)
        except OSError:  # another run was faster
            pass


def folder() -> str | None:
    """Where the cache is, or None where there is to be none."""
    named = os.environ.get("PLUGLINT_CACHE_DIR")
    if named is not None:
        return named or None
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA")
    elif sys.platform == "darwin":
        base = os.path.expanduser("~/Library/Caches")
    else:
        base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    # without a home there is no place that is only this user's
    return os.path.join(base, "pluglint") if base and os.path.isabs(base) else None


def key_of(targets: list[str], found: list[Discovery], config: Config) -> tuple[str, Contents]:
    """The key of a run, and the bytes that went into it: what is checked afterwards must be what was hashed."""
    import marshal
    import time

    contents = read_all(found, config.max_file_size)
    listing: list = []
    digest = blake2b(digest_size=20)
    for one in found:
        listing.append(one.only)
        for root in one.roots:
            listing.append((root.kind, root.path, root.shown, [tuple(trouble) for trouble in root.problems], sorted(root.excluded)))
            for entry in root.entries.values():
                listing.append(tuple(entry))
                data = contents.get(entry.path)
                if data is not None:
                    # the length keeps the bytes of two files apart
                    listing.append(len(data))
                    digest.update(data)
    settings = {name: value for name, value in vars(config).items() if not name.startswith("_")}
    files = [_file(path) for path in (config.path, *config.header_schemas.values()) if path is not None]
    working_folder = os.getcwd()  # paths are shown relative to it
    digest.update(repr((targets, listing, sorted(settings.items()), files, working_folder, time.strftime("%Y-%m-%d"))).encode("utf-8", "surrogatepass"))
    digest.update(marshal.dumps(_code(os.path.dirname(__file__))))
    digest.update(repr((sys.version, os.environ.get("PATH"), _installed())).encode("utf-8", "surrogatepass"))
    return digest.hexdigest(), contents


def _file(path: str) -> bytes:
    try:
        with open(path, "rb") as handle:
            return handle.read()
    except OSError:
        return b""


def _code(folder: str) -> list[tuple[str, int, int]]:
    """Name, size and time of every file of pluglint itself: another version, or an edited rule, makes other keys."""
    stamps = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name == "__pycache__":
                continue
            if entry.is_dir():
                stamps += _code(entry.path)
            else:
                info = entry.stat()
                stamps.append((entry.path, info.st_size, info.st_mtime_ns))
    return sorted(stamps)


def _installed() -> list[int]:
    """When packages were last installed or removed, which changes the time of their folder."""
    return [os.stat(path).st_mtime_ns for path in sys.path if path.endswith("-packages") and os.path.isdir(path)]


def _plain(part: object) -> object:
    """A part of a report as marshal can write it: named tuples become tuples."""
    if isinstance(part, list):
        return [tuple(item) if isinstance(item, tuple) else item for item in part]
    return part
