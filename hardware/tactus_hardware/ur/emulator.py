"""Fakes a Universal Robots controller: RTDE, the port that takes scripts, and the dashboard, on a loopback address of its own."""

import random
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from tactus_core.errors import ConfigError, DeviceError
from tactus_hardware.emulation.emulator import Emulator
from tactus_hardware.emulation.faults import Faults
from tactus_hardware.emulation.servers import TcpHub
from tactus_hardware.emulation.signals import Feeling
from tactus_hardware.ur import protocol
from tactus_hardware.ur.emulated import Robot
from tactus_hardware.ur.emulated_rtde import PERIOD_S, Rtde

_MOST_LATE = 50
_SCRIPT_BEGINS, _SCRIPT_ENDS = b"def rtde_control():", b"\nend\n"
_DASHBOARD = {
    b"PolyscopeVersion": b"URSoftware 5.17.3.108318 (Jan 01 2026)",
    b"get serial number": b"20265100000",
    b"is in remote control": b"true",
    b"robotmode": b"Robotmode: RUNNING",
    b"get robot model": b"UR5",
    b"stop": b"Stopped",
}


class UrEmulator(Emulator):
    """500 packets per second. `set wrench ...` (6) [N, Nm] on the tool, in the tcp frame; `set pose ...`, `set offset ...` (6)."""

    SUMMED = False

    def __init__(self, faults: Faults) -> None:
        self._robot, self._rtde = Robot(), Rtde(faults)
        self._rtde_hub, self._script, self._dashboard = hubs = _own_address(
            (protocol.RTDE_PORT, self._take_rtde, self._rtde.begin),
            (protocol.SCRIPT_PORT, self._take_script, self._begin_script),
            (protocol.DASHBOARD_PORT, self._take_dashboard, self._greet),
        )
        super().__init__(faults, *hubs)
        self._next_s = 0.0
        self._power_up()

    def come_back(self) -> None:
        """See `Emulator`."""
        super().come_back()
        self._power_up()

    def play(self, recording: Path) -> None:
        """See `Emulator`: the wrench on the tool."""
        self._robot.feeling = Feeling(recording)

    def tick(self, now_s: float) -> float:
        """Move the robot, and send what is due."""
        self._rtde.keep(self._rtde_hub.clients)
        self._next_s = max(self._next_s, now_s - _MOST_LATE * PERIOD_S)
        while self._next_s <= now_s:
            self._next_s += PERIOD_S
            self._robot.advance(self._next_s)
            if self.faults.strikes("saturation"):
                self._robot.stop()
            if not self.faults.strikes("stuck"):
                self._outputs = self._robot.outputs(self._next_s)
            for client, packet in self._rtde.due(self._outputs):
                self.send(partial(self._rtde_hub.send, client), packet)
        return self._next_s

    def set(self, name: str, values: list[float]) -> None:
        """See `Emulator`."""
        attribute = {"pose": "pose_base_tcp", "offset": "tcp_offset"}.get(name)
        if name == "wrench":
            self._robot.feeling.press(values)
        elif attribute is not None and len(values) == 6:
            setattr(self._robot, attribute, np.array(values))
        else:
            raise ConfigError(f"a UR emulator cannot set {name} to {values}; it knows wrench, pose and offset (6 numbers).")

    def goal_rad(self) -> list[float]:
        """See `Emulator`."""
        return self._robot.goal_rad.tolist()

    def state(self) -> Mapping[str, Any]:
        """See `Emulator`."""
        robot = self._robot
        return {
            "goal_rad": self.goal_rad(),
            "position_rad": robot.position_rad.tolist(),
            "servoing": robot.target_rad is not None,
            "program": robot.program,
            "safety_mode": robot.safety_mode,
            "watchdog_s": robot.watchdog_s,
            "most_rad": robot.most_rad,
        }

    def _power_up(self) -> None:
        self._next_s = time.monotonic()
        self._robot.power_up(self._next_s)
        self._rtde.keep(())
        self._scripts: dict[int, bytes] = {}
        self._outputs = self._robot.outputs(self._next_s)

    def _take_rtde(self, client: int, data: bytes) -> None:
        try:
            for answer in self._rtde.take(client, data, self._robot, time.monotonic()):
                self.send(partial(self._rtde_hub.send, client), answer)
        except DeviceError:
            self._rtde_hub.drop(client)

    def _begin_script(self, client: int) -> None:
        self._scripts[client] = b""

    def _take_script(self, client: int, data: bytes) -> None:
        self._scripts[client] += data
        if _SCRIPT_BEGINS in self._scripts[client] and self._scripts[client].endswith(_SCRIPT_ENDS):
            self._scripts[client] = b""
            self._robot.start_program()

    def _greet(self, client: int) -> None:
        self._dashboard.send(client, b"Connected: Universal Robots Dashboard Server\n")

    def _take_dashboard(self, client: int, data: bytes) -> None:
        for line in data.split(b"\n"):
            if line.strip() == b"stop":
                self._robot.end_program()
            if line.strip():
                self._dashboard.send(client, _DASHBOARD.get(line.strip(), b"could not understand: " + line) + b"\n")


def _own_address(*served: tuple[int, Callable[[int, bytes], None], Callable[[int], None]]) -> list[TcpHub]:
    """Return who listens on a loopback address where these ports, which are always the same, are free; served: see `TcpHub`."""
    while True:
        host = f"127.{random.randint(1, 254)}.{random.randint(0, 255)}.{random.randint(1, 254)}"
        hubs: list[TcpHub] = []
        try:
            for port, take, greet in served:
                hubs.append(TcpHub(host, port, take, greet))
        except OSError:
            for hub in hubs:
                hub.close()
        else:
            return hubs


make = UrEmulator
