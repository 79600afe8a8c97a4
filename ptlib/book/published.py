"""Published figures: what the papers report, each with how it is known, and gaps where nothing could be verified."""

import tomllib
from pathlib import Path

import pandas as pd

FILE = Path(__file__).parent / "published.toml"
GRADES = tomllib.loads(FILE.read_text(encoding="utf-8"))["grades"]


def published_accuracy() -> pd.DataFrame:
    """Accuracy on 41 LAMA relations, in percent, as Wu, Wu and Mou (2024) report it.

    Returns:
        `method`, `source`, `target`, `percent` (not a number where no figure could be verified) and `known from` in
        a row for each method, source and target.
    """
    table = tomllib.loads(FILE.read_text(encoding="utf-8"))["accuracy"]
    rows = []
    for row in table["rows"]:
        for target in table["targets"]:
            percent, grade = row["values"].get(target, (float("nan"), None))
            known = GRADES[grade] if grade else ""
            rows.append((row["method"], row["source"], target, percent, known))
    return pd.DataFrame(rows, columns=["method", "source", "target", "percent", "known from"])
