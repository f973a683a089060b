"""WebSocket messages in both dialects."""

from __future__ import annotations

from headrace import testing, web
from headrace.web import MsgType, WSMsgType


def test_one_enum_has_two_names_and_two_cases() -> None:
    assert MsgType is WSMsgType
    assert WSMsgType.text is WSMsgType.TEXT
    assert {int(kind) for kind in testing.WSMsgType} == {int(kind) for kind in WSMsgType}


def test_a_message_is_a_triple() -> None:
    message = web.WSMessage(WSMsgType.TEXT, '{"a": 1}', None)
    assert message.tp is message.type
    assert message.json() == {"a": 1}
    kind, data, extra = message
    assert (kind, data, extra) == (WSMsgType.TEXT, '{"a": 1}', None)
