"""Transfer: carry prompts from the models they were tuned on to another, without training there."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, is_dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ptlib.carrying.by_relations import ClosedForm, GradientSearch, Method, Source, Stepwise, Vectors
from ptlib.errors import PromptError
from ptlib.models.language_model import LanguageModel
from ptlib.prompts.soft_prompt import Setting, SoftPrompt
from ptlib.scoring.scores import accuracy
from ptlib.tasks.task import Task

Named = dict[tuple, SoftPrompt]  # prompts by task and seed, and whatever else tells them apart


def transfer(
    prompts: SoftPrompt | Sequence[SoftPrompt],
    sources: LanguageModel | Sequence[LanguageModel],
    target: LanguageModel,
    *,
    method: Method = ClosedForm(),
    weights: Sequence[float] | None = None,
    dev: Task | None = None,
) -> SoftPrompt:
    """Carry a prompt to another language model, from one source or from several.

    Args:
        prompts: a prompt, or one for each source.
        sources: the model of each prompt.
        target: where to carry it.
        method: how; the closed form by default, `GradientSearch()` for the paper's search, a baseline, or your own.
        weights: how much each source counts; by default all the same.
        dev: pick the step of a stepwise method, such as the search, by P@1 on this task's dev examples, as the
            released code does. By default no label is looked at: the transfer is zero-shot.

    Returns:
        the prompt for the target; its settings say the method, its options, the sources, and whether the
        step was selected by "dev" or by "none".

    Raises:
        PromptError: a prompt that was not made for the source named, prompts or weights that do not fit
            together, no shared words, or a method that is none or gives vectors of another shape.

    Example:
        >>> import ptlib as pt
        >>> bert, gpt2 = pt.load("pocket/bert-small"), pt.load("pocket/gpt2-small")
        >>> prompt = pt.tune(bert, pt.relation("P36"), settings=pt.Settings(steps=5))
        >>> moved = pt.transfer(prompt, bert, gpt2)
        >>> moved.model, moved.settings["method"]
        ('pocket/gpt2-small', 'closed form')
    """
    prompts = [prompts] if isinstance(prompts, SoftPrompt) else list(prompts)
    sources = [sources] if isinstance(sources, LanguageModel) else list(sources)
    if len(prompts) != len(sources):
        raise PromptError(f"{len(prompts)} prompts and {len(sources)} sources; each prompt needs its model")
    batches = [{(prompt.task, prompt.seed): prompt} for prompt in prompts]
    _check_alike(prompts)
    batch = _sources(batches, sources, weights)
    if dev is None:
        vectors = _carried(method, batch, target)[0]
    else:
        vectors = _best_on_dev(prompts[0], batch, target, _stepwise(method), dev)
    return _made(prompts[0], vectors, batch, target, method, "none" if dev is None else "dev")


def transfer_many(
    prompts: Named | Sequence[Named],
    sources: LanguageModel | Sequence[LanguageModel],
    target: LanguageModel,
    *,
    method: Method = ClosedForm(),
    weights: Sequence[float] | None = None,
) -> Named:
    """Carry all the prompts that `tune_many` or `tune_toward` returned, those of one length in one go; see `transfer`.

    With several sources, prompts of the same name (task and seed) go together.
    """
    moved: Named = {}
    batches = [prompts] if isinstance(prompts, dict) else list(prompts)
    for length in sorted({prompt.length for prompt in batches[0].values()}):
        alike = _of_length(batches, length)
        batch = _gather(alike, sources, weights)
        moved |= _all_made(alike[0], _carried(method, batch, target), batch, target, method)
    return {name: moved[name] for name in batches[0]}


def _of_length(batches: Sequence[Named], length: int) -> list[Named]:
    """The prompts whose first source's has so many vectors."""
    others = {name for name, prompt in batches[0].items() if prompt.length != length}
    return [{name: prompt for name, prompt in batch.items() if name not in others} for batch in batches]


def transfer_steps(
    prompts: Named | Sequence[Named],
    sources: LanguageModel | Sequence[LanguageModel],
    target: LanguageModel,
    *,
    method: Stepwise = GradientSearch(),
    weights: Sequence[float] | None = None,
    every: int = 50,
) -> Iterator[tuple[int, Named]]:
    """What a stepwise method has found after every so many steps; otherwise like `transfer_many`."""
    batches = [prompts] if isinstance(prompts, dict) else list(prompts)
    batch = _gather(batches, sources, weights)
    for step, vectors in _stepwise(method).candidates(batch, target, every=every):
        _check_shape(vectors, method, batch, target)
        yield step, _all_made(batches[0], vectors, batch, target, method)


def _gather(
    batches: Sequence[Named], sources: LanguageModel | Sequence[LanguageModel], weights: Sequence[float] | None
) -> list[Source]:
    sources = [sources] if isinstance(sources, LanguageModel) else list(sources)
    if len(batches) != len(sources):
        raise PromptError(f"prompts for {len(batches)} models and {len(sources)} sources; they must go together")
    if any(batch.keys() != batches[0].keys() for batch in batches):
        raise PromptError("the sources' prompts are not for the same tasks and seeds")
    for name in batches[0]:
        _check_alike([batch[name] for batch in batches])
    return _sources(batches, sources, weights)


def _all_made(
    prompts: Named, vectors: Vectors, batch: Sequence[Source], target: LanguageModel, method: Method
) -> Named:
    return {
        job: _made(prompt, one, batch, target, method, "none")
        for (job, prompt), one in zip(prompts.items(), vectors, strict=True)
    }


def _sources(
    batches: Sequence[Named], sources: Sequence[LanguageModel], weights: Sequence[float] | None
) -> list[Source]:
    shares = _shares(weights, len(sources))
    for prompts, lm in zip(batches, sources, strict=True):
        for prompt in prompts.values():
            if prompt.model != lm.name:
                raise PromptError(
                    f"the prompt for {prompt.task} was made for {prompt.model}, not for {lm.name}; "
                    "name the sources in the order of their prompts, and the target last"
                )
    return [
        Source(lm, torch.stack([prompt.on(lm) for prompt in prompts.values()]), share)
        for prompts, lm, share in zip(batches, sources, shares, strict=True)
    ]


def _shares(weights: Sequence[float] | None, count: int) -> list[float]:
    weights = [1.0] * count if weights is None else [float(weight) for weight in weights]
    if len(weights) != count:
        raise PromptError(f"{len(weights)} weights for {count} sources; give one for each")
    total = sum(weights)
    if not abs(total) > 1e-9 or not abs(total) < float("inf"):
        raise PromptError(
            f"weights {', '.join(map(str, weights))} add up to {total}; they must add up to a number but 0"
        )
    return [weight / total for weight in weights]


def _check_alike(prompts: Sequence[SoftPrompt]) -> None:
    for name in ("task", "template"):
        values = sorted({getattr(prompt, name) for prompt in prompts})
        if len(values) > 1:
            raise PromptError(f"prompts with different {name}s cannot be combined: {', '.join(values)}")


def _carried(method: Method, batch: Sequence[Source], target: LanguageModel) -> Vectors:
    """What a method finds, if it is one and keeps to its promise."""
    if isinstance(method, type) or not isinstance(method, Method):
        raise PromptError(
            f"method {getattr(method, '__name__', method)!r}: a method of transfer is an object that can be called and "
            "has a label, such as ClosedForm(), with the brackets"
        )
    found = method(batch, target)
    _check_shape(found, method, batch, target)
    return found


def _check_shape(found: object, method: Method, batch: Sequence[Source], target: LanguageModel) -> None:
    wanted = (*batch[0].vectors.shape[:-1], target.dim)
    shape = tuple(found.shape) if isinstance(found, Tensor) else type(found).__name__
    if shape != wanted:
        raise PromptError(
            f"{method.label}: gave {shape} for {target.name}; a method gives a tensor of prompts x length x width, "
            f"here {wanted}"
        )


def _stepwise(method: Method) -> Stepwise:
    if isinstance(method, type) or not isinstance(method, Stepwise):
        label = getattr(method, "label", method)
        raise PromptError(f"{label} has no steps to pick from; take a stepwise method, such as GradientSearch()")
    return method


def _best_on_dev(
    prompt: SoftPrompt, batch: Sequence[Source], target: LanguageModel, method: Stepwise, dev: Task
) -> Float[Tensor, "length dim"]:
    best, best_score = None, -1.0
    for _, found in method.candidates(batch, target):
        _check_shape(found, method, batch, target)
        score = accuracy(target, dev, _made(prompt, found[0], batch, target, method, "dev"), split="dev").value
        if score > best_score:
            best, best_score = found[0], score
    if best is None:
        raise PromptError(f"{method.label}: made no step, so there is none to pick")
    return best


def _made(
    prompt: SoftPrompt,
    vectors: Float[Tensor, "length dim"],
    batch: Sequence[Source],
    target: LanguageModel,
    method: Method,
    selection: str,
) -> SoftPrompt:
    settings: dict[str, Setting] = {
        "method": method.label,
        "options": str(_fields(method)),
        "sources": ", ".join(f"{source.lm.name} ({source.weight:.3g})" for source in batch),
        "selection": selection,
    }
    return SoftPrompt(vectors, target.name, prompt.task, prompt.template, prompt.seed, settings)


def _fields(method: Method) -> dict[str, object]:
    """What a method was set to, whether it is a data class, or holds attributes or slots."""
    if is_dataclass(method) and not isinstance(method, type):
        return asdict(method)
    state = object.__getstate__(method)
    attributes, slots = state if isinstance(state, tuple) else (state, None)
    return {**(attributes or {}), **(slots or {})}
