"""What goes wrong, what is said, and how the command ends: one line a case.

In every case: no traceback, one short paragraph with a way out, and nothing that was there before has changed.
"""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from shanben.cli import main
from shanben.fixity import verify_folder
from shanben.pipeline import clean

TEXT = "通知\n\n会议强调,要抓好落实,守住底线,推动经济发展.\n"
HAN = "会议强调，要抓好落实。"


def run(
    *args: str | Path, cwd: Path | None = None, stdin: bytes = b"", seconds: float = 120, **environment: str
) -> subprocess.CompletedProcess[bytes]:
    """Run shanben as a process of its own; ``seconds`` is the longest that it may take."""
    return subprocess.run(
        [sys.executable, "-m", "shanben", *map(str, args)],
        cwd=cwd, input=stdin, env={**os.environ, **environment}, capture_output=True, timeout=seconds, check=False,
    )  # fmt: skip


def call(*args: str | Path) -> subprocess.CompletedProcess[bytes]:
    """Run shanben in this process: quicker, and enough where no signal, limit or working folder matters."""
    done = CliRunner().invoke(main, [*map(str, args)])
    assert isinstance(done.exception, SystemExit | None), repr(done.exception)
    return subprocess.CompletedProcess(args, done.exit_code, done.stdout_bytes, done.stderr_bytes)


def shell(command: str, *args: str | Path, seconds: float = 120) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        ["bash", "-c", command, sys.executable, *map(str, args)], capture_output=True, timeout=seconds, check=False
    )


def state(folder: Path) -> dict[str, str]:
    """Give what every file of a folder holds; links by where they lead, large and odd files by their size."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            found[name] = f"link to {path.readlink()}"
        elif path.is_file():
            size = path.stat().st_size
            found[name] = f"{size} bytes" if size > 100_000_000 else hashlib.sha256(path.read_bytes()).hexdigest()
        else:
            found[name] = "folder or device"
    return found


def paragraph(done: subprocess.CompletedProcess[bytes], code: int, fragment: str, *, lines: int = 12) -> str:
    """Hold what was said against what an error may look like; files with many faults get a line and more for each."""
    said = done.stderr.decode()
    assert done.returncode == code, said[-2000:]
    assert "Traceback" not in said
    assert "Exception" not in said
    assert "\x1b" not in said
    assert fragment in said
    assert said.startswith(("error: ", "Usage: "))
    assert len(said) < 2500
    assert len(said.splitlines()) <= lines
    return said


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sound")
    (folder / "好.txt").write_text(TEXT)
    done = run("build", "好.txt", "-o", "dist", cwd=folder)
    assert done.returncode == 0, done.stderr.decode()
    return folder


@pytest.fixture
def place(sound: Path, tmp_path: Path) -> Path:
    """Give a folder with a sound document and its editions, built before anything went wrong."""
    return Path(shutil.copytree(sound, tmp_path / "place"))


# --- sources -----------------------------------------------------------------------------------------------


def write(name: str, data: bytes | str) -> Callable[[Path], list[str | Path]]:
    def make(folder: Path) -> list[str | Path]:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        return [path]

    return make


def docx() -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("word/document.xml", "<w:document/>")
    return data.getvalue()


def missing(folder: Path) -> list[str | Path]:
    return [folder / "没有.txt"]


def missing_folder(folder: Path) -> list[str | Path]:
    return [folder / "没有" / "a.txt"]


def empty_folder(folder: Path) -> list[str | Path]:
    (folder / "空").mkdir()
    (folder / "空/a.docx").write_bytes(docx())
    return [folder / "空"]


def folder_named_as_text(folder: Path) -> list[str | Path]:
    (folder / "x.txt").mkdir()
    return [folder / "x.txt"]


def fifo(folder: Path) -> list[str | Path]:
    os.mkfifo(folder / "x.txt")
    return [folder / "x.txt"]


def device(_folder: Path) -> list[str | Path]:
    return ["/dev/zero"]


def dangling(folder: Path) -> list[str | Path]:
    (folder / "x.txt").symlink_to(folder / "nowhere")
    return [folder / "x.txt"]


def circle(folder: Path) -> list[str | Path]:
    (folder / "x.txt").symlink_to(folder / "x.txt")
    return [folder / "x.txt"]


def unreadable(folder: Path) -> list[str | Path]:
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    (folder / "x.txt").write_text(TEXT)
    (folder / "x.txt").chmod(0)
    return [folder / "x.txt"]


def huge(folder: Path) -> list[str | Path]:
    with (folder / "x.txt").open("wb") as file:
        file.truncate(1_000_000_000)
    return [folder / "x.txt"]


def long_name(folder: Path) -> list[str | Path]:
    return [folder / ("x" * 10_000 + ".txt")]


def two_sources(folder: Path) -> list[str | Path]:
    write("w/work.yaml", "title: 甲\n")(folder)
    write("w/source.txt", TEXT)(folder)
    write("w/source.md", TEXT)(folder)
    return [folder / "w"]


def no_source(folder: Path) -> list[str | Path]:
    write("w/work.yaml", "title: 甲\n")(folder)
    return [folder / "w"]


def told(encoding: str, data: bytes = TEXT.encode()) -> Callable[[Path], list[str | Path]]:
    def make(folder: Path) -> list[str | Path]:
        return [*write("x.txt", data)(folder), "--encoding", encoding]

    return make


NOISE = bytes(b for n in range(400) for b in (0x81 + n * 37 % 0x7D, 0x81 + n * 91 % 0x7D, 0x20))
SOURCES = [
    # input, said, exit code
    (missing, "没有.txt: there is no such file", 3),
    (missing_folder, "there is no such file", 3),
    (empty_folder, "空: there is no document in this folder", 3),
    (folder_named_as_text, "x.txt: there is no document in this folder", 3),
    (write("x.txt", b""), "x.txt: the source is empty", 3),
    (write("x.txt", b"\xef\xbb\xbf"), "the source is empty but for a byte order mark", 3),
    (write("x.txt", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj"), "this is a PDF, not a text", 3),
    (write("x.docx", docx()), "this is a ZIP archive such as DOCX", 3),
    (write("x.txt", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"), "this is a PNG image", 3),
    (write("x.txt", bytes(range(256)) * 40), "this is binary data, not a text", 3),
    (write("x.txt", b"\0" * 5000), "this is binary data, not a text", 3),
    (write("x.txt", NOISE), "--encoding", 4),
    (told("klingon"), "the encoding 'klingon' is not known", 2),
    (told("rot13"), "is no text encoding", 2),
    (told("utf-7"), "cannot be used", 2),
    (told("a\u202eb" * 50), "is not known", 2),
    (fifo, "this is no plain file", 3),
    (device, "this is no plain file", 3),
    (dangling, "there is no such file", 3),
    (circle, "x.txt: ", 3),
    (unreadable, "the file cannot be read (Permission denied)", 3),
    (huge, "the limit is 256 MB", 3),
    (long_name, "the file cannot be read (File name too long)", 3),
    (two_sources, "a work has one source, this folder has 2", 3),
    (no_source, "a work has one source, this folder has 0", 3),
    (lambda f: [*write("x.txt", TEXT)(f), "--rules", f / "no-such"], "there is no such rule folder", 2),
    (lambda f: [*write("x.txt", TEXT)(f), "--max-megabytes", "0"], "--max-megabytes", 2),
    (lambda f: [*write("x.txt", TEXT)(f), "--formats", "pdf"], "there is no format 'pdf'", 2),
    (lambda f: [*write("x.txt", TEXT)(f), "--formats", "EPUB"], "choose from epub, html, txt", 2),
]  # fmt: skip


@pytest.mark.parametrize(("make", "fragment", "code"), SOURCES, ids=[str(n) for n in range(len(SOURCES))])
def test_sources(place: Path, make: Callable[[Path], list[str | Path]], fragment: str, code: int) -> None:
    args = make(place)
    before = state(place)
    began = time.monotonic()
    said = paragraph(run("build", *args, "-o", place / "dist", seconds=60), code, fragment)
    assert time.monotonic() - began < 20
    assert "fix: " in said or code == 2
    assert state(place) == before
    if not {"--formats"} & set(map(str, args)):
        out = place / "o" if os.path.isdir(args[0]) else place / "o.txt"  # noqa: PTH112 - Path.is_dir raises for long names
        paragraph(call("clean", *args, "-o", out), code, fragment)
        assert state(place) == before


def test_folders_nested_without_end(tmp_path: Path) -> None:
    """A careless walk runs out of stack; a careful one finds the document, or says that it lies too deep."""
    folder = tmp_path.joinpath(*["d"] * 400)
    os.makedirs(folder)  # noqa: PTH103 - Path.mkdir runs out of stack itself
    (folder / "a.txt").write_text(TEXT)
    done = run("build", tmp_path, "-o", tmp_path / "dist", seconds=60)
    assert b"Traceback" not in done.stderr
    assert done.returncode in (0, 3)


@pytest.mark.parametrize(
    ("stdin", "fragment", "code"),
    [(b"", "standard input: the source is empty", 3), (b"PK\x03\x04", "standard input: this is a ZIP archive", 3), (NOISE, "--encoding", 4),
     (b"a" * 1_100_000, "standard input has more than 1 MB", 3)],
    ids=["nothing", "zip", "noise", "too large"],
)  # fmt: skip
@pytest.mark.parametrize("command", ["clean", "explain"])
def test_standard_input(command: str, stdin: bytes, fragment: str, code: int) -> None:
    done = run(command, "-", "--max-megabytes", "1", stdin=stdin)
    paragraph(done, code, fragment)
    assert done.stdout == b""


def test_a_book_of_a_folder_that_is_none(place: Path) -> None:
    paragraph(run("build", place / "好.txt", "--book", "-o", place / "dist"), 3, "this is no folder")


@pytest.mark.parametrize(
    ("args", "fragment", "code"),
    [
        (["verify", "没有"], "no editions were found here", 3),
        (["verify", "."], "no editions were found here", 3),
        (["revert", "没有"], "no editions were found here", 3),
        (["revert", "好.txt", "--ledger", "没有.jsonl"], "there is no such file", 3),
        (["revert", "好.txt", "--ledger", "好.txt"], "this is no ledger", 7),
        (["revert", "好.txt", "--ledger", "dist/好/ledger.jsonl"], "use the text and the ledger of the same build", 7),
        (["explain", "."], "explain takes one document", 2),
        (["explain", "没有.txt"], "there is no such file", 3),
        (["plan", "--rules", "好.txt"], "this is a file, not a folder of rules", 2),
    ],
)
def test_other_commands(place: Path, args: list[str], fragment: str, code: int) -> None:
    write("x/a.txt", TEXT)(place)
    before = state(place)
    paragraph(run(*args, cwd=place / ("x" if args == ["verify", "."] else ".")), code, fragment)
    assert state(place) == before


# --- sizes -------------------------------------------------------------------------------------------------


def test_one_line_of_60_mb_comes_to_an_end(tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    path.write_bytes((HAN * (60_000_000 // len(HAN.encode()) + 1)).encode()[:60_000_000])
    done = shell('ulimit -v 8000000; exec "$0" -m shanben clean "$1" -o "$2"', path, tmp_path / "o.txt", seconds=170)
    assert done.returncode == 0, done.stderr[-500:]
    assert (tmp_path / "o.txt").stat().st_size == 60_000_000


def test_too_little_memory_is_said(place: Path) -> None:
    (place / "x.txt").write_bytes(HAN.encode() * 2_500_000)
    before = state(place)
    done = shell('ulimit -v 350000; exec "$0" -m shanben clean "$1" -o "$2"', place / "x.txt", place / "o.txt")
    paragraph(done, 3, "not enough memory")
    assert state(place) == before


HOSTILE_LINES = {
    "blanks": " ", "wide blanks": "\u3000", "tabs": "\t", "quotes": '"', "han and quotes": '会"', "brackets": "(", "wide brackets": "（", "signs": "#", "signs and blanks": "# ",
    "equals": "=", "ordinals": "第", "words and blanks": "会议 ", "long words and blanks": "会议强调要抓好落实 ", "stars": "*", "han and stars": "会*", "dots": ".", "hyphens": "-", "ampersands": "&a",
    "digits and commas": "1,", "latin words": "ab, ", "sources": "来源：甲 ", "bookmarks": "[bookmark:", "links": 'HYPERLINK "', "dates": "2024年1月1日 ", "angles": "<<会", "addresses": "http://a.",
    "lines": "会\n", "empty lines": "\n", "blank lines": " \n", "open lines": "会议强调，抓好、\n\n", "numbered": "第一章\n", "headings": "# 会\n", "quoted lines": '他说"好\n', "fences": "```\n",
    "returns": "会\r", "form feeds": "会\f", "stanzas": "床前明月光，\n", "page numbers": "- 1 -\n", "ticks": "`a", "nuls": "会\0",
}  # fmt: skip


@pytest.mark.parametrize("kind", HOSTILE_LINES)
def test_time_grows_with_the_text_and_not_faster(kind: str) -> None:
    """Four times the text may take four times as long and some; a quadratic step takes sixteen times."""

    def seconds(characters: int) -> float:
        piece = HOSTILE_LINES[kind]
        text = "标题\n\n" + piece * (characters // len(piece)) + "\n尾。\n"
        began = time.process_time()
        clean(text)
        return time.process_time() - began

    clean("热身。")
    for _ in range(3):  # a busy machine may take longer once
        small, large = min(seconds(15_000), seconds(15_000)), seconds(60_000)
        if large < 8 * small + 0.25:
            return
    pytest.fail(f"{small:.2f} s for 15,000 characters, {large:.2f} s for 60,000")


# --- rules, works, collections -----------------------------------------------------------------------------

FAULTY_RULES = [
    # file, content, said
    ("punctuation/x.yaml", "rules:\n- id: my-rule\n  fault: a\n  match: '('\n  replace: b\n  examples: [[a, b]]\n  keep: [c]\n", "x.yaml:4:11"),
    ("punctuation/x.yaml", "rules:\n- id: my-rule\n  id: my-rule\n", "x.yaml:3:3"),
    ("punctuation/x.yaml", "rules:\n- id: my-rule\n  colour: red\n", "x.yaml:3:3"),
    ("punctuation/x.yaml", "rules: [\n", "x.yaml:"),
    ("punctuation/x.yaml", "rules:\n- id: my-rule\n  fault: a\n  match: a\n  replace: b\n", "x.yaml:2:"),
    ("punctuation/x.yaml", "a: &a [1]\nb: *a\n", "x.yaml:1:"),
    ("no-such-phase/x.yaml", "rules: []\n", "x.yaml:1:1"),
    ("punctuation/x.yaml", b"\xff\xfe\x00", "x.yaml:1:1"),
    ("punctuation/x.yaml", "!!python/object/apply:os.system ['touch hacked']\n", "x.yaml:1:"),
    ("punctuation/x.yaml", "[" * 50_000, "x.yaml:1:"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "content", "fragment"), FAULTY_RULES, ids=[str(n) for n in range(len(FAULTY_RULES))])
def test_rule_files(place: Path, name: str, content: str | bytes, fragment: str) -> None:
    write(f"rules/{name}", content)(place)
    before = state(place)
    for args in (["build", place / "好.txt", "-o", place / "dist"], ["plan"]):
        paragraph(call(*args, "--rules", place / "rules"), 5, fragment, lines=24)
    assert state(place) == before
    assert "hacked" not in before


ENDLESS = """\
rules:
- id: my-endless-rule
  fault: a pattern that backtracks without end
  {kind}
  examples: [{example}]
  keep: [c]
"""
KINDS = {
    "replace": ("punctuation", "match: '(?:甲|甲甲)+乙$'\n  replace: '乙'", "[甲甲乙, 乙]"),
    "when": (
        "punctuation",
        "match: '丙'\n  replace: '丁'\n  when: {has: '(?:甲|甲甲)+乙$'}",
        '["丙\\n甲甲乙", "丁\\n甲甲乙"]',
    ),
    "protect": ("protect", "match: '(?:甲|甲甲)+乙$'\n  protect: redaction", "[甲甲乙, 甲甲乙]"),
    "mark": ("structure", "match: '^(?:甲|甲甲)+乙$'\n  mark: heading", "[甲甲乙, 甲甲乙]"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_rule_without_end_is_stopped_and_named(place: Path, kind: str) -> None:
    phase, what, example = KINDS[kind]
    write(f"rules/{phase}/x.yaml", ENDLESS.format(kind=what, example=example))(place)
    write("长.txt", f"标题\n\n会议,丙\n{'甲' * 60}乙丙\n")(place)
    before = state(place)
    # The time limit is ten seconds; for the test a quarter of one is enough.
    program = "import shanben.rulebook.apply as a; a.SECONDS = 0.25; from shanben.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", program, "build", "长.txt", "好.txt", "-o", "dist", "--rules", "rules"],
        cwd=place, capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    said = done.stderr.decode()
    assert done.returncode == 5, said
    assert "my-endless-rule" in said
    assert "x.yaml:" in said
    assert "Traceback" not in said
    unchanged = {n: d for n, d in state(place).items() if not n.startswith("dist/好")}
    assert unchanged == {n: d for n, d in before.items() if not n.startswith("dist/好")}


FAULTY_WORKS = [
    # work.yaml, said, exit code
    (f"sha256: {'0' * 64}\n", "its SHA-256 differs", 3),
    ("title: 甲\ntitle: 乙\n", "work.yaml:2:1", 5),
    ("titel: 甲\n", "work.yaml:1:1", 5),
    ("- a\n", "work.yaml:1:1", 5),
    ("title: [甲, 乙]\n", "work.yaml:1:8", 5),
    ("title: &a 甲\nsubtitle: *a\n", "work.yaml:1:8", 5),
    ("encoding: klingon\n", "'klingon' is not known", 2),
    ("encoding: \"utf_8\\0\"\n", "source.txt", 2),
    ("date: yesterday\n", "work.yaml:1:7", 5),
    ("language: klingonese-xx\n", "work.yaml:1:11", 5),
    ("language: ''\n", "work.yaml:1:11", 5),
    ("sha256: abc\n", "its SHA-256 differs", 3),
    (b"\xff\xfe\x00\x01", "work.yaml:1:", 5),
    ("{" * 30_000, "work.yaml:1:", 5),
    ("", "work.yaml", 5),
]  # fmt: skip


@pytest.mark.parametrize(("content", "fragment", "code"), FAULTY_WORKS, ids=[str(n) for n in range(len(FAULTY_WORKS))])
def test_work_files(place: Path, content: str | bytes, fragment: str, code: int) -> None:
    write("w/source.txt", TEXT)(place)
    write("w/work.yaml", content)(place)
    before = state(place)
    paragraph(call("build", place / "w", "-o", place / "dist"), code, fragment)
    assert state(place) == before


FAULTY_COLLECTIONS = [
    ("title: 集\nworks: [a, 没有]\n", "collection.yaml:2:12"),
    ("title: 集\nworks: [a]\nparts: []\n", "exclude each other"),
    ("works: [a]\n", "collection.yaml:1:1"),
    ("title: 集\nparts:\n- title: 甲\n", "collection.yaml:3:3"),
    ("title: 集\nworks: []\n", "collection.yaml:2:8"),
    ("title: 集\nparts: []\n", "collection.yaml:2:8"),
    ("title: 集\nworks: [a, a]\n", "collection.yaml:2:12"),
    ("title: 集\nslug: ''\n", "collection.yaml:2:7"),
    ("title: ''\n", "collection.yaml:1:8"),
]


@pytest.mark.parametrize(
    ("content", "fragment"), FAULTY_COLLECTIONS, ids=[str(n) for n in range(len(FAULTY_COLLECTIONS))]
)
def test_collection_files(place: Path, content: str, fragment: str) -> None:
    for name in "ab":
        write(f"c/{name}.txt", TEXT)(place)
    write("c/collection.yaml", content)(place)
    before = state(place)
    paragraph(call("build", place / "c", "--book", "-o", place / "dist"), 5, fragment)
    assert state(place) == before


def test_a_fault_of_one_work_keeps_the_old_book(place: Path) -> None:
    for name in "ab":
        write(f"c/{name}.txt", TEXT)(place)
    assert run("build", "c", "--book", "-o", "dist", cwd=place).returncode == 0
    write("c/b.txt", b"%PDF-1.4 \0")(place)
    before = state(place)
    said = paragraph(run("build", "c", "--book", "-o", "dist", cwd=place), 3, "this is a PDF")
    assert "b.txt" in said
    assert state(place) == before


# --- tools and disk ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["none", "one that fails", "one that is too old", "one that cannot be started"])
def test_pandoc(place: Path, kind: str) -> None:
    fake = place / "pandoc"
    body = {
        "one that fails": 'case "$1" in --version) echo "pandoc 3.9"; exit 0;; esac; echo "no luck" >&2; exit 3',
        "one that is too old": 'echo "pandoc 2.17"',
        "one that cannot be started": "",
    }.get(kind)
    if body is not None:
        fake.write_text(f"#!/bin/sh\n{body}\n" if body else "#!/no/such/interpreter\n")
        fake.chmod(0o755)
    (place / "好.txt").write_text(TEXT + "\n新的一段。\n")
    before = state(place)
    done = run("build", "好.txt", "-o", "dist", cwd=place, PYPANDOC_PANDOC=str(fake))
    said = paragraph(done, 6, "pandoc")
    assert "pip install pypandoc_binary" in said
    assert state(place) == before
    assert run("verify", "dist", cwd=place).returncode == 0, "verifying needs no pandoc"
    assert run("clean", "好.txt", cwd=place, PYPANDOC_PANDOC=str(fake)).returncode == 0, "nor does cleaning"


def test_a_file_that_grows_over_the_limit_of_the_disk(place: Path) -> None:
    """RLIMIT_FSIZE is a full disk that anyone can have: the ledger is the largest of the files here."""
    (place / "好.txt").write_text("通知\n\n" + "会,议\n\n" * 3000)
    before = state(place)
    done = shell('ulimit -f 96; cd "$1"; exec "$0" -m shanben build 好.txt -o dist --formats txt', place)
    said = paragraph(done, 8, "File too large")
    assert "好" in said
    assert state(place) == before
    done = shell('ulimit -f 1; cd "$1"; exec "$0" -m shanben clean 好.txt -o o.txt', place)
    paragraph(done, 8, "o.txt")
    assert state(place) == before


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Give a folder on a disk of 300 KB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if (
        os.geteuid()
        or subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=300k", "none", folder], capture_output=True, check=False
        ).returncode
    ):
        pytest.skip("a small disk needs the right to mount one")
    yield folder
    subprocess.run(["umount", "-l", folder], check=False)


def test_a_full_disk_keeps_the_old_editions(small_disk: Path, tmp_path: Path) -> None:
    source = tmp_path / "好.txt"
    source.write_text(TEXT)
    assert run("build", source, "-o", small_disk, "--formats", "txt").returncode == 0
    source.write_text("通知\n\n" + "会,议\n\n" * 12000)
    before = state(small_disk)
    paragraph(run("build", source, "-o", small_disk, "--formats", "txt"), 8, "the disk is full")
    assert state(small_disk) == before
    paragraph(
        run("clean", source, "-o", small_disk / "o.txt", "--ledger", small_disk / "o.jsonl"), 8, "the disk is full"
    )
    assert {n: d for n, d in state(small_disk).items() if n != "o.txt"} == before


def out_is_a_file(folder: Path) -> Path:
    (folder / "out").write_text("mine")
    return folder / "out"


def out_is_in_a_file(folder: Path) -> Path:
    return out_is_a_file(folder) / "deeper"


def work_is_a_file(folder: Path) -> Path:
    write("out/好", "mine")(folder)
    return folder / "out"


def work_is_a_link(folder: Path) -> Path:
    (folder / "out").mkdir()
    (folder / "elsewhere").mkdir()
    (folder / "out/好").symlink_to(folder / "elsewhere")
    return folder / "out"


def work_is_foreign(folder: Path) -> Path:
    write("out/好/日记.doc", "mine")(folder)
    return folder / "out"


def out_may_not_be_written(folder: Path) -> Path:
    if os.geteuid() == 0:
        return Path("/proc/shanben")  # even root makes no folder there
    (folder / "out").mkdir(mode=0o500)
    return folder / "out"


@pytest.mark.parametrize(
    "make", [out_is_a_file, out_is_in_a_file, work_is_a_file, work_is_a_link, work_is_foreign, out_may_not_be_written]
)
def test_output(place: Path, make: Callable[[Path], Path]) -> None:
    out = make(place)
    before = state(place)
    said = paragraph(run("build", "好.txt", "-o", out, cwd=place), 8, str(out))
    assert "fix: " in said
    assert state(place) == before


# --- what lies in a built folder ---------------------------------------------------------------------------


def test_one_flipped_bit_in_any_file_is_found_and_named(place: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("flip") / "好"
    shutil.copytree(place / "dist/好", folder)
    assert not verify_folder(folder).faults
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        whole = path.read_bytes()
        for part in (0.0, 0.3, 0.6, 0.999):
            at = int(len(whole) * part)
            path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
            faults = verify_folder(folder).faults
            # A manifest that was changed speaks of the other files.
            assert any(path.name in fault for fault in faults) or (faults and path.name.startswith("manifest")), (
                at,
                faults,
            )
        path.write_bytes(whole[:-2])
        assert any(path.name in fault for fault in verify_folder(folder).faults) or path.name.startswith("manifest")
        path.unlink()
        try:
            assert any(path.name in fault for fault in verify_folder(folder).faults)
        finally:
            path.write_bytes(whole)
    (folder / "extra.txt").write_text("x")
    assert any("extra.txt" in fault for fault in verify_folder(folder).faults)
    (folder / "extra.txt").unlink()
    assert not verify_folder(folder).faults


def damaged_ledger(lines: list[str]) -> list[tuple[str, list[str]]]:
    deep = "[" * 100_000
    return [
        ("nothing", []),
        ("half", lines[: len(lines) // 2]),
        ("a line less", lines[:2] + lines[3:]),
        ("no header", lines[1:]),
        ("no JSON", [*lines[:3], "{", *lines[3:]]),
        ("null", [*lines[:3], "null", *lines[3:]]),
        ("deep", [*lines[:3], deep, *lines[3:]]),
        ("offset below zero", [*lines[:2], '{"at":-1,"before":"a","after":"b"}', *lines[2:]]),
        ("huge offset", [*lines[:2], '{"at":1' + "0" * 30 + ',"before":"","after":"b"}', *lines[2:]]),
        ("offset of 5,000 digits", [*lines[:2], '{"at":1' + "0" * 5000 + ',"before":"","after":"b"}', *lines[2:]]),
        ("long change", [*lines[:2], '{"at":0,"before":"","after":"' + "x" * 2_000_000 + '"}', *lines[2:]]),
        ("codec that is none", [lines[0].replace('"utf-8"', '"utf_8\\u0000"'), *lines[1:]]),
        ("codec with side effects", [lines[0].replace('"utf-8"', '"unicode_escape"'), *lines[1:]]),
        (
            "segments without end",
            [lines[0].replace('"segments":[[0', '"segments":[' + '[0,99999,"utf-8"],' * 300_000 + "[0"), *lines[1:]],
        ),
        ("other source", [lines[0].replace('"sha256":"', '"sha256":"0'), *lines[1:]]),
    ]


def test_a_damaged_ledger_is_found_and_named_quickly(place: Path) -> None:
    path = place / "dist/好/ledger.jsonl"
    lines = path.read_text().splitlines()
    text = place / "dist/好/好.txt"
    for name, damaged in damaged_ledger(lines):
        assert damaged != lines, name
        path.write_text("\n".join(damaged) + "\n")
        began = time.monotonic()
        for args in (["verify", place / "dist"], ["revert", text, "--ledger", path]):
            done = call(*args)
            assert done.returncode == 7, (name, done.stderr[-300:])
            assert b"Traceback" not in done.stderr, name
            assert len(done.stdout) + len(done.stderr) < 4000, name
        assert time.monotonic() - began < 15, name


def hostile_dist(folder: Path, secret: Path) -> dict[str, Callable[[], None]]:
    """Give ways in which a dist folder from a stranger may try to lead out of itself, or to harm."""
    text, manifest, sidecar = folder / "好.txt", folder / "manifest-sha256.txt", folder / "好.json"
    digest = hashlib.sha256(secret.read_bytes()).hexdigest()

    def link(path: Path) -> Callable[[], None]:
        def make() -> None:
            path.unlink()
            path.symlink_to(secret)

        return make

    def linked_folder() -> None:
        (folder / "x").symlink_to(secret.parent)
        manifest.write_text(manifest.read_text() + f"{digest}  x/{secret.name}\n")

    def add(line: str) -> Callable[[], None]:
        return lambda: (manifest.write_text(manifest.read_text() + line), None)[1]

    def say(old: str, new: str) -> Callable[[], None]:
        def make() -> None:
            content = sidecar.read_text()
            assert old in content
            sidecar.write_text(content.replace(old, new))
            listed = [x for x in manifest.read_text().splitlines() if not x.endswith(sidecar.name)]
            listed.append(f"{hashlib.sha256(sidecar.read_bytes()).hexdigest()}  {sidecar.name}")
            manifest.write_text("\n".join(listed) + "\n")

        return make

    return {
        "text is a link": link(text),
        "ledger is a link": link(folder / "ledger.jsonl"),
        "metadata is a link": link(sidecar),
        "manifest is a link": link(manifest),
        "folder is a link": linked_folder,
        "absolute": add(f"{digest}  {secret}\n"),
        "climbing": add(f"{digest}  ../{secret.name}\n"),
        "NUL": add(f"{digest}  a\0b\n"),
        "long": add(f"{digest}  {'n' * 100_000}\n"),
        "escape": add(f"{digest}  \x1b[31m\u202ex\n"),
        "folder itself": add(f"{digest}  .\n"),
        "twice": add(manifest.read_text()),
        "many": add(manifest.read_text() * 2000),
        "ledger climbing": say('"ledger.jsonl"', f'"../{secret.name}"'),
        "ledger absolute": say('"ledger.jsonl"', f'"{secret}"'),
        "ledger no text": say('"ledger.jsonl"', "7"),
        "text climbing": say('"好.txt"', f'"../{secret.name}"'),
        "no sources": say('"sources": [', '"others": [], "sources": [], "x": ['),
        "blocks with a step": say('"made-by"', '"works": [{"blocks": [0, 5, 0]}], "made-by"'),
        "blocks that are none": say('"made-by"', '"works": "abc", "made-by"'),
        "deep": lambda: (sidecar.write_text("[" * 100_000), None)[1],
        "two": lambda: ((folder / "b.json").write_text("{}"), None)[1],
    }


HOSTILE_DIST = [
    "text is a link", "ledger is a link", "metadata is a link", "manifest is a link", "folder is a link", "absolute", "climbing", "NUL", "long", "escape", "folder itself", "twice", "many",
    "ledger climbing", "ledger absolute", "ledger no text", "text climbing", "no sources", "blocks with a step", "blocks that are none", "deep", "two",
]  # fmt: skip


@pytest.mark.parametrize("kind", HOSTILE_DIST)
def test_a_dist_folder_from_a_stranger_is_not_followed_out_of_itself(place: Path, kind: str) -> None:
    secret = place / "dist/secret.txt"
    secret.write_text("秘密秘密秘密\n" * 20)
    folder = place / "dist/好"
    hostile_dist(folder, secret)[kind]()
    before = state(place)
    began = time.monotonic()
    for args in (["verify", str(folder)], ["revert", str(folder)]):
        done = call(*args)
        said = (done.stdout + done.stderr).decode()
        assert done.returncode in ((7,) if args[0] == "verify" else (0, 3, 7)), said[-500:]
        assert "秘密" not in said
        assert "\x1b" not in said
        assert len(said) < 4000
    assert time.monotonic() - began < 10
    assert state(place) == before


# --- interruption ------------------------------------------------------------------------------------------


def test_ctrl_c_that_falls_into_a_finaliser_is_not_lost() -> None:
    program = """
import os, signal, time
from shanben.signals import end_in_order

class Last:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.1)

end_in_order()
last = Last()
try:
    del last
    time.sleep(20)
    print("lost")
except KeyboardInterrupt:
    print("came")
"""
    began = time.monotonic()
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("came\n", "")
    assert time.monotonic() - began < 15  # it does not wait until what was interrupted has ended


@pytest.mark.skipif(not hasattr(os, "fork"), reason="copies of a process are those of POSIX")
def test_a_copy_that_another_library_makes_ends_at_once_when_told() -> None:
    """`multiprocessing.Pool` ends its copies by SIGTERM, once, and waits; whatever they do then."""
    program = """
import os, signal, sys, threading, time
from shanben.signals import end_in_order

class Last:
    def __del__(self):
        os.write(theirs, b"x")
        time.sleep(20)

def copy():
    pid = os.fork()
    if pid:
        copies.append(pid)
        return
    last = Last()
    del last  # an exception that comes now would be forgotten
    os.write(theirs, b"forgot")
    os._exit(0)

end_in_order()
copies = []
ours, theirs = os.pipe()
for begin in (copy, lambda: (other := threading.Thread(target=copy)).start() or other.join()):
    begin()
    os.read(ours, 1)
    os.kill(copies[-1], signal.SIGTERM)
    print(os.waitstatus_to_exitcode(os.waitpid(copies[-1], 0)[1]))
print(signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL)
"""
    began = time.monotonic()
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", program], capture_output=True, text=True, timeout=100)
    assert (done.stdout.split(), done.stderr) == (["-15", "-15", "True"], "")
    assert time.monotonic() - began < 15


def test_ctrl_c_ends_with_130_and_leaves_nothing_half_written(place: Path) -> None:
    for number in range(30):
        write(f"many/文{number}.txt", f"文章{number}\n\n" + f"{HAN}\n\n" * 50)(place)
    before = state(place)
    hit = 0
    for wait in (0.0, 0.15, 0.4):
        with subprocess.Popen(
            [sys.executable, "-m", "shanben", "build", "many", "-o", "new"],
            cwd=place,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process:
            end = time.monotonic() + 60
            while not (place / "new").exists() and time.monotonic() < end:  # it has begun to build
                time.sleep(0.01)
            time.sleep(wait)
            process.send_signal(signal.SIGINT)
            out, said = process.communicate(timeout=60)
        assert b"Traceback" not in said + out
        assert process.returncode == 130
        assert said.decode().strip().startswith("interrupted")
        hit += 1
        done = list((place / "new").iterdir()) if (place / "new").exists() else []
        assert not [p for p in done if p.name.startswith(".shanben")]
        assert len(done) < 30
        if done:
            assert run("verify", place / "new").returncode == 0
        assert {n: d for n, d in state(place).items() if n.split("/")[0] != "new"} == before
        shutil.rmtree(place / "new")
    assert hit == 3


def test_ctrl_c_while_starting_gives_no_traceback(place: Path) -> None:
    for wait in (0.05, 0.12, 0.2, 0.3, 0.45):
        with subprocess.Popen(
            [sys.executable, "-c", "from shanben.cli import main; print(flush=True); main(['build', '好.txt', '-o', 'dist'])"],
            cwd=place, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        ) as process:  # fmt: skip
            assert process.stdout
            process.stdout.read(1)
            time.sleep(wait)
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=60)
        # Python itself may swallow the signal in a destructor, and says so; what counts is how we end.
        assert b'File "<string>"' not in said, said.decode()[-2000:]
        assert process.returncode in (0, 130), said.decode()[-2000:]


FAILS = """
from shanben import cli
@cli.main.command()
def fail():
    try:
        raise {first}
    finally:
        {then}
cli.main(["fail"])
"""


@pytest.mark.parametrize(
    ("first", "then", "code"),
    [
        ("KeyboardInterrupt", "open('/nowhere/at/all')", 130),
        ("cli.Terminated(15)", "open('/nowhere/at/all')", 143),
        ("KeyboardInterrupt", "raise RuntimeError('Error calling __set_name__')", 130),
        ("KeyboardInterrupt", "raise cli.OutputError('x') from None", 130),
        ("ValueError", "open('/nowhere/at/all')", 8),
    ],
)
def test_what_fails_after_an_interruption_does_not_hide_it(first: str, then: str, code: int) -> None:
    program = FAILS.format(first=first, then=then)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.returncode == code, done.stderr
    assert done.stderr.startswith("error: " if code == 8 else "interrupted")


# --- a shell's idea of odd names ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "a\nb.txt",
        "\u202e文.txt",
        "\x1b[31m红.txt",
        "-文.txt",
        "文 件.txt",
        "文*?.txt",
        "~",
        "文'\"$(touch hacked).txt",
        "文%s{}.txt",
    ],
)
def test_odd_names_reach_neither_terminal_nor_shell(place: Path, name: str) -> None:
    folder = place / "odd"
    folder.mkdir()
    (folder / name).write_text(TEXT)
    done = run("build", f"./{name}", "-o", "out", cwd=folder)
    assert done.returncode == 0, done.stderr.decode()
    for bad in (b"\x1b", "\u202e".encode()):
        assert bad not in done.stdout + done.stderr
    assert len(done.stdout.splitlines()) == 1
    verified = run("verify", "out", cwd=folder)
    assert verified.returncode == 0
    (folder / name).write_bytes(b"%PDF-1.4")
    failed = run("build", f"./{name}", "-o", "out", cwd=folder)
    paragraph(failed, 3, "this is a PDF")
    assert len(failed.stderr.splitlines()) == 2, "a name with a line end forges no line"
    assert not (folder / "hacked").exists()
