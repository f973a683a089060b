"""Files that are kept: what they are compared with, and how many there are."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from headrace.web import _kept
from headrace.web._disk import FileChangedError, OpenFile
from headrace.web._kept import KEPT_SIZE, Keeper, KeptFile, read_small


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "folder" / "file"
    path.parent.mkdir()
    path.write_bytes(b"content")
    return path


@pytest.fixture(autouse=True)
def every_change_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_kept, "SETTLED", -1.0)
    monkeypatch.setattr(_kept, "RECENT", 0.0)


def small(path: Path) -> KeptFile:
    file = OpenFile(str(path))
    try:
        kept = read_small(file)
    finally:
        file.close()
    return kept


def kept(path: Path) -> Keeper[str]:
    keeper = Keeper[str]()
    keeper.keep("key", "value", small(path))
    return keeper


async def test_a_kept_file_reads_like_an_open_one(path: Path) -> None:
    file = small(path)
    assert (file.path, file.size, file.stat.st_ino) == (str(path), 7, path.stat().st_ino)
    assert await file.read(0, 7) == b"content"
    assert await file.read(3, 2) == b"te"
    file.close()


def test_of_large_files_only_facts_are_kept(path: Path) -> None:
    path.write_bytes(bytes(KEPT_SIZE))
    file = small(path)
    assert (file.content, file.is_whole) == (bytes(KEPT_SIZE), True)
    path.write_bytes(bytes(KEPT_SIZE + 1))
    file = small(path)
    assert (file.content, file.size, file.is_whole) == (b"", 0, False)
    assert file.stat.st_size == KEPT_SIZE + 1


def test_a_file_is_opened_again(path: Path) -> None:
    file = small(path).open()
    assert file is not None
    assert file._read(0, 7) == b"content"
    file.close()


def test_a_file_that_changes_while_it_is_read(path: Path) -> None:
    file = OpenFile(str(path))
    path.write_bytes(b"other content")
    with pytest.raises(FileChangedError):
        read_small(file)
    file.close()


def test_what_has_not_changed_is_found_again(path: Path) -> None:
    keeper = kept(path)
    assert keeper.get("key") == keeper.get("key") == "value"
    assert keeper.get("other") is None


def replace(path: Path) -> None:
    other = path.with_name("other")
    other.write_bytes(b"CONTENT")
    os.utime(other, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns))
    other.replace(path)


def move_the_folder(path: Path) -> None:
    path.parent.rename(path.parent.with_name("elsewhere"))
    shutil.copytree(path.parent.with_name("elsewhere"), path.parent)


CHANGES = {
    "written": lambda path: path.write_bytes(b"CONTENT"),
    "replaced": replace,
    "removed": lambda path: path.unlink(),
    "a sibling": lambda path: path.with_name("file.gz").write_bytes(b"x"),
    "another folder": move_the_folder,
    "no folder": lambda path: shutil.rmtree(path.parent),
    "forbidden": lambda path: path.chmod(0),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_has_changed_is_looked_for_anew(path: Path, change: str) -> None:
    keeper = kept(path)
    CHANGES[change](path)
    assert keeper.get("key") is None
    assert keeper.get("key") is None


@pytest.mark.parametrize("change", ["written", "replaced", "removed", "no folder", "a pipe"])
def test_another_file_is_not_opened_again(path: Path, change: str) -> None:
    file = small(path)
    {**CHANGES, "a pipe": put_a_pipe}[change](path)
    fds = set(os.listdir("/proc/self/fd")) if os.path.exists("/proc/self/fd") else set()
    assert file.open() is None
    assert not fds or set(os.listdir("/proc/self/fd")) == fds


def put_a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def test_a_directory_is_not_asked_all_the_time(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_kept, "RECENT", 60.0)
    keeper = kept(path)
    CHANGES["a sibling"](path)
    assert keeper.get("key") == "value"
    CHANGES["written"](path)
    assert keeper.get("key") is None


def test_what_was_changed_a_moment_ago_is_not_kept(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_kept, "SETTLED", 60.0)
    assert kept(path).get("key") is None


def test_the_oldest_goes_first(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_kept, "KEPT_TOTAL", 3 * (7 + _kept._OVERHEAD))
    keeper, file = Keeper[int](), small(path)
    for number in range(3):
        keeper.keep(number, number, file)
    keeper.keep(0, 10, file)
    keeper.keep(3, 3, file)
    assert [keeper.get(number) for number in range(4)] == [10, None, 2, 3]
    assert keeper._size == 3 * (7 + _kept._OVERHEAD)
