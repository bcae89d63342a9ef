"""What was recorded is learnt as what an expert demonstrated: a data set and an .npz of the same episode give the same samples."""
# ruff: noqa: E402 (torch is asked for before anything that imports it)

import re
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="tactus_models trains with torch: pip install -r requirements/train.txt")
pytest.importorskip("pyarrow", reason="data sets need pyarrow and zarr: pip install -r requirements/data.txt")

import wiping_data

from tactus_core.datasets.episode import POSE_NAMES, Column, Episode
from tactus_core.datasets.replay_buffer import ReplayBufferWriter
from tactus_core.datasets.v3 import LeRobotWriter
from tactus_core.errors import ConfigError, DataError
from tactus_core.geometry import from_pose7, pose7
from tactus_core.kinematics import Kinematics
from tactus_core.policy.bundle import Bundle
from tactus_hardware.robots.franka import FRANKA_ALLEGRO as ROBOT
from tactus_hardware.robots.so101 import SO101
from tactus_models.config import CardConfig, DiffusionConfig, TokenizerConfig, TrainConfig
from tactus_models.dataset import prepare
from tactus_models.train import train_wipe

FPS, ROWS, FEW = 200, 420, 20
CONFIG = TrainConfig(
    tokenizer=TokenizerConfig(hidden=8, gru_hidden=8, batch=4, steps=2),
    diffusion=DiffusionConfig(features=8, encoder_widths=(8, 8), unet_widths=(8, 16), batch=4, steps=2, inference_steps=2),
    card=CardConfig(robot=ROBOT.name),
    threads=1,
)


class Pictures:
    """The pictures of an episode: each is seen for twenty rows."""

    height = width = 96
    whole_file = None

    def __init__(self, images, rows):
        self.images, self.rows = images, rows

    def pictures(self):
        return (self.images[row // 20] for row in range(self.rows))


def lived(number, rows=ROWS):
    """Return one episode as the arrays of a demonstration, and as rows of a data set."""
    rng, time_s = np.random.default_rng(number), np.arange(rows) / FPS
    arm = ROBOT.q_home_rad + 0.2 * np.sin(time_s[:, None] * rng.uniform(0.5, 2.0, 7) + rng.uniform(0.0, 6.0, 7))
    press = 0.5 + 0.4 * np.sin(time_s + number)
    hand = np.array([ROBOT.hand_posture(share) for share in press])
    kinematics = Kinematics(ROBOT)
    T = np.array([kinematics.tcp_pose(q) for q in arm])
    wanted = T @ from_pose7(np.array([0.0, 0.0, 0.01, 0.0, 0.0, 0.0, 1.0]))
    taxels = rng.normal(0.0, 0.2, (rows, 4, 3, 6)).astype(np.float32)
    images = np.stack([wiping_data.draw(0.5 + 0.001 * index, 0.0) for index in range(rows // 20)])
    raw = {
        "t_s": 0.005 * np.arange(rows),
        "tcp_pose": np.array([pose7(one) for one in T]),
        "wrench": rng.normal(0.0, 1.0, (rows, 6)),
        "fingertips": np.linalg.norm(taxels[..., 3:].sum(axis=2, dtype=np.float64), axis=-1),
        "action_pose": np.array([pose7(one) for one in wanted]),
        "action_press": press,
        "image": images,
        "image_t_s": 0.1 * np.arange(len(images)),
        "seed": np.array(number),
    }
    # As the recorder finds them: the joints in another order than the robot's.
    names = (*ROBOT.hand_joints, *ROBOT.arm_joints)
    values = {
        "observation.state": np.concatenate([hand, arm], axis=1),
        "observation.wrench": raw["wrench"],
        "observation.taxels": taxels,
        "action": np.concatenate([raw["action_pose"], hand], axis=1),
        "age.camera_image": time_s % 0.1,
        "success": np.ones(rows, np.int64),
    }
    columns = {name: Column(str(of.dtype), of.shape[1:] or (1,)) for name, of in values.items()}
    columns["observation.state"] = replace(columns["observation.state"], names=names)
    columns["action"] = replace(columns["action"], names=(*POSE_NAMES, *ROBOT.hand_joints))
    return raw, Episode(f"bag {number}", "wipe", FPS, columns, values, {"observation.images.camera": Pictures(images, rows)})


def written(folder, kind, episodes):
    writer = kind(folder, ROBOT.name, {})
    for episode in episodes:
        writer.add(episode)
    writer.close()
    return folder


@pytest.fixture(scope="module")
def lives():
    return [lived(number) for number in range(2)]


@pytest.fixture(scope="module")
def demonstrated(lives, tmp_path_factory):
    folder = tmp_path_factory.mktemp("demonstrations")
    for number, (raw, _) in enumerate(lives):
        np.savez(folder / f"{number}.npz", **raw)
    return prepare(folder, folder / "samples", CONFIG.data)


@pytest.mark.parametrize("kind", [LeRobotWriter, ReplayBufferWriter])
def test_recordings_are_learnt_as_demonstrations(kind, lives, demonstrated, tmp_path):
    folder = written(tmp_path / "set", kind, [episode for _, episode in lives])
    data = prepare(folder, tmp_path / "samples", CONFIG.data, ROBOT)
    for name in ("low_dim", "chunk", "window", "label"):
        np.testing.assert_allclose(getattr(data, name), getattr(demonstrated, name), atol=1e-5, err_msg=name)
    np.testing.assert_array_equal(data.rows, demonstrated.rows)
    np.testing.assert_array_equal(data.seed, demonstrated.seed)
    difference = np.abs(np.asarray(data.image, np.float64) - demonstrated.image)
    assert difference.max() == 0 if kind is ReplayBufferWriter else difference.mean() < 5.0  # a video is near to what was seen


def test_a_policy_of_recordings_is_a_bundle(lives, tmp_path):
    folder = written(tmp_path / "set", ReplayBufferWriter, [episode for _, episode in lives])
    results = train_wipe(folder, tmp_path / "work", {"latent": tmp_path / "wipe-rdp"}, CONFIG, ("latent",), ROBOT)
    assert results["latent"].steps == 2
    assert results["head"] is results["tokenizer"]  # there is one round
    Bundle.load(tmp_path / "wipe-rdp").card.require_robot(ROBOT)


def changed(episode, **values):
    """Return an episode with other values; None: without that column."""
    named = {{"state": "observation.state", "wrench": "observation.wrench"}.get(name, name): of for name, of in values.items()}
    kept = {name: of for name, of in {**episode.values, **named}.items() if of is not None}
    return replace(episode, values=kept, columns={name: episode.columns[name] for name in kept})


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda e: changed(e, wrench=None), "missing: observation.wrench"),
        (lambda e: replace(e, videos={}), "the cameras none"),
        (lambda e: changed(e, wrench=np.where(np.arange(FEW)[:, None] == 7, np.nan, e.values["observation.wrench"])), "the first is 7"),
        (lambda e: changed(e, action=e.values["action"] + np.eye(23)[20]), "away from the press synergy"),
        (lambda e: changed(e, success=np.zeros(FEW, np.int64)), "none that was not labelled a failure"),
        (lambda e: replace(e, columns=e.columns | {"action": Column("float64", (23,))}), "without names"),
    ],
)
def test_what_cannot_be_learnt_is_refused(change, says, tmp_path):
    folder = written(tmp_path / "set", ReplayBufferWriter, [change(lived(0, FEW)[1])])
    with pytest.raises(DataError, match=re.escape(says)):
        prepare(folder, tmp_path / "samples", CONFIG.data, ROBOT)


def test_another_robot_is_refused(tmp_path):
    folder = written(tmp_path / "set", ReplayBufferWriter, [lived(0, FEW)[1]])
    with pytest.raises(ConfigError, match="'so101' has"):
        prepare(folder, tmp_path / "samples", CONFIG.data, SO101)
    with pytest.raises(ConfigError, match="nobody said of which robot"):
        prepare(folder, tmp_path / "samples", CONFIG.data)
