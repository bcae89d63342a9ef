"""What reaches the fast policy and is not what it should be: nothing is proposed from it, and it acts again by itself on what is."""

import array
import math

import numpy as np
import pytest
from feeding import BAD_STATES, HOUR_S, Feeler
from solo import sample, solo, stamp_of

from tactus_core.types import ActionChunk
from tactus_nodes import convert_tactus, topics
from tactus_nodes.fast_policy import FastPolicyNode


def chunk(card, stamp_s, sequence=1, **fields):
    """Return the message of a good chunk, with some fields altered."""
    data = np.zeros(card.sample_shape, np.float32)
    made = ActionChunk(stamp_s, card.kind, card.row_dt_s, data, find_home(), sequence, card.id)
    message = convert_tactus.to_chunk(made, "base")
    for name, value in fields.items():
        setattr(message, name, value(message) if callable(value) else value)
    return message


def find_home():
    T = np.eye(4)
    T[:3, 3] = 0.4, 0.0, 0.1
    return T


@pytest.fixture
def fast(bundle, robot):
    """Return (bench, feeler, proposals) of a fast policy that has felt something."""
    with solo(FastPolicyNode, "fast_policy", bundle=bundle) as bench:
        proposals = bench.hear(topics.PROPOSAL)
        feeler = Feeler(bench, robot, lambda: (bench.node.ticks, bench.node.counts["refused_states"]))
        feeler.feel()
        yield bench, feeler, proposals


def plan(bench, message):
    message.bundle_hash = message.bundle_hash or bench.node._hash
    arrived = bench.arrivals(topics.CHUNK)
    bench.send(topics.CHUNK, message)
    bench.until(arrived, "a chunk to arrive")


def proposes(bench, feeler, proposals, sequence):
    """Wait until a touch is answered by a proposal from chunk `sequence`."""
    count = len(proposals)
    feeler.feel()
    bench.until(lambda: len(proposals) > count and proposals[-1].header.stamp == stamp_of(feeler.stamp_s), "a proposal")
    assert proposals[-1].chunk_sequence == sequence


def nan_in(name, index=-1, value=math.nan):
    def spoil(message):
        values = array.array("f" if name == "data" else "d", getattr(message, name))
        values[index] = value
        return values

    return {name: spoil}


BAD_CHUNKS = {
    "NaN": nan_in("data"),
    "infinity": nan_in("data", 0, math.inf),
    "anchor of NaN": nan_in("anchor", 0),
    "anchor of infinity": nan_in("anchor", 5, -math.inf),
    "anchor without rotation": {"anchor": [0.4, 0.0, 0.1, 0.0, 0.0, 0.0, 0.0]},
    "past": {"stamp": -HOUR_S},
    "future": {"stamp": HOUR_S},
    "again": {"stamp": 0.0, "sequence": 5},
    "out of order": {"sequence": 4},
    "too short": {"steps": 7, "data": lambda m: m.data[: 7 * 4]},
    "ragged": {"data": lambda m: m.data[:-1]},
    "no data": {"data": []},
    "unknown kind": {"kind": "dance"},
    "other kind": {"kind": "action"},
    "other bundle": {"bundle": "somebody@1"},
    "other weights": {"bundle_hash": "0" * 64},
    "no time step": {"dt_s": 0.0},
    "time step of NaN": {"dt_s": math.nan},
    "endless time step": {"dt_s": math.inf},
}


def test_a_bad_chunk_is_refused_and_the_good_one_played_on(fast, card):
    bench, feeler, proposals = fast
    plan(bench, chunk(card, feeler.stamp_s, 5))
    proposes(bench, feeler, proposals, 5)
    for number, (name, fields) in enumerate(BAD_CHUNKS.items(), start=1):
        fields = dict(fields)
        sequence, shift_s = fields.pop("sequence", 6), fields.pop("stamp", 0.0)
        plan(bench, chunk(card, feeler.stamp_s + shift_s, sequence, **fields))
        assert bench.node.counts["refused_chunks"] == number, name
        proposes(bench, feeler, proposals, 5)
    plan(bench, chunk(card, feeler.stamp_s, 6))
    proposes(bench, feeler, proposals, 6)
    assert bench.node.counts["refused_chunks"] == len(BAD_CHUNKS)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # sums of infinities
def test_from_a_bad_state_nothing_is_proposed_and_the_next_good_one_is_answered(fast, card):
    bench, feeler, proposals = fast
    plan(bench, chunk(card, feeler.stamp_s, 5))
    proposes(bench, feeler, proposals, 5)
    for number, (name, alteration) in enumerate(BAD_STATES.items(), start=1):
        count = len(proposals)
        feeler.feel(**alteration)
        assert bench.node.counts["refused_states"] == number, name
        assert bench.node.trouble, name
        proposes(bench, feeler, proposals, 5)
        assert len(proposals) == count + 1, name
        assert not bench.node.trouble


@pytest.mark.parametrize("step_s", [HOUR_S, -HOUR_S, -0.5], ids=["an hour ahead", "an hour back", "half a second back"])
def test_a_step_of_the_devices_clock_ends_the_plan_and_the_next_one_is_played(fast, card, step_s):
    bench, feeler, proposals = fast
    plan(bench, chunk(card, feeler.stamp_s, 5))
    proposes(bench, feeler, proposals, 5)
    feeler.stamp_s += step_s
    count = len(proposals)
    feeler.feel(5)
    assert "no chunk" in bench.node.trouble
    assert all(proposal.release for proposal in proposals[count:])
    plan(bench, chunk(card, feeler.stamp_s, 6))
    proposes(bench, feeler, proposals, 6)


def test_a_silent_wrench_stops_proposals_and_is_named(fast, card, robot):
    bench, feeler, proposals = fast
    plan(bench, chunk(card, feeler.stamp_s, 5))
    proposes(bench, feeler, proposals, 5)
    count = len(proposals)

    def stale():
        feeler.stamp_s += 0.005
        for topic, message in sample(robot, feeler.stamp_s):
            if topic is not topics.WRENCH:
                bench.send(topic, message)
        return "wrench: nothing for" in bench.node.statuses()[0].message + bench.node.stale()

    bench.until(stale, "the wrench to be missed")
    assert len(proposals) == count
    feeler.feel()
    plan(bench, chunk(card, feeler.stamp_s, 6))
    proposes(bench, feeler, proposals, 6)
