"""One command a module: `add` describes its words, `run` does it."""
