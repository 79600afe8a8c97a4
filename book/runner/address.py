"""Command line: `python -m book.runner.address` carries the repository's address to wherever it is written out.

The address stands in pyproject.toml. Jupyter Book wants it in `_config.yml`, and the Colab cells of the
chapters and the README need it in plain text.
"""

from pathlib import Path

import yaml

from book.runner.files import write_text
from book.runner.pages import ROOT, repository


def holders(root: Path = ROOT) -> list[Path]:
    """The files in which the address is written out."""
    return [root / "_config.yml", root / "README.md", *sorted((root / "book").glob("*.ipynb"))]


def carry(root: Path = ROOT) -> list[Path]:
    """Put the address of pyproject.toml in place of `_config.yml`'s, in all files; returns those changed."""
    old = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))["repository"]["url"]
    changed = []
    for path in holders(root):
        before = path.read_text(encoding="utf-8")
        after = before.replace(old, repository(root))
        if after != before:
            write_text(path, after)
            changed.append(path)
    return changed


if __name__ == "__main__":
    print("\n".join(map(str, carry())) or "every file has the address already")
