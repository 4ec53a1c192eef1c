"""Take away the frame of a web page: what stands above and below its text."""

from __future__ import annotations

from collections.abc import Iterator

from shanben.columns.lines import holds_code
from shanben.ledger import Finding
from shanben.steps import Step
from shanben.steps._frame_params import Params, check_patterns, may_be_page, patterns_of
from shanben.values import Text


def page_frame(text: Text, params: Params) -> Iterator[Finding]:
    r"""Take away the lines above and below the text that belong to the page.

    >>> given = "首页 | 登录\n春天\n花都开了。\n【打印】【关闭】\n分享\n"
    >>> [c.before for c in page_frame(Text.of(given), Params(words=("登录", "关闭"), weak=("首页", "打印", "分享")))]
    ['首页 | 登录\n', '【打印】【关闭】\n', '分享\n']
    """
    if not may_be_page(text.content, params) or holds_code(text.content):
        return
    from shanben.steps._frame import frame_of  # which most texts never need

    yield from frame_of(text, params)


STEP = Step("page-frame", page_frame, Params, costly=True, check=check_patterns, patterns=patterns_of)
