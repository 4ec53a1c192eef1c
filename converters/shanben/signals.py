"""How a signal from outside ends the program: by an exception, so that nothing temporary stays behind."""

from __future__ import annotations

import _thread
import atexit
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from types import FrameType

AGAIN = 0.01
"""Seconds after which an interruption is raised again that came where Python cannot raise one."""
_ENDING = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))


class Terminated(KeyboardInterrupt):
    """The process was told to end, by a signal of this number."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def end_in_order() -> None:
    """Let SIGTERM and SIGHUP raise `Terminated`, and lose no Ctrl-C and none of these.

    One that falls into a finaliser, where Python only prints and forgets it, comes again. A signal that somebody
    ignores or takes care of is left to them. A copy of the process that another library makes ends at once, unless
    it calls this, too.
    """
    sys.unraisablehook = _raise_again
    _keep_the_exit_code()
    _keep_to_this_process()
    if threading.current_thread() is threading.main_thread():
        for number in _ENDING:
            if signal.getsignal(number) is signal.SIG_DFL:
                signal.signal(number, _terminate)


@cache
def _keep_the_exit_code() -> None:
    """Let no signal end the process by force while Python clears up: all is done by then, the exit code is set."""
    atexit.register(_ignore)


def _ignore() -> None:
    for number in (signal.SIGINT, *_ENDING):
        with suppress(ValueError):  # outside of the main thread
            signal.signal(number, signal.SIG_IGN)


@cache
def _keep_to_this_process() -> None:
    """Let copies of the process not raise: `multiprocessing.Pool` waits for ever for one that lost its SIGTERM so."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_end_at_once)


def _end_at_once() -> None:
    for number in _ENDING:
        if signal.getsignal(number) is _terminate:
            signal.signal(number, signal.SIG_DFL)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Hold signals back for a moment, so that what is made meanwhile is known to what clears it away."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, *_ENDING})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def heed() -> None:
    """Let signals come again that were held back when this process was made."""
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT, *_ENDING})


def interruption(error: BaseException | None) -> KeyboardInterrupt | None:
    """Give the interruption behind an error: what fails while things are cleared up after one is no error of its own,
    and Python itself turns one that comes while a class is made into another.

    >>> try:
    ...     try:
    ...         raise Terminated(15)
    ...     finally:
    ...         int("x")
    ... except ValueError as error:
    ...     found = interruption(error)
    >>> found
    Terminated(15)
    """
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return error


def _terminate(number: int, _frame: FrameType | None) -> None:
    raise Terminated(number)


def _raise_again(lost: sys.UnraisableHookArgs) -> None:
    if not issubclass(lost.exc_type, KeyboardInterrupt):
        sys.__unraisablehook__(lost)
        return
    number = lost.exc_value.number if isinstance(lost.exc_value, Terminated) else signal.SIGINT
    timer = threading.Timer(AGAIN, _send, [number])
    timer.daemon = True
    timer.start()


def _send(number: int) -> None:
    """Send a signal to the main thread, also where it waits for something."""
    main = threading.main_thread().ident
    if hasattr(signal, "pthread_kill") and main is not None:
        signal.pthread_kill(main, number)
    else:
        _thread.interrupt_main(signal.Signals(number))
