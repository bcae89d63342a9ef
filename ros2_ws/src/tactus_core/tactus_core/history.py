"""What the robot has felt lately, as arrays: the fast loop builds its window by indexing, not by loops."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tactus_core.errors import DataError
from tactus_core.types import Array, RobotState


@dataclass(frozen=True)
class StateArrays:
    """Robot states, one per row, oldest first; fields as in `RobotState`, stacked. Training slices them out of episodes."""

    stamp_s: Array
    position_m: Array
    rotation: Array
    wrench_tcp: Array
    fingertip_force_N: Array

    @staticmethod
    def of(states: Sequence[RobotState]) -> "StateArrays":
        """Stack states, oldest first."""
        history = StateHistory(max(len(states), 1))
        for state in states:
            history.append(state)
        return history.view()


_WIDTH = 3 + 9 + 6 + 4


class StateHistory:
    """The last `capacity` states. Stamps must rise; `clear` where time starts anew (another episode, a new sensor clock)."""

    def __init__(self, capacity: int = 1024) -> None:
        # Every row is written twice, `capacity` apart: the newest rows are then one slice, wherever the ring's seam is.
        self._stamps = np.full(2 * capacity, np.nan)
        self._rows = np.full((2 * capacity, _WIDTH), np.nan)
        self._capacity = capacity
        self._end = capacity
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def append(self, state: RobotState) -> None:
        """Add the newest state; raises DataError for a stamp that does not rise or a value that is not finite."""
        row = np.concatenate(
            (state.T_base_tcp[:3, 3], state.T_base_tcp[:3, :3].ravel(), state.wrench_tcp, state.fingertip_force_N), dtype=np.float64
        )
        if not (np.isfinite(row).all() and np.isfinite(state.stamp_s)):
            raise DataError(f"robot state at {state.stamp_s} s holds NaN or infinity. Check the sensor drivers; the state was not used.")
        if self._size and not state.stamp_s > self._stamps[self._end - 1]:
            raise DataError(
                f"robot state with stamp {state.stamp_s:.6f} s came after {self._stamps[self._end - 1]:.6f} s; stamps must rise. "
                "It was not used. Two publishers on one topic, or a clock set back: clear the history where that is meant."
            )
        slot = self._end % self._capacity
        self._rows[slot] = self._rows[slot + self._capacity] = row
        self._stamps[slot] = self._stamps[slot + self._capacity] = state.stamp_s
        self._end = slot + self._capacity + 1
        self._size = min(self._size + 1, self._capacity)

    def clear(self) -> None:
        """Forget everything."""
        self._size = 0

    def view(self) -> StateArrays:
        """Return all states as views, without a copy: valid until the next `append`."""
        span = slice(self._end - self._size, self._end)
        rows = self._rows[span]
        return StateArrays(self._stamps[span], rows[:, :3], rows[:, 3:12].reshape(-1, 3, 3), rows[:, 12:18], rows[:, 18:])
