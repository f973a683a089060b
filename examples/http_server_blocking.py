"""An HTTP/1.1 server on blocking sockets and threads: it says what it was sent.

Run it, then: curl -v http://127.0.0.1:8080/ ; curl --data-binary @file http://127.0.0.1:8080/
"""

import contextlib
import socket
import sys
import threading
from http import HTTPStatus

from headrace import http_parser as http

TEXT = (b"Content-Type", b"text/plain; charset=utf-8")


def next_event(sock: socket.socket, connection: http.Connection) -> http.Event:
    """Receive until there is an event."""
    while isinstance(event := connection.next_event(), http.Signal):
        if data := sock.recv(65536):
            connection.receive_data(data)
        else:
            connection.receive_eof()
    return event


def answer(sock: socket.socket, connection: http.Connection, request: http.Request) -> None:
    """Send the request's own lines back in chunks, then its body as it comes."""
    if request.expect_continue and not request.complete:
        sock.sendall(connection.send(http.Informational(100)))
    sock.sendall(connection.send(http.Response(200, [TEXT])))
    lines = [request.method + b" " + request.target, *(b": ".join(h) for h in request.headers)]
    sock.sendall(connection.send(http.Data(b"\n".join([*lines, b"", b""]))))
    while not request.complete:
        event = next_event(sock, connection)
        if not isinstance(event, http.Data):
            break
        sock.sendall(connection.send(event))
    sock.sendall(connection.send(http.EndOfMessage()))


def serve(sock: socket.socket) -> None:
    """Answer the requests of one connection, one after the other."""
    connection = http.Connection(http.Role.SERVER)
    sock.settimeout(30)
    with sock, contextlib.suppress(OSError):
        try:
            while isinstance(event := next_event(sock, connection), http.Request):
                answer(sock, connection, event)
        except http.RemoteProtocolError as error:
            with contextlib.suppress(http.LocalProtocolError):  # an answer was begun
                phrase = HTTPStatus(error.status).phrase.encode()
                sock.sendall(connection.send(http.Response(error.status, [TEXT]), phrase))


if __name__ == "__main__":
    with socket.create_server(("127.0.0.1", int(sys.argv[1]) if sys.argv[1:] else 8080)) as server:
        print("listening on", server.getsockname()[1], flush=True)
        while True:
            threading.Thread(target=serve, args=server.accept()[:1], daemon=True).start()
