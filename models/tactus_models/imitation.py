"""Training of a policy by imitation alone: one round of demonstrations, action chunks, no touch head."""

from pathlib import Path

import numpy as np
import torch

from tactus_core.types import RobotDescription
from tactus_models import normalise
from tactus_models.config import TrainConfig
from tactus_models.dataset import prepare
from tactus_models.diffusion import ActionTarget, DiffusionStage, SlowPolicy
from tactus_models.encoders.frozen import Frozen
from tactus_models.export import export_bundle
from tactus_models.layout import ACTION_SIZE
from tactus_models.loop import Result, fit
from tactus_models.train import common_parts


def train_base(
    data_dir: Path,
    work_dir: Path,
    bundle_dir: Path,
    config: TrainConfig,
    robot: RobotDescription | None = None,
    frozen: Frozen | None = None,
) -> Result[SlowPolicy]:
    """Train on the demonstrations in `data_dir` and export to `bundle_dir`; a second call goes on where the first one stopped.

    robot: that was recorded, where they are a data set. frozen: whose features are observed in the place of images. Checkpoint, log
    (`chunk.jsonl`; with `frozen` `chunk-encoded.jsonl`) and prepared samples are kept in `work_dir`. Raises ConfigError, DataError or
    BundleError.
    """
    torch.set_num_threads(config.threads)
    data = prepare(data_dir, work_dir / "samples", config.data, robot)
    if frozen is not None:
        data = frozen.see(data, work_dir / "samples")
    train, _ = data.split(config.data.held_out)
    action = normalise.min_max(np.asarray(data.chunk[train]).reshape(-1, ACTION_SIZE))
    stage = DiffusionStage(data, ActionTarget(data, action), config)
    result = fit(stage, work_dir, config.seed, config.minutes_diffusion)
    export_bundle(common_parts(stage, result, [data], bundle_dir.name), bundle_dir, config)
    return result
