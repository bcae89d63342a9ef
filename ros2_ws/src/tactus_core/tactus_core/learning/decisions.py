"""The decisions of a residual in one episode, and what became of them: the rows of `Transitions`, wherever the episode is lived."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tactus_core.history import STAMP_EPSILON_S, StateArrays
from tactus_core.policy.observation import anchor
from tactus_core.policy.residual import decided_s, observation, twist
from tactus_core.policy.signals import ObservedSpec
from tactus_core.ports import FastPolicy
from tactus_core.types import ActionChunk, Array


@dataclass
class Decision:
    """One row, see `Transitions`. executed: None until the guard has sent something."""

    at_s: float
    T_base_tcp: Array
    observed: Array
    correction: Array
    executed: Array | None = None
    intervened: bool = False
    onset: bool = False


class Decisions:
    """Each is taken once: unlike a `FastPolicy` it remembers. base: whose proposals are corrected. layout: of what is observed.

    decide: turns what is observed (L+6,), and the time at which it decides, into a correction (6,).
    """

    def __init__(self, base: FastPolicy, layout: tuple[ObservedSpec, ...], dt_s: float, decide: Callable[[Array, float], Array]) -> None:
        self._base, self._layout, self._dt_s, self._decide = base, layout, dt_s, decide
        self._made: list[Decision] = []
        self._chunk: tuple[str, int] = ("", 0)
        self._onset = False

    def take(self, chunk: ActionChunk, states: StateArrays, now_s: float) -> tuple[Array, bool]:
        """Return the correction (6,) that holds at a tick of the fast policy, and whether it was decided at it; raises StaleError."""
        at_s, played = decided_s(chunk, now_s, self._dt_s), (chunk.bundle_hash, chunk.sequence)
        later = not self._made or at_s > self._made[-1].at_s + STAMP_EPSILON_S
        new = later or played != self._chunk
        if new:
            observed = observation(states, self._base.act(chunk, states, at_s).target, at_s, self._layout)
            if not later:  # a new chunk came within a decision's time, and has the last word of what that was
                self._onset |= self._made.pop().onset  # an edge is not lost with its row
            self._chunk = played
            correction = np.asarray(self._decide(observed, at_s), dtype=np.float64)
            self._made.append(Decision(at_s, anchor(states, at_s), observed, correction))
        return self._made[-1].correction, new

    def note(self, T_base_executed: Array | None, intervention: bool, onset: bool) -> None:
        """Note a verdict of the guard: what it sent (None: nothing), whether a human has control, and has just taken it."""
        self._onset = intervention and (self._onset or onset)
        if self._made and self._made[-1].executed is None and T_base_executed is not None:
            made = self._made[-1]
            made.executed = twist(made.T_base_tcp, T_base_executed)
            made.intervened, made.onset, self._onset = intervention, self._onset, False

    def rows(self) -> dict[str, Any]:
        """Return the fields of `Transitions` that have a row per decision, of those that something came of."""
        made = [decision for decision in self._made if decision.executed is not None]
        return {
            "observed": np.array([decision.observed for decision in made]),
            "correction": np.array([decision.correction for decision in made]),
            "executed": np.array([decision.executed for decision in made]),
            "intervened": np.array([decision.intervened for decision in made], dtype=bool),
            "onset": np.array([decision.onset for decision in made], dtype=bool),
            "stamp_s": np.array([decision.at_s for decision in made]),
        }
