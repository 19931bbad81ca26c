"""What a fact is called: the catalogue's concept, the table's own codes, its words."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

from casefhir import terms
from casefhir.record import Code, Told
from casefhir.sources.tables.cells import first_read, is_understood
from casefhir.sources.tables.elements import Cell, Coded, Labelled, Named, Note, Phrase, Supplement, Words
from casefhir.sources.tables.joins import supplements
from casefhir.sources.tables.refusal import Refused
from casefhir.sources.tables.rows import Row
from casefhir.sources.tables.scope import Scope
from casefhir.sources.tables.telling import MappedWords, Read, Telling, UnmappedWords
from casefhir.terms.check_digits import code_fault

_MEMO = 1 << 13


@dataclass(frozen=True, slots=True)
class Name:
    """`concept` a key of the catalogue; `text` the source's words; `unmapped` words that lead to no concept."""

    concept: str | None
    codes: tuple[Code, ...]
    text: str | None
    unmapped: str | None = None
    by_name: bool = False
    """Whether the catalogue knew the source's own words; otherwise the mapping said which concept is meant."""

    @property
    def words(self) -> str:
        """What to call it in a sentence."""
        if self.text:
            return self.text
        if self.concept:
            return terms.concept(self.concept).name
        return self.codes[0].display or self.codes[0].code


@cache
def known_names(kinds: frozenset[str]) -> dict[str, str | None]:
    """Keys, names and naming phrases in small letters, and their concept; None where two concepts share one."""
    found: dict[str, str | None] = {}
    for key, concept in terms.concepts().items():
        if concept.kind in kinds:
            for name in {concept.name.casefold(), *(each.casefold() for each in concept.names)}:
                found[name] = key if found.get(name, key) == key else None
    for key, concept in terms.concepts().items():
        if concept.kind in kinds:
            found[key.casefold()] = key
    return found


def naming(
    scope: Scope, concept: Words | None, codes: tuple[Coded, ...], text: Words | None, kinds: frozenset[str]
) -> Callable[[Row, Telling], Name]:
    """The name of each row's fact; raises `Refused` where nothing says what it is. Of several words for the concept
    those count that lead to one, otherwise the first.
    """
    known = known_names(kinds)
    key, words = _leading(scope, concept, known), scope.plain(text, "text")
    own = coding(scope, codes)
    column = scope.column_of(concept)
    constant = isinstance(concept, Cell) and concept.const is not None
    memo: dict[tuple[object, ...], Name] = {}
    rule = scope.rule

    def made(row: Row, telling: Telling) -> Name:
        told = key(row, telling) if key else None
        said = words(row, telling) if words else None
        given = own(row, telling)
        raw = told.raw if isinstance(told, MappedWords) else told
        asked = (told, raw, said, given, type(told))
        name = memo.get(asked)
        if name is None:
            if len(memo) >= _MEMO:
                memo.clear()
            name = memo[asked] = _name(told, raw, said, given)
        if name.unmapped is not None and type(told) is not UnmappedWords:
            telling.unmapped[rule, column, name.unmapped] += 1
        return name

    def _name(told: str | None, raw: str | None, said: str | None, given: tuple[Code, ...]) -> Name:
        found = known.get(told.casefold()) if told is not None and type(told) is not UnmappedWords else None
        printed = said or (None if constant and found else raw)
        if found is None and not given and not printed:
            raise Refused(
                "nothing says what it is: no concept, no code, no words",
                "fill in the cell, or leave such rows out of the rule by its `where`",
                column,
            )
        by_name = found is not None and not constant and not isinstance(told, MappedWords)
        lost = raw if told is not None and found is None and not given else None  # its own codes say what it is
        return Name(found, given, printed, lost, by_name)

    return made


def _leading(scope: Scope, concept: Words | None, known: Mapping[str, str | None]) -> Read | None:
    """The words of a row that lead to a concept, if any of those that are given do; otherwise the first."""
    if not isinstance(concept, tuple):
        return scope.words(concept, "concept")
    with scope.part() as part:
        reads = [each for each in (part.words(one, "concept") for one in concept) if each]
    if not reads:
        return None
    return first_read(
        reads, leads=lambda words: is_understood(words) and bool(known.get(words.casefold())), joins=not part.pure
    )


def coding(scope: Scope, codes: tuple[Coded, ...]) -> Callable[[Row, Telling], tuple[Code, ...]]:
    """The codes that the row itself gives."""
    reads = [each for each in (_code(scope, one) for one in codes) if each]
    if not reads:
        return lambda _row, _telling: ()
    if len(reads) == 1:
        read = reads[0]

        def one(row: Row, telling: Telling) -> tuple[Code, ...]:
            code = read(row, telling)
            return (code,) if code else ()

        return one
    return lambda row, telling: tuple([code for code in [each(row, telling) for each in reads] if code])


def _code(scope: Scope, coded: Coded) -> Callable[[Row, Telling], Code | None] | None:
    systems = scope.frame.loaded.mapping.systems
    code, display = scope.words(coded.code, "code"), scope.plain(coded.display, "display")
    version = scope.plain(coded.version, "version")
    curie = scope.words(coded.curie, "curie")
    if (coded.code is None) == (coded.curie is None):
        scope.problem("a code has either `code` with its `system`, or a `curie`")
    fixed = coded.system if isinstance(coded.system, str) else None
    if fixed is not None and fixed in systems:
        given = systems[fixed]
        fixed = given if isinstance(given, str) else given.uri
    if fixed is not None and ":" not in fixed:
        scope.problem(f"{fixed!r} is not the URI of a code system, nor a name in [systems]")
    system = scope.words(coded.system, "system") if isinstance(coded.system, Cell) else None
    if coded.code is not None and coded.system is None:
        scope.problem("a code needs its `system`")
    if (code is None and curie is None) or (isinstance(coded.system, Cell) and system is None):
        return None  # its column may be missing, and is
    memo: dict[tuple[str | None, ...], Code | None] = {}
    column, rule = scope.column_of(coded.code or coded.curie), scope.rule

    def made(row: Row, telling: Telling) -> Code | None:
        words = (code or curie)(row, telling)  # type: ignore[misc]
        if words is None or type(words) is UnmappedWords:
            return None
        where = fixed
        if system is not None:
            where = system(row, telling)
            if where is None or type(where) is UnmappedWords:
                return None
        asked = (where, words, display(row, telling) if display else None, version(row, telling) if version else None)
        if asked not in memo:
            if len(memo) >= _MEMO:
                memo.clear()
            memo[asked] = _made(*asked)
        found = memo[asked]
        if found is None:
            telling.unmapped[rule, column, words] += 1
            return None
        fault = code_fault(found.system, found.code)
        if fault is not None:  # mistyped or cut short: it may be another's code by now
            telling.unmapped[rule, column, words] += 1
            telling.remarks.append(f"The table gives the code {found.code} of {found.system}, which {fault}.")
            return None
        return found

    def _made(where: str | None, words: str, name: str | None, edition: str | None) -> Code | None:
        words = str(words)
        if curie is not None and code is None:
            prefix, colon, rest = words.partition(":")
            given = next((each for key, each in systems.items() if key.casefold() == prefix.casefold()), None)
            if not colon or given is None or not rest:
                return None
            where = given if isinstance(given, str) else given.uri
            words = words if not isinstance(given, str) and given.keep_prefix else rest
        if where is not None and ":" not in where:
            named = systems.get(where)
            if named is None:
                return None
            where = named if isinstance(named, str) else named.uri
        if "  " in words or any(each.isspace() and each != " " for each in words) or where is None:
            raise Refused(f"{words!r} is not a code", "mend the cell", column)
        return Code(str(where), words, name, edition)

    return made


def phrase(scope: Scope, told: Phrase | None, name: str) -> Callable[[Row, Telling], Told | str | None] | None:
    """Words, with their codes where the table gives them."""
    if told is None:
        return None
    if not isinstance(told, Named):
        return scope.plain(told, name)
    words, own = scope.plain(told.text, name), coding(scope, told.codes)

    def made(row: Row, telling: Telling) -> Told | str | None:
        text, codes = words(row, telling) if words else None, own(row, telling)
        if not codes:
            return text
        return Told(text or codes[0].display or codes[0].code, None, codes)

    return made


def phrases(
    scope: Scope, told: tuple[Phrase, ...], name: str
) -> Callable[[Row, Telling], tuple[Told | str, ...]] | None:
    """Several of them, without the blank ones and repeats."""
    reads = [each for each in (phrase(scope, one, name) for one in told) if each]
    if not reads:
        return None

    def made(row: Row, telling: Telling) -> tuple[Told | str, ...]:
        found = [each(row, telling) for each in reads]
        return tuple(dict.fromkeys(each for each in found if each is not None))

    return made


def notes(scope: Scope, told: tuple[Note, ...]) -> Callable[[Row, Telling], tuple[str, ...]]:
    """The notes of a row's fact: its cells, what supplements them, what is a default of the mapping, what was remarked
    on the way.
    """
    reads = [each for each in (_note(scope, one) for one in told if not isinstance(one, Supplement)) if each]
    more = [each for each in (supplements(scope, one) for one in told if isinstance(one, Supplement)) if each]

    def made(row: Row, telling: Telling) -> tuple[str, ...]:
        if not (reads or more or telling.defaulted or telling.remarks):
            return ()
        found = [each for each in [read(row, telling) for read in reads] if each]
        for each in more:
            found += each(row, telling)
        found += [
            f"{name}: {value} is a default of the mapping, not told by the table." for name, value in telling.defaulted
        ]
        return tuple(dict.fromkeys(found + telling.remarks))

    return made


def _note(scope: Scope, told: Words | Labelled) -> Read | None:
    """The words of a note, with the label that they have."""
    if not isinstance(told, Labelled):
        return scope.plain(told, "notes")
    read, label = scope.plain(told.words, "notes"), told.label
    if read is None:
        return None

    def labelled(row: Row, telling: Telling) -> str | None:
        words = read(row, telling)
        return None if words is None else f"{label}: {words}"

    return labelled
