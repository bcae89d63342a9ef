"""Coverage-guided fuzzing of the guard: bytes become floats, floats become everything that it looks at.

.venv/bin/python tests/fuzz/fuzz_guard.py -runs=1000000
"""

import sys
from pathlib import Path

import atheris
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "core"))
with atheris.instrument_imports(include=["tactus_core.guard"]):
    from tactus_core.guard.guard import Guard

from gantry import HIGH, KINEMATICS, LOW, pose, posture

from tactus_core.geometry import inverse, rotation_vector
from tactus_core.guard.config import GuardConfig
from tactus_core.guard.types import GuardState, Inputs, Received
from tactus_core.types import Proposal, RobotState, Target

CONFIG = GuardConfig()
SOURCES = ("policy", "human", "idle", "ghost")


class Bytes:
    """Takes values off the fuzzer's bytes; doubles are mostly small, now and then any that 64 bits can be."""

    def __init__(self, data):
        self._data = atheris.FuzzedDataProvider(data)

    def left(self):
        return self._data.remaining_bytes() > 0

    def chance(self):
        return self._data.ConsumeIntInRange(0, 7)

    def numbers(self, count, scale):
        if self.chance() == 0:
            values = self._data.ConsumeFloatListInRange(count, -1e308, 1e308) if self.chance() else [self._data.ConsumeFloat()] * count
        else:
            values = [scale * self._data.ConsumeIntInRange(-100, 100) / 100 for _ in range(count)]
        out = np.array(values[:count] + [0.0] * (count - len(values)))
        out.setflags(write=False)
        return out

    def place(self):
        offset = self.numbers(6, 0.08)
        T = pose(0.5 + offset[0], offset[1], 0.3 + offset[2], tuple(offset[3:])) if np.abs(offset).max() < 1 else np.full((4, 4), offset[0])
        T.setflags(write=False)
        return T

    def target(self):
        joints = self.chance()
        return Target(self.place(), self.numbers(16, 2.0) if joints < 6 else None, self.numbers(7, 0.6) if joints == 7 else None)

    def state(self):
        T = self.place()
        q = posture(T) if np.isfinite(T).all() and abs(T).max() < 7 else self.numbers(7, 1.0)
        return RobotState(self.numbers(1, 1.0)[0], T, self.numbers(6, 40.0), self.numbers(4, 20.0), self.numbers(16, 0.5), q, None)


def one(data):
    source = Bytes(data)
    guard, now_s = Guard(CONFIG, KINEMATICS), 10.0
    while source.left():
        now_s += abs(source.chance()) * 0.005
        proposals = [
            Received(
                Proposal(now_s, SOURCES[source.chance() % 4], source.target(), release=source.chance() == 7), now_s - 0.02 * source.chance()
            )
            for _ in range(source.chance() % 3)
        ]
        state = source.state() if source.chance() else None
        verdict = guard.step(Inputs(proposals, state, now_s - 0.01 * source.chance(), source.chance() == 7, now_s))
        judge(verdict, state)


def judge(verdict, state):
    sent = verdict.executed
    if sent is None:
        assert verdict.state is not GuardState.RUNNING
        return
    assert np.isfinite(sent.T_base_tcp).all()
    if sent.arm_rad is None:
        error = inverse(state.T_base_tcp) @ sent.T_base_tcp
        assert abs(error[2, 3]) <= CONFIG.max_normal_error_m + 1e-5
        assert np.linalg.norm(error[:2, 3]) <= CONFIG.max_tangential_error_m + 1e-5
        assert np.linalg.norm(rotation_vector(error[:3, :3])) <= CONFIG.max_rotation_error_rad + 1e-4
    else:
        assert np.abs(sent.arm_rad - state.arm_position_rad).max() <= CONFIG.max_joint_error_rad + 1e-6
    if sent.hand_rad is not None and verdict.state is GuardState.RUNNING:
        assert np.isfinite(sent.hand_rad).all()
        outside = np.maximum(LOW - sent.hand_rad, sent.hand_rad - HIGH)
        measured = np.maximum(LOW - state.hand_position_rad, state.hand_position_rad - HIGH)
        assert (outside <= np.maximum(measured, 0.0) + 1e-6).all()


if __name__ == "__main__":
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
