"""What the chapters of the book need besides: notes, claims, explorers, plots, profiles, published figures."""

from ptlib.book import needs as needs
from ptlib.book.checks import check
from ptlib.book.claims import Comparison, claim, less, more, same
from ptlib.book.environment import check_env
from ptlib.book.explorer import answers, explore
from ptlib.book.notes import note, note_figure, note_mean, said, with_interval
from ptlib.book.pairs import KINDS, Pairs, family
from ptlib.book.plots import (
    dots,
    draw_cloze,
    grouped_bars,
    heat_map,
    legend_below,
    mean_and_spread,
    panels,
    use_style,
    whiskers,
)
from ptlib.book.profiles import Profile, profile
from ptlib.book.published import published_accuracy
from ptlib.book.tables import show_table

__all__ = [
    "KINDS",
    "Comparison",
    "Pairs",
    "Profile",
    "answers",
    "check",
    "check_env",
    "claim",
    "dots",
    "draw_cloze",
    "explore",
    "family",
    "grouped_bars",
    "heat_map",
    "legend_below",
    "less",
    "mean_and_spread",
    "more",
    "note",
    "note_figure",
    "note_mean",
    "panels",
    "profile",
    "published_accuracy",
    "said",
    "same",
    "show_table",
    "use_style",
    "whiskers",
    "with_interval",
]
