"""What a classifier of success says of a bag's episodes, and what becomes of those that nobody labelled."""

from dataclasses import dataclass, replace

import numpy as np

from tactus_core.datasets.bag import Bag
from tactus_core.datasets.spans import Span
from tactus_core.datasets.states import robot_states
from tactus_core.errors import BundleError, DataError
from tactus_core.history import StateArrays
from tactus_core.learning.classifier import ClassifierCard, SuccessClassifier
from tactus_core.learning.labels import SETTLE_S, seen_until_s
from tactus_core.learning.seen import CAMERA
from tactus_core.learning.transitions import Transitions
from tactus_core.policy.bundle import Bundle
from tactus_core.policy.card import Card
from tactus_core.policy.observation import TOLERANCE_S
from tactus_core.types import RobotDescription


@dataclass(frozen=True)
class Actor:
    """A bundle that acted on a robot. dt_s: between decisions, where its card has no residual that says so.

    duration_s: after which a simulated episode of its task ends, whatever was reached; infinite: none does.
    """

    bundle: Bundle
    robot: RobotDescription
    dt_s: float
    duration_s: float = np.inf


@dataclass(frozen=True)
class Judgement:
    """at_s: stamp of the image that completed what success takes; None where none did."""

    at_s: float | None

    @property
    def success(self) -> bool:
        """What the classifier says of the episode."""
        return self.at_s is not None


def judge(bag: Bag, span: Span, after: Span | None, actor: Actor, classifier: SuccessClassifier) -> Judgement:
    """Return what a classifier says of an episode by its images, up to a moment after its end, but none of the episode `after` it.

    Raises DataError or StaleError where the bag lacks what it takes or ends too soon, BundleError where the classifier is of another task
    or robot.
    """
    card, named = classifier.card, f"/camera/{classifier.card.camera}/image"
    _require_fit(card, actor.bundle.card)
    topic = named if named in bag.streams else CAMERA
    if topic not in bag.streams:
        raise DataError(f"neither {named} nor {CAMERA} was recorded, and '{card.id}' judges by it. Record the camera, or label by hand.")
    until_s = seen_until_s(bag, span, after)
    felt = robot_states(bag, actor.robot, actor.bundle.card, span.start_ns * 1e-9, until_s)
    states, images = StateArrays.of(felt, actor.bundle.card.needs), bag.streams[topic]
    stamps_s = images.time_ns.astype(np.float64) * 1e-9
    first_s, last_s = (felt[0].stamp_s + card.lookback_s, felt[-1].stamp_s + TOLERANCE_S) if felt else (np.inf, -np.inf)
    rows = np.flatnonzero((stamps_s >= first_s) & (stamps_s <= min(last_s, until_s)))
    if len(rows) < card.frames:
        raise DataError(f"{len(rows)} images of {topic} in the episode, and '{card.id}' wants {card.frames} in a row. Label it by hand.")
    pictures = bag.pictures(topic, [images.values[row] for row in rows])
    at_s = classifier.done_at(classifier.probabilities(pictures, states, stamps_s[rows]), stamps_s[rows])
    if at_s is None and bag.reach_ns[1] * 1e-9 < until_s:
        raise DataError(
            f"the bag ends {bag.reach_ns[1] * 1e-9 - span.end_ns * 1e-9:.2f} s after the episode, which success may outlast: nobody knows. "
            f"Record for {SETTLE_S} s more, or label it by hand."
        )
    return Judgement(at_s)


def rewarded(transitions: Transitions, judgement: Judgement) -> Transitions:
    """Return an episode with a classifier's label where nobody gave it one: a success ends where it was seen, and what follows is left out.

    An operator's label stands. Raises DataError where success was seen before the first decision: nothing led to it.
    """
    if transitions.success is not None:
        return transitions
    end = len(transitions) if judgement.at_s is None else int(np.searchsorted(transitions.stamp_s, judgement.at_s, side="right"))
    if not end:
        raise DataError("its task was done before the policy's first decision. Was the scene set up anew? Leave it out.")
    rows = ("observed", "correction", "executed", "intervened", "onset", "stamp_s")
    kept = {name: getattr(transitions, name)[:end] for name in rows}
    return replace(transitions, **kept, success=judgement.success, ended=judgement.success, reward_source="classifier")


def _require_fit(card: ClassifierCard, policy: Card) -> None:
    if (card.task, card.robot, card.joints) != (policy.task, policy.robot, policy.joints):
        raise BundleError(
            f"classifier '{card.id}' is for task '{card.task}' on '{card.robot}', and '{policy.id}' did '{policy.task}' on "
            f"'{policy.robot}'. Choose the classifier of that task and robot."
        )
