"""Schedules of cached blocks: the best that there are, and none whose later layers see what the earlier ones hide from them."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tactus_core.engines.blocks import KINDS, Block
from tactus_core.policy.refreshing import Reuse, adaptive, best_refreshes, bubbling_union, reuse_error, uniform

LAYERS = 3
BLOCKS = tuple(Block(layer, kind) for layer in range(LAYERS) for kind in KINDS)
STEPS = 12


def last_refresh(refreshes, step):
    return max(at for at in refreshes if at <= step)


@st.composite
def similarities(draw):
    steps = draw(st.integers(1, 8))
    return draw(arrays(np.float64, (steps, steps), elements=st.floats(-1.0, 1.0))), draw(st.integers(1, steps))


@settings(max_examples=50, deadline=None)
@given(similarities())
def test_no_other_choice_resembles_more(case):
    similarity, count = case
    steps = len(similarity)

    def score(refreshes):
        return sum(similarity[last_refresh(refreshes, step), step] for step in range(steps))

    found = best_refreshes(similarity, count)
    assert len(found) == count
    assert found == tuple(sorted(set(found)))
    assert found[0] == 0
    best = max(score((0, *others)) for others in combinations(range(1, steps), count - 1))
    assert score(found) == pytest.approx(best)


def with_bits(bits):
    return tuple(step for step in range(STEPS) if (bits << 1 | 1) >> step & 1)


refreshed = st.integers(0, 2 ** (STEPS - 1) - 1).map(with_bits)
schedules = st.tuples(*[refreshed] * len(BLOCKS)).map(lambda steps: dict(zip(BLOCKS, steps, strict=True)))


@settings(max_examples=50, deadline=None)
@given(schedules, st.sets(st.sampled_from(BLOCKS)))
def test_a_selected_block_is_refreshed_with_every_feed_forward_of_its_layer_and_behind_it(alone, selected):
    made = bubbling_union(alone, list(selected))
    for block, steps in made.items():
        assert steps == tuple(sorted(set(steps)))
        assert set(alone[block]) <= set(steps)
        assert block in selected or steps == alone[block]
    for block in selected:
        for layer in range(block.layer, LAYERS):
            assert set(made[Block(layer, "feed_forward")]) <= set(made[block])


@settings(max_examples=20, deadline=None)
@given(arrays(np.float32, (6, 4), elements=st.floats(-100.0, 100.0, width=32)))
def test_a_block_resembles_itself(outputs):
    reuse = Reuse.of(outputs)
    assert (np.abs(reuse.similarity) < 1.0 + 1e-5).all()
    np.testing.assert_allclose(reuse.similarity, reuse.similarity.T, atol=1e-6)
    np.testing.assert_array_equal(np.diag(reuse.difference), 0.0)
    np.testing.assert_allclose(reuse.difference[2, 5], np.abs(outputs[2] - outputs[5]).mean(), rtol=1e-5)


@settings(max_examples=20, deadline=None)
@given(st.integers(1, STEPS), st.integers(0, len(BLOCKS)), st.integers(0, 2**32 - 1))
def test_the_blocks_whose_reuse_errs_most_are_refreshed_more_often(refreshes, bubbled, seed):
    rng = np.random.default_rng(seed)
    reuse = {block: Reuse.of(rng.standard_normal((STEPS, 5)).astype(np.float32)) for block in BLOCKS}
    schedule = adaptive(reuse, refreshes, bubbled)
    assert all(steps[0] == 0 and refreshes <= len(steps) <= STEPS for steps in schedule.values())
    assert sum(len(steps) > refreshes for steps in schedule.values()) <= bubbled


def test_what_is_always_refreshed_errs_nowhere():
    difference = np.full((4, 4), 3.0)
    assert reuse_error(difference, (0, 1, 2, 3)) == 0.0
    assert reuse_error(difference, (0,)) == 3.0


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 200).flatmap(lambda steps: st.tuples(st.just(steps), st.integers(1, steps))))
def test_a_uniform_schedule_has_as_many_refreshes_as_were_asked_for(case):
    steps, refreshes = case
    for at in uniform(BLOCKS, steps, refreshes).values():
        assert len(set(at)) == refreshes
        assert at[0] == 0
        assert at[-1] < steps
        assert max(np.diff((*at, steps))) - min(np.diff((*at, steps))) <= 1
