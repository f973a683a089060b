"""A parsed pattern: the segments the tree is made of, and the way back to a path.

Each segment is one of four steps, best first: a literal, a constrained segment (a regex, a
converter, or several variables), a plain variable, and a rest that runs to the end of the path.
Steps with equal shapes accept the same text. Matchers take normal text and answer the values, or
None.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from ._converters import Converter
from ._errors import BuildError, PatternError
from ._quoting import decode, encode, escape
from ._syntax import Piece, Variable, flatten, parse_pieces

__all__ = ["EVERYTHING", "Kind", "Pattern", "Step"]

Values = tuple[Any, ...]
Matcher = Callable[[str], Values | None]
Convert = Callable[[str], Any]


# The shape of a rest that accepts any text.
EVERYTHING = "{:.*}"


class Kind:
    """The order of precedence of the steps at one position."""

    LITERAL = 0
    CONSTRAINED = 1
    PLAIN = 2
    REST = 3


class Step(NamedTuple):
    """One segment of a pattern, or, for a rest, all that remain."""

    kind: int
    shape: str
    match: Matcher | None  # None: a literal, which is its shape


class Pattern:
    """What a route's path means.

    Args:
        text: the pattern.
        prefix: it stands for everything below it, too.
        spanning: for a host read as a path, the only variables that may take several labels;
            literals of a host are in lower case.

    Raises:
        PatternError: when the text is not a pattern.
    """

    __slots__ = ("names", "pieces", "prefix", "static", "steps", "text", "variables")

    def __init__(
        self, text: str, *, prefix: bool = False, spanning: Collection[str] | None = None
    ) -> None:
        self.text = text
        self.prefix = prefix
        self.pieces = parse_pieces(text)
        if spanning is not None:
            self.pieces = tuple(_confined(piece, spanning) for piece in self.pieces)
        self.variables = tuple(piece for piece in self.pieces if isinstance(piece, Variable))
        self.names = tuple(variable.name for variable in self.variables)
        self.static = None
        if not self.variables and not prefix:
            self.static = "".join(map(str, self.pieces))
        try:
            self.steps = tuple(_steps(self.pieces))
        except re.error as error:
            raise PatternError(
                text, 0, f"the variables' regexes can not stand together: {error.msg}"
            ) from None
        if prefix and any(step.kind == Kind.REST for step in self.steps):
            raise PatternError(text, 0, "a prefix can not hold a variable that spans segments")

    @property
    def canonical(self) -> str:
        """The pattern without its regexes, as '/users/{user}'."""
        return "".join(
            f"{{{piece.name}}}" if isinstance(piece, Variable) else encode(piece)
            for piece in self.pieces
        )

    def build(self, parts: Mapping[str, object]) -> str:
        """Return the raw path for these parts.

        Raises:
            BuildError: when a part is missing, unknown, or of a value that would not come back.
        """
        names = self.names
        if parts.keys() != set(names):
            raise BuildError(
                self.text,
                missing=tuple(name for name in names if name not in parts),
                extra=tuple(name for name in parts if name not in names),
            )
        normal = "".join(
            piece if isinstance(piece, str) else self._format(piece, parts[piece.name])
            for piece in self.pieces
        )
        self._check(normal, parts)
        try:
            return encode(normal)
        except UnicodeEncodeError:
            raise BuildError(self.text, "a value holds a lone surrogate") from None

    def _format(self, variable: Variable, value: object) -> str:
        text = _format_value(variable.converter, value)
        if text is None:
            wanted = variable.converter.name if variable.converter else "str or int"
            raise BuildError(self.text, f"part {variable.name!r} is {value!r}, expected {wanted}")
        if variable.spans:
            return "/".join(map(escape, text.split("/")))
        return escape(text)

    def _check(self, normal: str, parts: Mapping[str, object]) -> None:
        """Refuse a path that would not resolve back to the same parts."""
        if normal.startswith("//"):
            # RFC 3986, section 4.2: a reference that starts so names a host, not a path.
            raise BuildError(self.text, "a URL that starts with '//' would name a host")
        if not {".", ".."}.isdisjoint(normal.split("/")):
            # RFC 3986, section 5.2.4: clients remove dot segments before they send the path.
            raise BuildError(self.text, "a segment would be '.' or '..', which clients remove")
        values = self.match(normal)
        if values is None:
            raise BuildError(self.text, f"the parts {dict(parts)!r} do not match the pattern")
        for name, value in zip(self.names, values, strict=True):
            if value != parts[name] and str(value) != str(parts[name]):
                raise BuildError(
                    self.text, f"part {name!r} is {parts[name]!r} but would be read as {value!r}"
                )

    def match(self, normal: str) -> Values | None:
        """Match this pattern alone against a path in normal form (a prefix: that path alone)."""
        segments = normal.split("/")
        captured: Values = ()
        for index, step in enumerate(self.steps, 1):
            if index >= len(segments):
                return None
            if step.kind == Kind.REST:
                rest = step.match("/".join(segments[index:])) if step.match else None
                return None if rest is None else captured + rest
            values = step.match(segments[index]) if step.match else ()
            if values is None or (step.match is None and segments[index] != step.shape):
                return None
            captured += values
        return captured if len(segments) == len(self.steps) + 1 else None


def _match_plain(segment: str) -> Values | None:
    """Match a plain variable: any segment that is neither empty nor holds a raw brace."""
    if not segment or "{" in segment or "}" in segment:
        return None
    return (decode(segment),)


def _confined(piece: Piece, spanning: Collection[str]) -> Piece:
    if isinstance(piece, str):
        return piece.lower()
    return piece if piece.name in spanning else piece._replace(spans=False)


def _format_value(converter: Converter | None, value: object) -> str | None:
    if isinstance(value, str):
        return value
    if converter is None:
        return str(value) if type(value) is int else None
    wanted = (float, int) if converter.type is float else converter.type
    if isinstance(value, bool) or not isinstance(value, wanted):
        return None
    try:
        return converter.format(value)
    except (ValueError, AttributeError, OverflowError):
        return None


def _steps(pieces: tuple[Piece, ...]) -> Iterator[Step]:
    segments = _split(pieces)
    for index, segment in enumerate(segments):
        if any(isinstance(piece, Variable) and piece.spans for piece in segment):
            yield _rest_step(segments[index:])
            return
        yield _segment_step(segment)


def _split(pieces: tuple[Piece, ...]) -> list[list[Piece]]:
    """Group the pieces by segment, the empty one before the first slash left out."""
    segments: list[list[Piece]] = [[]]
    for piece in pieces:
        if isinstance(piece, Variable):
            segments[-1].append(piece)
            continue
        first, *others = piece.split("/")
        if first:
            segments[-1].append(first)
        segments.extend([text] if text else [] for text in others)
    return segments[1:]


def _shape(segment: list[Piece]) -> str:
    return "".join(piece if isinstance(piece, str) else piece.shape for piece in segment)


def _segment_step(segment: list[Piece]) -> Step:
    variables = [piece for piece in segment if isinstance(piece, Variable)]
    if not variables:
        return Step(Kind.LITERAL, _shape(segment), None)
    if len(segment) == 1 and variables[0].plain:
        return Step(Kind.PLAIN, "{}", _match_plain)
    if len(segment) == 1:
        match = _one_matcher(variables[0].regex, variables[0].converter)
    elif all(variable.plain for variable in variables):
        match = _separated_matcher(tuple(segment))
    else:
        match = _regex_matcher([segment])
    return Step(Kind.CONSTRAINED, _shape(segment), match)


def _rest_step(segments: list[list[Piece]]) -> Step:
    shape = "/".join(map(_shape, segments))
    if shape in (EVERYTHING, "{:path}"):
        return Step(Kind.REST, EVERYTHING, _anything)
    return Step(Kind.REST, shape, _regex_matcher(segments))


def _anything(text: str) -> Values:
    return (decode(text),)


@lru_cache(maxsize=512)
def _one_matcher(regex: str, converter: Converter | None) -> Matcher:
    """Match a segment that is one variable; shared between the patterns that use the same."""
    fullmatch = re.compile(flatten(regex), re.DOTALL).fullmatch
    if converter is not None:
        parse = converter.parse

        def match_converted(segment: str) -> Values | None:
            if fullmatch(segment) is None:
                return None
            try:
                # No converter of one segment accepts a percent sign: there is nothing to decode.
                return (parse(segment),)
            except ValueError:
                return None

        return match_converted

    def match_regex(segment: str) -> Values | None:
        return None if fullmatch(segment) is None else (decode(segment),)

    return match_regex


def _separated_matcher(segment: tuple[Piece, ...]) -> Matcher:
    """Match plain variables with literals between them, in linear time.

    A regex would take the longest text for the first variable, then for the second, and so on;
    that is each separator at its last possible place, found from the right without backtracking.
    """
    before, after = _edge(segment[0]), _edge(segment[-1])
    gaps = _gaps(segment)
    shortest = len(before) + len(after)

    def match(segment: str) -> Values | None:
        if len(segment) <= shortest or "{" in segment or "}" in segment:
            return None
        if not segment.startswith(before) or not segment.endswith(after):
            return None
        values = []
        start, end = len(before), len(segment) - len(after)
        for gap in gaps:
            found = segment.rfind(gap, start + 1, end - 1)
            if found < 0:
                return None
            values.append(decode(segment[found + len(gap) : end]))
            end = found
        values.append(decode(segment[start:end]))
        return tuple(reversed(values))

    return match


def _edge(piece: Piece) -> str:
    return piece if isinstance(piece, str) else ""


def _gaps(segment: tuple[Piece, ...]) -> tuple[str, ...]:
    """Return the literals between the variables, the last one first."""
    gaps: list[str] = []
    literal: str | None = None
    for piece in segment:
        if isinstance(piece, str):
            literal = piece
        else:
            if literal is not None:
                gaps.append(literal)
            literal = ""
    if isinstance(segment[0], str):
        del gaps[0]
    return tuple(reversed(gaps))


def _regex_matcher(segments: list[list[Piece]]) -> Matcher:
    pieces = [piece for segment in segments for piece in (*segment, "/")][:-1]
    variables = [piece for piece in pieces if isinstance(piece, Variable)]
    regex = "".join(
        re.escape(piece) if isinstance(piece, str) else f"(?P<{piece.name}>{flatten(piece.regex)})"
        for piece in pieces
    )
    fullmatch = re.compile(regex, re.DOTALL).fullmatch
    names = tuple(variable.name for variable in variables)
    converts: tuple[Convert, ...] = tuple(
        variable.converter.parse if variable.converter else str for variable in variables
    )

    def match(text: str) -> Values | None:
        found = fullmatch(text)
        if found is None:
            return None
        texts = found.group(*names) if len(names) > 1 else (found[1],)
        try:
            return tuple(
                convert(decode(text)) for convert, text in zip(converts, texts, strict=True)
            )
        except ValueError:
            return None

    return match
