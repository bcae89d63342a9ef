"""The guard itself: arbiter → chain of stages → rates → one verdict per tick. Every command to arm and hand comes from here."""

from dataclasses import replace

import numpy as np

from tactus_core.errors import DataError, DeviceError
from tactus_core.guard.config import GuardConfig
from tactus_core.guard.dead_man import DeadMan
from tactus_core.guard.fingers import Fingers
from tactus_core.guard.handover import Handover
from tactus_core.guard.joint_limits import ArmLimits, HandLimits
from tactus_core.guard.posture import Posture
from tactus_core.guard.rates import Rates
from tactus_core.guard.reference_error import ReferenceError
from tactus_core.guard.start_jump import StartJump
from tactus_core.guard.types import Context, GuardState, Inputs, Motion, Reason, Stage, Verdict
from tactus_core.guard.well_formed import WellFormed, are_angles, is_pose
from tactus_core.guard.workspace import Workspace
from tactus_core.guard.wrench import WrenchLimit, load, speed_share
from tactus_core.kinematics import Kinematics
from tactus_core.types import Array, RobotState, Target

# Of a commanded motion: below both it counts as rest.
_STANDING = 1e-3  # m/s and rad/s
_STEADY = 0.1  # m/s² and rad/s²


def make_chain(config: GuardConfig, kinematics: Kinematics) -> tuple[Stage, ...]:
    """Return the stages that a proposal passes, in order; each trusts the ones before it."""
    return (
        WellFormed(len(kinematics.arm_low_rad), len(kinematics.hand_low_rad)),
        StartJump(config),
        ArmLimits(config, kinematics),
        HandLimits(kinematics.hand_low_rad, kinematics.hand_high_rad),
        Workspace(config),
        ReferenceError(config),
        Posture(config, kinematics),
        WrenchLimit(config),
        Fingers(config, kinematics.fingers),
        DeadMan(config),
    )


class Guard:
    """Turns proposals into what is executed. It starts holding; a stop is latched until `reset`.

    The chain says where the robot may go, the rates how fast. After them the reference error is bounded once more: it is what bounds
    force, so it comes before smoothness when something pushes the robot away.
    """

    def __init__(self, config: GuardConfig, kinematics: Kinematics) -> None:
        self._config, self._kinematics = config, kinematics
        self._chain = make_chain(config, kinematics)
        self._workspace, self._reference_error = Workspace(config), ReferenceError(config)
        self._rates = Rates(config, kinematics)
        self._mode = GuardState.HOLDING
        self._since_s = -np.inf  # when the mode began
        self._last_s = -np.inf
        self._handover = Handover(config.proposal_timeout_s)
        self._stop: Reason | None = None  # what stopped the robot, until reset
        self._stopped_s = -np.inf
        self._standing: Reason | None = None  # what would stop it now
        self._hard_stamp_s: float | None = None  # of the first of the readings in a row that are much too hard
        self._motion: Motion | None = None  # what was sent last, and when
        self._sent_s = -np.inf
        self._rest: Target | None = None  # where it comes to rest

    def step(self, inputs: Inputs) -> Verdict:
        """Return the verdict at `inputs.now_s`; raises DataError where that is not later than or equal to the last step's."""
        now_s = inputs.now_s
        if not self._last_s <= now_s < np.inf:
            raise DataError(
                f"the guard was stepped at {now_s} s after {self._last_s} s; expected a steady clock. Do not step it by stamps."
            )
        stalled = now_s - self._last_s > self._config.max_dt_s
        dt_s = min(now_s - self._last_s, self._config.max_dt_s)
        self._last_s = now_s
        chosen, control, reasons = self._handover.step(inputs.proposals, now_s, inputs.state.stamp_s if inputs.state else np.nan)
        proposed = chosen.proposal.target if chosen else None
        source = chosen.proposal.source if chosen else ""
        stamp_s = chosen.proposal.stamp_s if chosen else (inputs.state.stamp_s if inputs.state else None)

        state = self._usable(inputs)
        self._note_stop(inputs.estop, state)
        executed: Target | None = None
        if now_s - self._sent_s > self._config.device_timeout_s:
            self._forget()
        elif stalled and self._motion is not None:  # the device was told to stand still meanwhile
            self._motion = self._rates.at_rest(self._motion.target)
        if state is None:
            self._enter(GuardState.HOLDING if self._stop is None else GuardState.STOPPED)
            reasons += (Reason.STATE_MISSING,)
        else:
            goal, acted = self._goal(proposed, state, inputs.now_s - inputs.dead_man_s)
            executed, limited = self._send(goal, state, dt_s)
            reasons += tuple(reason for reason in (*acted, *limited) if reason not in reasons)
        if self._stop is not None:
            reasons = (self._stop, *reasons)
        return Verdict(stamp_s, self._mode, source, reasons, proposed, executed, chosen, control)

    def reset(self) -> None:
        """Leave a stop; the robot holds where it is. Raises DeviceError while its cause still stands, and for a while after it."""
        if self._standing is not None:
            raise DeviceError(f"the guard stays stopped: '{self._standing}' still stands. Remove its cause, then reset again.")
        if self._stop is None:
            self._handover.forget()
            return
        left_s = self._stopped_s + self._config.reset_cooldown_s - self._last_s
        if left_s > 0.0:
            raise DeviceError(
                f"the guard stays stopped: '{self._stop}' was just now. Look at the robot, and reset again in {left_s:.1f} s."
            )
        self._stop = None
        self._handover.forget()
        self._enter(GuardState.HOLDING)

    def _usable(self, inputs: Inputs) -> RobotState | None:
        """Return the robot's state where it is fresh and says where the robot is: one that does not is as good as none."""
        state, age_s = inputs.state, inputs.now_s - inputs.state_received_s
        if state is None or not 0.0 <= age_s <= self._config.state_timeout_s:
            return None
        q, hand = state.arm_position_rad, state.hand_position_rad
        known = q is not None and are_angles(q, self._kinematics.arm_low_rad.shape) and is_pose(state.T_base_tcp)
        return state if known and are_angles(hand, self._kinematics.hand_low_rad.shape) and state.wrench_tcp.shape == (6,) else None

    def _note_stop(self, estop: bool, state: RobotState | None) -> None:
        contact = np.nan if state is None else load(state.wrench_tcp, self._config)
        if state is not None and contact > self._config.hard_share:
            # One reading alone may be a glitch; it ends motion (`WrenchLimit`), two in a row stop the robot.
            self._hard_stamp_s = state.stamp_s if self._hard_stamp_s is None else self._hard_stamp_s
        elif contact <= self._config.hard_share:
            self._hard_stamp_s = None
        again = self._hard_stamp_s is not None and state is not None and state.stamp_s != self._hard_stamp_s
        if estop:
            self._standing = Reason.ESTOP
        elif again and contact > self._config.hard_share:
            self._standing = Reason.WRENCH_HARD
        elif self._standing is not Reason.WRENCH_HARD or self._hard_stamp_s is None:  # not knowing is no reason to believe that it is over
            self._standing = None
        if self._stop is None and self._standing is not None:
            self._stop, self._stopped_s = self._standing, self._last_s

    def _forget(self) -> None:
        """Begin anew where the robot is measured: after so long a silence the devices hold there, and not what was sent to them."""
        self._motion = self._rest = None
        self._enter(GuardState.HOLDING if self._stop is None else GuardState.STOPPED)

    def _goal(self, proposed: Target | None, state: RobotState, dead_man_age_s: float) -> tuple[Target, tuple[Reason, ...]]:
        """Return where to go: what the chain lets through of the proposal, or where the robot comes to rest."""
        if self._motion is None:
            self._motion = self._rates.at_rest(self._here(state, by_joints=False))
        context = Context(state, self._motion.target, self._mode is GuardState.RUNNING, dead_man_age_s)
        target: Target | None = None
        reasons: tuple[Reason, ...] = ()
        if self._stop is None and proposed is not None:
            target, reasons = self._pass(proposed, context)
        if target is not None:
            self._enter(GuardState.RUNNING)
            self._rest = None
            return target, reasons
        pressed = load(state.wrench_tcp, self._config) > 1.0
        if self._rest is None or pressed:  # at rest it yields to what presses too hard
            here = self._here(state, by_joints=self._motion.target.arm_rad is not None)
            # What was outside before anything moved it stays where it is.
            self._rest = self._inside(here, context) if self._mode is GuardState.RUNNING and not pressed else here
            self._enter(GuardState.SLOWING if self._mode is GuardState.RUNNING else GuardState.HOLDING)
        if self._stop is not None:
            self._enter(GuardState.STOPPED)
        held, yielded = self._reference_error.apply(self._rest, context)
        reasons += (Reason.WRENCH,) if pressed and Reason.WRENCH not in reasons else ()
        return held or self._rest, reasons + ((yielded,) if yielded else ())

    def _pass(self, proposed: Target, context: Context) -> tuple[Target | None, tuple[Reason, ...]]:
        """Return what the chain lets through and which stages acted; where one refuses, why it did."""
        target, reasons = proposed, tuple[Reason, ...]()
        q = target.arm_rad
        if q is not None and are_angles(q, self._kinematics.arm_low_rad.shape):
            target = replace(target, T_base_tcp=self._kinematics.tcp_pose(q))
        for stage in self._chain:
            passed, reason = stage.apply(target, context)
            if passed is None:
                return None, (reason,) if reason else ()
            target, reasons = passed, reasons + ((reason,) if reason else ())
        if (context.executed.arm_rad is None) != (target.arm_rad is None):
            if self._mode is not GuardState.HOLDING:
                return None, (Reason.MODE,)
            self._motion = self._rates.at_rest(self._here(context.state, by_joints=target.arm_rad is not None))
        return target, reasons

    def _send(self, goal: Target, state: RobotState, dt_s: float) -> tuple[Target, tuple[Reason, ...]]:
        """Return the next step towards `goal`, as arrays that nobody can alter, and what held it back."""
        before = self._motion or self._rates.at_rest(goal)
        after, slowed = self._rates.follow(before, goal, state, dt_s, self._share(state))
        context = Context(state, before.target, self._mode is GuardState.RUNNING)
        bounded, pushed = self._reference_error.apply(after.target, context)
        if bounded is not None and pushed is not None:
            after, slowed = self._rates.moved(before, after, bounded, dt_s), Reason.PUSHED
        q, hand = after.target.arm_rad, after.target.hand_rad
        T = after.target.T_base_tcp if q is None else self._kinematics.tcp_pose(q)
        sent = Target(_sealed(T), None if hand is None else _sealed(hand), None if q is None else _sealed(q))
        self._motion, self._sent_s = Motion(sent, after.velocity, after.acceleration), self._last_s
        self._settle()
        return sent, () if slowed is None else (slowed,)

    def _share(self, state: RobotState) -> float:
        """Return the share of the speed limits that may be used: less after a rest, and less against hard contact."""
        if self._mode is not GuardState.RUNNING:
            return 1.0
        moving_s = self._last_s - self._since_s
        ready = min(moving_s / self._config.resume_s, 1.0) if self._config.resume_s > 0.0 else 1.0
        return min(ready, speed_share(state.wrench_tcp, self._config))

    def _settle(self) -> None:
        """Slowing ends where the commanded motion has ended."""
        if self._mode is GuardState.SLOWING and self._motion is not None:
            stands = np.abs(self._motion.velocity[:6]).max() < _STANDING and np.abs(self._motion.acceleration[:6]).max() < _STEADY
            if stands or self._last_s - self._since_s >= self._config.slow_s:
                self._enter(GuardState.HOLDING)

    def _here(self, state: RobotState, by_joints: bool) -> Target:
        """Return where the robot is; the hand keeps its target, or what it holds would fall."""
        q = state.arm_position_rad.copy() if by_joints and state.arm_position_rad is not None else None
        return Target(state.T_base_tcp.copy(), self._motion.target.hand_rad if self._motion else None, q)

    def _inside(self, here: Target, context: Context) -> Target:
        """Return the nearest pose in the box, where a command may lead there: an arm that follows its edge gives way, and hangs out."""
        inside, _ = self._workspace.apply(here, context)
        if inside is None:
            return here
        near, _ = self._reference_error.apply(inside, context)
        return inside if near is not None and near.T_base_tcp is inside.T_base_tcp else here

    def _enter(self, mode: GuardState) -> None:
        if mode is not self._mode:
            self._mode, self._since_s = mode, self._last_s


def _sealed(values: Array) -> Array:
    out = values.copy()
    out.setflags(write=False)
    return out
