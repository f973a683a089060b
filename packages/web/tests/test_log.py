"""The access log: its atoms as a table, and that no request can forge an entry."""

from __future__ import annotations

import asyncio
import logging
import os
import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
from exchanges import FakeExchange, make_request

from headrace import web
from headrace.web._log import make_access_log
from headrace.web._log_format import _keep


class Records(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    logger = logging.getLogger("headrace.test_log")
    logger.propagate = False
    logger.setLevel(logging.INFO)
    logger.handlers = [Records()]
    yield logger
    logger.handlers = []


def lines(logger: logging.Logger) -> list[str]:
    return next(each.lines for each in logger.handlers if isinstance(each, Records))


def logged(logger: logging.Logger, log_format: str, seconds: float = 1.5, **request: Any) -> str:
    request.setdefault("exchange", FakeExchange(peername=("192.0.2.1", 5)))
    request.setdefault("headers", {"Referer": "/from", "X-Empty": ""})
    response = web.Response(text="body", status=201, headers={"X-Out": "out"})
    response.body_length = 4
    made = make_request(request.pop("target", "/path?query"), **request)
    web.AccessLogger(logger, log_format).log(made, response, seconds)
    return lines(logger)[-1]


ATOMS = [
    ("%a", "192.0.2.1"),
    ("%P", f"<{os.getpid()}>"),
    ("%r", "GET /path?query HTTP/1.1"),
    ("%s", "201"),
    ("%b", "4"),
    ("%T", "2"),
    ("%Tf", "1.500000"),
    ("%D", "1500000"),
    ("%{Referer}i", "/from"),
    ("%{referer}i", "/from"),
    ("%{X-Missing}i", "-"),
    ("%{X-Empty}i", ""),
    ("%{X-Out}o", "out"),
    ("%{X-Missing}o", "-"),
    ("%{HEADRACE_TEST}e", "value"),
    ("%{HEADRACE_MISSING}e", "-"),
    ("%%", "%"),
    ("%%s", "%s"),
    ("%s%b", "2014"),
    ("%T f", "2 f"),
    ("plain", "plain"),
    ("", ""),
    ("{%s} %%d %b", "{201} %d 4"),
]


@pytest.mark.parametrize(("atom", "text"), ATOMS, ids=[atom for atom, _ in ATOMS])
def test_atoms(
    logger: logging.Logger, monkeypatch: pytest.MonkeyPatch, atom: str, text: str
) -> None:
    monkeypatch.setenv("HEADRACE_TEST", "value")
    monkeypatch.delenv("HEADRACE_MISSING", raising=False)
    assert logged(logger, atom) == text


def test_the_time_is_when_the_request_came(logger: logging.Logger) -> None:
    pattern = r"\[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\]"
    assert re.fullmatch(pattern, logged(logger, "%t"))
    assert "1970" in logged(logger, "%t", seconds=time.time() - 86400 * 100)


def test_an_unknown_client_is_a_dash(logger: logging.Logger) -> None:
    assert logged(logger, "%a", exchange=FakeExchange()) == "-"


def test_the_default_format(logger: logging.Logger) -> None:
    line = logged(logger, web.AccessLogger.LOG_FORMAT)
    assert re.fullmatch(r'192\.0\.2\.1 \[.+\] "GET /path\?query HTTP/1\.1" 201 4 "/from" "-"', line)


UNKNOWN = ["%", "100%", "%x", "%d", "%O", "%{Referer}", "%{a b}i", "%{}i", "%{X}x", "%s %", "%%%"]


@pytest.mark.parametrize("log_format", UNKNOWN)
def test_an_unknown_atom_is_an_error_at_once(logger: logging.Logger, log_format: str) -> None:
    with pytest.raises(ValueError, match="unknown atom") as caught:
        web.AccessLogger(logger, log_format)
    assert repr(log_format) in str(caught.value)


FORGED = [
    ('x" 200 5 "', r'"x\" 200 5 \""'),
    ("a\\", r'"a\\"'),
    ('a\\" 200', r'"a\\\" 200"'),
    ("a\tb", r'"a\tb"'),
    ("a\r\nb", r'"a\r\nb"'),
    ("a\x1b[31mb", r'"a\x1b[31mb"'),
    ("a\u2028b", r'"a\u2028b"'),
    ('"\u202e\\', r'"\"\u202e\\"'),
    ("a\udcffb", r'"a\udcffb"'),
    ("é 日本", '"é 日本"'),
    ("%s %(x)s {0}", '"%s %(x)s {0}"'),
]


@pytest.mark.parametrize(("value", "text"), FORGED)
def test_a_field_cannot_forge_an_entry(logger: logging.Logger, value: str, text: str) -> None:
    line = logged(logger, '"%{User-Agent}i"', headers={"User-Agent": value})
    assert line == text
    assert line.isprintable()
    line.encode()


def test_what_is_kept_of_earlier_requests_is_theirs_alone(logger: logging.Logger) -> None:
    log_format = '%a "%r" "%{User-Agent}i"'
    access_log = web.AccessLogger(logger, log_format)
    for number in [*range(1100), *range(1100)]:
        exchange = FakeExchange(peername=(f"192.0.2.{number}", 5))
        agent = {"User-Agent": f'a"{number}'}
        request = make_request(f"/{number}\\", headers=agent, exchange=exchange)
        access_log.log(request, web.Response(), 0.0)
        line = f'192.0.2.{number} "GET /{number}\\\\ HTTP/1.1" "a\\"{number}"'
        assert lines(logger)[-1] == line


def test_what_is_kept_is_bounded() -> None:
    kept, add = _keep("{}".format, 10)
    for number in range(95):
        assert add(number) == kept(number) == str(number)
        assert sum(kept(n) is not None for n in range(95)) <= 10
    assert add("a" * 1001) == "a" * 1001
    assert kept("a" * 1001) is None


def test_a_text_that_is_long_is_made_each_time(logger: logging.Logger) -> None:
    access_log = web.AccessLogger(logger, '"%{User-Agent}i"')
    for agent in ("a" * 2000, 'b"' * 2000, "a" * 2000):
        access_log.log(make_request("/", headers={"User-Agent": agent}), web.Response(), 0.0)
        assert lines(logger)[-1] == '"' + agent.replace('"', '\\"') + '"'


NEIGHBOURS = [
    ("%%%s%%%%%r%%", "%201%%GET /path?query HTTP/1.1%"),
    ("%s%s %r%s", "201201 GET /path?query HTTP/1.1201"),
    ("<%a><%a>%b<%a>", "<192.0.2.1><192.0.2.1>4<192.0.2.1>"),
    ("{%{referer}i}{%{X-Empty}i%{X-Missing}i}%b{%{REFERER}i}", "{/from}{-}4{/from}"),
    ("%{X-Out}o%{Referer}i'%a\"%s'", "out/from'192.0.2.1\"201'"),
]


@pytest.mark.parametrize(("log_format", "line"), NEIGHBOURS)
def test_atoms_do_not_disturb_their_neighbours(
    logger: logging.Logger, log_format: str, line: str
) -> None:
    assert logged(logger, log_format) == line


async def test_a_line_is_the_same_for_who_is_told_when_the_request_began(
    logger: logging.Logger,
) -> None:
    for log_format, expected in [*ATOMS, *NEIGHBOURS]:
        if re.search("%T|%D|}e", log_format):
            continue
        made = make_access_log(web.AccessLogger, logger, log_format)
        assert made is not None
        exchange = FakeExchange(peername=("192.0.2.1", 5))
        headers = {"Referer": "/from", "X-Empty": ""}
        response = web.Response(text="body", status=201, headers={"X-Out": "out"})
        response.body_length = 4
        made(make_request("/path?query", headers=headers, exchange=exchange), response, 0.0)
        assert lines(logger)[-1] == expected


async def test_times_of_requests_that_began_at_a_time_of_the_loop(logger: logging.Logger) -> None:
    now = asyncio.get_running_loop().time()
    made = make_access_log(web.AccessLogger, logger, "%t %T %Tf %D")
    assert made is not None
    days = (100, 0, 100, 50)
    for day in days:
        made(make_request(), web.Response(), now - day * 86400)
    for day, line in zip(days, lines(logger), strict=True):
        stamp, whole, fraction, micro = line.rsplit(" ", 3)
        began = time.mktime(time.strptime(stamp[1:21], "%d/%b/%Y:%H:%M:%S"))
        assert abs(time.time() - day * 86400 - began) < 60 + 3600  # an hour for clocks put forward
        assert 0 <= int(whole) - day * 86400 < 60
        assert float(fraction) * 1e6 == pytest.approx(int(micro), rel=1e-3)


def test_what_no_logger_takes_is_not_made(logger: logging.Logger) -> None:
    made = make_access_log(web.AccessLogger, logger, "%s")
    assert made is not None
    made(make_request(), web.Response(), 0.0)
    assert lines(logger) == ["200"]
    logger.setLevel(logging.WARNING)
    assert make_access_log(web.AccessLogger, logger, "%s") is None
    assert make_access_log(web.AccessLogger, None, "%s") is None


async def test_own_access_loggers(logger: logging.Logger) -> None:
    class Own(web.AbstractAccessLogger):
        def log(self, request: web.BaseRequest, response: web.StreamResponse, time: float) -> None:
            self.logger.warning("%s %s %s", self.log_format, response.status, time)

    logger.setLevel(logging.ERROR)
    made = make_access_log(Own, logger, "format")
    assert made is not None, "enabled unless it says otherwise"
    logger.setLevel(logging.WARNING)
    made(make_request(), web.Response(), asyncio.get_running_loop().time() - 3600)
    (line,) = lines(logger)
    assert re.fullmatch(r"format 200 36\d\d\..+", line)


def test_log_is_abstract(logger: logging.Logger) -> None:
    with pytest.raises(TypeError, match="abstract"):
        web.AbstractAccessLogger(logger, "")  # type: ignore[abstract]
