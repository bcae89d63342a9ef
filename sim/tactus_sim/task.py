"""A simulated task and its shifts: the same world, cameras and expert under other ranges of what may differ between episodes."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import TypeVar

from tactus_core.ports import Camera, Expert, SimTask, World
from tactus_core.types import RobotDescription

Ranges = TypeVar("Ranges")


def with_shifts(
    name: str,
    robot: RobotDescription,
    duration_s: float,
    world: Callable[[Ranges, bool], World],
    camera: Callable[[Ranges, str], Camera],
    expert: Callable[[Ranges], Expert],
    usual: Ranges,
    shifts: Mapping[str, Ranges],
) -> SimTask:
    """Return the task under its usual ranges, which knows itself under those of each shift. world, camera, expert: see `SimTask`."""

    def under(ranges: Ranges, others: Mapping[str, SimTask]) -> SimTask:
        make = partial(world, ranges), partial(camera, ranges), partial(expert, ranges)
        return SimTask(name, robot, duration_s, *make, shifts=others, cameras=("wrist", "scene"))

    return under(usual, {other: under(ranges, {}) for other, ranges in shifts.items()})
