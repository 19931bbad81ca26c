"""From a row to a fact: one compiler for each kind of rule."""
