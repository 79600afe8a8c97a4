"""Command line: `python -m ptlib.pocket bert-small` pretrains a pocket model anew."""

import argparse
import sys
from pathlib import Path

import torch

from ptlib.errors import PromptError
from ptlib.models.checkpoint import WEIGHTS
from ptlib.pocket.build import build
from ptlib.pocket.recipes import RECIPES


def main() -> None:
    """Pretrain the pocket models named on the command line."""
    parser = argparse.ArgumentParser(prog="python -m ptlib.pocket", description=__doc__)
    known = ", ".join(RECIPES)
    parser.add_argument("names", nargs="+", choices=[*RECIPES, "all"], metavar="name", help=f"all, or {known}")
    parser.add_argument("--text", type=Path, help="a folder of .txt files to learn from besides the facts")
    parser.add_argument("--no-facts", action="store_true", help="learn from --text alone")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--weights", type=Path, default=WEIGHTS, help="where finished models go")
    parser.add_argument("--work", type=Path, default=Path("_build/pretraining"), help="where checkpoints go")
    parser.add_argument("--steps", type=int, help="another number of updates than the recipe's")
    arguments = parser.parse_args()
    if arguments.no_facts and not arguments.text:
        parser.error("--no-facts needs --text")
    for name in RECIPES if "all" in arguments.names else arguments.names:
        try:
            folder = build(
                name,
                text=arguments.text,
                facts=not arguments.no_facts,
                device=torch.device(arguments.device),
                work=arguments.work,
                weights=arguments.weights,
                steps=arguments.steps,
            )
        except PromptError as error:
            sys.exit(str(error))
        print(f"{name}: {folder}")


if __name__ == "__main__":
    main()
