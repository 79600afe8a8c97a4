"""What must be true of relative representations and the closed form, whatever the shapes and numbers."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import normalize

import ptlib as pt
from ptlib.carrying import Source, closed_form, objective, relative
from ptlib.carrying.by_relations import encode_sources, finish
from ptlib.carrying.carry import _shares

theorem = settings(derandomize=True, deadline=None, max_examples=40, database=None)
EXACT = {"rtol": 1e-7, "atol": 1e-9}


@st.composite
def problems(draw):
    """Relative representations of some prompts, the anchors of a target, which are more than its dimensions, a seed."""
    prompts, length = draw(st.integers(1, 4)), draw(st.integers(1, 5))
    dim, source_dim = draw(st.integers(2, 12)), draw(st.integers(2, 16))
    count = draw(st.integers(dim + 2, 3 * dim + 8))
    seed = draw(st.integers(0, 2**31))
    make = torch.Generator().manual_seed(seed)
    anchors, here, vectors = (
        torch.randn(*shape, generator=make, dtype=torch.float64)
        for shape in ((count, dim), (count, source_dim), (prompts, length, source_dim))
    )
    return relative(vectors, here), anchors, make


def rotation(dim, make):
    return torch.linalg.qr(torch.randn(dim, dim, generator=make, dtype=torch.float64))[0]


@theorem
@given(problems(), st.booleans())
def test_the_gradient_of_the_objective_is_zero_at_the_closed_form(problem, masked):
    wanted, anchors, make = problem
    mask = pt.Anchors("nearest", anchors.shape[1] + 1).mask(wanted) if masked else None
    found = closed_form(wanted, anchors, mask=mask).requires_grad_()
    objective(found, wanted, anchors, mask).sum().backward()
    at_the_optimum = found.grad.norm(dim=-1) * found.detach().norm(dim=-1)  # free of the vectors' lengths
    elsewhere = torch.randn(found.shape, generator=make, dtype=torch.float64).requires_grad_()
    objective(elsewhere, wanted, anchors, mask).sum().backward()
    assert at_the_optimum.max() < 1e-6
    if anchors.shape[1] > 2:  # on a line all vectors are as good as their sign
        assert (elsewhere.grad.norm(dim=-1) * elsewhere.detach().norm(dim=-1)).max() > 1e-3


@theorem
@given(problems(), st.floats(1e-3, 1e3))
def test_relative_representations_do_not_change_when_all_is_turned_and_scaled(problem, scale):
    _, anchors, make = problem
    dim = anchors.shape[1]
    vectors = torch.randn(6, dim, generator=make, dtype=torch.float64)
    turned = scale * rotation(dim, make)
    torch.testing.assert_close(relative(vectors @ turned, anchors @ turned), relative(vectors, anchors), **EXACT)
    torch.testing.assert_close(relative(scale * vectors, anchors), relative(vectors, anchors), **EXACT)


@theorem
@given(problems(), st.floats(1e-3, 1e3), st.sampled_from([0.0, 0.01, 1.0]))
def test_a_turned_target_gets_the_turned_prompt(problem, scale, ridge):
    wanted, anchors, make = problem
    turn = rotation(anchors.shape[1], make)
    straight = closed_form(wanted, anchors, ridge=ridge)
    turned = closed_form(wanted, scale * anchors @ turn, ridge=ridge)
    torch.testing.assert_close(turned, straight @ turn, rtol=1e-6, atol=1e-7 * straight.abs().max().item())


@theorem
@given(problems())
def test_a_ridge_without_end_leaves_the_weighted_sum_of_the_anchors(problem):
    wanted, anchors, _ = problem
    unit = normalize(anchors, dim=-1)
    summed = wanted @ unit / (len(unit) / unit.shape[1])  # a cosine fixes no length; the mean eigenvalue of A'A sets it
    distance = [
        (closed_form(wanted, anchors, ridge=ridge) - summed).norm() / summed.norm() for ridge in (1e2, 1e4, 1e9)
    ]
    assert distance[0] > 10 * distance[1] > 100 * distance[2]
    assert distance[2] < 1e-6


@theorem
@given(problems(), st.floats(1e-2, 1e2))
def test_the_closed_form_is_linear_in_what_is_wanted(problem, factor):
    """So sources can be mixed before or after it."""
    wanted, anchors, _ = problem
    other = wanted.flip(0) ** 3
    mixed = closed_form(wanted + factor * other, anchors)
    apart = closed_form(wanted, anchors) + factor * closed_form(other, anchors)
    torch.testing.assert_close(mixed, apart, rtol=1e-6, atol=1e-8 * mixed.abs().max().item())


@theorem
@given(st.lists(st.floats(0.05, 20), min_size=1, max_size=6), st.floats(1e-3, 1e3), st.randoms(use_true_random=False))
def test_weights_count_by_their_shares_and_stay_with_their_sources(weights, factor, shuffle):
    shares = torch.tensor(_shares(weights, len(weights)))
    torch.testing.assert_close(shares.sum(), torch.tensor(1.0))
    torch.testing.assert_close(torch.tensor(_shares([factor * weight for weight in weights], len(weights))), shares)
    order = list(range(len(weights)))
    shuffle.shuffle(order)
    torch.testing.assert_close(torch.tensor(_shares([weights[i] for i in order], len(order))), shares[order])


@settings(theorem, max_examples=12)  # with whole models
@given(
    st.permutations([0, 1, 2]),
    st.lists(st.floats(0.1, 5), min_size=3, max_size=3),
    st.sampled_from(["representations", "losses"]),
    st.booleans(),
    st.sampled_from(["all", "nearest"]),
    st.integers(0, 1000),
)
def test_the_order_of_sources_does_not_matter(lms, order, weights, combine, centre, by, seed):
    names, target = ["bert-small", "roberta-small", "gpt2-small"], lms["albert-small"]
    make = torch.Generator().manual_seed(seed)
    sources = [
        Source(lms[name], torch.randn(2, 3, lms[name].dim, generator=make), share)
        for name, share in zip(names, _shares(weights, 3), strict=True)
    ]
    anchors = pt.Anchors(by, None if by == "all" else 400)
    there = []
    for arranged in (sources, [sources[i] for i in order]):
        wanted, _, mask = encode_sources(arranged, target, anchors, combine, centre=centre)
        there.append((wanted, mask))
    torch.testing.assert_close(there[0][0], there[1][0], rtol=1e-4, atol=1e-6)
    if by == "nearest":
        assert (there[0][1] == there[1][1]).float().mean() > 0.999  # rounding may swap two that are equally near
    lengths = [
        finish(torch.ones(2, 3, target.dim), "carried", arranged, target) for arranged in (sources, sources[::-1])
    ]
    torch.testing.assert_close(*lengths, rtol=1e-4, atol=1e-6)
