"""What a human does with the hand: fingers that open and close by buttons, and a hand that follows a led or a tracked one."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tactus_core.errors import ConfigError, DataError
from tactus_core.fingertips import Fingertips
from tactus_core.geometry import rotation_matrix
from tactus_core.kinematics import Kinematics
from tactus_core.teleop.config import HandControlConfig
from tactus_core.types import Array, RobotDescription, RobotState

_LONGEST_DT_S = 0.05
_NONE = -1


class _Steps:
    """Time from step to step, while control lasts [s]; each taking of control begins anew."""

    def __init__(self) -> None:
        self._last_s: float | None = None

    def dt_s(self, now_s: float, engaged: bool) -> float | None:
        """Return the time since the last step; 0: this is the first one; None: there is no control."""
        last_s, self._last_s = self._last_s, now_s if engaged else None
        if not engaged:
            return None
        return 0.0 if last_s is None else min(max(now_s - last_s, 0.0), _LONGEST_DT_S)


class Grip:
    """Closes and opens the hand along its grasp synergy, from rest to grip, while buttons are held; single fingers where theirs are, too.

    Until a button is pressed the hand is left as it is: what it holds when control is taken does not fall.
    """

    def __init__(self, config: HandControlConfig, robot: RobotDescription) -> None:
        self._config, self._rest, self._way = config, robot.hand_rest_rad, robot.hand_grip_rad - robot.hand_rest_rad
        names = list(robot.hand_joints)
        fingers = [[names.index(joint) for joint in finger] for finger in robot.fingers] or [list(range(len(names)))]
        self._fingers = [np.array(finger, dtype=np.intp) for finger in fingers]
        if any(button != _NONE for button in config.finger_buttons) and len(config.finger_buttons) != len(self._fingers):
            raise ConfigError(f"finger_buttons must name {len(self._fingers)} buttons, one for each finger, got {config.finger_buttons}.")
        self._steps, self._press = _Steps(), np.full(len(self._fingers), np.nan)

    def step(self, buttons: Sequence[int], state: RobotState, now_s: float, engaged: bool) -> Array | None:
        """Return the hand's joint targets (joints,) [rad]; None: leave it as it is. buttons: 1 where one is down."""
        dt_s = self._steps.dt_s(now_s, engaged)
        c = self._config
        rate = c.press_speed_1_s * (_down(buttons, c.close_button) - _down(buttons, c.open_button))
        if dt_s is None or not len(self._way):
            self._press[:] = np.nan
            return None
        if rate and np.isnan(self._press).any():
            self._press = np.array([self._measured(finger, state) for finger in self._fingers])
        chosen = np.array([_down(buttons, button) for button in c.finger_buttons], dtype=bool)
        moved = chosen if len(chosen) == len(self._fingers) and chosen.any() else np.ones(len(self._fingers), dtype=bool)
        self._press = np.clip(self._press + moved * rate * dt_s, 0.0, 1.0)
        return None if np.isnan(self._press).any() else self._posture()

    def _measured(self, finger: "np.ndarray[Any, np.dtype[np.intp]]", state: RobotState) -> float:
        """Return how far a finger is closed, 0..1: the nearest point of its way from rest to grip."""
        way, gone = self._way[finger], (state.hand_position_rad - self._rest)[finger]
        return float(np.clip(gone @ way / max(float(way @ way), 1e-9), 0.0, 1.0))

    def _posture(self) -> Array:
        press = np.full(len(self._way), float(self._press.mean()))
        for finger, value in zip(self._fingers, self._press, strict=True):
            press[finger] = value
        return self._rest + press * self._way


class LedHand:
    """Follows what a leader says after its arm's joints: of one joint, such as a trigger, or of as many as the hand has, each by each."""

    def __init__(self, config: HandControlConfig, robot: RobotDescription, kinematics: Kinematics) -> None:
        self._config, self._robot, self._kinematics = config, robot, kinematics
        self._steps, self._q = _Steps(), robot.hand_rest_rad.copy()

    def step(self, reading: Sequence[float], state: RobotState, now_s: float, engaged: bool) -> Array | None:
        """Return the hand's joint targets (joints,) [rad], from where it is measured no faster than allowed; None: leave it as it is.

        reading: of the leader, its arm's joints first. Raises DataError for another number of joints, or what is not finite.
        """
        led_rad = np.asarray(reading[len(self._robot.arm_joints) :], dtype=np.float64)
        dt_s = self._steps.dt_s(now_s, engaged)
        if dt_s is None or not len(led_rad) or not len(self._robot.hand_joints):
            return None
        if dt_s == 0.0:
            self._q = state.hand_position_rad.copy()
        step_rad = self._config.hand_speed_rad_s * dt_s
        self._q = self._q + np.clip(self._wanted(led_rad) - self._q, -step_rad, step_rad)
        return self._q.copy()

    def _wanted(self, led_rad: Array) -> Array:
        c, joints = self._config, len(self._robot.hand_joints)
        if not np.isfinite(led_rad).all() or len(led_rad) not in (1, joints):
            raise DataError(
                f"the leader says {led_rad} of its hand; expected one finite joint, or {joints}. Is it the leader of this robot?"
            )
        if len(led_rad) == 1:
            return self._robot.hand_posture(float((led_rad[0] - c.leader_open_rad) / (c.leader_closed_rad - c.leader_open_rad)))
        return np.clip(led_rad, self._kinematics.hand_low_rad, self._kinematics.hand_high_rad)


class TrackedHand:
    """Follows the fingertips of a tracked hand: from where both were when control was taken, the robot's move as the human's do.

    Hands of other sizes and joints are followed so; what a finger leaves open stays near the hand at rest.
    """

    def __init__(self, config: HandControlConfig, robot: RobotDescription) -> None:
        self._config, self._tips, self._turn = config, Fingertips(robot), rotation_matrix(np.array(config.turn_palm_device_rad))
        self._steps, self._q = _Steps(), robot.hand_rest_rad.copy()
        self._last_m = self._offset_m = np.zeros((len(robot.fingers), 3))

    def step(self, reading: Sequence[Sequence[float]], state: RobotState, now_s: float, engaged: bool) -> Array | None:
        """Return the hand's joint targets (joints,) [rad], from where it is measured no faster than allowed; None: leave it as it is.

        reading: the human's fingertips (fingers, 3) [m] in the wrist's frame, in the order of the robot's fingers; empty: none yet. Raises
        DataError for another number of them, what is not finite, and for one that jumps.
        """
        dt_s = self._steps.dt_s(now_s, engaged)
        if dt_s is None or not len(reading):
            self._steps.dt_s(now_s, False)  # control of the fingers begins with the first reading
            return None
        tips_m = np.asarray(reading, dtype=np.float64) @ self._turn.T * self._config.tip_scale
        if tips_m.shape != self._last_m.shape or not np.isfinite(tips_m).all():
            raise DataError(f"fingertips are {tips_m.tolist()}; expected {len(self._last_m)} finite points. Is every finger tracked?")
        if dt_s == 0.0:
            self._q = state.hand_position_rad.copy()
            self._offset_m, self._last_m = self._tips.positions(self._q) - tips_m, tips_m
        gone_m = float(np.linalg.norm(tips_m - self._last_m, axis=1).max()) / self._config.tip_scale
        if gone_m > self._config.tip_jump_m:
            raise DataError(f"a fingertip jumped by {gone_m:.3f} m: tracking was lost, or a reading. Take control again.")
        self._last_m = tips_m
        step_rad = self._config.hand_speed_rad_s * dt_s
        self._q = self._q + np.clip(self._tips.towards(self._q, tips_m + self._offset_m) - self._q, -step_rad, step_rad)
        return self._q.copy()


def make_hand(reading: str, config: HandControlConfig, robot: RobotDescription, kinematics: Kinematics) -> Grip | LedHand | TrackedHand:
    """Return what moves the hand by readings of this kind: `leader`, `hand` (fingertips), or buttons beside any other."""
    if reading == "leader":
        return LedHand(config, robot, kinematics)
    return TrackedHand(config, robot) if reading == "hand" else Grip(config, robot)


def _down(buttons: Sequence[int], button: int) -> int:
    return int(0 <= button < len(buttons) and bool(buttons[button]))
