"""``/ws``: the chat. Messages are JSON objects with a ``type``.

A window sends:

``name``      ``name``: enters under this name, or changes it
``say``       ``text``: says something to everybody

and gets:

``welcome``   ``you``, ``server``, ``people``, ``history``, ``limits``: the answer to its first name
``message``   ``id``, ``at``, ``person``, ``name``, ``text``: somebody said something
``joined``, ``left``, ``renamed``   ``at``, ``person``, ``name`` (and ``old``), ``people``
``error``     ``text``: what was sent cannot be taken

Nobody waits for anybody: what is said is encoded once and queued for each window, and a window
that does not keep up is closed (1008) when too much waits for it. One whose cable was pulled is
found out by the heartbeat. A window that talks too fast is read more slowly.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any

from headrace import web

from ._pace import Pace
from ._settings import Settings
from ._text import Unfit, clean_name, clean_text

#: Bytes of one message on the wire: the longest text with every character escaped, and room.
MAX_FRAME = 16 * 1024
#: Seconds that a window gets to answer a good-bye.
CLOSE_TIMEOUT = 3.0


def now() -> str:
    """Return the time as the page reads it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


class Person:
    """A window in the chat; it has a name once it has told one."""

    def __init__(self, ws: web.WebSocketResponse) -> None:
        self.id = secrets.token_hex(4)
        self.name = ""
        self.ws = ws

    def post(self, message: dict[str, Any]) -> None:
        """Queue a message for this window alone."""
        with suppress(web.ClientConnectionResetError):  # receiving ends too, and cleans up
            self.ws.send_json(message)


class Room:
    """The people, what was said last, and the rules."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.server = secrets.token_hex(4)
        self.messages = 0
        self._windows: set[web.WebSocketResponse] = set()
        self._people: dict[str, Person] = {}
        self._history: deque[dict[str, Any]] = deque(maxlen=settings.history)

    @property
    def online(self) -> int:
        """How many people have a name."""
        return len(self._people)

    @contextmanager
    def place(self, ws: web.WebSocketResponse) -> Iterator[None]:
        """Hold one of the places for windows.

        Raises:
            HTTPServiceUnavailable: All are taken.
        """
        if len(self._windows) >= self.settings.max_people:
            raise web.HTTPServiceUnavailable(text="The room is full.", headers={"Retry-After": "5"})
        self._windows.add(ws)
        try:
            yield
        finally:
            self._windows.discard(ws)

    def receive(self, person: Person, data: str) -> None:
        """Take what a window sent."""
        try:
            self._take(person, json.loads(data))
        except Unfit as error:
            person.post({"type": "error", "text": str(error)})
        except (LookupError, TypeError, ValueError, RecursionError):
            person.post({"type": "error", "text": "That is no message of this chat."})

    def _take(self, person: Person, message: dict[str, Any]) -> None:
        kind = message["type"]
        if kind == "name":
            self._name(person, clean_name(message["name"], self.settings.max_name))
        elif kind != "say":
            raise ValueError(kind)
        elif not person.name:
            raise Unfit("Tell your name first.")
        else:
            self._say(person, clean_text(message["text"], self.settings.max_text))

    def leave(self, person: Person) -> None:
        """Forget a window whose connection has ended."""
        if self._people.pop(person.id, None) is not None:
            self._announce("left", person)

    def _name(self, person: Person, name: str) -> None:
        old, person.name = person.name, name
        if not old:
            self._people[person.id] = person
            self._welcome(person)
            self._announce("joined", person, but=person)
        elif old != name:
            self._announce("renamed", person, old=old)

    def _welcome(self, person: Person) -> None:
        welcome = {
            "type": "welcome",
            "you": person.id,
            "server": self.server,
            "people": self._list(),
            "history": list(self._history),
            "limits": {"name": self.settings.max_name, "text": self.settings.max_text},
        }
        person.post(welcome)

    def _say(self, person: Person, text: str) -> None:
        self.messages += 1
        message = {
            "type": "message",
            "id": self.messages,
            "at": now(),
            "person": person.id,
            "name": person.name,
            "text": text,
        }
        self._history.append(message)
        self._post(message)

    def _announce(self, kind: str, person: Person, but: Person | None = None, **more: str) -> None:
        notice = {"type": kind, "at": now(), "person": person.id, "name": person.name, **more}
        self._post({**notice, "people": self._list()}, but)

    def _list(self) -> list[dict[str, str]]:
        return [{"id": person.id, "name": person.name} for person in self._people.values()]

    def _post(self, message: dict[str, Any], but: Person | None = None) -> None:
        windows = [person.ws for person in self._people.values() if person is not but]
        web.broadcast(windows, json.dumps(message))


ROOM: web.AppKey[Room] = web.AppKey("ROOM", Room)


async def converse(room: Room, person: Person) -> None:
    """Take what a window sends, not faster than its pace, until its connection ends."""
    pace = Pace(room.settings.burst, room.settings.pace)
    async for message in person.ws:
        if message.type is not web.WSMsgType.TEXT:
            break
        pause = pace.delay(asyncio.get_running_loop().time())
        if pause > 0:
            await asyncio.sleep(pause)
            if person.ws.closed:
                break  # what it said too fast leaves with it
        room.receive(person, message.data)
        await asyncio.sleep(0)  # one message at a time: what it causes goes out before the next


async def chat(request: web.Request) -> web.WebSocketResponse:
    """Serve one window of the chat until its connection ends."""
    room = request.app[ROOM]
    settings = room.settings
    ws = web.WebSocketResponse(
        heartbeat=settings.heartbeat,
        timeout=CLOSE_TIMEOUT,
        max_msg_size=MAX_FRAME,
        slow_client="close",
        queue_limit=settings.backlog,
        compress=False,  # short texts: it would not pay
    )
    with room.place(ws):
        await ws.prepare(request)  # which refuses pages of other sites
        person = Person(ws)
        try:
            await converse(room, person)
        finally:
            room.leave(person)
    return ws
