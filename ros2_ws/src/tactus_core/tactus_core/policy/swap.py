"""Other weights for the policy that runs: whether they may act is decided by what they would have done where the robot has just been.

The observations are the robot's own, of its last episodes: a set that lies beside the bundle would be chosen by whoever made the bundle,
and would be of another day, and perhaps of another robot.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tactus_core.config import param
from tactus_core.errors import BundleError, StaleError, TactusError
from tactus_core.geometry import rotation_vector
from tactus_core.history import STAMP_EPSILON_S, StateArrays
from tactus_core.policy.bundle import Bundle
from tactus_core.policy.card import Card, plain_card
from tactus_core.policy.encoded import NOTHING
from tactus_core.policy.encoder import OnnxEncoder
from tactus_core.policy.fast import make_fast_policy
from tactus_core.policy.observation import low_dim
from tactus_core.policy.slow import DiffusionPolicy
from tactus_core.policy.specs import ResidualSpec
from tactus_core.types import Array, RobotDescription, Target

# What training changes; all else is the contract that the graph was started with.
_MAY_DIFFER = ("version", "graphs", "normaliser", "training")


@dataclass(frozen=True, kw_only=True)
class SwapLimits:
    """How far what new weights propose may lie from what the running ones do, at every observation; beyond that they are refused."""

    observations: int = param(8, low=1, high=100, doc="Observations of the last episodes on which weights are compared.")
    max_position_m: float = param(0.03, low=0.0, high=1.0, doc="Largest distance between two targets of the tcp.")
    max_rotation_rad: float = param(0.3, low=0.0, high=3.2, doc="Largest turn between two targets of the tcp.")
    max_joint_rad: float = param(0.5, low=0.0, high=7.0, doc="Largest distance between two targets of a joint, of arm or hand.")


@dataclass(frozen=True)
class Moment:
    """What the robot saw at one time, and felt before and after it: enough to plan, and to act on the plan.

    images: by camera, as `Encoder.encode` takes them. states: from the lookback before stamp_s on. acts_s: when the plan is acted on.
    encoded: (E,) what encoders that stand alone made.
    """

    images: Mapping[str, NDArray[np.uint8]]
    states: StateArrays
    stamp_s: float
    acts_s: tuple[float, ...]
    encoded: Array = field(default_factory=lambda: NOTHING)


def require_whole(moment: Moment, card: Card) -> None:
    """Raise StaleError where the states of a moment have a gap that a policy with this card cannot act across."""
    low_dim(moment.states, moment.stamp_s, card.observation.low_dim)
    allowed_s = min(card.streams[name].max_age_s for name in card.feels)
    stamps_s = moment.states.stamp_s
    for at_s in moment.acts_s:
        age_s = at_s - stamps_s[int(np.searchsorted(stamps_s, at_s + STAMP_EPSILON_S, side="right")) - 1]
        if not 0.0 <= age_s + STAMP_EPSILON_S <= allowed_s:
            raise StaleError(f"the newest state at {at_s:.3f} s was {age_s:.3f} s old, {allowed_s} s are allowed. Keep another moment.")


@dataclass(frozen=True)
class Difference:
    """The largest distances between what two bundles propose for the same observations; fields as in `SwapLimits`, without `max_`."""

    position_m: float = 0.0
    rotation_rad: float = 0.0
    joint_rad: float = 0.0

    def over(self, limits: SwapLimits) -> list[str]:
        """Return what is beyond its limit; NaN is."""
        names = [f.name for f in fields(self) if not getattr(self, f.name) <= getattr(limits, f"max_{f.name}")]
        return [f"{name} {getattr(self, name):.3g} of {getattr(limits, f'max_{name}'):.3g}" for name in names]


def require_agreement(running: Card, offered: Card) -> None:
    """Raise BundleError where a card is no other version of the running one: it differs in more than training can change."""
    before, after = (plain_card(replace(card, residual=_bound(running, offered, card))) for card in (running, offered))
    differ = [key for key in {**before, **after} if key not in _MAY_DIFFER and before.get(key) != after.get(key)]
    if differ:
        told = "; ".join(f"{key} is {after.get(key)}, running is {before.get(key)}" for key in differ)
        raise BundleError(
            f"'{offered.id}' is no other version of '{running.id}', whose card has to agree in all but {', '.join(_MAY_DIFFER)}: {told}. "
            "Start the graph anew with it."
        )
    if offered.version == running.version:
        raise BundleError(
            f"'{offered.id}' has other weights than the running bundle and the same version: a record could not tell them apart. "
            "Give it a version of its own."
        )


def _bound(running: Card, offered: Card, card: Card) -> ResidualSpec | None:
    """Return what has to agree of a card's residual: nothing where the other has none, for a base may get one; its limits, but no noise."""
    return replace(card.residual, exploration=None) if running.residual and offered.residual and card.residual else None


def targets(bundle: Bundle, robot: RobotDescription, moment: Moment, seed: int) -> list[Target]:
    """Return what a bundle proposes at each of the moment's `acts_s`; raises a TactusError where it cannot, or proposes NaN."""
    features = OnnxEncoder(bundle).encode(moment.images)
    chunk = DiffusionPolicy(bundle, seed).infer(features, moment.states, moment.stamp_s, moment.encoded)
    fast = make_fast_policy(bundle, robot)
    return [fast.act(chunk, moment.states, at_s).target for at_s in moment.acts_s]


def compare(
    running: Bundle, offered: Bundle, robot: RobotDescription, moments: Sequence[Moment], limits: SwapLimits
) -> tuple[Difference, int]:
    """Return how far two bundles lie apart on the newest moments on which both can act, and how many those were.

    Raises StaleError where there are too few, for holes across which a residual cannot look back: those weights may do on others. Raises
    BundleError where the offered one proposes nothing, NaN, or what is beyond the limits.
    """
    largest, compared, hole = Difference(), 0, ""
    for seed, moment in enumerate(reversed(moments)):
        expected = targets(running, robot, moment, seed)
        try:
            got = targets(offered, robot, moment, seed)
        except StaleError as error:
            hole = f" On the oldest of the others: {error}"
            continue
        except TactusError as error:
            raise BundleError(f"'{offered.card.id}' fails where '{running.card.id}' acts: {error}") from None
        for one, other in zip(expected, got, strict=True):
            largest = _larger(largest, difference(one, other))
        compared += 1
        if over := largest.over(limits):
            raise BundleError(
                f"'{offered.card.id}' is too far from '{running.card.id}' on the observation at {moment.stamp_s:.3f} s: {', '.join(over)}. "
                "If that is meant, start the graph anew with it, and watch."
            )
        if compared == limits.observations:
            return largest, compared
    raise StaleError(
        f"'{offered.card.id}' can be compared on {compared} of {len(moments)} observations of this robot, and {limits.observations} are "
        f"needed. Let the policy act for a few seconds more, then offer it again.{hole}"
    )


def difference(one: Target, other: Target) -> Difference:
    """Return how far two targets lie apart."""
    turned = one.T_base_tcp[:3, :3].T @ other.T_base_tcp[:3, :3]
    return Difference(
        float(np.linalg.norm(other.T_base_tcp[:3, 3] - one.T_base_tcp[:3, 3])),
        float(np.linalg.norm(rotation_vector(turned))),
        max(_apart(one.hand_rad, other.hand_rad), _apart(one.arm_rad, other.arm_rad)),
    )


def _apart(one: Array | None, other: Array | None) -> float:
    return 0.0 if one is None or other is None else float(np.abs(other - one).max(initial=0.0))


def _larger(one: Difference, other: Difference) -> Difference:
    # np.maximum: NaN stays.
    return Difference(*(float(np.maximum(getattr(one, f.name), getattr(other, f.name))) for f in fields(Difference)))


def examine(
    folder: Path, running: Bundle, robot: RobotDescription, moments: Sequence[Moment], limits: SwapLimits
) -> tuple[Bundle, Difference, int]:
    """Return the bundle in `folder`, whose weights may act in the place of the running one's. Raises BundleError, StaleError: `compare`."""
    offered = Bundle.load(folder)
    require_agreement(running.card, offered.card)
    return offered, *compare(running, offered, robot, moments, limits)
