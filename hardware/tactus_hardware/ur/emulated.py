"""The robot behind the emulator: joints that follow what ur-rtde's control script would have them follow, and what watches over them.

The script itself is not run. What it does with the registers is done here: command 11 (servoJ) takes joints from the first six doubles;
16 stops; 35 sets the watchdog; 255 ends the script. Output register 0 answers: 1, ready for a command; 2, done with the last one.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tactus_core.geometry import rotation_matrix
from tactus_core.types import Array
from tactus_hardware.emulation.signals import Feeling
from tactus_hardware.ur import protocol

READY_rad = np.pi / 2 * np.array([0.0, -1.0, 1.0, -1.0, -1.0, 0.0])  # upper arm up, forearm forward, tool down
_SPEED_rad_s = 3.1
_NOISE_rad = 1e-5  # of its encoders: a live arm never says the same twice
_REALTIME = (11, 24)  # commands that are answered by 'ready' at once; the others by 'done', and 'ready' when the client has cleared them
_SERVO, _SERVO_STOP, _WATCHDOG, _STOP_SCRIPT = 11, 16, 35, 255
_READY, _DONE = 1, 2
_NORMAL_BIT, _PROTECTIVE_STOP_BIT = 1, 4
# Types of the fields that clients ask for; what is not measured here is told as zero. Registers are named by their number at the end.
_TYPES = {
    "DOUBLE": """timestamp speed_scaling target_speed_fraction actual_execution_time actual_momentum actual_main_voltage
        actual_robot_voltage actual_robot_current standard_analog_input0 standard_analog_input1 standard_analog_output0
        standard_analog_output1 standard_analog_output_0 standard_analog_output_1 payload speed_slider_fraction""",
    "VECTOR6D": """actual_q actual_qd actual_current actual_TCP_pose actual_TCP_force actual_TCP_speed tcp_offset target_q target_qd
        target_qdd target_current target_moment target_TCP_pose target_TCP_speed joint_control_output joint_temperatures
        actual_joint_voltage ft_raw_wrench actual_current_as_torque payload_inertia external_force_torque""",
    "VECTOR3D": "actual_tool_accelerometer payload_cog",
    "VECTOR6INT32": "joint_mode",
    "INT32": "robot_mode safety_mode safety_status",
    "UINT32": """runtime_state robot_status_bits safety_status_bits speed_slider_mask input_bit_registers0_to_31
        input_bit_registers32_to_63""",
    "UINT64": "actual_digital_input_bits actual_digital_output_bits",
    "UINT8": """standard_digital_output_mask configurable_digital_output_mask standard_digital_output configurable_digital_output
        tool_digital_output_mask tool_digital_output standard_analog_output_mask standard_analog_output_type""",
}
_TYPE_OF = {name: kind for kind, names in _TYPES.items() for name in names.split()}
_REGISTER = re.compile(r"(in|out)put_(int|double|bit)_register_\d\d?")
_REGISTER_TYPES = {"int": "INT32", "double": "DOUBLE", "bit": "BOOL"}
_ZEROS = {"VECTOR6D": np.zeros(6), "VECTOR3D": np.zeros(3), "VECTOR6INT32": np.zeros(6, dtype=int), "BOOL": False, "DOUBLE": 0.0}


def field_type(name: str) -> str:
    """Return the type that RTDE has for a field; NOT_FOUND where this robot does not know it."""
    register = _REGISTER.fullmatch(name)
    return _REGISTER_TYPES[register[2]] if register else _TYPE_OF.get(name, "NOT_FOUND")


def listed(outputs: Mapping[str, Any], names: Sequence[str]) -> list[Any]:
    """Return these fields' values, zero for what is not measured."""
    return [outputs[name] if name in outputs else _ZEROS.get(field_type(name), 0) for name in names]


class Robot:
    """An e-Series arm whose tcp stands still where its pose is set to: there is no kinematics here.

    `most_rad`: how far a servo target was from the joints at most, since the start.
    """

    def __init__(self, seed: int = 0) -> None:
        self.feeling = Feeling(seed=seed)  # what the environment applies to the tool, in the tcp frame
        self._random = np.random.default_rng(seed)
        self.position_rad = READY_rad
        self.pose_base_tcp, self.tcp_offset = np.zeros(6), np.zeros(6)
        self.most_rad = 0.0
        self.power_up(0.0)

    def power_up(self, now_s: float) -> None:
        """Be as after power-up, and running."""
        self.safety_mode, self.program = protocol.NORMAL, False
        self.registers: dict[str, float] = {}
        self.answer = self.watchdog_s = 0.0
        self.target_rad: Array | None = None
        self._velocity_rad_s, self._began_s, self._stepped_s, self._heard_s = np.zeros(6), now_s, now_s, now_s

    @property
    def goal_rad(self) -> Array:
        """Where the joints are sent, or held."""
        return self.position_rad if self.target_rad is None else self.target_rad

    def stop(self) -> None:
        """Stop by a protective stop: the program ends, the joints stand, until power comes anew."""
        self.safety_mode = protocol.PROTECTIVE_STOP
        self.end_program()

    def start_program(self) -> None:
        """Run the control script, unless the robot is stopped."""
        if self.safety_mode == protocol.NORMAL:
            self.program, self.answer, self.watchdog_s, self.target_rad = True, _READY, 0.0, None
            self.registers.clear()

    def end_program(self) -> None:
        """End the script; the joints stop."""
        self.program, self.answer, self.target_rad = False, 0, None

    def take(self, registers: Mapping[str, Any], now_s: float) -> None:
        """Take in registers that a client has written, and do what the script would."""
        self.registers.update(registers)
        command = self.registers.get("input_int_register_0", 0)
        if "input_int_register_0" in registers:
            self._heard_s = now_s
        if not self.program:
            return
        doubles = [self.registers.get(f"input_double_register_{i}", 0.0) for i in range(6)]
        if command == 0:
            self.answer = _READY
        elif self.answer == _READY:
            self._obey(int(command), np.array(doubles), now_s)

    def advance(self, now_s: float) -> None:
        """Move, for the time since the last call."""
        if self.program and 0.0 < self.watchdog_s < now_s - self._heard_s:
            self.end_program()
        dt_s = now_s - self._stepped_s
        self._stepped_s = now_s
        way = self.goal_rad - self.position_rad
        step = np.clip(way, -_SPEED_rad_s * dt_s, _SPEED_rad_s * dt_s)
        self.position_rad = self.position_rad + step
        self._velocity_rad_s = step / dt_s if dt_s > 0 else np.zeros(6)

    def outputs(self, now_s: float) -> dict[str, Any]:
        """Return what is measured, by the names of RTDE's fields."""
        return {
            "timestamp": now_s - self._began_s,
            "actual_q": self.position_rad + self._random.normal(0.0, _NOISE_rad, 6), "actual_qd": self._velocity_rad_s,
            "target_q": self.goal_rad, "actual_current": 0.1 * self._velocity_rad_s,
            "actual_TCP_pose": self.pose_base_tcp, "actual_TCP_force": self._force(now_s), "tcp_offset": self.tcp_offset,
            "robot_mode": protocol.RUNNING, "safety_mode": self.safety_mode,
            "safety_status_bits": _NORMAL_BIT if self.safety_mode == protocol.NORMAL else _PROTECTIVE_STOP_BIT,
            "runtime_state": protocol.PLAYING if self.program else protocol.STOPPED, "robot_status_bits": 1 | self.program << 1,
            "output_int_register_0": int(self.answer), "speed_scaling": 1.0, "target_speed_fraction": 1.0,
        }  # fmt: skip

    def _obey(self, command: int, doubles: Array, now_s: float) -> None:
        if command == _SERVO:
            self.target_rad = doubles
            self.most_rad = max(self.most_rad, float(np.abs(doubles - self.position_rad).max()))
        elif command == _SERVO_STOP:
            self.target_rad = None
        elif command == _WATCHDOG and doubles[0] > 0:
            self.watchdog_s = 1.0 / float(doubles[0])
        elif command == _STOP_SCRIPT:
            self.end_program()
            return
        self.answer = _READY if command in _REALTIME else _DONE

    def _force(self, now_s: float) -> Array:
        """Return the wrench as an e-Series tells it: about the flange, along the base's axes."""
        force_N, torque_Nm = np.split(self.feeling.at(now_s - self._began_s), 2)
        R_base_tcp = rotation_matrix(self.pose_base_tcp[3:])
        lever_m = rotation_matrix(self.tcp_offset[3:]).T @ self.tcp_offset[:3]  # from the flange to the tcp, in the tcp frame
        return np.concatenate([R_base_tcp @ force_N, R_base_tcp @ (torque_Nm + np.cross(lever_m, force_N))])
