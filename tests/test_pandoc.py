"""One pandoc for many documents: the same bytes as a process for each, whatever happens to it."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sample_documents import all_samples, simplified
from shanben.build import build
from shanben.errors import ToolError
from shanben.tools import pandoc
from shanben.values import Document
from shanben.writers import all_writers

SAMPLES = all_samples()
SEEDS = Path(__file__).parents[1] / "seeds"
TREE = {"meta": {}, "blocks": [{"t": "Para", "c": [{"t": "Str", "c": '善本 ↔ "a" <b>'}]}]}
pytestmark = pytest.mark.skipif(os.name == "nt", reason="on Windows every document has a process of its own")


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    """Begin and end without a worker, and forget which pandoc could not be one."""
    for _ in range(2):
        pandoc.close()
        pandoc._without_worker.cache_clear()
        pandoc.version.cache_clear()
        if _ == 0:
            yield


def editions(document: Document) -> dict[str, bytes]:
    return {writer.format: writer.write(document) for writer in all_writers().values()}


def worker() -> int:
    """Give the process of the worker, after one document."""
    pandoc.convert(TREE, "html5")
    assert pandoc._worker
    return pandoc._worker._process.pid


def lives(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def wait_for_end(process: int) -> bool:
    for _ in range(200):
        if not lives(process):
            return True
        time.sleep(0.05)
    return False


def program(folder: Path, lua: str) -> Path:
    """Make a pandoc that does what the shell script ``lua`` says when it is to be a worker."""
    path = folder / "pandoc"
    path.write_text(f'#!/bin/sh\nreal={pandoc.executable()}\nif [ "$1" = lua ]; then\n{lua}\nfi\nexec $real "$@"\n')
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@pytest.mark.parametrize("name", SAMPLES)
def test_the_worker_writes_what_a_process_for_each_document_writes(name: str, monkeypatch: pytest.MonkeyPatch):
    together = editions(SAMPLES[name])
    assert pandoc._worker is not None
    monkeypatch.setattr(pandoc, "_by_worker", lambda *a: None)
    assert editions(SAMPLES[name]) == together


def test_the_worker_writes_the_seeds_as_a_process_for_each_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    documents = [result.document for result in build([SEEDS], tmp_path, report=False) if result.document]
    together = [editions(document) for document in documents]
    assert pandoc._worker is not None and len(together) == 5
    monkeypatch.setattr(pandoc, "_by_worker", lambda *a: None)
    assert [editions(document) for document in documents] == together


def test_what_worker_and_process_say_is_the_same(caplog: pytest.LogCaptureFixture):
    raw = {"meta": {"lang": {"t": "MetaString", "c": "1#"}}, "blocks": [{"t": "RawBlock", "c": ["tex", "\\a"]}]}
    together = pandoc.convert(raw, "html5")
    said = [record.getMessage() for record in caplog.records]
    caplog.clear()
    assert pandoc.convert_alone(raw, "html5") == together
    assert [record.getMessage() for record in caplog.records] == said != []


def test_one_worker_does_many_documents_and_is_replaced_after_some(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(pandoc, "DOCUMENTS", 3)
    seen = [worker() for _ in range(7)]
    assert seen[0] == seen[2] != seen[3] == seen[5] != seen[6]
    assert wait_for_end(seen[0]) and wait_for_end(seen[3]) and lives(seen[6])


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_worker_costs_no_document(how: signal.Signals):
    first = worker()
    wanted = editions(simplified())
    os.kill(first, how)
    assert wait_for_end(first)
    assert editions(simplified()) == wanted
    assert worker() != first


def test_a_document_that_the_worker_cannot_do_fails_with_the_words_of_a_process():
    first = worker()
    with pytest.raises(ToolError, match="Unknown output format nonsense"):
        pandoc.convert(TREE, "nonsense")
    assert worker() == first  # and the next one is done by the same worker


@pytest.mark.parametrize(
    "lua",
    [
        pytest.param("exit 64", id="no such mode"),
        pytest.param("echo pandoc 3.9; cat", id="something else answers"),
        pytest.param("echo shanben 2.17 1.22; cat", id="too old"),
        pytest.param("echo shanben 3.9 1.23; exit 0", id="ends at the first document"),
        pytest.param("echo shanben 3.9 1.23; while read line; do echo failed; done", id="can do nothing"),
        pytest.param("sleep 5; exit 1", id="does not answer"),
    ],
)
def test_without_a_worker_each_document_has_its_process(lua: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    wanted = pandoc.convert(TREE, "html5")
    path = program(tmp_path, lua)
    monkeypatch.setattr(pandoc, "START_TIMEOUT", 1.0)
    monkeypatch.setattr(pandoc, "executable", lambda: str(path))
    assert pandoc.convert(TREE, "html5") == wanted
    assert pandoc.convert(TREE, "html5") == wanted


def test_a_worker_that_hangs_is_ended_and_the_document_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = program(tmp_path, "echo shanben 3.9 1.23; exec sleep 60")
    monkeypatch.setattr(pandoc, "executable", lambda: str(path))
    monkeypatch.setattr(pandoc, "TIMEOUT", 0.5)
    with pytest.raises(ToolError, match="did not end within"):
        pandoc.convert(TREE, "html5")
    assert pandoc._worker is None


def test_nothing_lies_about_while_the_worker_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    worker()
    assert list(tmp_path.iterdir()) == []
    assert pandoc._worker and Path(f"/proc/{pandoc._worker._process.pid}/cwd").readlink() == Path("/")


SCRIPT = """
import sys, time
from shanben.tools import pandoc
pandoc.convert({"meta": {}, "blocks": []}, "html5")
print(pandoc._worker._process.pid, flush=True)
if sys.argv[1] == "wait":
    time.sleep(60)
"""


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL, None])
def test_the_worker_does_not_outlive_the_program(how: signal.Signals | None):
    command = [sys.executable, "-c", SCRIPT, "wait" if how else "end"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout
        pid = int(process.stdout.readline())
        if how:
            assert lives(pid)
            process.send_signal(how)
    assert wait_for_end(pid)


def _digest_in_child(name: str) -> tuple[int, dict[str, bytes]]:
    return os.getpid(), editions(SAMPLES[name])


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_fork_has_a_worker_of_its_own():
    first = worker()
    wanted = {name: editions(document) for name, document in SAMPLES.items()}
    names = list(SAMPLES) * 3
    with multiprocessing.get_context("fork").Pool(2) as pool:
        done = pool.map(_digest_in_child, names, chunksize=1)
    assert [found for _, found in done] == [wanted[name] for name in names]
    assert worker() == first and lives(first)


def test_a_pandoc_of_the_user_is_asked_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A worker belongs to one program: with another pandoc another worker is started."""
    first = worker()
    path = shutil.copy(program(tmp_path, 'exec $real "$@"'), tmp_path / "other")
    monkeypatch.setattr(pandoc, "executable", lambda: str(path))
    assert worker() != first
