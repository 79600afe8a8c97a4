"""What a prompt says: nearest words, likeness to a text, waywardness, and what its model says of it."""

from ptlib.models.scale import word_spacing
from ptlib.reading.descriptions import Description, describe
from ptlib.reading.likeness import token_match, word_f1
from ptlib.reading.projection import Projection, project
from ptlib.reading.wayward import frontier, waywardness, within

__all__ = [
    "Description",
    "Projection",
    "describe",
    "frontier",
    "project",
    "token_match",
    "waywardness",
    "within",
    "word_f1",
    "word_spacing",
]
