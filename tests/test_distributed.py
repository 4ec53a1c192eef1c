"""A real cluster of several worker processes, a real S3 server, and what other engines call; killed in the middle."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shanben.batch import clean_batches, clean_shard
from shanben.batch.adapters import SPARK_SCHEMA, RayCleaner, spark_cleaner
from shanben.batch.dask_runner import run_dask
from shanben.batch.rows import Part
from shanben.batch.runners import Crash
from shanben.batch.tasks import Options, Shard, work_on_shard
from shanben.ledger import from_jsonl
from shanben.pipeline import revert
from test_batch import (
    CLEAN,
    COUNT,
    TEXT,
    batches_with_deadly_documents,
    deadly_work,
    tree,
    write,
    write_table,
)

pytestmark = [
    pytest.mark.filterwarnings("ignore"),  # of the libraries of others, about each other
    pytest.mark.skipif(os.name != "posix", reason="signals are those of POSIX"),
]


def command(*args: str | Path, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "shanben", *map(str, args)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **environment},
    )  # fmt: skip


def rows(count: int, first: int = 0) -> list[dict[str, str]]:
    return [{"id": str(n), "text": TEXT.format(n=n)} for n in range(first, first + count)]


# --- Dask --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Give a cluster of three worker processes, each with a nanny that starts another when it dies."""
    distributed = pytest.importorskip("distributed", reason="Dask is missing: pip install 'shanben[dask]'")
    with distributed.LocalCluster(n_workers=3, threads_per_worker=1, processes=True, dashboard_address=None) as made:
        yield made


def workers(cluster: Any) -> list[int]:
    """Give the process numbers of the workers that are alive."""
    return [nanny.pid for nanny in cluster.workers.values() if nanny.pid]


def test_a_dask_worker_is_killed_and_every_text_is_the_same(cluster: Any, tmp_path: Path) -> None:
    write(tmp_path / "in", COUNT)
    (tmp_path / "in/空.txt").write_bytes(b"")
    for name, options in (("one", ["-j", "1"]), ("dask", ["--scheduler", cluster.scheduler_address])):
        with command(
            "clean", tmp_path / "in", "-o", tmp_path / name / "t", "--ledger", tmp_path / name / "l", *options
        ) as run:
            if name == "dask":
                while run.poll() is None and len(tree(tmp_path / name)) < 5:
                    time.sleep(0.01)
                assert run.poll() is None, "it was over before a worker could be killed"
                os.kill(workers(cluster)[0], signal.SIGKILL)
            said = run.communicate(timeout=200)[1]
        assert run.returncode == 3, said
        assert f"1 of {COUNT + 1} documents failed" in said
    assert len(tree(tmp_path / "one")) == 2 * COUNT
    assert tree(tmp_path / "dask") == tree(tmp_path / "one")


def test_editions_made_on_dask_are_the_same(cluster: Any, tmp_path: Path) -> None:
    write(tmp_path / "in", 4)
    for name, options in (("one", ["-j", "1"]), ("dask", ["--scheduler", cluster.scheduler_address])):
        with command("build", tmp_path / "in", "-o", tmp_path / name, *options) as run:
            said = run.communicate(timeout=200)[1]
        assert run.returncode == 0, said
    assert len([n for n in tree(tmp_path / "one") if n.endswith(".epub")]) == 4
    assert tree(tmp_path / "dask") == tree(tmp_path / "one")


def test_shards_on_dask_are_those_of_one_process(cluster: Any, tmp_path: Path) -> None:
    for n in range(6):
        write_table(tmp_path / f"in-{n}.jsonl", rows(10, 10 * n))
    given = [
        Shard(Options("clean", Path()), str(tmp_path / f"in-{n}.jsonl"), str(tmp_path / f"dask/{n}.jsonl"), Part())
        for n in range(6)
    ]
    done = list(run_dask(work_on_shard, given, cluster.scheduler_address, 0))
    assert [shard for shard, _ in done] == given
    for n in range(6):
        clean_shard(str(tmp_path / f"in-{n}.jsonl"), str(tmp_path / f"one/{n}.jsonl"))
    assert tree(tmp_path / "dask") == tree(tmp_path / "one")


def test_a_document_that_kills_dask_workers_is_set_aside(cluster: Any, tmp_path: Path) -> None:
    given = batches_with_deadly_documents(tmp_path)
    done = list(run_dask(deadly_work, given, cluster.scheduler_address, 0))
    outcomes = [o for _, result in done if not isinstance(result, Crash) for o in result]
    assert len(outcomes) == 30
    assert {o.name for o in outcomes if o.fault and o.fault.code == "crash"} == {"0", "4", "14", "部2/29"}
    assert len(tree(tmp_path / "out")) == 26


def test_a_cluster_that_is_not_there_is_told(tmp_path: Path) -> None:
    pytest.importorskip("distributed", reason="Dask is missing: pip install 'shanben[dask]'")
    write(tmp_path / "in", 1)
    with command("clean", tmp_path / "in", "-o", tmp_path / "o", "--scheduler", "no-such-kind://127.0.0.1:1") as run:
        said = run.communicate(timeout=100)[1]
    assert run.returncode == 6
    assert "cluster cannot be reached" in said and "Traceback" not in said


def test_a_cluster_of_this_machine_for_one_run(tmp_path: Path) -> None:
    pytest.importorskip("distributed", reason="Dask is missing: pip install 'shanben[dask]'")
    write_table(tmp_path / "in.jsonl", rows(8))
    with command("clean", tmp_path / "in.jsonl", "-o", tmp_path / "o", "--scheduler", "local", "-j", "2") as run:
        out, said = run.communicate(timeout=200)
    assert run.returncode == 0, said
    assert out.startswith("8 rows, 1 shards")
    made = (tmp_path / "o/in-00000.jsonl").read_text().splitlines()
    assert [json.loads(line)["text"] for line in made] == [CLEAN.format(n=n) for n in range(8)]


# --- S3 ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def s3() -> Iterator[dict[str, str]]:
    """Start an S3 server on this machine; give the settings that lead to it."""
    pytest.importorskip("s3fs", reason="s3fs is missing: pip install 'shanben[s3]'")
    server_module = pytest.importorskip("moto.server", reason="the S3 server is missing: pip install 'moto[server]'")
    server = server_module.ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    settings = {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}", "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1", "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1",
    }  # fmt: skip
    before = {name: os.environ.get(name) for name in settings}
    os.environ.update(settings)
    yield settings
    for name, value in before.items():
        if value is None:
            del os.environ[name]
        else:
            os.environ[name] = value
    server.stop()


@pytest.fixture
def bucket(s3: dict[str, str], request: pytest.FixtureRequest) -> Any:
    """Give a file system on the server, and a bucket of its own in it."""
    import s3fs

    fs = s3fs.S3FileSystem(skip_instance_cache=True)
    name = f"bucket-{abs(hash(request.node.name)) % 10**9}"
    fs.mkdir(name)
    return fs, name


@pytest.mark.parametrize("suffix", [".jsonl", ".jsonl.gz", ".parquet"])
def test_shards_go_from_s3_to_s3(bucket: Any, s3: dict[str, str], tmp_path: Path, suffix: str) -> None:
    fs, name = bucket
    for n in range(3):
        write_table(tmp_path / f"{n}{suffix}", rows(10, 10 * n))
        fs.put_file(str(tmp_path / f"{n}{suffix}"), f"{name}/in/{n}{suffix}")
        clean_shard(str(tmp_path / f"{n}{suffix}"), str(tmp_path / f"out/{n}-00000{suffix}"))
    for again in (False, True):
        with command("clean", f"s3://{name}/in", "-o", f"s3://{name}/out", "-j", "2", **s3) as run:
            out, said = run.communicate(timeout=200)
        assert run.returncode == 0, said
        assert ("3 of 3 shards were there already" in out) is again
    fs.invalidate_cache()
    found = sorted(p for p in fs.find(f"{name}/out") if "/_stats/" not in p)
    assert [p.rpartition("/")[2] for p in found] == [f"{n}-00000{suffix}" for n in range(3)]
    for path in found:
        assert fs.cat_file(path) == (tmp_path / "out" / path.rpartition("/")[2]).read_bytes()
    assert not [p for p in fs.find(name) if ".shanben" in p]


def test_what_is_not_on_s3_is_told(bucket: Any, s3: dict[str, str], tmp_path: Path) -> None:
    _, name = bucket
    for args in ((f"s3://{name}/none.jsonl",), (f"s3://{name}/none/",), ("s3://no-such-bucket-at-all/x.jsonl",)):
        with command("clean", *args, "-o", tmp_path / "o", **s3) as run:
            said = run.communicate(timeout=100)[1]
        assert run.returncode == 3, said
        assert "Traceback" not in said


def test_a_killed_run_leaves_no_part_of_a_shard_on_s3(bucket: Any, s3: dict[str, str], tmp_path: Path) -> None:
    fs, name = bucket
    for n in range(4):
        write_table(tmp_path / f"{n}.jsonl", rows(150, 150 * n))
        fs.put_file(str(tmp_path / f"{n}.jsonl"), f"{name}/in/{n}.jsonl")
    args = ("clean", f"s3://{name}/in", "-o", f"s3://{name}/out", "-j", "1")
    with command(*args, **s3) as run:
        while run.poll() is None and not fs.exists(f"{name}/out/_stats/0-00000.jsonl.json"):
            time.sleep(0.02)
            fs.invalidate_cache()
        assert run.poll() is None, run.communicate()
        run.kill()
        run.communicate()
    fs.invalidate_cache()
    before = [p for p in fs.find(f"{name}/out") if "/_stats/" not in p]
    assert 0 < len(before) < 4
    for path in before:
        assert len(fs.cat_file(path).splitlines()) == 150
    with command(*args, **s3) as run:
        out, said = run.communicate(timeout=200)
    assert run.returncode == 0, said
    assert out.startswith("600 rows, 4 shards") and "were there already" in out


# --- what other engines call -------------------------------------------------------------------------------


def test_arrow_batches_in_arrow_batches_out() -> None:
    pyarrow = pytest.importorskip("pyarrow", reason="pyarrow is missing: pip install 'shanben[parquet]'")
    given = pyarrow.RecordBatch.from_pylist([*rows(3), {"id": "x", "text": None}])
    [made] = clean_batches([given])
    found = made.to_pylist()
    assert [row["text"] for row in found] == [CLEAN.format(n=n) for n in range(3)] + [None]
    assert [bool(row["error"]) for row in found] == [False, False, False, True]
    for row, source in zip(found, rows(3), strict=False):
        assert revert(row["text"], from_jsonl(row["ledger"])).decode() == source["text"]
    data = pyarrow.RecordBatch.from_pylist(
        [{"id": "1", "bytes": TEXT.format(n=1).encode("gb18030"), "metadata": {"a": 1}}]
    )
    [row] = next(clean_batches([data])).to_pylist()
    assert row["text"] == CLEAN.format(n=1) and json.loads(row["metadata"]) == {"a": 1}


def test_adapters_give_what_the_engines_expect() -> None:
    pyarrow = pytest.importorskip("pyarrow", reason="pyarrow is missing: pip install 'shanben[parquet]'")
    table = pyarrow.Table.from_pylist(rows(5))
    made = RayCleaner()(table)
    assert isinstance(made, pyarrow.Table)
    assert made["text"].to_pylist() == [CLEAN.format(n=n) for n in range(5)]
    batches = list(spark_cleaner()(iter(table.to_batches(max_chunksize=2))))
    assert [len(b) for b in batches] == [2, 2, 1]
    kinds = {"string": pyarrow.string(), "long": pyarrow.int64()}
    named = [column.split() for column in SPARK_SCHEMA.split(", ")]
    assert [(f.name, f.type) for f in batches[0].schema] == [(name, kinds[kind]) for name, kind in named]


def test_adapters_can_be_imported_without_anything() -> None:
    blocked = "import sys; sys.modules.update(dict.fromkeys(['ray', 'pyspark', 'pyarrow', 'distributed', 'fsspec']))"
    code = f"{blocked}; import shanben.batch, shanben.batch.adapters, shanben.batch.dask_runner, shanben.batch_commands"
    subprocess.run([sys.executable, "-c", code], check=True)
