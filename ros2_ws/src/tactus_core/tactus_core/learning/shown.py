"""What training by imitation reads of an episode: one .npz, without pickles, whoever acted and wherever.

Arrays, on a grid of 5 ms: t_s (T,); tcp_pose (T,7) xyz + xyzw in base; wrench (T,6); fingertips (T,4); action_pose (T,7) what is to be
learnt, executed_pose (T,7) what was done instead, action_press (T,). image (I,H,W,3) uint8, image_t_s (I,) of the grid. And seed.
Where images are labelled, done (I,) int8: 1 where the task was done then, 0 where it was not, -1 where nobody knows.
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tactus_core.geometry import pose7
from tactus_core.types import RobotDescription, RobotState, Target

Arrays = dict[str, np.ndarray[Any, Any]]
_COLUMNS = ("t_s", "tcp_pose", "wrench", "fingertips", "action_pose", "executed_pose", "action_press")


class Notes:
    """What has been noted so far of one episode."""

    def __init__(self) -> None:
        self._rows: list[tuple[Any, ...]] = []
        self._images: list[tuple[float, NDArray[np.uint8]]] = []

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def images(self) -> int:
        """How many were seen."""
        return len(self._images)

    def add(self, at_s: float, state: RobotState, wanted: Target, executed: Target, press: float) -> None:
        """Note a tick. press: how far the hand is to be closed, 0..1."""
        pose, label, done = (pose7(T) for T in (state.T_base_tcp, wanted.T_base_tcp, executed.T_base_tcp))
        self._rows.append((at_s, pose, state.wrench_tcp, state.fingertip_force_N, label, done, press))

    def see(self, at_s: float, image: NDArray[np.uint8]) -> None:
        """Note what a camera saw at a tick."""
        self._images.append((at_s, image))

    def arrays(self, seed: int) -> Arrays:
        """Return the episode; at least one image has to have been seen."""
        columns = {name: np.array([row[i] for row in self._rows]) for i, name in enumerate(_COLUMNS)}
        times, images = zip(*self._images, strict=True)
        return {**columns, "image": np.stack(images), "image_t_s": np.array(times), "seed": np.array(seed)}


def write(path: Path, arrays: Arrays) -> None:
    """Write an episode; an interrupted run leaves no half file that looks whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    with part.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)
    part.rename(path)


def press_of(target: Target, robot: RobotDescription) -> float:
    """Return how far the hand is asked to be closed, 0..1; a hand that nobody asks anything of keeps its grip."""
    if target.hand_rad is None:
        return 1.0
    way = robot.hand_grip_rad - robot.hand_rest_rad
    return float(np.clip((target.hand_rad - robot.hand_rest_rad) @ way / (way @ way), 0.0, 1.0))
