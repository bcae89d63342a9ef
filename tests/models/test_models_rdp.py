"""Checkpoints of Reactive Diffusion Policy: what a second implementation (`rdp_tiny`) plans and does from them is what the bundle does."""
# ruff: noqa: E402 (torch is asked for before anything that imports it)

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="importing builds networks with torch: pip install -r requirements/train.txt")
pytest.importorskip("safetensors", reason="checkpoints are safetensors: pip install -r requirements/train.txt")
pytest.importorskip("diffusers", reason="the reference denoises with diffusers: pip install -r requirements/dev.txt")

import rdp_tiny as tiny
from safetensors.torch import save_file
from scipy.spatial.transform import Rotation

from tactus_core.errors import ConfigError, DataError
from tactus_core.geometry import from_rot6d
from tactus_core.history import StateArrays
from tactus_core.policy.bundle import Bundle
from tactus_core.policy.encoder import OnnxEncoder
from tactus_core.policy.fast import make_fast_policy
from tactus_core.policy.slow import DiffusionPolicy
from tactus_hardware.robots.so101 import SO101
from tactus_hardware.robots.ur5e import UR5E_ROBOTIQ_FT300
from tactus_models.rdp import unpack
from tactus_models.rdp.bundle import Meaning, import_checkpoint
from tactus_models.rdp.checkpoint import Checkpoint
from tactus_models.rdp.config import read_policy
from tactus_models.rdp.networks import Signs, networks

PARITY = 1e-4
STEP_S, TICK_S = 1.0 / 24.0, 0.005
ZERO_RAD, RAD_PER_M = 0.8, -9.4  # the joint closes as the width shrinks
MEANING = Meaning(UR5E_ROBOTIQ_FT300, (ZERO_RAD, RAD_PER_M), bgr=True, task=None)


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory):
    """Return the files of a policy and its tokenizer, of which torch reads every value without unpickling."""
    folder = tmp_path_factory.mktemp("rdp")
    for name, payload in zip(("ldp.ckpt", "at.ckpt"), tiny.payloads(), strict=True):
        torch.save(payload, folder / name)
    return folder / "ldp.ckpt", folder / "at.ckpt"


@pytest.fixture(scope="module")
def bundle(checkpoints, tmp_path_factory):
    folder = tmp_path_factory.mktemp("bundle")
    import_checkpoint(checkpoints[0], MEANING, "tiny-rdp", folder, checkpoints[1])
    return Bundle.load(folder)


@pytest.fixture(scope="module")
def lived():
    """Return states of 1.2 s, and the width of the gripper at each."""
    rng, ticks = np.random.default_rng(2), 240
    turns = Rotation.from_rotvec(np.cumsum(rng.normal(0.0, 0.01, (ticks, 3)), axis=0)).as_matrix()
    width_m = 0.04 + 0.03 * np.sin(np.arange(ticks) * 0.05)
    states = StateArrays(
        stamp_s=100.0 + TICK_S * np.arange(ticks),
        position_m=np.cumsum(rng.normal(0.0, 0.002, (ticks, 3)), axis=0),
        rotation=turns,
        wrench_tcp=np.cumsum(rng.normal(0.0, 0.2, (ticks, 6)), axis=0),
        fingertip_force_N=np.full((ticks, 4), np.nan),  # nobody tells them
        arm_position_rad=np.empty((ticks, 0)),
        hand_position_rad=(ZERO_RAD + RAD_PER_M * width_m)[:, None],
    )
    return states, width_m


def pose(states, row):
    T = np.eye(4)
    T[:3, :3], T[:3, 3] = states.rotation[row], states.position_m[row]
    return T


def at(states, stamp_s):
    return int(np.flatnonzero(states.stamp_s <= stamp_s + 1e-6)[-1])


def test_a_bundle_plans_and_acts_as_rdp(checkpoints, bundle, lived):
    reference = tiny.Reference(*tiny.payloads())
    (states, width_m), seed = lived, 5
    now = 100
    rows = [at(states, states.stamp_s[now] - 2.0 * STEP_S), now]
    relative = [np.linalg.inv(pose(states, now)) @ pose(states, row) for row in rows]
    seen = {
        "left_robot_gripper_width": width_m[rows, None],
        "left_robot_tcp_pose": np.stack([np.concatenate([T[:3, 3], T[:3, 0], T[:3, 1]]) for T in relative]),
        "left_robot_tcp_wrench": states.wrench_tcp[rows],
    }
    images = np.random.default_rng(3).integers(0, 256, (2, *tiny.SHAPE, 3)).astype(np.uint8)
    noise = np.random.default_rng(seed).standard_normal((1, tiny.ROWS, tiny.CHANNELS), dtype=np.float32)
    latent = reference.latent(images[..., ::-1], seen, noise)

    features = OnnxEncoder(bundle).encode({"left_wrist": images})
    chunk = DiffusionPolicy(bundle, seed).infer(features, states, states.stamp_s[now])
    assert np.abs(chunk.data - latent).max() <= PARITY

    fast = make_fast_policy(bundle, UR5E_ROBOTIQ_FT300)
    for steps in (0, 5, tiny.HORIZON - 4):
        now_s = states.stamp_s[now] + steps * STEP_S
        # RDP's ring: the last 4 + steps samples of a sensor that is read at every step.
        felt = np.stack([states.wrench_tcp[at(states, now_s - i * STEP_S)] for i in reversed(range(4 + steps))])
        expected, target, T = reference.action(latent, felt), fast.act(chunk, states, now_s).target, pose(states, now)
        np.testing.assert_allclose(target.T_base_tcp[:3, 3], T[:3, :3] @ expected[:3] + T[:3, 3], atol=PARITY)
        np.testing.assert_allclose(target.T_base_tcp[:3, :3], T[:3, :3] @ from_rot6d(expected[3:9]), atol=PARITY)
        np.testing.assert_allclose(target.hand_rad, ZERO_RAD + RAD_PER_M * expected[9], atol=PARITY * abs(RAD_PER_M))


def test_the_card_says_what_rdp_feels_and_when(bundle):
    card = bundle.card
    assert card.needs == {"image", "joint_states", "wrench"}
    assert card.latent.window == ("wrench",)
    assert card.latent.window_dt_s == pytest.approx(STEP_S)
    assert card.latent.window_before_s == pytest.approx(3.0 * STEP_S)
    assert card.validity_s == pytest.approx((tiny.HORIZON - 4) * STEP_S)  # the decoder never feels more rows than in training
    assert card.replan_s < card.validity_s


@pytest.fixture(scope="module")
def loaded(checkpoints):
    return Checkpoint.load(*checkpoints)


@pytest.fixture(scope="module")
def picked(checkpoints):
    """Return what unpack.py writes into a folder: configuration and tensors."""
    return unpack.picked(*(torch.load(file, weights_only=True) for file in checkpoints))


def written(folder, config, tensors):
    (folder / "config.json").write_text(json.dumps(config))
    save_file(tensors, folder / "model.safetensors")
    return folder


def test_what_was_unpacked_is_what_was_saved(loaded, picked, tmp_path):
    read = Checkpoint.load(written(tmp_path, *picked))
    assert read.config == loaded.config
    assert read.weights.keys() == loaded.weights.keys()
    assert all(torch.equal(read.weights[name], loaded.weights[name]) for name in read.weights)


def test_the_averaged_weights_are_taken(picked):
    last = "model.final_conv.1.bias"
    assert torch.equal(picked[1][f"policy.{last}"], tiny.payloads()[0]["state_dicts"]["ema_model"][last])


class Evil:
    """What must not happen when a file is read."""

    def __reduce__(self):
        return Path.touch, (Path("unpickled"),)


def test_nothing_is_unpickled(checkpoints, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save({"cfg": Evil(), "state_dicts": {}}, tmp_path / "evil.ckpt")
    with pytest.raises(DataError, match=re.escape(f"python {unpack.__file__} evil.ckpt {checkpoints[1]} FOLDER")):
        Checkpoint.load(Path("evil.ckpt"), checkpoints[1])
    assert not (tmp_path / "unpickled").exists()


@pytest.mark.parametrize(
    ("place", "value", "says"),
    [
        ("policy.at.use_vq", True, "policy.at.use_vq is True, supported is False alone"),
        ("policy.at.use_rnn_decoder", False, "policy.at.use_rnn_decoder"),
        ("n_latency_steps", 2, "n_latency_steps is 2"),
        ("dataset_obs_temporal_downsample_ratio", 1, "touch at another rate"),
        ("shape_meta.action", {"shape": [4]}, "not positions alone (peeling)"),
        ("shape_meta.action", {"shape": [8]}, "nor two arms (lifting)"),
        ("shape_meta.extended_obs", {"left_gripper1_marker_offset_emb": {"shape": [15]}}, "no markers of a gel"),
        ("shape_meta.extended_obs", {}, "a decoder that feels the tcp's wrench"),
        ("shape_meta.obs.right_robot_tcp_wrench", {"shape": [6]}, "no second arm"),
        ("shape_meta.obs.left_gripper1_img", {"shape": [3, 40, 60], "type": "rgb"}, "no gel"),
        ("policy.obs_encoder.rgb_model", {"name": "vit_base"}, "policy.obs_encoder.rgb_model.name is 'vit_base'"),
        ("policy.obs_encoder.resize_shape", [20, 30], "torchvision"),
        ("policy.obs_encoder.random_transforms", [{"type": "ColorJitter"}], "one RandomCrop"),
        ("policy.noise_scheduler.prediction_type", "v_prediction", "prediction_type is 'v_prediction'"),
        ("policy.noise_scheduler._target_", "diffusers.EulerDiscreteScheduler", "DDIMScheduler"),
        ("policy.horizon", None, "policy.horizon is None, expected a positive whole number"),
        ("task.env_runner", None, "task.env_runner"),
    ],
)
def test_what_is_not_supported_is_refused_by_name(place, value, says):
    config = tiny.changed(place, value)
    with pytest.raises(ConfigError, match=re.escape(says)):
        read_policy({name: unpack.found(config, name) for name in unpack.WANTED}, Path("config.json"))


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("latent_action.scale", None, "'latent_action' is normalised by 0 scales and 6 offsets"),
        ("action.scale", torch.zeros(10), "scales above zero"),
        ("action.offset", torch.full((10,), torch.nan), "10 of 10 numbers of 'policy.normalizer.params_dict.action.offset' are NaN"),
    ],
)
def test_damaged_normalisers_are_named(picked, name, value, says, tmp_path):
    tensors = {key: values for key, values in picked[1].items() if "normalizer" in key} | {f"policy.normalizer.params_dict.{name}": value}
    written(tmp_path, picked[0], {key: values for key, values in tensors.items() if values is not None})
    with pytest.raises(DataError, match=re.escape(says)):
        Checkpoint.load(tmp_path)


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("at.decoder.fc.bias", None, "lacks 'at.decoder.fc.bias'"),
        ("at.post_quant.bias", torch.zeros(7), "'at.post_quant.bias' has shape (7,)"),
        ("policy.model.more", torch.zeros(1), "'policy.model.more', which the configuration has no place for"),
    ],
)
def test_weights_of_another_configuration_are_refused(loaded, name, value, says, tmp_path):
    weights = {key: values for key, values in {**loaded.weights, name: value}.items() if values is not None}
    signs = Signs([torch.ones(size) for size in tiny.LOW_DIM.values()], torch.ones(10))
    with pytest.raises(DataError, match=re.escape(says)):
        networks(replace(loaded, weights=weights), signs, True, tmp_path)


@pytest.mark.parametrize(
    ("meaning", "says"),
    [
        (Meaning(SO101, (0.0, 1.0), True, None), "'so101' has 0 hand joints"),
        (Meaning(UR5E_ROBOTIQ_FT300, None, True, None), "say --gripper ZERO_RAD RAD_PER_M"),
        (Meaning(UR5E_ROBOTIQ_FT300, (0.8, 0.0), True, None), "say --gripper ZERO_RAD RAD_PER_M"),
    ],
)
def test_a_gripper_has_to_be_told(loaded, meaning, says):
    with pytest.raises(ConfigError, match=re.escape(says)):
        meaning.check(loaded)


def test_a_policy_without_its_tokenizer_is_refused(checkpoints):
    with pytest.raises(DataError, match="--tokenizer"):
        Checkpoint.load(checkpoints[0])
    with pytest.raises(DataError, match="Check which is which"):
        Checkpoint.load(checkpoints[1], checkpoints[0])
