"""What an episode of a bag looked like, in the arrays of `shown.py`: all of it, or only what a human did."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tactus_core.datasets import messages
from tactus_core.datasets.bag import VERDICT, Bag
from tactus_core.errors import DataError
from tactus_core.geometry import checked_pose
from tactus_core.history import STAMP_EPSILON_S
from tactus_core.learning.shown import Arrays, Notes, press_of
from tactus_core.types import RobotDescription, RobotState, Target

TICK_S = 0.005
# Without a state for so long nobody knows what was done; a policy's own touch may be as old (`max_age_s` of the shipped cards).
_HELD_S = 0.05
CAMERA = "/camera/image"


def interventions(bag: Bag, states: list[RobotState], robot: RobotDescription) -> Arrays | None:
    """Return the episode of `states` with the images of its interventions, see `pictured`; None where no image shows any."""
    images, verdicts = bag.streams.get(CAMERA), bag.streams[VERDICT]
    if images is None:
        return None
    stamps_s = np.array([state.stamp_s for state in states])
    verdict_s = verdicts.arrival_ns * 1e-9
    image_s = images.time_ns * 1e-9
    during = _next(verdict_s, image_s)
    shown = [
        row
        for row in np.flatnonzero((image_s >= stamps_s[0]) & (image_s <= stamps_s[-1])).tolist()
        if verdicts.values[during[row]].intervention
    ]
    return pictured(bag, states, robot, shown) if shown else None


def pictured(bag: Bag, states: list[RobotState], robot: RobotDescription, shown: list[int]) -> Arrays:
    """Return the episode of `states` on a grid of 5 ms from the first of them on, with the camera's images in the rows `shown`.

    Each tick holds the newest state by its stamp, and the first verdict that reached the recorder after it; an image counts for the first
    tick at which there was one. Raises DataError where states are missing for too long, or there are no verdicts.
    """
    if VERDICT not in bag.streams:
        raise DataError(f"it has no {VERDICT}: nobody knows what was done. Record all topics.")
    images, verdicts = bag.streams[CAMERA], bag.streams[VERDICT]
    stamps_s, image_s, verdict_s = np.array([state.stamp_s for state in states]), images.time_ns * 1e-9, verdicts.arrival_ns * 1e-9
    notes, grid_s = Notes(), stamps_s[0] + TICK_S * np.arange(int((stamps_s[-1] - stamps_s[0]) / TICK_S + 1e-3) + 1)
    newest = np.searchsorted(stamps_s, grid_s + STAMP_EPSILON_S, side="right") - 1
    if (late_s := grid_s - stamps_s[newest]).max() > _HELD_S:
        raise DataError(f"no state for {late_s.max():.3f} s, at most {_HELD_S} is bridged. Record it again.")
    decided = _next(verdict_s, grid_s)
    for tick, (row, verdict) in enumerate(zip(newest.tolist(), decided.tolist(), strict=True)):
        state = states[row]
        done = _executed(verdicts.values[verdict], state)
        notes.add(TICK_S * tick, state, done, done, press_of(done, robot))
    pictures = bag.pictures(images.topic, [images.values[row] for row in shown])
    for row, picture in zip(shown, pictures, strict=True):
        notes.see(TICK_S * int(np.ceil((image_s[row] - stamps_s[0]) / TICK_S - 1e-3)), picture)
    return notes.arrays(-1)


def _next(times_s: NDArray[np.floating[Any]], at_s: NDArray[np.floating[Any]]) -> NDArray[np.intp]:
    """Return the first row at or after each time; the last row after all of them."""
    return np.minimum(np.searchsorted(times_s, at_s), len(times_s) - 1)


def _executed(verdict: Any, state: RobotState) -> Target:
    """Return what the guard sent; where it sent nothing, the robot stayed where it was measured."""
    values = messages.pose(verdict.executed)
    if not np.isfinite(values).all():
        return Target(state.T_base_tcp, None)
    return Target(checked_pose(values, "a verdict's pose"), np.array(verdict.hand_executed_rad) if len(verdict.hand_executed_rad) else None)
