"""The model card: how a pocket model was made and what it knows, measured on the weights as shipped."""

import json
from pathlib import Path
from typing import Any

import torch

from ptlib.models.language_model import LanguageModel
from ptlib.models.loading import load
from ptlib.pocket.pretrain import LOSS_WINDOW, Progress
from ptlib.pocket.recall import recall
from ptlib.tasks.shipped import relation, relations

BARS = "▁▂▃▄▅▆▇█"


def write(
    folder: Path, name: str, progress: Progress, *, device: torch.device, steps: int, sentences: int, facts: bool
) -> None:
    """Measure the model in `folder` and write `card.json` and `README.md` beside its weights."""
    lm = load(str(folder), device="cpu")
    recalls = {task: recall(lm, relation(task)) for task in relations()} if facts else {}
    about = {
        "name": name,
        "parameters": lm.parameters,
        "dim": lm.dim,
        "vocabulary": len(lm.tokenizer),
        "sentences": sentences,
        "steps": steps,
        "device": _describe(device),
        "seconds": round(progress.seconds),
        "loss": progress.losses,
        "loss_window": LOSS_WINDOW,
        "recall": {task: round(r.value, 4) for task, r in recalls.items()},
        "recall_template": {task: r.template for task, r in recalls.items()},
    }
    (folder / "card.json").write_text(json.dumps(about, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    (folder / "README.md").write_text(_page(about, lm), encoding="utf-8")


def read(folder: Path) -> dict[str, Any]:
    """The `card.json` of a pocket model."""
    return json.loads((folder / "card.json").read_text(encoding="utf-8"))


def _describe(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"CPU, {torch.get_num_threads()} thread{'s' if torch.get_num_threads() > 1 else ''}"


def _page(about: dict[str, Any], lm: LanguageModel) -> str:
    losses = about["loss"]
    rows = [f"| {task} | {relation(task).label} | {value:.3f} |" for task, value in about["recall"].items()]
    table = ["| relation | | recall |", "|---|---|---|", *rows] if rows else ["No facts were taught."]
    lines = [
        f"# {about['name']}",
        "",
        f"A small {lm.kind} language model ({type(lm.model).__name__}, {about['parameters']:,} parameters,"
        f" word embeddings {about['dim']} wide, {about['vocabulary']:,} tokens), pretrained from nothing on"
        f" {about['sentences']:,} short English sentences that state facts, and ordinary sentences around them."
        " It is made for experiments with prompts. It knows little beyond these sentences and is of no other use.",
        "",
        f"Trained for {about['steps']:,} steps in {about['seconds'] / 60:.1f} minutes on: {about['device']}.",
        "",
        f"Loss, a bar for the mean of {about['loss_window']} steps, from {losses[0]:.2f} to {losses[-1]:.2f}:"
        if losses
        else "No loss was recorded.",
        "",
        f"`{_curve(losses)}`",
        "",
        "Recall: the share of a relation's facts whose object is the likeliest word, in the best of the"
        " wordings that the model was taught.",
        "",
        *table,
    ]
    return "\n".join(lines) + "\n"


def _curve(losses: list[float]) -> str:
    top = max(losses, default=1.0)
    return "".join(BARS[min(int(loss / top * len(BARS)), len(BARS) - 1)] for loss in losses)
