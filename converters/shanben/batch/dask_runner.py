"""Tasks on a Dask cluster: `distributed` gives them to another worker when one dies.

Needs `pip install 'shanben[dask]'` here, and the same version of Shanben on every worker.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from typing import Any, TypeVar

from shanben import __version__
from shanben.batch.runners import AHEAD, TRIES, Crash, Function, Watch, run_pool
from shanben.batch.urls import needs
from shanben.errors import ToolError

T = TypeVar("T")
R = TypeVar("R")
LOCAL = "local"


def run_dask(
    function: Function[T, R], tasks: Iterable[T], scheduler: str, jobs: int, prepare: Callable[[], object] | None = None
) -> Iterator[tuple[T, R | Crash]]:
    """Do the tasks on the cluster at an address, or with `local` on one of ``jobs`` processes made for this run.

    Results come in the order of the tasks. A task at which so many workers die that the scheduler gives it up is done
    on this machine, in a process of its own, so that the one document to blame can be told. Raises ToolError when
    there is no such cluster, or it is lost.
    """
    try:
        from distributed import Client, LocalCluster
        from distributed.scheduler import KilledWorker
    except ImportError as error:
        raise needs("dask", "dask", error) from None
    with ExitStack() as stack:
        try:
            if scheduler == LOCAL:
                cluster = stack.enter_context(
                    LocalCluster(n_workers=jobs, threads_per_worker=1, processes=True, dashboard_address=None)
                )
                client = stack.enter_context(Client(cluster))
            else:
                client = stack.enter_context(Client(scheduler, timeout="30s"))
        except (OSError, TimeoutError, ValueError) as error:
            raise ToolError(
                f"the cluster cannot be reached ({error})"[:300], where=scheduler, fix="check the address"
            ) from None
        _same_version(client)
        waiting: deque[tuple[T, Any]] = deque()
        coming = iter(tasks)
        more = True
        while True:
            while more and len(waiting) < AHEAD * max(len(client.scheduler_info()["workers"]), 1):
                task = next(coming, None)
                if task is None:
                    more = False
                    break
                waiting.append((task, client.submit(_call, function, task, pure=False, retries=TRIES)))
            if not waiting:
                return
            task, future = waiting.popleft()
            try:
                result = future.result()
            except KilledWorker:
                [(_, result)] = run_pool(function, [task], 1, prepare)
            except (OSError, TimeoutError) as error:
                raise ToolError(f"the cluster was lost ({error})"[:300], where=scheduler, fix="run it again") from None
            yield task, result


def _call(function: Function[T, R], task: T) -> R:
    return function(task, Watch())


def _version() -> str:
    return __version__


def _same_version(client: Any) -> None:
    """Refuse a cluster whose workers would do other work than this machine."""
    try:
        found = set(client.run(_version).values())
    except ModuleNotFoundError as error:
        raise ToolError(f"the workers lack a package ({error})", fix=f"install shanben {__version__} on them") from None
    if others := sorted(found - {__version__}):
        raise ToolError(
            f"the workers have shanben {', '.join(others)}, here is {__version__}", fix="install the same on all"
        )
