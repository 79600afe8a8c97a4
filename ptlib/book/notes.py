"""What chapters use to hand numbers and figures to the text around them."""

import numpy as np
from IPython.display import display
from matplotlib.figure import Figure


def note(name: str, value: float | int | str | dict | list | np.generic) -> None:
    """Keep a value under a name, so that the text of the book can quote it and tests can assert it.

    The output has the form that MyST-NB's `glue` writes and its `{glue:text}` role reads; MyST-NB itself
    need not be installed, as on Colab.
    """
    plain = value.item() if isinstance(value, np.generic) else value
    _record(name, {"text/plain": repr(plain)})


def note_figure(name: str, figure: Figure) -> None:
    """Keep a figure under a name, so that another page can show it."""
    from base64 import b64encode
    from io import BytesIO

    image = BytesIO()
    figure.savefig(image, format="png", bbox_inches="tight")
    _record(name, {"image/png": b64encode(image.getvalue()).decode(), "text/plain": repr(name)})


def _record(name: str, data: dict[str, str]) -> None:
    prefix = "application/papermill.record/"
    hidden = {prefix + mime: content for mime, content in data.items()}
    display(hidden, raw=True, metadata={"scrapbook": {"name": name, "mime_prefix": prefix}})
