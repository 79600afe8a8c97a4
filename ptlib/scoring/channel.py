"""Channel scoring: which label makes the text likeliest, instead of which label the text makes likeliest."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ptlib.errors import PromptError
from ptlib.models.batches import chunks
from ptlib.models.language_model import LanguageModel
from ptlib.models.number_formats import name_of
from ptlib.prompts.cloze import Cloze, concatenate, encode_texts, logits_where
from ptlib.prompts.filling import fill_in
from ptlib.prompts.soft_prompt import SoftPrompt, vectors_in
from ptlib.prompts.template import SLOT, TEXT, Template, parse
from ptlib.scoring.scores import Accuracy
from ptlib.tasks.labels import label_ids
from ptlib.tasks.task import Task


def channel_accuracy(
    lm: LanguageModel, task: Task, template: str, prompt: SoftPrompt | None = None, *, split: str = "test"
) -> Accuracy:
    """How often the right label gives the text the highest probability (Min et al. 2022, noisy channel).

    Each label is put into the slot, and a causal model reads the text behind it; the score is the sum of the
    log-probabilities of the text's tokens.

    Args:
        lm: a causal language model.
        task: a task with labels; `closed` makes one of a relation.
        template: has the slot before the text, such as `"A review that calls the film [Y] : [X]"`, and a `[V]`
            for each vector of the prompt, before the text too.
        prompt: a soft prompt, if the template holds one.
        split: the examples to score.

    Raises:
        PromptError: a masked model, a task without labels, a text that does not end the template or begins in the
            first token of all, a prompt that does not fit, a sequence that is too long, or a model that gives no
            numbers.
    """
    parsed = parse(template)
    _check(lm, task, parsed)
    vectors = vectors_in(parsed, lm, prompt)
    examples, labels = task.examples(split), task.labels
    label_ids(lm, task)  # each must be one token, as in direct scoring
    texts = [example.text for example in examples]
    # A causal model is given what stands before the slot: with one at the very end, the whole template.
    filled = [parse(f"{template.replace(SLOT, label)} {SLOT}") for label in labels]
    clozes = [encode_texts(lm, behind, texts, task=f"{task.name} ({split})") for behind in filled]
    tokens = torch.cat([_tokens_of_text(lm, behind, cloze) for behind, cloze in zip(filled, clozes, strict=True)])
    whole = concatenate(clozes)
    if (tokens == whole.lengths).any():
        raise PromptError(f"template {template!r}: a label and its text are one token of {lm.name}; put a space there")
    scores = _log_probabilities(lm, whole, tokens, vectors)
    if scores.isnan().any():
        held = name_of(lm.dtype)
        raise PromptError(f"{task.name}: {lm.name} in {held} gives logits that are not numbers; hold it otherwise")
    best = scores.view(len(labels), len(texts)).argmax(dim=0).tolist()
    return Accuracy(tuple(labels[place] == example.answer for place, example in zip(best, examples, strict=True)))


def _check(lm: LanguageModel, task: Task, template: Template) -> None:
    if lm.kind != "causal":
        raise PromptError(f"channel scoring reads a text word by word: {lm.name} is masked; use a causal model")
    if not task.labels:
        raise PromptError(f"{task.name}: has no labels to choose among; closed(task) takes all its answers")
    if template.parts[-1] != TEXT:
        raise PromptError(f"template {template.text!r}: for channel scoring [X] must stand last, behind [Y] and [V]")


def _tokens_of_text(lm: LanguageModel, behind: Template, cloze: Cloze) -> Int[Tensor, " rows"]:
    """How many tokens at the end of each row are not those of what stands before the text."""
    before = parse(behind.text[: behind.text.index(TEXT)] + SLOT, required=(SLOT,))
    (row,) = fill_in(lm, before, [""])
    alike = cloze.ids[:, : len(row.ids)] == torch.tensor(row.ids, device=lm.device)[: cloze.ids.shape[1]]
    return cloze.lengths - alike.cumprod(dim=1).sum(dim=1)


@torch.no_grad()
def _log_probabilities(
    lm: LanguageModel, cloze: Cloze, tokens: Int[Tensor, " rows"], vectors: Float[Tensor, "length dim"]
) -> Float[Tensor, " rows"]:
    """Of the last so many tokens of each row, given what stands before them."""
    scores = torch.empty(len(cloze), device=lm.device)
    for chosen in chunks(lm, cloze.lengths, tokens):
        part, places = cloze[chosen], torch.arange(int(cloze.lengths[chosen].max()), device=lm.device)
        first, end = (part.lengths - tokens[chosen])[:, None], part.lengths[:, None]
        said = (places >= first) & (places < end)
        logits = logits_where(lm, part, vectors.expand(len(part), -1, -1), said.roll(-1, dims=1))
        each = logits.float().log_softmax(dim=-1).gather(1, part.ids[said][:, None])[:, 0]
        scores[chosen] = torch.zeros(len(part), device=lm.device).index_add(0, said.nonzero()[:, 0], each)
    return scores
