"""What the robot has felt lately, as arrays: the fast loop builds its window by indexing, not by loops."""

from bisect import bisect_right
from collections import deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from tactus_core.errors import DataError
from tactus_core.freshness import CLOCK_STEP_S
from tactus_core.types import Array, RobotState

# What a robot feels; the names are those of the streams.
FELT = ("wrench", "tactile")


@dataclass(frozen=True)
class StateArrays:
    """Robot states, one per row, oldest first; fields as in `RobotState`, stacked. Training slices them out of episodes.

    Joint positions that nobody reports have no columns.
    """

    stamp_s: Array
    position_m: Array
    rotation: Array
    wrench_tcp: Array
    fingertip_force_N: Array
    arm_position_rad: Array
    hand_position_rad: Array

    def newest(self, now_s: float) -> int:
        """Return the row of the last state at or before `now_s`, −1 where there is none."""
        return int(np.searchsorted(self.stamp_s, now_s + STAMP_EPSILON_S, side="right")) - 1

    @staticmethod
    def of(states: Sequence[RobotState], needs: Collection[str] = FELT) -> "StateArrays":
        """Stack states, oldest first; raises DataError where they are not of one time. needs: see `StateHistory`."""
        history = StateHistory(max(len(states), 1), needs)
        if sum(history.append(state) for state in states) > 1:
            raise DataError(f"stamps of {len(states)} states go back, or leave out more than {CLOCK_STEP_S} s. Stack one episode each.")
        return history.view()


# position, rotation, wrench, fingertip forces; behind them the joints, of which a robot has as many as it has
_SHAPES = ((4, 4), (6,), (4,))
_WIDTH = 3 + 9 + 6 + 4
_FELT_COLUMNS = {"wrench": slice(12, 18), "tactile": slice(18, _WIDTH)}
_NO_JOINTS = np.empty(0)
_CAPACITY = 1024
# Stamps that passed through float64 seconds since 1970 are good to 0.24 µs; a grid time must still find the state that made it.
STAMP_EPSILON_S = 1e-6


def begins_anew(stamp_s: float, last_s: float | None) -> bool:
    """Return whether a new time begins with a sample after one with stamp `last_s` (None: there is none).

    Raises DataError for a stamp that is not finite, and for the same stamp again.
    """
    if not np.isfinite(stamp_s):
        raise DataError(f"sample with stamp {stamp_s} s, expected a finite one. Check the sensor drivers; it was not used.")
    if last_s is not None and stamp_s == last_s:
        raise DataError(f"two samples with stamp {stamp_s:.6f} s; the second was not used. Are there two publishers?")
    return last_s is None or not 0.0 < stamp_s - last_s <= CLOCK_STEP_S


class StateHistory:
    """The last `capacity` states of one time. A stamp that goes back, or leaves out more than CLOCK_STEP_S, begins a new time.

    A device whose clock was set, or that was started anew, is heard at once then; `clear` where time starts anew for other reasons.
    """

    def __init__(self, capacity: int = _CAPACITY, needs: Collection[str] = FELT) -> None:
        """needs: of FELT, what has to be known in every state; of the rest NaN, not known, is kept as such."""
        self._unneeded = [span for name, span in _FELT_COLUMNS.items() if name not in needs]
        # Every row is written twice, `capacity` apart: the newest rows are then one slice, wherever the ring's seam is.
        self._stamps = np.full(2 * capacity, np.nan)
        self._capacity = capacity
        self._end = capacity
        self._make_room((0, 0))

    def _make_room(self, joints: tuple[int, int]) -> None:
        self._joints = joints
        self._rows = np.full((2 * self._capacity, _WIDTH + sum(joints)), np.nan)
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def append(self, state: RobotState) -> bool:
        """Add the newest state; return whether a new time begins with it: all before it was forgotten.

        Raises DataError for the same stamp again, a wrong shape, other joints than before, or a value that is not finite; the state is
        not used then.
        """
        T, wrench, force = state.T_base_tcp, state.wrench_tcp, state.fingertip_force_N
        arm = _NO_JOINTS if state.arm_position_rad is None else state.arm_position_rad
        row = np.concatenate((T[:3, 3], T[:3, :3].ravel(), wrench, force, arm, state.hand_position_rad), dtype=np.float64)
        joints, known = (len(arm), len(state.hand_position_rad)), np.isfinite(row)
        for span in self._unneeded:
            known[span] = True
        if not ((T.shape, wrench.shape, force.shape) == _SHAPES and known.all() and (joints == self._joints or not self._size)):
            raise DataError(
                f"robot state at {state.stamp_s} s holds NaN or infinity, or pose, wrench and fingertips of "
                f"{T.shape, wrench.shape, force.shape} with {joints} joints, expected {_SHAPES} and {self._joints}. Check the sensor "
                "drivers; the state was not used."
            )
        anew = begins_anew(state.stamp_s, self._stamps[self._end - 1] if self._size else None)
        if anew:
            self.clear()
        if joints != self._joints:
            self._make_room(joints)
        slot = self._end % self._capacity
        self._rows[slot] = self._rows[slot + self._capacity] = row
        self._stamps[slot] = self._stamps[slot + self._capacity] = state.stamp_s
        self._end = slot + self._capacity + 1
        self._size = min(self._size + 1, self._capacity)
        return anew

    def clear(self) -> None:
        """Forget everything."""
        self._size = 0

    def view(self) -> StateArrays:
        """Return all states as views, without a copy: valid until the next `append`."""
        span = slice(self._end - self._size, self._end)
        rows, arm_end = self._rows[span], _WIDTH + self._joints[0]
        felt = (rows[:, 12:18], rows[:, 18:_WIDTH], rows[:, _WIDTH:arm_end], rows[:, arm_end:])
        return StateArrays(self._stamps[span], rows[:, :3], rows[:, 3:12].reshape(-1, 3, 3), *felt)


Sample = TypeVar("Sample")


class Recollection(Generic[Sample]):
    """The last `capacity` samples of one time, in whatever form they came: for a reader that looks at a few of many."""

    def __init__(self, capacity: int = _CAPACITY) -> None:
        self._stamps: deque[float] = deque(maxlen=capacity)
        self._samples: deque[Sample] = deque(maxlen=capacity)

    def append(self, stamp_s: float, sample: Sample) -> bool:
        """Add the newest sample, as `StateHistory.append` does."""
        anew = begins_anew(stamp_s, self._stamps[-1] if self._stamps else None)
        if anew:
            self.clear()
        self._stamps.append(stamp_s)
        self._samples.append(sample)
        return anew

    def newest_at(self, stamps_s: Sequence[float] | Array) -> list[Sample]:
        """Return the samples that were the newest at `stamps_s`, oldest first, each once; what came before the first is left out."""
        stamps = list(self._stamps)
        found = {bisect_right(stamps, wanted_s + STAMP_EPSILON_S) - 1 for wanted_s in stamps_s}
        return [self._samples[index] for index in sorted(found) if index >= 0]

    def clear(self) -> None:
        """Forget everything."""
        self._stamps.clear()
        self._samples.clear()
