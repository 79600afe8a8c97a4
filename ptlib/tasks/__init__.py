"""What is asked: facts, relations, classifications, and the texts that prompts are to look like."""

from ptlib.tasks.classification import load_classification, read_classification
from ptlib.tasks.labels import closed
from ptlib.tasks.lama import in_vocabulary, load_lama, read_lama
from ptlib.tasks.shipped import relation, relations
from ptlib.tasks.task import Example, Task
from ptlib.tasks.wordings import random_text, texts, texts_by_kind

__all__ = [
    "Example",
    "Task",
    "closed",
    "in_vocabulary",
    "load_classification",
    "load_lama",
    "random_text",
    "read_classification",
    "read_lama",
    "relation",
    "relations",
    "texts",
    "texts_by_kind",
]
