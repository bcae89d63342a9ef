"""Moves and reads an Inspire RH56."""

import time

import numpy as np

from tactus_core.errors import DeviceError
from tactus_core.types import Array
from tactus_hardware.inspire import links, protocol
from tactus_hardware.inspire.config import InspireConfig
from tactus_hardware.inspire.links import Link
from tactus_hardware.inspire.protocol import JOINTS
from tactus_hardware.inspire.touch import Scan
from tactus_hardware.linked import LinkedHand
from tactus_hardware.modbus_rtu import WireError
from tactus_hardware.ports import HandState, Reading, Taxels


class InspireHand(LinkedHand[Link]):
    """A `Hand`. Its motors hold without current, and it has no watchdog of its own: where this process dies it ends its last motion.

    With `touch_rows`, each reading of the joints is followed by a part of the taxels; who completes the hand brings all of them.
    """

    FAULTS = ("timeout", "damaged", "refused", "out_of_range", "alert", "touch_left_out")

    def __init__(self, config: InspireConfig) -> None:
        links.check(config)
        place = config.serial_port if config.wire == "rtu" else f"{config.host}:{config.port}"
        super().__init__(f"Inspire hand at {place}", config, protocol.LIMITS_RAD)
        self._config = config
        self._scan: Scan | None = None
        self._deadline_s = 0.0

    def _connect(self, deadline_s: float) -> None:
        config, self._deadline_s = self._config, deadline_s
        self._link = links.connect(config)
        self._set(protocol.SPEED_SET, [config.speed] * len(JOINTS))
        self._set(protocol.FORCE_SET, [protocol.grams(config.force_limit_N)] * len(JOINTS))
        self._write(self._measured())
        if config.touch_rows:
            self._scan = Scan(config.touch_rows)
            self._find_touch(*self._scan.next)

    def _receive(self, deadline_s: float) -> Reading[HandState] | None:
        asked_s = time.monotonic()
        self._deadline_s = max(deadline_s, asked_s + self._config.answer_limit_s)
        angles = self._get(protocol.ANGLE_ACT, len(JOINTS))
        self._fault = protocol.faults(self._get(protocol.ERROR, protocol.ERROR_REGISTERS))
        forces = self._get(protocol.FORCE_ACT, len(JOINTS))
        self.health.count("alert", bool(self._fault))
        if not all(0 <= angle <= protocol.OPEN for angle in angles):
            self.health.count("out_of_range")
            return None
        unknown = np.full(len(JOINTS), np.nan)
        return Reading(asked_s, HandState(protocol.position_rad(angles), unknown, unknown, protocol.force_N(forces), self._felt()))

    def _find_touch(self, address: int, count: int) -> None:
        """Find out now, and not in the middle of a grasp, whether this hand feels."""
        try:
            self._get(address, count)
        except WireError as error:
            if error.fault != "refused":
                raise
            raise DeviceError(f"touch was asked for: {error} Only an RH56DFTP has it; for others, set touch_rows to 0.") from None

    def _felt(self) -> Reading[Taxels] | None:
        """Read a part of the taxels, if the joints left time for it; return all of them if it was the last part."""
        asked_s = time.monotonic()
        if self._scan is None:
            return None
        if asked_s > self._deadline_s:
            self.health.count("touch_left_out")
            return None
        return self._scan.take(asked_s, self._get(*self._scan.next))

    def _write(self, position_rad: Array) -> None:
        self._deadline_s = time.monotonic() + self._config.answer_limit_s
        self._set(protocol.ANGLE_SET, protocol.numbers(position_rad))

    def _measured(self) -> Array:
        return protocol.position_rad(self._get(protocol.ANGLE_ACT, len(JOINTS)))

    def _get(self, address: int, count: int) -> list[int]:
        registers = self._exchange(self._timely().read, address, count)
        return [register - 0x10000 if register & 0x8000 else register for register in registers]

    def _set(self, address: int, values: list[int]) -> None:
        self._exchange(self._timely().write, address, values)

    def _timely(self) -> Link:
        """Return the link, while there is time for another question."""
        if time.monotonic() > self._deadline_s:
            self.health.count("timeout")
            raise DeviceError("its answers together take too long; is its line or network loaded?")
        return self._linked()

    def _leave(self) -> None:
        self._deadline_s = time.monotonic() + self._config.answer_limit_s
        self._write(self._measured())
