"""Fuzz a connection with Atheris: ``python fuzz/fuzz_connection.py [SECONDS] [libFuzzer options]``.

The input is a role, a limit, places to cut and bytes. Whatever they are:

* only documented errors leave the package;
* any split of the bytes gives the same events and the same fault;
* both twins of the kernel make the same of them;
* the headers that were read can be written, and read back equal.

The pure twin runs under the fuzzer, as its coverage can be seen; the compiled one is compared with
it. The byte tables of the tests are the seeds. What it finds of use is kept in
``fuzz/corpus``, and so is what makes it stop.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import atheris

os.environ["HEADRACE_EXTENSIONS"] = "none"
sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

with atheris.instrument_imports(include=["headrace.http_parser"]):
    from headrace.http_parser import EndOfMessage, Limits, Request, Response, _scan_py

from cases import ACCEPTED, ACCEPTED_RESPONSES, REFUSED, REFUSED_RESPONSES
from drive import run

from headrace.http_parser import _scan_c
from headrace.http_parser._names import name_table

METHODS = (None, b"GET", b"HEAD", b"CONNECT")
SMALL = Limits(
    max_request_line=40,
    max_headers=4,
    max_header=30,
    max_head=120,
    max_chunk_extensions=20,
    max_trailers=60,
    max_leading_empty_lines=0,
)
LIMITS = (Limits(), SMALL)
CORPUS = Path(__file__).parent / "corpus"
# Bytes in front of the message: role and limits, and two places to cut.
PREFIX = 3


def check_splits(data: bytes, method: bytes | None, limits: Limits, cuts: tuple[int, int]) -> None:
    eof = bool(cuts[0] & 1)
    whole = run([data], method=method, limits=limits, eof=eof)
    low, high = sorted(cut % (len(data) + 1) for cut in cuts)
    pieces = [data[:low], data[low:high], data[high:]]
    assert run(pieces, method=method, limits=limits, eof=eof) == whole
    bytewise = [data[i : i + 1] for i in range(len(data))]
    assert run(bytewise, method=method, limits=limits, eof=eof) == whole
    for event in whole[0]:
        if isinstance(event, Request | Response):
            check_written(tuple(event.headers))
        elif isinstance(event, EndOfMessage):
            check_written(tuple(event.trailers))


def check_written(pairs: tuple[tuple[bytes, bytes], ...]) -> None:
    found = _scan_py.serialize_fields(pairs)
    assert found is not None
    assert _scan_c.serialize_fields(pairs) == found
    assert _scan_py.split_fields(found[0], 0) == pairs
    assert _scan_c.split_fields(found[0], 0) == pairs
    assert _scan_c.split_text(found[0], 0) == _scan_py.split_text(found[0], 0)
    assert _scan_c.split_text(found[0], 0, name_table(str)) == _scan_py.split_text(found[0], 0)


def check_twins(data: bytes, limits: Limits) -> None:
    heads = limits.max_request_line, limits.max_header, limits.max_headers, limits.max_head, ()
    trailers = limits.max_header, limits.max_headers, limits.max_trailers
    for name, arguments in (
        ("scan_request_head", heads),
        ("scan_response_head", heads),
        ("scan_trailers", trailers),
        ("scan_chunk_line", ()),
    ):
        pure = getattr(_scan_py, name)(data, 0, *arguments)
        assert getattr(_scan_c, name)(data, 0, *arguments) == pure, name
    head = _scan_py.scan_request_head(data, 0, *heads)
    known, rest = ((), 0) if head is None else (head[5], len(data) - head[4])
    for usual, length in (((), 0), (known, rest), (known, rest + 1)):
        whole = _scan_py.scan_whole_request(data, heads[:4], usual, length)
        assert _scan_c.scan_whole_request(data, heads[:4], usual, length) == whole


def check(data: bytes) -> None:
    """Check one input of the fuzzer."""
    if len(data) < PREFIX:
        return
    choice, *cuts = data[:PREFIX]
    message = data[PREFIX:]
    limits = LIMITS[choice & 1]
    check_twins(message, limits)
    check_splits(message, METHODS[choice >> 1 & 3], limits, (cuts[0], cuts[1]))


def write_seeds(folder: Path) -> None:
    """Write the byte tables as a corpus."""
    seeds = [(0, case.data) for case in (*ACCEPTED, *REFUSED)]
    seeds += [
        (2 * METHODS.index(case.method), case.data)
        for case in (*ACCEPTED_RESPONSES, *REFUSED_RESPONSES)
    ]
    for number, (choice, data) in enumerate(seeds):
        (folder / f"{number:03}").write_bytes(bytes([choice, 5, 20]) + data)


def main() -> None:
    seconds = sys.argv[1] if len(sys.argv) > 1 else "600"
    CORPUS.mkdir(exist_ok=True)
    write_seeds(CORPUS)
    options = [f"-max_total_time={seconds}", "-max_len=400", f"-artifact_prefix={CORPUS}/"]
    atheris.Setup([sys.argv[0], *options, *sys.argv[2:], str(CORPUS)], check)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
