"""The translator: a syntax tree becomes closures `(focus, env) -> list`."""

from decimal import Decimal
from functools import lru_cache
from typing import Any

from casefhir.conformance.fhirpath.evaluation import Env, Failed, Items, Step, single
from casefhir.conformance.fhirpath.operators import binary, is_number
from casefhir.conformance.fhirpath.parse import Tree, Unsupported, parse
from casefhir.conformance.fhirpath.types import as_type, check_type, is_type
from casefhir.conformance.fhirpath.values import Amount, Item, TypeName, moment
from casefhir.conformance.shapes import ancestors
from casefhir.conformance.tree import Node


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


def translate(tree: Tree) -> Step:
    """The closure of `tree`; raises `Unsupported` for what it does not know."""
    kind = tree[0]
    if kind == "name":
        return _path(tree[1])
    if kind == "step":
        before, after = translate(tree[1]), translate(tree[2])
        return lambda focus, env: after(before(focus, env), env)
    if kind == "binary":
        return binary(tree[1], translate(tree[2]), translate(tree[3]))
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
        return lambda focus, env: as_type(inner(focus, env), name)
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
            if not is_number(found):
                raise Failed("a sign goes before a number")
            return [Amount(sign * found.value, found.unit) if isinstance(found, Amount) else sign * found]

        return signed
    raise Unsupported(f"FHIRPath construct {kind!r} is not supported.")


@lru_cache(maxsize=4096)
def compiled(expression: str) -> Step:
    """`expression` translated once; raises `Unsupported`."""
    return translate(parse(expression))
