"""What the chapters of the book need besides: notes, plots, profiles, published figures."""

from ptlib.book import needs as needs
from ptlib.book.environment import check_env
from ptlib.book.notes import note, note_figure
from ptlib.book.plots import dots, draw_cloze, heat_map, mean_and_spread, use_style
from ptlib.book.profiles import Profile, profile
from ptlib.book.published import published_accuracy

__all__ = [
    "Profile",
    "check_env",
    "dots",
    "draw_cloze",
    "heat_map",
    "mean_and_spread",
    "note",
    "note_figure",
    "profile",
    "published_accuracy",
    "use_style",
]
