"""Quizzing a language model: what it would put into the slot of a sentence."""

import torch

from ptlib.errors import require_count
from ptlib.models.language_model import LanguageModel
from ptlib.prompts.cloze import encode_texts, slot_logits
from ptlib.prompts.soft_prompt import SoftPrompt, vectors_in
from ptlib.prompts.template import SLOT, parse


def fill(
    lm: LanguageModel, text: str, prompt: SoftPrompt | None = None, *, count: int = 5
) -> tuple[tuple[str, float], ...]:
    """The likeliest words for a slot, with their probabilities.

    Args:
        lm: the language model.
        text: a sentence with a slot, such as `"The capital of France is [Y] ."`, or, with a prompt, the
            text that the prompt is put beside, such as `"France"`.
        prompt: a soft prompt for the model.
        count: how many words.

    Raises:
        PromptError: no slot in the sentence, a prompt that does not fit the model, or no number of words.
    """
    require_count(count, lm.vocabulary)
    template = parse(prompt.template) if prompt else parse(text, required=(SLOT,))
    vectors = vectors_in(template, lm, prompt)
    cloze = encode_texts(lm, template, [text], task="the sentence")
    with torch.no_grad():
        top = slot_logits(lm, cloze, vectors.unsqueeze(0))[0].softmax(dim=-1).topk(count)
    words = [lm.text_of([i]) for i in top.indices.tolist()]
    return tuple(zip(words, top.values.tolist(), strict=True))
