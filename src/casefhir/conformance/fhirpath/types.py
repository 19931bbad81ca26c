"""FHIRPath's types: FHIR's and the System's, and what is of which."""

from decimal import Decimal

from casefhir.conformance.fhirpath.evaluation import Failed, Items
from casefhir.conformance.fhirpath.parse import Unsupported
from casefhir.conformance.fhirpath.values import Amount, Item, Moment
from casefhir.conformance.shapes import ancestors, shape
from casefhir.conformance.tree import Node


def is_type(item: Item, name: str) -> bool:
    """FHIRPath `is` for one item; unqualified names may be FHIR's or the System's."""
    space, _, plain = name.rpartition(".")
    if isinstance(item, Node):
        if space == "System":
            return False
        mine = ancestors(item.shape.name) if "." not in item.shape.name else ("BackboneElement", "Element")
        return plain in mine
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


def of_type(items: Items, name: str) -> Items:
    """Those of `items` that are of type `name`; a primitive is of its own type only."""
    plain = name.rpartition(".")[2]
    return [
        item
        for item in items
        if (item.shape.name == plain if isinstance(item, Node) and item.is_primitive() else is_type(item, name))
    ]


def as_type(items: Items, name: str) -> Items:
    """FHIRPath `as` of one item; fails for several."""
    if len(items) > 1:
        raise Failed("as wants a single value")
    return of_type(items, name)


def check_type(name: str) -> str:
    """`name` if it is a type; raises `Unsupported` for a word that is none."""
    plain = name.rpartition(".")[2]
    known = {"Boolean", "String", "Integer", "Decimal", "Date", "DateTime", "Time", "Quantity", "Any"}
    if plain in known or shape(plain) or shape(plain[:1].lower() + plain[1:]):
        return name
    raise Unsupported(f"FHIRPath type {name!r} is not an R4 type.")
