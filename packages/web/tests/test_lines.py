"""Lines for a logger, written together where nobody can tell the difference."""

from __future__ import annotations

import asyncio
import io
import logging
from pathlib import Path
from typing import Any

import pytest

from headrace import web
from headrace.web._lines import LineWriter, plain_handlers


class Stream(io.StringIO):
    """A stream that counts what is written to it at once."""

    writes = 0

    def write(self, text: str) -> int:
        self.writes += 1
        return super().write(text)


@pytest.fixture
def logger() -> logging.Logger:
    """Return a logger that pytest does not listen to."""
    return logging.Logger("headrace.test_lines", logging.INFO)


def add(logger: logging.Logger, log_format: str | None = None) -> Stream:
    stream = Stream()
    handler = logging.StreamHandler(stream)
    if log_format is not None:
        handler.setFormatter(logging.Formatter(log_format))
    logger.addHandler(handler)
    return stream


LINES = ["first", "100% %s", "", "a second\nline", "é"]
FORMATS = [
    None,
    "%(message)s",
    "%(levelname)s:%(name)s:%(message)s",
    "[%(process)d] %(message)s %(levelno)d %%",
    "%(asctime)s %(message)s",
    "%(message)-20s|",
    "%(message).3s|",
    "%(message)s %(message)s",
]


@pytest.mark.parametrize("log_format", FORMATS)
async def test_lines_of_a_turn_look_as_if_written_one_by_one(
    logger: logging.Logger, log_format: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.time", lambda: 1e9)
    monkeypatch.setattr("time.time_ns", lambda: 10**18)
    stream = add(logger, log_format)
    for line in LINES:
        logger.info("%s", line)
    expected, before = stream.getvalue(), stream.writes
    writer = LineWriter(logger)
    for line in LINES:
        writer.write(line)
    await asyncio.sleep(0)
    assert stream.getvalue() == 2 * expected
    together = plain_handlers(logger) is not None
    assert stream.writes - before == (1 if together else before)
    assert together is (log_format is None or log_format.count("%(message)s") == 1)
    writer.write("later")
    assert (stream.getvalue() == 2 * expected) is together
    await asyncio.sleep(0)
    assert stream.getvalue() != 2 * expected


async def test_no_record_is_made_where_nothing_but_the_lines_is_written(
    logger: logging.Logger, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = add(logger)
    writer = LineWriter(logger)
    monkeypatch.delattr(logging.Logger, "makeRecord")
    writer.write("a")
    await asyncio.sleep(0)
    assert stream.getvalue() == "a\n"


async def test_a_line_written_while_lines_are_flushed_comes_with_the_next(
    logger: logging.Logger,
) -> None:
    stream = add(logger)
    writer = LineWriter(logger)

    class Echo(Stream):
        def write(self, text: str) -> int:
            if text == "a\n":
                writer.write("b")
            return super().write(text)

    logger.handlers.append(logging.StreamHandler(Echo()))
    writer.write("a")
    for _ in range(2):
        await asyncio.sleep(0)
    assert stream.getvalue() == "a\nb\n"


async def test_a_format_that_is_changed_within_the_turn(logger: logging.Logger) -> None:
    stream = add(logger)
    LineWriter(logger).write("a")
    logger.handlers[0].setFormatter(logging.Formatter("<%(message)s>"))
    await asyncio.sleep(0)
    assert stream.getvalue() == "<a>\n"


def test_without_a_loop_a_line_is_written_at_once(logger: logging.Logger) -> None:
    stream = add(logger)
    LineWriter(logger).write("line")
    assert stream.getvalue() == "line\n"


class Shout(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return super().format(record).upper()


class Keep(logging.StreamHandler[Any]):
    def emit(self, record: logging.LogRecord) -> None:
        self.stream.write(record.getMessage())


def allow(record: logging.LogRecord) -> bool:
    return record.getMessage() != "b"


def shouting(logger: logging.Logger) -> None:
    logger.handlers[0].setFormatter(Shout())


def braces(logger: logging.Logger) -> None:
    logger.handlers[0].setFormatter(logging.Formatter("{message}", style="{"))


def kept(logger: logging.Logger) -> None:
    logger.handlers[0] = Keep(logger.handlers[0].stream)  # type: ignore[attr-defined]


def filtered_handler(logger: logging.Logger) -> None:
    logger.handlers[0].addFilter(allow)


def filtered(logger: logging.Logger) -> None:
    logger.addFilter(allow)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (shouting, "A\nB\n"),
        (braces, "a\nb\n"),
        (kept, "ab"),
        (filtered_handler, "a\n"),
        (filtered, "a\n"),
    ],
)
async def test_others_get_a_record_for_each_line(
    logger: logging.Logger, change: Any, text: str
) -> None:
    stream = add(logger)
    change(logger)
    writer = LineWriter(logger)
    writer.write("a")
    writer.write("b")
    assert stream.getvalue() == text


async def test_handlers_above_get_the_lines_as_far_as_they_reach(logger: logging.Logger) -> None:
    child = logging.Logger("headrace.test_lines.child", logging.INFO)
    child.parent = logger
    logger.parent = above = logging.Logger("headrace.test_lines.above")
    logger.propagate = False
    streams = [add(child), add(logger), add(above)]
    quiet = add(child)
    child.handlers[-1].setLevel(logging.WARNING)
    writer = LineWriter(child)
    writer.write("a")
    writer.write("b")
    await asyncio.sleep(0)
    assert [stream.getvalue() for stream in streams] == ["a\nb\n", "a\nb\n", ""]
    assert quiet.getvalue() == ""


async def test_what_is_changed_counts_from_the_next_turn_on(logger: logging.Logger) -> None:
    writer = LineWriter(logger)
    writer.write("nobody listens")
    await asyncio.sleep(0)
    stream = add(logger)
    writer.write("a")
    await asyncio.sleep(0)
    logger.disabled = True
    writer.write("b")
    await asyncio.sleep(0)
    logger.disabled = False
    shouting(logger)
    writer.write("c")
    assert stream.getvalue() == "a\nC\n"


async def test_a_file_that_opens_with_the_first_line(
    logger: logging.Logger, tmp_path: Path
) -> None:
    handler = logging.FileHandler(tmp_path / "log", delay=True, encoding="utf-8")
    logger.addHandler(handler)
    writer = LineWriter(logger)
    for line in ("a", "b", "é"):
        writer.write(line)
    await asyncio.sleep(0)
    handler.close()
    assert (tmp_path / "log").read_text("utf-8") == "a\nb\né\n"


async def test_a_stream_that_fails_is_the_handlers_affair(
    logger: logging.Logger, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, whole = add(logger), add(logger)
    broken.close()
    failed: list[logging.LogRecord] = []
    monkeypatch.setattr(logger.handlers[0], "handleError", failed.append)
    writer = LineWriter(logger)
    writer.write("a")
    writer.write("b")
    await asyncio.sleep(0)
    assert whole.getvalue() == "a\nb\n"
    assert len(failed) == 1


def test_a_logger_may_be_anything_with_info(logger: logging.Logger) -> None:
    stream = add(logger)
    adapter = logging.LoggerAdapter(logger, {})
    LineWriter(adapter).write("100%")
    assert stream.getvalue() == "100%\n"


async def test_a_server_that_ends_has_written_all_lines(logger: logging.Logger) -> None:
    async def hello(request: web.Request) -> web.Response:
        return web.Response(text="hello")

    stream = add(logger)
    app = web.Application()
    app.router.add_get("/", hello)
    runner = web.AppRunner(app, access_log=logger, access_log_format="%r %s")
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
    writer.write(3 * b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    await reader.readuntil(b"hello")
    await runner.cleanup()
    writer.close()
    assert stream.getvalue().count("GET / HTTP/1.1 200\n") == 3
    assert stream.writes == 1
