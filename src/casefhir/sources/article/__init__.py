"""Published articles: documents found by their hash, places in them, mapping modules, and the proof that both agree."""
