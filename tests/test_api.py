"""What `import casefhir` offers is the same for people, programs and type checkers."""

import ast
from pathlib import Path

import casefhir


def test_type_checkers_see_every_name_that_can_be_imported() -> None:
    tree = ast.parse(Path(casefhir.__file__).read_text(encoding="utf-8"))
    typed = next(each for each in tree.body if isinstance(each, ast.If))
    seen = {
        alias.asname: node.module for node in typed.body if isinstance(node, ast.ImportFrom) for alias in node.names
    }
    assert seen == casefhir._HOMES
    assert all(getattr(casefhir, name) is not None for name in casefhir.__all__)
    assert set(casefhir.__all__) <= set(dir(casefhir))


def test_every_verb_says_what_it_does() -> None:
    for name in casefhir.__all__:
        offered = getattr(casefhir, name)
        assert callable(offered)
        assert (offered.__doc__ or "").strip(), name
