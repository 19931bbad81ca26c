"""Do the fields of a record hold what they are declared to hold? Python itself does not ask."""

import functools
import types
from collections.abc import Callable, Iterator
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

_hints: Callable[[type], dict[str, Any]] = functools.cache(get_type_hints)


def misfits(part: Any) -> Iterator[str]:
    """A sentence for each field of the dataclass `part` whose value is of another kind, or none of those allowed."""
    for name, hint in _hints(type(part)).items():
        value = getattr(part, name)
        if _fits(value, hint):
            continue
        several = any(get_origin(each) is tuple and Ellipsis in get_args(each) for each in _alternatives(hint))
        allowed = [
            repr(each) for option in _alternatives(hint) if get_origin(option) is Literal for each in get_args(option)
        ]
        if several and len(_alternatives(hint)) == 1:
            yield f"{name} takes several entries: write ({value!r},) with a comma."
        elif allowed:
            yield f"{name} is {value!r}; it is one of {', '.join(allowed)}."
        else:
            yield f"{name} is {value!r}, a {type(value).__name__}; it should be {_called(hint)}."


def _alternatives(hint: Any) -> tuple[Any, ...]:
    return get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)


def _fits(value: Any, hint: Any) -> bool:
    for option in _alternatives(hint):
        origin = get_origin(option)
        if option is type(None):
            fits = value is None
        elif origin is Literal:
            fits = isinstance(value, str) and value in get_args(option)
        elif origin is tuple:
            kinds = get_args(option)
            several = kinds[-1] is Ellipsis
            fits = isinstance(value, tuple) and (several or len(value) == len(kinds))
            fits = fits and all(_fits(each, kinds[0 if several else place]) for place, each in enumerate(value))
        elif origin is dict:
            fits = isinstance(value, dict)
        elif option is int:
            fits = isinstance(value, int) and not isinstance(value, bool)
        else:
            fits = isinstance(value, option)
        if fits:
            return True
    return False


def _called(hint: Any) -> str:
    names = {str: "text in quotes", int: "a whole number", type(None): "None"}
    found = []
    for option in _alternatives(hint):
        if get_origin(option) is tuple:
            found.append(
                "a tuple of " + " or ".join(_called(each) for each in get_args(option) if each is not Ellipsis)
            )
        else:
            found.append(names.get(option) or str(getattr(option, "__name__", option)))
    return " or ".join(found)
