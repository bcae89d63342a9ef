"""How far the peg is in, and how hard it was pushed."""

from dataclasses import dataclass

from tactus_core.types import Array, Outcome
from tactus_sim.insert.layout import DEPTH_m, Layout

INSERTED = 0.8
PEAK_N = 40.0


@dataclass
class Score:
    """Running score of one episode."""

    layout: Layout
    inserted: float = 0.0
    peak_N: float = 0.0

    def feel(self, force_N: float) -> None:
        """Count one physics step with this contact force on the peg."""
        self.peak_N = max(self.peak_N, force_N)

    def see(self, end_m: Array) -> None:
        """Note where the centre of the peg's end is (3,), in the hole's frame."""
        in_line = abs(end_m[:2]).max() < self.layout.side_m / 2
        self.inserted = max(0.0, -float(end_m[2]) / DEPTH_m) if in_line else 0.0

    @property
    def over(self) -> bool:
        """Whether the outcome is decided."""
        return self.inserted >= INSERTED or self.peak_N > PEAK_N

    def outcome(self, now_s: float) -> Outcome:
        """Return the score so far; `now_s` is the time since the episode's start."""
        success = self.inserted >= INSERTED and self.peak_N <= PEAK_N
        return Outcome(self.layout.seed, success, {"inserted": self.inserted, "peak_force_N": self.peak_N, "episode_s": now_s})
