"""Demonstrations of wiping, as training reads them: one .npz per seed.

Arrays, at 200 Hz: t_s (T,), tcp_pose (T,7) xyz + xyzw in base, wrench (T,6), fingertips (T,4), action_pose (T,7) the expert's target,
action_press (T,). At 10 Hz: image (I,96,96,3) uint8, image_t_s (I,). And seed.
"""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from tactus_core.geometry import pose7
from tactus_core.types import Outcome, Target
from tactus_sim.wipe.camera import WipeCamera
from tactus_sim.wipe.expert import Disturbance, WipeExpert
from tactus_sim.wipe.score import COVERAGE, PEAK_N
from tactus_sim.wipe.world import DURATION_s, TICK_s, WipeWorld

REST_s = 0.3  # a policy needs this much history before it can act, so demonstrations begin with it too
_IMAGE_EVERY = 20  # ticks


class Demonstrator:
    """World, camera and expert that make one demonstration after the other."""

    def __init__(self) -> None:
        """Load world and camera."""
        self._world = WipeWorld()
        self._camera = WipeCamera()

    def demonstrate(self, seed: int, slow_hands: bool) -> tuple[Outcome, dict[str, np.ndarray[Any, Any]]]:
        """Return how the episode of `seed` went, and its arrays."""
        world, tick = self._world, self._world.reset(seed)
        expert, disturbance = WipeExpert(world.layout, TICK_s), Disturbance(seed, TICK_s, slow_hands)
        rows: list[tuple[Any, ...]] = []
        images: list[tuple[float, Any]] = []
        hold = Target(tick.state.T_base_tcp, None)
        # An episode is over when enough is wiped; a demonstration shows how to wipe the rest too.
        while world.score.left.any() and world.now_s < DURATION_s:
            label, press = hold, 0.0
            if world.now_s >= REST_s:
                motion = world.layout.board_motion(world.since_contact_s(world.now_s))
                label = expert.act(tick.state.T_base_tcp, world.normal_force_N, motion, world.score.left)
                press = expert.press
                world.command(disturbance.apply(label))
            state = tick.state
            rows.append((state.stamp_s, pose7(state.T_base_tcp), state.wrench_tcp, state.fingertip_force_N, pose7(label.T_base_tcp), press))
            if (len(rows) - 1) % _IMAGE_EVERY == 0:
                images.append((state.stamp_s, self._camera.render(tick.snapshot)))
            tick = world.step()
        return world.outcome(), _arrays(seed, rows, images)


def _arrays(seed: int, rows: list[tuple[Any, ...]], images: list[tuple[float, Any]]) -> dict[str, np.ndarray[Any, Any]]:
    names = ("t_s", "tcp_pose", "wrench", "fingertips", "action_pose", "action_press")
    columns = {name: np.array([row[i] for row in rows]) for i, name in enumerate(names)}
    return {**columns, "image": np.stack([i[1] for i in images]), "image_t_s": np.array([i[0] for i in images]), "seed": np.array(seed)}


def record(folder: Path, seeds: range, workers: int, slow_hands: bool = False) -> Iterator[Outcome | None]:
    """Write the demonstrations of `seeds` into `folder`; yields each outcome as it comes, None for one that was there already.

    Only those are written that wiped the board without a blow. With `slow_hands` (see `Disturbance`) the force leaves its band at times:
    the labels still say what would have been right.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        yield from pool.map(_record_one, [(folder, seed, slow_hands) for seed in seeds])


_demonstrator: Demonstrator | None = None  # one per worker process: loading the scene takes a second


def _record_one(job: tuple[Path, int, bool]) -> Outcome | None:
    global _demonstrator
    folder, seed, slow_hands = job
    path = folder / f"{seed:06d}.npz"
    if path.exists():
        return None
    _demonstrator = _demonstrator or Demonstrator()
    outcome, arrays = _demonstrator.demonstrate(seed, slow_hands)
    if outcome.success or (slow_hands and outcome.parts["wiped"] >= COVERAGE and outcome.parts["peak_force_N"] <= PEAK_N):
        part = path.with_suffix(".part")
        with part.open("wb") as file:
            np.savez_compressed(file, allow_pickle=False, **arrays)
        part.rename(path)  # an interrupted run leaves no half file that looks whole
    return outcome
