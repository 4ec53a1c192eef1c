"""Many documents at once: what is taken, what is refused, who dies and what becomes of it, what is not done twice."""

from __future__ import annotations

import base64
import gzip
import io
import json
import os
import random
import signal
import stat
import subprocess
import sys
import tarfile
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner

from shanben.batch import clean_shard
from shanben.batch import names as names_module
from shanben.batch.documents import Faulty, iter_documents
from shanben.batch.manifest import JOURNAL, Manifest, Record
from shanben.batch.names import ManyNames
from shanben.batch.rows import Part, parts_of, read_rows
from shanben.batch.runners import TRIES, Crash, Watch, in_batches, run_here, run_pool
from shanben.batch.tasks import Batch, Options, Outcome, work_on
from shanben.cli import main
from shanben.ledger import from_jsonl
from shanben.pipeline import clean, revert
from shanben.tools.storage import PARTIAL, RETIRED
from shanben.works import Work, find_works

TEXT = "通知{n}\n\n第{n}次会议强调,要抓好落实;守住底线.他说:“好”,对吗?\n"
CLEAN = "通知{n}\n\n第{n}次会议强调，要抓好落实；守住底线。他说：“好”，对吗？\n"
COUNT = 120
"""Documents of a run that is stopped: so many that it cannot be over before that."""
pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals and links are those of POSIX")


def write(folder: Path, count: int, first: int = 0) -> Path:
    """Write so many documents, some of them in sub-folders."""
    for n in range(first, first + count):
        path = folder / (f"部{n % 3}/{n}.txt" if n % 2 else f"{n}.txt")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(TEXT.format(n=n))
    return folder


def call(*args: str | Path) -> subprocess.CompletedProcess[str]:
    done = CliRunner().invoke(main, [*map(str, args)])
    assert isinstance(done.exception, SystemExit | None), repr(done.exception)
    return subprocess.CompletedProcess(args, done.exit_code, done.stdout, done.stderr)


def good(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 0, done.stderr
    return str(done.stdout)


def start(*args: str | Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "shanben", *map(str, args)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def tree(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def moments(folder: Path) -> dict[str, tuple[int, int]]:
    """Give what changes when a file is written again."""
    found = (p for p in folder.rglob("*") if p.is_file())
    return {p.relative_to(folder).as_posix(): (p.stat().st_ino, p.stat().st_mtime_ns) for p in found}


def leftovers(folder: Path) -> list[str]:
    return [p.name for p in folder.rglob("*") if p.name.startswith((PARTIAL, RETIRED, JOURNAL))]


def wait_until(true: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.005)


def children(process: int) -> list[int]:
    """Give the worker processes of a process: those that do its work, not those that help the others."""
    found = Path(f"/proc/{process}/task/{process}/children")
    if not found.parent.parent.parent.is_dir():
        pytest.skip("the children of a process are asked for in /proc")
    return [int(p) for p in found.read_text().split() if is_worker(int(p), process)]


def is_worker(process: int, parent: int) -> bool:
    """Tell whether a process is at work for another: as a copy of it, or begun anew by `multiprocessing`."""
    lines = [command_line(number) for number in (process, parent)]
    return b"spawn_main" in lines[0] or lines[0] == lines[1] != b""


def command_line(process: int) -> bytes:
    """Give the command line of a process; none once it has ended."""
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return b""


def entries(*sources: str | Path, limit: int = 1 << 28) -> list[Work | Faulty]:
    return list(iter_documents([*map(str, sources)], limit=limit))


def taken(*sources: str | Path, limit: int = 1 << 28) -> dict[str, bytes]:
    """Give the documents that are taken: place and bytes."""
    return {e.place: e.read().data for e in entries(*sources, limit=limit) if isinstance(e, Work)}


def refused(*sources: str | Path, limit: int = 1 << 28) -> dict[str, str]:
    return {e.name.rpartition("!")[2]: str(e.error) for e in entries(*sources, limit=limit) if isinstance(e, Faulty)}


# --- what is taken -----------------------------------------------------------------------------------------


def test_folders_files_and_patterns_are_taken_once_each(tmp_path: Path) -> None:
    write(tmp_path / "in", 6)
    (tmp_path / "in/图.png").write_bytes(b"\x89PNG")
    places = {"0", "2", "4", "部1/1", "部0/3", "部2/5"}
    assert taken(tmp_path / "in").keys() == places
    assert taken(tmp_path / "in", tmp_path / "in/0.txt", tmp_path / "in/*.txt").keys() == places
    assert taken(f"{tmp_path}/in/**/*.txt").keys() == {"0", "1", "2", "3", "4", "5"}
    assert [e.place for e in entries(tmp_path / "in") if isinstance(e, Work)] == [
        w.place for w in find_works([tmp_path / "in"])
    ]


def test_names_that_meet_get_numbers(tmp_path: Path) -> None:
    for name in ("甲/a.txt", "甲/A.md", "乙/a.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    assert taken(tmp_path / "甲", tmp_path / "乙") == {
        "A": "甲/A.md".encode(),
        "a-2": "甲/a.txt".encode(),
        "a-3": "乙/a.txt".encode(),
    }
    slugs = [e.slug for e in entries(tmp_path / "甲", tmp_path / "乙") if isinstance(e, Work)]
    assert slugs == ["A", "甲-a", "乙-a"]


def zipped(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def tarred(path: Path, members: Sequence[tuple[tarfile.TarInfo, bytes]], mode: str = "w:gz") -> Path:
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for info, data in members:
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


def test_archives_are_read_without_being_unpacked(tmp_path: Path) -> None:
    members = {"甲/一.txt": b"1", "二.md": b"2", "图.png": b"3", "__MACOSX/甲/一.txt": b"4", ".藏/三.txt": b"5"}
    wanted = {"甲/一": b"1", "二": b"2"}
    assert taken(zipped(tmp_path / "a.zip", members)) == wanted
    for name, mode in (
        ("a.tar", "w"),
        ("a.tar.gz", "w:gz"),
        ("a.tgz", "w:gz"),
        ("a.tar.xz", "w:xz"),
        ("a.tar.bz2", "w:bz2"),
    ):
        assert taken(tarred(tmp_path / name, [(tarfile.TarInfo(n), d) for n, d in members.items()], mode)) == wanted, (
            name
        )


def test_names_in_archives_that_are_not_utf_8(tmp_path: Path) -> None:
    name = "湖南日报/全会.txt"
    raw = name.encode("gb18030")
    placeholder = "placeholder-x.txt"
    path = zipped(tmp_path / "gbk.zip", {placeholder: b"1"})
    assert len(placeholder) == len(raw), "so that no offset in the archive changes"
    path.write_bytes(path.read_bytes().replace(placeholder.encode(), raw))
    assert taken(path) == {"湖南日报/全会": b"1"}
    path = zipped(tmp_path / "utf-8.zip", {placeholder: b"1"})
    path.write_bytes(path.read_bytes().replace(placeholder.encode(), "全会议.txx.txt".encode()))
    assert taken(path) == {"全会议.txx": b"1"}, "UTF-8 that does not say so"
    info = tarfile.TarInfo("x")
    info.name = raw.decode("utf-8", "surrogateescape")
    with tarfile.open(
        tmp_path / "gbk.tar", "w", format=tarfile.GNU_FORMAT, encoding="utf-8", errors="surrogateescape"
    ) as tar:
        tar.addfile(info, io.BytesIO(b""))
    assert taken(tmp_path / "gbk.tar") == {"湖南日报/全会": b""}


def test_what_archives_may_not_hold(tmp_path: Path) -> None:
    bad = ["../上.txt", "/绝对.txt", "甲/../../乙.txt", "C:\\盘.txt", "甲\\..\\..\\丙.txt"]
    path = zipped(tmp_path / "a.zip", {**dict.fromkeys(bad, b"bad"), "好.txt": b"good"})
    assert taken(path) == {"好": b"good"}
    assert len(refused(path)) == len(bad)
    assert all("leads out" in said for said in refused(path).values())
    members = [(tarfile.TarInfo(name), b"bad") for name in bad]
    for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE):
        info = tarfile.TarInfo(f"{kind.decode()}.txt")
        info.type, info.linkname = kind, "/etc/passwd"
        members.append((info, b""))
    path = tarred(tmp_path / "a.tar", [*members, (tarfile.TarInfo("好.txt"), b"good")], "w")
    assert taken(path) == {"好": b"good"}
    assert len(refused(path)) == len(bad) + 4
    link = zipfile.ZipInfo("链.txt")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "l.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
    assert "link" in refused(tmp_path / "l.zip")["链.txt"]


def test_nothing_is_written_outside_the_output(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", {"../上.txt": TEXT.format(n=1).encode(), "好.txt": TEXT.format(n=2).encode()})
    rows = tmp_path / "r.jsonl"
    names = ["../../上", "/上/上", "a/b", "..", "", "\0", "con", "长" * 500]
    rows.write_text("".join(json.dumps({"id": n, "text": TEXT.format(n=3)}) + "\n" for n in names))
    before = tree(tmp_path).keys()
    done = call("clean", path, "-o", tmp_path / "out/x", "--ledger", tmp_path / "out/y")
    assert done.returncode == 3
    assert "1 of 2 documents failed" in done.stderr
    good(call("build", rows, "-o", tmp_path / "out/z", "--formats", "txt"))
    good(call("clean", rows, "-o", tmp_path / "out/w"))
    assert all(name.startswith("out/") for name in tree(tmp_path).keys() - before)
    assert len([p for p in (tmp_path / "out/z").iterdir() if p.is_dir()]) == len(names)
    assert not leftovers(tmp_path)


def test_archives_that_unpack_without_end(tmp_path: Path) -> None:
    with (
        zipfile.ZipFile(tmp_path / "one.zip", "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("大.txt", "w") as file,
    ):
        for _ in range(80):
            file.write(bytes(1 << 20))
    assert "200 times" in refused(tmp_path / "one.zip")["大.txt"]
    piece = bytes(20 << 20)
    many = zipped(tmp_path / "many.zip", {f"{n}.txt": piece for n in range(6)})
    assert "200 times as large" in next(iter(refused(many).values()))
    assert len(taken(many)) < 6
    with gzip.open(tmp_path / "rows.jsonl.gz", "wb") as packed:
        for _ in range(5):
            packed.write(bytes(32 << 20) + b"\n")
    done = call("clean", tmp_path / "rows.jsonl.gz", "-o", tmp_path / "out")
    assert done.returncode == 3
    assert "200 times" in done.stderr
    assert not tree(tmp_path / "out")


def test_members_over_the_limit_and_damaged_ones_stop_no_other(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", {"大.txt": b"x" * 2000, "坏.txt": b"y" * 500, "好.txt": b"good"})
    data = bytearray(path.read_bytes())
    at = data.index("坏.txt".encode()) + len("坏.txt".encode())
    data[at] ^= 0xFF
    path.write_bytes(data)
    assert taken(path, limit=1000) == {"好": b"good"}
    assert refused(path, limit=1000).keys() == {"大.txt", "坏.txt"}
    (tmp_path / "b.zip").write_bytes(b"no archive")
    (tmp_path / "b.tar.gz").write_bytes(b"no archive")
    for name in ("b.zip", "b.tar.gz"):
        assert call("build", tmp_path / name, "-o", tmp_path / "o").returncode == 3
    chance = random.Random(5)  # noqa: S311 - bytes that cannot be packed, not secrets
    cut = tarred(tmp_path / "cut.tar.gz", [(tarfile.TarInfo(f"{n}.txt"), chance.randbytes(9000)) for n in range(9)])
    cut.write_bytes(cut.read_bytes()[:40_000])
    assert 0 < len(taken(cut)) < 9
    assert refused(cut)


ROWS = [
    {"id": "甲", "text": "会议强调,要抓好落实.", "metadata": {"title": "题", "creator": ["某人"], "x": 1}},
    {"id": 7, "bytes": base64.b64encode("会议强调,要抓好落实,守住底线.".encode("gb18030")).decode()},
    {"text": "没有名字,也可以."},
    {"id": "重", "text": "第一,份."},
    {"id": "重", "text": "第二,份."},
]
FAULTY_ROWS = [
    '{"id": "a"}', '{"id": "b", "text": 5}', '{"id": "c", "bytes": "?"}', "[1]", "{", '{"id":"d","text":"x","bytes":"eA=="}',
    '{"id": "e", "text": null}', "\ufffe" * 3,
]  # fmt: skip


def test_rows_become_works_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS))
    found = [e for e in entries(path) if isinstance(e, Work)]
    assert [w.slug for w in found] == ["甲", "7", "r@" + str(path.read_bytes().index(b'{"text"')), "重", "r.jsonl-重"]
    assert found[0].said == {"title": ("题",), "creator": ("某人",)}
    good(call("build", path, "-o", tmp_path / "out", "--formats", "txt"))
    said = json.loads((tmp_path / "out/甲/甲.json").read_text())["metadata"]
    assert said["dcterms:title"] == "题" and said["dcterms:creator"] == ["某人"]
    assert "会议强调，要抓好落实，守住底线。" in (tmp_path / "out/7/7.txt").read_text()


def test_clean_of_a_table_gives_a_table(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS) + "\n".join(FAULTY_ROWS) + "\n")
    done = call("clean", path, "-o", tmp_path / "out")
    assert done.returncode == 3
    assert f"{len(FAULTY_ROWS)} of {len(ROWS) + len(FAULTY_ROWS)} documents failed" in done.stderr
    [shard] = (tmp_path / "out").glob("*.jsonl")
    made = [json.loads(line) for line in shard.read_text().splitlines()]
    assert len(made) == len(ROWS) + len(FAULTY_ROWS)
    assert [bool(row["error"]) for row in made] == [False] * len(ROWS) + [True] * len(FAULTY_ROWS)
    assert made[0]["metadata"] == ROWS[0]["metadata"]
    for row, source in zip(made, ROWS, strict=False):
        data = base64.b64decode(str(source["bytes"])) if "bytes" in source else str(source["text"]).encode()
        assert revert(row["text"], from_jsonl(row["ledger"])) == data
        assert row["text"] == clean(data).text
        assert row["changes"] > 0


@pytest.mark.parametrize("suffix", [".jsonl", ".jsonl.gz", ".parquet"])
def test_a_shard_is_the_same_however_often_it_is_made(tmp_path: Path, suffix: str) -> None:
    rows = [{"id": str(n), "text": TEXT.format(n=n)} for n in range(40)]
    source, out = tmp_path / f"in{suffix}", tmp_path / f"out/x{suffix}"
    write_table(source, rows)
    stats = clean_shard(str(source), str(out))
    assert (stats.rows, stats.failed, stats.done_before) == (40, 0, False)
    assert [row.content for row in read_rows(str(out))] == [CLEAN.format(n=n) for n in range(40)]
    first, moment = out.read_bytes(), out.stat().st_mtime_ns
    assert clean_shard(str(source), str(out)).done_before
    assert out.stat().st_mtime_ns == moment
    assert clean_shard(str(source), str(out), fresh=True).sha256 == stats.sha256
    assert out.read_bytes() == first
    out.write_bytes(first[:-9])
    assert not clean_shard(str(source), str(out)).done_before
    assert out.read_bytes() == first
    assert not clean_shard(str(source), str(out), "strict-archival").done_before
    write_table(source, rows[1:])
    assert clean_shard(str(source), str(out)).rows == 39
    assert not leftovers(tmp_path)


def write_table(path: Path, rows: list[dict[str, str]], group: int = 7) -> None:
    if path.suffix == ".parquet":
        pyarrow = pytest.importorskip("pyarrow", reason="pyarrow is missing: pip install 'shanben[parquet]'")
        parquet = pytest.importorskip("pyarrow.parquet")
        parquet.write_table(pyarrow.Table.from_pylist(rows), path, row_group_size=group)
        return
    data = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)


@pytest.mark.parametrize("suffix", [".jsonl", ".parquet"])
def test_parts_of_a_table_are_the_table(tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from shanben.batch import rows as module

    rows = [{"id": str(n), "text": "字" * (n % 17)} for n in range(300)]
    path = tmp_path / f"t{suffix}"
    write_table(path, rows)
    for size in (1, 10, 100, 1000, 10**6):
        monkeypatch.setattr(module, "PART_BYTES", size)
        monkeypatch.setattr(module, "PART_ROWS", size)
        parts = parts_of(str(path))
        assert len(parts) == 1 or size < 10**6
        found = [row.id for part in parts for row in read_rows(str(path), part)]
        assert found == [row["id"] for row in rows], size
    assert parts_of(str(path)) == [Part(0, None if suffix == ".jsonl" else 43)]


# --- the same bytes ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder of many documents; two more are empty and no text."""
    folder = write(tmp_path_factory.mktemp("sources") / "in", COUNT)
    (folder / "空.txt").write_bytes(b"")
    (folder / "二进制.txt").write_bytes(bytes(range(256)) * 8)
    return folder


@pytest.fixture(scope="module")
def cleaned(sources: Path) -> dict[str, bytes]:
    """Give what one process makes of them: texts and ledgers."""
    out = sources.parent / "one"
    assert call("clean", sources, "-o", out / "t", "--ledger", out / "l", "-j", "1").returncode == 3
    assert len(tree(out)) == 2 * COUNT
    return tree(out)


@pytest.mark.parametrize("jobs", [2, 8])
def test_any_number_of_workers_gives_the_same_bytes(
    sources: Path, cleaned: dict[str, bytes], tmp_path: Path, jobs: int
) -> None:
    done = call("clean", sources, "-o", tmp_path / "t", "--ledger", tmp_path / "l", "-j", str(jobs))
    assert done.returncode == 3
    assert f"2 of {COUNT + 2} documents failed" in done.stderr
    assert tree(tmp_path) == cleaned


def test_another_order_gives_the_same_bytes(sources: Path, cleaned: dict[str, bytes], tmp_path: Path) -> None:
    given = [*map(str, sources.iterdir())]
    random.Random(6).shuffle(given)  # noqa: S311
    files = [g for g in given if Path(g).is_file()]
    call("clean", *files, "-o", tmp_path / "t", "--ledger", tmp_path / "l", "-j", "2")
    assert tree(tmp_path) == {n: d for n, d in cleaned.items() if n.count("/") == 1}


def test_builds_are_the_same_with_one_worker_and_with_three(tmp_path: Path) -> None:
    write(tmp_path / "in", 5)
    one = json.loads(good(call("build", tmp_path / "in", "-o", tmp_path / "one", "-j", "1", "--json")))
    three = json.loads(good(call("build", tmp_path / "in", "-o", tmp_path / "three", "-j", "3", "--json")))
    assert tree(tmp_path / "one") == tree(tmp_path / "three")
    assert [r["work"] for r in one] == [r["work"] for r in three]
    assert "0/0.epub" in tree(tmp_path / "one") and "index.html" in tree(tmp_path / "one")


# --- who dies ----------------------------------------------------------------------------------------------


def test_a_killed_worker_costs_no_document(sources: Path, cleaned: dict[str, bytes], tmp_path: Path) -> None:
    with start("clean", sources, "-o", tmp_path / "t", "--ledger", tmp_path / "l", "-j", "2") as process:
        killed: set[int] = set()
        while process.poll() is None and len(killed) < 3:
            if len(list((tmp_path / "t").rglob("*.txt"))) > 4 * len(killed):
                for worker in children(process.pid)[:1]:
                    if worker not in killed:
                        os.kill(worker, signal.SIGKILL)
                        killed.add(worker)
        said = process.communicate(timeout=120)[1]
    assert killed
    assert process.returncode == 3, said
    assert f"2 of {COUNT + 2} documents failed" in said
    assert tree(tmp_path) == cleaned


class Deadly(Watch):
    """Lets the worker die, as a fault in a C library would, when it comes to one of some documents."""

    def __init__(self, watch: Watch, deadly: set[int]) -> None:
        super().__init__()
        self.watch, self.deadly = watch, deadly

    def begin(self, position: int) -> str:
        aside = self.watch.begin(position)
        if position in self.deadly and not aside:
            os.kill(os.getpid(), signal.SIGSEGV)
            time.sleep(60)  # another thread may be the one that gets the signal: this one must not go on meanwhile
        return aside


def deadly_work(batch: Batch, watch: Watch) -> list[Outcome]:
    deadly = {
        n
        for n, (entry, _) in enumerate(batch.entries)
        if isinstance(entry, Work) and b"\xe5\xb4\xa9" in entry.read().data
    }
    return work_on(batch, Deadly(watch, deadly))


def batches_with_deadly_documents(folder: Path) -> list[Batch]:
    """Give three batches of ten documents; four of them kill whoever takes them, two in one batch."""
    write(folder / "in", 30)
    for n in (0, 4, 14, 29):
        path = folder / (f"in/部{n % 3}/{n}.txt" if n % 2 else f"in/{n}.txt")
        path.write_text("崩溃,崩溃.\n")
    works = sorted(find_works([folder / "in"]), key=lambda w: int(w.slug))
    options = Options("clean", folder / "out")
    return [Batch(options, [(w, None) for w in part]) for part in in_batches(works, 10, lambda _w: 0, 1)]


@pytest.mark.parametrize("jobs", [1, 3])
def test_a_document_that_kills_workers_is_set_aside_and_no_other(tmp_path: Path, jobs: int) -> None:
    given = batches_with_deadly_documents(tmp_path)
    done = list(run_pool(deadly_work, given, jobs))
    assert [task.entries[0][0] for task, _ in done] == [batch.entries[0][0] for batch in given]
    outcomes = [o for _, result in done if not isinstance(result, Crash) for o in result]
    failed = {o.name: o.fault for o in outcomes if o.fault}
    assert failed.keys() == {"0", "4", "14", "部2/29"}
    for fault in failed.values():
        assert fault.code == "crash"
        assert f"{TRIES} workers died over it" in fault.words and "SIGSEGV" in fault.words
    assert len(outcomes) == 30
    assert len(tree(tmp_path / "out")) == 26


def die_before_any_document(_task: int, _watch: Watch) -> int:
    os._exit(7)


def double(task: int, _watch: Watch) -> int:
    time.sleep(0.02 * (task % 3))
    if task == 99:
        raise ValueError("task 99")
    return 2 * task


def test_a_task_that_no_worker_can_end_is_told(tmp_path: Path) -> None:
    [(task, result)] = run_pool(die_before_any_document, [5], 1)
    assert task == 5
    assert isinstance(result, Crash) and "exit code 7" in result.reason


def test_results_come_in_the_order_of_the_tasks_and_only_some_ahead() -> None:
    asked: list[int] = []

    def tasks() -> Iterator[int]:
        for n in range(40):
            asked.append(n)
            yield n

    given = run_pool(double, tasks(), 3)
    for n, (task, result) in enumerate(given):
        assert (task, result) == (n, 2 * n)
        assert len(asked) <= n + 16
    assert list(run_here(double, range(4))) == [(0, 0), (1, 2), (2, 4), (3, 6)]


def test_an_error_of_the_function_reaches_the_caller() -> None:
    with pytest.raises(ValueError, match="task 99"):
        list(run_pool(double, [1, 99, 2], 2))


def test_workers_end_with_the_process_that_started_them(sources: Path, tmp_path: Path) -> None:
    with start("clean", sources, "-o", tmp_path / "t", "-j", "2") as process:
        wait_until(lambda: len(children(process.pid)) == 2 and bool(tree(tmp_path)))
        workers = {worker: command_line(worker) for worker in children(process.pid)}
        process.kill()
        process.wait(60)
    wait_until(lambda: not any(command_line(worker) == line for worker, line in workers.items()))


SAID: list[str] = []
PROGRAM = """
import sys, threading, time
sys.path.insert(0, {tests!r})
import test_batch as t
if __name__ == "__main__":
    stop = threading.Event()
    for _ in range({threads}):
        threading.Thread(target=stop.wait).start()
    t.SAID.append("in the parent")
    began = time.monotonic()
    print([knows for _, knows in t.run_pool(t.knows, range(12), 3)])
    print(time.monotonic() - began, file=sys.stderr)
    stop.set()
"""


def knows(_task: int, _watch: Watch) -> bool:
    """Tell whether this worker has what its parent has put into memory."""
    return bool(SAID)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere workers always begin anew")
@pytest.mark.parametrize("threads", [0, 1])
def test_a_worker_is_a_copy_of_a_process_with_one_thread_only(tmp_path: Path, threads: int) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM.format(tests=str(Path(__file__).parent), threads=threads))
    done = subprocess.run([sys.executable, program], capture_output=True, text=True, timeout=60, check=True)
    assert json.loads(done.stdout.lower()) == [threads == 0] * 12
    assert float(done.stderr) < 10, "a worker held on to the pipe of another, which had to be killed"


# --- what is not done twice --------------------------------------------------------------------------------


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("stop", [signal.SIGKILL, signal.SIGINT])
def test_a_run_that_was_stopped_is_taken_up_again(
    sources: Path, cleaned: dict[str, bytes], tmp_path: Path, stop: signal.Signals, jobs: int
) -> None:
    command = ["clean", sources, "-o", tmp_path / "t", "--ledger", tmp_path / "l", "-j", str(jobs)]
    with start(*command) as process:
        wait_until(lambda: any(p.stat().st_size for p in (tmp_path / "t").glob(f"{JOURNAL}*")))
        process.send_signal(stop)
        process.wait(60)
    assert process.returncode == (130 if stop == signal.SIGINT else -stop)
    journals = list((tmp_path / "t").glob(f"{JOURNAL}*"))
    if stop == signal.SIGINT:  # what was finished is in the state folder; the output holds results and nothing else
        assert not journals
        journals = list(Path(os.environ["SHANBEN_STATE"], "batches").glob("*.jsonl"))
        journals = [max(journals, key=lambda path: path.stat().st_mtime_ns)]
    [journal] = journals
    finished = {
        json.loads(line)["name"] for line in journal.read_bytes().splitlines(keepends=True) if line.endswith(b"\n")
    }
    assert finished and len(finished) < COUNT
    before = moments(tmp_path / "t")
    with start(*command) as process:
        process.communicate(timeout=120)
    assert process.returncode == 3
    assert tree(tmp_path) == cleaned
    after = moments(tmp_path / "t")
    assert {n for n in finished if before[f"{n}.txt"] != after[f"{n}.txt"]} == set()


def test_a_build_that_was_killed_is_taken_up_again(tmp_path: Path) -> None:
    write(tmp_path / "in", 24)
    command = ["build", tmp_path / "in", "-o", tmp_path / "out", "--formats", "html,txt", "-j", "2"]
    with start(*command) as process:
        wait_until(lambda: any(p.stat().st_size for p in (tmp_path / "out").glob(f"{JOURNAL}*")))
        process.kill()
        process.communicate()
    before = moments(tmp_path / "out")
    said = good(call(*command))
    again = said.count("nothing has changed")
    assert 0 < again < 24
    assert len(said.splitlines()) == 24
    kept = {n for n, m in moments(tmp_path / "out").items() if before.get(n) == m}
    assert len({n.split("/")[0] for n in kept}) >= again
    assert not leftovers(tmp_path)
    good(call("build", tmp_path / "in", "-o", tmp_path / "other", "--formats", "html,txt", "-j", "1"))
    assert tree(tmp_path / "out") == tree(tmp_path / "other")


def built_again(out: Path, *command: str | Path) -> set[str]:
    """Give the works whose folder was replaced by a run."""
    before = {p.name: p.stat().st_ino for p in out.iterdir() if p.is_dir()}
    said = json.loads(good(call(*command, "--json")))
    after = {p.name: p.stat().st_ino for p in out.iterdir() if p.is_dir()}
    changed = {name for name in after if after[name] != before.get(name)}
    assert changed == {r["work"] for r in said if not r.get("unchanged")}
    return changed


def test_only_works_that_changed_are_built_again(tmp_path: Path) -> None:
    source, out = write(tmp_path / "in", 4), tmp_path / "out"
    command: list[str | Path] = ["build", source, "-o", out, "--formats", "txt"]
    everything = {"0", "1", "2", "3"}
    good(call(*command))
    first = tree(out)
    assert built_again(out, *command) == set()
    assert tree(out) == first
    assert built_again(out, *command, "--fresh") == everything
    (source / "0.txt").write_text(TEXT.format(n=100))
    assert built_again(out, *command) == {"0"}
    (source / "部1").mkdir(exist_ok=True)
    (source / "部1/work.yaml").write_text("title: 题\n")
    assert built_again(out, *command) == {"部1"}, "a work that is named after its folder now"
    (source / "部1/work.yaml").write_text("title: 别的题\n")
    assert built_again(out, *command) == {"部1"}
    (out / "2/2.txt").write_text("弄坏了\n")
    assert built_again(out, *command) == {"2"}
    (out / "3/foreign.txt").unlink(missing_ok=True)
    (out / "3/2.txt").symlink_to(out / "2/2.txt")
    assert call(*command).returncode == 8, "a foreign file is not taken away"
    (out / "3/2.txt").unlink()
    assert built_again(out, "build", source, "-o", out, "--formats", "html,txt") == {"0", "2", "3", "部1"}
    assert built_again(out, *command) == {"0", "2", "3", "部1"}
    assert built_again(out, *command, "--no-report") == {"0", "2", "3", "部1"}
    assert built_again(out, *command, "--no-report", "--profile", "plain") == {"0", "2", "3", "部1"}


def test_a_changed_rule_builds_the_works_that_it_is_laid_over(tmp_path: Path) -> None:
    for part in ("甲", "乙"):
        write(tmp_path / "in" / part, 1)
    rule = tmp_path / "in/甲/rules/own.yaml"
    rule.parent.mkdir()
    rule.write_text(
        "rules:\n- {id: own-rule, fault: 词, match: '底线', replace: '红线', examples: [['底线', '红线']]}\n"
    )
    out = tmp_path / "out"
    command = [sys.executable, "-m", "shanben", "build", tmp_path / "in", "-o", out, "--formats", "txt", "--json"]

    def again() -> set[str]:
        done = subprocess.run(command, capture_output=True, check=True)
        return {r["work"] for r in json.loads(done.stdout) if not r.get("unchanged")}

    assert again() == {"0", "甲-0"}
    assert again() == set()
    rule.write_text(rule.read_text().replace("红线", "黄线"))
    [changed] = again()
    assert "守住黄线" in (out / changed / f"{changed}.txt").read_text()


def test_the_manifest_forgets_nothing_and_believes_little(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out"
    (tmp_path / "file").write_text("", "utf-8")
    monkeypatch.setenv("SHANBEN_STATE", str(tmp_path / "file" / "in"))  # nothing can be kept: as after a kill
    first = Manifest(out, "clean")
    first.done(Record("甲", "key", "seal", {"n": 1}))
    first.close(ended=False)
    monkeypatch.setenv("SHANBEN_STATE", str(tmp_path / "state"))
    [journal] = out.iterdir()
    with journal.open("ab") as file:
        file.write(b'{"name": "half a l')
    second = Manifest(out, "clean")
    assert second.earlier("甲") == Record("甲", "key", "seal", {"n": 1})
    second.done(Record("乙", "key", "seal"))
    second.close(ended=True)
    assert not list(out.iterdir())
    third = Manifest(out, "clean")
    assert third.earlier("甲") and third.earlier("乙") and not third.earlier("half a l")
    assert not Manifest(out, "build").earlier("甲"), "each command has its own"
    assert not Manifest(tmp_path / "elsewhere", "clean").earlier("甲")
    assert not Manifest(out, "clean", fresh=True).earlier("甲")
    for path in (tmp_path / "state").rglob("*.jsonl"):
        path.write_bytes(b'\xff\n[]\n{"name": 1}\n' + b"{" * 100_000)
    assert not Manifest(out, "clean").earlier("甲")


@pytest.mark.parametrize("in_memory", [0, 2, 100])
def test_names_in_memory_and_on_disk(monkeypatch: pytest.MonkeyPatch, in_memory: int) -> None:
    monkeypatch.setattr(names_module, "IN_MEMORY", in_memory)
    names = ManyNames()
    assert [names.take(n) for n in ("a", "\udcff", "a", "\udcff", "", "a")] == [0, 0, 1, 1, 0, 2]
    store = names_module.Store()
    for name in (b"c", b"a", b"b", b"a", b"d"):
        store.put(name, name * 2)
    assert list(store.values()) == [b"aa", b"bb", b"cc", b"dd"]
    assert (store.get(b"b"), store.get(b"e")) == (b"bb", None)


# --- what is said ------------------------------------------------------------------------------------------


def test_one_failed_document_stops_no_other_and_is_named_at_the_end(tmp_path: Path) -> None:
    source = write(tmp_path / "in", 30)
    (source / "12.txt").write_bytes(b"")
    done = call("clean", source, "-o", tmp_path / "out", "-j", "2")
    assert done.returncode == 3
    assert len(tree(tmp_path / "out")) == 29
    assert done.stderr.rstrip().splitlines()[-1].strip() == "12.txt: the source is empty"
    assert "1 of 30 documents failed" in done.stderr
    done = call("build", source, "-o", tmp_path / "dist", "--formats", "txt", "--json")
    assert done.returncode == 3
    told = json.loads(done.stdout)
    assert len(told) == 30 and [r["work"] for r in told if "error" in r] == ["12"]


def test_the_source_folder_is_never_the_output(tmp_path: Path) -> None:
    source = write(tmp_path / "甲/in", 3)
    before = tree(tmp_path)
    assert "overwrite" in call("clean", source, "-o", source).stderr
    (tmp_path / "甲/in/in").mkdir()
    (tmp_path / "甲/in/in/x.txt").write_text("别,的.")
    (tmp_path / "甲/x.txt").write_text("在,外.")
    before = tree(tmp_path)
    done = call("clean", source, "-o", tmp_path / "甲")
    assert done.returncode == 2 and "overwrite" in done.stderr, "in/in/x would become in/x"
    assert {n: d for n, d in tree(tmp_path).items() if n in before} == before
    good(call("clean", tmp_path / "甲", "-o", tmp_path / "甲/净"))
    count = len(tree(tmp_path / "甲/净"))
    good(call("clean", tmp_path / "甲", "-o", tmp_path / "甲/净"))
    assert len(tree(tmp_path / "甲/净")) == count, "what was made is no source"


@pytest.mark.parametrize(
    ("missing", "args", "extra"),
    [
        ("pyarrow", ["clean", "t.parquet", "-o", "out"], "shanben[parquet]"),
        ("distributed", ["clean", "in", "-o", "out", "--scheduler", "local"], "shanben[dask]"),
        ("fsspec", ["clean", "s3://bucket/t.jsonl", "-o", "out"], "shanben[s3]"),
    ],
)
def test_a_missing_extra_is_told_with_the_command_that_installs_it(
    tmp_path: Path, missing: str, args: list[str], extra: str
) -> None:
    write(tmp_path / "in", 1)
    (tmp_path / "t.parquet").write_bytes(b"PAR1")
    code = f"import sys; sys.modules[{missing!r}] = None; from shanben.cli import main; main({args!r})"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 6, done.stderr
    assert f"pip install '{extra}'" in done.stderr
    assert "Traceback" not in done.stderr
