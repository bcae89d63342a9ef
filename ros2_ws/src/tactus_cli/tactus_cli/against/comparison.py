"""A bundle beside LeRobot's own code: the same checkpoint, noise, images, steps and threads, in turns, within one run."""

import json
import os
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tactus_core.engines.port import EngineConfig
from tactus_core.errors import DataError, SetupError
from tactus_core.policy.bundle import Bundle
from tactus_core.policy.encoder import OnnxEncoder
from tactus_core.policy.slow import DiffusionPolicy
from tactus_core.policy.specs import DirectSpec

_WORKER = Path(__file__).with_name("lerobot_worker.py")
_REST_S = 0.05  # threads of one side spin a while after their work; the other must not run beside them


class LeRobot:
    """LeRobot's process: loads the checkpoint and plans when asked."""

    def __init__(self, python: Path, checkpoint: Path, threads: int) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self._log = (Path(self._folder.name) / "log").open("w+")
        try:
            self._process = subprocess.Popen(
                [str(python), str(_WORKER), str(checkpoint), str(threads)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, text=True,
            )  # fmt: skip
        except OSError as error:
            raise SetupError(f"--lerobot-python {python}: {error.strerror}. Name the Python of an environment with lerobot.") from None
        self._answer()

    def plan(self, inputs: dict[str, NDArray[Any]]) -> tuple[NDArray[np.float32], dict[str, float]]:
        """Return the chunk's rows, un-normalised, and what they took: `ms`, and `cpu_ms` of all threads."""
        asked = {name: f"{self._folder.name}/{name}.{kind}" for name, kind in (("inputs", "npz"), ("outputs", "npy"))}
        np.savez(asked["inputs"], **inputs)
        print(json.dumps(asked), file=self._process.stdin, flush=True)
        took = self._answer()
        return np.load(asked["outputs"], allow_pickle=False), took

    def _answer(self) -> dict[str, Any]:
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            self._process.wait()
            self._log.seek(0)
            last = self._log.read().strip().splitlines()[-1:] or ["nothing"]
            raise SetupError(
                f"LeRobot's process ended, and said: {last[0]}. It needs lerobot with the extra `diffusion`, and this checkpoint."
            )
        return dict(json.loads(line))

    def __enter__(self) -> "LeRobot":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._process.kill()
        self._process.wait()
        self._log.close()
        self._folder.cleanup()


def compare(bundle_name: str, checkpoint: Path, python: Path, repetitions: int, engine: EngineConfig, seed: int) -> dict[str, Any]:
    """Return p50 and p99 [ms] of a chunk on both sides, from images to rows, their ratios, and the largest difference of a row.

    `…_cpu_ms`: time on cores, which on a busy machine says more. The bundle is what `tactus import lerobot` made of the checkpoint, in
    the checkpoint's units. Raises DataError where rows differ in shape.
    """
    bundle = Bundle.load(bundle_name, engine)
    encoder, policy = OnnxEncoder(bundle), DiffusionPolicy(bundle, seed)
    config = json.loads((checkpoint / "config.json").read_text())
    took: dict[str, list[float]] = {name: [] for name in ("tactus_ms", "lerobot_ms", "tactus_cpu_ms", "lerobot_cpu_ms")}
    difference, load = 0.0, os.getloadavg()[0]
    with LeRobot(python, checkpoint, engine.threads) as original:
        for number in range(repetitions + 1):
            images, observed, inputs = _observed(bundle, config, seed + number)
            theirs, of_theirs = original.plan(inputs)
            time.sleep(_REST_S)
            policy.reset(seed + number)
            began_s, began_cpu_s = time.perf_counter(), time.process_time()
            ours = policy.plan(encoder.encode(images), observed)
            ended_s, ended_cpu_s = time.perf_counter(), time.process_time()
            time.sleep(_REST_S)
            if ours.shape[1] != theirs.shape[1] or len(ours) < len(theirs):
                raise DataError(f"the bundle plans {ours.shape}, LeRobot {theirs.shape}. Is the bundle of this checkpoint?")
            difference = max(difference, float(np.abs(ours[: len(theirs)] - theirs).max()))
            if number:  # the first of each is a warm-up
                took["tactus_ms"].append((ended_s - began_s) * 1e3)
                took["tactus_cpu_ms"].append((ended_cpu_s - began_cpu_s) * 1e3)
                took["lerobot_ms"].append(of_theirs["ms"])
                took["lerobot_cpu_ms"].append(of_theirs["cpu_ms"])
    rows = {name: {"p50": round(float(np.median(ms)), 2), "p99": round(float(np.percentile(ms, 99)), 2)} for name, ms in took.items()}
    return {
        "bundle": bundle.card.id,
        **rows,
        "times_faster": round(rows["lerobot_ms"]["p50"] / rows["tactus_ms"]["p50"], 2),
        "times_less_cpu": round(rows["lerobot_cpu_ms"]["p50"] / rows["tactus_cpu_ms"]["p50"], 2),
        "largest_difference": difference,
        "chunks": repetitions,
        "threads": engine.threads,
        "load_before": round(load, 2),
        "load_after": round(os.getloadavg()[0], 2),
    }


def _observed(bundle: Bundle, config: dict[str, Any], seed: int) -> tuple[dict[str, Any], NDArray[np.float64], dict[str, NDArray[Any]]]:
    """Return one observation three times: images by camera and the robot's state, as the bundle wants them; and as LeRobot does."""
    rng, card, times = np.random.default_rng(seed), bundle.card, config["n_obs_steps"]
    inputs: dict[str, NDArray[Any]] = {}
    images: dict[str, NDArray[np.uint8]] = {}
    cameras = iter(card.observation.cameras)  # in config.json's order
    for key, of in config["input_features"].items():
        if of["type"] == "VISUAL":
            height, width = of["shape"][1:]
            inputs[key] = images[next(cameras)] = rng.integers(0, 256, (times, height, width, 3), dtype=np.uint8)
        else:
            inputs[key] = rng.normal(0.0, 0.3, (times, *of["shape"])).astype(np.float32)
    if not isinstance(card.generator, DirectSpec):
        inputs["noise"] = np.random.default_rng(seed).standard_normal(card.sample_shape, dtype=np.float32)
    return images, inputs["observation.state"].ravel().astype(np.float64), inputs
