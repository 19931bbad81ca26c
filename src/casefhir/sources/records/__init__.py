"""Records as files: the record model as JSON Schema, and cases written as YAML or JSON by other programs or people."""

ENDINGS = (".yaml", ".yml", ".json")
