"""What goes into the guard, what comes out of it, and what a stage of its chain is."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from tactus_core.types import Proposal, RobotState, Target


class GuardState(StrEnum):
    """running: a source moves the robot. slowing: on the way to rest. holding: at rest, resumes by itself. stopped: latched until reset."""

    RUNNING = "running"
    SLOWING = "slowing"
    HOLDING = "holding"
    STOPPED = "stopped"


class Reason(StrEnum):
    """Why the executed target differs from the proposed one."""

    ESTOP = "estop"
    WRENCH_HARD = "wrench_hard"
    STATE_MISSING = "state_missing"
    TIMEOUT = "timeout"
    UNKNOWN_SOURCE = "unknown_source"
    MALFORMED = "malformed"
    START_JUMP = "start_jump"
    WORKSPACE = "workspace"
    HAND_LIMITS = "hand_limits"
    SPEED = "speed"
    REFERENCE_ERROR = "reference_error"
    WRENCH = "wrench"


@dataclass(frozen=True)
class Received:
    """A proposal and when it arrived, on the receiver's steady clock."""

    proposal: Proposal
    received_s: float


@dataclass(frozen=True)
class Inputs:
    """All that one step of the guard looks at. received_s, state_received_s and now_s are of one steady clock, the guard's own.

    proposals: the newest of each source. state: the newest, or None before there is one. estop: pressed, or its publisher is lost.
    """

    proposals: Sequence[Received]
    state: RobotState | None
    state_received_s: float
    estop: bool
    now_s: float


@dataclass(frozen=True)
class Context:
    """What a stage may know. executed: the last target sent. dt_s: since then, as measured. running: a source moved the robot just before.

    speed_share: share of the speed limits that may be used now; it rises from 0 to 1 after a rest.
    """

    state: RobotState
    executed: Target
    dt_s: float
    running: bool
    speed_share: float


class Stage(Protocol):
    """One rule of the chain: pure, and it never alters what it is given."""

    def apply(self, target: Target, context: Context) -> tuple[Target | None, Reason | None]:
        """Return the target that this rule lets through and why it differs; None refuses it, and the guard comes to rest."""
        ...


@dataclass(frozen=True)
class Verdict:
    """What the guard decided. stamp_s: of the proposal that it answers, else of the robot's state, None where there is neither.

    proposed: None where no proposal was fresh. executed: what to send; None where the robot's state is unknown: send nothing,
    and the devices hold by their own timeout. Its arrays are read-only.
    """

    stamp_s: float | None
    state: GuardState
    source: str
    reasons: tuple[Reason, ...]
    proposed: Target | None
    executed: Target | None
