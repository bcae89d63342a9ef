"""One run of a policy: when it is over, why, and how it went. Times are of one steady clock [s]."""

from dataclasses import dataclass
from enum import StrEnum

# Silence of the guard after which nobody knows what the robot does.
SILENCE_S = 1.0


class Termination(StrEnum):
    """Why a run ended: the task said how it went, or somebody did; the time was over; it was cancelled; the guard stopped, or is silent."""

    OUTCOME = "outcome"
    LABEL = "label"
    DURATION = "duration"
    CANCELLED = "cancelled"
    STOPPED = "stopped"
    LOST = "lost"


@dataclass(frozen=True)
class End:
    """How a run ended. success: None where nobody said. message: in words."""

    reason: Termination
    success: bool | None
    message: str


class Run:
    """From `began_s` to its end, which `step` tells once it has come. interventions: how often a human took over."""

    def __init__(self, began_s: float, max_duration_s: float) -> None:
        self._began_s, self._longest_s = began_s, max_duration_s
        self._heard_s = began_s
        self._end: End | None = None
        self.state, self.intervention, self.interventions = "", False, 0

    def hear(self, state: str, intervention: bool, now_s: float) -> None:
        """Take in a verdict of the guard."""
        self.interventions += intervention and not self.intervention
        self.state, self.intervention, self._heard_s = state, intervention, now_s
        if state == "stopped":
            self.end(End(Termination.STOPPED, None, "the guard stopped the robot; see its reasons, and reset it"))

    def end(self, end: End) -> None:
        """Let it end so, unless it has ended already: the first word counts."""
        self._end = self._end or end

    def step(self, now_s: float) -> End | None:
        """Return how it ended; None: it goes on."""
        if now_s - self._heard_s > SILENCE_S:
            self.end(End(Termination.LOST, None, f"the guard was not heard for {SILENCE_S} s; is it running?"))
        if now_s - self._began_s >= self._longest_s:
            self.end(End(Termination.DURATION, None, f"{self._longest_s:.1f} s were over, and nobody said how it went"))
        return self._end

    def elapsed_s(self, now_s: float) -> float:
        """Return how long it has run."""
        return now_s - self._began_s
