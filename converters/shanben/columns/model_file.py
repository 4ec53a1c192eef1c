"""The file of a joint model: a zip archive of NumPy arrays, the same bytes for the same arrays.

``format`` (the number below), ``about`` (JSON: trained on what, with what), ``simplified`` (pairs of a Traditional
and a Simplified character) and, for ``han`` and ``latin``, ``…_tokens`` (all characters known, the most frequent
first) and for each length n the n-grams as ``…n_gaps``, ``…n_cost``, ``…n_backoff`` (`joints.pack`). What else a
file holds is left alone.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from shanben.errors import RuleError

FORMAT = 1
SCRIPTS = ("han", "latin")
LONGEST = 8
"""The longest n-grams that a model may have."""
MOST_BYTES = 1 << 30
"""What an unpacked model may take; the shipped one takes 29 MB."""
_KEY_BITS, _PLANES = 36, 5
_FIX = "give a file that `shanben train-joints` wrote, or leave `model` out to use the shipped one"

Array = npt.NDArray[Any]


def to_bytes(arrays: Mapping[str, Array]) -> bytes:
    """Give the file of these arrays. It holds no time and nothing of the machine that wrote it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in sorted(arrays):
            member = io.BytesIO()
            np.lib.format.write_array(member, _little_endian(arrays[name]), version=(1, 0), allow_pickle=False)
            info = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            info.create_system = 3
            info.external_attr = 0o100644 << 16
            archive.writestr(info, member.getvalue(), compresslevel=9)
    return buffer.getvalue()


def digest(arrays: Mapping[str, Array]) -> str:
    """Give the SHA-256 of all arrays but ``about``. It does not depend on how a zlib packs them."""
    found = hashlib.sha256()
    for name in sorted(set(arrays) - {"about"}):
        array = _little_endian(arrays[name])
        found.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        found.update(np.ascontiguousarray(array).tobytes())
    return found.hexdigest()


def _little_endian(array: Array) -> Array:
    return np.ascontiguousarray(array, array.dtype.newbyteorder("<")).reshape(array.shape)


def read(path: Path) -> dict[str, Array]:
    """Read a model file and check that it is one. Raises RuleError, which tells what is wrong with it.

    Damaged bytes are found by the checksums of the archive; no pickled object is ever read.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = [n for n in archive.namelist() if n.endswith(".npy")]
            if sum(archive.getinfo(n).file_size for n in names) > MOST_BYTES:
                raise _no_model(path, f"it would take more than {MOST_BYTES >> 30} GB of memory")
            arrays = {}
            for name in names:
                with archive.open(name) as member:
                    arrays[name.removesuffix(".npy")] = np.lib.format.read_array(member, allow_pickle=False)
                    member.read()  # to the end, where the checksum is compared
    except FileNotFoundError:
        raise RuleError("there is no such model of joints", where=str(path), fix=_FIX) from None
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, MemoryError) as error:
        raise _no_model(path, f"it is damaged, or something else: {error or type(error).__name__}") from None
    except OSError as error:
        raise RuleError(
            f"the model of joints cannot be read ({error.strerror or error})", where=str(path), fix=_FIX
        ) from None
    except (ValueError, TypeError, SyntaxError) as error:
        raise _no_model(path, f"it is damaged, or something else: {error}") from None
    for fault in _faults(arrays):
        raise _no_model(path, fault)
    return arrays


def about(arrays: Mapping[str, Array]) -> dict[str, Any]:
    """Give what a model says of itself: format, corpus, orders, counts."""
    told = json.loads(str(arrays["about"]))
    return told if isinstance(told, dict) else {}


def _no_model(path: Path, why: str) -> RuleError:
    return RuleError(f"this is no model of joints that can be used: {why}"[:400], where=str(path), fix=_FIX)


def _faults(arrays: Mapping[str, Array]) -> Iterator[str]:
    """Give what is wrong with the arrays; the first fault is enough."""
    known = ["format", "about", "simplified", *(f"{s}{p}" for s in SCRIPTS for p in ("_tokens", "1_gaps", "2_gaps"))]
    missing = [name for name in known if name not in arrays]
    if missing:
        yield f"it has no {missing[0]!r}"
    if arrays["format"].dtype.kind not in "iu" or arrays["format"].shape != ():
        yield "its format number is no number"
    if int(arrays["format"]) != FORMAT:
        yield f"its format is {int(arrays['format'])}, this version of Shanben reads {FORMAT}; train it anew"
    for name in ("about", "simplified", *(f"{s}_tokens" for s in SCRIPTS)):
        if arrays[name].dtype.kind != "U" or arrays[name].shape != ():
            yield f"{name!r} is no text"
    try:
        about(arrays)
    except ValueError:
        yield "'about' is no JSON"
    if len(str(arrays["simplified"])) % 2:
        yield "'simplified' does not hold pairs"
    for script in SCRIPTS:
        for n in range(1, LONGEST + 2):
            if f"{script}{n}_gaps" not in arrays:
                break
            if n > LONGEST:
                yield f"its n-grams are longer than {LONGEST}"
            yield from _table_faults(arrays, f"{script}{n}")


def _table_faults(arrays: Mapping[str, Array], name: str) -> Iterator[str]:
    gaps, cost, backoff = (arrays.get(f"{name}_{part}") for part in ("gaps", "cost", "backoff"))
    if gaps is None or cost is None or backoff is None:
        yield f"{name!r} is not whole"
        return
    if any(a.dtype != np.uint8 for a in (gaps, cost, backoff)):
        yield f"{name!r} does not hold bytes"
    elif gaps.ndim != 2 or gaps.shape != (_PLANES, cost.size) or cost.shape != backoff.shape or cost.ndim != 1:
        yield f"the arrays of {name!r} do not fit each other"
    elif sum(int(gaps[b].sum(dtype=np.int64)) << 8 * b for b in range(_PLANES)) >> _KEY_BITS:
        yield f"the keys of {name!r} are too large"
