"""The clutch: control is taken by pressing the dead-man's switch, given back by letting go, and lost by falling silent."""

import math
from dataclasses import replace
from typing import Generic, TypeVar

from tactus_core.errors import DataError
from tactus_core.freshness import Stream
from tactus_core.teleop.port import Motion
from tactus_core.types import Array, RobotState, Target

R = TypeVar("R")

# A word that hands control back is repeated for so long: one of it may be lost.
HAND_BACK_S = 0.3
_LONGEST_DT_S = 0.05


class Operator(Generic[R]):
    """One human with one device; all times are of one steady clock [s]. `trouble`: why there is no control though it was asked for.

    A press counts only after the switch was seen open. Letting go gives control back. Whoever is not heard, or says what is not to be
    believed, has lost control without giving it back (the guard then holds the robot), and takes it again only by another press.
    """

    def __init__(self, motion: Motion[R], timeout_s: float) -> None:
        self._motion = motion
        self._reading: R | None = None
        self._readings, self._switch = Stream(timeout_s), Stream(timeout_s)
        self._held = self._open_seen = self._pressed = self.engaged = False
        self._released_s, self._stepped_s = -math.inf, 0.0
        self.trouble = ""

    def take(self, reading: R, now_s: float) -> None:
        """Take a reading of the device."""
        self._reading = reading
        self._readings.arrive(now_s)

    def hold(self, held: bool, now_s: float) -> None:
        """Take a reading of the dead-man's switch."""
        if not self._switch.fresh(now_s):
            self._lose(f"the dead-man's switch: {self._switch.complaint(now_s)}")
        self._switch.arrive(now_s)
        if held and not self._held:
            self._pressed, self._open_seen = self._open_seen, False
        elif not held:
            if self.engaged:
                self.engaged, self._released_s, self.trouble = False, now_s, ""
            self._open_seen, self._pressed = True, False
        self._held = held

    def fail(self, why: str) -> None:
        """Take note that what came was no reading: control is lost at once."""
        self._lose(why)
        self.trouble = self.trouble or why

    def step(self, state: RobotState | None, now_s: float, T_sent: Array | None = None) -> Target | None:
        """Return the target at `now_s`; None: the human does not move the robot. state: None where it is not known.

        T_sent: (4,4) where a robot that moves is being sent; control begins there, so that what presses goes on pressing. None: it rests,
        and control begins where it is measured.
        """
        dt_s, self._stepped_s = min(now_s - self._stepped_s, _LONGEST_DT_S), now_s
        for name, stream in (("the dead-man's switch", self._switch), ("the input device", self._readings)):
            if complaint := stream.complaint(now_s):
                self._lose(f"{name}: {complaint}")
                return None
        if state is None or self._reading is None:
            if self.engaged or self._pressed:
                self._lose("the robot's state is not known")
            return None
        try:
            if self._pressed and not self.engaged:
                dt_s = 0.0
                self._engage(self._reading, state if T_sent is None else replace(state, T_base_tcp=T_sent))
            return self._motion.target(self._reading, state, dt_s) if self.engaged else None
        except DataError as error:
            self._lose(str(error))
            return None

    def hands_back(self, now_s: float) -> bool:
        """Return whether it is time to say that control is given back."""
        return not self.engaged and 0.0 <= now_s - self._released_s <= HAND_BACK_S

    def _engage(self, reading: R, state: RobotState) -> None:
        self.trouble = self._motion.refusal(reading, state)
        self._pressed, self._released_s = False, -math.inf
        if not self.trouble:
            self._motion.engage(reading, state)
            self.engaged = True

    def _lose(self, why: str) -> None:
        if self.engaged or self._pressed:
            self.trouble = why
        self.engaged = self._pressed = self._open_seen = self._held = False
