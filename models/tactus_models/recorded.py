"""Data sets of recordings (`tactus convert`) → demonstrations, in the arrays and on the grid of those that an expert records.

Of a row the policy is shown, and taught, what `tactus_models.layout` says: the tcp's pose follows from the joints by the robot's
kinematics, fingertip forces from the taxels, `press` from what the hand was sent. Values are held between rows: nothing is interpolated.
An image counts for when it was captured (`age.<camera>`). Episodes that were labelled a failure are left out.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tactus_core.datasets.episode import POSE_NAMES, Episode, is_lerobot
from tactus_core.datasets.replay_buffer import key
from tactus_core.datasets.replay_data import ReplayBufferData
from tactus_core.errors import ConfigError, DataError
from tactus_core.geometry import pose7
from tactus_core.kinematics import Kinematics
from tactus_core.perception.fingertips import fingertip_force_N
from tactus_core.policy.signals import JointsSpec
from tactus_core.types import Array, RobotDescription
from tactus_models.layout import IMAGE_SHAPE, JOINTS

TICK_S = 0.005
# How far the hand may be from every posture of the press synergy [rad]: what it was sent has passed the guard, joint by joint.
SYNERGY_RAD = 0.1
_STATE, _WRENCH, _TAXELS, _ACTION = "observation.state", "observation.wrench", "observation.taxels", "action"
_POSE = len(POSE_NAMES)


def recorded(folder: Path, robot: RobotDescription) -> list["Recorded"]:
    """Return the demonstrations of a data set; raises DataError where it lacks what a policy observes or is taught, or is damaged."""
    joints = JointsSpec(len(robot.arm_joints), len(robot.hand_joints))
    if joints != JOINTS:
        raise ConfigError(
            f"policies are trained for {JOINTS}; robot '{robot.name}' has {joints}. Name another in the configuration's card."
        )
    kinematics = Kinematics(robot)
    found = [Recorded(number, episode, robot, kinematics) for number, episode in enumerate(_episodes(folder))]
    kept = [one for one in found if one.is_kept]
    if not kept:
        raise DataError(f"{folder}: {len(found)} episodes, none that was not labelled a failure. Record some that succeed.")
    return kept


def _episodes(folder: Path) -> Iterator[Episode]:
    if not is_lerobot(folder):
        return ReplayBufferData(folder).episodes()
    from tactus_core.datasets.lerobot import LeRobotData  # needs pyarrow, which an expert's demonstrations do not

    return LeRobotData(folder).episodes()


@dataclass(frozen=True)
class Recorded:
    """One episode of a data set, as a demonstration."""

    number: int
    episode: Episode
    robot: RobotDescription
    kinematics: Kinematics

    @property
    def name(self) -> str:
        """What to call it in a message."""
        return self.episode.source

    @property
    def is_kept(self) -> bool:
        """Whether nobody said that it failed."""
        return not (self._has("success") and len(self._of("success")) and self._of("success")[0] == 0)

    def times(self) -> tuple[Array, Array]:
        """Return `t_s` and `image_t_s`; see `dataset`."""
        return self._t_s(), self._pictures()[1]

    def arrays(self) -> Mapping[str, NDArray[Any]]:
        """Return everything that a demonstration has; see `dataset`. Raises DataError for what is missing or cannot be."""
        camera = self._require()
        row = np.minimum((self._t_s() * self.episode.fps + 1e-6).astype(np.intp), self.episode.rows - 1)
        state, action = self._finite(_STATE), self._finite(_ACTION)
        arm = self._joints(_STATE, self.robot.arm_joints, range(JOINTS.arm))
        rows, image_t_s = self._pictures()
        wanted = set(rows.tolist())
        images = [picture for index, picture in enumerate(self.episode.videos[camera].pictures()) if index in wanted]
        return {
            "t_s": self._t_s(),
            "tcp_pose": self._poses(state[:, arm])[row],
            "wrench": self._finite(_WRENCH)[row],
            "fingertips": np.array([fingertip_force_N(taxels) for taxels in self._finite(_TAXELS)])[row],
            "action_pose": self._action_pose(action)[row],
            "action_press": self._press(action)[row],
            "image": np.stack(images) if images else np.empty((0, *IMAGE_SHAPE), np.uint8),
            "image_t_s": image_t_s,
            "seed": np.array(self.number),
        }

    def _require(self) -> str:
        """Return the camera's name; raises DataError where columns or pictures are not what the policy needs."""
        episode = self.episode
        sizes = {name: (video.height, video.width) for name, video in episode.videos.items()}
        lacking = [name for name in (_STATE, _WRENCH, _TAXELS, _ACTION) if not self._has(name)]
        if lacking or list(sizes.values()) != [IMAGE_SHAPE[:2]]:
            raise DataError(
                f"{episode.source} has the columns {', '.join(episode.values)} and the cameras {sizes or 'none'}. Trained is on "
                f"{_STATE}, {_WRENCH}, {_TAXELS}, {_ACTION} and one camera of {IMAGE_SHAPE[:2]}"
                f"{'; missing: ' + ', '.join(lacking) if lacking else ''}. Record these topics, and convert them with ./tactus convert."
            )
        action, taxels, names = self._of(_ACTION), self._of(_TAXELS), self._names(_ACTION)
        if not names or action.shape[1:] not in ((_POSE + JOINTS.hand,), (JOINTS.arm + JOINTS.hand,)) or taxels.shape[1::2] != (4, 6):
            raise DataError(
                f"{episode.source}: '{_ACTION}' is {action.shape[1:]} {names or 'without names'}, '{_TAXELS}' {taxels.shape[1:]}; expected "
                f"{', '.join(POSE_NAMES)} or {JOINTS.arm} joints of the arm, then {JOINTS.hand} of the hand; and (4, taxels, 6)."
            )
        return next(iter(sizes))

    def _has(self, name: str) -> bool:
        return name in self.episode.values or key(name) in self.episode.values

    def _of(self, name: str) -> NDArray[Any]:
        values = self.episode.values
        return values[name] if name in values else values[key(name)]

    def _finite(self, name: str) -> Array:
        values = self._of(name).astype(np.float64)
        bad = np.flatnonzero(~np.isfinite(values.reshape(len(values), -1)).all(axis=1))
        if len(bad):
            raise DataError(
                f"{self.episode.source}: '{name}' is missing in {len(bad)} of {len(values)} rows, the first is {bad[0]}: nothing was "
                "measured, or sent. Leave the episode out."
            )
        return values

    def _joints(self, name: str, joints: Sequence[str], usual: range) -> list[int]:
        """Return where joints are in the rows of a column: by their names; where it names none of them, in the robot's order at `usual`."""
        names, width = self._names(name), self._of(name).shape[1]
        if not set(joints) & set(names) and (name == _ACTION or width == JOINTS.arm + JOINTS.hand):
            return list(usual)
        if missing := [joint for joint in joints if joint not in names]:
            raise DataError(
                f"{self.episode.source}: '{name}' has {width} values, {', '.join(names) or 'without names'}; not {', '.join(missing[:3])} "
                f"of robot '{self.robot.name}'. Name the robot that was recorded in the configuration's card."
            )
        return [names.index(joint) for joint in joints]

    def _names(self, name: str) -> tuple[str, ...]:
        columns = self.episode.columns
        return columns[name if name in columns else key(name)].names or ()

    def _poses(self, arm_rad: Array) -> Array:
        return np.array([pose7(self.kinematics.tcp_pose(q)) for q in arm_rad])

    def _action_pose(self, action: Array) -> Array:
        names = self._names(_ACTION)
        if names[:_POSE] == POSE_NAMES:
            return action[:, :_POSE]
        return self._poses(action[:, self._joints(_ACTION, self.robot.arm_joints, range(JOINTS.arm))])

    def _press(self, action: Array) -> Array:
        """Return the share of the press synergy that the hand was sent; raises DataError where it was sent something else."""
        hand_rad = action[:, self._joints(_ACTION, self.robot.hand_joints, range(action.shape[1] - JOINTS.hand, action.shape[1]))]
        rest, way = self.robot.hand_rest_rad, self.robot.hand_grip_rad - self.robot.hand_rest_rad
        press = np.clip((hand_rad - rest) @ way / (way @ way), 0.0, 1.0)
        off = np.abs(hand_rad - np.array([self.robot.hand_posture(float(share)) for share in press])).max(axis=1)
        if off.max() > SYNERGY_RAD:
            raise DataError(
                f"{self.episode.source}: in row {int(off.argmax())} a joint of the hand was sent {off.max():.2f} rad away from the press "
                f"synergy; up to {SYNERGY_RAD} can be expressed. Leave the episode out: fingers one by one are not learnt."
            )
        return press

    def _t_s(self) -> Array:
        return TICK_S * np.arange(int((self.episode.rows - 1) / self.episode.fps / TICK_S + 1e-6) + 1, dtype=np.float64)

    def _pictures(self) -> tuple[NDArray[np.intp], Array]:
        """Return the rows with a new picture, and when each of these was captured; without `age.<camera>`: at its row."""
        time_s = np.arange(self.episode.rows) / self.episode.fps
        camera = self._require()
        age = f"age.{camera.removeprefix('observation.images.')}"
        ages = [name for name in self.episode.values if name.startswith((age, key(age)))]
        taken_s = time_s - (self.episode.values[ages[0]] if ages else 0.0)
        new = (np.diff(taken_s, prepend=-np.inf) > TICK_S / 2) & (taken_s >= 0.0)
        return np.flatnonzero(new), taken_s[new]
