"""Demonstrations as a residual's replay wants them: what the base would have proposed at every decision, and what was done."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tactus_core.errors import ConfigError, DataError, StaleError
from tactus_core.geometry import from_pose7
from tactus_core.history import STAMP_EPSILON_S
from tactus_core.policy.bundle import Bundle
from tactus_core.policy.card import Card
from tactus_core.policy.encoder import OnnxEncoder
from tactus_core.policy.residual import observation, twist
from tactus_core.policy.slow import DiffusionPolicy
from tactus_core.ports import FastPolicy
from tactus_core.types import ActionChunk, Array
from tactus_models.config import ResidualConfig
from tactus_models.dataset import Episode, in_ticks, load_episode
from tactus_models.layout import OBSERVATION
from tactus_models.residual.replay import Replay, at_success

Labelled = tuple[Array, Array]  # of one demonstration: what was observed (n, 82) and what was done (n, 6) at each decision


def demonstrated(data_dir: Path, bundle: Bundle, fast: FastPolicy, config: ResidualConfig) -> list[Labelled]:
    """Return the demonstrations in `data_dir` with the base's actions: `bundle` plans, `fast` is its fast policy.

    Raises DataError, or ConfigError for a base that observes what demonstrations do not show.
    """
    require_shown(bundle.card)
    episodes = [_labelled(load_episode(path), _executed(path), bundle, fast, config.dt_s) for path in sorted(data_dir.glob("*.npz"))]
    if not episodes:
        raise DataError(f"{data_dir}: no demonstrations (*.npz). Record some first.")
    return episodes


def require_shown(card: Card) -> None:
    """Raise ConfigError for a base that observes what demonstrations do not show, for which a residual's networks are made."""
    if card.observation != OBSERVATION:
        raise ConfigError(
            f"bundle '{card.id}' observes {card.observation}; demonstrations show {OBSERVATION}. Choose a base that was trained on them."
        )


def replayed(episodes: Sequence[Labelled], config: ResidualConfig, success: bool = True, room: int = 0) -> Replay:
    """Return demonstrations as a replay with room for so many more rows. success: whether their ends are rewarded."""
    replay = Replay(sum(len(observed) for observed, _ in episodes) + room, config)
    for observed, action in episodes:
        replay.add(observed, action, at_success(len(observed), success), ended=True)
    return replay


def _executed(path: Path) -> Array:
    """Return what the hands did (T,4,4), which is not what the expert wanted: a critic has to judge what led to what followed."""
    with np.load(path, allow_pickle=False) as file:
        if "executed_pose" not in file:
            raise DataError(f"{path}: no 'executed_pose': it was recorded by an older version. Record it again.")
        return np.stack([from_pose7(row) for row in file["executed_pose"]])


def _labelled(episode: Episode, executed: Array, bundle: Bundle, fast: FastPolicy, dt_s: float) -> Labelled:
    """Label one demonstration; the base starts anew with it."""
    card, states = bundle.card, episode.states
    slow, encoder = DiffusionPolicy(bundle, episode.seed), OnnxEncoder(bundle)
    chunk: ActionChunk | None = None
    (camera,) = card.observation.cameras
    images = dict(zip(episode.anchors.tolist(), episode.images, strict=True))
    observed, action = [], []
    for tick in range(int(episode.anchors[0]), len(states.stamp_s), in_ticks(dt_s)):
        now_s = float(states.stamp_s[tick])
        if tick in images and (chunk is None or now_s - chunk.stamp_s >= card.replan_s - STAMP_EPSILON_S):
            chunk = slow.infer(encoder.encode({camera: images[tick][None]}), states, now_s)
        if chunk is None:
            continue
        try:
            observed.append(observation(states, fast.act(chunk, states, now_s).target, now_s, card.observation.low_dim))
        except StaleError as error:
            raise DataError(f"demonstration {episode.seed}: the base has nothing to propose at {now_s:.2f} s: {error}") from None
        T_base_tcp = np.eye(4)
        T_base_tcp[:3, :3], T_base_tcp[:3, 3] = states.rotation[tick], states.position_m[tick]
        action.append(twist(T_base_tcp, executed[tick]))
    return np.array(observed), np.array(action)
