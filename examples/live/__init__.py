"""A live page served by headrace: a chat between windows, up- and downloads, figures.

    cd examples && python -m headrace.web -H 127.0.0.1 -P 8080 live:create_app

===========  =====================  ==========================================================
GET          ``/``                  the page; its style, scripts and icon lie beside it
GET          ``/ws``                the chat, a WebSocket (`live._chat` describes its messages)
GET          ``/api/status``        figures about the server, as JSON
POST         ``/upload?name=...``   the raw body of a file; answers its size and SHA-256 as JSON
GET          ``/download?mib=...``  a file of that size; its SHA-256 is in Repr-Digest
===========  =====================  ==========================================================

Everything is kept in memory and bounded: nothing that is sent is stored, and what a visitor
sends or fails to read costs the others nothing. The bounds are in `Settings`.
"""

from ._app import create_app, make_app
from ._settings import Settings

__all__ = ["Settings", "create_app", "make_app"]
