"""A scripted operator beside a running simulated robot: sees its world, helps by an emulated SpaceMouse, and ends each episode's record."""

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from sensor_msgs.msg import JointState
from std_srvs.srv import Trigger

from tactus_core.errors import ConfigError
from tactus_core.kinematics import Kinematics
from tactus_core.ports import Advice, SimTask
from tactus_core.types import Array
from tactus_msgs.msg import EpisodeMark, WorldState
from tactus_msgs.srv import ResetEpisode
from tactus_nodes import convert, convert_tactus, topics
from tactus_nodes.client import KEEP_S, GraphSession
from tactus_nodes.emulator import Emulator

if TYPE_CHECKING:
    from tactus_sim.person import Person

_PERIOD_S = 0.016  # as often as a SpaceMouse speaks
_REST = (0.0,) * 6
_NUDGE = (0.03, *_REST[1:])  # far from taking control: a puck that never moved is not known
_KNOWN_S = 0.7
_LONGEST_S = 120.0  # twice what run_policy gives a run that nothing else ends
_ENDS = {EpisodeMark.SUCCESS: True, EpisodeMark.FAILURE: False, EpisodeMark.END: None}


class Operating:
    """Lives episodes one after the other. task: whose expert knows what would be right. Raises ConfigError where nobody wrote one."""

    def __init__(self, session: GraphSession, task: SimTask, person: "Person", emulator: Emulator) -> None:
        if task.make_expert is None:
            raise ConfigError(f"task '{task.name}' has no expert that could advise a scripted operator. Choose insert or wipe.")
        self._session, self._person, self._emulator = session, person, emulator
        self._expert, self._kinematics, self._arm = task.make_expert(), Kinematics(task.robot), tuple(task.robot.arm_joints)
        self._advice: Advice | None = None
        self._joints: JointState | None = None
        self._wrench_tcp: Array | None = None
        self._seed, self._said, self._stepped_s = -1, _REST, 0.0
        self._end = ""
        session.listen(topics.WORLD, self._take_world)
        session.listen(topics.JOINT_STATES, lambda message: setattr(self, "_joints", message))
        session.listen(topics.WRENCH, lambda message: setattr(self, "_wrench_tcp", convert.wrench_tcp(message)))
        session.listen(topics.MARK, self._take_mark)

    def sit_down(self) -> None:
        """Touch the puck, so that it is known."""
        for axes in (_NUDGE, _REST):
            self._emulator.tell("set", "push", *axes)
        self._session.listen_for(_KNOWN_S)

    def episode(self, seed: int, keep: bool) -> bool | None:
        """Have the policy live the episode of `seed`, help where patience ends, and return whether it succeeded; None: nobody says.

        keep: have the recorder write what is in its memory (`ring_s`) into a bag of its own.
        """
        self._seed, self._advice, self._end = seed, None, ""
        self._session.call(ResetEpisode, "sim/reset", seed=seed)
        self._person.begin(seed)
        self._began_s = np.nan
        self._session.call(Trigger, "run_policy/start")
        try:
            self._session.wait_for(self._watch, _LONGEST_S, f"the end of episode {seed}")
        finally:
            self._say(_REST)
        if keep:
            self._session.call(Trigger, "recorder/keep", KEEP_S)
        return _ENDS[self._end]

    def _watch(self) -> bool:
        """Look, and push; return whether the run of the policy is over."""
        now_s = time.monotonic()
        joints, wrench_tcp, advice = self._joints, self._wrench_tcp, self._advice
        if now_s - self._stepped_s >= _PERIOD_S and joints is not None and wrench_tcp is not None and advice is not None:
            self._stepped_s = now_s
            self._say(self._axes(joints, wrench_tcp, advice))
        return bool(self._end)

    def _axes(self, joints: JointState, wrench_tcp: Array, advice: Advice) -> tuple[float, ...]:
        from tactus_sim.person import Seen

        stamp_s = convert.seconds(joints.header.stamp)
        if np.isnan(self._began_s):
            self._began_s = stamp_s
        T_base_tcp = self._kinematics.tcp_pose(convert.joint_positions(joints, self._arm))
        force_N = float(np.linalg.norm(wrench_tcp[:3]))
        return tuple(self._person.axes(Seen(stamp_s - self._began_s, T_base_tcp, advice, force_N)).tolist())

    def _say(self, axes: tuple[float, ...]) -> None:
        if axes != self._said:
            self._emulator.tell("set", "push", *axes)
            self._said = axes

    def _take_world(self, message: WorldState) -> None:
        if message.seed == self._seed and self._wrench_tcp is not None:
            self._advice = self._expert.advise(convert_tactus.snapshot(message), self._wrench_tcp)

    def _take_mark(self, message: EpisodeMark) -> None:
        if message.kind in _ENDS:
            self._end = message.kind


@contextlib.contextmanager
def puck(socket: Path) -> Iterator[Emulator]:
    """Give an emulated SpaceMouse that a driver finds at `socket`, as it finds spacenavd; a link there from before is replaced."""
    socket.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.closing(Emulator("spacemouse")) as emulator:
        socket.unlink(missing_ok=True)
        socket.symlink_to(emulator.address["socket"])
        try:
            yield emulator
        finally:
            socket.unlink(missing_ok=True)
