"""Writing loses nothing: not the old file, not its mode, not a link, not a device."""

from __future__ import annotations

import os
import stat

import pytest

from pluglint.files import write_atomic


def test_new_file_has_the_usual_mode(tmp_path):
    mask = os.umask(0o027)
    try:
        write_atomic(str(tmp_path / "a"), "x\n")
    finally:
        os.umask(mask)
    assert (tmp_path / "a").read_bytes() == b"x\n"
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o640


def test_mode_and_line_ends_are_kept(tmp_path):
    path = tmp_path / "a"
    path.write_text("old")
    path.chmod(0o755)
    write_atomic(str(path), "é\r\n")
    assert path.read_bytes() == "é\r\n".encode() and stat.S_IMODE(path.stat().st_mode) == 0o755


def test_link_stays_a_link(tmp_path):
    (tmp_path / "real").write_text("old")
    (tmp_path / "link").symlink_to("real")
    write_atomic(str(tmp_path / "link"), "new")
    assert (tmp_path / "link").is_symlink() and (tmp_path / "real").read_text() == "new"


def test_device_is_written_and_not_replaced():
    write_atomic(os.devnull, "x")
    assert stat.S_ISCHR(os.stat(os.devnull).st_mode)


def test_failure_keeps_the_old_file_and_names_the_path(tmp_path, monkeypatch):
    path = tmp_path / "a"
    path.write_text("old")

    def fail(*_):
        raise OSError(28, "No space left on device", "elsewhere")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError) as caught:
        write_atomic(str(path), "new")
    assert caught.value.filename == str(path)
    assert path.read_text() == "old" and os.listdir(tmp_path) == ["a"]


def test_text_that_cannot_be_encoded_leaves_nothing_behind(tmp_path):
    with pytest.raises(UnicodeEncodeError):
        write_atomic(str(tmp_path / "a"), "\ud800")
    assert os.listdir(tmp_path) == []
