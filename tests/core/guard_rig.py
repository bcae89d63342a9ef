"""A guard on a clock, around the gantry."""

import numpy as np
from gantry import KINEMATICS, pose, state

from tactus_core.guard.config import GuardConfig
from tactus_core.guard.guard import Guard
from tactus_core.guard.types import Inputs, Received
from tactus_core.types import Proposal, Target

TICK_S = 0.005


def away(executed, T):
    """Return how far what was executed is from a pose [m]."""
    return np.linalg.norm(executed.T_base_tcp[:3, 3] - T[:3, 3])


class Rig:
    """A guard on a clock, with a measured pose that stays where it is put."""

    def __init__(self, **config):
        self.guard = Guard(GuardConfig(**config), KINEMATICS)
        self.now_s = 100.0
        self.T = pose()
        self.force_N = 0.0
        self.fingertip_N = 0.0
        self.dead_man_s = -np.inf

    def step(self, *proposals, estop=False, blind=False, tick_s=TICK_S):
        """One tick with (source, target) proposals that arrive just now; a target of None gives control back."""
        self.now_s += tick_s
        wrench = np.array([0, 0, -self.force_N, 0, 0, 0.0])
        here = None if blind else state(self.T, self.now_s, wrench, np.full(4, self.fingertip_N))
        received = [
            Received(Proposal(self.now_s, source, target or Target(np.eye(4), None), release=target is None), self.now_s)
            for source, target in proposals
        ]
        return self.guard.step(Inputs(received, here, self.now_s, estop, self.now_s, self.dead_man_s))

    def run(self, seconds, *proposals, **kwargs):
        return [self.step(*proposals, **kwargs) for _ in range(round(seconds / TICK_S))]
