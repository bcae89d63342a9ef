"""Who has control from tick to tick, when it changed hands, and which plan a policy may not go on with when it comes back."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tactus_core.guard.arbiter import arbitrate
from tactus_core.guard.types import Control, Reason, Received


@dataclass(frozen=True)
class _Plan:
    bundle: str
    sequence: int


class Handover:
    """The arbiter with its memory. A policy that gets control back plays on no plan that it played while a human had it.

    It has to plan anew: the human moved the robot, and what was planned before belongs elsewhere. A policy without plans is not judged.
    """

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._holder = ""
        self._outdated: _Plan | None = None
        self._control = Control()

    def step(
        self, proposals: Sequence[Received], now_s: float, state_stamp_s: float
    ) -> tuple[Received | None, Control, tuple[Reason, ...]]:
        """Return the proposal to follow at `now_s`, who has control, and what is wrong. state_stamp_s: of the state; NaN: unknown."""
        chosen, self._holder, reasons = arbitrate(proposals, now_s, self._timeout_s, self._holder)
        before, intervention = self._control, self._holder == "human"
        intervened_s = before.intervened_s
        plan = None if chosen is None else _plan(chosen)
        if intervention:
            self._outdated = next((plan for plan in map(_plan, proposals) if plan), self._outdated)
            intervened_s = intervened_s if np.isnan(state_stamp_s) else state_stamp_s
        elif plan is not None and plan == self._outdated:
            chosen, reasons = None, (*reasons, Reason.REPLAN)
        elif plan is not None:
            self._outdated = None
        if state_stamp_s < intervened_s:  # the device's time began anew
            intervened_s = -np.inf
        onset, offset = intervention and not before.intervention, before.intervention and not intervention
        self._control = Control(intervention, onset, offset, intervened_s)
        return chosen, self._control, reasons

    def forget(self) -> None:
        """Take control from whoever has it, such as a human who is gone."""
        self._holder = ""


def _plan(received: Received) -> _Plan | None:
    proposal = received.proposal
    return _Plan(proposal.bundle, proposal.chunk_sequence) if proposal.source == "policy" and proposal.chunk_sequence else None
