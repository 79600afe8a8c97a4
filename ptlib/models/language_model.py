"""Language models: frozen `transformers` models with their tokenizers, all loaded the same way."""

import functools
import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForMaskedLM,
    AutoTokenizer,
    PreTrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)

from ptlib.errors import PromptError
from ptlib.models.checkpoint import (
    CONFIG,
    VOCABULARY,
    WEIGHTS,
    WEIGHTS_FILES,
    alike,
    pocket_models,
    quietly,
    readable,
    require_configuration,
    require_no_code,
    require_vocabulary,
    require_weights,
)
from ptlib.models.embedding_space import look_up, table
from ptlib.models.hub import fetch
from ptlib.models.memory import count_parameters, require_room
from ptlib.models.number_formats import HELD, name_of

LOADERS = {"masked": AutoModelForMaskedLM, "causal": AutoModelForCausalLM}

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

    @functools.cached_property
    def embeddings(self) -> Float[Tensor, "vocabulary dim"]:
        """The word embeddings, the space in which prompts live: what the model's embedding module returns.

        In float32 at least, however the model holds them.
        """
        return table(self.model, self.prompt_dtype)

    @functools.cached_property
    def dim(self) -> int:
        """The width of a word embedding, and so of a prompt vector."""
        return self.look_up(torch.zeros(1, dtype=torch.long, device=self.device)).shape[-1]

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        return self.model.get_input_embeddings().weight.device

    @property
    def dtype(self) -> torch.dtype:
        """How the model holds its weights, and computes."""
        return self.model.get_input_embeddings().weight.dtype

    @property
    def prompt_dtype(self) -> torch.dtype:
        """How prompts and all that is reckoned in their space are held: float32 at least."""
        return torch.promote_types(self.dtype, torch.float32)

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
        ids = torch.tensor(self.pieces(words), dtype=torch.long, device=self.device)
        return self.look_up(ids).to(self.prompt_dtype)

    def look_up(self, ids: Int[Tensor, "*shape"]) -> Float[Tensor, "*shape dim"]:
        """The word embeddings of token ids, as the model computes."""
        return look_up(self.model, ids)

    def no_vectors(self) -> Float[Tensor, "0 dim"]:
        """The vectors of a prompt of length 0, for templates in words alone."""
        return torch.empty(0, self.dim, dtype=self.prompt_dtype, device=self.device)

    @functools.cached_property
    def fingerprint(self) -> str:
        """A hash of the weights and the vocabulary: equal exactly for models that behave alike."""
        digest = hashlib.sha256(self.tokenizer.backend_tokenizer.to_str().encode())
        if self.dtype != torch.float32:  # equal numbers, but another arithmetic
            digest.update(str(self.dtype).encode())
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


def load(name: str, *, device: str | torch.device | None = None, dtype: torch.dtype = torch.float32) -> LanguageModel:
    """Load a language model by pocket name, from a folder, or from the Hugging Face hub.

    Nothing that comes with a model is run: only safetensors are read, never pickles, and a model that brings its
    own code is refused.

    Args:
        name: "pocket/bert-small", a folder with a checkpoint, or a hub name such as "gpt2".
        device: where to put it; by default a CUDA GPU where there is one, otherwise the CPU.
        dtype: how its weights are held: float32, or bfloat16 or float16 in half the memory. Prompts are float32
            in any case, and tuned through a short copy of a float32 model where the machine computes in it.

    Raises:
        PromptError: no such model, no language-model head, no mask token, weights or code that could do anything,
            too little memory, or the hub cannot be reached.
    """
    if dtype not in HELD:
        raise PromptError(f"dtype {dtype}: weights are held in {', '.join(name_of(one) for one in HELD)}; use one")
    device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    source = _locate(name)
    folder, config, kind = _configuration(name, source)
    require_room(name, count_parameters(LOADERS[kind], config), dtype, device)
    if not Path(source).is_dir():
        folder = fetch(name, (*WEIGHTS_FILES, *VOCABULARY), revision=folder.name)
    require_no_code(name, folder)
    require_vocabulary(name, folder)
    require_weights(name, folder)
    with readable(name), quietly():
        model, report = LOADERS[kind].from_pretrained(
            folder,
            dtype=dtype,
            use_safetensors=True,
            trust_remote_code=False,
            ignore_mismatched_sizes=True,  # they are in the report, and refused below
            output_loading_info=True,
        )
        tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
    if report["missing_keys"]:
        missing = ", ".join(sorted(report["missing_keys"])[:3])
        raise PromptError(f"{name}: the checkpoint has no language-model head: {missing} missing; use one that has")
    if unfit := sorted(report["mismatched_keys"]):
        weight, stored, configured = unfit[0]
        raise PromptError(
            f"{name}: {weight} is {tuple(stored)} in the weights and {tuple(configured)} by {CONFIG}; "
            "use a checkpoint whose files belong together"
        )
    if kind == "masked" and tokenizer.mask_token_id is None:
        raise PromptError(f"{name}: a masked language model whose tokenizer has no mask token; use one that has")
    return LanguageModel(name, kind, model.eval().requires_grad_(False).to(device), tokenizer)


def parameters_of(name: str) -> int:
    """How many numbers a model holds, shared ones counted once, from its configuration alone.

    Args:
        name: as for `load`; of a model on the hub only its configuration is downloaded.

    Raises:
        PromptError: as `load`, for what the configuration shows.
    """
    return shape_of(name)[1]


def shape_of(name: str) -> tuple[PreTrainedConfig, int]:
    """The configuration of a model and how many numbers it holds, without its weights; see `parameters_of`."""
    _, config, kind = _configuration(name, _locate(name))
    return config, count_parameters(LOADERS[kind], config)


def _locate(name: str) -> str:
    """The folder of a model, or its hub name."""
    if name.startswith("pocket/"):
        if name not in pocket_models():
            raise PromptError(f"unknown pocket model {name!r}; did you mean {', '.join(alike(name, 0.3))}?")
        return str(WEIGHTS / name.removeprefix("pocket/"))
    return name


def _configuration(name: str, source: str) -> tuple[Path, PreTrainedConfig, Kind]:
    """The folder of a model, its configuration, and its kind; what else is on the hub is not downloaded."""
    folder = Path(source) if Path(source).is_dir() else fetch(name, (CONFIG,))
    require_configuration(name, folder)
    require_no_code(name, folder)
    with readable(name):
        config = AutoConfig.from_pretrained(folder, trust_remote_code=False)
    return folder, config, _kind(config.architectures, name)


def _kind(architectures: list[str] | None, name: str) -> Kind:
    architecture = (architectures or ["none named"])[0]
    if architecture.endswith("ForMaskedLM"):
        return "masked"
    if architecture.endswith(("ForCausalLM", "LMHeadModel")):
        return "causal"
    raise PromptError(
        f"{name}: architecture {architecture} has no language-model head; use a ...ForMaskedLM or a causal model"
    )
