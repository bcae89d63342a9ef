"""Images of a bag's episodes, labelled by what was said of the episode: what a classifier of success is trained from."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from tactus_core.datasets.bag import WORLD, Bag
from tactus_core.datasets.findings import Finding, Place
from tactus_core.datasets.spans import Span, spans
from tactus_core.datasets.states import robot_states
from tactus_core.errors import DataError
from tactus_core.learning.seen import CAMERA, pictured
from tactus_core.learning.shown import Arrays
from tactus_core.policy.card import Card
from tactus_core.types import Array, RobotDescription

# How long an episode can still be seen after its end: a person says that it is one when he has seen it, a simulated task before the next
# image is taken.
SETTLE_S = 0.5
# When exactly it came true nobody said: of images so long before a success is said nothing is learnt.
DOUBT_S = 1.0


def labelled(bag: Bag, robot: RobotDescription, card: Card) -> Iterator[tuple[int, Arrays] | Finding]:
    """Yield the labelled episodes of a bag with their starts [ns], as `learning/shown.py` has them, and why one is left out.

    card: of a policy of this robot, which says what of its sensors is needed. An episode that nobody labelled is left out and told.
    """
    found = spans(bag)
    for span, after in zip(found, [*found[1:], None], strict=True):
        try:
            if span.success is None:
                raise DataError("nobody said whether it was a success. Label it: ./tactus record success, or failure.")
            yield span.start_ns, _arrays(bag, span, seen_until_s(bag, span, after), robot, card)
        except DataError as error:
            yield Place(f"{bag.source}, {span.name}", "images").finding("out", np.nan, str(error))


def _arrays(bag: Bag, span: Span, until_s: float, robot: RobotDescription, card: Card) -> Arrays:
    states, images = robot_states(bag, robot, card, span.start_ns * 1e-9, until_s), bag.streams.get(CAMERA)
    if images is None or not states:
        raise DataError(f"it lacks {CAMERA}, or the states of the robot. Record all topics.")
    stamps_s = images.time_ns.astype(np.float64) * 1e-9
    rows = np.flatnonzero((stamps_s >= states[0].stamp_s) & (stamps_s <= states[-1].stamp_s))
    if not len(rows):
        raise DataError(f"it has no image of {CAMERA}. Was the camera running?")
    arrays = pictured(bag, states, robot, rows.tolist())
    return {**arrays, "done": said(stamps_s[rows], span.end_ns * 1e-9, bool(span.success))}


def said(stamps_s: Array, label_s: float, success: bool) -> NDArray[np.int8]:
    """Return the labels (n,) of an episode's images at `stamps_s` (n,), of which somebody said at `label_s` whether it is a success.

    Of what comes after a failure nobody knows: robot or person may have gone on.
    """
    before = np.where(stamps_s >= label_s - DOUBT_S, -1, 0) if success else 0
    return np.where(stamps_s >= label_s, 1 if success else -1, before).astype(np.int8)


def seen_until_s(bag: Bag, span: Span, after: Span | None) -> float:
    """Return until when what a bag shows is of this episode, though it is over: not of the one `after` it, nor of another world."""
    until_ns = span.end_ns + round(SETTLE_S * 1e9)
    if after is not None:
        until_ns = min(until_ns, after.start_ns)
    if WORLD in bag.streams:
        worlds = bag.streams[WORLD]
        seeds, now = np.array([int(world.seed) for world in worlds.values]), int(worlds.newest(np.array([span.end_ns]))[0])
        others = worlds.time_ns[(worlds.time_ns > span.end_ns) & (seeds != seeds[now])]
        until_ns = min(until_ns, int(others.min(initial=until_ns)))
    return until_ns * 1e-9
