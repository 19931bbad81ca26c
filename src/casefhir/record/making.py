"""Facts made quickly, where millions are: a `frozen` dataclass sets each of its fields by a call.

    twin = unfrozen(Cells)
    made = twin(table, row, columns)
    made.__class__ = Cells

The object is filled as one of a class with the same slots that is not frozen, and then becomes one of its own class.
"""

import dataclasses
from collections.abc import Callable
from typing import Any, TypeVar, cast

Made = TypeVar("Made")


def unfrozen(kind: Any, *, checked: bool = False) -> type[Any]:
    """A class with the fields and slots of the dataclass `kind` that is not frozen.

    `checked`: the caller has done what `kind.__post_init__` does, for it is left out; raises `TypeError` without it.
    """
    if hasattr(kind, "__post_init__") and not checked:
        raise TypeError(f"{kind.__name__} checks what it is made from.")
    told = [(each.name, Any, dataclasses.field(default=each.default)) for each in dataclasses.fields(kind)]
    return dataclasses.make_dataclass(kind.__name__, told, slots=True)


def maker(kind: type[Made], *, checked: bool = False) -> Callable[..., Made]:
    """A function that makes a `kind` from its fields in their order."""
    twin = unfrozen(kind, checked=checked)

    def make(*given: Any) -> Made:
        made = twin(*given)
        made.__class__ = kind
        return cast(Made, made)

    return make
