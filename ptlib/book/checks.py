"""Checks of a reader's own answers to the exercises: one line each, right or not yet, and why."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from inspect import signature

import numpy as np
import torch
from torch import Tensor

from ptlib.book.real.kept import kept_descriptions, kept_rows
from ptlib.book.real.summary import QWEN, Scores
from ptlib.book.real.wayward_kept import kept_wayward
from ptlib.carrying.representations import objective, relative
from ptlib.errors import PromptError, first_line
from ptlib.models.loading import load
from ptlib.models.shared import word_vectors
from ptlib.prompts.soft_prompt import SoftPrompt
from ptlib.prompts.template import SLOT
from ptlib.prompts.word_prompt import WordPrompt
from ptlib.reading.likeness import token_match, word_f1
from ptlib.reading.projection import project
from ptlib.scoring.scores import accuracy
from ptlib.scoring.slot import fill
from ptlib.tasks.shipped import relation
from ptlib.tasks.splits import SPLITS
from ptlib.tasks.task import Task

Numbers = Sequence[float] | np.ndarray


@dataclass(frozen=True)
class Verdict:
    """What is said of an answer.

    Attributes:
        right: whether it is.
        why: a sentence with what was found.
    """

    right: bool
    why: str

    def __repr__(self) -> str:
        return f"{'Right' if self.right else 'Not yet'}: {self.why}"


def check(exercise: str, *answer: object) -> Verdict:
    """Look at an answer to an exercise of the book, on the pocket models.

    Args:
        exercise: chapter and number, such as "1.2".
        answer: what the exercise asks for; its text says what.

    Raises:
        PromptError: there is no such exercise, or it is answered with more or fewer things.
    """
    if exercise not in CHECKS:
        raise PromptError(f"no exercise {exercise!r} can be checked; there are {', '.join(CHECKS)}")
    wanted = tuple(signature(CHECKS[exercise]).parameters)
    if len(answer) != len(wanted):
        raise PromptError(f"exercise {exercise} is answered with {', '.join(wanted)}; {len(answer)} given")
    try:
        return CHECKS[exercise](*answer)
    except PromptError as error:
        return Verdict(False, f"{error}.")
    except (
        AttributeError,
        LookupError,
        TypeError,
        ValueError,
        RuntimeError,
    ) as error:  # something else than was asked for
        return Verdict(False, f"the answer is to be {', '.join(wanted)}: {first_line(error).rstrip('.')}.")


def wording(template: str) -> Verdict:
    """Chapter 0, exercise 1: a wording that gets more capitals out of the small GPT-2 than the manual template."""
    lm, task = load("pocket/gpt2-small"), relation("P36")
    mine, plain = accuracy(lm, task, template).value, accuracy(lm, task).value
    return Verdict(mine > plain, f"it gets {mine:.0%} of the test facts, the manual template {plain:.0%}.")


def new_facts(task: Task) -> Verdict:
    """Chapter 0, exercise 2: facts that can be asked for, and were never taught."""
    sizes = {split: len(task.examples(split)) for split in SPLITS}
    if empty := [split for split, size in sizes.items() if not size]:
        return Verdict(False, f"no fact fell into {' and '.join(empty)}; write more lines.")
    lm = load("pocket/bert-small")
    known = sum(accuracy(lm, task, split=split).value * size for split, size in sizes.items()) / sum(sizes.values())
    end = "it was never taught them" if known < 0.5 else "so it was taught them; take others"
    return Verdict(
        known < 0.5, f"bert-small can be asked for {sum(sizes.values())} facts and knows {known:.0%}; {end}."
    )


def same_prompt(before: SoftPrompt, after: SoftPrompt) -> Verdict:
    """Chapter 1, exercise 1: what was read from a file is what was written."""
    if before is after:
        return Verdict(False, "these are one and the same; read the second from the file.")
    if before.template != after.template or before.vectors.shape != after.vectors.shape:
        return Verdict(False, f"{after.template!r} is another prompt than {before.template!r}.")
    apart = float((before.vectors - after.vectors).abs().max())
    return Verdict(apart == 0, f"its numbers differ by {apart:g} at most.")


def births(prompt: SoftPrompt) -> Verdict:
    """Chapter 1, exercise 2: a prompt for places of birth, asked about those who died elsewhere."""
    lm, (born, died) = load("pocket/bert-small"), ({fact.text: fact.answer for fact in _all(p)} for p in ("P19", "P20"))
    moved = [who for who in born if died.get(who, born[who]) != born[who]]
    said = [fill(lm, who, prompt, count=1)[0][0] for who in moved]
    birth, death = (sum(one == told[who] for one, who in zip(said, moved, strict=True)) for told in (born, died))
    return Verdict(birth > death, f"of {len(moved)} who moved away it says {birth} births and {death} deaths.")


def wrong_answers(task: Task) -> Verdict:
    """Chapter 1, exercise 3: capitals, of which every one is that of some other country."""
    capitals = {fact.text: fact.answer for fact in _all("P36")}
    facts = [fact for split in SPLITS for fact in task.examples(split)]
    if strange := [fact.answer for fact in facts if fact.answer not in capitals.values()]:
        return Verdict(False, f"{strange[0]} is the capital of no country of P36.")
    true = [fact.text for fact in facts if capitals.get(fact.text) == fact.answer]
    return Verdict(not true, f"{len(true)} of {len(facts)} answers are still true{': ' + true[0] if true else ''}.")


def change(of_space: Callable[[Tensor], Tensor]) -> Verdict:
    """Chapter 2, exercise 1: a change of a space that leaves relative representations as they are."""
    lm = load("pocket/bert-small")
    vectors, anchors = lm.embeddings[100:200], lm.embeddings[200:400]
    changed, landmarks = of_space(vectors), of_space(anchors)
    if torch.equal(changed, vectors):
        return Verdict(False, "it leaves the vectors as they are.")
    largest = float((relative(changed, landmarks) - relative(vectors, anchors)).abs().max())
    if largest < 1e-4:
        return Verdict(True, f"no cosine changes by more than {largest:.2g}.")
    return Verdict(False, f"it changes a cosine by {largest:.2g}.")


def few_landmarks(vector: Tensor, wanted: Tensor, anchors: Sequence[str]) -> Verdict:
    """Chapter 2, exercise 2: a vector of the small RoBERTa that has a wanted list of cosines to a few anchors."""
    lm = load("pocket/roberta-small")
    if len(anchors) >= lm.dim:
        return Verdict(False, f"{len(anchors)} anchors are not few: an embedding has {lm.dim} numbers.")
    reached = float(objective(vector, wanted, word_vectors(lm, list(anchors))).mean())
    return Verdict(reached > 0.99, f"it meets the list with a cosine of {reached:.3f} on {len(anchors)} anchors.")


def weighted_sum(one: SoftPrompt, other: SoftPrompt) -> Verdict:
    """Chapter 3, exercise 1: what two prompts become by the weighted sum, which is the same whatever they were."""
    if one.task == other.task:
        return Verdict(False, f"both are prompts for {one.task}; carry those of two tasks.")
    alike = float(torch.cosine_similarity(one.vectors, other.vectors).mean())
    return Verdict(alike > 0.9, f"carried, the two have a mean cosine of {alike:.3f} to each other.")


def toward_slot(carried: SoftPrompt) -> Verdict:
    """Chapter 3, exercise 2: a prompt with nothing behind the slot, carried to the small GPT-2."""
    if not carried.template.endswith(SLOT):
        return Verdict(False, f"in {carried.template!r} something stands behind the slot.")
    score = accuracy(load("pocket/gpt2-small"), relation(carried.task), carried).value
    return Verdict(
        score < 0.5,
        f"on gpt2-small it gets {score:.0%}, so the full stop was {'not ' if score < 0.5 else ''}the matter.",
    )


def few_words(prompt: WordPrompt) -> Verdict:
    """Chapter 3, part on shared words: a prompt of twenty words at most that two models understand."""
    if len(prompt.words) > 20:
        return Verdict(False, f"{len(prompt.words)} words are not few; give twenty at most.")
    names, task = ("bert-small", "roberta-small"), relation(prompt.task)
    scores = [accuracy(lm, task, prompt.on(lm)).value for lm in map(load, (f"pocket/{name}" for name in names))]
    told = ", ".join(f"{score:.0%} on {name}" for name, score in zip(names, scores, strict=True))
    return Verdict(min(scores) > 0.5, f"{len(prompt.words)} words get {told}.")


def own_text(prompt: SoftPrompt, text: str) -> Verdict:
    """Chapter 5, exercise 1: a prompt that does its task and reads as a text."""
    lm = load(prompt.model)
    likeness, score = word_f1(str(project(lm, prompt)), text), accuracy(lm, relation(prompt.task), prompt).value
    read = f"it reads as the text with a word F1 of {likeness:.2f}"
    return Verdict(likeness > 0.8 and score > 0.5, f"{read}, and P@1 on {prompt.task} is {score:.2f}.")


def beyond(prompt: SoftPrompt, further: SoftPrompt, text: str) -> Verdict:
    """Chapter 5, exercise 2: a prompt farther away from its words, in the same direction."""
    lm = load(prompt.model)
    step, longer = (each.on(lm) - lm.embed(text) for each in (prompt, further))
    times, straight = float(longer.norm() / step.norm()), torch.cosine_similarity(step.ravel(), longer.ravel(), dim=0)
    if straight < 0.999 or times <= 1:
        return Verdict(
            False, f"it is {times:.1f} times as far and not straight on; multiply the step by a number above 1."
        )
    score, likeness = accuracy(lm, relation(prompt.task), further).value, word_f1(str(project(lm, further)), text)
    return Verdict(True, f"{times:.1f} times the way P@1 is {score:.2f}, and the word F1 of the text {likeness:.2f}.")


def opposite_weights(equal: SoftPrompt, opposite: SoftPrompt) -> Verdict:
    """Chapter 4, exercise 1: the same sources, carried with equal and with opposite weights."""
    if "(-" not in str(opposite.settings.get("sources")):
        return Verdict(False, "the second prompt has no source with a weight below zero.")
    first, second = (accuracy(load(p.model), relation(p.task), p).value for p in (equal, opposite))
    return Verdict(second < first, f"with equal weights it scores {first:.2f}, with opposite ones {second:.2f}.")


def trusted_source(picked: str, arrives: Mapping[str, float]) -> Verdict:
    """Chapter 4, exercise 2: the source to trust, and how well each really arrives at the target."""
    if picked not in arrives:
        return Verdict(False, f"{picked!r} is none of {', '.join(arrives)}.")
    best = max(arrives, key=lambda name: arrives[name])
    near = arrives[picked] >= arrives[best] - 0.02
    return Verdict(near, f"{picked} arrives with {arrives[picked]:.2f}, the best, {best}, with {arrives[best]:.2f}.")


def helpful_starts(named: Sequence[str], starts: Mapping[str, Numbers], vectors: Numbers) -> Verdict:
    """Chapter 6, exercise 1: the kinds of text at which a start brings more than random vectors and their spread."""
    bar = float(np.mean(vectors) + np.std(vectors, ddof=1))
    helped = {kind for kind, values in starts.items() if np.mean(values) > bar}
    wrong = sorted(helped ^ set(named))
    return Verdict(
        not wrong,
        f"{len(helped)} of {len(starts)} kinds are above {bar:.2f}"
        + (f"; look at {wrong[0]} again." if wrong else "."),
    )


def step_beside_words(prompt: SoftPrompt, text: str) -> Verdict:
    """Chapter 6, exercise 2: a prompt of a text's own embeddings in the target and a carried step."""
    lm = load(prompt.model)
    kept = token_match(lm, prompt, text)
    away = float((prompt.on(lm) - lm.embed(text)).norm(dim=1).mean())
    if away == 0:
        return Verdict(False, "these are the words alone; add the step.")
    return Verdict(kept > 0.5, f"it reads as {kept:.0%} of its words, {away:.2f} away from them.")


def plain_words_win(relation: str) -> Verdict:
    """Chapter 7, exercise 1: a relation that a real model answers better in plain words than with a tuned prompt."""
    rows = kept_rows()
    if relation not in set(rows.relation):
        return Verdict(False, f"{relation!r} was not measured; there are {', '.join(dict.fromkeys(rows.relation))}.")
    scores, names = Scores(rows).of([relation]), rows.query("method == 'tuned'").target.unique()
    pairs = {name: (scores.mean("manual", name), scores.mean("tuned", name)) for name in names}
    told = "; ".join(
        f"on {name} {manual:.2f} in plain words, {tuned:.2f} tuned" for name, (manual, tuned) in pairs.items()
    )
    return Verdict(any(manual > tuned for manual, tuned in pairs.values()), f"{told}.")


def shares_of_gap(shares: Mapping[str, float]) -> Verdict:
    """Chapter 7, exercise 2: how much of the gap each method closes, by the method's name."""
    rows = kept_rows()
    source, target = rows.query("method == 'tuned'").target.unique()
    known = set(rows.query("sources == @source and target == @target").method)
    if strange := [method for method in shares if method not in known]:
        return Verdict(False, f"{strange[0]!r} was not carried from {source} to {target}.")
    wanted = {method: Scores(rows).gap_closed(method, target, source) for method in shares}
    wrong = [method for method, share in shares.items() if abs(share - wanted[method]) > 0.01]
    if not shares or wrong:
        return Verdict(
            False, f"{wrong[0]} closes {wanted[wrong[0]]:.0%} of it." if wrong else "name a method at least."
        )
    best = max(wanted, key=lambda method: wanted[method])
    return Verdict(True, f"of the {len(wanted)}, “{best}” closes most: {wanted[best]:.0%}.")


def tuning_brought(model: str, task: str) -> Verdict:
    """Chapter 8, exercise 1: a task that prompts do much better than the manual template, while they read as texts."""
    tuned = kept_wayward("tuned").query("model == @model and task == @task and gamma == 0").accuracy
    manual = kept_wayward("beside").query("model == @model and task == @task and method == 'manual'").accuracy
    if tuned.empty:
        return Verdict(False, f"prompts for {task!r} were not measured on {model!r}.")
    gain = float(tuned.mean() - manual.iloc[0])
    return Verdict(gain >= 0.2 - 1e-9, f"manual {manual.iloc[0]:.2f}, tuned {tuned.mean():.2f}: {gain:+.2f}.")


def best_layers(from_layer: int, to_layer: int) -> Verdict:
    """Chapter 8, exercise 2: the pair of layers with which Qwen names the task of its prompts most, others least."""
    rows = kept_descriptions()
    rows = rows[(rows.model == QWEN) & (rows.kind == "tuned")]
    gains = (rows.own - rows.other).groupby([rows.from_layer, rows.to_layer]).mean()
    if (from_layer, to_layer) not in gains.index:
        asked = ", ".join(f"{first} to {second}" for first, second in gains.index)
        return Verdict(False, f"it was not asked with layers {from_layer} to {to_layer}, but with {asked}.")
    gain, best = gains[from_layer, to_layer], gains.max()
    return Verdict(bool(gain > best - 1e-9), f"own less others is {gain:.2f}, with the best pair {best:.2f}.")


CHECKS: dict[str, Callable[..., Verdict]] = {
    "0.1": wording,
    "0.2": new_facts,
    "1.1": same_prompt,
    "1.2": births,
    "1.3": wrong_answers,
    "2.1": change,
    "2.2": few_landmarks,
    "3.1": weighted_sum,
    "3.2": toward_slot,
    "3b.1": few_words,
    "4.1": opposite_weights,
    "4.2": trusted_source,
    "5.1": own_text,
    "5.2": beyond,
    "6.1": helpful_starts,
    "6.2": step_beside_words,
    "7.1": plain_words_win,
    "7.2": shares_of_gap,
    "8.1": tuning_brought,
    "8.2": best_layers,
}


def _all(name: str) -> list:
    """Every fact of a relation."""
    task = relation(name)
    return [fact for split in SPLITS for fact in task.examples(split)]
