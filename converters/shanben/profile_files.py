"""Profile files to profiles: every fault of every file in one run, each with its place and the way out."""

from __future__ import annotations

import typing
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import regex

from shanben.errors import UsageError
from shanben.profiles import MEASURES, MOST_HITS, MOST_POINTS, Evidence, Profile, Setting
from shanben.resources import rules_root
from shanben.rulebook import load, strict_yaml
from shanben.rulebook.load import ID_FORM, LIMIT_KEYS, param_specs
from shanben.rulebook.patterns import PATTERN_FLAGS
from shanben.rulebook.schema import LEVELS, PHASES, PROTECT_FOLDER, Level, ParamValue, Place, Rule, Rulebook
from shanben.rulebook.strict_yaml import Entry, Faults, Node, shown
from shanben.steps import all_steps

if typing.TYPE_CHECKING:
    from importlib.resources.abc import Traversable

FOLDER = "profiles"

CODES: Mapping[str, str] = {
    "P101": "a name under `rules` of a profile that is the id of no rule",
    "P102": "a profile that does not exist",
    "P103": "profiles that extend each other in a circle",
    "P104": "a setting that does not go with the rule",
    "P105": "evidence that says nothing, or two things at once",
    "P106": "a profile that stands twice",
}
"""The faults that profiles can have besides those of every file (R1xx, R2xx) and pattern (R301, R302)."""

FILE_KEYS: Mapping[str, str] = {
    "about": "what kind of document it is for, in one sentence",
    "about-zh": "the same in Chinese",
    "extends": "the profile whose evidence and settings this one takes over",
    "evidence": "what in a text speaks for this profile, or against it",
    "rules": "ids of rules, patterns of ids (web-*) or folders (artifacts/*), each with what is set for them",
}
EVIDENCE_KEYS: Mapping[str, str] = {
    "reason": "in words, for `explain`",
    "match": "a pattern; its hits are counted",
    "measure": "what is measured instead",
    "at-least": "hits, or the share as a percentage, from which on the points count",
    "points": "how much it says; below 0 it speaks against the profile",
}
SETTING_KEYS: Mapping[str, str] = {
    "level": "off, trial, suggest, fix",
    "params": "parameters of the step of one rule",
    "limit": "the circuit breaker",
}


def _values(said: Mapping[str, Entry], rule: Rule, faults: Faults) -> dict[str, ParamValue]:
    """Read parameters as the step of the rule wants them."""
    specs = param_specs(all_steps()[rule.step])
    values: dict[str, ParamValue] = {}
    for name, entry in said.items():
        if name not in specs:
            hint = faults.hint(name, specs)
            faults.add("P104", entry.key.place, f"the step {rule.step} has no parameter {shown(name)}{hint}")
            continue
        value = load.read_param(faults, entry.value, f"`{name}`", specs[name].type)
        if value is not None:
            values[name] = value
    return values


def _checked(profile: Profile, book: Rulebook, faults: Faults) -> Profile:
    """Give a profile with its parameters read; find settings that name no rule, or ask of one what it cannot do."""
    known = {rule.id: rule for rule in book.rules}
    gone = {rule.overrides for rule in book.rules if rule.overrides}
    settings = []
    for setting in profile.settings:
        meant = [rule for rule in book.rules if setting.means(rule) and rule.phase != PROTECT_FOLDER]
        if not meant:
            _add_unknown(setting, known, gone, faults)
        elif setting.said is not None:
            setting = setting._replace(params=_params(setting, setting.said, meant, faults), said=None)
        settings.append(setting)
    return profile._replace(settings=tuple(settings))


def _add_unknown(setting: Setting, known: Mapping[str, Rule], gone: Iterable[str], faults: Faults) -> None:
    folder, _, ids = setting.name.rpartition("/")
    if setting.name in gone or (folder in PHASES and ids == "*"):
        return
    if setting.name in known:
        words = f"'{setting.name}' protects a span, and spans are protected in every profile"
        faults.add("P104", setting.place, words, "remove it here")
    elif folder and folder not in PHASES:
        hint = faults.hint(folder, PHASES)
        fix = "" if hint else f"the folders are {', '.join(PHASES)}"
        faults.add("P101", setting.place, f"there is no folder {shown(folder)}{hint}", fix)
    else:
        hint = faults.hint(ids, known)
        faults.add("P101", setting.place, f"no rule is called {shown(setting.name)}{hint}", "`shanben plan` lists all")


def _params(
    setting: Setting, said: Mapping[str, Entry], meant: Sequence[Rule], faults: Faults
) -> Mapping[str, ParamValue]:
    """Give the parameters that a setting says as the step of the one rule that it means wants them."""
    if len(meant) > 1 or not meant[0].step:
        words = f"`params` go with one rule that runs a step, which {shown(setting.name)} is not"
        faults.add("P104", setting.place, words, "name the rule by its whole id, or set a level or a limit")
        return {}
    before = len(faults)
    values = _values(said, meant[0], faults)
    if len(faults) == before:
        try:
            all_steps()[meant[0].step].params(**{**meant[0].params, **values})
        except (ValueError, TypeError) as error:
            faults.add("P104", setting.place, f"the step {meant[0].step} does not accept these parameters: {error}")
    return values


# --- Files ---------------------------------------------------------------------------------------------------


def load_profiles(
    book: Rulebook, layers: Sequence[str | Path] = (), *, faults: Faults | None = None
) -> dict[str, Profile]:
    """Load the shipped profiles and those of the folders ``layers``, each checked against the rules of ``book``.

    A profile of a folder may extend a lower one of its own name, and takes its place then. Raises RuleError
    with all faults of all files; where ``faults`` is given they are put there instead.
    """
    asked, faults = faults, Faults() if faults is None else faults
    found: dict[str, Profile] = {}
    _add_files(rules_root() / FOLDER, f"rules/{FOLDER}", found, faults)
    for layer in layers:
        _add_files(Path(layer) / FOLDER, f"{Path(layer).as_posix()}/{FOLDER}", found, faults)
    done = _finished(found, book, faults)
    if asked is None:
        faults.raise_if_any()
    return done


def load_profile(path: Path, book: Rulebook, profiles: Mapping[str, Profile]) -> Profile:
    """Load one profile from a file that lies anywhere; it may extend one of ``profiles``. Raises RuleError."""
    faults = Faults()
    table = dict(profiles)
    if profile := _read(path, path.as_posix(), faults):
        table.pop(profile.name, None)
        if profile.extends and profile.extends.value == profile.name and profile.name in profiles:
            profile = _joined(profiles[profile.name], profile)
        table[profile.name] = profile
    done = _finished(table, book, faults)
    faults.raise_if_any()
    return done[path.stem]


def _add_files(folder: Traversable, shown_as: str, found: dict[str, Profile], faults: Faults) -> None:
    if not folder.is_dir():
        return
    below = dict(found)
    for path in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if path.name.startswith(".") or not path.name.lower().endswith((".yaml", ".yml")):
            continue
        name = f"{shown_as}/{path.name}"
        if not path.name.endswith(".yaml"):
            faults.add("R211", Place(name, 1, 1), "profiles end in .yaml", "rename it")
        elif profile := _read(path, name, faults):
            lower = below.get(profile.name)
            if lower and profile.extends and profile.extends.value == profile.name:
                profile = _joined(lower, profile)
            elif lower:
                fix = f"choose another name, or add `extends: {profile.name}` to take its place"
                faults.add("P106", profile.place, f"there is a profile '{profile.name}' in {lower.place.file}", fix)
            found[profile.name] = profile


def _joined(lower: Profile, upper: Profile) -> Profile:
    """Give a profile on top of the one that it extends; its own evidence, if it has any, stands alone."""
    return upper._replace(
        extends=lower.extends,
        evidence=upper.evidence or lower.evidence,
        settings=(*lower.settings, *upper.settings),
    )


def _finished(found: Mapping[str, Profile], book: Rulebook, faults: Faults) -> dict[str, Profile]:
    done: dict[str, Profile] = {}

    def finish(name: str, on_the_way: tuple[str, ...]) -> Profile:
        if name not in done:
            done[name] = with_parent(found[name], (*on_the_way, name))
        return done[name]

    def with_parent(profile: Profile, on_the_way: tuple[str, ...]) -> Profile:
        if profile.extends is None:
            return profile
        wanted = profile.extends.value
        if wanted in on_the_way:
            circle = " → ".join((*on_the_way[on_the_way.index(wanted) :], wanted))
            faults.add(
                "P103", profile.extends.place, f"profiles that extend each other: {circle}", "remove one `extends`"
            )
            return profile._replace(extends=None)
        if wanted not in found:
            hint = faults.hint(wanted, found)
            fix = "" if hint else f"there are: {', '.join(sorted(found))}"
            faults.add("P102", profile.extends.place, f"no profile is called {shown(wanted)}{hint}", fix)
            return profile
        return _joined(finish(wanted, on_the_way), profile)._replace(extends=None)

    found = {name: _checked(profile, book, faults) for name, profile in found.items()}
    for name in found:
        finish(name, ())
    return {name: done[name] for name in sorted(done)}


def find_profile(wanted: str, book: Rulebook, profiles: Mapping[str, Profile]) -> Profile:
    """Give a profile by its name or from a file (`.yaml`). Raises UsageError when there is neither."""
    if wanted in profiles:
        return profiles[wanted]
    if wanted.endswith((".yaml", ".yml")):
        return load_profile(Path(wanted), book, profiles)
    hint = strict_yaml.did_you_mean(wanted, profiles)
    names = ", ".join(sorted(profiles))
    raise UsageError(f"no profile is called {shown(wanted)}{hint}", fix=f"choose from {names}, or name a .yaml file")


def _read(path: Traversable, name: str, faults: Faults) -> Profile | None:
    """Read one file; None when it cannot be read at all."""
    node = strict_yaml.read(path, faults, name)
    if node is None:
        return None
    stem = path.name.rpartition(".")[0]
    place = Place(name, 1, 1)
    if not regex.fullmatch(ID_FORM, stem):
        faults.add("R212", place, f"a profile is named in kebab-case, like web-page, not {shown(stem)}", "rename it")
    top = strict_yaml.mapping(faults, node, "the file", FILE_KEYS, ["about"])

    def said(key: str) -> str:
        return strict_yaml.text(faults, top[key].value, f"`{key}`") if key in top else ""

    extends = strict_yaml.scalar(faults, top["extends"].value, "`extends`") if "extends" in top else None
    evidence = strict_yaml.items(faults, top["evidence"].value, "`evidence`") if "evidence" in top else ()
    settings = strict_yaml.mapping(faults, top["rules"].value, "`rules`") if "rules" in top else {}
    return Profile(
        name=stem,
        place=place,
        about=said("about"),
        about_zh=said("about-zh"),
        extends=extends,
        evidence=tuple(e for item in evidence if (e := _evidence(item, faults))),
        settings=tuple(_setting(key, entry, faults) for key, entry in settings.items()),
    )


def _evidence(node: Node, faults: Faults) -> Evidence | None:
    entries = strict_yaml.mapping(faults, node, "an evidence", EVIDENCE_KEYS, ["reason", "points"])
    if not entries:
        return None
    values = {key: entry.value for key, entry in entries.items()}
    if ("match" in values) == ("measure" in values):
        faults.add("P105", node.place, "evidence has either `match` or `measure`", "write one of them")
        return None
    reason = strict_yaml.text(faults, values.get("reason"), "`reason`") if "reason" in values else ""
    points = strict_yaml.integer(faults, values.get("points"), "`points`", -MOST_POINTS, MOST_POINTS)
    if "measure" in values:
        name = strict_yaml.choice(faults, values["measure"], "`measure`", MEASURES)
        if "at-least" not in values:
            faults.add("R202", node.place, "a measure needs `at-least`", "write at-least: '30%'")
            return None
        share = strict_yaml.percent(faults, values["at-least"], "`at-least`")
        return Evidence(reason, points or 0, measure=name, least=share or 1.0)
    hits = strict_yaml.integer(faults, values["at-least"], "`at-least`", 1, MOST_HITS) if "at-least" in values else 1
    return Evidence(reason, points or 0, match=_pattern(values["match"], faults), least=hits or 1)


def _pattern(node: Node, faults: Faults) -> str:
    scalar = strict_yaml.scalar(faults, node, "`match`")
    if scalar is None:
        return ""
    if scalar.style not in ("single", "literal"):
        faults.add("R301", scalar.place, "`match` must be in single quotes or a | block", "use single quotes")
    pattern = scalar.value.rstrip("\n") if scalar.style == "literal" else scalar.value
    try:
        if regex.compile(pattern, PATTERN_FLAGS).match(""):
            faults.add("R303", scalar.place, "`match` can match nothing at all", "let it match at least one character")
    except regex.error as error:
        at = scalar.place_at(int(getattr(error, "pos", None) or 0))
        faults.add("R302", at, f"`match` is no valid pattern: {getattr(error, 'msg', error)}")
    except (RecursionError, MemoryError, OverflowError, ValueError) as error:
        faults.add("R309", scalar.place, f"`match` cannot be compiled: {type(error).__name__}")
    return pattern


def _setting(name: str, entry: Entry, faults: Faults) -> Setting:
    entries = strict_yaml.mapping(faults, entry.value, f"`{name}`", SETTING_KEYS)
    if isinstance(entry.value, strict_yaml.Pairs) and not entry.value.entries:
        faults.add("R204", entry.value.place, f"`{name}` is empty", f"give one of {', '.join(SETTING_KEYS)}")
    level = drop = hits = params = None
    if "level" in entries:
        word = strict_yaml.choice(faults, entries["level"].value, "`level`", LEVELS)
        level = typing.cast(Level, word) if word else None
    if "params" in entries:
        params = strict_yaml.mapping(faults, entries["params"].value, "`params`")
    if "limit" in entries:
        limits = strict_yaml.mapping(faults, entries["limit"].value, "`limit`", LIMIT_KEYS)
        if "drop" in limits:
            drop = strict_yaml.percent(faults, limits["drop"].value, "`drop`")
        if "hits" in limits:
            hits = strict_yaml.integer(faults, limits["hits"].value, "`hits`", 1)
    return Setting(name, entry.key.place, level, drop=drop, hits=hits, said=params)
