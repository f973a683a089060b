"""A chat on bare sockets: what one says, all others read. Run it and open two browser consoles:
ws = new WebSocket("ws://127.0.0.1:8766"); ws.onmessage = m => console.log(m.data); ws.send("hi")
"""

import contextlib
import socket
import sys
import threading

from headrace import websocket as ws

everybody: dict[socket.socket, ws.Connection] = {}
one_at_a_time = threading.Lock()


def shake_hands(sock: socket.socket) -> bytes | None:
    """Answer the handshake and return the bytes that came after it, or None for a refusal."""
    data = b""
    while b"\r\n\r\n" not in data and len(data) < 16384:
        data += sock.recv(4096) or b"\r\n\r\n"
    head, _, rest = data.partition(b"\r\n\r\n")
    pairs = [line.partition(b":")[::2] for line in head.split(b"\r\n")[1:]]
    try:
        status, headers = 101, ws.accept((name, value.strip()) for name, value in pairs).headers
    except ws.HandshakeError as error:
        status, headers = error.status, [*error.headers, (b"Content-Length", b"0")]
    lines = [f"HTTP/1.1 {status} ".encode(), *(b": ".join(pair) for pair in headers), b"", b""]
    sock.sendall(b"\r\n".join(lines))
    return rest if status == 101 else None


def say(text: str, author: socket.socket) -> None:
    for sock, connection in list(everybody.items()):
        if sock is not author:
            with contextlib.suppress(OSError, ws.LocalProtocolError):  # who has left misses it
                sock.sendall(connection.send(ws.Text(text)))


def talk(sock: socket.socket) -> None:
    connection = ws.Connection(ws.Role.SERVER)
    with sock, contextlib.suppress(OSError):
        data = shake_hands(sock)
        while data is not None:
            connection.receive_data(data)
            with one_at_a_time:
                everybody[sock] = connection
                with contextlib.suppress(ws.RemoteProtocolError):
                    while not isinstance(event := connection.next_event(), (ws.NeedData, ws.Close)):
                        if isinstance(event, ws.Text):
                            say(event.data, author=sock)
                sock.sendall(connection.data_to_send())  # pongs, the answer to a Close or an error
            data = None if connection.finished else sock.recv(65536) or None
    everybody.pop(sock, None)


if __name__ == "__main__":
    with socket.create_server(("127.0.0.1", int(sys.argv[1]) if sys.argv[1:] else 8766)) as server:
        print("listening on", server.getsockname()[1], flush=True)
        while True:
            threading.Thread(target=talk, args=server.accept()[:1], daemon=True).start()
