"""Bad data on the wires of single nodes: nothing is made of it, the node says why, and goes on by itself when good data returns."""

import array
import math

import numpy as np
import pytest
from solo import sample, solo, stamp_of

from tactus_core.policy.card import load_card
from tactus_core.types import ActionChunk
from tactus_msgs.msg import Features
from tactus_nodes import convert, convert_tactus, topics
from tactus_nodes.fast_policy import FastPolicyNode
from tactus_nodes.slow_policy import SlowPolicyNode

HOUR_S = 3600.0
START_S = 1.8e9  # the device's clock, far from this machine's: nobody may compare the two


@pytest.fixture
def card(bundle):
    return load_card(bundle / "card.yaml")


def chunk(card, stamp_s, sequence=1, **fields):
    """Return the message of a good chunk, with some fields altered."""
    data = np.zeros(card.sample_shape, np.float32)
    made = ActionChunk(stamp_s, card.kind, card.sample_dt_s, data, find_home(), sequence, card.id)
    message = convert_tactus.to_chunk(made, "base")
    for name, value in fields.items():
        setattr(message, name, value(message) if callable(value) else value)
    return message


def find_home():
    T = np.eye(4)
    T[:3, 3] = 0.4, 0.0, 0.1
    return T


class Feeler:
    """Feeds a policy with sensor samples of a device whose clock the test sets. progress: changes with each sample that is dealt with."""

    def __init__(self, bench, robot, progress):
        self.bench, self.robot, self.progress, self.stamp_s = bench, robot, progress, START_S

    def feel(self, count=1, **alterations):
        """Have samples dealt with, 5 ms of the device's time apart; on a busy machine a sample may come too late for the others."""
        for _ in range(count):
            before = self.progress()
            while self.progress() == before:
                self.stamp_s += 0.005
                arrived = self.bench.arrivals(topics.TACTILE)
                for topic, message in sample(self.robot, self.stamp_s, **alterations):
                    self.bench.send(topic, message)
                self.bench.until(arrived, "touch to arrive")


@pytest.fixture
def fast(bundle, robot):
    """Return (bench, feeler, proposals) of a fast policy that has felt something."""
    with solo(FastPolicyNode, "fast_policy", bundle=bundle) as bench:
        proposals = bench.hear(topics.PROPOSAL)
        feeler = Feeler(bench, robot, lambda: (bench.node.ticks, bench.node.counts["refused_states"]))
        feeler.feel()
        yield bench, feeler, proposals


def plan(bench, message):
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


def spoil(name, value):
    return lambda message: setattr(message, name, value)


def taxels_of(*shape, value=0.0):
    def alter(message):
        made = convert.taxel_cloud(*shape)
        convert.put_taxels(np.full((*shape, 6), value), made)
        message.height, message.width, message.row_step, message.data = made.height, made.width, made.row_step, made.data

    return alter


def wrench_of(value):
    return lambda message: setattr(message.wrench.force, "z", value)


BAD_STATES = {
    "joint of NaN": {"joints": spoil("position", [math.nan] * 23)},
    "joint of infinity": {"joints": lambda m: m.position.__setitem__(3, math.inf)},
    "no joints": {"joints": spoil("position", [])},
    "wrong names": {"joints": spoil("name", [f"other_{i}" for i in range(23)])},
    "wrench of NaN": {"wrench": wrench_of(math.nan)},
    "wrench of infinity": {"wrench": wrench_of(-math.inf)},
    "wrench elsewhere": {"wrench": lambda m: setattr(m.header, "frame_id", "base")},
    "touch of NaN": {"taxels": taxels_of(4, 12, value=math.nan)},
    "touch of infinity": {"taxels": taxels_of(4, 12, value=math.inf)},
    "five fingers": {"taxels": taxels_of(5, 12)},
    "no touch": {"taxels": taxels_of(0, 0)},
    "half the touch": {"taxels": lambda m: setattr(m, "data", m.data[: len(m.data) // 2])},
    "touch in other units": {"taxels": lambda m: setattr(m.fields[3], "datatype", 8)},
    "touch of another layout": {"taxels": lambda m: setattr(m.fields[3], "name", "temperature")},
    "touch in rows that do not fit": {"taxels": lambda m: (setattr(m, "row_step", 576), setattr(m, "height", 2), setattr(m, "width", 99))},
}


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


@pytest.fixture
def slow(bundle, robot):
    """Return (bench, feeler, chunks) of a slow policy that runs and has felt enough to plan."""
    with solo(SlowPolicyNode, "slow_policy", bundle=bundle, run="true") as bench:
        chunks = bench.hear(topics.CHUNK)
        feeler = Feeler(bench, robot, lambda: bench.node._history.view().stamp_s[-1:].tolist())
        feeler.feel(70)
        yield bench, feeler, chunks


def see(bench, card, stamp_s, **fields):
    message = Features(encoder=topics.encoder_name(card.id), data=[0.1, 0.2, 0.3])
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
