"""Demonstrations of a task by its expert, as training reads them: one .npz per seed.

Arrays, at 200 Hz: t_s (T,), tcp_pose (T,7) xyz + xyzw in base, wrench (T,6), fingertips (T,4), action_pose (T,7) the expert's target,
executed_pose (T,7) what its hands made of it, action_press (T,). At 10 Hz: image (I,96,96,3) uint8, image_t_s (I,). And seed.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from tactus_core.geometry import pose7
from tactus_core.ports import Camera
from tactus_core.types import Outcome, Target, WorldTick

REST_s = 0.3  # a policy needs this much history before it can act, so demonstrations begin with it too
_IMAGE_EVERY = 20  # ticks

Arrays = dict[str, np.ndarray[Any, Any]]


class Demonstrator(Protocol):
    """World, camera and expert of a task, loaded once, that make one demonstration after the other."""

    def demonstrate(self, seed: int) -> tuple[Outcome, Arrays, bool]:
        """Return how the episode of `seed` went, its arrays, and whether it is one to learn from."""
        ...


class Notes:
    """What has been demonstrated so far in one episode."""

    def __init__(self, camera: Camera) -> None:
        self._camera = camera
        self._rows: list[tuple[Any, ...]] = []
        self._images: list[tuple[float, Any]] = []

    @property
    def images(self) -> int:
        """How many were drawn."""
        return len(self._images)

    def add(self, tick: WorldTick, label: Target, executed: Target, press: float, draw: bool = True) -> None:
        """Note a tick, what the expert wants at it, and what is done instead; with `draw`, every twentieth is drawn as well."""
        state = tick.state
        if draw and len(self._rows) % _IMAGE_EVERY == 0:
            self._images.append((state.stamp_s, self._camera.render(tick.snapshot)))
        pose, wanted, done = (pose7(T) for T in (state.T_base_tcp, label.T_base_tcp, executed.T_base_tcp))
        self._rows.append((state.stamp_s, pose, state.wrench_tcp, state.fingertip_force_N, wanted, done, press))

    def arrays(self, seed: int) -> Arrays:
        """Return the demonstration."""
        names = ("t_s", "tcp_pose", "wrench", "fingertips", "action_pose", "executed_pose", "action_press")
        columns = {name: np.array([row[i] for row in self._rows]) for i, name in enumerate(names)}
        times, images = zip(*self._images, strict=True)
        return {**columns, "image": np.stack(images), "image_t_s": np.array(times), "seed": np.array(seed)}


def record(folder: Path, seeds: range, workers: int, make: Callable[[], Demonstrator]) -> Iterator[Outcome | None]:
    """Write the demonstrations of `seeds` that are to be learnt from into `folder`; each worker process makes one demonstrator.

    Yields each outcome as it comes, None for one that was there already.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(workers, get_context("spawn"), _load, (make,)) as pool:
        yield from pool.map(_record_one, [(folder, seed) for seed in seeds])


_demonstrator: Demonstrator  # one per worker process: loading the scene takes a second


def _load(make: Callable[[], Demonstrator]) -> None:
    global _demonstrator
    _demonstrator = make()


def _record_one(job: tuple[Path, int]) -> Outcome | None:
    folder, seed = job
    path = folder / f"{seed:06d}.npz"
    if path.exists():
        return None
    outcome, arrays, good = _demonstrator.demonstrate(seed)
    if good:
        write(path, arrays)
    return outcome


def write(path: Path, arrays: Arrays) -> None:
    """Write a demonstration; an interrupted run leaves no half file that looks whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    with part.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)
    part.rename(path)
