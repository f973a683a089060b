"""Opcodes and close codes are the numbers of the RFC and the IANA registries."""

from __future__ import annotations

import pytest

from headrace.websocket import CloseCode, Opcode
from headrace.websocket._codes import may_travel


def test_opcodes() -> None:  # RFC 6455, 11.8
    assert {int(opcode) for opcode in Opcode} == {0, 1, 2, 8, 9, 10}


@pytest.mark.parametrize("code", [1000, 1001, 1002, 1003, *range(1007, 1015), 3000, 3999, 4999])
def test_codes_that_travel(code: int) -> None:  # 7.4
    assert may_travel(code)


@pytest.mark.parametrize("code", [-1, 0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65536])
def test_codes_that_do_not(code: int) -> None:  # 7.4
    assert not may_travel(code)


def test_codes_have_names() -> None:
    assert CloseCode(1009) is CloseCode.TOO_BIG
    assert {code for code in CloseCode if not may_travel(code)} == {1005, 1006, 1015}
