"""Language models: frozen `transformers` models with their tokenizers, all loaded the same way."""

import difflib
import functools
import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForMaskedLM,
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)

from ptlib.errors import PromptError

WEIGHTS = Path(__file__).parent / "pocket" / "weights"

Kind = Literal["masked", "causal"]


@dataclass(frozen=True, eq=False)
class LanguageModel:
    """A frozen language model and its tokenizer.

    Attributes:
        name: what it was loaded as, such as "pocket/bert-small".
        kind: "masked" fills a slot anywhere in a text, "causal" continues a text.
        model: the `transformers` model, in evaluation mode, without gradients.
        tokenizer: its tokenizer.
    """

    name: str
    kind: Kind
    model: PreTrainedModel = field(repr=False)
    tokenizer: PreTrainedTokenizerFast = field(repr=False)

    @property
    def embeddings(self) -> Float[Tensor, "vocabulary dim"]:
        """The word embeddings, the space in which prompts live."""
        return self.model.get_input_embeddings().weight.detach()

    @property
    def dim(self) -> int:
        """The width of a word embedding, and so of a prompt vector."""
        return self.embeddings.shape[1]

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        return self.embeddings.device

    @property
    def parameters(self) -> int:
        """How many numbers the model holds, shared ones counted once."""
        return sum(parameter.numel() for parameter in self.model.parameters())

    def pieces(self, text: str, *, starts_text: bool = False) -> list[int]:
        """Token ids of a text that stands inside a sentence, or at its start, without special tokens."""
        spaced = text if starts_text else " " + text
        return self.tokenizer(spaced, add_special_tokens=False)["input_ids"]

    def word_id(self, word: str) -> int | None:
        """The id of a word that is one token inside a sentence, otherwise None."""
        ids = self.pieces(word)
        return ids[0] if len(ids) == 1 and ids[0] != self.tokenizer.unk_token_id else None

    @functools.cached_property
    def words(self) -> dict[str, int]:
        """Every token that is a whole word inside a sentence, with its id.

        A token counts if its text, put behind a space and tokenized again, gives the token itself. So each
        tokenizer says by its own mark where words start, and pieces of words fall out.
        """
        special = set(self.tokenizer.all_special_ids)
        ids = [word_id for word_id in range(len(self.tokenizer)) if word_id not in special]
        texts = [text.strip() for text in self.tokenizer.batch_decode([[word_id] for word_id in ids])]
        again = self.tokenizer([" " + text for text in texts], add_special_tokens=False)["input_ids"]
        return {
            text: word_id
            for text, word_id, pieces in zip(texts, ids, again, strict=True)
            if text.isalnum() and pieces == [word_id]
        }

    def embed(self, words: str) -> Float[Tensor, "words dim"]:
        """The word embeddings of a text's tokens, for example to write a prompt in words."""
        return self.embeddings[self.pieces(words)]

    @functools.cached_property
    def fingerprint(self) -> str:
        """A hash of the weights and the vocabulary: equal exactly for models that behave alike."""
        digest = hashlib.sha256(self.tokenizer.backend_tokenizer.to_str().encode())
        for name, weight in sorted(self.model.state_dict().items()):
            digest.update(name.encode())
            digest.update(weight.detach().float().cpu().contiguous().numpy())
        return digest.hexdigest()

    @functools.cached_property
    def marks(self) -> tuple[list[int], list[int]]:
        """Ids of the special tokens that the tokenizer puts before and after a text."""
        return marks_around(self.tokenizer)

    @property
    def longest(self) -> int:
        """How many tokens the model can take."""
        return min(self.tokenizer.model_max_length, self.model.config.max_position_embeddings)


def marks_around(tokenizer: PreTrainedTokenizerFast) -> tuple[list[int], list[int]]:
    """Ids of the special tokens that a tokenizer puts before and after a text."""
    bare = tokenizer("a", add_special_tokens=False)["input_ids"]
    full = tokenizer("a")["input_ids"]
    start = next(i for i in range(len(full)) if full[i : i + len(bare)] == bare)
    return full[:start], full[start + len(bare) :]


def pocket_models() -> tuple[str, ...]:
    """Names of the language models that come with the book."""
    return tuple(sorted(f"pocket/{folder.parent.name}" for folder in WEIGHTS.glob("*/config.json")))


def load(name: str, *, device: str | torch.device | None = None) -> LanguageModel:
    """Load a language model by pocket name, from a folder, or from the Hugging Face hub.

    Args:
        name: "pocket/bert-small", a folder with a checkpoint, or a hub name such as "gpt2".
        device: where to put it; by default a CUDA GPU where there is one, otherwise the CPU.

    Raises:
        PromptError: no such model, no language-model head, no mask token, or the hub cannot be reached.
    """
    source = _locate(name)
    device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    try:
        config = AutoConfig.from_pretrained(source)
        kind = _kind(config.architectures, name)
        loader = AutoModelForMaskedLM if kind == "masked" else AutoModelForCausalLM
        model, report = loader.from_pretrained(
            source, dtype=torch.float32, use_safetensors=True, output_loading_info=True
        )
        tokenizer = AutoTokenizer.from_pretrained(source)
    except (OSError, ValueError) as error:
        if isinstance(error, PromptError):
            raise
        raise PromptError(_not_loaded(name, error)) from error
    if report["missing_keys"]:
        missing = ", ".join(sorted(report["missing_keys"])[:3])
        raise PromptError(f"{name}: the checkpoint has no language-model head: {missing} missing; use one that has")
    if kind == "masked" and tokenizer.mask_token_id is None:
        raise PromptError(f"{name}: a masked language model whose tokenizer has no mask token; use one that has")
    return LanguageModel(name, kind, model.eval().requires_grad_(False).to(device), tokenizer)


def _locate(name: str) -> str:
    """The folder of a model, or its hub name."""
    if name.startswith("pocket/"):
        if name not in pocket_models():
            near = difflib.get_close_matches(name, pocket_models(), n=3, cutoff=0.3) or pocket_models()
            raise PromptError(f"unknown pocket model {name!r}; did you mean {', '.join(near)}?")
        return str(WEIGHTS / name.removeprefix("pocket/"))
    if not Path(name).is_dir():
        near = difflib.get_close_matches(f"pocket/{name}", pocket_models(), n=3, cutoff=0.75)
        if near and "/" not in name:
            raise PromptError(f"unknown model {name!r}; did you mean {', '.join(near)}?")
    return name


def _kind(architectures: list[str] | None, name: str) -> Kind:
    architecture = (architectures or ["none named"])[0]
    if architecture.endswith("ForMaskedLM"):
        return "masked"
    if architecture.endswith(("ForCausalLM", "LMHeadModel")):
        return "causal"
    raise PromptError(
        f"{name}: architecture {architecture} has no language-model head; use a ...ForMaskedLM or a causal model"
    )


def _not_loaded(name: str, error: Exception) -> str:
    first_line = str(error).strip().splitlines()[0]
    if Path(name).is_dir():
        return f"{name}: this folder holds no checkpoint that can be read: {first_line}"
    known = ", ".join(pocket_models())
    return f"{name}: not on this machine, and the hub gave no answer: {first_line} (without network: {known})"
