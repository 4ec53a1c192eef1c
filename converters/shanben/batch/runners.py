"""Who does the work: this process, or a pool of worker processes of which any may be killed at any time.

A runner takes a function and tasks, one at a time and only so many ahead, and gives task and result in the order of
the tasks, whoever ended first. The function gets the task and a `Watch`, which it tells before each document where
it is. When a worker dies, its task is given to a new one; a document at which workers die again and again is named to
the function as one to set aside.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from shanben.signals import Terminated, end_in_order, heed, undisturbed

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

TRIES = 3
"""Workers that may die at one document before it is set aside."""
AHEAD = 4
"""Tasks for each worker that may be finished before an earlier one is."""

T = TypeVar("T")
R = TypeVar("R")


class Watch:
    """Through it a function says at which document it is, and learns which it must set aside."""

    def __init__(self, position: Any = None, aside: dict[int, str] | None = None) -> None:
        self._position = position
        self._aside = aside or {}

    def begin(self, position: int) -> str:
        """Say that the document at ``position`` (from 0) is begun. A reason is given when it is to be set aside."""
        if self._position is not None:
            self._position.value = position
        return self._aside.get(position, "")


Function = Callable[[T, Watch], R]


class Crash(NamedTuple):
    """The result of a task that no worker could end, and at which no single document is to blame."""

    reason: str


def run_here(function: Function[T, R], tasks: Iterable[T]) -> Iterator[tuple[T, R | Crash]]:
    """Do the tasks in this process, one after the other."""
    for task in tasks:
        yield task, function(task, Watch())


@dataclass(slots=True)
class _Job:
    """A task on its way: at which documents workers died, and which are set aside for it."""

    number: int
    task: Any
    deaths: dict[int, int] = field(default_factory=dict)
    aside: dict[int, str] = field(default_factory=dict)


_open: set[Connection[Any, Any]] = set()
"""This process's ends of the pipes to its workers. A worker that is a copy of this process must let go of them."""


def _way() -> str:
    """Tell how a worker begins: as a copy of this process with all that is prepared, where that is safe, else anew.

    It is on Linux, as long as this process has one thread, those of libraries included.
    """
    if sys.platform != "linux":
        return "spawn"
    with suppress(OSError):
        return "fork" if len(os.listdir("/proc/self/task")) == 1 else "spawn"  # noqa: PTH208
    return "spawn"


class _Lane:
    """One worker process after the other, with one task at a time, so that it is known what killed it."""

    def __init__(self, prepare: Callable[[], object] | None) -> None:
        from multiprocessing.sharedctypes import RawValue

        self._position = RawValue("q", -1)
        self._prepare = prepare
        self._process: Any = None
        self.pipe: Connection[Any, Any] | None = None
        self.job: _Job | None = None

    def give(self, function: Function[Any, Any], job: _Job) -> None:
        """Have a job done. A worker that has died in the meantime is replaced."""
        self.job = job
        for _ in range(TRIES):
            if self.pipe is None:
                self._start()
            assert self.pipe is not None  # noqa: S101 - it was just started
            try:
                self._position.value = -1
                self.pipe.send((function, job.task, job.aside))
                return
            except (BrokenPipeError, ConnectionError):
                self._end()

    def _start(self) -> None:
        import multiprocessing

        context: Any = multiprocessing.get_context(_way())
        with undisturbed():  # no signal may find a copy of this process before it knows what it is
            self.pipe, theirs = context.Pipe()
            _open.add(self.pipe)
            process = context.Process(
                target=_serve, args=(theirs, self._position, self._prepare), name="shanben-worker", daemon=True
            )
            process.start()
            self._process = process
            theirs.close()

    def take(self) -> tuple[_Job, Any]:
        """Give the job and its result; a `_Death` when the worker died over it."""
        job, self.job = self.job, None
        assert job is not None and self.pipe is not None  # noqa: S101 - only lanes with a job are asked
        try:
            good, value = self.pipe.recv()
        except (EOFError, ConnectionError):
            return job, _Death(self._position.value, self._end())
        if not good:
            raise value
        return job, value

    def _end(self) -> str:
        """Forget the worker and say how it ended."""
        if self.pipe:
            _open.discard(self.pipe)
            self.pipe.close()
        self._process.join(5)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        code = self._process.exitcode
        self.pipe = self._process = None
        if code is not None and code < 0:
            with suppress(ValueError):
                return f"was ended by {signal.Signals(-code).name}"
        return f"ended with exit code {code}"

    def stop(self) -> None:
        """End the worker: at once when it is at work, since it writes nothing that could be found half-written."""
        if self._process is not None:
            if self.job is not None:
                self._process.terminate()
            self._end()


class _Death(NamedTuple):
    position: int
    how: str


def run_pool(
    function: Function[T, R], tasks: Iterable[T], jobs: int, prepare: Callable[[], object] | None = None
) -> Iterator[tuple[T, R | Crash]]:
    """Do the tasks in ``jobs`` processes. ``prepare`` is called once in each; it, function and tasks are pickled.

    When the caller stops asking (also by an exception) the workers end. Raises what the function raises.
    """
    from multiprocessing.connection import wait

    lanes = [_Lane(prepare) for _ in range(jobs)]
    coming = (_Job(number, task) for number, task in enumerate(tasks))
    again: deque[_Job] = deque()
    finished: dict[int, tuple[T, R | Crash]] = {}
    given, asked, more = 0, 0, True
    try:
        while True:
            for lane in lanes:
                if lane.job is not None:
                    continue
                if not again and more and asked < given + AHEAD * jobs:
                    job = next(coming, None)
                    if job is None:
                        more = False
                    else:
                        again.append(job)
                        asked += 1
                if again:
                    lane.give(function, again.popleft())
            busy = {lane.pipe: lane for lane in lanes if lane.job is not None and lane.pipe is not None}
            if not busy:
                return
            for pipe in wait(list(busy)):
                job, value = busy[pipe].take()  # type: ignore[index]
                if not isinstance(value, _Death):
                    finished[job.number] = job.task, value
                elif (crash := _blame(job, value)) is not None:
                    finished[job.number] = job.task, crash
                else:
                    again.append(job)
            while given in finished:
                yield finished.pop(given)
                given += 1
    finally:
        for lane in lanes:
            lane.stop()


def _blame(job: _Job, death: _Death) -> Crash | None:
    """Note at which document a worker died. None: the job is to be tried again."""
    deaths = job.deaths[death.position] = job.deaths.get(death.position, 0) + 1
    if deaths < TRIES:
        return None
    reason = f"{deaths} workers died over it; the last one {death.how}"
    if death.position < 0 or death.position in job.aside:
        return Crash(reason)
    job.aside[death.position] = reason
    return None


def _serve(pipe: Connection[Any, Any], position: Any, prepare: Callable[[], object] | None) -> None:
    """Work in a process of its own until the other end of the pipe is closed, or it is told to end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C reaches all; the parent alone decides
    end_in_order()
    while _open:
        _open.pop().close()
    try:
        heed()
        _answer(pipe, position, prepare)
        if pandoc := sys.modules.get("shanben.tools.pandoc"):
            pandoc.close()  # a copy of a process ends without what was to be done at its end
    except Terminated as told:  # what was temporary is gone; the parent sees what ended this worker
        traceback.clear_frames(told.__traceback__)  # what only they still hold is cleared away
        signal.signal(told.number, signal.SIG_DFL)
        signal.raise_signal(told.number)


def _answer(pipe: Connection[Any, Any], position: Any, prepare: Callable[[], object] | None) -> None:
    """Do one task after the other."""
    with undisturbed():  # so this thread takes no signals, or the other could not hold them back for a moment
        threading.Thread(target=_end_with_parent, daemon=True).start()
    if prepare:
        prepare()
    while True:
        try:
            function, task, aside = pipe.recv()
        except (EOFError, OSError):
            return
        try:
            answer = True, function(task, Watch(position, aside))
        except Exception as error:  # noqa: BLE001 - it goes to the parent, which raises it
            answer = False, error
        try:
            pipe.send(answer)
        except OSError:
            return


def _end_with_parent() -> None:
    """End this worker as soon as the process that started it is gone, however that ended."""
    import multiprocessing
    from multiprocessing.connection import wait

    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def in_batches(items: Iterable[T], most: int, weight: Callable[[T], int], heaviest: int) -> Iterator[Sequence[T]]:
    """Put items together, at most ``most``, and no more once they weigh ``heaviest``.

    >>> list(in_batches([1, 2, 9, 1], 2, lambda n: n, 9))
    [[1, 2], [9], [1]]
    """
    batch: list[T] = []
    total = 0
    for item in items:
        batch.append(item)
        total += weight(item)
        if len(batch) >= most or total >= heaviest:
            yield batch
            batch, total = [], 0
    if batch:
        yield batch
