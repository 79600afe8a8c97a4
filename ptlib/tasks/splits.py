"""Splits: which examples are to train on, to choose by, and to test on."""

import hashlib

SPLITS = ("train", "dev", "test")


def split_of(subject: str) -> str:
    """The split a subject belongs to: 60% train, 15% dev, 25% test.

    A hash of the subject alone decides, so that a fact keeps its split when others are added, and a
    subject stands in the same split of every relation.
    """
    position = position_of(subject)
    return "train" if position < 0.60 else "dev" if position < 0.75 else "test"


def position_of(text: str) -> float:
    """A number from 0 to 1 that a hash of the text alone decides, spread evenly over texts."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") / 2**32
