"""Fakes a 2F-85: its registers on a pty, the URCap's socket beside it, and fingers that follow their goal.

It was activated before, as a gripper is that was in use. Its fingers move four times as fast as real ones, so that nobody waits for them.
"""

import time
from collections.abc import Mapping
from typing import Any

from tactus_core.errors import ConfigError
from tactus_hardware.emulation.emulator import Emulator
from tactus_hardware.emulation.faults import Faults
from tactus_hardware.emulation.lines import PtyLine
from tactus_hardware.emulation.modbus import Registers, serve_rtu
from tactus_hardware.emulation.servers import TcpLine
from tactus_hardware.robotiq import protocol
from tactus_hardware.robotiq.fingers import Fingers
from tactus_hardware.robotiq.protocol import MODELS

_STEP_S = 0.005
_DEVICE_ID = 9
_MODEL = MODELS["2f85"]
_OVERCURRENT = 14


class RobotiqEmulator(Emulator):
    """`set object COUNT`: put something between the fingers that stops them there, 256 takes it away. `set power 0`: off and on again.

    `set jam 1`: let the next activations fail. `set stop 1`: stop it, as another program would.
    """

    SUMMED = True

    def __init__(self, faults: Faults) -> None:
        self._pty, self._tcp = PtyLine(self._take_rtu), TcpLine(self._take_urcap, self._greet)
        super().__init__(faults, self._pty, self._tcp)
        self._fingers = Fingers()
        self._stepped_s = time.monotonic()
        self._clear()

    def address(self) -> Mapping[str, Any]:
        """See `Emulator`. Both wires at once: `wire` decides."""
        return {"port": str(self._pty.path), "host": "127.0.0.1", "tcp_port": self._tcp.port}

    def come_back(self) -> None:
        """See `Emulator`. Its power had stayed."""
        super().come_back()
        self._clear()

    def tick(self, now_s: float) -> float:
        """Move the fingers."""
        self._fingers.advance(now_s - self._stepped_s)
        self._stepped_s = now_s
        return now_s + _STEP_S

    def set(self, name: str, values: list[float]) -> None:
        """See `Emulator`."""
        fingers = self._fingers
        if name == "object":
            fingers.object = values[0]
        elif name == "power":
            self._fingers = Fingers(fingers.position, active=False)
            self._clear()
        elif name == "jam":
            fingers.jammed = bool(values[0])
        elif name == "stop":
            fingers.GTO = 0
        else:
            raise ConfigError(f"a Robotiq emulator cannot set {name}; it knows object (count), power, jam and stop (0 or 1).")

    def goal_rad(self) -> list[float]:
        """See `Emulator`."""
        return [_MODEL.joint(self._fingers.PRE)]

    def state(self) -> Mapping[str, Any]:
        """See `Emulator`: the gripper's own variables, and the rad that its goal and position stand for."""
        fingers = self._fingers
        return {
            **fingers.variables(),
            "goal_rad": self.goal_rad(),
            "position_rad": [_MODEL.joint(fingers.position)],
            "activations": fingers.activations,
        }

    def _clear(self) -> None:
        self._registers = Registers(8192, 2, self._written)
        fingers = self._fingers
        action = fingers.ACT * protocol.ACT | fingers.GTO * protocol.GTO
        self._registers.put(protocol.ACTION, [action << 8, fingers.PRE, fingers.SPE << 8 | fingers.FOR])
        self._rtu, self._urcap = bytearray(), b""

    def _greet(self) -> None:
        self._urcap = b""

    def _overload(self) -> None:
        if self.faults.strikes("saturation"):
            self._fingers.fail(_OVERCURRENT)

    def answers_rtu(self, data: bytes) -> list[bytes]:
        """Take in bytes from the serial line; return what it answers."""
        self._rtu += data
        # Read behind the three of the status, other registers are there.
        variables = self._fingers.variables()
        flags = variables["ACT"] | variables["GTO"] << 3 | variables["STA"] << 4 | variables["OBJ"] << 6
        status = [flags << 8, variables["FLT"] << 8 | variables["PRE"], variables["POS"] << 8 | variables["COU"], 0, 0, 0]
        self._registers.put(protocol.STATUS, status)
        return serve_rtu(self._rtu, _DEVICE_ID, self._registers)

    def answers_urcap(self, data: bytes) -> list[bytes]:
        """Take in bytes from the socket; return what it answers."""
        *lines, self._urcap = (self._urcap + data).split(b"\n")
        return [self._reply(*line.decode("ascii", "replace").split()) for line in lines]

    def _take_rtu(self, data: bytes) -> None:
        self._overload()
        for answer in self.answers_rtu(data):
            self.answer(self._pty.send, answer)

    def _take_urcap(self, data: bytes) -> None:
        self._overload()
        for answer in self.answers_urcap(data):
            self.answer(self._tcp.send, answer, summed=False)

    def _written(self, address: int, values: list[int]) -> None:
        """Obey what the three registers of the action say by now, whichever of them was written."""
        if not protocol.ACTION <= address < protocol.ACTION + 3:
            return
        flags, _, _, goal, speed, force = (
            half & 0xFF for register in self._registers.get(protocol.ACTION, 3) for half in (register >> 8, register)
        )
        self._fingers.obey({"POS": goal, "SPE": speed, "FOR": force, "ACT": flags & protocol.ACT, "GTO": flags >> 3 & 1})

    def _reply(self, verb: str = "", *words: str) -> bytes:
        """Return the answer to a line; `?` to what it does not know."""
        variables = self._fingers.variables()
        if verb == "GET" and len(words) == 1 and words[0] in variables:
            return f"{words[0]} {variables[words[0]]}\n".encode()
        names, numbers = words[::2], words[1::2]
        if verb == "SET" and words and len(names) == len(numbers) and all(n.isdecimal() and int(n) <= 255 for n in numbers):
            self._fingers.obey(dict(zip(names, map(int, numbers), strict=True)))
            return b"ack"
        return b"?\n"


make = RobotiqEmulator
