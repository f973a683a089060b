"""What one connection may cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final


@final
@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on what a peer may send; passing one fails the connection with 1009.

    Attributes:
        max_message: bytes of one message, after decompression; a message of exactly the limit
            is accepted. None: no limit. The default, 4 MiB, is aiohttp's.
        max_frame: bytes of payload of one data frame, as it travels. None: what max_message
            allows (for a compressed frame twice that, as data may grow under deflate).
        max_fragments: frames of one message. None: no limit. Fragments cost no memory of their
            own; the limit bounds the work that empty ones can ask for.
        max_control_queue: automatic pongs that wait in ``data_to_send()``. A ping beyond
            replaces the oldest of them, which RFC 6455, 5.5.3, allows.
    """

    max_message: int | None = 4 * 1024 * 1024
    max_frame: int | None = None
    max_fragments: int | None = 128 * 1024
    max_control_queue: int = 64

    def __post_init__(self) -> None:
        for name in ("max_message", "max_frame", "max_fragments", "max_control_queue"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"{name} is {value}, expected at least 1")
