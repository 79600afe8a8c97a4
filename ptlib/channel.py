"""Channel scoring: which label makes the text likeliest, instead of which label the text makes likeliest."""

import torch
from jaxtyping import Float
from torch import Tensor

from ptlib.cloze import chunks
from ptlib.errors import PromptError
from ptlib.head import logits_at
from ptlib.labels import label_ids
from ptlib.metrics import Accuracy
from ptlib.models import LanguageModel
from ptlib.prompt import SoftPrompt
from ptlib.tasks import Task
from ptlib.template import SLOT, TEXT, VECTOR, Template, parse


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
        PromptError: a masked model, a task without labels, a text that does not end the template, a prompt that
            does not fit, or a sequence that is too long.
    """
    parsed = parse(template)
    _check(lm, task, parsed)
    vectors = torch.empty(0, lm.dim).to(lm.embeddings) if prompt is None else prompt.on(lm)
    if parsed.length != len(vectors):
        raise PromptError(f"template {template!r} holds {parsed.length} vectors, the prompt {len(vectors)}")
    examples, labels = task.examples(split), label_ids(lm, task)
    rows = [_row(lm, parsed, example.text, label) for example in examples for label in labels]
    scores = _log_probabilities(lm, rows, vectors).view(len(examples), len(labels))
    found = [task.labels[place] for place in scores.argmax(dim=1).tolist()]
    return Accuracy(tuple(label == example.answer for label, example in zip(found, examples, strict=True)))


def _check(lm: LanguageModel, task: Task, template: Template) -> None:
    if lm.kind != "causal":
        raise PromptError(f"channel scoring reads a text word by word: {lm.name} is masked; use a causal model")
    if not task.labels:
        raise PromptError(f"{task.name}: has no labels to choose among; closed(task) takes all its answers")
    if template.parts[-1] != TEXT:
        raise PromptError(f"template {template.text!r}: for channel scoring [X] must stand last, behind [Y] and [V]")


def _row(lm: LanguageModel, template: Template, text: str, label: int) -> tuple[list[int], list[int], int]:
    """Token ids of a text behind its label, the places of the prompt, and the number of the text's tokens."""
    ids, prompt_at = list(lm.marks[0]), []
    for part in template.parts[:-1]:
        if part == VECTOR:
            prompt_at.append(len(ids))
            ids.append(0)
        elif part == SLOT:
            ids.append(label)
        else:
            ids += lm.pieces(part, starts_text=len(ids) == len(lm.marks[0]))
    tokens = lm.pieces(text)
    if len(ids) + len(tokens) > lm.longest:
        raise PromptError(f"text {text[:40]!r} takes {len(ids) + len(tokens)} tokens, {lm.name} at most {lm.longest}")
    return ids + tokens, prompt_at, len(tokens)


@torch.no_grad()
def _log_probabilities(
    lm: LanguageModel, rows: list[tuple[list[int], list[int], int]], vectors: Float[Tensor, "length dim"]
) -> Float[Tensor, " rows"]:
    """Of each row's text, given what stands before it."""
    lengths = torch.tensor([len(ids) for ids, _, _ in rows])
    scores = torch.empty(len(rows))
    for chosen in chunks(lengths.to(lm.device)):
        part = [rows[row] for row in chosen.tolist()]
        longest = max(len(ids) for ids, _, _ in part)
        ids = torch.tensor([ids + [0] * (longest - len(ids)) for ids, _, _ in part], device=lm.device)
        ends = torch.tensor([len(ids) for ids, _, _ in part], device=lm.device)[:, None]
        tokens = torch.tensor([count for _, _, count in part], device=lm.device)[:, None]
        places = torch.arange(longest, device=lm.device)
        embedded = lm.embeddings[ids]
        prompt_at = torch.tensor([at for _, at, _ in part], dtype=torch.long, device=lm.device)
        embedded[torch.arange(len(part), device=lm.device)[:, None], prompt_at] = vectors.to(embedded)
        said = (places >= ends - tokens) & (places < ends)
        before = said.roll(-1, dims=1)
        logits = logits_at(lm.model, before, inputs_embeds=embedded, attention_mask=(places < ends).long())
        each = logits.float().log_softmax(dim=-1).gather(1, ids[said][:, None])[:, 0]
        owners = said.nonzero()[:, 0]
        scores[chosen.cpu()] = torch.zeros(len(part), device=lm.device).index_add(0, owners, each).cpu()
    return scores
