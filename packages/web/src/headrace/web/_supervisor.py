"""A process that keeps worker processes alive, and replaces them one by one.

It forks, waits and sends signals; what a worker does is a function that it is given. Each worker
has a `Link` to it, over which it says that it is ready or wants to be replaced, and which tells
it by its end that the supervisor has gone.
"""

from __future__ import annotations

import contextlib
import logging
import math
import os
import select
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from typing import Final, NoReturn, final

logger: Final = logging.getLogger("headrace.workers")

#: Seconds between a death and the next start: they double with each death in a row.
BACK_OFF: Final = 0.5
MAX_BACK_OFF: Final = 30.0
#: Seconds after which a worker that dies did not die of its start.
SETTLED: Final = 10.0

_READY: Final = b"r"
_RETIRE: Final = b"x"
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD)


@final
class Link:
    """A worker's end of its connection with the supervisor."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock: Final = sock

    def fileno(self) -> int:
        """Return the descriptor that becomes readable when the supervisor has gone."""
        return self._sock.fileno()

    def ready(self) -> None:
        """Say that the worker serves."""
        self._say(_READY)

    def retire(self) -> None:
        """Ask to be replaced."""
        self._say(_RETIRE)

    def _say(self, word: bytes) -> None:
        with contextlib.suppress(OSError):  # the supervisor has gone: the other end tells
            self._sock.send(word)


@final
class Worker:
    """A worker process as the supervisor knows it."""

    def __init__(self, pid: int, sock: socket.socket, generation: int, now: float) -> None:
        self.pid: Final = pid
        self.generation: Final = generation
        self.started: Final = now
        self.ready = False
        self.retiring = False
        self.talks = True
        #: When it is killed, once it was told to stop.
        self.kill_at = math.inf
        self.stopping = False
        self._sock: Final = sock

    def fileno(self) -> int:
        """Return the descriptor of its link."""
        return self._sock.fileno()

    def hear(self) -> None:
        """Take in what it said."""
        said = self._sock.recv(16)
        self.talks = bool(said)
        self.ready = self.ready or _READY in said
        self.retiring = self.retiring or _RETIRE in said

    def stop(self, kill_at: float) -> None:
        """Tell it to stop; told again, it waits for nothing any more."""
        if not self.stopping:
            self.kill_at = kill_at
        self.stopping = True
        self.send(signal.SIGTERM)

    def send(self, number: signal.Signals) -> None:
        """Send a signal."""
        os.kill(self.pid, number)

    def close(self) -> None:
        """Close the link."""
        self._sock.close()


@final
class Slot:
    """The place of a worker: one that serves, perhaps its successor, and those that are ending."""

    def __init__(self) -> None:
        self.workers: list[Worker] = []
        self.not_before = 0.0
        self.given_up = -1
        self._deaths = 0

    @property
    def serving(self) -> list[Worker]:
        """Those that were not told to stop, the oldest first."""
        return [worker for worker in self.workers if not worker.stopping]

    def wants_successor(self, generation: int, now: float) -> bool:
        """Tell whether the one that serves is to be replaced."""
        [worker] = self.serving
        outdated = worker.generation < generation and self.given_up < generation
        return outdated or (worker.retiring and now >= self.not_before)

    def died(self, worker: Worker, now: float) -> None:
        """Take note of a death that nobody asked for; the next start waits for a while."""
        self._deaths = 0 if now - worker.started > SETTLED else self._deaths + 1
        waits = BACK_OFF * 2 ** (self._deaths - 2) if self._deaths > 1 else 0.0
        self.not_before = now + min(waits, MAX_BACK_OFF)


@final
class Supervisor:
    """Keeps *number* processes that run *work*, until SIGINT or SIGTERM.

    Args:
        work: Called in each worker, with its link and its number from 0 on. It serves until
            SIGTERM; its return ends the worker.
        number: How many there are.
        patience: Seconds in which a worker must have ended, once it was told to stop.
        when_ready: Called when all of them serve for the first time.
        helper: Called in one more process, with its link. Where there is one, a worker that cannot
            start is tried again at SIGHUP, in place of giving up.
    """

    def __init__(
        self,
        work: Callable[[Link, int], None],
        number: int,
        *,
        patience: float,
        when_ready: Callable[[], None] = lambda: None,
        helper: Callable[[Link], None] | None = None,
    ) -> None:
        if number < 1:
            raise ValueError(f"workers is {number}, expected at least 1")
        self._work: Final = work
        self._slots: Final = [Slot() for _ in range(number)]
        self._patience: Final = patience
        self._when_ready = when_ready
        self._help: Final = helper
        self._helper: Worker | None = None
        self._generation = 0
        self._stops = 0
        self._told = 0
        self._failed = False
        self._ever_ready = False
        self._wake: tuple[socket.socket, socket.socket] | None = None

    def run(self) -> int:
        """Supervise until all have ended; return the exit status: 1 when none could start."""
        with self._signals():
            if self._help is not None:
                self._helper = self._fork(self._help)
            while not self._stops or self._workers():
                now = time.monotonic()
                self._step(now)
                self._wait(now)
                self._reap(time.monotonic())
            if self._helper is not None:
                self._helper.send(signal.SIGKILL)
                os.waitpid(self._helper.pid, 0)
                self._helper.close()
        return int(self._failed)

    # -- signals

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        """Take note of signals; each of them ends the waiting."""
        self._wake = reader, writer = socket.socketpair()
        for end in (reader, writer):
            end.setblocking(False)
        before = {number: signal.getsignal(number) for number in _SIGNALS}
        signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
        for number in _SIGNALS:
            signal.signal(number, self._on_signal)
        try:
            yield
        finally:
            signal.set_wakeup_fd(-1)
            for number, handler in before.items():
                signal.signal(number, handler)
            reader.close()
            writer.close()

    def _on_signal(self, number: int, frame: object) -> None:
        if number == signal.SIGHUP:
            self._generation += 1
        elif number != signal.SIGCHLD:
            self._stops += 1

    def _tell_to_stop(self) -> None:
        """Tell all workers to stop: kindly, then urgently, then kill them."""
        self._told = self._stops
        kill_at = time.monotonic() + self._patience
        for worker in self._workers():
            with contextlib.suppress(ProcessLookupError):
                if self._stops > 2:
                    worker.send(signal.SIGKILL)
                else:
                    worker.stop(kill_at)

    # -- what is to be done

    def _workers(self) -> list[Worker]:
        return [worker for slot in self._slots for worker in slot.workers]

    def _step(self, now: float) -> None:
        """Do what is to be done now."""
        for worker in self._workers():
            if now >= worker.kill_at:
                logger.error("worker %d does not end: killed", worker.pid)
                worker.kill_at = math.inf
                worker.send(signal.SIGKILL)
        if self._stops:
            if self._told < self._stops:
                self._tell_to_stop()
            return
        for slot in self._slots:
            if not slot.serving and now >= slot.not_before and self._may_start(slot):
                self._start(slot)
        self._replace(now)

    def _may_start(self, slot: Slot) -> bool:
        return self._help is None or slot.given_up < self._generation

    def _replace(self, now: float) -> None:
        """Let successors that are ready take over, and start the next one: one at a time."""
        for slot in self._slots:
            if len(slot.serving) > 1 and slot.serving[-1].ready:
                slot.serving[0].stop(now + self._patience)
        settled = [slot for slot in self._slots if [w.ready for w in slot.serving] == [True]]
        if len(settled) < len(self._slots):
            return
        if not self._ever_ready:
            self._ever_ready = True
            self._when_ready()
        for slot in settled:
            if slot.wants_successor(self._generation, now):
                self._start(slot)
                return

    def _start(self, slot: Slot) -> None:
        number = self._slots.index(slot)
        slot.workers.append(self._fork(lambda link: self._work(link, number)))
        logger.info("worker %d started", slot.workers[-1].pid)

    def _fork(self, work: Callable[[Link], None]) -> Worker:
        """Start a child process that does *work*."""
        ours, theirs = socket.socketpair()
        # A signal must not come to the child while it has the parent's handlers.
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        try:
            for stream in (sys.stdout, sys.stderr):
                stream.flush()
            pid = os.fork()
            if not pid:
                ours.close()
                self._be_worker(work, Link(theirs))
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
        theirs.close()
        return Worker(pid, ours, self._generation, time.monotonic())

    def _be_worker(self, work: Callable[[Link], None], link: Link) -> NoReturn:
        """Do the work of a child process, and end it."""
        status = 1
        try:
            self._forget()
            work(link)
            status = 0
        except SystemExit as error:
            status = error.code if isinstance(error.code, int) else int(error.code is not None)
            if isinstance(error.code, str):
                print(error.code, file=sys.stderr)
        except BaseException:
            traceback.print_exc()
        finally:
            for stream in (sys.stdout, sys.stderr):
                with contextlib.suppress(OSError, ValueError):
                    stream.flush()
            os._exit(status)

    def _forget(self) -> None:
        """Give up what only the supervisor needs."""
        signal.set_wakeup_fd(-1)
        # Ctrl-C goes to all processes of a terminal: the supervisor alone heeds it.
        for number in (signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        for number in (signal.SIGTERM, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
        for worker in (*self._workers(), *((self._helper,) if self._helper else ())):
            worker.close()
        for end in self._wake or ():
            end.close()

    # -- what has happened

    def _wait(self, since: float) -> None:
        """Wait until something happens, or something is to be done that was not due at *since*."""
        assert self._wake is not None
        workers = {worker.fileno(): worker for worker in self._workers()}
        times = [worker.kill_at for worker in workers.values()]
        # One that is past was heeded; a time that has come in the meantime is not waited for.
        times += [slot.not_before for slot in self._slots if slot.not_before > since]
        until = min(times, default=math.inf)
        timeout = None if until == math.inf else max(0.0, until - time.monotonic())
        reader = self._wake[0]
        poll = select.poll()
        for number in (reader.fileno(), *(n for n, w in workers.items() if w.talks)):
            poll.register(number, select.POLLIN)
        for number, _ in poll.poll(None if timeout is None else timeout * 1000 + 1):
            if number == reader.fileno():
                reader.recv(4096)
            else:
                workers[number].hear()

    def _reap(self, now: float) -> None:
        """Take note of the workers that have ended."""
        for slot in self._slots:
            for worker in list(slot.workers):
                pid, status = os.waitpid(worker.pid, os.WNOHANG)
                if not pid:
                    continue
                slot.workers.remove(worker)
                worker.close()
                if worker.stopping:
                    logger.info("worker %d ended", pid)
                else:
                    self._on_death(slot, worker, os.waitstatus_to_exitcode(status), now)

    def _on_death(self, slot: Slot, worker: Worker, code: int, now: float) -> None:
        what = f"signal {-code}" if code < 0 else f"status {code}"
        logger.error("worker %d died with %s", worker.pid, what)
        slot.died(worker, now)
        if worker.ready:
            return
        if slot.serving or self._help is not None:
            # What serves goes on; a new attempt is made when it is asked for.
            slot.given_up = worker.generation
        elif not self._ever_ready:
            logger.error("the workers cannot start")
            self._failed = True
            self._stops += 1
