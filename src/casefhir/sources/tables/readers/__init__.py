"""Readers of tables, each through a library made for its format; cells come as text, exactly as the file holds them."""

from casefhir.sources.tables.readers.base import OnFault, Table, as_text, fingerprint

__all__ = ["OnFault", "Table", "as_text", "fingerprint"]
