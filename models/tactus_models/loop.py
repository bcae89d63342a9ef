"""One training loop for every stage: AdamW, warm-up and cosine, EMA, a log, and checkpoints that resume exactly.

Batch and noise of a step are functions of (seed, step) alone, so weights, optimiser and step number are all that a checkpoint needs.
"""

import copy
import json
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
import torch
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from torch import Tensor, nn

from tactus_core.errors import ConfigError

WARM_UP_STEPS = 200
CHECKPOINT_S = 60.0
EMA_POWER = 0.75
VALIDATIONS = 8

M = TypeVar("M", bound=nn.Module)


@dataclass(frozen=True)
class Dice:
    """The random numbers of one step."""

    numpy: np.random.Generator
    torch: torch.Generator

    @staticmethod
    def of(seed: int, step: int) -> "Dice":
        """Return generators that depend on (seed, step) alone."""
        rng = np.random.default_rng((seed, step))
        return Dice(rng, torch.Generator().manual_seed(int(rng.integers(2**62))))


class Stage(Protocol[M]):
    """What the loop trains. identity: whatever a checkpoint must agree with to be resumed (JSON)."""

    name: str
    module: M
    steps: int
    learning_rate: float
    identity: Mapping[str, Any]

    def losses(self, dice: Dice) -> dict[str, Tensor]:
        """Return the scalars of one batch; `loss` is minimised, the others are logged."""
        ...

    def validate(self, module: M) -> dict[str, float]:
        """Return metrics of `module` (the averaged weights) on held-out episodes."""
        ...


@dataclass(frozen=True)
class Result(Generic[M]):
    """A finished stage: averaged weights, steps and seconds spent, the last validation."""

    module: M
    steps: int
    duration_s: float
    metrics: dict[str, float]

    @property
    def provenance(self) -> dict[str, float | dict[str, float]]:
        """What a card tells of it."""
        held_out = {name: round(value, 4) for name, value in self.metrics.items()}
        return {"steps": self.steps, "duration_s": round(self.duration_s), "held_out": held_out}


def fit(stage: Stage[M], work_dir: Path, seed: int, minutes: float) -> Result[M]:
    """Train `stage` until its steps or `minutes` are used up, from its checkpoint in `work_dir` if there is one.

    The learning rate follows the share of the budget that is spent, whichever is scarcer. Raises ConfigError for a checkpoint of
    another configuration or data set.
    """
    work_dir.mkdir(parents=True, exist_ok=True)
    average = copy.deepcopy(stage.module).requires_grad_(False).eval()
    optimiser = torch.optim.AdamW(stage.module.parameters(), lr=stage.learning_rate, betas=(0.95, 0.999), weight_decay=1e-4)
    path = work_dir / f"{stage.name}.pt"
    step, spent_s = _resume(path, stage, average, optimiser)
    start_s = saved_s = time.monotonic() - spent_s
    validations = int(VALIDATIONS * _share(step, stage.steps, spent_s, minutes))
    metrics: dict[str, float] = {}
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn(), MofNCompleteColumn())
    with Progress(*columns, TextColumn("{task.fields[note]}")) as progress, (work_dir / f"{stage.name}.jsonl").open("a") as log:
        task = progress.add_task(stage.name, total=stage.steps, completed=step, note="")
        while (share := _share(step, stage.steps, time.monotonic() - start_s, minutes)) < 1.0:
            losses = _step(stage, average, optimiser, Dice.of(seed, step), step, share)
            step += 1
            spent_s = time.monotonic() - start_s
            # With a time budget the number of steps is a forecast.
            total = max(step, round(step / max(_share(step, stage.steps, spent_s, minutes), 1e-9)))
            progress.update(task, completed=step, total=min(total, stage.steps), note=" ".join(f"{k} {v:.4f}" for k, v in losses.items()))
            if step % 50 == 0:
                _write(log, step=step, spent_s=spent_s, **losses)
            if share * VALIDATIONS >= validations + 1:
                validations += 1
                metrics = stage.validate(average)
                _write(log, step=step, spent_s=spent_s, **metrics)
                progress.console.print(f"{stage.name} step {step}: " + ", ".join(f"{k} {v:.3g}" for k, v in metrics.items()))
            if time.monotonic() - saved_s > CHECKPOINT_S:
                saved_s = time.monotonic()
                _save(path, stage, average, optimiser, step, spent_s)
        _save(path, stage, average, optimiser, step, spent_s)
        metrics = stage.validate(average)
        _write(log, step=step, spent_s=spent_s, **metrics)
        progress.console.print(f"{stage.name} done after {step} steps: " + ", ".join(f"{k} {v:.3g}" for k, v in metrics.items()))
    return Result(average, step, spent_s, metrics)


def _share(step: int, steps: int, spent_s: float, minutes: float) -> float:
    return max(step / steps, spent_s / (60.0 * minutes))


def _step(stage: Stage[M], average: M, optimiser: torch.optim.Optimizer, dice: Dice, step: int, share: float) -> dict[str, float]:
    rate = stage.learning_rate * min(1.0, (step + 1) / WARM_UP_STEPS) * 0.5 * (1.0 + math.cos(math.pi * share))
    for group in optimiser.param_groups:
        group["lr"] = rate
    stage.module.train()
    torch.manual_seed(dice.torch.initial_seed() + 1)  # dropout asks the global generator
    losses = stage.losses(dice)
    optimiser.zero_grad(set_to_none=True)
    losses["loss"].backward()
    nn.utils.clip_grad_norm_(stage.module.parameters(), 1.0)
    optimiser.step()
    decay = min(0.9995, 1.0 - (1.0 + step) ** -EMA_POWER)
    torch._foreach_lerp_(list(average.parameters()), [p.detach() for p in stage.module.parameters()], 1.0 - decay)
    return {name: float(value.detach()) for name, value in losses.items()}


def _write(log: Any, **values: float) -> None:
    log.write(json.dumps({name: round(value, 6) for name, value in values.items()}) + "\n")
    log.flush()


def _save(path: Path, stage: Stage[M], average: M, optimiser: torch.optim.Optimizer, step: int, spent_s: float) -> None:
    state = {
        "module": stage.module.state_dict(),
        "average": average.state_dict(),
        "optimiser": optimiser.state_dict(),
        "step": step,
        "spent_s": spent_s,
        "identity": json.dumps(stage.identity, sort_keys=True),
    }
    partial = path.with_suffix(".partial")
    torch.save(state, partial)
    partial.replace(path)


def _resume(path: Path, stage: Stage[M], average: M, optimiser: torch.optim.Optimizer) -> tuple[int, float]:
    if not path.is_file():
        return 0, 0.0
    state = torch.load(path, weights_only=True)
    expected = json.dumps(stage.identity, sort_keys=True)
    if state["identity"] != expected:
        raise ConfigError(
            f"{path}: a checkpoint of another training: got {state['identity']}, expected {expected}. "
            "Delete it to start anew, or go back to its configuration and data."
        )
    stage.module.load_state_dict(state["module"])
    average.load_state_dict(state["average"])
    optimiser.load_state_dict(state["optimiser"])
    return int(state["step"]), float(state["spent_s"])
