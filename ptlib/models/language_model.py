"""Language models: frozen `transformers` models with their tokenizers."""

import functools
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerFast

from ptlib.errors import PromptError
from ptlib.models.embedding_space import embedding_weight, look_up, moments, table
from ptlib.models.positions import positions

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
        """The word embeddings, the space in which prompts live, as the model's embedding module returns them.

        In float32 at least, however the model holds them.
        """
        return table(self.model, self.prompt_dtype)

    @functools.cached_property
    def moments(self) -> tuple[Float[Tensor, " dim"], Float[Tensor, " dim"]]:
        """Mean and standard deviation of the word embeddings in each dimension."""
        return moments(self.embeddings)

    @functools.cached_property
    def dim(self) -> int:
        """The width of a word embedding, and so of a prompt vector."""
        return self.look_up(torch.zeros(1, dtype=torch.long, device=self.device)).shape[-1]

    @property
    def vocabulary(self) -> int:
        """How many tokens have a word embedding."""
        return embedding_weight(self.model).shape[0]

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        return embedding_weight(self.model).device

    @property
    def dtype(self) -> torch.dtype:
        """How the model holds its weights, and computes."""
        return embedding_weight(self.model).dtype

    @property
    def prompt_dtype(self) -> torch.dtype:
        """How prompts and all that is reckoned in their space are held; float32 at least."""
        return torch.promote_types(self.dtype, torch.float32)

    @property
    def parameters(self) -> int:
        """How many numbers the model holds, shared ones counted once."""
        return sum(parameter.numel() for parameter in self.model.parameters())

    def pieces(self, text: str, *, starts_text: bool = False) -> list[int]:
        """Token ids of a text that stands inside a sentence, or at its start, without special tokens."""
        return self.pieces_of_each([text], starts_text=starts_text)[0]

    def pieces_of_each(self, texts: Sequence[str], *, starts_text: bool = False) -> list[list[int]]:
        """The same for each of some texts; many at once cost far less than one after the other."""
        if not texts:
            return []
        spaced = [text if starts_text else self._space + text for text in texts]
        return self.tokenizer(spaced, add_special_tokens=False)["input_ids"]

    @functools.cached_property
    def _space(self) -> str:
        """What makes of a text one inside a sentence: a space, or nothing where the tokenizer puts one before any."""
        two, spaced, bare = self.tokenizer(["a a", " a", "a"], add_special_tokens=False)["input_ids"]
        return "" if two == bare + bare != bare + spaced else " "

    def text_of(self, ids: list[int], *, skip_special_tokens: bool = False) -> str:
        """The text of some tokens, without space around it."""
        return str(self.tokenizer.decode(ids, skip_special_tokens=skip_special_tokens)).strip()

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
        ids = [word_id for word_id in range(min(len(self.tokenizer), self.vocabulary)) if word_id not in special]
        # The tokenizer's own engine, since vocabularies of 262,144 are read here.
        engine = self.tokenizer.backend_tokenizer
        engine.no_padding()
        engine.no_truncation()
        texts = [text.strip() for text in engine.decode_batch([[word_id] for word_id in ids])]
        whole = [(text, word_id) for text, word_id in zip(texts, ids, strict=True) if text.isalnum()]
        again = engine.encode_batch_fast([self._space + text for text, _ in whole], add_special_tokens=False)
        return {text: word_id for (text, word_id), pieces in zip(whole, again, strict=True) if pieces.ids == [word_id]}

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
        """A hash of the weights and the vocabulary, equal exactly for models that behave alike."""
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

    @functools.cached_property
    def longest(self) -> int:
        """How many tokens the model can take, by its tokenizer and by its own positions."""
        return int(min(self.tokenizer.model_max_length, positions(self.model)))


def marks_around(tokenizer: PreTrainedTokenizerFast) -> tuple[list[int], list[int]]:
    """Ids of the special tokens that a tokenizer puts before and after a text."""
    bare = tokenizer("a", add_special_tokens=False)["input_ids"]
    full = tokenizer("a")["input_ids"]
    start = next((i for i in range(len(full)) if full[i : i + len(bare)] == bare), None)
    if not bare or start is None:
        raise PromptError("a tokenizer that makes no token of the text 'a': it does not fit the family of its model")
    return full[:start], full[start + len(bare) :]
