"""What a run left behind: the verdicts in the bag, and what the simulated robot noted of the commands that reached it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tactus_cli.faults.observation import Decision, Sample, decision
from tactus_cli.report.bag import Series, read
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
    found = read(bag, {topics.VERDICT: tell}, (topics.VERDICT,))
    if topics.VERDICT not in found:
        raise DataError(f"{bag} holds no verdict. Did the guard run, and the recorder before it?")
    return list(found[topics.VERDICT].values)


def measured(joints: Series, verdicts: Series) -> list[Sample]:
    """Return joint states by when they were measured, on the guard's steady clock. verdicts: by arrival, their `steady_s`."""
    # A verdict is recorded as soon as it is made: what is least between the two is how far the clocks are apart.
    epoch_s = float(np.min(verdicts.t_s - np.array(verdicts.values)))
    return [Sample(float(at_s) - epoch_s, values) for at_s, values in zip(joints.t_s, joints.values, strict=True)]


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


def tell(message: Any) -> Told:
    """Return what a verdict says."""
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
