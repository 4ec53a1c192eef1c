"""Bytes to text and back, exactly: what is plainly UTF-8 is read at once, all else by its evidence (`detection`)."""

from __future__ import annotations

import re
from functools import lru_cache

from shanben.errors import SourceError
from shanben.lazy import lazy_re
from shanben.values import Decoding, Segment

SAMPLE = 1 << 16
CHECK_IT = "check that the file was saved, or choose another"
FORMATS = (
    (rb"PK(?:\x03\x04|\x05\x06|\x07\x08)", "a ZIP archive such as DOCX, EPUB or ODT"),
    (rb"%PDF-\d", "a PDF"),
    (rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Office file such as DOC, WPS or XLS"),
    (rb"\x89PNG\r\n\x1a\n", "a PNG image"),
    (rb"\xff\xd8\xff", "a JPEG image"),
    (rb"GIF8[79]a", "a GIF image"),
    (rb"II\*\x00|MM\x00\*", "a TIFF image"),
    (rb"RIFF.{4}[A-Z0-9]{3}[A-Z0-9 ]", "a RIFF file such as WAV, AVI or WebP"),
    (rb"\x1f\x8b|BZh[1-9]1AY&SY|\xfd7zXZ\x00|\x28\xb5\x2f\xfd", "a compressed file"),
    (rb"7z\xbc\xaf\x27\x1c|Rar!\x1a\x07", "an archive (7z or RAR)"),
    (rb"\x7fELF|MZ\x90\x00|\xcf\xfa\xed\xfe|\xca\xfe\xba\xbe|\x00asm", "a program"),
    (rb"SQLite format 3\x00", "an SQLite database"),
    (rb"ID3[\x02-\x04]|\xff[\xfa\xfb\xf2\xf3]|OggS\x00|fLaC", "a sound file"),
    (rb".{4}ftyp", "a video or picture in an MP4 container"),
    (rb".{60}BOOKMOBI", "a Kindle book (MOBI or AZW)"),
    (rb"AT&TFORM", "a DjVu document"),
    (rb"CAJ\x00|HN\x00\x00|KDH ", "a CAJ document"),
    (rb"ITSF", "a CHM help file"),
    (rb"wOF[F2]|OTTO\x00|\x00\x01\x00\x00\x00", "a font"),
)
FORMAT = lazy_re(b"|".join(b"(%b)" % pattern for pattern, _ in FORMATS), re.DOTALL)
_PLAIN = ("no byte order mark", "UTF-8: every byte fits")
_FIRST = b"\x00\x1f\x28%7ABCGHIKMOPRSfw\x7f\x89\xca\xcf\xd0\xef\xfd\xff"
"""The bytes with which known formats begin, and a byte order mark."""
_F, _B = b"fB"
"""How the names of formats begin that stand a little way into a file: `ftyp` at 4, `BOOKMOBI` at 60."""
CONTROLS = bytes(sorted({*range(0x20), 0x7F} - set(b"\b\t\n\v\f\r\x1a\x1b")))


def decode(data: bytes, encoding: str | None = None, name: str = "", threshold: float = 0.6) -> tuple[str, Decoding]:
    r"""Turn bytes into text and say why so; `encode` gives exactly these bytes back.

    ``encoding`` overrides every guess. ``threshold`` is the confidence that chardet must reach.
    Limits: a guess needs some text, GB18030 and Big5 of fewer than four characters are often refused. In a
    mixed file a short line that is neither common Chinese nor UTF-8 stays bad bytes.

    >>> text, decoding = decode("善本，可信之书。".encode("gbk"))
    >>> text, decoding.encoding, decoding.segments
    ('善本，可信之书。', 'gb18030', (Segment(start=0, end=8, encoding='gb18030', raw=None),))
    >>> text, decoding = decode("善本\n".encode() + b"\xff" + "可信之书".encode())
    >>> text, decoding.bad_bytes, encode(text, decoding)[6:9]
    ('善本\n\ufffd可信之书', 1, b'\n\xff\xe5')
    """
    if encoding is None:
        try:
            text = data.decode()
        except UnicodeDecodeError:
            pass
        else:
            # Most sources are this, so it must cost little more than the decoding: nothing is called for it, and no
            # parameter is for keywords only, since Python looks up the default of each such one.
            size, length = len(data), len(text)
            mostly_chinese = length * 2 <= size <= SAMPLE and size >= 64
            if mostly_chinese and data[0] not in _FIRST and data[4] != _F and data[60] != _B and 0 not in data:
                return text, _plain_decoding(length)
            if _is_plain(data, mostly_chinese):
                return text, _plain_decoding(length)
    if not data:
        raise SourceError("the source is empty", where=name, fix=CHECK_IT)
    from shanben.detection import read_by_evidence

    return read_by_evidence(data, encoding, name, threshold)


@lru_cache(maxsize=4096)
def _plain_decoding(length: int) -> Decoding:
    """Give the decoding of plain UTF-8 of so many characters; making it takes as long as reading half a page."""
    return Decoding("utf-8", 1.0, _PLAIN, (Segment(0, length, "utf-8"),))


def _is_plain(data: bytes, mostly_chinese: bool) -> bool:
    r"""Tell whether nothing speaks against UTF-8 in bytes that are read as such.

    Control characters are not looked for where so much of a short text is Chinese that a few of them could not change
    the answer.

    >>> _is_plain("善本".encode(), False), _is_plain(b"a\0", False), _is_plain(b"%PDF-1.7", False)
    (True, False, False)
    """
    if not data or 0 in data or data.startswith(b"\xef\xbb\xbf") or FORMAT.match(data):
        return False
    return mostly_chinese or not controls(data[:4096])


def controls(data: bytes) -> int:
    """Count NULs and control characters that no plain text needs."""
    return len(data) - len(data.translate(None, CONTROLS))


def encode(text: str, decoding: Decoding) -> bytes:
    r"""Give the bytes that `decode` was handed; ``text`` must be the text that it gave.

    >>> encode(*decode("\ufeff善本".encode("utf-16-be")))
    b'\xfe\xffU\x84g,'
    """
    return b"".join(text[s.start : s.end].encode(s.encoding) if s.raw is None else s.raw for s in decoding.segments)
