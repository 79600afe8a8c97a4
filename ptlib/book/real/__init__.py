"""Real language models: what carries a task between models that nobody taught the answers, measured and kept."""

from ptlib.book.real.again import measured_again
from ptlib.book.real.descriptions import best_pair, named_by_prompt, told
from ptlib.book.real.drawn import draw_ways, draw_wayward
from ptlib.book.real.kept import (
    ASKED,
    BACK,
    kept_descriptions,
    kept_nearness,
    kept_rows,
    kept_words,
    provenance,
    relations_measured,
)
from ptlib.book.real.summary import GEMMA, LARGER, QWEN, SCORES, Scores
from ptlib.book.real.wayward_kept import SAID_OF_WAYWARD, kept_said, kept_wayward, wayward_provenance

__all__ = [
    "ASKED",
    "BACK",
    "GEMMA",
    "LARGER",
    "QWEN",
    "SAID_OF_WAYWARD",
    "SCORES",
    "Scores",
    "best_pair",
    "draw_ways",
    "draw_wayward",
    "kept_descriptions",
    "kept_nearness",
    "kept_rows",
    "kept_said",
    "kept_wayward",
    "kept_words",
    "measured_again",
    "named_by_prompt",
    "provenance",
    "relations_measured",
    "told",
    "wayward_provenance",
]
