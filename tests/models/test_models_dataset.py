"""Every number of a sample must be the recording's at the right time, in the right frame."""

import dataclasses

import numpy as np
import pytest

pytest.importorskip("torch", reason="tactus_models trains with torch, which is not installed here: pip install -r requirements/train.txt")

import wiping_data

from tactus_core.errors import DataError
from tactus_core.geometry import inverse, pose7, rot6d, rotation_matrix
from tactus_core.history import StateArrays
from tactus_core.policy.observation import low_dim, window
from tactus_models.config import DataConfig
from tactus_models.dataset import TICK_S, load_episode, prepare, sample
from tactus_models.layout import OBSERVATION

CONFIG = DataConfig()


def tcp(t_s):
    """A tcp pose that turns while it moves: no two times look alike."""
    T = np.eye(4)
    T[:3, :3] = rotation_matrix(np.array([np.pi + 0.1 * t_s, 0.05 * t_s, 0.2 * t_s]))
    T[:3, 3] = [0.4 + 0.1 * t_s, 0.02 * t_s**2, 0.2 - 0.01 * t_s]
    return T


def target(t_s):
    T = tcp(t_s + 0.3)
    T[2, 3] -= 0.01
    return T


@pytest.fixture(scope="module")
def clock(tmp_path_factory):
    """A demonstration of 4 s in which everything is a known function of time."""
    path = tmp_path_factory.mktemp("clock") / "7.npz"
    t_s = np.arange(800) * TICK_S
    np.savez(
        path,
        t_s=t_s,
        tcp_pose=np.stack([pose7(tcp(t)) for t in t_s]),
        wrench=t_s[:, None] * np.arange(1, 7),
        fingertips=t_s[:, None] + np.arange(4),
        action_pose=np.stack([pose7(target(t)) for t in t_s]),
        action_press=t_s / 10.0,
        image=np.zeros((40, 96, 96, 3), dtype=np.uint8) + np.arange(40, dtype=np.uint8)[:, None, None, None],
        image_t_s=t_s[::20],
        seed=7,
    )
    return path


def relative(T, at_s):
    out = inverse(tcp(at_s)) @ T
    return np.concatenate([out[:3, 3], rot6d(out[:3, :3])])


def test_anchors_are_the_images_with_history(clock):
    episode = load_episode(clock)
    assert episode.anchors[0] == 60
    assert list(episode.images[:, 0, 0, 0]) == list(episode.anchors // 20)


@pytest.mark.parametrize("tick", [60, 300, 620, 780])
def test_chunk_and_labels_are_the_expert_at_their_time(clock, tick):
    at_s, end_s = tick * TICK_S, 799 * TICK_S
    values = sample(load_episode(clock), tick, CONFIG)
    for i in (0, 1, 17, 31):
        due = min(at_s + 0.05 * i, end_s)
        np.testing.assert_allclose(values["chunk"][i], [*relative(target(due), at_s), due / 10.0], atol=1e-9)
    for row in (0, 1, 100, 319):
        arm, hand = (min(at_s + TICK_S * row + latency, end_s) for latency in (CONFIG.arm_latency_s, CONFIG.hand_latency_s))
        np.testing.assert_allclose(values["label"][row], [*relative(target(arm), at_s), hand / 10.0], atol=1e-9)


def test_every_phase_of_the_window_is_what_the_robot_computes(clock):
    episode = load_episode(clock)
    tick = 300
    values = sample(episode, tick, CONFIG)
    for phase in range(4):
        now_s = (tick + phase + 4 * 50) * TICK_S
        expected = window(episode.states, tick * TICK_S, tcp(tick * TICK_S), now_s, CONFIG.window_dt_s)
        np.testing.assert_allclose(values["window"][phase::4][:51], expected, atol=1e-9)
    np.testing.assert_allclose(values["window"][8, :7], [0.04, *(1.54 * np.arange(1, 7))], atol=1e-9)


def test_rows_past_the_end_are_marked(clock):
    values = sample(load_episode(clock), 780, CONFIG)
    assert not values["window"][20:].any()
    assert values["window"][19].any()


def test_low_dim_is_what_the_robot_computes(clock):
    episode = load_episode(clock)
    states = StateArrays(*(getattr(episode.states, f.name)[:301] for f in dataclasses.fields(StateArrays)))
    np.testing.assert_allclose(sample(episode, 300, CONFIG)["low_dim"], low_dim(states, 1.5, OBSERVATION.low_dim), atol=1e-12)


def test_prepared_samples_are_kept_until_the_data_change(tmp_path):
    folder = wiping_data.write(tmp_path / "data", 3, 3.0)
    first = prepare(folder, tmp_path / "samples", CONFIG)
    stamp = (tmp_path / "samples" / "window.npy").stat().st_mtime_ns
    assert prepare(folder, tmp_path / "samples", CONFIG).digest == first.digest
    assert (tmp_path / "samples" / "window.npy").stat().st_mtime_ns == stamp
    wiping_data.write(folder, 4, 3.0)
    again = prepare(folder, tmp_path / "samples", CONFIG)
    assert again.digest != first.digest
    assert len(again.seed) == 4 * 27


def test_whole_episodes_are_held_out(tmp_path):
    data = prepare(wiping_data.write(tmp_path / "data", 5, 2.0), tmp_path / "samples", CONFIG)
    train, held = data.split(0.05)
    assert len(train) + len(held) == len(data.seed)
    assert not set(data.seed[train]) & set(data.seed[held])
    assert len(np.unique(data.seed[held])) == 1


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"wrench": np.zeros((3, 6))}, "'wrench' has shape"),
        ({"fingertips": np.full((400, 4), np.nan)}, "finite"),
        ({"t_s": np.arange(400) * 0.01}, "not a grid"),
        ({"image": np.zeros((20, 96, 96, 3), dtype=np.float32)}, "float32"),
        ({"seed": np.array({"a": 1}, dtype=object)}, "not a demonstration"),
    ],
)
def test_a_bad_demonstration_is_refused(tmp_path, change, says):
    np.savez(tmp_path / "0.npz", **(wiping_data.episode(0, 2.0) | change))
    with pytest.raises(DataError, match=says):
        load_episode(tmp_path / "0.npz")


def test_no_demonstrations_is_an_error(tmp_path):
    with pytest.raises(DataError, match="no demonstrations"):
        prepare(tmp_path, tmp_path / "samples", CONFIG)
