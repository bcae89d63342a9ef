"""Demonstrations → training samples: computed once, then read from memory-mapped arrays. Those of recordings: `recorded.py`.

A demonstration is one `<seed>.npz` (no pickles): `t_s` (T,) on a 5 ms grid; `tcp_pose` (T,7) [xyz qxyzw, base]; `wrench` (T,6) tcp frame;
`fingertips` (T,4); `action_pose` (T,7) and `action_press` (T,), what the expert wants at that tick; `image` (I,96,96,3) uint8 with stamps
`image_t_s` (I,), a subset of `t_s`; `seed`. Every image with enough history behind it is an anchor, the observation of one sample.
Features come from `tactus_core.policy.observation`, the same functions that run on the robot.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from tactus_core.datasets.replay_data import is_data_set
from tactus_core.errors import ConfigError, DataError
from tactus_core.geometry import from_pose7, inverse
from tactus_core.history import StateArrays
from tactus_core.policy.observation import low_dim, window
from tactus_core.policy.specs import EncoderSpec
from tactus_core.types import Array, RobotDescription
from tactus_models.config import DataConfig
from tactus_models.layout import ACTION_SIZE, IMAGE_SHAPE, LOOKBACK_S, LOW_DIM_SIZE, OBSERVATION, WINDOW_SIZE
from tactus_models.recorded import TICK_S, Recorded, recorded

_WIDTHS = {"t_s": (), "tcp_pose": (7,), "wrench": (6,), "fingertips": (4,), "action_pose": (7,), "action_press": ()}
_ARM = slice(0, 9)


@dataclass(frozen=True)
class Episode:
    """One demonstration. action_T: (T,4,4) targets in base; anchors: ticks (A,) that have an image and enough history."""

    seed: int
    states: StateArrays
    action_T: Array
    action_press: Array
    anchors: NDArray[np.int64]
    images: NDArray[np.uint8]


@dataclass(frozen=True)
class Dataset:
    """N samples, one per anchor; `window` and `label` have one row per 5 ms tick, so that any phase of the window's grid can be cut out.

    image (N,96,96,3) uint8; low_dim (N,76); chunk (N,steps,10), window (N,ticks,14), label (N,ticks,10): un-normalised float32, relative
    to the anchor; label: the action one latency after the row. rows (N,): ticks before the episode's end. seed (N,): episode.
    encoded (N,E) float32, un-normalised: what encoders that stand alone, by name, made of the image, which is then not seen itself.
    """

    image: NDArray[np.uint8]
    low_dim: NDArray[np.float32]
    chunk: NDArray[np.float32]
    window: NDArray[np.float32]
    label: NDArray[np.float32]
    rows: NDArray[np.int64]
    seed: NDArray[np.int64]
    digest: str
    encoders: Mapping[str, EncoderSpec] = field(default_factory=dict)
    encoded: NDArray[np.float32] = field(default_factory=lambda: np.empty((0, 0), np.float32))

    def split(self, held_out: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return sample indices for training and validation; see `apart`."""
        return apart(self.seed, held_out)


def apart(episode: NDArray[np.int64], held_out: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the rows to train on and those held out, whole episodes (N,) of them, at least one if the share `held_out` is not zero."""
    episodes = np.unique(episode)
    count = int(np.ceil(held_out * len(episodes)))
    if count >= len(episodes):
        raise DataError(f"{len(episodes)} episodes leave none to train on when {held_out:.0%} are held out. Record more demonstrations.")
    held = np.isin(episode, np.random.default_rng(0).permutation(episodes)[:count])
    return np.flatnonzero(~held), np.flatnonzero(held)


def provenance(rounds: Sequence[Dataset]) -> dict[str, Any]:
    """Return what a card tells of the rounds of demonstrations that a policy was trained on."""
    seeds = [np.unique(data.seed) for data in rounds]
    return {
        "data_sha256": [data.digest for data in rounds],
        "episodes": [len(of) for of in seeds],
        "samples": [len(data.seed) for data in rounds],
        "seeds": [f"{of[0]}..{of[-1]}" for of in seeds],
    }


def load_episode(path: Path) -> Episode:
    """Read one demonstration of an expert; raises DataError for anything that is not as the module says."""
    return episode_of(Demonstrated(path).arrays(), str(path))


@dataclass(frozen=True)
class Demonstrated:
    """One .npz on the disk."""

    path: Path

    @property
    def name(self) -> str:
        """What to call it in a message."""
        return str(self.path)

    def times(self) -> tuple[Array, Array]:
        """Return `t_s` and `image_t_s`."""
        read = self.read(("t_s", "image_t_s"))
        return read["t_s"], read["image_t_s"]

    def arrays(self) -> Mapping[str, NDArray[Any]]:
        """Return everything that a demonstration has; raises DataError where something is missing."""
        return self.read((*_WIDTHS, "image", "image_t_s", "seed"))

    def read(self, names: Sequence[str]) -> dict[str, NDArray[Any]]:
        """Return these arrays; raises DataError where one is missing."""
        try:
            with np.load(self.path, allow_pickle=False) as file:
                return {name: file[name] for name in names}
        except (KeyError, ValueError, OSError) as error:
            raise DataError(f"{self.path}: not a demonstration: {error}. Record it again.") from None


def demonstrations(folder: Path, robot: RobotDescription | None = None) -> Sequence[Demonstrated | Recorded]:
    """Return the demonstrations in a folder: an expert's, or a data set of recordings, which needs the robot that was recorded.

    Raises DataError where there are none, or a data set lacks what policies are trained on.
    """
    if is_data_set(folder):
        if robot is None:
            raise ConfigError(f"{folder} is a data set of recordings, and nobody said of which robot. Train it by ./tactus train --data.")
        return recorded(folder, robot)
    if not (paths := _files(folder)):
        raise DataError(f"{folder}: no demonstrations (*.npz), and no data set (LeRobot's, replay_buffer.zarr). Record some first.")
    return [Demonstrated(path) for path in paths]


def _files(folder: Path) -> list[Path]:
    """Return what the demonstrations in a folder are made of, in a fixed order."""
    return sorted(path for path in folder.rglob("*") if path.is_file()) if is_data_set(folder) else sorted(folder.glob("*.npz"))


def episode_of(raw: Mapping[str, NDArray[Any]], path: str) -> Episode:
    """Return the demonstration of these arrays; raises DataError for anything that is not as the module says."""
    ticks = len(raw["t_s"])
    for name, width in _WIDTHS.items():
        if raw[name].shape != (ticks, *width) or not np.isfinite(raw[name]).all():
            raise DataError(f"{path}: '{name}' has shape {raw[name].shape}, expected {(ticks, *width)} of finite numbers. Record it again.")
    if raw["image"].shape != (len(raw["image_t_s"]), *IMAGE_SHAPE) or raw["image"].dtype != np.uint8:
        raise DataError(
            f"{path}: 'image' is {raw['image'].dtype} {raw['image'].shape}, expected uint8 (I, {IMAGE_SHAPE}). Record it again."
        )
    if np.abs(np.diff(raw["t_s"]) - TICK_S).max() > TICK_S / 10:
        raise DataError(f"{path}: 't_s' is not a grid of {TICK_S} s. Record it again with one row per sensor tick.")
    anchors, kept = anchor_ticks(raw["t_s"], raw["image_t_s"])
    T_base_tcp = np.stack([from_pose7(row) for row in raw["tcp_pose"].astype(np.float64)])
    no_joints = np.empty((ticks, 0))
    felt = (raw["wrench"], raw["fingertips"], no_joints, no_joints)
    states = StateArrays(raw["t_s"], T_base_tcp[:, :3, 3], T_base_tcp[:, :3, :3], *felt)
    action_T = np.stack([from_pose7(row) for row in raw["action_pose"].astype(np.float64)])
    return Episode(int(raw["seed"]), states, action_T, raw["action_press"], anchors, raw["image"][kept])


def anchor_ticks(t_s: Array, image_t_s: Array) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the ticks of the images that can be anchors, and which images (I,) these are."""
    tick = np.rint((image_t_s - t_s[0]) / TICK_S).astype(np.int64)
    kept = (tick * TICK_S >= LOOKBACK_S) & (tick < len(t_s))
    return tick[kept], kept


def relative_actions(episode: Episode, ticks: NDArray[np.int64], T_base_anchor: Array) -> Array:
    """Return the actions (n, 10) at `ticks`, relative to the anchor; past the end of the episode the last one is repeated."""
    ticks = np.minimum(ticks, len(episode.action_T) - 1)
    T = inverse(T_base_anchor) @ episode.action_T[ticks]
    rot6d = T[:, :3, :2].transpose(0, 2, 1).reshape(-1, 6)
    return np.concatenate([T[:, :3, 3], rot6d, episode.action_press[ticks, None]], axis=1)


def sample(episode: Episode, tick: int, config: DataConfig) -> dict[str, Array]:
    """Return `low_dim`, `chunk`, `window`, `label` of the anchor at `tick`; window rows past the episode's end are zero."""
    states, length = episode.states, ticks_per_chunk(config)
    stamp_s = float(states.stamp_s[tick])
    T_base_anchor = np.eye(4)
    T_base_anchor[:3, :3], T_base_anchor[:3, 3] = states.rotation[tick], states.position_m[tick]
    rows = min(length, len(states.stamp_s) - tick)
    felt = np.zeros((length, WINDOW_SIZE))
    felt[:rows] = window(states, stamp_s, T_base_anchor, stamp_s + (rows - 1) * TICK_S, TICK_S)
    grid = tick + np.arange(length)
    label = relative_actions(episode, grid + in_ticks(config.hand_latency_s), T_base_anchor)
    label[:, _ARM] = relative_actions(episode, grid + in_ticks(config.arm_latency_s), T_base_anchor)[:, _ARM]
    entries = tick + in_ticks(config.chunk_dt_s) * np.arange(config.chunk_steps)
    return {
        "low_dim": low_dim(states, stamp_s, OBSERVATION.low_dim),
        "chunk": relative_actions(episode, entries, T_base_anchor),
        "window": felt,
        "label": label,
    }


def in_ticks(duration_s: float) -> int:
    """Return a duration in ticks; raises DataError where it is not a whole number of them."""
    ticks = round(duration_s / TICK_S)
    if abs(ticks * TICK_S - duration_s) > 1e-9:
        raise DataError(f"{duration_s} s is not a multiple of the demonstrations' tick, {TICK_S} s. Choose a multiple.")
    return ticks


def ticks_per_chunk(config: DataConfig) -> int:
    """Return how many ticks a chunk spans."""
    return config.chunk_steps * in_ticks(config.chunk_dt_s)


def prepare(data_dir: Path, cache_dir: Path, config: DataConfig, robot: RobotDescription | None = None) -> Dataset:
    """Return the samples of all demonstrations in `data_dir`, built into `cache_dir` unless it holds just these already.

    robot: that was recorded, where `data_dir` is a data set of recordings.
    """
    found = demonstrations(data_dir, robot)
    digest = hashlib.sha256(json.dumps(asdict(config), sort_keys=True).encode())
    for path in track(_files(data_dir), description="hashing demonstrations"):
        digest.update(path.read_bytes())
    meta = cache_dir / "meta.json"
    if not meta.is_file() or json.loads(meta.read_text())["digest"] != digest.hexdigest():
        # The digest is written last: a build that was cut short is built again.
        meta.unlink(missing_ok=True)
        _build(found, cache_dir, config)
        meta.write_text(json.dumps({"digest": digest.hexdigest(), "episodes": len(found)}))
    arrays: dict[str, Any] = {name: np.load(cache_dir / f"{name}.npy", mmap_mode="r") for name in _layout(config)}
    return Dataset(**arrays, digest=digest.hexdigest())


def _layout(config: DataConfig) -> Mapping[str, tuple[tuple[int, ...], Any]]:
    ticks = ticks_per_chunk(config)
    return {
        "image": (IMAGE_SHAPE, np.uint8),
        "low_dim": ((LOW_DIM_SIZE,), np.float32),
        "chunk": ((config.chunk_steps, ACTION_SIZE), np.float32),
        "window": ((ticks, WINDOW_SIZE), np.float32),
        "label": ((ticks, ACTION_SIZE), np.float32),
        "rows": ((), np.int64),
        "seed": ((), np.int64),
    }


def _build(found: Sequence[Demonstrated | Recorded], cache_dir: Path, config: DataConfig) -> None:
    cache_dir.mkdir(parents=True, exist_ok=True)
    count = 0
    for one in found:
        count += len(anchor_ticks(*one.times())[0])
    arrays = {
        name: np.lib.format.open_memmap(cache_dir / f"{name}.npy", mode="w+", dtype=dtype, shape=(count, *shape))
        for name, (shape, dtype) in _layout(config).items()
    }
    done = 0
    for one in track(found, description="preparing samples"):
        for values in _samples(episode_of(one.arrays(), one.name), config):
            for name, value in values.items():
                arrays[name][done] = value
            done += 1
    for array in arrays.values():
        array.flush()


def _samples(episode: Episode, config: DataConfig) -> Iterator[dict[str, Any]]:
    for tick, image in zip(episode.anchors, episode.images, strict=True):
        rows = min(ticks_per_chunk(config), len(episode.states.stamp_s) - int(tick))
        yield sample(episode, int(tick), config) | {"image": image, "rows": rows, "seed": episode.seed}
