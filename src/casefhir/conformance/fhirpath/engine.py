"""The translator: a syntax tree becomes closures `(focus, env) -> list`; operators live here."""

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import ROUND_DOWN, Decimal
from functools import lru_cache
from typing import Any

from casefhir.conformance.fhirpath.parse import Tree, Unsupported, parse
from casefhir.conformance.fhirpath.values import (
    Amount,
    Item,
    Moment,
    TypeName,
    equal,
    key,
    moment,
    order,
    text_of,
    unwrap,
)
from casefhir.conformance.shapes import ancestors, shape
from casefhir.conformance.tree import Node

Items = list[Item]
Step = Callable[[Items, "Env"], Items]
TRUE: Items = [True]
FALSE: Items = [False]


class Failed(Exception):
    """An expression that cannot be evaluated on this input (a singleton was wanted, say)."""


@dataclass(slots=True)
class Env:
    """What an expression can see: its resource and context, `$this`, and the helpers of the host.

    `resolve(reference, node)` gives the target of a reference or None; `member_of(value_set, node)` and
    `conforms(profile, node)` answer True, False or None for unknown.
    """

    context: Node | None = None
    resource: Node | None = None
    root: Node | None = None
    this: Items = field(default_factory=list)
    index: int = 0
    total: Items = field(default_factory=list)
    variables: dict[str, Items] = field(default_factory=dict)
    resolve: Callable[[str, Node | None], Node | None] | None = None
    member_of: Callable[[str, Node], bool | None] | None = None
    conforms: Callable[[str, Node], bool | None] | None = None

    def at(self, item: Item, index: int) -> "Env":
        """This environment with `$this` and `$index` set."""
        return Env(
            self.context,
            self.resource,
            self.root,
            [item],
            index,
            self.total,
            self.variables,
            self.resolve,
            self.member_of,
            self.conforms,
        )


def truth(items: Items) -> bool:
    """`items` as the yes or no of a constraint: empty is no, one boolean is itself, else yes."""
    if len(items) == 1:
        found = unwrap(items[0])
        if isinstance(found, bool):
            return found
    return bool(items)


def logical(items: Items) -> bool | None:
    """`items` as an operand of and, or, implies: None when empty."""
    if not items:
        return None
    if len(items) > 1:
        raise Failed("a single value was expected")
    found = unwrap(items[0])
    return found if isinstance(found, bool) else True


def single(items: Items) -> Item:
    """The one item, unwrapped; None for none; fails for several."""
    if len(items) > 1:
        raise Failed("a single value was expected")
    return unwrap(items[0]) if items else None


def boolean(found: bool | None) -> Items:
    """`found` as a collection."""
    return [] if found is None else [found]


def _literal(kind: str, value: Any) -> Item:
    if kind == "integer":
        return int(value)
    if kind == "decimal":
        return Decimal(value)
    if kind == "quantity":
        return Amount(Decimal(value[0]), value[1])
    if kind == "datetime":
        found = moment(value, "dateTime" if "T" in value[1:] else "")
        if found is None:
            raise Unsupported(f"FHIRPath date {value!r} cannot be read.")
        return found
    return value


_CONSTANTS = {"ucum": "http://unitsofmeasure.org", "sct": "http://snomed.info/sct", "loinc": "http://loinc.org"}


def _variable(name: str) -> Step:
    if name in _CONSTANTS:
        constant = [_CONSTANTS[name]]
        return lambda _focus, _env: constant
    if name in ("resource", "rootResource", "context"):
        slot = "root" if name == "rootResource" else name

        def look(_focus: Items, env: Env) -> Items:
            found = getattr(env, slot)
            return [] if found is None else [found]

        return look
    if name.startswith("vs-"):
        url = ["http://hl7.org/fhir/ValueSet/" + name[3:]]
        return lambda _focus, _env: url
    if name.startswith("ext-"):
        extension = ["http://hl7.org/fhir/StructureDefinition/" + name[4:]]
        return lambda _focus, _env: extension

    def custom(_focus: Items, env: Env) -> Items:
        if name not in env.variables:
            raise Failed(f"%{name} is not known")
        return env.variables[name]

    return custom


def _path(name: str) -> Step:
    start = name[:1].isupper()

    def step(focus: Items, _env: Env) -> Items:
        found: Items = []
        for item in focus:
            if isinstance(item, Node):
                here = item.children.get(name)
                if here:
                    found.extend(here)
                elif start and item.shape.kind == "resource" and name in ancestors(item.shape.name):
                    found.append(item)
            elif isinstance(item, TypeName) and name in ("name", "namespace"):
                found.append(getattr(item, name))
        return found

    return step


def is_type(item: Item, name: str) -> bool:
    """FHIRPath `is` for one item; unqualified names may be FHIR's or the System's."""
    space, _, plain = name.rpartition(".")
    if isinstance(item, Node):
        if space == "System":
            return False
        mine = ancestors(item.shape.name) if "." not in item.shape.name else ("BackboneElement", "Element")
        if plain in mine:
            return True
        return item.is_primitive() and not space and plain[:1].lower() + plain[1:] in mine
    if space == "FHIR":
        return False
    wanted: dict[str, tuple[type, ...]] = {
        "Boolean": (bool,),
        "String": (str,),
        "Integer": (int,),
        "Decimal": (Decimal,),
        "Quantity": (Amount,),
    }
    if isinstance(item, Moment):
        return plain == {"date": "Date", "dateTime": "DateTime", "time": "Time"}.get(item.kind, "")
    return type(item) in wanted.get(plain, ())


def check_type(name: str) -> str:
    """`name` if it is a type; raises `Unsupported` for a word that is none."""
    plain = name.rpartition(".")[2]
    known = {"Boolean", "String", "Integer", "Decimal", "Date", "DateTime", "Time", "Quantity", "Any"}
    if plain in known or shape(plain) or shape(plain[:1].lower() + plain[1:]):
        return name
    raise Unsupported(f"FHIRPath type {name!r} is not an R4 type.")


def _compare(test: Callable[[int], bool]) -> Callable[[Items, Items], Items]:
    def apply(left: Items, right: Items) -> Items:
        if not left or not right:
            return []
        if len(left) > 1 or len(right) > 1:
            raise Failed("a single value was expected")
        found = order(left[0], right[0])
        return [] if found is None else [test(found)]

    return apply


def same(left: Items, right: Items) -> bool | None:
    """`=` of two collections: None when either is empty or a date leaves it open."""
    if not left or not right:
        return None
    if len(left) != len(right):
        return False
    answers = [equal(one, other) for one, other in zip(left, right)]
    if False in answers:
        return False
    return None if None in answers else True


def loosely(item: Item) -> Any:
    """A key under which equivalent (`~`) items are the same."""
    found = unwrap(item)
    if isinstance(found, str):
        return " ".join(found.lower().split())
    if isinstance(found, Decimal):
        return round(found, 8).normalize()
    if isinstance(found, Moment):
        return (found.parts, found.zone)
    return key(found)


def _negated(found: bool | None) -> Items:
    return [] if found is None else [not found]


def _union(left: Items, right: Items) -> Items:
    return distinct([*left, *right])


def distinct(items: Items) -> Items:
    """`items` without repetition, first ones kept."""
    found: dict[Any, Item] = {}
    for item in items:
        found.setdefault(key(item), item)
    return list(found.values())


def _contains(left: Items, right: Items) -> Items:
    if not right:
        return []
    if len(right) > 1:
        raise Failed("a single value was expected")
    wanted = right[0]
    return [any(equal(item, wanted) for item in left)]


def _arithmetic(operator: str) -> Callable[[Items, Items], Items]:
    def apply(left: Items, right: Items) -> Items:
        if operator == "&":
            return [(text_of(left[0]) or "" if left else "") + (text_of(right[0]) or "" if right else "")]
        first, second = single(left), single(right)
        if first is None or second is None:
            return []
        if operator == "+" and isinstance(first, str) and isinstance(second, str):
            return [first + second]
        if isinstance(first, Moment) and isinstance(second, Amount) and operator in "+-":
            from casefhir.conformance.fhirpath.clock import shifted

            found = shifted(first, second, 1 if operator == "+" else -1)
            return [] if found is None else [found]
        if isinstance(first, Amount) and isinstance(second, Amount) and operator in "+-" and first.ucum == second.ucum:
            total = first.value + second.value if operator == "+" else first.value - second.value
            return [Amount(total, first.unit)]
        return _numbers(operator, first, second)

    return apply


def _numbers(operator: str, first: Item, second: Item) -> Items:
    for each in (first, second):
        if isinstance(each, bool) or not isinstance(each, int | Decimal):
            raise Failed(f"{operator} wants numbers")
    whole = isinstance(first, int) and isinstance(second, int)
    if operator in ("/", "div", "mod") and second == 0:
        return []
    if operator == "/":
        return [Decimal(first) / Decimal(second)]
    if operator == "div":
        return [int((Decimal(first) / Decimal(second)).to_integral_value(ROUND_DOWN))]
    if operator == "mod":
        found = Decimal(first) % Decimal(second)
        return [int(found) if whole else found]
    return [{"+": first + second, "-": first - second, "*": first * second}[operator]]


def _equivalent(left: Items, right: Items) -> bool:
    return sorted(map(repr, map(loosely, left))) == sorted(map(repr, map(loosely, right)))


_STRICT: dict[str, Callable[[Items, Items], Items]] = {
    "=": lambda left, right: boolean(same(left, right)),
    "!=": lambda left, right: _negated(same(left, right)),
    "~": lambda left, right: [_equivalent(left, right)],
    "!~": lambda left, right: [not _equivalent(left, right)],
    "<": _compare(lambda found: found < 0),
    "<=": _compare(lambda found: found <= 0),
    ">": _compare(lambda found: found > 0),
    ">=": _compare(lambda found: found >= 0),
    "|": _union,
    "contains": _contains,
    "in": lambda left, right: _contains(right, left),
} | {operator: _arithmetic(operator) for operator in ("+", "-", "&", "*", "/", "div", "mod")}


def _and(left: bool | None, right: bool | None) -> Items:
    if left is False or right is False:
        return FALSE
    return TRUE if left and right else []


def _or(left: bool | None, right: bool | None) -> Items:
    if left or right:
        return TRUE
    return FALSE if left is False and right is False else []


def _xor(left: bool | None, right: bool | None) -> Items:
    return [] if left is None or right is None else [left != right]


def _implies(left: bool | None, right: bool | None) -> Items:
    if left is False or right:
        return TRUE
    return FALSE if left and right is False else []


_LOGICAL = {"and": (_and, False), "or": (_or, True), "implies": (_implies, None), "xor": (_xor, None)}


def _binary(operator: str, left: Step, right: Step) -> Step:
    if operator in _LOGICAL:
        combine, decided = _LOGICAL[operator]

        def lazily(focus: Items, env: Env) -> Items:
            first = logical(left(focus, env))
            if (decided is not None and first is decided) or (operator == "implies" and first is False):
                return TRUE if operator != "and" else FALSE
            return combine(first, logical(right(focus, env)))

        return lazily
    apply = _STRICT[operator]
    return lambda focus, env: apply(left(focus, env), right(focus, env))


def translate(tree: Tree) -> Step:
    """The closure of `tree`; raises `Unsupported` for what it does not know."""
    kind = tree[0]
    if kind == "name":
        return _path(tree[1])
    if kind == "step":
        before, after = translate(tree[1]), translate(tree[2])
        return lambda focus, env: after(before(focus, env), env)
    if kind == "binary":
        return _binary(tree[1], translate(tree[2]), translate(tree[3]))
    if kind == "literal":
        constant = [_literal(tree[1], tree[2])]
        return lambda _focus, _env: constant
    if kind == "call":
        from casefhir.conformance.fhirpath.functions import call

        return call(tree[1], tree[2], translate)
    if kind == "variable":
        return _variable(tree[1])
    if kind == "empty":
        return lambda _focus, _env: []
    if kind == "special":
        if tree[1] == "$this":
            return lambda _focus, env: env.this
        return (lambda _focus, env: [env.index]) if tree[1] == "$index" else (lambda _focus, env: env.total)
    return _less_common(tree)


def _less_common(tree: Tree) -> Step:
    kind = tree[0]
    if kind in ("is", "as"):
        inner, name = translate(tree[1]), check_type(tree[2])
        if kind == "is":
            return lambda focus, env: [is_type(found[0], name)] if (found := inner(focus, env)) else []
        return lambda focus, env: [item for item in inner(focus, env) if is_type(item, name)]
    if kind == "index":
        inner, place = translate(tree[1]), translate(tree[2])

        def pick(focus: Items, env: Env) -> Items:
            items, at = inner(focus, env), single(place(focus, env))
            return [items[at]] if isinstance(at, int) and 0 <= at < len(items) else []

        return pick
    if kind == "unary":
        inner, sign = translate(tree[2]), -1 if tree[1] == "-" else 1

        def signed(focus: Items, env: Env) -> Items:
            found = single(inner(focus, env))
            if found is None:
                return []
            return [Amount(sign * found.value, found.unit) if isinstance(found, Amount) else sign * found]

        return signed
    raise Unsupported(f"FHIRPath construct {kind!r} is not supported.")


@lru_cache(maxsize=4096)
def compiled(expression: str) -> Step:
    """`expression` translated once; raises `Unsupported`."""
    return translate(parse(expression))
