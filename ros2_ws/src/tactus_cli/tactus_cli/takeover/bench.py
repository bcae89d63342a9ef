"""Runs the simulated graph while a policy moves the robot, and pushes an emulated SpaceMouse at random moments."""

import contextlib
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tactus_cli.bringup import launch_file
from tactus_cli.faults.limits import Limits
from tactus_cli.launching.session import Launched
from tactus_cli.takeover.record import commands, told
from tactus_cli.takeover.score import score
from tactus_core.errors import DeviceError
from tactus_core.guard.config import GuardConfig
from tactus_core.kinematics import Kinematics
from tactus_msgs.msg import EpisodeOutcome
from tactus_nodes import topics
from tactus_nodes.client import GraphSession
from tactus_nodes.emulator import Emulator
from tactus_nodes.plugins import find_robot
from tactus_nodes.timing import epoch_ns

_START_S, _MOTION_S, _BACK_S, _TRIES = 90.0, 60.0, 2.0, 30
# How long the policy moves before it is taken over, and how long the human has control.
_BEFORE_S, _HELD_S = (0.2, 1.5), (0.3, 1.0)
_REST = (0.0,) * 6
_NUDGE = (0.03, *_REST[1:])  # far from taking control: a puck that never moved is not known
_KNOWN_S = 0.7


class Person:
    """A hand at an emulated SpaceMouse, which is a process of its own."""

    def __init__(self, emulator: Emulator, seed: int) -> None:
        self._emulator, self.draw = emulator, random.Random(seed)

    def say(self, axes: tuple[float, ...]) -> float:
        """Push the puck so far; return when the device told it, on the steady clock [s]."""
        return float(self._emulator.tell("set", "push", *axes)["told_s"])

    def push(self) -> float:
        """Push somewhere, not further into what the robot touches; see `say`."""
        away = [self.draw.uniform(-1.0, 1.0) for _ in range(3)]
        size = max(abs(value) for value in away) / self.draw.uniform(0.4, 1.0)
        x, y, z = (value / size for value in away)
        return self.say((x, y, abs(z), 0.0, 0.0, self.draw.uniform(-0.3, 0.3)))


class Takeovers:
    """The graph's side: keeps the policy moving, episode after episode."""

    def __init__(self, session: GraphSession, person: Person, seed: int) -> None:
        self._session, self._person, self._seed = session, person, seed
        self._over = True
        self.pushed_s: list[float] = []
        self.lost = 0
        self._verdict = session.newest(topics.VERDICT)
        session.listen(topics.OUTCOME, self._end)

    def run(self, count: int) -> None:
        """Take over so many times. Raises DeviceError where the robot does not move, or control does not come back."""
        self._person.say(_NUDGE)
        self._person.say(_REST)
        self._session.listen_for(_KNOWN_S)
        for _ in range(count):
            self._let_policy_move()
            self._session.listen_for(self._person.draw.uniform(*_BEFORE_S))
            self.pushed_s.append(self._person.push())
            self._session.listen_for(self._person.draw.uniform(*_HELD_S))
            self._give_back()
        self._let_policy_move()

    def _give_back(self) -> None:
        """Let go; where the device was not heard in between, control was lost, and has to be taken once more to be given back."""
        for _ in range(_TRIES):
            self._person.say(_REST)
            with contextlib.suppress(DeviceError):
                return self._session.wait_for(lambda: not self._verdict().intervention, _BACK_S, "control to be given back")
            self.lost += 1
            self._person.push()
            self._session.listen_for(_HELD_S[0])
        verdict = self._verdict()
        raise DeviceError(f"control could not be given back: the guard is {verdict.state}, {', '.join(verdict.reasons)}")

    def _let_policy_move(self) -> None:
        if self._over:
            self._session.begin_episode(self._seed)
            self._seed, self._over = self._seed + 1, False
        self._session.wait_for(lambda: self._verdict().source == "policy", _MOTION_S, "the policy to move the robot")

    def _end(self, message: EpisodeOutcome) -> None:
        self._over = True


def measure(arguments: Mapping[str, str], count: int, seed: int, folder: Path) -> dict[str, Any]:
    """Launch, take over `count` times, and return the report; bag, logs and what the device noted are left in `folder`."""
    folder.mkdir(parents=True)
    log = folder / "commands.txt"
    with contextlib.closing(Emulator("spacemouse")) as emulator:
        values = {
            **{"run": "false", "record": "true", "folder": str(folder / "bag"), "command_log": str(log)},
            **{"teleop": "spacenav", "teleop_device": "spacemouse", "teleop_address": emulator.address["socket"], "take_by": "motion"},
            **arguments,
        }
        file = launch_file("sim.launch.xml")
        with Launched(file, values, folder=folder / "logs") as launched, GraphSession(launched.check) as session:
            session.wait_ready(_START_S)
            takeovers = Takeovers(session, Person(emulator, seed), seed)
            takeovers.run(count)
            scheduled = session.timing(["guard"])["guard"]["realtime"]
    kinematics = Kinematics(find_robot(values["robot"]))
    limits = Limits.of(GuardConfig(), (kinematics.hand_low_rad, kinematics.hand_high_rad))
    report = score(told(folder / "bag"), *commands(log), takeovers.pushed_s, epoch_ns() * 1e-9, limits)
    return report | {"lost_by_silence": takeovers.lost, "realtime_scheduling": scheduled}
