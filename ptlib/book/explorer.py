"""Explorers: a table of which a reader sees one row at a time, and moves through it.

What is shown is words and numbers that change, so the browser's own lists and sliders do: they work by keyboard and
with a screen reader, and the script beside this file is shorter than what a library that would draw them (such as
Vega-Lite, hundreds of kilobytes) has to be told. The rows are JSON within the page, since a page that is opened from a
disk may fetch no file. Where scripts are off, the whole table is seen instead.
"""

import json
from collections.abc import Sequence
from html import escape
from pathlib import Path

import pandas as pd
import torch
from IPython.display import HTML

from ptlib.errors import PromptError
from ptlib.models.language_model import LanguageModel
from ptlib.prompts.cloze import encode_texts, slot_logits
from ptlib.prompts.soft_prompt import SoftPrompt
from ptlib.prompts.template import parse

SCRIPT = Path(__file__).with_name("explorer.js")
MOST = 200_000  # characters of JSON


def explore(rows: pd.DataFrame, choose: Sequence[str], *, slide: Sequence[str] = ()) -> HTML:
    """A table to be moved through.

    Args:
        rows: no two with the same values in the columns to choose by. The other columns are shown: texts, numbers, or
            small tables as tuples of rows, the first of which is their head.
        choose: columns that get a control each, in this order.
        slide: those of them that get a slider; the others get a list to choose from.

    Raises:
        PromptError: two rows for one choice, or more rows than a page should carry.
    """
    if twice := rows[rows.duplicated(list(choose))].to_dict("records"):
        raise PromptError(f"two rows for {[twice[0][name] for name in choose]}; leave one, or choose by more columns")
    data = {"choose": list(choose), "slide": list(slide), "rows": rows.to_dict("records")}
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=float)
    if len(text) > MOST:
        raise PromptError(f"{len(text):,} characters for an explorer; leave out rows until there are at most {MOST:,}")
    text = text.replace("<", "\\u003c")  # so that no text of a row ends the script
    return HTML(
        '<div class="explorer"><form></form><div class="shown" aria-live="polite"></div>'
        '<details open><summary>All of it, as a table</summary><div class="all" tabindex="0" role="region" '
        f'aria-label="All rows" style="max-height: 24rem; overflow: auto">{_table(rows)}</div></details>'
        f'<script type="application/json">{text}</script>'
        f"<script>{SCRIPT.read_text(encoding='utf-8')}</script></div>"
    )


@torch.no_grad()
def answers(lm: LanguageModel, prompt: SoftPrompt, subjects: Sequence[str]) -> list[str]:
    """The likeliest word for each subject, over the whole vocabulary."""
    cloze = encode_texts(lm, parse(prompt.template), subjects, task="the subjects")
    vectors = prompt.on(lm).expand(len(subjects), -1, -1)
    return [lm.text_of([best]) for best in slot_logits(lm, cloze, vectors).argmax(dim=-1).tolist()]


def _table(rows: pd.DataFrame) -> str:
    head = "".join(f'<th scope="col">{escape(str(name))}</th>' for name in rows.columns)
    body = "".join(f"<tr>{''.join(f'<td>{_cell(value)}</td>' for value in row)}</tr>" for row in rows.to_numpy())
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cell(value: object) -> str:
    """A value as text; of a small table its rows, with what stands in them one after the other."""
    if isinstance(value, tuple):
        return "; ".join(escape(", ".join(row)) for row in value[1:])
    return f"{value:g}" if isinstance(value, float) else escape(str(value))
