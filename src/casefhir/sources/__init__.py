"""Readers that turn what a source says into the record: published articles by mapping modules."""
