"""The guard itself: arbiter → chain of stages → one verdict per tick. Every command to arm and hand comes from here."""

import numpy as np

from tactus_core.errors import DataError, DeviceError
from tactus_core.guard.arbiter import arbitrate
from tactus_core.guard.config import GuardConfig
from tactus_core.guard.hand_limits import HandLimits
from tactus_core.guard.motion import between
from tactus_core.guard.reference_error import ReferenceError
from tactus_core.guard.speed import Speed
from tactus_core.guard.start_jump import StartJump
from tactus_core.guard.types import Context, GuardState, Inputs, Reason, Stage, Verdict
from tactus_core.guard.well_formed import WellFormed, is_pose
from tactus_core.guard.workspace import Workspace
from tactus_core.guard.wrench import WrenchLimit, load
from tactus_core.types import Array, RobotState, Target


def make_chain(config: GuardConfig, hand_low_rad: Array, hand_high_rad: Array) -> tuple[Stage, ...]:
    """Return the stages that a proposal passes, in order; each trusts the ones before it."""
    return (
        WellFormed(len(hand_low_rad)),
        StartJump(config),
        Workspace(config),
        HandLimits(hand_low_rad, hand_high_rad),
        Speed(config),
        ReferenceError(config),
        WrenchLimit(config),
    )


class Guard:
    """Turns proposals into what is executed. It starts holding; a stop is latched until `reset`. hand limits: (hand joints,)."""

    def __init__(self, config: GuardConfig, hand_low_rad: Array, hand_high_rad: Array) -> None:
        self._config = config
        self._chain = make_chain(config, hand_low_rad, hand_high_rad)
        self._rest_chain: tuple[Stage, ...] = (Speed(config), ReferenceError(config))
        self._hand_joints = len(hand_low_rad)
        self._mode = GuardState.HOLDING
        self._since_s = -np.inf  # when the mode began
        self._last_s = -np.inf
        self._stop: Reason | None = None  # what stopped the robot, until reset
        self._standing: Reason | None = None  # what would stop it now
        self._executed: Target | None = None
        self._rest: tuple[Target, Target] | None = None  # coming to rest: from, to

    def step(self, inputs: Inputs) -> Verdict:
        """Return the verdict at `inputs.now_s`; raises DataError where that is not later than or equal to the last step's."""
        now_s = inputs.now_s
        if not self._last_s <= now_s < np.inf:
            raise DataError(
                f"the guard was stepped at {now_s} s after {self._last_s} s; expected a steady clock. Do not step it by stamps."
            )
        dt_s = min(now_s - self._last_s, self._config.max_dt_s)
        self._last_s = now_s
        chosen, reasons = arbitrate(inputs.proposals, now_s, self._config.proposal_timeout_s)
        proposed = chosen.proposal.target if chosen else None
        source = chosen.proposal.source if chosen else ""
        stamp_s = chosen.proposal.stamp_s if chosen else (inputs.state.stamp_s if inputs.state else None)

        state = self._usable(inputs)
        self._note_stop(inputs.estop, state)
        executed: Target | None = None
        if state is None:
            self._forget()
            reasons += (Reason.STATE_MISSING,)
        elif self._stop is not None:
            executed = self._stopped(state)
        else:
            executed, acted = self._move(proposed, state, dt_s)
            reasons += acted
        if self._stop is not None:
            reasons = (self._stop, *reasons)
        return Verdict(stamp_s, self._mode, source, reasons, proposed, executed)

    def reset(self) -> None:
        """Leave a stop; the robot holds where it is. Raises DeviceError while the last step still saw a cause to stop."""
        if self._standing is not None:
            raise DeviceError(f"the guard stays stopped: '{self._standing}' still stands. Remove its cause, then reset again.")
        if self._stop is not None:
            self._stop = None
            self._enter(GuardState.HOLDING)

    def _usable(self, inputs: Inputs) -> RobotState | None:
        """Return the robot's state where it is fresh and whole: one that is not is as good as none."""
        state, age_s = inputs.state, inputs.now_s - inputs.state_received_s
        if state is None or not 0.0 <= age_s <= self._config.state_timeout_s:
            return None
        whole = is_pose(state.T_base_tcp) and state.wrench_tcp.shape == (6,) and state.hand_position_rad.shape == (self._hand_joints,)
        return state if whole and np.isfinite(state.wrench_tcp).all() and np.isfinite(state.hand_position_rad).all() else None

    def _note_stop(self, estop: bool, state: RobotState | None) -> None:
        too_hard = state is not None and not load(state.wrench_tcp, self._config) <= self._config.hard_share
        if state is not None or estop or self._standing is not Reason.WRENCH_HARD:  # an unknown wrench does not clear a hard one
            self._standing = Reason.ESTOP if estop else Reason.WRENCH_HARD if too_hard else None
        if self._stop is None and self._standing is not None:
            self._stop = self._standing

    def _forget(self) -> None:
        """Rest without knowing where: nothing is sent, and what was sent before is forgotten."""
        self._executed = self._rest = None
        self._enter(GuardState.HOLDING if self._stop is None else GuardState.STOPPED)

    def _stopped(self, state: RobotState) -> Target:
        if self._mode is not GuardState.STOPPED or self._rest is None:
            self._enter(GuardState.STOPPED)
            here = self._here(state)
            self._rest = (here, here)
        # No speed limit: letting go of the reference error at once is what a stop is for.
        held, _ = ReferenceError(self._config).apply(self._rest[1], self._context(state, 0.0, 1.0))
        return self._send(held or self._rest[1])

    def _move(self, proposed: Target | None, state: RobotState, dt_s: float) -> tuple[Target, tuple[Reason, ...]]:
        target, reasons = self._propose(proposed, state, dt_s)
        if target is not None:
            if self._mode is not GuardState.RUNNING:
                self._enter(GuardState.RUNNING)
                self._rest = None
            return self._send(target), reasons
        target, limited = _pass(self._rest_chain, self._resting(state), self._context(state, dt_s, 1.0))
        return self._send(target or self._here(state)), reasons + limited

    def _propose(self, proposed: Target | None, state: RobotState, dt_s: float) -> tuple[Target | None, tuple[Reason, ...]]:
        if proposed is None:
            return None, ()
        moving_s = self._last_s - self._since_s if self._mode is GuardState.RUNNING else 0.0
        share = min(moving_s / self._config.resume_s, 1.0) if self._config.resume_s > 0.0 else 1.0
        return _pass(self._chain, proposed, self._context(state, dt_s, share))

    def _resting(self, state: RobotState) -> Target:
        """Return the target on the way from motion to the pose measured when it ended, or that pose."""
        if self._mode is GuardState.RUNNING and self._executed is not None:
            self._enter(GuardState.SLOWING)
            self._rest = (self._executed, self._here(state))
        elif self._rest is None:
            self._enter(GuardState.HOLDING)
            here = self._here(state)
            self._rest = (here, here)
        share = (self._last_s - self._since_s) / self._config.slow_s
        if self._mode is GuardState.SLOWING and share >= 1.0:
            self._enter(GuardState.HOLDING)
        start, end = self._rest
        return between(start, end, share) if self._mode is GuardState.SLOWING else end

    def _here(self, state: RobotState) -> Target:
        """Return the measured pose; the hand keeps its target, or what it holds would fall."""
        return Target(state.T_base_tcp.copy(), self._executed.hand_rad if self._executed else None)

    def _context(self, state: RobotState, dt_s: float, speed_share: float) -> Context:
        executed = self._executed or self._here(state)
        return Context(state, executed, dt_s, self._mode is GuardState.RUNNING, speed_share)

    def _enter(self, mode: GuardState) -> None:
        if mode is not self._mode:
            self._mode, self._since_s = mode, self._last_s

    def _send(self, target: Target) -> Target:
        """Remember and return a copy that nobody can alter."""
        T = target.T_base_tcp.copy()
        hand = target.hand_rad
        if hand is None and self._executed is not None:
            hand = self._executed.hand_rad
        hand = None if hand is None else hand.copy()
        for array in (T, hand):
            if array is not None:
                array.setflags(write=False)
        self._executed = Target(T, hand)
        return self._executed


def _pass(chain: tuple[Stage, ...], target: Target, context: Context) -> tuple[Target | None, tuple[Reason, ...]]:
    """Return what the chain lets through and which stages acted; where one refuses, why it did."""
    reasons: tuple[Reason, ...] = ()
    for stage in chain:
        passed, reason = stage.apply(target, context)
        if reason is not None:
            reasons = (*reasons, reason) if passed is not None else (reason,)
        if passed is None:
            return None, reasons
        target = passed
    return target, reasons
