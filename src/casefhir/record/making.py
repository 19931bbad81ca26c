"""Facts made quickly, where millions are: a `frozen` dataclass sets each of its fields by a call."""

import dataclasses
from collections.abc import Callable
from typing import Any, TypeVar, cast

Made = TypeVar("Made")


def maker(kind: type[Made]) -> Callable[..., Made]:
    """A function that makes a `kind` from the arguments that its class takes, several times as quickly.

    The object is filled as one of a class with the same slots that is not frozen, and then becomes a `kind`. Only for
    classes without `__post_init__`, whose checks would be left out.
    """
    if hasattr(kind, "__post_init__"):
        raise TypeError(f"{kind.__name__} checks what it is made from.")
    fields = dataclasses.fields(cast(Any, kind))
    told = [(each.name, Any, dataclasses.field(default=each.default)) for each in fields]
    unfrozen = dataclasses.make_dataclass(kind.__name__, told, slots=True)

    def make(*given: Any, **named: Any) -> Made:
        made = unfrozen(*given, **named)
        made.__class__ = kind
        return cast(Made, made)

    return make
