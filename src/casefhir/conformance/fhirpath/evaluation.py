"""What evaluating an expression means here: collections, their environment, and how they become one value."""

from collections.abc import Callable
from dataclasses import dataclass, field

from casefhir.conformance.fhirpath.values import Item, unwrap
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
