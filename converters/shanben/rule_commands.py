"""The commands for authors of rules: look at rules, try them, test them, write them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from shanben.errors import ShanbenError, UsageError
from shanben.terminal import JSON, RULES, flat, one_line, print_json, printable, shown, write_out

if TYPE_CHECKING:
    from shanben.authoring import Effect
    from shanben.check_rules import Failure
    from shanben.explain import Hit
    from shanben.rulebook.schema import Rulebook
    from shanben.rulebook.strict_yaml import Faults
    from shanben.works import Work

MOST_SHOWN = 10
"""So many hits of one rule in one document are printed without `--all`."""
MOST_RULES = 25
"""So many rules `rules profile` lists without `--all`."""
MOST_FAILURES = 20
"""So many failures `test` and `new` print."""
_ENCODING = click.option("--encoding", metavar="NAME", help="The encoding of the documents, if it cannot be told.")
_ALL = click.option("--all", "everything", is_flag=True, help="Show every hit, not ten of each rule.")
_ON = click.option(
    "--on", "sources", multiple=True, type=click.Path(path_type=Path), metavar="SRC",
    help="Say what happens in this document or folder. May be given again.",
)  # fmt: skip


@click.group()
def rules() -> None:
    """Look at rules, try them, test them, write them.

    A folder `rules` in the working directory takes part if it holds rules of your own, unless --rules names others.

    \b
    Examples:
      shanben rules new
      shanben rules try my-rule report.txt
      shanben rules test my-rule
    """


@rules.command("test")
@click.argument("words", nargs=-1, metavar="[RULE-ID|FILE]...")
@RULES
@click.option("--work", metavar="SLUG", help="With the rules of this work.")
@JSON
def rules_test(words: tuple[str, ...], rules: tuple[Path, ...], work: str | None, as_json: bool) -> int:
    """Run every example and every `keep` of every rule, alone and through the whole pipeline.

    With RULE-ID, or a FILE of rules that need not be installed, only those are tried: on their own texts, and on
    the texts of all other rules in which they find something. What fails is missing (no change came), noisy (a
    change came that was not wanted), wrong (another change came), rest-broken (the result is changed again), or
    too-slow.

    \b
    Examples:
      shanben rules test
      shanben rules test my-rule
      shanben rules test drafts/site.yaml --rules my-rules
    """
    from shanben.authoring import choose, layers_here
    from shanben.check_rules import check_rulebook
    from shanben.pipeline import make_plan
    from shanben.pipeline import plan as plan_of

    steps = plan_of(layers_here(rules), work)
    chosen = None
    if words:
        book, chosen = choose(steps.rulebook, words)
        steps = steps if book is steps.rulebook else make_plan(book)
    failures = check_rulebook(steps, chosen)
    tried = [r for r in steps.rulebook.rules if chosen is None or r.id in chosen]
    if as_json:
        print_json([_failure(f) for f in failures])
    else:
        _print_failures(failures)
        examples = sum(len(r.examples) + len(r.keep) for r in tried)
        count = "1 rule" if len(tried) == 1 else f"{len(tried)} rules"
        click.echo(f"{count}, {examples} examples and keeps: {len(failures)} failed")
    return 5 if failures else 0


def _print_failures(failures: Sequence[Failure]) -> None:
    """Print those of the rules' own texts first, and not hundreds of the same kind."""
    for f in failures[:MOST_FAILURES]:
        click.echo(printable(str(f)))
    if len(failures) > MOST_FAILURES:
        others = len({f.rule for f in failures if f.culprit})
        hint = f": texts of {others} rules are spoilt, so a `match` fits far too much" if others > MOST_FAILURES else ""
        click.echo(f"… and {len(failures) - MOST_FAILURES} more (--json){hint}")


def _failure(f: Failure) -> dict[str, str]:
    return {
        "outcome": f.outcome, "rule": f.rule, "place": str(f.place), "text": f.text, "expected": f.expected,
        "got": f.got, "culprit": f.culprit, "reason": f.reason, "diff": f.diff, "fix": f.fix,
    }  # fmt: skip


@rules.command("lint")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="[PATH]...")
@RULES
@click.option(
    "--corpus", multiple=True, type=click.Path(path_type=Path), metavar="DIR",
    help="UTF-8 documents on which the rules are tried as well. May be given again.",
)  # fmt: skip
@click.option(
    "--format", "form", type=click.Choice(["text", "json", "github", "sarif"]), default="text", show_default=True,
    help="For people, programs, GitHub workflows, or code scanners.",
)  # fmt: skip
@click.option(
    "--level", type=click.Choice(["error", "warning", "info"]), default="warning", show_default=True,
    help="Leave out what is less grave.",
)  # fmt: skip
@click.option("--strict", is_flag=True, help="Fail on warnings too.")
def rules_lint(
    paths: tuple[Path, ...], rules: tuple[Path, ...], corpus: tuple[Path, ...], form: str, level: str, strict: bool
) -> int:  # fmt: skip
    """Look for faults in rule files, all in one run: each with file, line, column, and the way out.

    PATH is a rule file or a folder; without any the folders given with --rules are looked at, else the shipped
    rules. The exit code is 5 with errors, 0 with warnings only. docs/codes.md lists all codes. A rule is
    excused from one of them by `lint: {L404: the reason}`.

    \b
    Examples:
      shanben rules lint my-rules
      shanben rules lint --format sarif > lint.sarif
    """
    from shanben.fault_formats import FORMATS, as_sarif
    from shanben.pipeline import OWN_PHASE, version
    from shanben.profile_files import load_profiles
    from shanben.resources import rules_root
    from shanben.rulebook.lint import lint
    from shanben.rulebook.lint_codes import FAULT_LEVELS

    def check_profiles(book: Rulebook, folders: Sequence[Path], faults: Faults) -> None:
        load_profiles(book, folders, faults=faults)

    report = lint(rules_root(), paths, rules, corpus, flat_phase=OWN_PHASE, check_profiles=check_profiles)
    shown = report.at_least(next(known for known in FAULT_LEVELS if known == level))
    if form == "text":
        counts = ", ".join(f"{report.count(known)} {known}s" for known in FAULT_LEVELS)
        click.echo(printable(FORMATS["text"](shown)) + f"{report.rules} rules: {counts}")
    else:
        write_out(as_sarif(shown, version()) if form == "sarif" else FORMATS[form](shown))
    return 5 if report.failed(strict=strict) else 0


@rules.command("new")
@click.option("--id", "name", metavar="ID", help="The name of the rule, such as reading-club-line.")
@click.option(
    "--file",
    "file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Where to put it.  [default: rules/my-rules.yaml]",
)
@click.option("--fault", metavar="TEXT", help="What is wrong with a text in which the rule acts.")
@click.option("--match", metavar="PATTERN", help="What to look for.")
@click.option("--before", default="", metavar="PATTERN", help="What must stand before it.")
@click.option("--after", default="", metavar="PATTERN", help="What must stand after it.")
@click.option("--replace", metavar="TEXT", help="What takes its place.")
@click.option("--remove", type=click.Choice(["line", "match"]), help="Take it away, or the whole line.")
@click.option(
    "--example",
    "examples",
    multiple=True,
    metavar="'FROM=>TO'",
    help=r"A text and what it must become; \n is a line end. May be given again.",
)
@click.option("--keep", multiple=True, metavar="TEXT", help="A text that must stay. May be given again.")
def rules_new(
    name: str | None, file: Path | None, fault: str | None, match: str | None, before: str, after: str,
    replace: str | None, remove: str | None, examples: tuple[str, ...], keep: tuple[str, ...],
) -> int:  # fmt: skip
    """Write a new rule with its first example, and test it.

    What is not given as an option is asked. The entry is put at the end of FILE; what stands there stays as it
    is. A rule that fails its test is written switched off.

    \b
    Examples:
      shanben rules new
      shanben rules new --id club-line --fault 'a line of our club' --match '^更多好书请加.*$' --remove line \\
        --example '正文。\\n更多好书请加群=>正文。\\n' --keep '他说更多好书请加群。'
    """
    from shanben.new_rule import DEFAULT_FILE, NewRule, add_rule, example_of

    if replace is not None and remove:
        raise UsageError("a rule removes or replaces, not both", fix="give one of --remove and --replace")
    name = name or _ask("Name of the rule, such as club-line", "--id")
    fault = fault or _ask("What is wrong with the text", "--fault")
    match = match or _ask("Pattern to look for", "--match")
    if replace is None and not remove:
        choice = _ask("Take away the line, only the match, or replace it", "--remove", ["line", "match", "replace"])
        remove = "" if choice == "replace" else choice
        replace = None if remove else _ask("What takes its place", "--replace", empty=True)
    pairs = tuple(map(example_of, examples)) or tuple(_ask_examples())
    keep = keep or (() if examples else tuple(_ask_keeps()))
    said = NewRule(name, fault, match, replace, remove or "", before, after, pairs, tuple(map(_unescaped, keep)))
    written = add_rule(said, file or DEFAULT_FILE)
    click.echo(f"{one_line(str(written.file))}:{written.line}: written\n{printable(written.entry)}", nl=False)
    _print_failures(written.failures)
    if written.failures:
        click.echo(f"{name} is switched off (`level: off`) until it does what its examples say")
        return 5
    click.echo(f"{name} does what its examples say, and spoils no text of another rule")
    return 0


def _unescaped(text: str) -> str:
    from shanben.new_rule import unescaped

    return unescaped(text)


def _ask(question: str, option: str, choices: Sequence[str] = (), *, empty: bool = False) -> str:
    """Ask for one answer. Raises UsageError when nobody is there to answer."""
    kind = click.Choice(list(choices)) if choices else str
    try:
        answer = click.prompt(question, type=kind, default="" if empty else None, show_default=False, err=True)
    except click.Abort:
        import sys

        if sys.stdin.isatty():
            raise
        raise UsageError(f"the rule is not complete: {question.lower()}?", fix=f"give {option}") from None
    return str(answer)


def _ask_examples() -> Iterable[tuple[str, str]]:
    r"""Ask for examples until an empty answer; `\n` stands for a line end."""
    first = _ask(r"A text with this fault (\n is a line end)", "--example")
    while first:
        yield _unescaped(first), _unescaped(_ask("What it must become", "--example", empty=True))
        first = _ask("Another text with this fault (empty: no more)", "--example", empty=True)


def _ask_keeps() -> Iterable[str]:
    text = _ask("A text that looks like it but must stay (empty: none)", "--keep", empty=True)
    while text:
        yield text
        text = _ask("Another text that must stay (empty: no more)", "--keep", empty=True)


@rules.command("try")
@click.argument("word", metavar="RULE-ID|FILE")
@click.argument("sources", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="SRC...")
@click.option("--alone", is_flag=True, help="Run nothing but this rule, on the text as it was decoded.")
@_ALL
@_ENCODING
@RULES
@JSON
def rules_try(
    word: str, sources: tuple[Path, ...], alone: bool, everything: bool, encoding: str | None,
    rules: tuple[Path, ...], as_json: bool,
) -> int:  # fmt: skip
    """Show what a rule would do to documents: each hit with its place, and the clean text with and without it.

    RULE-ID names a rule of any level, also one that is switched off; FILE holds rules, which need not be
    installed. Nothing is written.

    \b
    Examples:
      shanben rules try club-line report.txt
      shanben rules try drafts/site.yaml archive/
      shanben rules try han-comma report.txt --alone --all
    """
    from shanben.authoring import effect, layers_here
    from shanben.works import find_works

    effects: list[Effect] = []
    failed: list[ShanbenError] = []
    works = find_works(sources)
    for work in works:
        try:
            effects.append(effect(work, [word], layers=layers_here(rules), encoding=encoding, alone=alone))
        except ShanbenError as error:
            if error.exit_code in (2, 5):  # the rule is at fault, not the document
                raise
            error.where = error.where or str(work.path)
            failed.append(error)
    if as_json:
        print_json([
            {"source": e.source, "counts": e.counts, "hits": [_as_values(h) for h in e.hits],
             "held": [{"rule": name, "reason": reason} for name, reason in e.held], "diff": e.diff}
            for e in effects
        ])  # fmt: skip
    else:
        for e in effects:
            _print_effect(e, everything)
        hits = sum(len(e.hits) for e in effects)
        touched = sum(bool(e.hits) for e in effects)
        of = "1 document" if len(effects) == 1 else f"{len(effects)} documents"
        click.echo(f"{hits} {'hit' if hits == 1 else 'hits'} in {touched} of {of}")
        if not (hits or alone or any(e.held for e in effects)):
            found = [effect(work, [word], layers=layers_here(rules), encoding=encoding, alone=True) for work in works]
            if early := sum(len(e.hits) for e in found):
                click.echo(
                    f"on the text as it came in it has {early} {'hit' if early == 1 else 'hits'}: before it runs, other "
                    "rules have changed that (`,` into `，`); write what the clean text says, or put the rule into a "
                    "folder `artifacts`, whose rules run before punctuation is mended"
                )
    for fault in failed:
        click.echo(f"error: {printable(str(fault))}", err=True)
    return failed[0].exit_code if failed else 0


@rules.command("profile")
@click.argument("sources", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="SRC...")
@click.option("--profile", metavar="NAME|FILE", default="plain", show_default=True, help="The kind of document.")
@_ALL
@_ENCODING
@RULES
@JSON
def rules_profile(
    sources: tuple[Path, ...], profile: str, everything: bool, encoding: str | None, rules: tuple[Path, ...],
    as_json: bool,
) -> int:  # fmt: skip
    """Show what each rule costs on documents: time, speed, hits, and in how many documents it had to look.

    Each rule runs by itself on the texts as they came in. A rule looks only at documents that hold what its
    pattern asks for; `always` stands where that cannot be told. Nothing is written.

    \b
    Examples:
      shanben rules profile report.txt
      shanben rules profile archive/ --rules my-rules --all
    """
    from shanben.authoring import layers_here
    from shanben.decode import decode
    from shanben.pipeline import plan
    from shanben.rule_profile import measure
    from shanben.works import find_works

    def texts() -> Iterator[str]:
        for work in find_works(sources):
            source = work.read()
            yield decode(source.data, encoding=encoding or work.encoding, name=source.name)[0]

    costs = measure(texts(), plan(layers_here(rules), profile=profile))
    if as_json:
        print_json([
            {"rule": c.rule, "phase": c.phase, "seconds": round(c.seconds, 6), "megabytes-a-second": round(c.speed, 1),
             "hits": c.hits, "looked": c.opened, "documents": c.documents, "gated": c.gated} for c in costs
        ])  # fmt: skip
        return 0
    whole = sum(c.seconds for c in costs) or 1.0
    click.echo(f"{'ms':>9} {'share':>6} {'MB/s':>8} {'hits':>6}  {'looked at':<12} rule")
    for c in costs if everything else costs[:MOST_RULES]:
        looked = f"{c.opened} of {c.documents}" if c.gated else "always"
        speed = f"{c.speed:,.0f}" if c.seconds else "-"
        click.echo(f"{c.seconds * 1e3:9.2f} {c.seconds / whole:6.1%} {speed:>8} {c.hits:6}  {looked:<12} {c.rule}")
    documents = costs[0].documents if costs else 0
    of = "1 document" if documents == 1 else f"{documents} documents"
    closed = sum(not c.opened for c in costs)
    click.echo(f"{len(costs)} rules on {of}: {whole * 1e3:.1f} ms; {closed} of them had nothing to look for")
    return 0


def _print_effect(e: Effect, everything: bool) -> None:
    for name, reason in e.held:
        click.echo(click.style(f"{printable(e.source)}: {name} was held back: {printable(reason)}", fg="yellow"))
    for name in e.counts:
        _print_hits(e.source, [h for h in e.hits if h.unit == name], everything)
    if e.hits and not e.diff:
        click.echo("the clean text is the same with and without it: other rules do this too, or nothing is edited")
    for line in printable(e.diff).splitlines():
        bold = line.startswith(("---", "+++"))
        click.echo(click.style(line, bold=bold, fg=None if bold else {"-": "red", "+": "green"}.get(line[:1])))


def _print_hits(source: str, found: Sequence[Hit], everything: bool, sign: str = "") -> None:
    for h in found if everything else found[:MOST_SHOWN]:
        click.echo(f"{sign}{one_line(source)}:{h.line}:{h.column}: {h.unit}: {_change(h)}")
    if not everything and len(found) > MOST_SHOWN:
        click.echo(f"{sign}{one_line(source)}: {found[0].unit}: … and {len(found) - MOST_SHOWN} more (--all)")


def _change(h: Hit) -> str:
    """Show one hit with what stands around it."""
    if h.kind in ("capture", "mark", "protected"):
        word = {"capture": "taken as", "mark": "seen as", "protected": "protected as"}[h.kind]
        return f"{click.style(shown(h.before), fg='cyan')} {word} {h.after}"
    change = f"[{click.style(shown(h.before), fg='red')} → {click.style(shown(h.after), fg='green')}]"
    doubt = f"  (only suggested: {printable(h.reason)})" if h.kind == "suggestion" else ""
    return f"{flat(h.left)}{change}{flat(h.right)}{doubt}"


def _as_values(h: Hit) -> dict[str, Any]:
    return asdict(h)


@rules.command("diff")
@click.argument("old", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path))
@click.option(
    "--corpus",
    "corpus",
    multiple=True,
    required=True,
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Documents to compare them on: a file or a folder. May be given again.",
)
@_ALL
@_ENCODING
@JSON
def rules_diff(
    old: Path, new: Path, corpus: tuple[Path, ...], everything: bool, encoding: str | None, as_json: bool
) -> int:
    """Show what two versions of rules do differently: which hits each rule gains and loses.

    OLD and NEW are rule files or folders. A folder that has all phases stands alone; anything else is laid over
    the shipped rules. The exit code is 0 with and without differences.

    \b
    Example:
      shanben rules diff site-old.yaml site.yaml --corpus archive/
    """
    from shanben.authoring import compare
    from shanben.works import find_works

    works = find_works(corpus)
    found = compare(old, new, works, encoding=encoding)
    if as_json:
        print_json({
            "added": found.added, "removed": found.removed, "changed": found.changed,
            "rules": [
                {"rule": name, **{
                    kind: [{"source": source, **_as_values(h)} for source, h in hits.get(name, ())]
                    for kind, hits in (("gained", found.gained), ("lost", found.lost))
                }}
                for name in found.rules
            ],
        })  # fmt: skip
        return 0
    for word, names in (("added", found.added), ("removed", found.removed), ("changed", found.changed)):
        if names:
            click.echo(f"{word}: {', '.join(names)}")
    for name in found.rules:
        gained, lost = found.gained.get(name, ()), found.lost.get(name, ())
        click.echo(click.style(f"{name}: {len(gained)} hits gained, {len(lost)} lost", bold=True))
        for sign, hits in (("+ ", gained), ("- ", lost)):
            for source, h in hits if everything else hits[:MOST_SHOWN]:
                click.echo(f"{sign}{one_line(source)}:{h.line}:{h.column}: {_change(h)}")
            if not everything and len(hits) > MOST_SHOWN:
                click.echo(f"{sign}… and {len(hits) - MOST_SHOWN} more (--all)")
    documents = "1 document" if len(works) == 1 else f"{len(works)} documents"
    if not found.rules:
        click.echo(f"no hit differs in {documents}")
    else:
        total = [sum(map(len, hits.values())) for hits in (found.gained, found.lost)]
        click.echo(f"{total[0]} hits gained, {total[1]} lost in {documents}")
    return 0


@rules.command("show")
@click.argument("name", metavar="ID")
@_ON
@RULES
@click.option("--work", metavar="SLUG", help="With the rules of this work.")
@JSON
def rules_show(name: str, sources: tuple[Path, ...], rules: tuple[Path, ...], work: str | None, as_json: bool) -> int:
    """Show one rule: where it stands, what it mends and why, its pattern, examples, and what it does.

    \b
    Examples:
      shanben rules show han-comma
      shanben rules show han-comma --on archive/
    """
    from shanben.authoring import choose, described, layers_here
    from shanben.pipeline import plan as plan_of

    book, chosen = choose(plan_of(layers_here(rules), work).rulebook, [name])
    told = [described(r) for r in book.rules if r.id in chosen]
    counts = {str(w.path): hits for w, hits in _counted(sources, rules, chosen)}
    on = [{source: hits[str(d["id"])] for source, hits in counts.items() if str(d["id"]) in hits} for d in told]
    if as_json:
        print_json([{**d, **({"on": found} if sources else {})} for d, found in zip(told, on, strict=True)])
        return 0
    for number, (d, found) in enumerate(zip(told, on, strict=True)):
        if number:
            click.echo()
        _print_rule(d)
        if sources:
            total = sum(found.values())
            documents = "1 document" if len(counts) == 1 else f"{len(counts)} documents"
            click.echo(f"hits      {total} in {len(found)} of {documents}")
            for source, count in sorted(found.items(), key=lambda pair: -pair[1])[:MOST_SHOWN]:
                click.echo(f"          {count:>5}  {one_line(source)}")
    return 0


def _print_rule(told: dict[str, Any]) -> None:
    level = told["level"]
    colour = {"fix": "green", "off": "red"}.get(level, "yellow")
    click.echo(f"{click.style(told['id'], bold=True)}  {click.style(level, fg=colour)}  {one_line(told['file'])}")
    for key in ("fault", "fault-zh", "why"):
        if key in told:
            click.echo(f"{key:<9} {one_line(told[key])}")
    others = ("id", "level", "file", "fault", "fault-zh", "why", "examples", "keep", "kind", "pattern")
    for key, value in told.items():
        if key not in others:
            click.echo(f"{key:<9} {_value(value)}")
    for example in told.get("examples", ()):
        click.echo(f"example   {' → '.join(_quoted(text) for text in example)}")
    for text in told.get("keep", ()):
        click.echo(f"keep      {_quoted(text)}")


def _value(value: object) -> str:
    if isinstance(value, dict):
        return one_line(", ".join(f"{k}: {v}" for k, v in value.items()))
    return one_line(", ".join(map(str, value)) if isinstance(value, list) else str(value))


def _quoted(text: str) -> str:
    return f"“{flat(text)}”" if text else "nothing"


def _counted(
    sources: Sequence[Path], rules: Sequence[Path], chosen: frozenset[str] | None = None
) -> list[tuple[Work, dict[str, int]]]:
    """Clean documents and count the hits of each rule."""
    from collections import Counter

    from shanben.authoring import hits_of, layers_here
    from shanben.work_cleaning import clean_work
    from shanben.works import find_works

    counted = []
    for work in find_works(sources) if sources else ():
        cleaned = clean_work(work, rules=layers_here(rules))
        content = cleaned.ledger.revert(cleaned.text)
        counted.append((work, dict(Counter(h.unit for h in hits_of(cleaned, content, chosen)))))
    return counted


@rules.command("list")
@click.option("--phase", metavar="NAME", help="Only those of this phase, such as punctuation.")
@click.option("--level", type=click.Choice(["off", "trial", "suggest", "fix"]), help="Only those of this level.")
@click.option(
    "--changed-by", "layer", type=click.Path(path_type=Path), metavar="DIR",
    help="Only those that this folder of rules adds, or whose place it takes.",
)  # fmt: skip
@_ON
@RULES
@click.option("--work", metavar="SLUG", help="With the rules of this work.")
@JSON
def rules_list(
    phase: str | None, level: str | None, layer: Path | None, sources: tuple[Path, ...], rules: tuple[Path, ...],
    work: str | None, as_json: bool,
) -> int:  # fmt: skip
    """List all rules with their level and fault; with --on only those that do something there, and how often.

    \b
    Examples:
      shanben rules list --phase punctuation
      shanben rules list --on report.txt
      shanben rules list --changed-by my-rules
    """
    from shanben.authoring import layers_here
    from shanben.pipeline import plan as plan_of
    from shanben.rulebook.schema import FOLDERS

    if phase and phase not in FOLDERS:
        raise UsageError(f"there is no phase {phase!r}", fix=f"choose from {', '.join(FOLDERS)}")
    named = tuple(rules) if layer is None or layer in rules else (*rules, layer)
    found = list(plan_of(layers_here(named), work).rulebook.rules)
    below = (
        {r.id: r.digest for r in plan_of(tuple(f for f in named if f != layer), work).rulebook.rules} if layer else {}
    )
    found = [r for r in found if (not phase or r.phase == phase) and (not level or r.level == level)]
    found = [r for r in found if below.get(r.id) != r.digest]
    counts: dict[str, int] = {}
    for _, hits in _counted(sources, named):
        for name, count in hits.items():
            counts[name] = counts.get(name, 0) + count
    if sources:
        found = sorted((r for r in found if r.id in counts), key=lambda r: -counts[r.id])
    if as_json:
        print_json([
            {"id": r.id, "phase": r.phase, "level": r.level, "kind": r.kind, "fault": r.fault, "file": r.place.file,
             "line": r.place.line, "overrides": r.overrides, **({"hits": counts[r.id]} if sources else {})}
            for r in found
        ])  # fmt: skip
        return 0
    heading = ""
    for r in found:
        if r.phase != heading and not sources:
            heading = r.phase
            click.echo(click.style(heading, bold=True))
        number = f"{counts[r.id]:>6}  " if sources else "  "
        over = f"  (in place of {r.overrides})" if r.overrides else ""
        click.echo(f"{number}{r.id:<34} {r.level:<8} {one_line(r.fault)}{over}")
    click.echo("1 rule" if len(found) == 1 else f"{len(found)} rules")
    return 0


@rules.command("schema")
def rules_schema() -> int:
    """Print the JSON Schema of rule files, for editors.

    \b
    Example:
      shanben rules schema > rules.schema.json
    """
    from shanben.rulebook.json_schema import rule_file_schema

    print_json(rule_file_schema())
    return 0


COMMANDS: tuple[click.Command, ...] = (rules,)
