"""A learner by the name of its method."""

import hashlib
import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch

from tactus_core.learning.transitions import Experience
from tactus_core.policy.bundle import Bundle, find_bundle
from tactus_core.policy.fast import make_base
from tactus_core.types import RobotDescription
from tactus_models.config import LearnConfig
from tactus_models.learning.base import BaseLearner
from tactus_models.learning.learner import Learner
from tactus_models.learning.recipes import recipe_of
from tactus_models.learning.residual import ResidualLearner
from tactus_models.residual.demonstrations import Labelled, demonstrated, require_shown
from tactus_models.residual.train import fingerprint


def make_learner(
    method: str, base: str | Path, robot: RobotDescription, data: Path, experience: Experience, work: Path, config: LearnConfig, seed: int
) -> Learner:
    """Return a learner that has taken no episode yet.

    data: demonstrations of the base's task. experience: what it will follow. work: where what takes long is kept.

    Raises BundleError, ConfigError or DataError.
    """
    torch.set_num_threads(config.threads)  # the robot's processes need the rest
    if method == "dagger":
        return BaseLearner(find_bundle(base), data, experience, experience.folder.parent / "fits", config, seed)
    bundle = Bundle.load(base)
    require_shown(bundle.card)
    recipe = recipe_of(method, bundle.card.task)
    shown = _labelled(bundle, robot, data, work, config) if recipe.shown else []
    return ResidualLearner(find_bundle(base), shown, recipe, config, seed)


def _labelled(bundle: Bundle, robot: RobotDescription, data: Path, work: Path, config: LearnConfig) -> list[Labelled]:
    """Return the labelled demonstrations, from `work` where the same were labelled before: the base plans through all of them."""
    path = work / "demonstrations.npz"
    told = [(file.name, hashlib.sha256(file.read_bytes()).hexdigest()) for file in sorted(data.glob("*.npz"))]
    of = json.dumps([told, fingerprint(bundle), asdict(config.residual)["dt_s"]])
    if path.is_file():
        with np.load(path, allow_pickle=False) as kept:
            if kept["of"].item() == of:
                ends = np.cumsum(kept["rows"])[:-1]
                return list(zip(np.split(kept["observed"], ends), np.split(kept["action"], ends), strict=True))
    episodes = demonstrated(data, bundle, make_base(bundle, robot), config.residual)
    work.mkdir(parents=True, exist_ok=True)
    observed, action = (np.concatenate(column) for column in zip(*episodes, strict=True))
    np.savez(path, allow_pickle=False, of=np.array(of), rows=[len(rows) for rows, _ in episodes], observed=observed, action=action)
    return episodes
