"""Loading: a language model by its name, with all that must hold before it is used."""

import os
from pathlib import Path
from typing import Any

import torch
from transformers import (
    MODEL_FOR_CAUSAL_LM_MAPPING,
    MODEL_FOR_MASKED_LM_MAPPING,
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
    readable,
    require_configuration,
    require_no_code,
    require_vocabulary,
    require_weights,
)
from ptlib.models.hub import fetch
from ptlib.models.language_model import Kind, LanguageModel
from ptlib.models.memory import count_parameters, require_room
from ptlib.models.number_formats import HELD, name_of
from ptlib.models.quiet import quietly
from ptlib.models.self_check import require_agreement, running
from ptlib.models.trial import is_causal

LOADERS: dict[Kind, Any] = {"masked": AutoModelForMaskedLM, "causal": AutoModelForCausalLM}
CLASSES: dict[Kind, Any] = {"masked": MODEL_FOR_MASKED_LM_MAPPING, "causal": MODEL_FOR_CAUSAL_LM_MAPPING}
ENDINGS: dict[Kind, tuple[str, ...]] = {"masked": ("ForMaskedLM",), "causal": ("ForCausalLM", "LMHeadModel")}
UNCLEAR = ("ForPreTraining", "ForConditionalGeneration")  # may have such a head, and others beside it


def load(
    name: str | Path,
    *,
    device: str | torch.device | None = None,
    dtype: torch.dtype = torch.float32,
    check: bool = True,
) -> LanguageModel:
    """Load a language model by pocket name, from a folder, or from the Hugging Face hub.

    Nothing that comes with a model is run: only safetensors are read, never pickles, and a model that brings its
    own code is refused. Whether it is masked or causal is found by running it.

    Args:
        name: "pocket/bert-small", a folder with a checkpoint, or a hub name such as "gpt2".
        device: where to put it; by default a CUDA GPU where there is one, otherwise the CPU.
        dtype: how its weights are held: float32, or bfloat16 or float16 in half the memory. Prompts are float32
            in any case; where the machine computes in 16 bits, they are tuned through a copy in 16 bits.
        check: make sure that the model gives the numbers of `transformers`, padded and with a prompt too, and
            that a gradient reaches the prompt.

    Raises:
        PromptError: no such model, no language-model head, no mask token, weights or code that could do anything,
            too little memory, a model that fails the check, or the hub cannot be reached.
    """
    name = _name(name)
    if dtype not in HELD:
        raise PromptError(f"dtype {dtype}: weights are held in {', '.join(name_of(one) for one in HELD)}; use one")
    device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    source = _locate(name)
    folder, config, head = _configuration(name, source)
    with readable(name):
        parameters = count_parameters(LOADERS[head], config)
    require_room(name, parameters, dtype, device)
    if not os.path.isdir(source):
        folder = fetch(name, (*WEIGHTS_FILES, *VOCABULARY), revision=folder.name)
    require_no_code(name, folder)
    require_vocabulary(name, folder)
    require_weights(name, folder)
    model, tokenizer = _read(name, folder, head, dtype)
    model = model.to(device)  # type: ignore[arg-type]  # transformers types it as unbound
    with running(name, model):
        lm = LanguageModel(name, "causal" if is_causal(model) else "masked", model, tokenizer)
    with readable(name):
        _require_tokens(lm)
    if check:
        require_agreement(lm)
    return lm


def _read(name: str, folder: Path, head: Kind, dtype: torch.dtype) -> tuple[PreTrainedModel, PreTrainedTokenizerFast]:
    """A frozen model and its tokenizer from a folder, if its weights are all there."""
    with readable(name), quietly():
        model, report = LOADERS[head].from_pretrained(
            folder,
            dtype=dtype,
            use_safetensors=True,
            trust_remote_code=False,
            ignore_mismatched_sizes=True,  # they are in the report, and refused below
            output_loading_info=True,
        )
        tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
    if not isinstance(tokenizer, PreTrainedTokenizerFast):
        raise PromptError(
            f"{name}: its tokenizer, a {type(tokenizer).__name__}, is none of the `tokenizers` library; "
            "use a checkpoint with a tokenizer.json"
        )
    if report["missing_keys"]:
        missing = ", ".join(sorted(report["missing_keys"])[:3])
        raise PromptError(f"{name}: the checkpoint has no language-model head: {missing} missing; use one that has")
    if unfit := sorted(report["mismatched_keys"]):
        weight, stored, configured = unfit[0]
        raise PromptError(
            f"{name}: {weight} is {tuple(stored)} in the weights and {tuple(configured)} by {CONFIG}; "
            "use a checkpoint whose files belong together"
        )
    return model.eval().requires_grad_(False), tokenizer


def _require_tokens(lm: LanguageModel) -> None:
    """Refuse a tokenizer without what a slot needs, or with tokens that the model has no embeddings for."""
    if lm.kind == "masked" and lm.tokenizer.mask_token_id is None:
        raise PromptError(f"{lm.name}: a masked language model whose tokenizer has no mask token; use one that has")
    used = set(range(len(lm.tokenizer))) - set(lm.tokenizer.all_special_ids)
    try:
        used |= {*lm.marks[0], *lm.marks[1], lm.tokenizer.mask_token_id or 0}
    except PromptError as error:
        raise PromptError(f"{lm.name}: {error}") from error
    if (last := max(used)) >= lm.vocabulary:
        raise PromptError(
            f"{lm.name}: its tokenizer has a token {last}, and the model embeddings for {lm.vocabulary} tokens; "
            "use a checkpoint whose files belong together"
        )


def parameters_of(name: str | Path) -> int:
    """How many numbers a model holds, shared ones counted once, from its configuration alone.

    Args:
        name: as for `load`; of a model on the hub only its configuration is downloaded.

    Raises:
        PromptError: as `load`, for what the configuration shows.
    """
    return shape_of(name)[1]


def shape_of(name: str | Path) -> tuple[PreTrainedConfig, int]:
    """The configuration of a model and how many numbers it holds, without its weights; see `parameters_of`."""
    name = _name(name)
    _, config, head = _configuration(name, _locate(name))
    with readable(name):
        return config, count_parameters(LOADERS[head], config)


def _name(name: str | Path) -> str:
    """A name that can be one."""
    name = str(name)
    if not name.strip() or not name.isprintable() or name == ".":
        raise PromptError(f"{name!r} names no model; give a pocket model, a folder, or OWNER/NAME of one on the hub")
    return name


def _locate(name: str) -> str:
    """The folder of a model, or its hub name."""
    if name.startswith("pocket/"):
        if name not in pocket_models():
            raise PromptError(f"unknown pocket model {name!r}; did you mean {', '.join(alike(name, 0.3))}?")
        return str(WEIGHTS / name.removeprefix("pocket/"))
    return name


def _configuration(name: str, source: str) -> tuple[Path, PreTrainedConfig, Kind]:
    """The folder of a model, its configuration, and its head; what else is on the hub is not downloaded."""
    folder = Path(source) if os.path.isdir(source) else fetch(name, (CONFIG,))  # where Path complains of a long name
    require_configuration(name, folder)
    require_no_code(name, folder)
    with readable(name):
        config = AutoConfig.from_pretrained(folder, trust_remote_code=False)
    return folder, config, _head(config, name)


def _head(config: PreTrainedConfig, name: str) -> Kind:
    """The kind of head that a checkpoint has, by what it says of itself, or by its family where it says too little."""
    architecture = (config.architectures or [""])[0]
    if config.is_encoder_decoder:
        raise PromptError(
            f"{name}: {architecture or type(config).__name__} is a sequence-to-sequence model (encoder and decoder); "
            "use a masked or a causal language model"
        )
    families = {head: classes[type(config)].__name__ for head, classes in CLASSES.items() if type(config) in classes}
    said = [h for h, name in families.items() if architecture == name or architecture.endswith(ENDINGS[h])]
    if not architecture or architecture.endswith(UNCLEAR):
        said = list(families)
    if not said:
        raise PromptError(
            f"{name}: architecture {architecture or type(config).__name__} has no language-model head; "
            "use a ...ForMaskedLM or a causal model"
        )
    return said[0]
