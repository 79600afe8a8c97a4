"""What chapters use to hand numbers and figures to the text around them."""

import re
from collections.abc import Sequence

import numpy as np
from IPython.display import display
from jaxtyping import Float
from matplotlib.figure import Figure
from pandas import Series

from ptlib.scoring.scores import interval

HYPHEN = re.compile(r"(?<![\w.])-(?=\.?\d)")  # as Python writes a minus
BELOW_ZERO = re.compile(r"(?<![\w.])[+-](?=0(\.0+)?(?!\.?\d))")  # a sign that rounding has left without a number


def in_print(text: str) -> str:
    """A text whose numbers are set as in print: with a true minus, no sign before zero, unbroken at "±" and "(a to b)".

    >>> in_print("-0.17 in albert-small, and -0.00")
    '\N{MINUS SIGN}0.17 in albert-small, and 0.00'
    """
    text = HYPHEN.sub("\N{MINUS SIGN}", BELOW_ZERO.sub("", text))
    text = re.sub(r"(?<=\d) ± (?=\d)", "\N{NO-BREAK SPACE}±\N{NO-BREAK SPACE}", text)
    return re.sub(r"(?<=\() ?(\S+) to (\S+)(?=[;)])", "\\1\N{NO-BREAK SPACE}to\N{NO-BREAK SPACE}\\2", text)


def note(name: str, value: float | int | str | dict | list | np.generic) -> None:
    """Keep a value under a name, so that the text of the book can quote it and tests can assert it.

    The output has the form that MyST-NB's `glue` writes and its `{glue:text}` role reads; MyST-NB itself
    need not be installed, as on Colab.
    """
    plain = value.item() if isinstance(value, np.generic) else value
    record(name, {"text/plain": repr(plain)})


def note_mean(name: str, values: Sequence[float] | Float[np.ndarray, " seeds"]) -> None:
    """Keep the mean over seeds under a name, and the standard deviation under `name_spread`; 0 for a single value."""
    note(name, float(np.mean(values)))
    note(f"{name}_spread", float(np.std(values, ddof=1)) if len(values) > 1 else 0.0)


def said(values: Sequence[float] | Float[np.ndarray, " seeds"]) -> str:
    """Mean and standard deviation over seeds, such as "0.803 ± 0.011"; a single value alone."""
    return in_print(f"{np.mean(values):.3f}" + (f" ± {np.std(values, ddof=1):.3f}" if len(values) > 1 else ""))


def with_interval(values: Sequence[float] | Float[np.ndarray, " cases"] | Series) -> str:
    """Mean and 95% bootstrap interval over cases, such as "0.80 (0.79 to 0.82)", without what is not a number."""
    known = np.asarray(values, dtype=float)
    known = known[~np.isnan(known)]
    if not known.size:
        return "-"
    low, high = interval(known)
    return in_print(f"{known.mean():.2f} ({low:.2f} to {high:.2f})")


def note_figure(name: str, figure: Figure) -> None:
    """Keep a figure under a name, so that another page can show it: as PNG, and as SVG for both themes."""
    from base64 import b64encode
    from io import BytesIO

    image, drawing = BytesIO(), BytesIO()
    figure.savefig(image, format="png", bbox_inches="tight")
    figure.savefig(drawing, format="svg", bbox_inches="tight", metadata={"Date": None})
    data = {"image/png": b64encode(image.getvalue()).decode(), "image/svg+xml": drawing.getvalue().decode()}
    record(name, data | {"text/plain": repr(name)})


def record(name: str, data: dict[str, str], **about: dict) -> None:
    """Put content under a name into the outputs, where it is not seen, with what else is to be known about it."""
    prefix = "application/papermill.record/"
    hidden = {prefix + mime: content for mime, content in data.items()}
    display(hidden, raw=True, metadata={"scrapbook": {"name": name, "mime_prefix": prefix}, **about})
