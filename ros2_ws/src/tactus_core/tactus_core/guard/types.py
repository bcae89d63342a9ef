"""What goes into the guard, what comes out of it, and what a stage of its chain is."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import numpy as np

from tactus_core.types import Array, Proposal, RobotState, Target


class GuardState(StrEnum):
    """running: a source moves the robot. slowing: on the way to rest. holding: at rest, resumes by itself. stopped: latched until reset."""

    RUNNING = "running"
    SLOWING = "slowing"
    HOLDING = "holding"
    STOPPED = "stopped"


class Reason(StrEnum):
    """Why the executed target differs from the proposed one, or why there is none."""

    # stop, until reset
    ESTOP = "estop"
    WRENCH_HARD = "wrench_hard"
    # nobody may move the robot, or nobody knows where it is
    STATE_MISSING = "state_missing"
    TIMEOUT = "timeout"
    RELEASED = "released"
    HUMAN_LOST = "human_lost"
    UNKNOWN_SOURCE = "unknown_source"
    REPLAN = "replan"
    # refused: the robot comes to rest
    MALFORMED = "malformed"
    MODE = "mode"
    START_JUMP = "start_jump"
    LINK_WORKSPACE = "link_workspace"
    SELF_COLLISION = "self_collision"
    WRENCH = "wrench"
    WRENCH_MISSING = "wrench_missing"
    TOUCH_MISSING = "touch_missing"
    DEAD_MAN = "dead_man"
    # altered
    WORKSPACE = "workspace"
    ARM_LIMITS = "arm_limits"
    HAND_LIMITS = "hand_limits"
    FINGER_FORCE = "finger_force"
    REFERENCE_ERROR = "reference_error"
    # pushed: the robot was moved away from its target, which follows it as fast as it must to bound the force
    PUSHED = "pushed"
    SPEED = "speed"
    ACCELERATION = "acceleration"


@dataclass(frozen=True)
class Received:
    """A proposal and when it arrived, on the receiver's steady clock."""

    proposal: Proposal
    received_s: float


@dataclass(frozen=True)
class Inputs:
    """All that one step of the guard looks at. received_s, state_received_s and now_s are of one steady clock, the guard's own.

    proposals: the newest of each source. state: the newest, or None before there is one; NaN in it is what is not known.
    estop: pressed, or its publisher is lost. dead_man_s: when the dead-man's switch was last heard to be held; −inf: never.
    """

    proposals: Sequence[Received]
    state: RobotState | None
    state_received_s: float
    estop: bool
    now_s: float
    dead_man_s: float = -np.inf


@dataclass(frozen=True)
class Motion:
    """What was sent last, and how it moves.

    velocity, acceleration: (n,) of the tcp's translation in base and its rotation about base's axes (3 + 3), or of the arm's joints where
    the target has those; then of the hand's joints.
    """

    target: Target
    velocity: Array
    acceleration: Array


@dataclass(frozen=True)
class Context:
    """What a stage may know. executed: the last target sent. running: a source moved the robot just before.

    dead_man_age_s: since the dead-man's switch was last heard to be held.
    """

    state: RobotState
    executed: Target
    running: bool
    dead_man_age_s: float = np.inf


class Stage(Protocol):
    """One rule of the chain: pure, and it never alters what it is given."""

    def apply(self, target: Target, context: Context) -> tuple[Target | None, Reason | None]:
        """Return the target that this rule lets through and why it differs; None refuses it, and the guard comes to rest."""
        ...


@dataclass(frozen=True)
class Control:
    """Whether a human has control. onset, offset: it began, or ended, with this tick.

    intervened_s: stamp of the robot's state when a human last had control; −inf: never, or in a time of the device that is over.
    """

    intervention: bool = False
    onset: bool = False
    offset: bool = False
    intervened_s: float = -np.inf


@dataclass(frozen=True)
class Verdict:
    """What the guard decided. stamp_s: of the proposal that it answers, else of the robot's state, None where there is neither.

    proposed: None where no proposal was fresh. executed: what to send; None where the robot's state is unknown: send nothing,
    and the devices hold by their own timeout. Its arrays are read-only. chosen: the proposal that `proposed` is of.
    """

    stamp_s: float | None
    state: GuardState
    source: str
    reasons: tuple[Reason, ...]
    proposed: Target | None
    executed: Target | None
    chosen: Received | None = None
    control: Control = Control()
