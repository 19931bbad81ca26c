"""Facts that name other facts of the same person: by the key of the row, or by columns that agree."""

from collections.abc import Callable

from casefhir.sources.tables.cells import column_read
from casefhir.sources.tables.elements import Link, VisitLink, WordsOrLink
from casefhir.sources.tables.mapping import TableMapping
from casefhir.sources.tables.privacy import MASK
from casefhir.sources.tables.rows import Row
from casefhir.sources.tables.scope import Scope
from casefhir.sources.tables.slugs import joined
from casefhir.sources.tables.telling import Read, Telling

Keys = Callable[[Row, Telling], list[str]]


class Links:
    """Compiles links. `by_rows` gathers the rules whose rows have to be kept for links by columns; `slug` makes the key
    of key words, as the plan does.
    """

    def __init__(self, mapping: TableMapping, slug: Callable[[list[str]], str] = joined) -> None:
        self.mapping = mapping
        self.rules = {rule.name: rule for rule in mapping.rules}
        self.slug = slug
        self.by_rows: set[str] = set()
        self.led_to: set[str] = set()
        """The rules that others link to."""

    def visit(self, scope: Scope, told: VisitLink | None) -> Callable[[Row, Telling], str | None] | None:
        """The key of the visit that a row belongs to."""
        if told is None:
            return None
        if not isinstance(told, Link):
            if len(self.mapping.visit) != 1:
                scope.problem(
                    "visit = a column needs just one [[visit]] rule; otherwise visit = { rule = .., key = [..] }"
                )
                return None
            told = Link(rule=self.mapping.visit[0].name, key=(told,))
        keys = self.keys(scope, told)
        if keys is None:
            return None

        def found(row: Row, telling: Telling) -> str | None:
            visits = keys(row, telling)
            return visits[0] if visits else None

        return found

    def many(self, scope: Scope, told: tuple[Link, ...]) -> Callable[[Row, Telling], tuple[str, ...]] | None:
        """The keys of all facts that some links lead to."""
        return self.or_words(scope, told, "")

    def or_words(
        self, scope: Scope, told: tuple[WordsOrLink, ...], name: str
    ) -> Callable[[Row, Telling], tuple[str, ...]] | None:
        """The keys of facts that links lead to, and words where no link is given."""
        each: list[Keys] = []
        for one in told:
            if isinstance(one, Link):
                keys = self.keys(scope, one)
                each += [keys] if keys else []
            else:
                read = scope.plain(one, name)
                each += [_as_keys(read)] if read else []
        if not each:
            return None
        return lambda row, telling: tuple(dict.fromkeys(key for keys in each for key in keys(row, telling)))

    def keys(self, scope: Scope, link: Link) -> Keys | None:
        """The keys of the facts that a link leads to from a row; what leads nowhere is counted."""
        rule = self.rules.get(link.rule)
        if rule is None:
            scope.problem(f"it links to the rule {link.rule!r}, which does not exist: {', '.join(self.rules)} do")
            return None
        if rule.table not in scope.frame.tables:
            return None
        self.led_to.add(link.rule)
        if link.key is not None:
            if len(link.key) != len(rule.key):
                scope.problem(
                    f"its link to {link.rule!r} gives {len(link.key)} key words; that rule's key has {len(rule.key)}"
                )
                return None
            return self._by_key(scope, link)
        self.by_rows.add(link.rule)
        return self._by_columns(scope, link, rule.table)

    def _by_key(self, scope: Scope, link: Link) -> Keys | None:
        with scope.part() as part:
            reads = [part.words(each, "key") for each in link.key or ()]
        if None in reads:
            return None
        asked = [each for each in reads if each]
        slug, name, entry, rule = self.slug, link.rule, link.each, scope.rule
        hidden = self.mapping.privacy.hash_keys

        def words_of(row: Row, telling: Telling) -> tuple[str, str] | None:
            told = [each(row, telling) for each in asked]
            if None in told:
                return None
            plain = [str(each) for each in told]
            return slug(plain), MASK if hidden else ", ".join(plain)

        remembered = part.remembered(words_of)
        column = ", ".join(scope.column_of(each) for each in link.key or ())

        def found(row: Row, telling: Telling) -> list[str]:
            told = remembered(row, telling)
            if told is None:
                return []
            made = telling.made.get(name)
            listed = made.get(told[0]) if made else None
            keys = [key for of_entry, key in listed if entry is None or of_entry == entry] if listed else []
            if not keys:
                telling.unmapped[rule, f"{column} -> {name}", told[1]] += 1
            elif len(keys) > 1:
                keys.sort()
            return keys

        return found

    def _by_columns(self, scope: Scope, link: Link, table: str) -> Keys | None:
        other = scope.frame.tables[table]
        places = [scope.place(column, of=other) for column in link.on]
        ours = [scope.words(column, "on") for column in link.on.values()]
        if None in places or None in ours:
            return None
        theirs = [column_read(place, other.blank, other.columns[place]) for place in places if place is not None]
        given = [each for each in ours if each]
        name, entry, rule = link.rule, link.each, scope.rule
        column, hidden = ", ".join(link.on.values()), self.mapping.privacy.hash_keys

        def found(row: Row, telling: Telling) -> list[str]:
            wanted = [each(row, telling) for each in given]
            if None in wanted:
                return []
            keys = [
                key
                for their, of_entry, key in telling.made_rows.get(name, ())
                if (entry is None or of_entry == entry) and [each(their, telling) for each in theirs] == wanted
            ]
            keys.sort()
            if wanted and not keys:
                words = MASK if hidden else ", ".join(str(each) for each in wanted)
                telling.unmapped[rule, f"{column} -> {name}", words] += 1
            return keys

        return found


def _as_keys(read: Read) -> Keys:
    def found(row: Row, telling: Telling) -> list[str]:
        words = read(row, telling)
        return [words] if words else []

    return found
