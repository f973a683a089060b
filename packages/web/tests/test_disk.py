"""Open files: they notice changes, wait for no disk on the loop, and close when they may."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
from pathlib import Path
from typing import Any

import pytest

from headrace.web import _disk
from headrace.web._disk import FileChangedError, OpenFile, SpecialFileError, look_up, real_path


def is_open(fd: int) -> bool:
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_bytes(bytes(range(256)) * 40)
    return path


@pytest.fixture(params=["in memory", "on disk"])
def storage(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Let the system say that nothing is in memory, or what it likes."""
    if request.param == "on disk":
        monkeypatch.setattr(_disk, "_NOWAIT", None)
    return str(request.param)


async def test_reading(path: Path, storage: str) -> None:
    file = OpenFile(str(path))
    assert file.size == 10240
    assert await file.read(254, 4) == b"\xfe\xff\x00\x01"
    assert await file.read(0, 10240) == path.read_bytes()
    assert await file.read(10240, 0) == b""
    file.close()


async def test_a_file_that_shrinks(path: Path, storage: str) -> None:
    file = OpenFile(str(path))
    os.truncate(path, 5000)
    with pytest.raises(FileChangedError):
        await file.read(4000, 2000)
    with pytest.raises(FileChangedError):
        await file.read(0, 10)
    file.close()


async def test_a_file_that_is_written_to(path: Path, storage: str) -> None:
    file = OpenFile(str(path))
    os.utime(path, ns=(1, 1))
    with pytest.raises(FileChangedError):
        await file.read(0, 10)
    with pytest.raises(FileChangedError):
        file.check()
    file.close()


async def test_a_file_that_is_replaced_or_removed_stays_what_it_was(
    path: Path, storage: str
) -> None:
    file = OpenFile(str(path))
    other = path.with_name("other")
    other.write_bytes(b"other")
    other.replace(path)
    assert await file.read(0, 3) == b"\x00\x01\x02"
    path.unlink()
    assert await file.read(0, 3) == b"\x00\x01\x02"
    file.close()


def test_special_files_are_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(tmp_path / "socket"))
        for name in (str(tmp_path / "pipe"), str(tmp_path / "socket"), str(tmp_path), "/dev/null"):
            with pytest.raises(SpecialFileError):
                OpenFile(name)
    for name in (str(tmp_path / "pipe"), str(tmp_path), "/dev/null"):
        # Where it was another file a moment ago, it is opened, but never read.
        with pytest.raises(SpecialFileError):
            OpenFile(name, is_regular=True)


def test_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        OpenFile(str(tmp_path / "nothing"))
    with pytest.raises(ValueError, match="null"):
        OpenFile("a\0b")


def test_a_file_that_nobody_knows_is_closed(path: Path) -> None:
    file = OpenFile(str(path))
    fd = file.fileno()
    assert is_open(fd)
    del file
    assert not is_open(fd)


async def test_a_file_closes_after_a_read_under_way(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on = threading.Event(), threading.Event()
    pread = os.pread

    def slow(fd: int, size: int, offset: int) -> bytes:
        begun.set()
        go_on.wait(10)
        return pread(fd, size, offset)

    monkeypatch.setattr(_disk, "_NOWAIT", None)
    monkeypatch.setattr(_disk, "_pread", slow)
    file = OpenFile(str(path))
    fd = file.fileno()
    reading = asyncio.create_task(file.read(0, 10))
    await asyncio.to_thread(begun.wait, 10)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    file.close()
    assert is_open(fd), "the thread still reads from it"
    go_on.set()
    while file._busy:
        await asyncio.sleep(0)
    file.close()
    assert not is_open(fd)


@pytest.mark.skipif(_disk._NOWAIT is None, reason="the system cannot tell")
async def test_what_is_in_memory_needs_no_thread(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = OpenFile(str(path))
    if not file.in_memory(0, 10240):
        pytest.skip("the file system cannot tell")
    loop = asyncio.get_running_loop()
    monkeypatch.setattr(loop, "run_in_executor", None)
    assert len(await file.read(0, 10240)) == 10240
    assert not file.in_memory(20000, 10)
    file.close()


def test_the_real_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "target"
    target.write_bytes(b"x")
    (tmp_path / "link").symlink_to("target")
    file = OpenFile(str(tmp_path / "link"))
    assert real_path(file) == str(target.resolve())
    monkeypatch.setattr(_disk.sys, "platform", "other")
    assert real_path(file) == str(target.resolve())
    target.rename(tmp_path / "away")
    target.write_bytes(b"y")
    with pytest.raises(FileNotFoundError):
        real_path(file)
    file.close()


@pytest.fixture
def cold(monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    warm: dict[str, float] = {}
    monkeypatch.setattr(_disk, "_warm", warm)
    return warm


async def test_a_quick_look_up_is_done_at_once_the_next_time(
    cold: dict[str, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_disk, "QUICK", 10.0)
    here = threading.get_ident()
    assert await look_up("p", threading.get_ident) != here
    assert await look_up("p", threading.get_ident) == here
    assert await look_up("q", threading.get_ident) != here
    for path in cold:
        cold[path] = 0.0
    assert await look_up("p", threading.get_ident) != here


async def test_a_slow_look_up_stays_in_threads(
    cold: dict[str, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    here = threading.get_ident()
    monkeypatch.setattr(_disk, "QUICK", -1.0)
    assert await look_up("p", threading.get_ident) != here
    assert await look_up("p", threading.get_ident) != here
    cold["p"] = float("inf")
    assert await look_up("p", threading.get_ident) == here
    assert "p" not in cold, "it was slow this time"


async def test_what_is_remembered_is_bounded(
    cold: dict[str, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_disk, "QUICK", 10.0)
    monkeypatch.setattr(_disk, "MAX_WARM", 3)
    for number in range(10):
        await look_up(str(number), os.getpid)
    assert 0 < len(cold) <= 3


async def test_a_failed_look_up_fails(cold: dict[str, float]) -> None:
    def fail(*args: Any) -> None:
        raise FileNotFoundError(args)

    for _ in range(2):
        with pytest.raises(FileNotFoundError):
            await look_up("p", fail, 1)
