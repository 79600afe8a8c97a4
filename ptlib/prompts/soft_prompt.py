"""Soft prompts: a few vectors that stand in for words, with a note of where they came from."""

from dataclasses import dataclass, field
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from ptlib.errors import PromptError, first_line
from ptlib.keeping.files import load_tensor, require_types, save_tensor
from ptlib.models.language_model import LanguageModel
from ptlib.prompts.template import Template

Setting = int | float | str
DESCRIPTION = {"model": str, "task": str, "template": str, "seed": int, "settings": dict}


@dataclass(frozen=True, eq=False)
class SoftPrompt:
    """A soft prompt. It does not change after it has been made.

    Attributes:
        vectors: `length x dim` numbers, put where a template says `[V]`.
        model: name of the language model it was made for.
        task: name of the task it was made for.
        template: the template it was made in.
        seed: what its randomness came from.
        settings: how it was made, for example steps and learning rate.

    Raises:
        PromptError: the vectors are not finite numbers.
    """

    vectors: Float[Tensor, "length dim"] = field(repr=False)
    model: str
    task: str
    template: str
    seed: int
    settings: dict[str, Setting] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not torch.isfinite(self.vectors).all():
            bad = (~torch.isfinite(self.vectors)).sum().item()
            raise PromptError(f"prompt for {self.task} on {self.model}: {bad} of its numbers are NaN or infinite")
        object.__setattr__(self, "vectors", self.vectors.detach().cpu().clone())

    @property
    def length(self) -> int:
        """How many vectors."""
        return self.vectors.shape[0]

    @property
    def dim(self) -> int:
        """How wide each vector is."""
        return self.vectors.shape[1]

    def on(self, lm: LanguageModel) -> Float[Tensor, "length dim"]:
        """The vectors, on the device of a model that they fit.

        Raises:
            PromptError: the model's word embeddings have another width.
        """
        if self.dim != lm.dim:
            raise PromptError(
                f"a prompt of width {self.dim} (made for {self.model}) does not fit {lm.name}, "
                f"whose word embeddings are {lm.dim} wide"
            )
        return self.vectors.to(lm.device, lm.prompt_dtype)

    def save(self, path: str | Path) -> None:
        """Write to a safetensors file, whole or not at all."""
        about = {name: getattr(self, name) for name in ("model", "task", "template", "seed", "settings")}
        save_tensor(Path(path), self.vectors, about, kind="soft prompt")


def vectors_in(template: Template, lm: LanguageModel, prompt: SoftPrompt | None = None) -> Float[Tensor, "length dim"]:
    """What stands at the `[V]` of a template on a model: the vectors of a prompt, or without one none at all.

    Raises:
        PromptError: the template holds another number of vectors, or the prompt does not fit the model.
    """
    vectors = lm.no_vectors() if prompt is None else prompt.on(lm)
    if template.length != len(vectors):
        raise PromptError(f"template {template.text!r}: holds {template.length} vectors, the prompt {len(vectors)}")
    return vectors


def load_prompt(path: str | Path) -> SoftPrompt:
    """Read a prompt that `SoftPrompt.save` wrote.

    Raises:
        PromptError: the file is missing, cut short, or not such a prompt.
    """
    vectors, about = load_tensor(path, kind="soft prompt")
    if vectors.dim() != 2:
        raise PromptError(f"{path}: a soft prompt whose numbers, {tuple(vectors.shape)}, are no rows of vectors")
    require_types(path, about, DESCRIPTION, kind="soft prompt")
    try:
        return SoftPrompt(vectors, **about)
    except TypeError as error:
        raise PromptError(f"{path}: a soft prompt whose description is damaged ({first_line(error)})") from error
