"""Tables as Arrow and Parquet: decimals exact, dates as dates, lists as lists, descriptions in the schema."""

import io
from decimal import Decimal
from typing import Any

from casefhir import exactjson
from casefhir.errors import CasefhirError
from casefhir.extras import needed
from casefhir.report.tables import Cell, Heading, Table

_DIGITS = 38


class TooManyDigits(CasefhirError):
    """Decimals that no one decimal type holds."""


def arrow_table(table: Table) -> Any:
    """`table` as a `pyarrow.Table`; decimals as decimal128 with the most places any cell has.

    Raises `TooManyDigits`, `MissingExtra`.
    """
    pa = needed("pyarrow", "tables", "A columnar table")
    fields, columns = [], []
    for at, heading in enumerate(table.headings):
        cells = [row[at] for row in table.rows]
        if heading.kind == "list":  # a list's items can be of any type; as JSON text they keep it
            cells = [None if each is None else [_item(one) for one in _listed(each)] for each in cells]
        kind = _type(pa, heading, cells, table)
        fields.append(pa.field(heading.name, kind, metadata={"description": heading.description}))
        columns.append(pa.array(cells, kind))
    return pa.Table.from_arrays(columns, schema=pa.schema(fields, metadata={"description": table.description}))


def _listed(cell: Cell) -> list[Any]:
    return cell if isinstance(cell, list) else [cell]


def _item(value: Any) -> str:
    return value if isinstance(value, str) else exactjson.write(value).decode("utf-8")


def _type(pa: Any, heading: Heading, cells: list[Cell], table: Table) -> Any:
    if heading.kind != "decimal":
        return {
            "text": pa.string(),
            "integer": pa.int64(),
            "boolean": pa.bool_(),
            "date": pa.date32(),
            "list": pa.list_(pa.string()),
        }[heading.kind]
    numbers = [Decimal(each) for each in cells if isinstance(each, int | Decimal)]
    places = max((-int(each.as_tuple().exponent) for each in numbers), default=0)
    places = max(places, 0)
    whole = max((each.adjusted() + 1 for each in numbers if each), default=1)
    if max(whole, 1) + places > _DIGITS:
        raise TooManyDigits(
            f"Table {table.name}, column {heading.name}: its numbers need more than {_DIGITS} digits "
            "together; give the column the type string in a view of your own, or use --format csv."
        )
    return pa.decimal128(_DIGITS, places)


def parquet_bytes(table: Table) -> bytes:
    """`table` as Parquet."""
    parquet = needed("pyarrow.parquet", "tables", "Parquet")
    stream = io.BytesIO()
    parquet.write_table(arrow_table(table), stream)
    return stream.getvalue()
