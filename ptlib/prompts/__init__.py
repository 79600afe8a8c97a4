"""What is put before a model: templates, soft prompts, clozes, and the prompts of PEFT."""

from ptlib.prompts.adapters import load_adapter, save_adapter
from ptlib.prompts.soft_prompt import SoftPrompt, load_prompt
from ptlib.prompts.word_prompt import WordPrompt, load_word_prompt

__all__ = ["SoftPrompt", "WordPrompt", "load_adapter", "load_prompt", "load_word_prompt", "save_adapter"]
