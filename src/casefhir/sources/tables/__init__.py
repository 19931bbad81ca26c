"""Tables of registries and exports: files to rows, rows by person, and by a mapping to the record."""
