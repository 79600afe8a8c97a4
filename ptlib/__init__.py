"""Tune soft prompts on frozen language models, and find out what is inside them."""

from ptlib.adapters import load_adapter, save_adapter
from ptlib.anchors import Anchors, shared_words, word_vectors
from ptlib.baselines import random_prompt
from ptlib.channel import channel_accuracy
from ptlib.classification import load_classification, read_classification
from ptlib.controls import most_frequent_answer, rotated, untrained
from ptlib.descent import Settings
from ptlib.environment import check_env
from ptlib.errors import PromptError
from ptlib.labels import closed
from ptlib.lama import in_vocabulary, load_lama, read_lama
from ptlib.likeness import token_match, word_f1
from ptlib.mappings import Copy, Discretise, LinearMap, NeuralProjector, Procrustes
from ptlib.methods import ClosedForm, GradientSearch
from ptlib.metrics import Accuracy, accuracy, accuracy_by_seed, accuracy_many, interval, macro, micro
from ptlib.models import LanguageModel, load, parameters_of, pocket_models
from ptlib.notebook import note, note_figure
from ptlib.profiles import Profile, profile
from ptlib.projection import Projection, project, word_spacing
from ptlib.prompt import SoftPrompt, load_prompt
from ptlib.published import published_accuracy
from ptlib.quiz import fill
from ptlib.relative import agreement, relative
from ptlib.search import closed_form, gradient_search, objective
from ptlib.store import default_cache
from ptlib.table import transfer_table
from ptlib.tasks import Example, Task, relation, relations
from ptlib.texts import random_text, texts, texts_by_kind
from ptlib.toward import Aim, tune_toward
from ptlib.transfer import transfer, transfer_many, transfer_steps
from ptlib.tuning import tune, tune_many
from ptlib.waywardness import frontier, waywardness, within
from ptlib.words import WordPrompt, WordSettings, load_word_prompt, tune_words, words_on

__all__ = [
    "Accuracy",
    "Aim",
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
    "Profile",
    "Projection",
    "PromptError",
    "Settings",
    "SoftPrompt",
    "Task",
    "WordPrompt",
    "WordSettings",
    "accuracy",
    "accuracy_by_seed",
    "accuracy_many",
    "agreement",
    "channel_accuracy",
    "check_env",
    "closed",
    "closed_form",
    "default_cache",
    "fill",
    "frontier",
    "gradient_search",
    "in_vocabulary",
    "interval",
    "load",
    "load_adapter",
    "load_classification",
    "load_lama",
    "load_prompt",
    "load_word_prompt",
    "macro",
    "micro",
    "most_frequent_answer",
    "note",
    "note_figure",
    "objective",
    "parameters_of",
    "pocket_models",
    "profile",
    "project",
    "published_accuracy",
    "random_prompt",
    "random_text",
    "read_classification",
    "read_lama",
    "relation",
    "relations",
    "relative",
    "rotated",
    "save_adapter",
    "shared_words",
    "texts",
    "texts_by_kind",
    "token_match",
    "transfer",
    "transfer_many",
    "transfer_steps",
    "transfer_table",
    "tune",
    "tune_many",
    "tune_toward",
    "tune_words",
    "untrained",
    "waywardness",
    "within",
    "word_f1",
    "word_spacing",
    "word_vectors",
    "words_on",
]
