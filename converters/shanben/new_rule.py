"""Write a new rule into a rule file, in YAML as a person would write it, without touching what stands there."""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from shanben.check_rules import Failure, check_rulebook
from shanben.errors import RuleError, UsageError
from shanben.pipeline import OWN_PHASE, make_plan, plan
from shanben.resources import rules_root
from shanben.rulebook.load import ID_FORM, load_rule_file, load_rules
from shanben.rulebook.schema import FOLDERS, Rule, Rulebook
from shanben.rulebook.strict_yaml import Faults, shown
from shanben.tools.storage import read_source, write_file

DEFAULT_FILE = Path("rules", "my-rules.yaml")
_ESCAPES = {"\\n": "\n", "\\t": "\t", "\\\\": "\\"}


@dataclass(frozen=True, slots=True)
class NewRule:
    """What an author says of a new rule: either ``replace`` is given, or ``remove`` is line or match."""

    id: str
    fault: str
    match: str
    replace: str | None = None
    remove: str = ""
    before: str = ""
    after: str = ""
    examples: tuple[tuple[str, str], ...] = ()
    keep: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Written:
    """Where a new rule stands now, as text too, and what its test says. After failures it is switched off."""

    file: Path
    line: int
    entry: str
    failures: tuple[Failure, ...]


def add_rule(said: NewRule, file: Path = DEFAULT_FILE) -> Written:
    """Append a rule to a file, and test it together with all other rules.

    The file is made when it is missing; what stands in it keeps its bytes. A rule that fails its test is
    written with `level: off`. Raises UsageError, or RuleError for a faulty file or rule: nothing is written then.
    """
    if not re.fullmatch(ID_FORM, said.id):
        raise UsageError(f"a rule is called like my-rule-2, not {shown(said.id)}", fix="small letters, digits, hyphens")
    if file.suffix != ".yaml":
        raise UsageError("rule files end in .yaml", where=str(file), fix=f"for example --file {DEFAULT_FILE}")
    target = file.resolve()
    phase = target.parent.name if target.parent.name in FOLDERS else ""
    old = read_source(target) if target.exists() else b""
    book = _book(file.parent.parent if phase else file.parent, target)
    known = load_rule_file(target, phase or OWN_PHASE) if _has_rules(old) else ()
    for rule in (*book.rules, *known):
        if rule.id == said.id:
            raise UsageError(f"there is a rule {said.id} already, in {rule.place}", fix="choose another --id")
    failures: list[Failure] = []
    for off in (False, True):
        entry = entry_of(said, indent=_indent(old, known), off=off)
        data = _appended(old, entry)
        rule = _loaded(data, file, phase, said, known)
        if off:
            break
        failures = check_rulebook(make_plan(Rulebook((*book.rules, rule), book.layers)), [rule.id])
        if not failures:
            break
    write_file(target, data)
    here = tuple(replace(f, place=f.place._replace(file=str(file))) if f.rule == said.id else f for f in failures)
    return Written(file, rule.place.line, entry, here)


def _book(folder: Path, target: Path) -> Rulebook:
    """Give all rules that the new one has to get on with. Raises RuleError; ``target`` may be empty as yet."""
    shipped = plan().rulebook
    if not folder.is_dir() or folder.resolve() == Path(str(rules_root())).resolve():
        return shipped
    faults = Faults()
    book = load_rules(folder, layer=str(folder), base=shipped, flat_phase=OWN_PHASE, faults=faults)
    if any(f.code != "R105" or Path(f.place.file).resolve() != target for f in faults):
        faults.raise_if_any()
    return book


def _has_rules(data: bytes) -> bool:
    """Tell whether a file says anything but comments."""
    return re.search(rb"^(?:\xef\xbb\xbf)?[ \t]*[^#\s]", data, re.MULTILINE) is not None


def _indent(data: bytes, known: tuple[Rule, ...]) -> str:
    """Give the blanks before the dash of the last rule."""
    lines = data.decode("utf-8", "replace").splitlines()
    line = lines[known[-1].place.line - 1] if known else ""
    return line[: len(line) - len(line.lstrip(" "))] if line.lstrip(" ").startswith("-") else ""


def _appended(data: bytes, entry: str) -> bytes:
    text = entry if _has_rules(data) else f"rules:\n{entry}"
    if data and not data.endswith((b"\n", b"\r")):
        text = f"\n{text}"
    return data + (text.replace("\n", "\r\n") if b"\r\n" in data else text).encode()


def _loaded(data: bytes, file: Path, phase: str, said: NewRule, known: tuple[Rule, ...]) -> Rule:
    """Load the file as it would be, and give the new rule. Raises RuleError with places in ``file``."""
    with tempfile.TemporaryDirectory() as folder:
        draft = Path(folder) / file.name
        draft.write_bytes(data)
        try:
            found = load_rule_file(draft, phase or OWN_PHASE)
        except RuleError as error:
            words = f"nothing was written, since the new rule has a fault\n{error.what}"
            fix = "correct it, and run the command again"
            raise RuleError(words.replace(draft.as_posix(), file.as_posix()), fix=fix) from None
    before = [(r.id, r.digest) for r in found[:-1]]
    if found[-1].id != said.id or before != [(r.id, r.digest) for r in known]:
        raise UsageError(
            "nothing was written: the rules in this file are laid out so that none can be put after them",
            where=str(file),
            fix=f"write it there yourself, or choose another --file\n{entry_of(said)}",
        )
    return found[-1]


# --- YAML --------------------------------------------------------------------------------------------------


def entry_of(said: NewRule, *, indent: str = "", off: bool = False) -> str:
    """Give the entry of a rule as YAML, with a final line end.

    >>> print(entry_of(NewRule("page-no", "a page number", r"^第\\d+页$", remove="line", examples=(("第3页", ""),))), end="")
    - id: page-no
      fault: 'a page number'
      match: '^第\\d+页$'
      remove: line
      examples:
      - ['第3页', '']
    """
    lines = [f"- id: {said.id}", f"  fault: {quoted(said.fault)}"]
    if off:
        lines.append("  level: off  # its test failed: mend it, run `shanben rules test`, then take this line out")
    for key, pattern in (("match", said.match), ("before", said.before), ("after", said.after)):
        lines += [f"  {key}: {_quoted_pattern(pattern)}"] if pattern else []
    lines.append(f"  remove: {said.remove}" if said.remove else f"  replace: {quoted(said.replace or '')}")
    lines += ["  examples:", *(f"  - [{quoted(a)}, {quoted(b)}]" for a, b in said.examples)] if said.examples else []
    lines += ["  keep:", *(f"  - {quoted(text)}" for text in said.keep)] if said.keep else []
    return "".join(f"{indent}{line}\n" for line in lines)


def quoted(text: str) -> str:
    r"""Give a text as a YAML scalar: in single quotes when every character can be seen, else escaped.

    >>> quoted("it's 好"), quoted("甲\n　乙")
    ("'it''s 好'", '"甲\\n\\u3000乙"')
    """
    if text.isprintable():
        return "'" + text.replace("'", "''") + "'"
    return '"' + "".join(_escaped(c) if c in '"\\' or not c.isprintable() else c for c in text) + '"'


def _escaped(character: str) -> str:
    named = {"\n": "\\n", "\t": "\\t", '"': '\\"', "\\": "\\\\"}
    code = ord(character)
    return named.get(character) or (f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}")


def _quoted_pattern(pattern: str) -> str:
    """Give a pattern in single quotes; signs that cannot be seen become their escapes."""

    def visible(found: re.Match[str]) -> str:
        return found[0] if found[0][-1].isprintable() else _escaped(found[0][-1])

    return quoted(re.sub(r"\\?.", visible, pattern, flags=re.DOTALL))


def unescaped(text: str) -> str:
    r"""Give a text from the command line, in which \n is a line end, \t a tab, and \\ a backslash.

    >>> unescaped("甲\\n乙")
    '甲\n乙'
    """
    return re.sub(r"\\[nt\\]", lambda found: _ESCAPES[found[0]], text)


def example_of(text: str) -> tuple[str, str]:
    """Give the two texts of `from=>to`. Raises UsageError when there is not exactly one `=>`."""
    parts = text.split("=>")
    if len(parts) != 2:
        raise UsageError(f"an example is written 'from=>to', not {shown(text)}", fix="--example '(３页)=>（3页）'")
    return unescaped(parts[0]), unescaped(parts[1])
