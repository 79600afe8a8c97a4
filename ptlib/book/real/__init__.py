"""Real language models: what carries a task between models that nobody taught the answers, measured and kept."""

from ptlib.book.real.kept import kept_rows, provenance, relations_measured

__all__ = ["kept_rows", "provenance", "relations_measured"]
