"""The average of the losses of several sources, against a loop that says it source by source."""

import pytest
import torch

import ptlib as pt
from ptlib.carrying.by_relations import Source

KEPT, STEPS = 400, 30
WEIGHTS = (0.7, 0.3)


@pytest.fixture(scope="module")
def sources(lms):
    """Prompts of two models; random vectors serve, since nothing is tuned or scored."""
    generator = torch.Generator().manual_seed(5)
    return [
        Source(lms[name], lms[name].embeddings[torch.randint(4_000, (2, 3), generator=generator)] * 1.3 + 0.01, weight)
        for name, weight in zip(("bert-small", "roberta-small"), WEIGHTS, strict=True)
    ]


def by_hand(sources, target, released):
    """The average of `1 - cosine` over sources, of one prompt, in plain loops over vectors and sources."""
    words = pt.shared_words(*(source.lm for source in sources), target)
    anchors = {lm: lm.embeddings[[lm.words[word] for word in words]] for lm in (*(s.lm for s in sources), target)}
    places, terms = range(sources[0].vectors.shape[1]), []
    for place in places:
        for source in sources:
            masking = sources[1] if released else source
            by = torch.cosine_similarity(masking.vectors[0, place], anchors[masking.lm]).tolist()
            kept = sorted(range(len(words)), key=lambda i, by=by: -by[i])[:KEPT]
            wanted = torch.cosine_similarity(source.vectors[0, place], anchors[source.lm][kept])
            terms.append((place, source.weight / len(places), wanted, anchors[target][kept]))

    def loss(vectors):
        total = 0
        for place, share, wanted, landmarks in terms:
            reached = torch.cosine_similarity(vectors[place], landmarks)
            total = total + share * (1 - torch.cosine_similarity(reached, wanted, dim=0))
        return total

    return loss


def first_prompt(sources):
    return [Source(source.lm, source.vectors[:1], source.weight) for source in sources]


@pytest.mark.parametrize("combine", ["losses", "released losses"])
def test_the_search_is_adam_on_the_average_of_the_losses(sources, lms, combine):
    sources, target = first_prompt(sources), lms["gpt2-small"]
    method = pt.GradientSearch(
        anchors=pt.Anchors("nearest", KEPT), steps=STEPS, lengths="found", inside=False, combine=combine
    )
    found = method(sources, target)[0]
    start = torch.empty(3, target.dim)
    torch.nn.init.xavier_normal_(start, generator=torch.Generator().manual_seed(0))
    vectors = start.requires_grad_()
    loss = by_hand(sources, target, released=combine != "losses")
    adam = torch.optim.Adam([vectors], lr=method.learning_rate)
    for _ in range(STEPS):
        adam.zero_grad()
        loss(vectors).backward()
        adam.step()
    torch.testing.assert_close(found, vectors.detach(), rtol=1e-3, atol=1e-4)
    other = pt.GradientSearch(
        anchors=method.anchors, steps=STEPS, lengths="found", inside=False, combine="representations"
    )
    assert not torch.allclose(other(sources, target)[0], vectors, rtol=1e-2, atol=1e-2)


@pytest.mark.parametrize("combine", ["losses", "released losses"])
def test_no_search_finds_a_lower_average_than_the_closed_form(sources, lms, combine):
    """Released losses share their anchors, so that the closed form is exact; of others it climbs to a maximum."""
    sources, target = first_prompt(sources), lms["gpt2-small"]
    anchors = pt.Anchors("nearest", KEPT)
    found = pt.ClosedForm(anchors=anchors, combine=combine, lengths="found")(sources, target)[0].requires_grad_()
    loss = by_hand(sources, target, released=combine != "losses")
    lowest = loss(found)
    lowest.backward()
    assert (found.grad.norm(dim=1) * found.norm(dim=1)).max() < 1e-4  # nowhere is up
    for seed in range(2):
        search = pt.GradientSearch(
            anchors=anchors, steps=200, learning_rate=0.1, lengths="found", inside=False, combine=combine, seed=seed
        )
        assert lowest - 1e-5 < loss(search(sources, target)[0]) < lowest + 0.02


def test_what_is_exact_is_exact_and_what_climbs_climbs():
    """In double precision, on random problems; the average by its definition, source by source."""
    generator = torch.Generator().manual_seed(7)
    anchors = torch.randn(90, 20, generator=generator, dtype=torch.float64)
    wanted = torch.randn(2, 6, 3, 90, generator=generator, dtype=torch.float64) + torch.randn(
        6, 3, 90, generator=generator, dtype=torch.float64
    )
    weights = torch.tensor(WEIGHTS, dtype=torch.float64)

    def average(vectors, mask):
        each = [pt.carrying.objective(vectors, wanted[i], anchors, mask[i]) for i in range(2)]
        return WEIGHTS[0] * each[0] + WEIGHTS[1] * each[1]

    own = pt.Anchors("nearest", 45).mask(wanted)
    for mask in (own, torch.stack([own[1], own[1]])):
        found = pt.carrying.closed_form(wanted, anchors, mask=mask, weights=weights)
        best = average(found, mask)
        torch.testing.assert_close(pt.carrying.objective(found, wanted, anchors, mask, weights), best)
        for seed in range(2):
            options = {"steps": 200, "learning_rate": 0.1, "seed": seed, "mask": mask, "weights": weights}
            for _, rival in pt.carrying.gradient_search(wanted, anchors, **options):
                reached = average(rival, mask)
                assert (reached <= best + 1e-9).all()
            assert (reached > best - 1e-2).all()


def test_sources_that_share_their_mask_are_solved_at_once():
    """Equal masks, none, and a mask of everything are one problem; a large ridge is the sum of weighted anchors."""
    generator = torch.Generator().manual_seed(9)
    anchors = torch.randn(60, 12, generator=generator, dtype=torch.float64)
    wanted = torch.randn(3, 4, 2, 60, generator=generator, dtype=torch.float64)
    weights = torch.tensor([0.5, 0.2, 0.3], dtype=torch.float64)
    everything = torch.ones_like(wanted, dtype=torch.bool)
    plain = pt.carrying.closed_form(wanted, anchors, weights=weights)
    torch.testing.assert_close(plain, pt.carrying.closed_form(wanted, anchors, mask=everything, weights=weights))
    own = pt.Anchors("nearest", 30).mask(wanted)
    leaning = pt.carrying.closed_form(wanted, anchors, mask=own, weights=weights, ridge=1e9)
    unit = torch.nn.functional.normalize
    weighted = (weights[:, None, None, None] * unit(wanted * own, dim=-1)).sum(dim=0) @ unit(anchors, dim=-1)
    assert (torch.cosine_similarity(leaning, weighted, dim=-1) > 1 - 1e-9).all()


def test_released_losses_go_by_the_second_source_s_anchors(sources, lms):
    target, method = lms["gpt2-small"], pt.ClosedForm(anchors=pt.Anchors("nearest", KEPT), combine="released losses")
    there, back = method(sources, target), method(sources[::-1], target)
    assert not torch.allclose(there, back, rtol=1e-2, atol=1e-2)
    alone = Source(sources[0].lm, sources[0].vectors)
    torch.testing.assert_close(method([alone], target), pt.ClosedForm(anchors=method.anchors)([alone], target))
    with pytest.raises(pt.PromptError, match="released losses of 3 sources: the released code has two"):
        method([*sources, sources[0]], target)


def test_weights_below_nothing_have_no_closed_form_with_masks(sources, lms):
    method = pt.ClosedForm(anchors=pt.Anchors("nearest", KEPT), combine="losses")
    odd = [Source(source.lm, source.vectors, weight) for source, weight in zip(sources, (1.5, -0.5), strict=True)]
    with pytest.raises(pt.PromptError, match="a weight below 0"):
        method(odd, lms["gpt2-small"])
    assert torch.isfinite(pt.ClosedForm(combine="losses")(odd, lms["gpt2-small"])).all()
