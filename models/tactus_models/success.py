"""Training of a classifier of success, from labelled images (`done` of `learning/shown.py`): an image and what is felt → one logit.

As HIL-SERL's (Luo et al. 2024) it is binary cross-entropy, half of each batch successes; the encoder is the policies', from scratch.
"""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from rich.progress import track
from torch import Tensor, nn

from tactus_core.errors import DataError
from tactus_core.learning.classifier import CARD, GRAPH, ClassifierCard, SuccessClassifier, dump_classifier_card
from tactus_core.policy.bundle import Normaliser
from tactus_core.policy.card import file_sha256
from tactus_core.policy.observation import low_dim
from tactus_core.policy.signals import ObservedSpec
from tactus_core.policy.specs import FileSpec
from tactus_models import layout, normalise
from tactus_models.config import SuccessConfig, TrainConfig
from tactus_models.dataset import apart
from tactus_models.export import commit, export_graph, require_parity
from tactus_models.images import shifted
from tactus_models.labelled import errors, load_labelled
from tactus_models.loop import Dice, Result, fit
from tactus_models.networks import ImageEncoder

OBSERVED = (ObservedSpec("tcp_pose", (0.0,)), ObservedSpec("wrench", (0.0, -0.1)))


@dataclass(frozen=True)
class Frames:
    """N labelled images. image (N,96,96,3) uint8; low_dim (N,L) un-normalised; done (N,) bool; episode (N,): whose."""

    image: NDArray[np.uint8]
    low_dim: NDArray[np.float32]
    done: NDArray[np.bool_]
    episode: NDArray[np.int64]

    def split(self, share: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the rows to train on and those held out, whole episodes; raises DataError where either lacks one of the two labels."""
        parts = apart(self.episode, share)
        for name, rows in zip(("train on", "hold out"), parts, strict=True):
            if len(np.unique(self.done[rows])) < 2:
                raise DataError(
                    f"the episodes to {name} show {int(self.done[rows].sum())} images of success among {len(rows)}; expected some of "
                    "either kind. Label more episodes, successes and failures."
                )
        return parts


def load_frames(files: Sequence[Path]) -> Frames:
    """Read labelled episodes; raises DataError for one without labels, or that is not as `learning/shown.py` says."""
    parts = [_episode(path, number) for number, path in enumerate(track(files, description="reading images"))]
    if not parts:
        raise DataError("no labelled images (*.npz with 'done'). Collect some: ./tactus train --task insert --stage success.")
    image, felt, done, episode = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Frames(image, felt, done, episode)


def _episode(path: Path, number: int) -> tuple[NDArray[Any], ...]:
    of = load_labelled(path)
    felt = [low_dim(of.states, float(stamp_s), OBSERVED) for stamp_s in of.stamps_s]
    known = of.done >= 0
    return of.images[known], np.array(felt, dtype=np.float32)[known], of.done[known] == 1, np.full(int(known.sum()), number)


class SuccessNetwork(nn.Module):
    """What a classifier's graph is: it normalises what is observed by itself."""

    def __init__(self, config: SuccessConfig, observed: Normaliser) -> None:
        super().__init__()
        self.encoder = ImageEncoder(config.encoder_widths, config.features)
        self.offset, self.scale = nn.Buffer(torch.from_numpy(observed.offset)), nn.Buffer(torch.from_numpy(observed.scale))
        self.head = nn.Sequential(
            nn.Linear(config.features + len(observed.offset), config.hidden),
            nn.ReLU(),
            nn.Dropout(config.dropout),
            nn.Linear(config.hidden, 1),
        )

    def forward(self, image: Tensor, low_dim: Tensor) -> Tensor:
        """Return logits (B, 1) of uint8 images (B, H, W, 3) and un-normalised observations (B, L)."""
        return self.head(torch.cat([self.encoder(image), (low_dim - self.offset) / self.scale], dim=-1))


class SuccessStage:
    """Trains a `SuccessNetwork`; see `loop.Stage`."""

    name = "success"

    def __init__(self, frames: Frames, files: Sequence[Path], config: TrainConfig) -> None:
        torch.manual_seed(config.seed)
        self.frames, self._config = frames, config.success
        self.train, self.held = frames.split(config.success.held_out)
        self._of = [self.train[frames.done[self.train] == label] for label in (True, False)]
        self.module = SuccessNetwork(config.success, normalise.standard(frames.low_dim[self.train]))
        self.steps, self.learning_rate = config.success.steps, config.success.learning_rate
        told = [[path.name, file_sha256(path)] for path in files]
        self.identity: Mapping[str, Any] = {"data": told, "seed": config.seed, **asdict(config.success)}

    def losses(self, dice: Dice) -> dict[str, Tensor]:
        """Take a batch, half of it successes: they are few."""
        index = np.concatenate([dice.numpy.choice(rows, self._config.batch // 2) for rows in self._of])
        image = torch.from_numpy(shifted(self.frames.image[index], self._config.shift_px, dice.numpy))
        logit = self.module(image, torch.from_numpy(self.frames.low_dim[index]))[:, 0]
        return {"loss": nn.functional.binary_cross_entropy_with_logits(logit, torch.from_numpy(self.frames.done[index]).float())}

    @torch.no_grad()
    def validate(self, module: SuccessNetwork) -> dict[str, float]:
        """Return the error rates on the images of episodes held out; see `errors`."""
        parts = np.array_split(self.held, max(1, len(self.held) // 128))
        seen = ((torch.from_numpy(self.frames.image[rows]), torch.from_numpy(self.frames.low_dim[rows])) for rows in parts)
        logit = np.concatenate([module(image, felt)[:, 0].numpy() for image, felt in seen])
        return errors(1.0 / (1.0 + np.exp(-logit)), self.frames.done[self.held], self._config.threshold)


def train_success(files: Sequence[Path], work_dir: Path, folder: Path, config: TrainConfig) -> Result[SuccessNetwork]:
    """Train on labelled episodes and export to `folder`; a second call goes on where the first one stopped.

    Checkpoint and log (`success.jsonl`) are kept in `work_dir`. Raises ConfigError, DataError or BundleError.
    """
    torch.set_num_threads(config.threads)
    frames = load_frames(files)
    stage = SuccessStage(frames, files, config)
    result = fit(stage, work_dir, config.seed, config.success.minutes)
    export_classifier(result, stage, provenance(files, frames), folder, config)
    return result


def provenance(files: Sequence[Path], frames: Frames) -> dict[str, Any]:
    """Return what a card tells of the labelled episodes; `of`: how many of each folder."""
    return {
        "data_sha256": hashlib.sha256("".join(map(file_sha256, files)).encode()).hexdigest(),
        "episodes": len(files),
        "of": dict(Counter(file.parent.name for file in files)),
        "images": len(frames.done),
        "successes": int(frames.done.sum()),
    }


def export_classifier(
    result: Result[SuccessNetwork], stage: SuccessStage, shown: Mapping[str, Any], folder: Path, config: TrainConfig
) -> ClassifierCard:
    """Write a classifier's folder, load it as whoever uses it would, and compare; raises BundleError where graph and network differ.

    shown: what the card tells of the episodes that were learnt from.
    """
    (camera,) = layout.OBSERVATION.cameras
    held = stage.frames.done[stage.held]
    spent = {"commit": commit(), "duration_s": round(result.duration_s), "seed": config.seed}
    draft = ClassifierCard(
        name=folder.name,
        version=config.card.version,
        task=config.card.task,
        robot=config.card.robot,
        joints=layout.JOINTS,
        licence="Apache-2.0",
        camera=camera,
        image=layout.IMAGE_SHAPE,
        low_dim=OBSERVED,
        graph=FileSpec(GRAPH, ""),
        threshold=config.success.threshold,
        frames=config.success.frames,
        gap_s=config.success.gap_s,
        measured={"images": len(held), "successes": int(held.sum()), **{name: round(value, 4) for name, value in result.metrics.items()}},
        training={**spent, **shown, **asdict(config.success), "steps": result.steps},
    )
    folder.mkdir(parents=True, exist_ok=True)
    export_graph(result.module, folder / GRAPH, *draft.tensors)
    card = replace(draft, graph=FileSpec(GRAPH, file_sha256(folder / GRAPH)))
    dump_classifier_card(card, folder / CARD)
    row = stage.held[0]
    image, felt = stage.frames.image[row], stage.frames.low_dim[row]
    logit = np.array([[SuccessClassifier(folder).logit(image, felt)]])
    require_parity(logit, result.module, {"image": image[None], "low_dim": felt[None]}, f"classifier '{card.id}'")
    return card
