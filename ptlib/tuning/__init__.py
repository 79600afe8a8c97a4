"""Finding prompts by gradient descent: free ones, ones drawn to a text, ones written in words."""

from ptlib.tuning.descent import Settings
from ptlib.tuning.free import tune, tune_many
from ptlib.tuning.in_words import WordSettings, tune_words, words_on
from ptlib.tuning.start import random_prompt
from ptlib.tuning.toward import Aim, tune_toward

__all__ = [
    "Aim",
    "Settings",
    "WordSettings",
    "random_prompt",
    "tune",
    "tune_many",
    "tune_toward",
    "tune_words",
    "words_on",
]
