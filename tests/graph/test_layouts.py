"""Policies that observe and command otherwise than the shipped ones: without a camera, by joints; of two images; by a lone encoder."""

import json
import signal
from dataclasses import replace

import numpy as np
import pytest
from feeding import START_S, Feeler
from seen import READY_S, Seen, send
from solo import sample, solo, stamp_of

from tactus_core.errors import BundleError
from tactus_core.policy.bundle import Bundle
from tactus_core.policy.card import dump_card, file_sha256, load_card
from tactus_core.policy.signals import CommandedSpec, ObservedSpec
from tactus_core.policy.specs import CameraSpec, DirectSpec, EncoderSpec, ObservationSpec
from tactus_core.policy.swap import targets
from tactus_core.types import ChunkKind
from tactus_msgs.msg import Features
from tactus_nodes import topics
from tactus_nodes.perception import Perception
from tactus_nodes.plugins import find_task
from tactus_nodes.slow_policy import SlowPolicyNode
from tactus_nodes.swap import SwapNode
from tactus_sim.lockstep import Lockstep

BY_JOINTS = {
    "observation": ObservationSpec({}, (ObservedSpec("arm_position", (0.0, -0.1)), ObservedSpec("hand_position", (0.0,)))),
    "action": (CommandedSpec("arm", "arm_position"), CommandedSpec("hand", "hand_position")),
    "generator": DirectSpec(),
}
OF_TWO_IMAGES = {"observation": ObservationSpec({"wrist": CameraSpec((96, 96, 3), (-0.1, 0.0))}, (ObservedSpec("wrench", (0.0,)),))}
OF_TWO_CAMERAS = BY_JOINTS | {
    "observation": ObservationSpec(
        {"wrist": CameraSpec((96, 96, 3), (0.0,)), "scene": CameraSpec((96, 96, 3), (-0.1, 0.0))}, (ObservedSpec("wrench", (0.0,)),)
    )
}


EPISODES = 12  # in as many a process is started anew, on a busy machine, too


@pytest.fixture(scope="module")
def seeing(encoder_folders, tmp_path_factory):
    """Return the folder of an encoder of the camera's images."""
    folder = tmp_path_factory.mktemp("seeing")
    encoder_folders.write_image(folder, 96, 96)
    return folder


@pytest.fixture
def by_encoder(seeing):
    """Return the layout of a policy that observes that encoder and has no camera of its own."""
    spec = EncoderSpec(file_sha256(seeing / "card.yaml"), 3, (0.0,))
    return {"observation": ObservationSpec({}, (ObservedSpec("wrench", (0.0,)),), {"seen": spec}), "generator": DirectSpec()}


@pytest.fixture
def written(bundles, robot, tmp_path):
    """Return a function that writes a bundle for the stub's robot, whose motion is millimetres about its home."""

    def write(**changes):
        folder = bundles.write_bundle(tmp_path / "layout", ChunkKind.ACTION, "stub_robot", task="stub", **changes)
        path, card = folder / "normaliser.json", load_card(folder / "card.yaml")
        rest = {
            "arm_position": robot.q_home_rad,
            "hand_position": np.zeros(16),
            "tcp_pose_relative": [0, 0, 0, 1, 0, 0, 0, 1, 0],
            "press": [0.5],
        }
        offset = np.concatenate([rest[of.signal] for of in card.action]).tolist()
        values = json.loads(path.read_text()) | {"action": {"offset": offset, "scale": [1e-3] * len(offset)}}
        path.write_text(json.dumps(values))
        dump_card(replace(card, normaliser=replace(card.normaliser, sha256=file_sha256(path))), folder / "card.yaml")
        return folder

    return write


@pytest.mark.parametrize("layout", [BY_JOINTS, OF_TWO_IMAGES, OF_TWO_CAMERAS], ids=["by joints", "of two images", "of two cameras"])
def test_an_episode_in_lockstep(written, layout):
    ticks = list(Lockstep(find_task("stub"), Bundle.load(written(**layout))).ticks(3))
    proposals = [moment.proposal for moment in ticks if moment.proposal is not None]
    assert len(proposals) > 100
    assert (proposals[-1].target.arm_rad is not None) == (layout is not OF_TWO_IMAGES)
    start, end = (moment.tick.state.T_base_tcp[:3, 3] for moment in (ticks[0], ticks[-1]))
    assert 1e-6 < np.abs(end - start).max() < 0.02


def test_an_episode_in_lockstep_by_an_encoder_that_stands_alone(written, by_encoder, seeing):
    bundle, plans = Bundle.load(written(**by_encoder)), []
    with pytest.raises(BundleError, match="observes encoder 'seen'"):
        Lockstep(find_task("stub"), bundle)
    lockstep = Lockstep(find_task("stub"), bundle, encoders=[seeing])
    for seed in (7, 8):
        proposals = [moment.proposal for moment in lockstep.ticks(seed) if moment.proposal is not None]
        plans.append(proposals[0].target.T_base_tcp)
    assert len(proposals) > 100
    assert not np.array_equal(*plans), "what the stub's camera shows is its episode's number"


def test_without_a_camera_it_is_planned_from_touch(written, robot):
    with solo(SlowPolicyNode, "slow_policy", bundle=written(**BY_JOINTS), run="true") as bench:
        chunks = bench.hear(topics.CHUNK)
        feeler = Feeler(bench, robot, lambda: [bench.node._replanning._felt_s])
        feeler.feel(40)
        bench.until(lambda: chunks and chunks[-1].steps == 32, "a chunk")
        assert len(chunks[-1].data) == 32 * 23


def test_an_episode_in_the_graph_with_two_cameras_and_by_joints(written, launch):
    folder = written(**OF_TWO_CAMERAS)
    with launch(bundle=str(folder)) as (_, session):
        session.wait_ready(60.0)
        heard = {topic: [] for topic in (topics.ARM_COMMAND, topics.ARM_TARGET)}
        for topic, messages in heard.items():
            session.listen(topic, messages.append)
        assert session.run_episode(7).success
    # Where it held before there was a plan, the guard sent poses.
    assert len(heard[topics.ARM_COMMAND]) > 100


def test_episodes_in_the_graph_by_an_encoder_that_dies_and_comes_back(written, launch, by_encoder, seeing):
    folder = written(**by_encoder)
    with launch(bundle=str(folder), encoder=str(seeing)) as (launched, session):
        session.wait_ready(READY_S)
        moved, seen = [], Seen(session)
        session.listen(topics.VERDICT, lambda verdict: moved.append(verdict.bundle_hash) if verdict.source == "policy" else None)
        assert session.run_episode(7).success
        assert set(moved) == {file_sha256(folder / "card.yaml")}
        send(launched, "encoder", signal.SIGKILL)
        for _ in range(EPISODES):  # without features no plan
            moved.clear()
            session.run_episode(8)
            if moved and {running.starts for running in launched.processes} == {1, 2}:
                break
        assert moved, f"nothing was planned in {EPISODES} episodes since the encoder died"
        assert seen.estop is False, "what is seen may be missing for a while: that is no emergency"


def test_moments_on_which_weights_are_compared_hold_what_encoders_made(written, by_encoder, seeing, robot):
    bundle = written(**by_encoder)
    with solo(SwapNode, "swap", bundle=bundle, observe_every_s="0.1") as bench:
        assert set(bench.node.streams) == {declaration.topic.name for declaration in SwapNode.inputs_of(bench.node.config)}
        moments, made_by = bench.node._moments, file_sha256(seeing / "card.yaml")
        moments.wanted, stamp_s = True, START_S

        def kept():
            nonlocal stamp_s
            stamp_s += 0.005
            for topic, message in sample(robot, stamp_s):
                bench.send(topic, message)
            features = Features(bundle_hash=made_by, data=[1.0, 2.0, 3.0])
            features.header.stamp = stamp_of(stamp_s)
            bench.send(topics.ENCODED, features)
            return moments.kept

        bench.until(kept, "a moment")
        np.testing.assert_array_equal(moments.kept[0].encoded, [1.0, 2.0, 3.0])
        assert all(np.isfinite(target.T_base_tcp).all() for target in targets(Bundle.load(bundle), robot, moments.kept[0], 0))


def test_perception_has_nothing_to_do_without_a_camera(written):
    with solo(Perception, "perception", bundle=written(**BY_JOINTS)) as bench:
        assert bench.node.active
        assert not any(subscription.topic_name == "/camera/image" for subscription in bench.node.subscriptions)
