"""How long a small piece of work takes: done some times, the shortest counts, since only other work makes it longer."""

from __future__ import annotations

import time
from collections.abc import Callable
from math import inf
from typing import TypeVar

T = TypeVar("T")


def shortest(work: Callable[[], T], times: int, *, enough: float = inf) -> tuple[float, T]:
    """Do a piece of work; give the shortest processor time in seconds, and what it gave the last time.

    It is done so many ``times``, at least once, and no more after one that took longer than ``enough`` seconds.
    """
    best = inf
    while True:
        began = time.process_time()
        made = work()
        took = time.process_time() - began
        best, times = min(best, took), times - 1
        if times <= 0 or took > enough:
            return best, made
