"""One tree of errors: what happened, where, what to do, and the exit code that the command ends with."""

from __future__ import annotations


class ShanbenError(Exception):
    """Base of every error that a user can cause or mend.

    ``what`` is one sentence, ``where`` a path or ``file:line:column``, ``fix`` the way out.
    """

    exit_code = 1
    code = "error"

    def __init__(self, what: str, *, where: str = "", fix: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.fix = fix

    def __str__(self) -> str:
        """Give one paragraph: where, what, and what to do.

        >>> print(SourceError("the file is empty", where="a.txt", fix="choose another file"))
        a.txt: the file is empty
          fix: choose another file
        """
        where = self.where.replace("\n", "\\n")
        head = f"{where}: {self.what}" if where else self.what
        return f"{head}\n  fix: {self.fix}" if self.fix else head


class UsageError(ShanbenError):
    """The command line or a call asks for something that does not exist."""

    exit_code = 2
    code = "usage"


class SourceError(ShanbenError):
    """A source cannot be read, is empty, too large, or no text."""

    exit_code = 3
    code = "source"


class EncodingError(ShanbenError):
    """No encoding explains the bytes well enough."""

    exit_code = 4
    code = "encoding"


class RuleError(ShanbenError):
    """Rule, work or collection files hold faults; all of them are listed in the message."""

    exit_code = 5
    code = "rules"


class RuleTimeoutError(RuleError):
    """A rule, named by its id, needed more time than it may take on one document."""

    code = "rule-timeout"

    def __init__(self, what: str, *, where: str = "", fix: str = "", rule: str = "") -> None:
        super().__init__(what, where=where, fix=fix)
        self.rule = rule


class RestlessError(RuleError):
    """Rules, named by their ids, never stop changing a text."""

    code = "rules-restless"

    def __init__(self, what: str, *, where: str = "", fix: str = "", rules: tuple[str, ...] = ()) -> None:
        super().__init__(what, where=where, fix=fix)
        self.rules = rules


class ToolError(ShanbenError):
    """An outside program (pandoc) is missing, too old, or failed."""

    exit_code = 6
    code = "tool"


class VerifyError(ShanbenError):
    """An edition does not hold what the source and the ledger say; the old edition was kept."""

    exit_code = 7
    code = "verify"


class LedgerError(VerifyError):
    """A ledger does not fit the text that it is applied to, or cannot be read."""

    code = "ledger"


class OutputError(ShanbenError):
    """The output cannot be written: permission, full disk, a path that is no folder."""

    exit_code = 8
    code = "output"
