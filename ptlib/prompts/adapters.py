"""Adapters: soft prompts in the form in which PEFT keeps them, read and written."""

import json
import re
import warnings
from pathlib import Path

from jaxtyping import Float
from safetensors import SafetensorError
from torch import Tensor

from ptlib.errors import PromptError
from ptlib.keeping.files import expanded, read_safetensors, write_atomically, write_safetensors
from ptlib.models.language_model import LanguageModel
from ptlib.prompts.soft_prompt import SoftPrompt
from ptlib.prompts.template import START, VECTOR, parse

CONFIG, WEIGHTS, TENSOR = "adapter_config.json", "adapter_model.safetensors", "prompt_embeddings"
TASK_TYPES = ("CAUSAL_LM", "FEATURE_EXTRACTION", None)  # those that answer by the model's own head
BOTH = "a prompt for encoder and decoder cannot be read; there are masked and causal models here"


def load_adapter(
    folder: str | Path, lm: LanguageModel, *, task: str = "adapter", template: str = "[X] [Y]"
) -> SoftPrompt:
    """Read a prompt-tuning adapter that PEFT saved, as a soft prompt.

    PEFT puts a prompt before everything else, the marks of the tokenizer too, so that the prompt's template is
    `[V] ... [V] [S][X] [Y]`, and the text stands there as it is handed in, with a space before it or without.

    Args:
        folder: holds `adapter_config.json` and `adapter_model.safetensors`.
        lm: the model that it was tuned on.
        task: a name for what it was tuned for.
        template: what PEFT's tokenizer was given, such as `"Tweet: [X] Label: [Y]"`.

    Warns:
        UserWarning: the adapter says that it was tuned on a model of another name.

    Raises:
        PromptError: the folder is no adapter, one of another kind than prompt tuning, one with a head of its own, one
            whose weights are a pickle, or one that does not fit its config or the model.
    """
    folder = expanded(folder)
    config = _read_config(folder)
    _require_nothing_but_a_prompt(folder, config)
    vectors = _read_vectors(folder)
    count, width = config.get("num_virtual_tokens"), config.get("token_dim")
    if vectors.dim() != 2 or len(vectors) != count:
        raise PromptError(
            f"{folder}: holds vectors of shape {tuple(vectors.shape)}, and its config says {count} vectors "
            "(num_virtual_tokens); use weights and a config that belong together"
        )
    if width not in (None, vectors.shape[1]):
        raise PromptError(
            f"{folder}: its vectors are {vectors.shape[1]} wide, and its config says {width} (token_dim); "
            "use weights and a config that belong together"
        )
    if vectors.shape[1] != lm.dim:
        raise PromptError(f"{folder}: its vectors are {vectors.shape[1]} wide, the embeddings of {lm.name} {lm.dim}")
    base = config.get("base_model_name_or_path")
    if base and not _same_model(str(base), lm):
        warnings.warn(f"{folder}: was tuned on {base}; to {lm.name} its vectors may mean nothing", stacklevel=2)
    whole = parse(" ".join([VECTOR] * len(vectors)) + f" {START}{template}")
    if whole.length != len(vectors):
        raise PromptError(f"template {template!r}: holds {VECTOR}, and PEFT puts its prompt before the text alone")
    settings = {"read from": "PEFT adapter", "task_type": config.get("task_type") or "CAUSAL_LM"}
    return SoftPrompt(vectors, lm.name, task, whole.text, 0, settings)


def save_adapter(prompt: SoftPrompt, lm: LanguageModel, folder: str | Path) -> None:
    """Write a soft prompt as an adapter folder that `peft.PeftModel.from_pretrained` loads.

    There it says the same of a text that is handed to the tokenizer as the template has it behind the vectors: of
    `[V] [S]The capital of [X] is [Y]`, "The capital of France is"; of `[V] [X] [Y]`, " France" with its space. The
    adapter's kind of task is that of the adapter that the prompt was read from, otherwise CAUSAL_LM for a causal
    model and FEATURE_EXTRACTION for a masked one, whose logits PEFT then gives.

    Args:
        prompt: a prompt that stands before the text and the tokenizer's marks, as PEFT puts it there.
        lm: the model that the prompt is for.
        folder: where to write; made if it is not there.

    Raises:
        PromptError: a prompt for another model, one that does not stand first, or a folder that holds an adapter
            of another kind.
    """
    folder = expanded(folder)
    if prompt.model != lm.name:
        raise PromptError(f"the prompt for {prompt.task} is for {prompt.model}, not for {lm.name}")
    prompt.on(lm)
    _require_first(prompt, lm)
    if (folder / CONFIG).exists():
        _read_config(folder)
    kind = "FEATURE_EXTRACTION" if lm.kind == "masked" else prompt.settings.get("task_type", "CAUSAL_LM")
    config = {
        "peft_type": "PROMPT_TUNING",
        "task_type": kind,
        "base_model_name_or_path": _published(lm.name),
        "inference_mode": True,
        "num_virtual_tokens": prompt.length,
        "token_dim": lm.dim,
        "num_transformer_submodules": 1,
        "num_layers": getattr(lm.model.config, "num_hidden_layers", None),
        "num_attention_heads": getattr(lm.model.config, "num_attention_heads", None),
        "prompt_tuning_init": "RANDOM",
    }
    write_safetensors(folder / WEIGHTS, {TENSOR: prompt.vectors})
    write_atomically(folder / CONFIG, lambda path: path.write_text(json.dumps(config, indent=2), encoding="utf-8"))


def _require_first(prompt: SoftPrompt, lm: LanguageModel) -> None:
    """Refuse a prompt that PEFT would put elsewhere: it puts the vectors first, and the tokenizer's text behind."""
    template = parse(prompt.template)
    parts = [part for part in template.parts if part != " "]
    if parts[: prompt.length] != [VECTOR] * prompt.length or VECTOR in parts[prompt.length :]:
        raise PromptError(f"template {prompt.template!r}: PEFT puts a prompt before the text; tune one that begins so")
    if START in parts:
        return
    if lm.marks[0]:
        marks = " ".join(lm.tokenizer.convert_ids_to_tokens(lm.marks[0]))
        raise PromptError(
            f"template {prompt.template!r}: PEFT puts a prompt before the {marks} of {lm.name}'s tokenizer, and this "
            f"one stands behind it; tune one with {START} behind the vectors, such as '[V] [V] {START}[X] [Y]'"
        )
    if not template.text.removeprefix(" ".join([VECTOR] * prompt.length)).startswith(" "):
        raise PromptError(
            f"template {prompt.template!r}: what is glued to a vector is no text of its own; "
            f"put a space or {START} behind the last {VECTOR}"
        )


def _require_nothing_but_a_prompt(folder: Path, config: dict) -> None:
    """Refuse what holds more than one prompt for the model's own head, since that would be lost."""
    kind, stacks = config.get("task_type"), config.get("num_transformer_submodules")
    if kind == "SEQ_2_SEQ_LM" or stacks == 2:
        raise PromptError(f"{folder}: {BOTH}")
    if stacks not in (None, 1):
        raise PromptError(f"{folder}: its config says num_transformer_submodules {stacks!r}; 1 is one model's prompt")
    if kind not in TASK_TYPES:
        raise PromptError(
            f"{folder}: its task_type is {kind}, which answers by a head of its own, and a soft prompt has none; "
            "use an adapter of CAUSAL_LM"
        )
    if config.get("modules_to_save"):
        raise PromptError(f"{folder}: goes with trained modules {config['modules_to_save']}, which would be lost")


def _read_vectors(folder: Path) -> Float[Tensor, "..."]:
    if not (folder / WEIGHTS).exists():
        pickled = (folder / "adapter_model.bin").exists()
        why = "its weights are a pickle; save it anew as safetensors" if pickled else f"there is no {WEIGHTS}"
        raise PromptError(f"{folder}: cannot be read, since {why}")
    try:
        tensors, _ = read_safetensors(folder / WEIGHTS)
        vectors = tensors.pop(TENSOR).float()
    except (SafetensorError, OSError, KeyError) as error:
        raise PromptError(f"{folder / WEIGHTS}: cut short, or without {TENSOR!r} ({error})") from error
    if tensors:
        raise PromptError(
            f"{folder}: holds {min(tensors)} beside the prompt, such as a head of its own has; it would be lost"
        )
    return vectors


def _read_config(folder: Path) -> dict:
    try:
        config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise PromptError(f"{folder}: no adapter folder, since it holds no {CONFIG}") from error
    except (OSError, ValueError, RecursionError) as error:
        raise PromptError(f"{folder / CONFIG}: cannot be read ({error})") from error
    if not isinstance(config, dict):
        raise PromptError(f"{folder / CONFIG}: cannot be read (no JSON object, but {str(config)[:40]!r})")
    if config.get("peft_type") != "PROMPT_TUNING":
        raise PromptError(
            f"{folder}: an adapter of kind {config.get('peft_type')}; only PROMPT_TUNING is a soft prompt"
        )
    return config


def _same_model(base: str, lm: LanguageModel) -> bool:
    """Whether a name or path is that of a model, wherever either lies."""
    ours = [name for name in (lm.name, lm.model.config.name_or_path) if name]
    last = [_published(name).split("/")[-1].casefold() for name in (base, *ours)]
    return last[0] in last[1:]


def _published(name: str) -> str:
    """A model's name without the folders of a machine: as the hub has it, or the last part of its path."""
    if kept := re.search(r"models--([^/\\]+)[/\\]snapshots", name):
        return kept[1].replace("--", "/")
    if Path(name).expanduser().is_dir():
        return Path(name).expanduser().resolve().name
    return name if re.fullmatch(r"[\w.-]+(/[\w.-]+)?", name) else re.split(r"[/\\]+", name.rstrip("/\\"))[-1]
