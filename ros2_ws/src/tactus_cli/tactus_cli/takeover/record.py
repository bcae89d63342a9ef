"""What a run left behind: the verdicts in the bag, and what the simulated robot noted of the commands that reached it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tactus_cli.faults.observation import Decision, Sample, decision, in_order
from tactus_cli.report.bag import read
from tactus_core.errors import DataError
from tactus_nodes import topics


@dataclass(frozen=True)
class Told(Decision):
    """A verdict as it was recorded. stamp: seconds and nanoseconds of the input that it answers. See `tactus_msgs/Verdict`."""

    tick: int
    source: str
    intervention: bool
    onset: bool
    offset: bool
    stamp: tuple[int, int]


def told(bag: Path) -> list[Told]:
    """Return the verdicts of a bag in their order; raises DataError where there are none."""
    found = read(bag, {topics.VERDICT: _told}, (topics.VERDICT,))
    if topics.VERDICT not in found:
        raise DataError(f"{bag} holds no verdict. Did the guard run, and the recorder before it?")
    return list(found[topics.VERDICT].values)


def measured(bag: Path, names: tuple[str, ...]) -> list[Sample]:
    """Return where these joints were measured, by when that was, on the steady clock of the guard; raises DataError where nothing tells."""
    joints = {topics.JOINT_STATES: lambda message: in_order(message, names), topics.VERDICT: lambda verdict: verdict.steady_s}
    found = read(bag, joints, (topics.VERDICT,))
    if topics.JOINT_STATES not in found or topics.VERDICT not in found:
        raise DataError(f"{bag} holds {sorted(topic.name for topic in found)}, expected joint_states and verdict. Record every topic.")
    # A verdict is recorded as soon as it is made: what is least between the two is how far the clocks are apart.
    verdicts = found[topics.VERDICT]
    epoch_s = float(np.min(verdicts.t_s - np.array(verdicts.values)))
    joints_in = found[topics.JOINT_STATES]
    return [Sample(float(at_s) - epoch_s, values) for at_s, values in zip(joints_in.t_s, joints_in.values, strict=True)]


def commands(log: Path) -> tuple[list[Sample], list[Sample]]:
    """Return what reached the device, for the arm and for the hand; raises DataError for another kind of file."""
    found: dict[str, list[Sample]] = {topics.ARM_TARGET.name: [], topics.HAND_COMMAND.name: []}
    for number, line in enumerate(log.read_text().splitlines(), start=1):
        try:
            topic, at_s, _, _, *values = line.split()
            found[topic].append(Sample(float(at_s), np.array(values, dtype=np.float64)))
        except (ValueError, KeyError):
            raise DataError(f"{log}, line {number}: '{line[:80]}' is no command. Was the simulated robot killed while it wrote?") from None
    arm, hand = found.values()
    return arm, hand


def _told(message: Any) -> Told:
    stamp = message.header.stamp
    return Told(
        **vars(decision(message)),
        tick=message.tick,
        source=message.source,
        intervention=message.intervention,
        onset=message.onset,
        offset=message.offset,
        stamp=(stamp.sec, stamp.nanosec),
    )
