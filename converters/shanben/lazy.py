"""Patterns of our own code that are compiled when they are first used: a command needs a third of those that it imports."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, AnyStr, cast

if TYPE_CHECKING:
    import regex


class _Lazy:
    """Stands for a compiled pattern: what is asked of it is asked of that pattern, and kept."""

    def __init__(self, compile_: Callable[[Any, int], Any], pattern: str | bytes, flags: int) -> None:
        self._said = compile_, pattern, flags

    def __getattr__(self, name: str) -> Any:
        compile_, pattern, flags = self._said
        value = self.__dict__[name] = getattr(compile_(pattern, flags), name)
        return value


def lazy_re(pattern: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """Give what `re.compile` gives, as soon as something is asked of it; a fault in it shows then.

    >>> lazy_re("[甲乙]+").findall("乙甲，甲")
    ['乙甲', '甲']
    """
    return cast("re.Pattern[AnyStr]", _Lazy(re.compile, pattern, flags))


def lazy_regex(pattern: AnyStr, flags: int = 0) -> regex.Pattern[AnyStr]:
    r"""Give what `regex.compile` gives, as soon as something is asked of it; a fault in it shows then.

    >>> lazy_regex(r"\p{Han}+").sub("字", "ab甲乙")
    'ab字'
    """
    return cast("regex.Pattern[AnyStr]", _Lazy(_compiled, pattern, flags))


def _compiled(pattern: Any, flags: int) -> regex.Pattern[Any]:
    if isinstance(pattern, bytes):
        import regex

        return regex.compile(pattern, flags)
    from shanben.tools.own_patterns import compiled

    return compiled(pattern, int(flags))
