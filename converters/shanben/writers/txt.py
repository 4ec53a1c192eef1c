"""Document -> canonical plain text: UTF-8, LF, one line a paragraph, one empty line between blocks."""

from __future__ import annotations

from shanben.errors import VerifyError
from shanben.tools import pandoc
from shanben.values import Document
from shanben.writers import Writer
from shanben.writers._pandoc_ast import check_text, plain_blocks


def write(document: Document) -> bytes:
    """Let pandoc write the text, and prove that it is the text of the Document: no indent, no wrap, no BOM."""
    check_text(document)
    expected = document.text.encode()
    data = pandoc.convert({"meta": {}, "blocks": plain_blocks(document)}, "plain")
    if data != expected:
        place = next((i for i, (a, b) in enumerate(zip(data, expected, strict=False)) if a != b), len(expected))
        raise VerifyError(
            f"the plain text differs from the Document at byte {place}",
            where=document.metadata.title[:60],
            fix="report this document: pandoc wrote something else than it was given",
        )
    return data


WRITER = Writer("txt", ".txt", write)
