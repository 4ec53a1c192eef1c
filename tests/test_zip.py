"""The archives of books: the bytes of `zipfile`, whatever is in them."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from shanben.writers import _zip

NAMES = st.text("abc/-_.", min_size=1, max_size=20)
TIMES = st.datetimes(datetime(1980, 1, 1), datetime(2099, 12, 31), timezones=st.just(UTC))


@given(st.dictionaries(NAMES, st.binary(max_size=2000), max_size=8), TIMES, st.data())
def test_the_bytes_are_those_of_the_library(files: dict[str, bytes], when: datetime, data: st.DataObject) -> None:
    stored, often = (
        data.draw(st.frozensets(st.sampled_from(sorted(files)))) if files else frozenset() for _ in range(2)
    )
    packed = _zip.pack(files, when, stored, often)
    assert packed == _zip._by_library(files, when, stored) == _zip.pack(files, when, stored, often)
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == files


def test_too_many_files_for_the_plain_format_are_packed_too() -> None:
    files = {f"{number}": b"" for number in range(0x10000)}
    with zipfile.ZipFile(
        io.BytesIO(_zip.pack(files, datetime(2000, 1, 1, tzinfo=UTC), frozenset(), frozenset()))
    ) as archive:
        assert len(archive.namelist()) == len(files)
