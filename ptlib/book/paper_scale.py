"""The papers' sizes: what models of these shapes weigh, and what it takes to tune on them, estimated and measured."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from transformers import AlbertConfig, BertConfig, GPT2Config, PreTrainedConfig, RobertaConfig

from ptlib.book.cost import SHARE, TOKENS, operations_in
from ptlib.book.profiles import LAMA_RELATIONS, profile
from ptlib.models.loading import LOADERS
from ptlib.models.memory import count_parameters

MEASURED = Path(__file__).with_name("paper-scale.json")
FAST = 50e12  # operations a second of a GPU that the page speaks of
DAY, HOUR = 86_400, 3_600
# The waywardness paper's main experiment: texts, tasks, seeds, with and without a pull, steps, examples, tokens.
WAYWARD = 62 * 5 * 3 * 2 * 2_000 * 8 * 64


def shapes() -> dict[str, PreTrainedConfig]:
    """The configurations of the paper profile's models, without downloading them."""
    large: dict[str, Any] = {
        "hidden_size": 1_024,
        "num_hidden_layers": 24,
        "num_attention_heads": 16,
        "intermediate_size": 4_096,
    }
    base: dict[str, Any] = {
        "hidden_size": 768,
        "num_hidden_layers": 12,
        "num_attention_heads": 12,
        "intermediate_size": 3_072,
    }
    roberta: dict[str, Any] = {"vocab_size": 50_265, "max_position_embeddings": 514, "type_vocab_size": 1}
    return {
        "bert-base": BertConfig(vocab_size=28_996),
        "bert-large": BertConfig(vocab_size=28_996, **large),
        "roberta-base": RobertaConfig(**roberta),
        "roberta-large": RobertaConfig(**roberta, **large),
        "albert-base": AlbertConfig(**base),
        "albert-large": AlbertConfig(**large),
        "gpt2": GPT2Config(),
        "gpt2-medium": GPT2Config(n_embd=1_024, n_layer=24, n_head=16),
        "gpt2-large": GPT2Config(n_embd=1_280, n_layer=36, n_head=20),
        "gpt2-xl": GPT2Config(n_embd=1_600, n_layer=48, n_head=25),
    }


def sizes() -> pd.DataFrame:
    """For each model its `parameters`, and the operations (`work`) of one sweep: every relation and every seed."""
    settings, rows = profile("paper").settings, {}
    for name, config in shapes().items():
        parameters = count_parameters(LOADERS["causal" if name.startswith("gpt2") else "masked"], config)
        work = sweep() * settings.steps * settings.rows * TOKENS * operations_in(config)
        rows[name] = {"parameters": parameters, "work": work}
    return pd.DataFrame(rows).T


def sweep() -> int:
    """How many prompts are tuned at once: one for every relation and every seed."""
    return LAMA_RELATIONS * len(profile("paper").seeds)


def minutes(work: float | int | np.number, rate: float | int = FAST) -> float:
    """How long so many operations take on a device of a rate, of which tuning uses a share."""
    return float(work / (SHARE * rate) / 60)


def measured() -> dict:
    """What `make benchmark-paper` measured last."""
    return json.loads(MEASURED.read_text(encoding="utf-8"))


def numbers() -> dict[str, int | float]:
    """What the page quotes, by name: of the profile, of the estimates, and of what was measured."""
    run, found, work = profile("paper"), measured(), sizes()["work"]
    seconds = pd.DataFrame(found["stages"]).set_index("stage")["seconds with all steps"]
    ways = pd.DataFrame(found["ways"])
    whole, reached = _whole_table(seconds), float(ways["share of the speed"].iloc[-1])
    return {
        "paper_steps": run.settings.steps,
        "paper_search": run.search_steps,
        "paper_rows": run.settings.rows,
        "paper_seeds": len(run.seeds),
        "paper_rate": run.settings.learning_rate,
        "sweep": sweep(),
        "share": SHARE,
        "wayward_days": WAYWARD * operations_in(shapes()["gpt2-large"]) / (SHARE * FAST) / DAY,
        "minutes_bert_base": minutes(work["bert-base"]),
        "minutes_bert_large": minutes(work["bert-large"]),
        "times_plain": float(ways["tokens a second"].iloc[-1] / ways["tokens a second"].iloc[0]),
        "share_reached": reached,
        "scoring_share": float(seconds["scoring"] / seconds["tuning"]),
        "scale_relations": found["relations"],
        "scale_facts": found["facts"],
        "scale_memory": found["memory"] / 1e9,
        "scale_hours": found["seconds with all steps"] / HOUR,
        "scale_table_hours": whole / HOUR,
        "scale_table_gpu": whole / HOUR * found["speed"] * reached / (SHARE * FAST),
    }


def real_numbers() -> dict[str, object]:
    """What the page quotes of the real profile, by name."""
    run = profile("real")
    return {
        "real_relations": run.most,
        "real_facts": run.facts,
        "real_steps": run.settings.steps,
        "real_rows": run.settings.rows,
        "real_seeds": len(run.seeds),
    }


def _whole_table(seconds: pd.Series) -> float:
    """Six sources and targets, every seed: what base models took, times how much more the others have to do."""
    six = [operations_in(config) for name, config in shapes().items() if not name.startswith("gpt2")]
    more = len(profile("paper").seeds) * sum(six) / operations_in(shapes()["bert-base"])
    carrying = seconds["closed form"] * len(six) ** 2 * len(profile("paper").seeds)
    return float(seconds["tuning"] * more + seconds["scoring"] * more * len(six) + carrying)
