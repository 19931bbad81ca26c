"""Every test that docs/delivery.md names for a guarantee is there."""

import ast
import re
from pathlib import Path

HERE = Path(__file__).parent
TABLE = re.compile(r"## Guarantees and their tests\n.*?\n((?:\|[^\n]*\n)+)", re.S)


def rows() -> list[tuple[str, list[str]]]:
    """(guarantee, the test names of its row as `file::test`, or `file` for all of it)."""
    found = TABLE.search((HERE.parents[1] / "docs" / "delivery.md").read_text("utf-8"))
    assert found
    table = []
    for line in found[1].splitlines()[2:]:
        guarantee, named = (cell.strip() for cell in line.strip().strip("|").split("|"))
        file, tests = "", []
        for name in re.findall(r"`([^`]+)`", named):
            file = name.partition("::")[0] or file
            tests.append(file + (f"::{name.partition('::')[2]}" if "::" in name else ""))
        table.append((guarantee, tests))
    return table


def test_every_guarantee_names_tests_that_exist() -> None:
    table = rows()
    assert len(table) > 25
    for guarantee, tests in table:
        assert tests, f"{guarantee}: no test is named"
        for name in tests:
            file, _, test = name.partition("::")
            tree = ast.parse((HERE / file).read_text("utf-8"))
            there = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
            assert any(each.startswith("test_") for each in there), f"{guarantee}: {file} has no tests"
            assert not test or test in there, f"{guarantee}: {name} is not there"
