"""The bytes of every source come back: from more than 500 documents that mean harm, in every encoding, and from bags.

SHANBEN_DOCUMENTS=5000 tries that many, SHANBEN_BAGS=200 packs that many; 782 documents are each kind of text in
each way to write it.
"""

from __future__ import annotations

import os
import random
from itertools import islice
from pathlib import Path

import pytest
from click.testing import CliRunner

from hostile_documents import TEXTS, WRITERS, Hostile, documents
from shanben.archive.check import check_package
from shanben.cli import main
from shanben.errors import EncodingError, SourceError
from shanben.fixity import check_conservation
from shanben.ledger import from_jsonl, to_jsonl
from shanben.pipeline import Cleaned, clean, plan, revert
from shanben.structure import build_document, canonical_ledger

DOCUMENTS = int(os.environ.get("SHANBEN_DOCUMENTS", "520"))
BAGS = int(os.environ.get("SHANBEN_BAGS", "28"))
PORTIONS = 26


def cleaned(one: Hostile) -> Cleaned | None:
    """Clean a document as it is, or, as the message of the refusal says, with its encoding named."""
    for encoding in (None, one.encoding):
        try:
            return clean(one.data, encoding=encoding)
        except (SourceError, EncodingError) as error:
            assert error.fix
    return None


@pytest.mark.parametrize("portion", range(PORTIONS))
def test_every_hostile_document_comes_back_byte_for_byte(portion: int) -> None:
    refused = []
    for one in islice(documents(DOCUMENTS), portion, None, PORTIONS):
        done = cleaned(one)
        if done is None:
            refused.append(one)
            continue
        document = build_document(done, done.plan or plan(()), name="无题")
        ledger = canonical_ledger(done, document)
        written = to_jsonl(ledger)
        assert revert(document.text, from_jsonl(written.encode().decode())) == one.data, one.name
        assert from_jsonl(written).replay(ledger.revert(document.text)) == document.text, one.name
        check_conservation(ledger, document)
    assert all(len(one.data) < 5 for one in refused), [one.name for one in refused]
    assert len(refused) <= 1 + DOCUMENTS // PORTIONS // 20


def test_the_documents_are_the_same_each_time_and_of_every_kind() -> None:
    first, second = list(documents(DOCUMENTS)), list(documents(DOCUMENTS))
    assert first == second and len(first) >= 500
    assert len({one.data for one in first}) > 0.95 * len(first)
    named = " ".join(one.name for one in first)
    assert all(kind in named for kind in [*TEXTS, *WRITERS])
    assert {one.encoding for one in first} >= {"utf-8", "utf-16", "utf-32", "gb18030", "big5", "euc_jp", "koi8-r"}


def run(*arguments: object) -> tuple[int, str]:
    done = CliRunner().invoke(main, [str(a) for a in arguments])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.output
    return done.exit_code, done.output


@pytest.mark.parametrize("portion", range(4))
def test_hostile_documents_survive_the_whole_way(portion: int, tmp_path: Path) -> None:
    """Build, pack, verify, revert: each document through everything that an archivist does; one flipped bit is named."""
    chance = random.Random(portion)  # noqa: S311 - places, not secrets
    chosen = random.Random(BAGS).sample(list(documents(DOCUMENTS)), BAGS)  # noqa: S311
    packed = 0
    for number, one in enumerate(islice(chosen, portion, None, 4)):
        source = tmp_path / "sources" / f"{number}.txt"
        source.parent.mkdir(exist_ok=True)
        source.write_bytes(one.data)
        for options in ([], ["--encoding", one.encoding]):
            code, said = run("bag", source, "-o", tmp_path / "bags", *options)
            if code == 0:
                break
            assert code in (3, 4), f"{one.name}: {said}"
        if code:
            continue
        packed += 1
        bag, back = tmp_path / "bags" / str(number), tmp_path / f"{number}.back"
        code, said = run("verify", bag)
        assert code == 0, f"{one.name}: {said}"
        assert run("revert", bag, "-o", back)[0] == 0
        assert back.read_bytes() == one.data, one.name
        names = sorted(p.relative_to(bag).as_posix() for p in bag.rglob("*") if p.is_file())
        for name in chance.sample(names, 6):
            whole = (bag / name).read_bytes()
            at = chance.randrange(len(whole))
            (bag / name).write_bytes(whole[:at] + bytes([whole[at] ^ 1 << chance.randrange(8)]) + whole[at + 1 :])
            faults = check_package(bag).faults
            assert any(fault.startswith(name) for fault in faults), (one.name, name, at, faults[:3])
            (bag / name).write_bytes(whole)
    assert packed >= len(chosen) // 4 - 1
