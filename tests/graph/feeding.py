"""Sensor samples for a node alone, good and bad."""

import math

import numpy as np
from solo import sample

from tactus_nodes import convert_seen, topics

HOUR_S = 3600.0
START_S = 1.8e9  # the device's clock, far from this machine's: nobody may compare the two


class Feeler:
    """Feeds a policy with sensor samples of a device whose clock the test sets. progress: changes with each sample that is dealt with."""

    def __init__(self, bench, robot, progress):
        self.bench, self.robot, self.progress, self.stamp_s = bench, robot, progress, START_S

    def feel(self, count=1, **alterations):
        """Have samples dealt with, 5 ms of the device's time apart; on a busy machine a sample may come too late for the others."""
        for _ in range(count):
            before = self.progress()
            while self.progress() == before:
                self.stamp_s += 0.005
                arrived = self.bench.arrivals(topics.TACTILE)
                for topic, message in sample(self.robot, self.stamp_s, **alterations):
                    self.bench.send(topic, message)
                self.bench.until(arrived, "touch to arrive")


def spoil(name, value):
    return lambda message: setattr(message, name, value)


def taxels_of(*shape, value=0.0):
    def alter(message):
        made = convert_seen.taxel_cloud(*shape)
        convert_seen.put_taxels(np.full((*shape, 6), value), made)
        message.height, message.width, message.row_step, message.data = made.height, made.width, made.row_step, made.data

    return alter


def wrench_of(value):
    return lambda message: setattr(message.wrench.force, "z", value)


BAD_STATES = {
    "joint of NaN": {"joints": spoil("position", [math.nan] * 23)},
    "joint of infinity": {"joints": lambda m: m.position.__setitem__(3, math.inf)},
    "no joints": {"joints": spoil("position", [])},
    "wrong names": {"joints": spoil("name", [f"other_{i}" for i in range(23)])},
    "wrench of NaN": {"wrench": wrench_of(math.nan)},
    "wrench of infinity": {"wrench": wrench_of(-math.inf)},
    "wrench elsewhere": {"wrench": lambda m: setattr(m.header, "frame_id", "base")},
    "touch of NaN": {"taxels": taxels_of(4, 12, value=math.nan)},
    "touch of infinity": {"taxels": taxels_of(4, 12, value=math.inf)},
    "five fingers": {"taxels": taxels_of(5, 12)},
    "no touch": {"taxels": taxels_of(0, 0)},
    "half the touch": {"taxels": lambda m: setattr(m, "data", m.data[: len(m.data) // 2])},
    "touch in other units": {"taxels": lambda m: setattr(m.fields[3], "datatype", 8)},
    "touch of another layout": {"taxels": lambda m: setattr(m.fields[3], "name", "temperature")},
    "touch in rows that do not fit": {"taxels": lambda m: (setattr(m, "row_step", 576), setattr(m, "height", 2), setattr(m, "width", 99))},
}
