"""Formats of the access log, made into functions that write lines.

A request costs as much of its line as it says: a format becomes one f-string, and the texts of
values that come again and again are kept.
"""

from __future__ import annotations

import ast
import asyncio
import datetime
import itertools
import math
import os
import re
import time
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from ._headers import HttpVersion, HttpVersion11
from ._lines import LineWriter
from ._request import BaseRequest
from ._stream_response import StreamResponse

#: Logs an answer. It is told when the request began, in the time of its loop, or how long it took,
#: in seconds.
Log = Callable[[BaseRequest, StreamResponse, float], None]


_ATOM = re.compile(r"%(?:\{([A-Za-z0-9\-_]+)\}([ioe])|(Tf|[atPrsbTD%]))")

#: How many texts are kept for an atom, and of how many characters at the most: a text and what it
#: was made of are 8 KB at the worst, those of an atom 2 MiB, and clients have short addresses.
_CLIENTS: Final = 1024
_TEXTS: Final = 256
_LONGEST: Final = 1000


def _keep(
    make: Callable[[Any], str], size: int
) -> tuple[Callable[[Any], str | None], Callable[[Any], str]]:
    """Keep what *make* makes of the values that came lately, *size* at the most, and no long texts.

    Requests are much the same again and again, and to look a text up takes a fraction of a call.

    Returns:
        What returns the text of a value if it is kept, and what makes and keeps one that is not.
    """
    kept: dict[Any, str] = {}

    def add(value: Any) -> str:
        made = make(value)
        if len(made) <= _LONGEST:
            if len(kept) >= size:
                kept.clear()
            kept[value] = made
        return made

    return kept.get, add


def _stamp(second: int) -> str:
    """Format a second since the epoch."""
    local = datetime.datetime.fromtimestamp(second).astimezone()
    return local.strftime("[%d/%b/%Y:%H:%M:%S %z]")


def _printable(value: str) -> str:
    """Escape what could end a quoted field or the line: a request must not forge a log entry."""
    if not value.isprintable():
        value = value.encode("unicode_escape").decode("ascii")
    else:
        value = value.replace("\\", "\\\\")
    return value.replace('"', '\\"')


def _protocol(version: HttpVersion) -> str:
    return "HTTP/{}.{}".format(*version)


def _find_each(request: BaseRequest, names: tuple[bytes, ...]) -> tuple[bytes | None, ...]:
    """Do as `Headers.find_each` for fields that are not as they were received."""
    return tuple([request._find(name) for name in names])


class _Atom(NamedTuple):
    letter: str
    name: str  # of a field or variable
    literal: str  # what follows


#: What stands for an atom: f-strings.
_ATOMS: Final = {
    "P": "<{getpid()}>",
    "s": "{numbers[response._status]}",
    "b": "{numbers[b] if (b := response.body_length) < 1000 else b}",
    "T": "{round(seconds)}",
    "Tf": "{seconds:06f}",
    "D": "{round(seconds * 1_000_000)}",
    "o": "{printable(response.headers.get(NAME, '-'))}",
    "e": "{printable(environ.get(NAME, '-'))}",
}
#: What stands in a text that is kept for the value k.
_KEPT: Final = {
    "a": "{printable(k or '-')}",
    "t": "{stamp(k)}",
    "r": "{k[0]} {printable(k[1])} {'HTTP/1.1' if k[2] is http11 else protocol(k[2])}",
    "s": "{numbers[k[3]]}",
    "i": "{'-' if k is None else printable(k.decode('utf-8', 'surrogateescape'))}",
}
#: What atoms are made of whose text is kept, in common where they are neighbours.
_SOURCES: Final = {"a": "client", "t": "time", "r": "line", "s": "line", "i": "fields"}
_CLIENT: Final = "request._remote or request._exchange.remote"
_LINE: Final = "(request.method, request._target, request.version, response._status)"
_NAMES: Final[dict[str, Any]] = {
    "environ": os.environ,
    "find_each": _find_each,
    "getpid": os.getpid,
    "http11": HttpVersion11,
    "numbers": [*map(str, range(1000))],
    "printable": _printable,
    "protocol": _protocol,
    "running": asyncio.get_running_loop,
    "stamp": _stamp,
    "time": time.time,
}


def _pieces(source: str) -> list[ast.expr]:
    """Return the pieces of an f-string."""
    parsed = ast.parse(f'f"""{source}"""', mode="eval").body
    assert isinstance(parsed, ast.JoinedStr)
    return parsed.values


def _literal(text: str) -> list[ast.expr]:
    return [ast.Constant(text)] if text else []


class _Form(NamedTuple):
    """What a function that logs is told of the time."""

    argument: str
    seconds: str  # that the answer took
    started: str  # when the request began, in a time that may have begun anywhere
    moment: str  # the same in seconds since the epoch


TOOK: Final = _Form("seconds", "seconds", "time() - seconds", "started")
BEGAN: Final = _Form(
    "started",
    "running().time() - started",
    "started",
    "time() - (running().time() - started)",
)
# Fields as they were received are asked without a detour; those of other requests cannot be.
_FIND: Final = """
    try:
        fields{0} = request._raw_headers.find_each(names{0})
    except AttributeError:
        fields{0} = find_each(request, names{0})
"""
# What an instance has is called quicker when it was given a name first.
_WRITE: Final = """
    write = lines.write
    write("")
"""


class _Function:
    """A function that logs while it is made: its statements, its names, and the line's pieces.

    A line is one f-string of few pieces. A text that is kept has in it what stands around it: the
    literals before and after, and the atoms next to it that are made of the same.
    """

    def __init__(self, form: _Form, lines: LineWriter) -> None:
        self._form = form
        self._statements = ""
        self._names = {**_NAMES, "lines": lines}
        self._pieces: list[ast.expr] = []

    def make(self) -> Log:
        """Return the function of what was added."""
        form = self._form
        used = {
            node.id
            for piece in self._pieces
            for node in ast.walk(piece)
            if isinstance(node, ast.Name)
        }
        source = f"def log(request, response, {form.argument}):\n"
        for name in {"seconds", "started"} & used - {form.argument}:
            source += f"    {name} = {getattr(form, name)}\n"
        module: Any = ast.parse(source + self._statements + _WRITE)
        module.body[0].body[-1].value.args = [ast.JoinedStr(self._pieces)]
        code = compile(ast.fix_missing_locations(module), "<access log format>", "exec")
        exec(code, self._names)  # noqa: S102 (of our own atoms)
        log: Log = self._names["log"]
        return log

    def add(self, *pieces: ast.expr) -> None:
        """Add pieces of the line."""
        self._pieces += pieces

    def _maker(self, before: str, atoms: list[_Atom]) -> Callable[[Any], str]:
        """Return what makes a value into the text of some atoms and of the literals around them."""
        pieces = _literal(before)
        for atom in atoms:
            pieces += _pieces(_KEPT[atom.letter])
            pieces += _literal(atom.literal)
        made: Any = ast.parse("lambda k: k", mode="eval")
        made.body.body = ast.JoinedStr(pieces)
        code = compile(ast.fix_missing_locations(made), "<access log format>", "eval")
        maker: Callable[[Any], str] = eval(code, self._names)  # noqa: S307 (of our own atoms)
        return maker

    def _kept(self, key: str, size: int, before: str, atoms: list[_Atom]) -> None:
        """Add the text of atoms and literals, kept for the value of *key*, an expression."""
        number = len(self._names)
        kept, add = _keep(self._maker(before, atoms), size)
        self._names |= {f"kept{number}": kept, f"add{number}": add}
        self.add(*_pieces(f"{{kept{number}(k := {key}) or add{number}(k)}}"))

    def client(self, before: str, atoms: list[_Atom]) -> None:
        """Add the address of the client."""
        self._kept(_CLIENT, _CLIENTS, before, atoms)

    def line(self, before: str, atoms: list[_Atom]) -> None:
        """Add the line of the request, and the status where it is next to it."""
        self._kept(_LINE, _TEXTS, before, atoms)

    def fields(self, before: str, atoms: list[_Atom]) -> None:
        """Add fields of the request."""
        number = len(self._names)
        self._names[f"names{number}"] = tuple([atom.name.lower().encode() for atom in atoms])
        self._statements += _FIND.format(number)
        for index, atom in enumerate(atoms):
            self._kept(f"fields{number}[{index}]", _TEXTS, "" if index else before, [atom])

    def time(self, before: str, atoms: list[_Atom]) -> None:
        """Add when the request began, formatted once for each second.

        How a loop's time and the world's go together is looked at when a second is formatted.
        """
        number = len(self._names)
        text, since, until = f"text{number}", f"since{number}", f"until{number}"
        names = self._names
        make = self._maker(before, atoms)

        def new(started: float, moment: float) -> str:
            """Format *moment*, which is *started* in seconds since the epoch."""
            second = math.floor(moment)
            names[text] = made = make(second)
            names[since] = start = started - (moment - second)
            names[until] = start + 1.0
            return made

        names |= {text: "", since: 0.0, until: 0.0, f"new{number}": new}
        within = f"{since} <= started and started < {until}"
        self.add(*_pieces(f"{{{text} if {within} else new{number}(started, {self._form.moment})}}"))


def _parse(log_format: str) -> tuple[str, list[_Atom]]:
    """Return the literal before the first atom, and the atoms.

    Raises:
        ValueError: The format holds an unknown atom.
    """
    first, *parts = _ATOM.split(log_format)
    if any("%" in literal for literal in (first, *parts[3::4])):
        raise ValueError(f"access log format {log_format!r} has an unknown atom")
    atoms = [_Atom("%", "", first)]
    for name, source, letter, literal in zip(*[iter(parts)] * 4, strict=True):
        if letter == "%":
            last = atoms.pop()
            atoms.append(last._replace(literal=f"{last.literal}%{literal}"))
        else:
            atoms.append(_Atom(source or letter, name or "", literal))
    return atoms[0].literal, atoms[1:]


def compile_format(log_format: str, lines: LineWriter, form: _Form) -> Log:
    """Make a format into a function with one f-string: a line costs no more than what it says.

    Raises:
        ValueError: The format holds an unknown atom.
    """
    before, atoms = _parse(log_format)
    function = _Function(form, lines)
    for source, group in itertools.groupby(atoms, lambda atom: _SOURCES.get(atom.letter)):
        neighbours = list(group)
        if source is None or all(atom.letter == "s" for atom in neighbours):
            for atom in neighbours:
                source = _ATOMS[atom.letter].replace("NAME", repr(atom.name))
                function.add(*_literal(before), *_pieces(source))
                before = atom.literal
        else:
            add: Callable[[str, list[_Atom]], None] = getattr(function, source)
            add(before, neighbours)
            before = ""
    function.add(*_literal(before))
    return function.make()
