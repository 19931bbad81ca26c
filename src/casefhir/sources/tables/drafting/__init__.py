"""A first mapping proposed for tables, from headers, units and values."""
