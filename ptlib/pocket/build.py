"""Making a pocket model from nothing: corpus, tokenizer, pretraining, weights and card."""

import hashlib
import shutil
import tempfile
from pathlib import Path

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerFast

from ptlib.models.checkpoint import WEIGHTS
from ptlib.pocket import card
from ptlib.pocket.batches import Batches
from ptlib.pocket.corpus import Sentence, generated, text_sentences
from ptlib.pocket.pretrain import ROWS, pretrain
from ptlib.pocket.recipes import RECIPES
from ptlib.pocket.vocabulary import weighted_words


def corpus(*, text: Path | None, facts: bool, seed: int) -> list[Sentence]:
    """The generated corpus, a folder of plain text, or both."""
    return [*(generated(seed=seed) if facts else []), *(text_sentences(text) if text else [])]


def build(
    name: str,
    *,
    text: Path | None = None,
    facts: bool = True,
    device: torch.device,
    work: Path,
    weights: Path = WEIGHTS,
    seed: int = 0,
    steps: int | None = None,
) -> Path:
    """Pretrain one pocket model and put it into `weights/<name>`; returns that folder.

    Args:
        name: which of `RECIPES`.
        text: a folder of `.txt` files to learn from besides the facts, or instead of them.
        facts: learn from the generated corpus.
        device: where to train.
        work: folder for checkpoints; a killed run goes on from the last one.
        weights: where finished models are.
        seed: of the corpus, the weights at the start and the batches.
        steps: another number of updates than the recipe's.
    """
    recipe, steps = RECIPES[name], steps or RECIPES[name].steps
    sentences = corpus(text=text, facts=facts, seed=seed)
    tokenizer = recipe.tokenizer(weighted_words(sentences))
    torch.manual_seed(seed)
    model = recipe.model(tokenizer)
    batches = Batches(sentences, tokenizer, rows=ROWS, seed=seed)
    checkpoint = work / f"{name}.safetensors"
    key = _key(model, tokenizer, sentences, steps, seed)
    progress = pretrain(
        model, tokenizer, batches, steps=steps, checkpoint=checkpoint, device=device, name=name, key=key
    )
    folder = weights / name
    weights.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=weights, prefix=f".{name}.") as temporary:
        model.cpu().half().save_pretrained(temporary)
        tokenizer.save_pretrained(temporary)
        card.write(Path(temporary), name, progress, device=device, steps=steps, sentences=len(sentences), facts=facts)
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(temporary, folder)
    return folder


def _key(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, sentences: list[Sentence], steps: int, seed: int
) -> str:
    """What a checkpoint must agree with, so that going on from it is the same run."""
    digest = hashlib.sha256(repr((model.config.to_dict(), steps, seed)).encode())
    digest.update(tokenizer.backend_tokenizer.to_str().encode())
    for sentence in sentences:
        digest.update(str(sentence).encode())
    return digest.hexdigest()
