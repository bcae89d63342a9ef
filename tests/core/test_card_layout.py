"""What a card may say of observation and action, through the policy that runs by it."""

from dataclasses import replace

import numpy as np
import pytest
import yaml
from conftest import DDIM, LOW_DIM, make_state, write_bundle
from gantry import GANTRY
from hypothesis import given, settings
from hypothesis import strategies as st

from tactus_core.errors import BundleError, ConfigError, DataError, StaleError
from tactus_core.geometry import from_rot6d, rigid, rot6d, rotation_matrix
from tactus_core.history import StateArrays
from tactus_core.policy.bundle import Bundle
from tactus_core.policy.encoder import Eyes, OnnxEncoder, Views, only_camera
from tactus_core.policy.fast import make_fast_policy
from tactus_core.policy.signals import CommandedSpec, JointsSpec, ObservedSpec
from tactus_core.policy.slow import DiffusionPolicy
from tactus_core.policy.specs import CameraSpec, ChunkSpec, DirectSpec, FlowSpec, GroupSpec, ObservationSpec
from tactus_core.types import ActionChunk, ChunkKind

ANCHOR = rigid(np.array([0.5, 0.1, 0.2]), rotation_matrix(np.array([3.0, 0.2, 0.1])))
TWO_CAMERAS = {"scene": CameraSpec((40, 30, 3), (-0.1, 0.0)), "wrist": CameraSpec((20, 20, 3), (0.0,))}
BLIND = ObservationSpec({}, (ObservedSpec("arm_position", (0.0,)), ObservedSpec("hand_position", (-0.1, 0.0))))
GENERATORS = {
    "epsilon": DDIM,
    "sample": replace(DDIM, prediction="sample", clip_noise=False, clip_sample=1.0, schedule="linear"),
    "ddpm": replace(DDIM, sampler="ddpm"),
    "dpmsolver++": replace(DDIM, sampler="dpmsolver++"),
    "flow": FlowSpec(inference_steps=4),
    "direct": DirectSpec(),
}


def state(stamp_s):
    return replace(make_state(stamp_s, ANCHOR, 5.0), arm_position_rad=np.arange(7) + stamp_s, hand_position_rad=np.arange(16) - stamp_s)


STATES = StateArrays.of([state(0.005 * i) for i in range(400)])


@pytest.mark.parametrize("name", GENERATORS)
def test_every_generator_plans_the_same_chunk_again_from_the_same_seed(tmp_path, name):
    bundle = Bundle.load(write_bundle(tmp_path / "tiny", ChunkKind.ACTION, generator=GENERATORS[name]))
    policy = DiffusionPolicy(bundle, seed=5)
    first = policy.infer(np.zeros(3, np.float32), STATES, 1.0)
    assert first.data.shape == (32, 10)
    policy.reset(5)
    np.testing.assert_array_equal(policy.infer(np.zeros(3, np.float32), STATES, 1.0).data, first.data)


def test_a_sampler_and_its_steps_can_be_chosen_when_it_runs(tmp_path):
    seen = []

    def hook(step, sample):
        seen.append(step.index)
        return sample

    bundle = Bundle.load(write_bundle(tmp_path / "tiny", ChunkKind.ACTION))
    DiffusionPolicy(bundle, hook=hook, sampler="dpmsolver++", steps=3).infer(np.zeros(3, np.float32), STATES, 1.0)
    assert seen == [0, 1, 2]
    for wrong in ({"sampler": "euler"}, {"steps": 0}, {"steps": 101}):
        with pytest.raises(ConfigError):
            DiffusionPolicy(bundle, **wrong)
    direct = Bundle.load(write_bundle(tmp_path / "direct", ChunkKind.ACTION, generator=DirectSpec()))
    with pytest.raises(ConfigError, match="one pass"):
        DiffusionPolicy(direct, steps=3)


def test_rows_before_the_observation_are_made_and_not_played(tmp_path):
    chunk = ChunkSpec(dt_s=0.05, steps=32, past_steps=2)
    got, expected = (
        DiffusionPolicy(Bundle.load(write_bundle(tmp_path / name, ChunkKind.ACTION, chunk=spec, generator=DirectSpec()))).infer(
            np.ones(3, np.float32), STATES, 1.0
        )
        for name, spec in (("tiny", chunk), ("whole", replace(chunk, steps=34, past_steps=0)))
    )
    np.testing.assert_array_equal(got.data, expected.data[2:])
    assert got.dt_s == pytest.approx(0.05)


def test_several_cameras_at_several_times_are_one_vector_of_features(tmp_path):
    bundle = Bundle.load(write_bundle(tmp_path / "tiny", ChunkKind.ACTION, observation=ObservationSpec(TWO_CAMERAS, LOW_DIM)))
    images = {"scene": np.full((2, 40, 30, 3), 7, np.uint8), "wrist": np.full((1, 20, 20, 3), 5, np.uint8)}
    images["scene"][1] = 9
    features = OnnxEncoder(bundle).encode(images)
    np.testing.assert_allclose(features, 8.0 + 5.0)
    assert DiffusionPolicy(bundle).infer(features, STATES, 1.0).data.shape == (32, 10)
    with pytest.raises(DataError, match="expected"):
        OnnxEncoder(bundle).encode({"scene": images["scene"]})
    with pytest.raises(BundleError, match="scene, wrist"):
        only_camera(bundle.card)


@given(jitter_s=st.lists(st.floats(-0.02, 0.02), min_size=5, max_size=5))
@settings(max_examples=30, deadline=None)
def test_an_image_counts_for_the_time_that_it_is_nearest_to(card_of_two, jitter_s):
    views = Views(card_of_two, "scene")
    with pytest.raises(StaleError, match="no image within"):
        views.see(100.0, np.zeros((40, 30, 3), np.uint8))
    for i, late_s in enumerate(jitter_s, 1):
        seen = views.see(100.0 + 0.1 * i + late_s, np.full((40, 30, 3), i, np.uint8))
        assert seen[:, 0, 0, 0].tolist() == [i - 1, i]


def test_an_image_that_was_lost_is_missed(card_of_two):
    views = Views(card_of_two, "scene")
    for stamp_s in (1.0, 1.2):
        with pytest.raises(StaleError, match="Wait until there are enough"):
            views.see(stamp_s, np.zeros((40, 30, 3), np.uint8))


def test_the_first_camera_leads_and_of_the_others_the_newest_image_counts(card_of_two):
    eyes, scene, wrist = Eyes(card_of_two), np.zeros((40, 30, 3), np.uint8), np.ones((20, 20, 3), np.uint8)
    with pytest.raises(StaleError, match="no image within"):
        eyes.see("scene", 1.0, scene)
    with pytest.raises(StaleError, match="nothing to see yet of camera wrist"):
        eyes.see("scene", 1.1, scene)
    assert eyes.see("wrist", 70.0, wrist) is None  # another device, another clock
    assert eyes.see("wrist", 70.1, 5 * wrist) is None
    images = eyes.see("scene", 1.2, scene + 3)
    assert {name: image[:, 0, 0, 0].tolist() for name, image in images.items()} == {"scene": [0, 3], "wrist": [5]}


def test_a_camera_that_lost_an_image_shows_nothing_rather_than_what_it_saw_before(card_of_two):
    observation = replace(card_of_two.observation, cameras=dict(reversed(TWO_CAMERAS.items())))
    eyes, scene, wrist = (
        Eyes(replace(card_of_two, observation=observation)),
        np.zeros((40, 30, 3), np.uint8),
        np.ones((20, 20, 3), np.uint8),
    )
    with pytest.raises(StaleError):
        eyes.see("scene", 1.0, scene)
    eyes.see("scene", 1.1, scene)
    assert eyes.see("wrist", 5.0, wrist) is not None
    with pytest.raises(StaleError):
        eyes.see("scene", 1.4, scene)
    with pytest.raises(StaleError, match="camera scene"):
        eyes.see("wrist", 5.1, wrist)


@pytest.fixture(scope="module")
def card_of_two(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bundle") / "tiny"
    return Bundle.load(write_bundle(folder, ChunkKind.ACTION, observation=ObservationSpec(TWO_CAMERAS, LOW_DIM))).card


@pytest.fixture
def joint_bundle(tmp_path):
    """A policy without a camera that observes and commands joints."""
    action = (CommandedSpec("hand", "hand_position"), CommandedSpec("arm", "arm_position"))
    folder = write_bundle(tmp_path / "joints", ChunkKind.ACTION, observation=BLIND, action=action, generator=DirectSpec())
    return Bundle.load(folder)


def test_joints_are_observed_in_the_order_of_the_card(joint_bundle):
    policy = DiffusionPolicy(joint_bundle)
    assert OnnxEncoder(joint_bundle).encode({}).shape == (0,)
    chunk = policy.infer(np.empty(0, np.float32), STATES, 1.0)
    observed = np.concatenate([np.arange(7) + 1.0, np.arange(16) - 0.9, np.arange(16) - 1.0])
    np.testing.assert_array_equal(chunk.data, policy.plan(np.empty(0, np.float32), observed))
    unreported = StateArrays.of([make_state(0.005 * i) for i in range(400)])
    with pytest.raises(DataError, match="7 joints of the arm"):
        policy.infer(np.empty(0, np.float32), unreported, 1.0)


def test_joint_targets_are_played_linearly_each_group_ahead_by_its_latency(joint_bundle):
    card, robot = joint_bundle.card, replace(GANTRY, name="testbot")
    rows = np.arange(32.0)[:, None] * 0.05 * np.ones(23) + np.arange(23) / 100
    chunk = ActionChunk(1.0, ChunkKind.ACTION, 0.05, rows.astype(np.float32), ANCHOR, 1, card.id)
    target = make_fast_policy(joint_bundle, robot).act(chunk, STATES, 1.12).target
    np.testing.assert_allclose(target.hand_rad, 0.12 + 0.05 + np.arange(16) / 100, atol=1e-6)
    np.testing.assert_allclose(target.arm_rad, 0.12 + np.arange(16, 23) / 100, atol=1e-6)
    np.testing.assert_allclose(target.T_base_tcp[:3, 3], target.arm_rad[:3], atol=1e-9)


def test_absolute_poses_are_played_where_they_are_and_the_hand_is_left_alone(tmp_path, robot):
    action, groups = (CommandedSpec("arm", "tcp_pose"),), {"arm": GroupSpec(0.0)}
    bundle = Bundle.load(write_bundle(tmp_path / "tiny", ChunkKind.ACTION, action=action, groups=groups))
    row = np.concatenate([[0.3, 0.2, 0.1], rot6d(ANCHOR[:3, :3])])
    chunk = ActionChunk(1.0, ChunkKind.ACTION, 0.05, np.tile(row, (32, 1)).astype(np.float32), ANCHOR, 1, bundle.card.id)
    target = make_fast_policy(bundle, robot).act(chunk, STATES, 1.1).target
    np.testing.assert_allclose(target.T_base_tcp[:3, 3], row[:3], atol=1e-6)
    np.testing.assert_allclose(target.T_base_tcp[:3, :3], from_rot6d(row[3:]), atol=1e-6)
    assert target.hand_rad is None
    assert target.arm_rad is None


def test_a_bundle_for_a_robot_of_other_joints_is_refused(tmp_path, robot):
    action, groups = (CommandedSpec("arm", "tcp_pose"),), {"arm": GroupSpec(0.0)}
    bundle = Bundle.load(write_bundle(tmp_path / "tiny", ChunkKind.ACTION, joints=JointsSpec(6, 0), action=action, groups=groups))
    with pytest.raises(BundleError, match=r"6 and 0 joints.*has 7 and 16"):
        make_fast_policy(bundle, robot)


ARM, HAND = {"signal": "tcp_pose", "group": "arm"}, {"signal": "press", "group": "hand"}
BROKEN = {
    "'signal' must be one of tcp_pose": lambda c: c["observation"]["low_dim"][0].update(signal="gripper_width"),
    "'at_s' must be at most": lambda c: c["observation"]["low_dim"][0].update(at_s=[0.1]),
    "'wrench' has the times": lambda c: c["observation"]["low_dim"][2].update(at_s=[]),
    "each once": lambda c: c["observation"]["low_dim"][2].update(at_s=[0.0, 0.0]),
    "is no name for a camera": lambda c: c["observation"]["cameras"].update({"top.left": c["observation"]["cameras"].pop("wrist")}),
    "times that rise to 0": lambda c: c["observation"]["cameras"]["wrist"].update(at_s=[-0.1]),
    r"condition.*by what the card observes": lambda c: c["observation"]["low_dim"].pop(1),
    r"by what the card observes.*image_scene": lambda c: c["observation"]["cameras"].update(scene={"shape": [8, 8, 3], "at_s": [0.0]}),
    "commands the arm by nothing": lambda c: c.update(action=[HAND]),
    "commands the arm by .*'tcp_pose', 'tcp_pose'": lambda c: c.update(action=[ARM, ARM, HAND]),
    "joints.hand is 0": lambda c: c["joints"].update(hand=0),
    "groups are": lambda c: c.update(action=[ARM]),
    "generator.method is 'magic'": lambda c: c["generator"].update(method="magic"),
    "must be one of squaredcos_cap_v2, linear": lambda c: c["generator"].update(schedule="cosine"),
    r"outputs of graph 'denoiser'.*clean": lambda c: c["generator"].update(prediction="sample"),
    "needs .*planner": lambda c: c.update(generator={"method": "direct"}),
    "streams are": lambda c: c["streams"].pop("image"),
}  # fmt: skip


@pytest.mark.parametrize("message", BROKEN)
def test_a_layout_that_contradicts_itself_is_refused_by_name(action_bundle, message):
    path = action_bundle / "card.yaml"
    values = yaml.safe_load(path.read_text())
    BROKEN[message](values)
    path.write_text(yaml.safe_dump(values))
    with pytest.raises(BundleError, match=message):
        Bundle.load(action_bundle)
