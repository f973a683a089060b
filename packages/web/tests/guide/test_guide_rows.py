"""What the usage guide promises, row by row, and the test that shows each of it.

A row names tests as ``module:function``; a row without a test says why none can be.
"""

from __future__ import annotations

import ast
from functools import lru_cache
from pathlib import Path

import pytest

ROWS: dict[str, tuple[str, list[str] | str]] = {
    "S01": (
        "a handler is a coroutine function",
        ["test_guide_running:test_the_first_example_runs_until_ctrl_c"],
    ),
    "S02": (
        "a handler is a plain function",
        ["test_guide:test_a_plain_function_as_a_handler"],
    ),
    "S03": (
        "a handler is a method of an instance",
        ["test_guide:test_methods_of_a_class_as_handlers"],
    ),
    "S04": (
        "Response(body=), Response(text=), Response(headers=MultiDict(...))",
        [
            "test_guide:test_methods_of_a_class_as_handlers",
            "test_guide_uploads:test_the_upload_of_the_guide",
        ],
    ),
    "S05": (
        "StreamResponse: write() without await, drain()",
        ["test_guide:test_a_stream_is_written_with_and_without_await"],
    ),
    "S06": (
        "Application(), Application(loop=loop)",
        ["test_guide_addons:test_templates", "test_guide_addons:test_the_debug_toolbar"],
    ),
    "S07": (
        "router.add_route(method, path, handler)",
        ["test_guide_running:test_the_first_example_runs_until_ctrl_c"],
    ),
    "S08": (
        "make_handler() and loop.create_server()",
        ["test_guide_running:test_the_first_example_runs_until_ctrl_c"],
    ),
    "S09": (
        "finish_connections(timeout), app.finish()",
        [
            "test_guide_running:test_the_first_example_runs_until_ctrl_c",
            "test_guide_running:test_finish_connections_waits_for_a_handler",
            "test_guide_running:test_finish_connections_does_not_wait_for_ever",
        ],
    ),
    "S10": (
        "register_on_finish()",
        ["test_guide_running:test_what_is_registered_runs_when_the_application_finishes"],
    ),
    "S11": (
        "Ctrl-C ends run_forever()",
        ["test_guide_running:test_the_first_example_runs_until_ctrl_c"],
    ),
    "S12": ("variables in paths", ["test_guide:test_variable_routes"]),
    "S13": ("regular expressions in paths", ["test_guide:test_variable_routes"]),
    "S14": ("routes for any method", ["test_guide:test_any_method"]),
    "S15": (
        "which route wins",
        ["test_guide:test_the_literal_goes_before_the_pattern_and_the_pattern_before_the_rest"],
    ),
    "S16": ("named routes", ["test_guide:test_named_routes"]),
    "S17": ("url(query=)", ["test_guide:test_named_routes"]),
    "S18": ("url(parts=, query=)", ["test_guide:test_named_routes"]),
    "S19": ("url(filename=)", ["test_guide:test_a_named_directory"]),
    "S20": ("listing routes", ["test_guide:test_route_views"]),
    "S21": ("own conditions for routes", ["test_guide:test_a_second_routing_layer"]),
    "S22": ("templates", ["test_guide_addons:test_templates"]),
    "S23": (
        "sessions",
        [
            "test_guide_running:test_the_example_of_sessions",
            "test_guide_addons:test_a_session_is_kept_from_request_to_request",
        ],
    ),
    "S24": ("Expect: 100-continue", ["test_guide:test_by_default_the_body_is_asked_for"]),
    "S25": (
        "handlers for Expect",
        [
            "test_guide:test_an_expect_handler_refuses_before_the_body_is_sent",
            "test_guide:test_an_expect_handler_asks_for_the_body",
        ],
    ),
    "S26": ("request.version", ["test_guide:test_an_old_client_and_its_transport"]),
    "S27": (
        "request.transport",
        [
            "test_guide:test_an_old_client_and_its_transport",
            "test_guide:test_an_expect_handler_asks_for_the_body",
        ],
    ),
    "S28": (
        "forms and uploads",
        [
            "test_guide_uploads:test_the_upload_of_the_guide",
            "test_guide_uploads:test_the_upload_of_the_guide_from_curl",
        ],
    ),
    "S29": (
        "a limit for bodies",
        ["test_guide_uploads:test_a_body_has_a_limit"],
    ),
    "S30": ("WebSocketResponse and its arguments", ["test_guide:test_the_echo_websocket"]),
    "S31": ("async for msg in ws, msg.tp", ["test_guide:test_the_echo_websocket"]),
    "S32": (
        "sends without await",
        ["test_guide:test_many_tasks_may_write_to_one_websocket"],
    ),
    "S33": (
        "close(code=, message=)",
        ["test_guide:test_a_protocol_is_negotiated_and_a_close_has_a_reason"],
    ),
    "S34": (
        "ws.exception()",
        ["test_guide:test_a_protocol_is_negotiated_and_a_close_has_a_reason"],
    ),
    "S35": (
        "one task receives, many send",
        [
            "test_guide:test_one_task_receives",
            "test_guide:test_many_tasks_may_write_to_one_websocket",
        ],
    ),
    "S36": (
        "can_prepare(), protocol",
        ["test_guide:test_a_protocol_is_negotiated_and_a_close_has_a_reason"],
    ),
    "S37": ("no fallback for WebSockets", "says what there is not"),
    "S38": (
        "exceptions are returned or raised",
        ["test_guide_exceptions:test_exceptions_are_returned_or_raised"],
    ),
    "S39": (
        "the common constructor",
        ["test_guide_exceptions:test_each_exception_is_an_answer"],
    ),
    "S40": (
        "redirections take a location",
        ["test_guide_exceptions:test_each_exception_is_an_answer"],
    ),
    "S41": (
        "405 takes the methods",
        ["test_guide_exceptions:test_each_exception_is_an_answer"],
    ),
    "S42": ("the chart", ["test_guide_exceptions:test_the_chart_of_exceptions"]),
    "S43": (
        "the application holds data",
        ["test_guide:test_application_and_request_are_data_stores"],
    ),
    "S44": (
        "the request holds data",
        ["test_guide:test_application_and_request_are_data_stores"],
    ),
    "S45": ("how to name keys", "advice"),
    "S46": (
        "middleware factories",
        ["test_guide:test_factories_and_marked_middlewares_in_one_list"],
    ),
    "S47": (
        "middlewares see 404 and 405",
        ["test_guide:test_factories_and_marked_middlewares_in_one_list"],
    ),
    "S48": (
        "middlewares answer themselves",
        [
            "test_guide:test_a_middleware_may_forbid",
            "test_guide_addons:test_cross_origin_requests",
        ],
    ),
    "S49": ("on_response_prepare", ["test_guide:test_on_response_prepare"]),
    "S50": ("the other signals", ["test_guide:test_signals_of_a_life"]),
    "S51": ("the debug toolbar", ["test_guide_addons:test_the_debug_toolbar"]),
    "S52": ("no global variables", "advice"),
    "S53": (
        "settings of make_handler()",
        [
            "test_guide_running:test_the_settings_of_make_handler",
            "test_guide_running:test_there_is_no_access_log_unless_asked_for",
        ],
    ),
    "S54": ("comments under the page", "is about the page, not about the server"),
}


@lru_cache
def names_in(module: str) -> frozenset[str]:
    tree = ast.parse((Path(__file__).parent / f"{module}.py").read_text())
    return frozenset(
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
    )


def test_no_row_is_left_out() -> None:
    assert list(ROWS) == [f"S{number:02}" for number in range(1, 55)]


@pytest.mark.parametrize("row", ROWS)
def test_each_row_has_its_tests(row: str) -> None:
    _, shown_by = ROWS[row]
    assert shown_by
    if isinstance(shown_by, str):
        assert row in ("S37", "S45", "S52", "S54")
        return
    for test in shown_by:
        module, _, name = test.partition(":")
        assert name in names_in(module)
