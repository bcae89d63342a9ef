"""What encoders that stand alone tell the slow policy and is not what it should be: nothing is planned, until it is again."""

import math

import pytest
from feeding import HOUR_S, Feeler
from solo import solo, stamp_of

from tactus_core.policy.signals import ObservedSpec
from tactus_core.policy.specs import DirectSpec, EncoderSpec, ObservationSpec, StreamSpec
from tactus_core.types import ChunkKind
from tactus_msgs.msg import Features
from tactus_nodes import topics
from tactus_nodes.slow_policy import SlowPolicyNode

SHA256 = "a" * 64
REPLAN_S = 0.05
OBSERVATION = ObservationSpec(
    {}, (ObservedSpec("wrench", (0.0,)),), {"leads": EncoderSpec(SHA256, 3, (0.0,)), "beside": EncoderSpec(SHA256, 2, (0.0,))}
)
TOPICS = topics.encoded(OBSERVATION.encoders)
BAD = {
    "an hour old": {"age_s": HOUR_S},
    "an hour ahead": {"age_s": -HOUR_S},
    "too old": {"age_s": 0.31},
    "NaN": {"data": [math.nan, 0.0, 0.0]},
    "too few": {"data": [0.0]},
    "another encoder's": {"bundle_hash": "b" * 64},
    "nobody's": {"bundle_hash": ""},
}


@pytest.fixture
def slow(bundles, robot, tmp_path):
    """Return (bench, feeler, chunks) of a slow policy that observes two encoders, runs, and has felt enough to plan."""
    streams = {name: StreamSpec(0.05, "hold") for name in ("joint_states", "wrench")}
    streams |= {"encoder/leads": StreamSpec(0.3, "wait"), "encoder/beside": StreamSpec(0.1, "wait")}
    layout = {"observation": OBSERVATION, "generator": DirectSpec(), "streams": streams, "replan_s": REPLAN_S}
    bundle = bundles.write_bundle(tmp_path / "observing", ChunkKind.ACTION, "stub_robot", **layout)
    with solo(SlowPolicyNode, "slow_policy", bundle=bundle, run="true") as bench:
        declared = {of.topic.name: of.stream(bench.node.config).max_age_s for of in SlowPolicyNode.inputs_of(bench.node.config)}
        assert set(bench.node.streams) == set(declared)
        assert [declared[f"encoder/{name}/features"] for name in TOPICS] == [0.3, 0.1]
        chunks = bench.hear(topics.CHUNK)
        feeler = Feeler(bench, robot, lambda: [bench.node._replanning._felt_s])
        feeler.feel(70)
        yield bench, feeler, chunks


def tell(bench, name, stamp_s, age_s=0.0, **fields):
    message = Features(**({"bundle_hash": SHA256, "data": [0.1] * OBSERVATION.encoders[name].features} | fields))
    message.header.stamp = stamp_of(stamp_s - age_s)
    bench.send(TOPICS[name], message)


def plans(bench, feeler, chunks):
    """Wait until what leads is answered by a chunk, where the other has told something young."""
    count = len(chunks)

    def told():
        feeler.feel(2)
        tell(bench, "beside", feeler.stamp_s - 0.004)
        tell(bench, "leads", feeler.stamp_s)
        return len(chunks) > count and chunks[-1].steps == 32

    bench.until(told, "a chunk")


def test_from_what_is_not_the_encoders_or_of_another_time_nothing_is_planned(slow):
    bench, feeler, chunks = slow
    feeler.feel(70)  # what is too old must still be of this episode
    count = len(chunks)
    for what, fields in BAD.items():
        feeler.feel()
        tell(bench, "beside", feeler.stamp_s)
        bench.node.trouble, arrived = "", bench.arrivals(TOPICS["leads"])
        tell(bench, "leads", feeler.stamp_s, **fields)
        # What is refused has not arrived.
        bench.until(lambda arrived=arrived: bench.node.trouble or arrived(), "features to be judged")
        assert (len(chunks), bench.node.ticks) == (count, 0), what
    plans(bench, feeler, chunks)


def test_without_one_of_them_nothing_is_planned_and_when_it_is_back_it_is(slow):
    bench, feeler, chunks = slow
    plans(bench, feeler, chunks)

    def led():
        feeler.feel(2)
        tell(bench, "leads", feeler.stamp_s)
        return "beside" in bench.node.trouble

    bench.until(led, "its silence to be noticed")
    tell(bench, "beside", feeler.stamp_s, bundle_hash="b" * 64)
    bench.until(lambda: "encoder 'beside': features are of an encoder with the card bbbb" in bench.node.trouble, "a complaint")
    count = len(chunks)
    feeler.feel(math.ceil(REPLAN_S / 0.005))
    bench.node.trouble = ""
    bench.until(led, "the complaint again: what is refused has not come")
    assert (len(chunks), bench.node.active) == (count, True)
    plans(bench, feeler, chunks)
