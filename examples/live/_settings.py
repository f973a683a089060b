"""The bounds of the example, and the command line that changes some of them."""

from __future__ import annotations

from argparse import ArgumentParser
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What visitors may use.

    Args:
        max_upload: Bytes of one uploaded file; a larger one is answered by 413.
        max_download_mib: MiB of one downloaded file.
        upload_patience: Seconds without a byte after which an upload is answered by 408.
        history: Messages that a newcomer sees.
        max_people: Windows in the chat at once; the next one is answered by 503.
        max_name: Characters of a name.
        max_text: Characters of a message.
        backlog: Bytes of messages that wait for a slow window before it is closed, beside
            what the system holds.
        heartbeat: Seconds between pings; a window that gives no sign of life within half of
            that after one is gone.
        burst: Messages that a window may send at once.
        pace: Messages a second that are taken from a window after its burst.
    """

    max_upload: int = 64 * 1024**2
    max_download_mib: int = 256
    upload_patience: float = 30.0
    history: int = 50
    max_people: int = 200
    max_name: int = 24
    max_text: int = 500
    backlog: int = 256 * 1024
    heartbeat: float = 20.0
    burst: int = 10
    pace: float = 4.0


def parse(argv: list[str]) -> Settings:
    """Return the settings that a command line asks for."""
    defaults = Settings()
    parser = ArgumentParser(prog="live:create_app", description="The live example of headrace.")
    parser.add_argument(
        "--max-upload-mib",
        type=int,
        metavar="N",
        default=defaults.max_upload // 1024**2,
        help="MiB of one uploaded file (default: %(default)s)",
    )
    parser.add_argument(
        "--history",
        type=int,
        metavar="N",
        default=defaults.history,
        help="messages that a newcomer to the chat sees (default: %(default)s)",
    )
    arguments = parser.parse_args(argv)
    return Settings(max_upload=arguments.max_upload_mib * 1024**2, history=arguments.history)
