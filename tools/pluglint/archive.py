"""The zip of a plugin: the same bytes for the same files, whoever packs them and when.

The client (2.1.330) takes a zip with the plugin at its top. A link in a zip becomes a small file that holds the path
it led to, so what a link leads to is packed in its place.
"""

from __future__ import annotations

import io
import os
import stat
import zipfile

from pluglint.config import Config
from pluglint.model import Package
from pluglint.shipped import Shipped, shipped

_TIME = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip can state


class CannotPack(Exception):
    """There is no archive to be made; the message says why, and what to do."""


def files_of(package: Package, config: Config, output: str) -> Shipped:
    """What goes in: the shipped files, without archives of the plugin that lie beside them.

    Raises `CannotPack` for links that would be lost and for components that are left out, and `git.CannotCompare`.
    """
    found = shipped(package.path, config, skip=(os.path.realpath(output),))
    if found.refused:
        raise CannotPack("; ".join(found.refused))
    old = [rel for rel in found.files if "/" not in rel and rel.startswith(f"{package.name}-") and rel.endswith(".zip")]
    files = {rel: path for rel, path in found.files.items() if rel not in old}
    wanted = [document.rel for document in (*package.agents, *package.skills, *package.commands, *package.json)]
    missing = [rel for rel in wanted if rel not in files and not rel.endswith("marketplace.json")]
    if missing:
        raise CannotPack(
            f"{missing[0]} is a part of the plugin and would be left out; "
            "`[pack] include` in the configuration brings it in"
            + (f" (and {len(missing) - 1} more)" if len(missing) > 1 else "")
        )
    return Shipped(files, sorted([*found.left, *old]), [])


def archive(files: dict[str, str]) -> bytes:
    """The zip of some files (path in it -> path to open): sorted, no time, no owner; what is executable stays so."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as out:
        for rel in sorted(files):
            info = zipfile.ZipInfo(rel, _TIME)
            info.create_system = 3  # Unix, whose modes follow; left alone it is the system that packs
            info.compress_type = zipfile.ZIP_DEFLATED
            mode = 0o755 if os.stat(files[rel]).st_mode & stat.S_IXUSR else 0o644
            info.external_attr = (stat.S_IFREG | mode) << 16
            with open(files[rel], "rb") as file:
                out.writestr(info, file.read())
    return data.getvalue()
