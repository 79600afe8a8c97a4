"""Tune soft prompts on frozen language models, and find out what is inside them."""

from ptlib.baselines import random_prompt
from ptlib.controls import most_frequent_answer, untrained
from ptlib.errors import PromptError
from ptlib.metrics import Accuracy, accuracy, accuracy_by_seed, macro, micro
from ptlib.models import LanguageModel, load, pocket_models
from ptlib.notebook import note, note_figure
from ptlib.projection import Projection, project
from ptlib.prompt import SoftPrompt, load_prompt
from ptlib.quiz import fill
from ptlib.store import default_cache
from ptlib.tasks import Example, Task, relation, relations
from ptlib.tuning import Settings, tune, tune_many

__all__ = [
    "Accuracy",
    "Example",
    "LanguageModel",
    "Projection",
    "PromptError",
    "Settings",
    "SoftPrompt",
    "Task",
    "accuracy",
    "accuracy_by_seed",
    "default_cache",
    "fill",
    "load",
    "load_prompt",
    "macro",
    "micro",
    "most_frequent_answer",
    "note",
    "note_figure",
    "pocket_models",
    "project",
    "random_prompt",
    "relation",
    "relations",
    "tune",
    "tune_many",
    "untrained",
]
