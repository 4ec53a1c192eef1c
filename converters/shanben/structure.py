"""Clean text to Document: which line is the title, a heading, an item. It changes no text.

Each line that is not empty becomes one block (lines of verse: one block together). What the lines are is told
by the marks that rules made; only what no pattern can see is decided here: the title, a subtitle without a
mark, verse, and the levels of headings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby

from shanben.errors import LedgerError
from shanben.lazy import lazy_regex
from shanben.ledger import Change, Ledger, Pass, apply_changes
from shanben.metadata import gather, language_of
from shanben.pipeline import Cleaned, Plan, text_digest
from shanben.steps._lines import is_numbered, width
from shanben.values import HEADING_KINDS, Action, Block, BlockKind, Document, Guard, Inline, Mark, Provenance, Text

CANONICAL = "canonical-layout"
"""The unit under which the ledger records what the TXT edition adds to the clean text: line ends, a title."""
TITLE_WIDTH = 60
_CONTENTS = 3
"""Headings in a row that make a table of contents."""
_ENDS = "。！？；!?;，、,：:"
_RANKS = {"part": 1.2, "chapter": 1.5}
_LEVEL_RANKS = {3: 2.5, 4: 3.5, 5: 4.5}
_PAGE = lazy_regex(r"[ \t\u3000.．…·—-]*\d{0,4}$")
"""What stands behind a title in a table of contents: dots and a page number."""
_HEADLINE = lazy_regex(
    r"[^，。；“”]{4,30}(?:[！？][ \u3000]?|[ \u3000：])[^，。；“”：！？]{4,30}(?:：[^，。；“”：！？]{2,30})?"
)
"""A headline in two halves, with a blank, a colon or a call between them."""
_LISTED = lazy_regex(r"[一二三四五六七八九十]{1,3}、")
_VERSE_LINE = lazy_regex(
    r"(?P<a>\p{Han}{3,9})[，。！？；：、,](?:(?P<b>\p{Han}{3,9})[，。！？；：、,.])?|(?P<c>\p{Han}{5}|\p{Han}{7})"
)


class _Line:
    kind: BlockKind = "paragraph"
    rank = 0.0

    def __init__(
        self, text: str, start: int, marks: tuple[Mark, ...], pages: tuple[Inline, ...], *, blank: bool, apart: bool
    ) -> None:
        self.text = text
        self.start = start
        self.marks = marks
        self.pages = pages
        self.blank_before = blank
        self.break_before = apart

    def marked(self, *kinds: str) -> Mark | None:
        """Give the mark of one of these kinds, the one with the smallest level first."""
        found = [m for m in self.marks if m.kind in kinds]
        return min(found, key=lambda m: m.level or 9) if found else None


def build_document(
    cleaned: Cleaned, plan: Plan, *, said: Mapping[str, tuple[str, ...]] | None = None, name: str = ""
) -> Document:
    """Make the Document of a clean text. ``said`` is what work.yaml says; ``name`` the title of last resort."""
    said = said or {}
    lines = _lines(cleaned.text, cleaned.marks)
    for line in lines:
        _tell(line)
    _contents(lines)
    _listed(lines)
    title = _front(lines)
    metadata = gather(
        cleaned.captures,
        said,
        {
            "title": _bare(title) or name or "无题",
            "subtitle": next((x.text.lstrip("—") for x in lines if x.kind == "subtitle"), ""),
            "language": language_of(cleaned.text).replace("und", ""),
        },
    )
    blocks = [] if title else [Block("title", _one_line(metadata.title), 1)]
    blocks += _levelled(_blocks(lines))
    blocks = [b._replace(inlines=(*b.inlines, *_redactions(b.text, cleaned.guards))) for b in blocks]
    return Document(metadata, tuple(blocks), (_provenance(cleaned, plan, metadata.language),))


def _bare(title: str) -> str:
    """Give a title without the book title marks that enclose all of it."""
    inside = title[1:-1]
    return inside if title[:1] == "《" and title[-1:] == "》" and not set("《》") & set(inside) else title


def _one_line(text: str) -> str:
    return " ".join(text.split()) or "无题"


def _lines(text: str, marks: Sequence[Mark]) -> list[_Line]:
    whole = Text(text)
    by_line = {i: tuple(ms) for i, ms in groupby(marks, key=lambda m: whole.line_at(min(m.start, len(text))))}
    lines: list[_Line] = []
    blank, breaks = False, False
    page, waiting = 1, False
    for index, span in enumerate(whole.lines):
        content = text[span.start : span.end]
        here = by_line.get(index, ())
        breaks = breaks or any(m.kind == "break" for m in here)
        pages = [Inline(0, 0, "page")] if waiting and content.strip() else []
        for m in here:
            if m.kind == "page" and m.start < span.end and content.strip():  # the line was joined over the page end
                pages.append(Inline(m.start - span.start, m.start - span.start, "page"))
        waiting = (waiting and not content.strip()) or any(m.kind == "page" and m.start >= span.end for m in here)
        numbered = tuple(p._replace(label=str(page + n)) for n, p in enumerate(pages, 1))
        page += len(pages)
        if not content.strip():
            blank = True
            continue
        lines.append(_Line(content, span.start, here, numbered, blank=blank, apart=breaks and bool(lines)))
        blank = breaks = False
    return lines


def _tell(line: _Line) -> None:
    """Set kind and rank of a line from its marks."""
    if mark := line.marked("part", "chapter"):
        line.kind = "part" if mark.kind == "part" else "chapter"
        line.rank = _RANKS[mark.kind]
    if mark := line.marked("heading"):
        if line.kind == "paragraph":
            line.kind = "heading"
        # A level that the file itself gave (#) stands before one that follows from the numbering.
        given = [m for m in line.marks if m.kind == "heading" and m.unit == "hash-headings"] or [mark]
        level = min(m.level for m in given) if not line.marked("part", "chapter") else 0
        line.rank = line.rank or (level if given[0].unit == "hash-headings" else _LEVEL_RANKS.get(level, level))
        works = [m for m in line.marks if m.kind == "heading" and m.level and m.level < line.rank]
        if works:
            line.rank = min(m.level for m in works)
    if line.kind == "paragraph":
        for kind in ("title", "subtitle", "byline", "salutation", "signature", "date", "item"):
            if line.marked(kind):
                line.kind = kind
                break


def _contents(lines: Sequence[_Line]) -> None:
    """Tell the lines of a table of contents: at least three headings in a row that all stand again further down."""
    names = [_PAGE.sub("", " ".join(line.text.split())) for line in lines]
    last = {name: index for index, name in enumerate(names)}
    start = 0
    for end in range(len(lines) + 1):
        if end < len(lines) and (lines[end].rank or last[names[end]] > end):
            continue
        again = [n for n in range(start, end) if last[names[n]] >= end and lines[n].rank]
        if len(again) >= _CONTENTS:  # the last of the row may be the first that has its text below it
            for n in range(start, max(again) + 1):
                if lines[n].rank and last[names[n]] > max(again):
                    lines[n].kind, lines[n].rank = "item", 0.0
        start = end + 1


def _listed(lines: Sequence[_Line]) -> None:
    """Tell the items of a list numbered 一、二、 of which only a few look like headings, since no stop ends them."""
    for is_item, group in groupby(lines, key=lambda line: _LISTED.match(line.text) is not None):
        run = list(group)
        headings = [line for line in run if line.rank]
        if is_item and len(run) >= 4 and len(headings) * 3 <= len(run):
            for line in headings:
                line.kind, line.rank = "paragraph", 0.0


def _front(lines: list[_Line]) -> str:
    """Find title and subtitle at the head of the text; give the title, empty if the text has none."""
    if not lines:
        return ""
    first = lines[0]
    told = first.marked("title")
    ended = first.text[-1] in _ENDS and not _is_headline(first, lines[1] if len(lines) > 1 else None)
    fits = width(first.text) <= TITLE_WIDTH and not ended and first.kind in ("paragraph", "heading")
    is_plain = first.kind == "paragraph" or any(m.unit == "hash-headings" for m in first.marks)
    if not told and not (fits and is_plain and len(lines) > 1):
        if first.kind in ("title", "subtitle"):
            first.kind = "paragraph"
        return ""
    first.kind, first.rank = "title", 0.0
    for index, line in enumerate(lines[1:5], 1):
        if line.kind in ("subtitle", "byline"):
            continue
        following = lines[index + 1] if index + 1 < len(lines) else None
        alone = following is not None and (following.blank_before or width(following.text) > 30)
        short = width(line.text) <= 40 and line.text[-1] not in _ENDS and line.blank_before | (index == 1)
        if index == 1 and line.kind == "paragraph" and short and alone and not is_numbered(line.text):
            line.kind = "subtitle"
        break
    for line in lines[5:]:
        if line.kind in ("title", "subtitle"):
            line.kind = "paragraph"
    return first.text


def _is_headline(line: _Line, following: _Line | None) -> bool:
    """Tell whether a line is a headline although it asks or calls (`…：怎麼辦？`): it has two halves and an empty line below."""
    if not following or not following.blank_before or width(following.text) <= 30:
        return False
    return line.text[-1] in "？！" and _HEADLINE.fullmatch(line.text[:-1]) is not None


def _blocks(lines: Sequence[_Line]) -> list[tuple[Block, float]]:
    """Turn lines into blocks with the rank of each heading; lines of verse become one block."""
    blocks: list[tuple[Block, float]] = []
    index = 0
    while index < len(lines):
        line = lines[index]
        if line.break_before:
            blocks.append((Block("separator", ""), 0.0))
        stanza = _stanza(lines, index)
        if stanza > 1:
            blocks.append((_verse(lines[index : index + stanza]), 0.0))
            index += stanza
            continue
        blocks.append((Block(line.kind, line.text, inlines=line.pages), line.rank))
        index += 1
    return blocks


def _verse(lines: Sequence[_Line]) -> Block:
    """Make one block of several lines, page breaks at their places."""
    pages, at = [], 0
    for line in lines:
        pages += [p._replace(start=at + p.start, end=at + p.end) for p in line.pages]
        at += len(line.text) + 1
    return Block("verse", "\n".join(line.text for line in lines), inlines=tuple(pages))


def _stanza(lines: Sequence[_Line], index: int) -> int:
    """Count the lines of verse that stand together from ``index`` on; 0 if they are no verse.

    Verse here is at least four lines of the same number of characters, or two that hold two such lines of five or
    seven each, as a quatrain is printed; freer forms keep a block a line.
    """
    count, shape = 0, (0, 0)
    for line in lines[index:]:
        m = _VERSE_LINE.fullmatch(line.text) if line.kind == "paragraph" else None
        if not m or (count and (line.blank_before or line.break_before)):
            break
        own = (len(m.group("a") or m.group("c")), len(m.group("b") or ""))
        if count and own != shape:
            return 0
        count, shape = count + 1, own
    return count if count >= 4 or (count >= 2 and shape in ((5, 5), (7, 7))) else 0


def _levelled(blocks: Sequence[tuple[Block, float]]) -> list[Block]:
    """Give headings their levels: by rank, none skipped, at most 6; the title alone has 1."""
    stack: list[float] = [0.0]
    out = []
    for block, rank in blocks:
        if block.kind == "title":
            out.append(block._replace(level=1))
        elif block.kind in HEADING_KINDS:
            while len(stack) > 1 and stack[-1] >= rank:
                stack.pop()
            if len(stack) < 6:
                stack.append(rank)
            out.append(block._replace(level=len(stack)))
        else:
            out.append(block)
    return out


def _redactions(text: str, guards: Mapping[str, Guard]) -> tuple[Inline, ...]:
    guard = guards.get("redaction")
    return tuple(Inline(s.start, s.end, "redaction") for s in guard(text)) if guard and text else ()


def _provenance(cleaned: Cleaned, plan: Plan, language: str) -> Provenance:
    faults = plan.faults("zh" if language.startswith("zh") else "en")
    ledger = cleaned.ledger
    return Provenance(
        source_name=cleaned.source.name,
        source_sha256=ledger.source_sha256,
        source_size=ledger.source_size,
        encoding=ledger.decoding.encoding,
        confidence=ledger.decoding.confidence,
        rulebook_digest=ledger.rulebook_digest,
        version=ledger.version,
        actions=tuple(Action(unit, faults.get(unit, ""), n) for unit, n in sorted(ledger.counts().items())),
        suggestions=len(cleaned.suggestions),
    )


# --- the canonical text as a recorded change ---------------------------------------------------------------


def canonical_ledger(cleaned: Cleaned, document: Document) -> Ledger:
    """Give the ledger with one pass more: from the clean text to the text of the editions.

    The pass may only change line ends and blanks between blocks, and supply a title where the text has none.
    """
    changes = _canonical_changes(cleaned.text, document)
    ledger = cleaned.ledger._replace(text_sha256=document.digest)
    if not changes:
        return ledger
    last = max((p.round for p in ledger.passes), default=1)
    done = Pass(CANONICAL, "edition", text_digest(CANONICAL), last, tuple(changes))
    return ledger._replace(passes=(*ledger.passes, done))


def _canonical_changes(text: str, document: Document) -> list[Change]:
    changes: list[Change] = []
    at = 0
    texts = document.texts
    lines_of_text = sum(bool(line.strip()) for line in text.split("\n"))
    if lines_of_text < sum(t.count("\n") + 1 for t in texts):  # the text has no title of its own
        supplied = texts[0] + "\n\n" if lines_of_text else texts[0]
        changes.append(Change(0, "", supplied, reason="the text has no title; this one is its name"))
        texts = texts[1:]
    for number, block in enumerate(texts):
        place = text.find(block, at)
        gap = text[at:place] if place >= 0 else ""
        if place < 0 or gap.strip():
            raise LedgerError(f"block {number} of the document does not stand in the clean text")
        wanted = "\n\n" if number else ""
        if gap != wanted:
            changes.append(Change(at, gap, wanted))
        at = place + len(block)
    if text[at:] != "\n":
        changes.append(Change(at, text[at:], "\n"))
    if apply_changes(text, changes, unit=CANONICAL) != document.text:
        raise LedgerError("the canonical text is not that of the document")
    return changes
