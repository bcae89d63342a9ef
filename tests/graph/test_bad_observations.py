"""What reaches the slow policy and is not what it should be: nothing is planned from it, and it is planned again from what is."""

import math

import pytest
from feeding import BAD_STATES, HOUR_S, Feeler
from solo import solo, stamp_of

from tactus_msgs.msg import Features
from tactus_nodes import topics
from tactus_nodes.slow_policy import SlowPolicyNode


@pytest.fixture
def slow(bundle, robot):
    """Return (bench, feeler, chunks) of a slow policy that runs and has felt enough to plan."""
    with solo(SlowPolicyNode, "slow_policy", bundle=bundle, run="true") as bench:
        chunks = bench.hear(topics.CHUNK)
        feeler = Feeler(bench, robot, lambda: [bench.node._replanning._felt_s])
        feeler.feel(70)
        yield bench, feeler, chunks


def see(bench, card, stamp_s, **fields):
    message = Features(encoder=topics.encoder_name(card.id), bundle_hash=bench.node._made_by["bundle_hash"], data=[0.1, 0.2, 0.3])
    for name, value in fields.items():
        setattr(message, name, value)
    message.header.stamp = stamp_of(stamp_s)
    arrived = bench.arrivals(topics.FEATURES)
    bench.send(topics.FEATURES, message)
    bench.until(arrived, "features to arrive")


def plans(bench, feeler, chunks, card):
    """Wait until an image is answered by a chunk: touch keeps coming, as it does on a robot."""
    feeler.feel()
    see(bench, card, feeler.stamp_s)
    bench.until(lambda: chunks and chunks[-1].header.stamp == stamp_of(feeler.stamp_s), "a chunk")


@pytest.mark.parametrize("step_s", [0.0, HOUR_S, -HOUR_S], ids=["no step", "an hour ahead", "an hour back"])
def test_the_slow_policy_plans_by_the_devices_time_whatever_its_clock_says(slow, card, step_s):
    bench, feeler, chunks = slow
    plans(bench, feeler, chunks, card)
    feeler.stamp_s += step_s
    if step_s:
        count = len(chunks)
        feeler.feel()
        see(bench, card, feeler.stamp_s)
        assert len(chunks) == count  # a past of one sample is none to plan from
    feeler.feel(120)
    plans(bench, feeler, chunks, card)


BAD_FEATURES = {
    "an hour old": {"age_s": HOUR_S},
    "an hour ahead": {"age_s": -HOUR_S},
    "too old": {"age_s": 0.31},
    "NaN": {"data": [math.nan, 0.0, 0.0]},
    "infinity": {"data": [0.0, math.inf, 0.0]},
    "too few": {"data": [0.0]},
    "another encoder's": {"encoder": "other@1/encoder"},
    "of other weights": {"bundle_hash": "0" * 64},
}


def test_from_bad_features_nothing_is_planned_and_good_ones_are_answered(slow, card):
    bench, feeler, chunks = slow
    feeler.feel(70)  # an image that is too old must still be one since the start
    for name, fields in BAD_FEATURES.items():
        fields, count = dict(fields), len(chunks)
        feeler.feel()
        see(bench, card, feeler.stamp_s - fields.pop("age_s", 0.0), **fields)
        assert (len(chunks), bench.node.ticks) == (count, 0), name
    plans(bench, feeler, chunks, card)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # sums of infinities
def test_from_a_bad_state_nothing_is_planned_and_from_the_next_good_one_a_chunk_is(slow, card):
    bench, feeler, chunks = slow
    for name, alteration in BAD_STATES.items():
        count = len(chunks)
        feeler.feel(**alteration)
        see(bench, card, feeler.stamp_s)
        assert (len(chunks), bench.node.ticks) == (count, 0), name
        assert bench.node.trouble, name
        bench.node.trouble = ""
    feeler.feel(70)
    plans(bench, feeler, chunks, card)


def test_an_image_of_the_episode_before_is_not_planned_from(slow, card):
    bench, feeler, _ = slow
    before_s = feeler.stamp_s
    bench.node._start(True)
    feeler.stamp_s += 0.15
    feeler.feel()
    for stamp_s in (before_s, feeler.stamp_s - 0.001):
        see(bench, card, stamp_s)
        assert bench.node.trouble == ""
    assert bench.node.ticks == 0
