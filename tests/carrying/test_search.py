import pytest
import torch

import ptlib as pt
from ptlib.carrying.lengths import Statistics


@pytest.fixture
def problem():
    """Random relative representations and anchors in double precision: 7 prompts of 3 vectors, 90 anchors, 20 wide."""
    generator = torch.Generator().manual_seed(11)
    anchors = torch.randn(90, 20, generator=generator, dtype=torch.float64)
    vectors = torch.randn(7, 3, 35, generator=generator, dtype=torch.float64)
    seen_from = torch.randn(90, 35, generator=generator, dtype=torch.float64)
    return pt.carrying.relative(vectors, seen_from), anchors


def random_rotation(dim):
    return torch.linalg.qr(torch.randn(dim, dim, generator=torch.Generator().manual_seed(5), dtype=torch.float64))[0]


def test_relative_representations_survive_rotation_and_scaling():
    generator = torch.Generator().manual_seed(2)
    anchors, vectors = (torch.randn(n, 16, generator=generator, dtype=torch.float64) for n in (40, 6))
    turned = random_rotation(16) * 3.7
    torch.testing.assert_close(
        pt.carrying.relative(vectors @ turned, anchors @ turned), pt.carrying.relative(vectors, anchors)
    )
    torch.testing.assert_close(
        pt.carrying.agreement(vectors, vectors @ turned, anchors, anchors @ turned), torch.ones(6).double()
    )


def test_models_that_share_one_direction_and_nothing_else_do_not_agree():
    generator = torch.Generator().manual_seed(8)

    def space():
        return torch.randn(300, 16, generator=generator, dtype=torch.float64) + 3.0

    first, second = space(), space()
    plain = torch.cosine_similarity(
        pt.carrying.relative(first[:200], first[200:]), pt.carrying.relative(second[:200], second[200:])
    )
    assert plain.mean() > 0.9
    assert pt.carrying.agreement(first[:200], second[:200], first[200:], second[200:]).mean().abs() < 0.1


@pytest.mark.parametrize("count", [None, 45])
def test_no_search_finds_better_than_the_closed_form(problem, count):
    wanted, anchors = problem
    mask = None if count is None else pt.Anchors("nearest", count).mask(wanted)
    exact = pt.carrying.closed_form(wanted, anchors, mask=mask)
    best = pt.carrying.objective(exact, wanted, anchors, mask)
    for _, found in pt.carrying.gradient_search(wanted, anchors, steps=400, learning_rate=0.05, mask=mask):
        reached = pt.carrying.objective(found, wanted, anchors, mask)
        assert (reached <= best + 1e-12).all()
    assert (reached > best - 1e-3).all()  # and the search does come near, so that it was a rival


def test_the_closed_form_finds_a_vector_from_its_own_relative_representation(problem):
    _, anchors = problem
    vectors = torch.randn(4, 20, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    found = pt.carrying.closed_form(pt.carrying.relative(vectors, anchors), anchors)
    torch.testing.assert_close(torch.cosine_similarity(found, vectors), torch.ones(4, dtype=torch.float64))


def test_a_large_ridge_is_the_weighted_sum_of_the_anchors(problem):
    wanted, anchors = problem
    found = pt.carrying.closed_form(wanted, anchors, ridge=1e9)
    weighted = wanted @ torch.nn.functional.normalize(anchors, dim=-1)
    assert (torch.cosine_similarity(found, weighted, dim=-1) > 1 - 1e-9).all()


def test_averaging_losses_is_averaging_unit_representations(problem):
    """The sum of two cosines is largest where the cosine to the sum of the unit vectors is."""
    first, anchors = problem
    second = first.flip(0)
    unit = torch.nn.functional.normalize
    found = pt.carrying.closed_form(unit(first, dim=-1) + unit(second, dim=-1), anchors)

    def both(vectors):
        return pt.carrying.objective(vectors, first, anchors) + pt.carrying.objective(vectors, second, anchors)

    for noise in torch.randn(50, *found.shape, generator=torch.Generator().manual_seed(3), dtype=torch.float64):
        assert (both(found + 0.05 * noise * found.norm(dim=-1, keepdim=True) / 20**0.5) <= both(found) + 1e-12).all()


def test_too_few_anchors_need_a_ridge(problem):
    wanted, anchors = problem
    with pytest.raises(pt.PromptError, match="12 anchors for vectors 20 wide"):
        pt.carrying.closed_form(wanted[..., :12], anchors[:12])
    with pytest.raises(pt.PromptError, match="9 anchors for vectors 20 wide"):
        pt.carrying.closed_form(wanted, anchors, mask=pt.Anchors("nearest", 9).mask(wanted))
    assert torch.isfinite(pt.carrying.closed_form(wanted[..., :12], anchors[:12], ridge=0.01)).all()


def plain_search(wanted, anchors, mask, inside, steps):
    """The search as the paper writes it: all anchors at each step, and the objective as it is defined."""
    length, dim = wanted.shape[-2], anchors.shape[1]
    start = torch.empty(length, dim, dtype=anchors.dtype)
    torch.nn.init.xavier_normal_(start, generator=torch.Generator().manual_seed(0))
    vectors = start.expand(*wanted.shape[:-2], length, dim).clone().requires_grad_()
    optimizer = torch.optim.Adam([vectors], lr=5e-3)
    for _ in range(steps):
        optimizer.zero_grad()
        candidates = vectors if inside is None else inside.give(vectors)
        (1 - pt.carrying.objective(candidates, wanted, anchors, mask).mean(dim=-1)).sum().backward()
        optimizer.step()
    return (vectors if inside is None else inside.give(vectors)).detach()


@pytest.mark.parametrize("inside", [None, Statistics(mean=0.1, spread=0.5)], ids=["after", "inside"])
@pytest.mark.parametrize("count", [None, 45])
def test_the_search_takes_the_same_steps_as_one_that_looks_at_all_anchors(problem, count, inside):
    wanted, anchors = problem
    mask = None if count is None else pt.Anchors("nearest", count).mask(wanted)
    ((_, found),) = pt.carrying.gradient_search(wanted, anchors, steps=200, mask=mask, inside=inside, every=200)
    torch.testing.assert_close(found, plain_search(wanted, anchors, mask, inside, steps=200), rtol=1e-5, atol=1e-5)


def test_the_search_needs_no_more_anchors_than_there_are(problem):
    wanted, anchors = problem
    ((_, found),) = pt.carrying.gradient_search(wanted[..., :12], anchors[:12], steps=50, every=50)
    expected = plain_search(wanted[..., :12], anchors[:12], None, None, steps=50)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


def test_statistics_are_given_to_each_prompt_by_itself():
    vectors = (
        torch.randn(2, 5, 64, generator=torch.Generator().manual_seed(0)) * torch.tensor([1.0, 9.0])[:, None, None]
    )
    given = Statistics(mean=0.3, spread=0.2).give(vectors)
    torch.testing.assert_close(given.mean(dim=(1, 2)), torch.tensor([0.3, 0.3]))
    torch.testing.assert_close(given.std(dim=(1, 2)), torch.tensor([0.2, 0.2]))


def test_statistics_inside_the_search_hold_at_every_step(problem):
    wanted, anchors = problem
    inside = Statistics(mean=0.1, spread=0.5)
    for _, found in pt.carrying.gradient_search(wanted, anchors, steps=20, inside=inside, every=5):
        torch.testing.assert_close(found, inside.give(found))
