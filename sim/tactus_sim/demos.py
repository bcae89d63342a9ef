"""Demonstrations of a task by its expert, as training reads them (`tactus_core.learning.shown`): one .npz per seed.

action_pose is the expert's target, executed_pose what its hands made of it; images are 96×96, at 10 Hz.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Protocol

from tactus_core.learning import shown
from tactus_core.ports import Camera
from tactus_core.types import Outcome, Target, WorldTick

REST_s = 0.3  # a policy needs this much history before it can act, so demonstrations begin with it too
_IMAGE_EVERY = 20  # ticks


class Demonstrator(Protocol):
    """World, camera and expert of a task, loaded once, that make one demonstration after the other."""

    def demonstrate(self, seed: int) -> tuple[Outcome, shown.Arrays, bool]:
        """Return how the episode of `seed` went, its arrays, and whether it is one to learn from."""
        ...


class Notes:
    """What has been demonstrated so far in one episode."""

    def __init__(self, camera: Camera) -> None:
        self._camera, self._notes = camera, shown.Notes()

    @property
    def images(self) -> int:
        """How many were drawn."""
        return self._notes.images

    def add(self, tick: WorldTick, label: Target, executed: Target, press: float, draw: bool = True) -> None:
        """Note a tick, what the expert wants at it, and what is done instead; with `draw`, every twentieth is drawn as well."""
        state = tick.state
        if draw and len(self._notes) % _IMAGE_EVERY == 0:
            self._notes.see(state.stamp_s, self._camera.render(tick.snapshot))
        self._notes.add(state.stamp_s, state, label, executed, press)

    def arrays(self, seed: int) -> shown.Arrays:
        """Return the demonstration."""
        return self._notes.arrays(seed)


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
        shown.write(path, arrays)
    return outcome
