"""Adapters: soft prompts in the form in which PEFT keeps them, read and written."""

import json
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from ptlib.errors import PromptError
from ptlib.keeping.files import write_atomically
from ptlib.models.language_model import LanguageModel
from ptlib.prompts.soft_prompt import SoftPrompt
from ptlib.prompts.template import SLOT, TEXT, VECTOR

CONFIG, WEIGHTS, TENSOR = "adapter_config.json", "adapter_model.safetensors", "prompt_embeddings"


def load_adapter(folder: str | Path, lm: LanguageModel, *, task: str = "adapter") -> SoftPrompt:
    """Read a prompt-tuning adapter that PEFT saved, as a soft prompt.

    PEFT puts a prompt before everything else, so that its template here is `[V] ... [V] [X] [Y]`.

    Args:
        folder: holds `adapter_config.json` and `adapter_model.safetensors`.
        lm: the model that it was tuned on.
        task: a name for what it was tuned for.

    Raises:
        PromptError: the folder is no adapter, one of another kind than prompt tuning, one whose weights are a
            pickle, or one that does not fit the model.
    """
    folder = Path(folder).expanduser()
    config = _read_config(folder)
    if not (folder / WEIGHTS).exists():
        pickled = (folder / "adapter_model.bin").exists()
        why = "its weights are a pickle; save it anew as safetensors" if pickled else f"there is no {WEIGHTS}"
        raise PromptError(f"{folder}: cannot be read, since {why}")
    try:
        with safe_open(folder / WEIGHTS, framework="pt") as file:
            vectors = file.get_tensor(TENSOR).float()
    except (SafetensorError, OSError) as error:
        raise PromptError(f"{folder / WEIGHTS}: cut short, or without {TENSOR!r} ({error})") from error
    if vectors.dim() != 2 or len(vectors) != config.get("num_virtual_tokens"):
        raise PromptError(
            f"{folder}: holds vectors of shape {tuple(vectors.shape)}, and its config says "
            f"{config.get('num_virtual_tokens')} vectors; a prompt for encoder and decoder cannot be read"
        )
    if vectors.shape[1] != lm.dim:
        raise PromptError(f"{folder}: its vectors are {vectors.shape[1]} wide, the embeddings of {lm.name} {lm.dim}")
    template = " ".join([VECTOR] * len(vectors) + [TEXT, SLOT])
    settings = {"read from": "PEFT adapter", "task_type": config.get("task_type") or "CAUSAL_LM"}
    return SoftPrompt(vectors, lm.name, task, template, 0, settings)


def save_adapter(prompt: SoftPrompt, lm: LanguageModel, folder: str | Path) -> None:
    """Write a soft prompt as an adapter folder that `peft.PeftModel.from_pretrained` loads.

    The adapter's kind of task is that of the adapter that the prompt was read from, otherwise CAUSAL_LM.

    Args:
        prompt: a prompt that stands before the text, as PEFT puts it there.
        lm: the model that the prompt is for.
        folder: where to write; made if it is not there.

    Raises:
        PromptError: a prompt for another model, one that does not stand first, or a folder that holds an adapter
            of another kind.
    """
    folder = Path(folder).expanduser()
    if prompt.model != lm.name:
        raise PromptError(f"the prompt for {prompt.task} is for {prompt.model}, not for {lm.name}")
    first = prompt.template.split()[: prompt.length]
    if first != [VECTOR] * prompt.length:
        raise PromptError(f"template {prompt.template!r}: PEFT puts a prompt before the text; tune one that begins so")
    if (folder / CONFIG).exists():
        _read_config(folder)
    config = {
        "peft_type": "PROMPT_TUNING",
        "task_type": prompt.settings.get("task_type", "CAUSAL_LM"),
        "base_model_name_or_path": lm.model.config.name_or_path or lm.name,
        "inference_mode": True,
        "num_virtual_tokens": prompt.length,
        "token_dim": lm.dim,
        "num_transformer_submodules": 1,
        "num_layers": lm.model.config.num_hidden_layers,
        "num_attention_heads": lm.model.config.num_attention_heads,
        "prompt_tuning_init": "RANDOM",
    }
    write_atomically(folder / WEIGHTS, lambda path: save_file({TENSOR: prompt.vectors}, path))
    write_atomically(folder / CONFIG, lambda path: path.write_text(json.dumps(config, indent=2), encoding="utf-8"))


def _read_config(folder: Path) -> dict:
    try:
        config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise PromptError(f"{folder}: no adapter folder, since it holds no {CONFIG}") from error
    except (OSError, ValueError) as error:
        raise PromptError(f"{folder / CONFIG}: cannot be read ({error})") from error
    if config.get("peft_type") != "PROMPT_TUNING":
        raise PromptError(
            f"{folder}: an adapter of kind {config.get('peft_type')}; only PROMPT_TUNING is a soft prompt"
        )
    return config
