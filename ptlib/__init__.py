"""Tune soft prompts on frozen language models, and find out what is inside them."""

from ptlib.anchors import Anchors, shared_words, word_vectors
from ptlib.baselines import random_prompt
from ptlib.controls import most_frequent_answer, rotated, untrained
from ptlib.errors import PromptError
from ptlib.mappings import Copy, Discretise, LinearMap, NeuralProjector, Procrustes
from ptlib.methods import ClosedForm, GradientSearch
from ptlib.metrics import Accuracy, accuracy, accuracy_by_seed, macro, micro
from ptlib.models import LanguageModel, load, pocket_models
from ptlib.notebook import note, note_figure
from ptlib.projection import Projection, project
from ptlib.prompt import SoftPrompt, load_prompt
from ptlib.quiz import fill
from ptlib.relative import agreement, relative
from ptlib.search import closed_form, gradient_search, objective
from ptlib.store import default_cache
from ptlib.table import transfer_table
from ptlib.tasks import Example, Task, relation, relations
from ptlib.transfer import transfer, transfer_many, transfer_steps
from ptlib.tuning import Settings, tune, tune_many
from ptlib.words import WordPrompt, WordSettings, load_word_prompt, tune_words, words_on

__all__ = [
    "Accuracy",
    "Anchors",
    "ClosedForm",
    "Copy",
    "Discretise",
    "Example",
    "GradientSearch",
    "LanguageModel",
    "LinearMap",
    "NeuralProjector",
    "Procrustes",
    "Projection",
    "PromptError",
    "Settings",
    "SoftPrompt",
    "Task",
    "WordPrompt",
    "WordSettings",
    "accuracy",
    "accuracy_by_seed",
    "agreement",
    "closed_form",
    "default_cache",
    "fill",
    "gradient_search",
    "load",
    "load_prompt",
    "load_word_prompt",
    "macro",
    "micro",
    "most_frequent_answer",
    "note",
    "note_figure",
    "objective",
    "pocket_models",
    "project",
    "random_prompt",
    "relation",
    "relations",
    "relative",
    "rotated",
    "shared_words",
    "transfer",
    "transfer_many",
    "transfer_steps",
    "transfer_table",
    "tune",
    "tune_many",
    "tune_words",
    "untrained",
    "word_vectors",
    "words_on",
]
