"""Whatever moment a build is killed at, every work is wholly old or wholly new, and the next run tidies up.

SHANBEN_KILLS=500 kills that many builds (and bags, in test_bag.py).
"""

from __future__ import annotations

import os
import random
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from shanben.fixity import verify_folder
from shanben.tools import storage
from shanben.tools.pandoc import executable
from shanben.tools.storage import PARTIAL, RETIRED, clear_leftovers, replace_folder

WORKS = 4
KILLS = int(os.environ.get("SHANBEN_KILLS", "28"))
SEED = 20240219


def write_sources(folder: Path, version: str) -> None:
    for number in range(WORKS):
        lines = [f"文章{number}", *(f"第{n}段,这是{version}的内容." for n in range(20))]
        (folder / f"w{number}.txt").write_text("\n\n".join(lines) + "\n")


def start(sources: Path, out: Path, *options: str, **environment: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "shanben", "build", str(sources), "-o", str(out), "--formats", "html,txt", *options],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=os.environ | environment,
    )


def editions(out: Path) -> dict[str, bytes]:
    """Give the manifest of each work's folder: it names every file by its digest."""
    folders = (p for p in out.iterdir() if p.is_dir() and not p.name.startswith("."))
    return {p.name: (p / "manifest-sha256.txt").read_bytes() for p in folders}


def leftovers(out: Path) -> list[str]:
    return [p.name for p in out.iterdir() if p.name.startswith((PARTIAL, RETIRED))]


@pytest.fixture(scope="module")
def versions(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, dict[str, bytes]], float]:
    """Build both versions once without a disturbance; also tell how long that takes."""
    folder = tmp_path_factory.mktemp("kill")
    sources = folder / "sources"
    sources.mkdir()
    wanted, took = {}, 0.0
    for version in ("旧稿", "新稿"):
        write_sources(sources, version)
        began = time.monotonic()
        with start(sources, folder / version) as process:
            assert process.wait(60) == 0, process.stderr and process.stderr.read().decode()
        took = time.monotonic() - began
        wanted[version] = editions(folder / version)
        assert not leftovers(folder / version)
    assert wanted["旧稿"].keys() == wanted["新稿"].keys()
    assert all(wanted["旧稿"][w] != wanted["新稿"][w] for w in wanted["旧稿"])
    return folder, wanted, took


def test_kill_at_any_moment_leaves_each_work_old_or_new(
    versions: tuple[Path, dict[str, dict[str, bytes]], float],
) -> None:
    folder, wanted, took = versions
    sources, out = folder / "sources", folder / "out"
    shutil.copytree(folder / "旧稿", out)
    chance = random.Random(SEED)  # noqa: S311 - moments, not secrets
    version, interrupted = "旧稿", 0
    for kill in range(KILLS):
        version = "新稿" if version == "旧稿" else "旧稿"
        write_sources(sources, version)
        # Most of the time goes into starting: the moments are spread over the part that writes.
        moment = took * (0.3 + 0.7 * (kill + chance.random()) / KILLS)
        with start(sources, out) as process:
            time.sleep(moment)
            process.send_signal(signal.SIGKILL)
            if process.wait(60) == -signal.SIGKILL:
                interrupted += 1
            else:  # it had ended: the machine is quicker than it was
                took *= 0.9
        found = editions(out)
        assert found.keys() == wanted[version].keys()
        for work, manifest in found.items():
            assert manifest in (wanted["旧稿"][work], wanted["新稿"][work]), f"{work} is neither old nor new"
            report = verify_folder(out / work)
            assert not report.faults, report.faults
    assert interrupted >= KILLS // 2, "the moments came too late to interrupt anything"
    with start(sources, out) as process:
        assert process.wait(60) == 0
    assert editions(out) == wanted[version]
    assert leftovers(out) == [], "the next run clears away what killed runs left"


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_polite_signal_leaves_nothing_behind_that_the_next_run_keeps(
    versions: tuple[Path, dict[str, dict[str, bytes]], float], stop: signal.Signals, tmp_path: Path
) -> None:
    folder, wanted, took = versions
    out = tmp_path / "out"
    shutil.copytree(folder / "旧稿", out)
    write_sources(folder / "sources", "新稿")
    for part in (0.55, 0.7, 0.85):
        with start(folder / "sources", out) as process:
            time.sleep(took * part)
            process.send_signal(stop)
            process.wait(60)
        for work, manifest in editions(out).items():
            assert manifest in (wanted["旧稿"][work], wanted["新稿"][work])
    with start(folder / "sources", out) as process:
        assert process.wait(60) == 0
    assert editions(out) == wanted["新稿"]
    assert leftovers(out) == []


@pytest.mark.parametrize("jobs", ["1", "2"])
@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_polite_signal_leaves_no_folder_for_temporary_things(
    versions: tuple[Path, dict[str, dict[str, bytes]], float], stop: signal.Signals, jobs: str, tmp_path: Path
) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    slow = tmp_path / "pandoc"  # the folder is there while pandoc starts: on a busy machine too short to be seen
    slow.write_text(f'#!/bin/sh\nsleep 1\nexec {shlex.quote(executable())} "$@"\n')
    slow.chmod(0o755)
    sources, out = versions[0] / "sources", tmp_path / "out"
    with start(sources, out, "-j", jobs, TMPDIR=str(temporary), PYPANDOC_PANDOC=str(slow)) as process:
        end = time.monotonic() + 60
        while not any(temporary.iterdir()) and process.poll() is None and time.monotonic() < end:
            time.sleep(0.001)
        process.send_signal(stop)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 128 + stop, said.decode()
    assert said.decode().splitlines()[-1].startswith("interrupted")
    assert b"Traceback" not in said
    assert list(temporary.iterdir()) == []


# --- every single step of the exchange ---------------------------------------------------------------------


class Killed(BaseException):
    """Stands for a kill: nothing after it runs, not even what tidies up."""


def kill_at_step(monkeypatch: pytest.MonkeyPatch, wanted: int) -> list[str]:
    """Let the process end before the call number ``wanted`` that changes the disk; give the calls made."""
    made: list[str] = []

    def watch(owner: object, name: str) -> None:
        real = getattr(owner, name)

        def watched(*args: object, **kwargs: object) -> object:
            if len(made) >= wanted:
                raise Killed
            made.append(name)
            return real(*args, **kwargs)

        monkeypatch.setattr(owner, name, watched)

    for name in ("mkdir", "rename", "replace", "unlink", "open"):
        watch(Path, name)
    watch(storage.shutil, "rmtree")
    return made


@pytest.mark.parametrize("atomic", [True, False], ids=["exchange", "no exchange"])
def test_a_stop_before_any_single_step_leaves_the_old_or_the_new_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, atomic: bool
) -> None:
    old, new = ({"a.txt": v, "b/c.txt": v, "manifest-sha256.txt": b""} for v in (b"old", b"new"))
    if not atomic:
        monkeypatch.setattr(storage, "_exchange", lambda _a, _b: False)
    monkeypatch.setattr(storage, "is_alive", lambda _pid: False)
    for step in range(60):
        target = tmp_path / str(step) / "work"
        files = [with_manifest(old), with_manifest(new)]
        replace_folder(target, files[0])
        with monkeypatch.context() as patch:
            made = kill_at_step(patch, step)
            try:
                replace_folder(target, files[1])
                ended = True
            except Killed:
                ended = False
        # A run that begins after the kill has another process number.
        for left in target.parent.glob(f"{PARTIAL}*"):
            left.rename(left.with_name(left.name.replace(f"{PARTIAL}{storage.os.getpid()}", f"{PARTIAL}1")))
        clear_leftovers(target.parent)
        assert contents(target) in files, (step, made)
        assert leftovers(target.parent) == [], (step, made)
        if ended:
            assert contents(target) == files[1]
            return
    pytest.fail("replacing a folder takes more steps than this test makes")


def with_manifest(files: dict[str, bytes]) -> dict[str, bytes]:
    from shanben.build import MANIFEST, manifest

    listed = {n: d for n, d in files.items() if n != MANIFEST}
    return {**listed, MANIFEST: manifest(listed)}


def contents(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_what_a_living_process_is_writing_is_left_alone(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        (tmp_path / f"{PARTIAL}{other.pid}-x").mkdir()
        clear_leftovers(tmp_path)
        assert leftovers(tmp_path) == [f"{PARTIAL}{other.pid}-x"]
        other.kill()
        other.wait()
        clear_leftovers(tmp_path)
        assert leftovers(tmp_path) == []


def test_two_builds_at_once_do_not_disturb_each_other(
    versions: tuple[Path, dict[str, dict[str, bytes]], float], tmp_path: Path
) -> None:
    folder, wanted, _took = versions
    write_sources(folder / "sources", "新稿")
    out = tmp_path / "out"
    shutil.copytree(folder / "旧稿", out)
    running = [start(folder / "sources", out) for _ in range(3)]
    codes = [process.wait(120) for process in running]
    said = b"".join(process.stderr.read() for process in running if process.stderr)
    for process in running:
        if process.stderr:
            process.stderr.close()
    assert b"Traceback" not in said
    assert codes == [0, 0, 0], said.decode()
    assert editions(out) == wanted["新稿"]
    assert leftovers(out) == []
