"""How often a model answers rightly."""

from ptlib.scoring.channel import channel_accuracy
from ptlib.scoring.guess import most_frequent_answer
from ptlib.scoring.scores import Accuracy, accuracy, accuracy_by_seed, accuracy_many, interval, macro, micro
from ptlib.scoring.slot import fill

__all__ = [
    "Accuracy",
    "accuracy",
    "accuracy_by_seed",
    "accuracy_many",
    "channel_accuracy",
    "fill",
    "interval",
    "macro",
    "micro",
    "most_frequent_answer",
]
