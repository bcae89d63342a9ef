"""What may become the plan, and what becomes of it: bad chunks never do, and never cost a good one."""

import dataclasses
import math

import numpy as np
import pytest
from conftest import write_bundle
from hypothesis import given, settings
from hypothesis import strategies as st

from tactus_core.errors import DataError, StaleError, TactusError
from tactus_core.policy.card import load_card
from tactus_core.policy.plan import Plan
from tactus_core.policy.replanning import Replanning
from tactus_core.types import ActionChunk, ChunkKind

NOW_S, FELT_S = 50.0, 1.7e9  # the receiver's steady clock, and the device's: they have nothing to do with each other
HOUR_S = 3600.0
HASH = "f" * 64


@pytest.fixture(scope="module")
def card(tmp_path_factory):
    return load_card(write_bundle(tmp_path_factory.mktemp("bundle") / "tiny", ChunkKind.LATENT) / "card.yaml")


def good(card, sequence=5, stamp_s=FELT_S - 0.2):
    data = np.zeros(card.sample_shape, np.float32)
    return ActionChunk(stamp_s, card.kind, card.row_dt_s, data, np.eye(4), sequence, card.id, HASH)


def with_plan(card):
    plan, chunk = Plan(card, HASH), good(card)
    plan.offer(chunk, FELT_S, NOW_S)
    return plan, chunk


def spoilt(values, index, value):
    values = values.copy()
    values.flat[index] = value
    return values


BAD = {
    "from the past": lambda c: {"stamp_s": c.stamp_s - HOUR_S},
    "from the future": lambda c: {"stamp_s": c.stamp_s + HOUR_S},
    "played out": lambda c: {"stamp_s": c.stamp_s - 1.2},
    "without a stamp": lambda c: {"stamp_s": math.nan},
    "the same again": lambda c: {"sequence": 5, "stamp_s": c.stamp_s},
    "an older number": lambda c: {"sequence": 4},
    "an older observation": lambda c: {"stamp_s": c.stamp_s - 0.15},
    "another bundle": lambda c: {"bundle": "other@1"},
    "other weights": lambda c: {"bundle_hash": "0" * 64},
    "of nobody knows whose weights": lambda c: {"bundle_hash": ""},
    "another kind": lambda c: {"kind": ChunkKind.ACTION},
    "another length": lambda c: {"data": c.data[1:]},
    "NaN": lambda c: {"data": spoilt(c.data, 3, np.nan)},
    "infinity": lambda c: {"data": spoilt(c.data, -1, np.inf)},
    "an anchor of NaN": lambda c: {"T_base_anchor": spoilt(c.T_base_anchor, 3, np.nan)},
    "an anchor that is no rotation": lambda c: {"T_base_anchor": spoilt(c.T_base_anchor, 0, 2.0)},
    "another time step": lambda c: {"dt_s": 0.5 * c.dt_s},
    "an endless time step": lambda c: {"dt_s": math.inf},
    "no time step": lambda c: {"dt_s": math.nan},
}


@pytest.mark.parametrize("name", BAD)
@pytest.mark.filterwarnings("error")
def test_a_bad_chunk_is_refused_and_the_good_one_goes_on(card, name):
    plan, playing = with_plan(card)
    newer = good(card, sequence=6, stamp_s=FELT_S - 0.1)
    with pytest.raises((DataError, StaleError)):
        plan.offer(dataclasses.replace(newer, **BAD[name](newer)), FELT_S, NOW_S + 0.1)
    assert plan.playing(NOW_S + 0.1) is playing
    plan.offer(newer, FELT_S, NOW_S + 0.1)
    assert plan.playing(NOW_S + 0.1) is newer


@given(
    bad=st.lists(st.tuples(st.sampled_from(sorted(BAD)), st.floats(0.0, 0.3)), max_size=20),
    validity_share=st.floats(0.0, 0.999),
)
@settings(max_examples=50, deadline=None)
def test_no_series_of_bad_chunks_ends_a_good_one_or_prolongs_it(card, bad, validity_share):
    plan, playing = with_plan(card)
    until_s = NOW_S
    for name, gap_s in bad:
        until_s += gap_s
        if until_s - NOW_S >= card.validity_s:
            break
        newer = good(card, sequence=6, stamp_s=FELT_S - 0.1)
        with pytest.raises(TactusError):
            plan.offer(dataclasses.replace(newer, **BAD[name](newer)), FELT_S, until_s)
        assert plan.playing(until_s) is playing
    assert plan.playing(NOW_S + validity_share * card.validity_s) is playing
    assert plan.playing(NOW_S + card.validity_s + 1e-6) is None


def test_nothing_is_taken_before_the_first_touch(card):
    plan = Plan(card, HASH)
    with pytest.raises(StaleError):
        plan.offer(good(card), math.nan, NOW_S)
    assert plan.playing(NOW_S) is None


def test_a_withdrawn_plan_is_gone_and_its_successor_may_start_counting_anew(card):
    plan, _ = with_plan(card)
    plan.withdraw()
    assert plan.playing(NOW_S) is None
    first = good(card, sequence=1, stamp_s=FELT_S - 0.3)
    plan.offer(first, FELT_S, NOW_S)
    assert plan.playing(NOW_S) is first


def test_a_played_out_plan_blocks_nobody(card):
    plan, _ = with_plan(card)
    restarted = good(card, sequence=1, stamp_s=FELT_S + 1.1)
    plan.offer(restarted, FELT_S + 1.3, NOW_S + 1.3)
    assert plan.playing(NOW_S + 1.3) is restarted


def felt(card, *stamps):
    replanning = Replanning(card)
    for stamp_s in stamps:
        replanning.feel(stamp_s)
    return replanning


@given(start_s=st.floats(-1e9, 2e9), age_s=st.floats(-2.0, 2.0))
def test_an_image_is_planned_from_by_its_age_against_touch_alone(card, start_s, age_s):
    replanning = felt(card, start_s - 10.0, start_s)
    seen_s = start_s - age_s
    if abs(start_s - seen_s) <= card.streams["image"].max_age_s:
        assert replanning.due(seen_s)
        return
    with pytest.raises(StaleError, match="older than the newest touch"):
        replanning.due(seen_s)


def test_an_image_from_before_the_start_is_never_planned_from(card):
    replanning = felt(card, 100.0)
    assert not replanning.due(99.99)
    assert replanning.due(100.0)
    replanning.begin()
    assert not replanning.due(100.0)  # no touch yet: nobody knows when this time began
    replanning.feel(100.2)
    assert not replanning.due(100.1)
    assert replanning.due(100.2)


@pytest.mark.parametrize("step_s", [HOUR_S, -HOUR_S])
def test_after_a_clock_step_images_of_the_old_time_wait_and_those_of_the_new_are_planned_from(card, step_s):
    replanning = felt(card, 5000.0, 5001.0)
    replanning.planned(5000.9)
    replanning.begin()
    replanning.feel(5001.0 + step_s)
    try:
        assert not replanning.due(5000.9)
    except StaleError:
        assert step_s < 0
    assert replanning.due(5001.0 + step_s)


def test_the_next_plan_waits_until_the_last_is_old_enough(card):
    replanning = felt(card, 100.0)
    replanning.planned(100.0)
    replanning.feel(100.0 + 0.9 * card.replan_s)
    assert not replanning.due(100.0 + 0.9 * card.replan_s)
    replanning.feel(100.0 + 1.1 * card.replan_s)
    assert replanning.due(100.0 + 1.1 * card.replan_s)


def test_an_image_without_a_stamp_is_not_planned_from(card):
    assert not felt(card, 100.0).due(math.nan)
