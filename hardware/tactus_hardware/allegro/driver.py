"""Moves and reads an Allegro Hand V5 Sense."""

import time

import numpy as np

from tactus_core.errors import DeviceError
from tactus_core.types import Array
from tactus_hardware.allegro import protocol
from tactus_hardware.allegro.config import AllegroConfig
from tactus_hardware.allegro.control import PositionControl
from tactus_hardware.allegro.protocol import Packet, Telemetry
from tactus_hardware.joints import JointDriver
from tactus_hardware.order import Order
from tactus_hardware.ports import HandState, Reading, Taxels
from tactus_hardware.udp_wire import UdpWire

# A joint that says to be so far beyond its stops says something wrong.
_BEYOND_RAD = 0.35


class AllegroHand(JointDriver[HandState]):
    """A `Hand` with touch. It takes currents: each reading is answered by those that lead to its goal.

    While nobody reads, the last currents stay; the hand itself ends them after a second. At the end it goes limp.
    """

    FAULTS = ("malformed", "duplicate", "stuck", "lost", "skipped", "out_of_range", "alert")

    def __init__(self, config: AllegroConfig) -> None:
        super().__init__(f"Allegro hand at {config.host}:{config.port}", config, protocol.LIMITS_RAD)
        self._config = config
        self._wire: UdpWire | None = None
        self._control: PositionControl | None = None

    def _connect(self, deadline_s: float) -> None:
        self._wire = UdpWire(self._config.host, self._config.port, self._config.local_port)
        self._sent, self._order, self._number, self._fault = 0, Order(), 0, ""
        self._failed = np.zeros(16, dtype=bool)
        self._control = None
        self._ask(protocol.HELLO, b"", protocol.HELLO_ANSWER, deadline_s)
        # Its stream follows commands, as for no current: limp for the moment until it has said where it is.
        body = self._ask(protocol.TORQUE, protocol.pack_currents(np.zeros(16)), protocol.TELEMETRY, deadline_s)
        first = protocol.parse_telemetry(body)
        if first is None or not _believed(first.position_rad):
            raise DeviceError("its first telemetry is none, or is beyond its joints' stops. Is it a V5 Sense, and is it calibrated?")
        self._number, self._control = first.number, PositionControl(self._config, first.position_rad)

    def _receive(self, deadline_s: float) -> Reading[HandState] | None:
        found = None if self._wire is None else self._wire.newest(deadline_s, self._judged)
        if found is None:
            return None
        telemetry, stamp_s, skipped = found
        self.health.count("skipped", skipped)
        self._move(telemetry)
        unknown = np.full(16, np.nan)
        taxels = Reading(stamp_s, Taxels.of_one_axis(telemetry.touch, "unknown", protocol.TAXELS))
        return Reading(stamp_s, HandState(telemetry.position_rad, unknown, telemetry.current_A, unknown, taxels))

    def _judged(self, datagram: bytes) -> Telemetry | None:
        """Return the telemetry in a datagram that is new and means something; count the others."""
        packet = protocol.parse(datagram)
        telemetry = protocol.parse_telemetry(packet.body) if packet is not None and packet.kind == protocol.TELEMETRY else None
        if packet is not None and packet.kind == protocol.MOTOR_ERROR:
            self._alert(packet.body)
        elif packet is None or telemetry is None:
            self.health.count("malformed", packet is None or packet.kind == protocol.TELEMETRY)
        else:
            fault = self._order.fault(packet.sequence, telemetry.number)
            self.health.counts["lost"] += self._order.lost
            self._order.lost = 0
            if not fault and not _believed(telemetry.position_rad):
                fault = "out_of_range"
            if not fault:
                return telemetry
            self.health.count(fault)
        return None

    def _alert(self, body: bytes) -> None:
        error = protocol.parse_motor_error(body)
        if error is None:
            self.health.count("malformed")
            return
        self.health.count("alert")
        joint, status = error
        self._failed[joint] = True
        self._fault = f"motor error 0x{status:02x} at joint {joint + 1}, as it counts them: let it cool down, switch it off and on"

    def _move(self, telemetry: Telemetry) -> None:
        """Answer a measurement with currents; none for a motor that failed."""
        if self._control is not None:
            dt_s = (telemetry.number - self._number) % 2**32 * protocol.PERIOD_S
            current_A = self._control.current_A(telemetry.position_rad, dt_s)
            self._number = telemetry.number
            self._tell(protocol.TORQUE, protocol.pack_currents(np.where(self._failed, 0.0, current_A)))

    def _write(self, position_rad: Array) -> None:
        if self._control is not None:
            self._control.goal_rad = position_rad

    def _tell(self, kind: int, body: bytes) -> None:
        if self._wire is not None:
            time_ms = int(time.monotonic() * 1000) % 2**32
            self._wire.send(protocol.pack(Packet(kind, self._sent % 2**32, time_ms, body)))
            self._sent += 1

    def _ask(self, kind: int, body: bytes, answer: int, deadline_s: float) -> bytes:
        """Return the body of the first answer of that kind."""
        self._tell(kind, body)
        while self._wire is not None:
            for datagram, _ in self._wire.arrived(deadline_s):
                packet = protocol.parse(datagram)
                if packet is not None and packet.kind == answer:
                    return packet.body
            if time.monotonic() > deadline_s:
                break
        raise DeviceError(
            f"it did not answer 0x{kind:02x} with 0x{answer:02x}. Check its power, its address, that no firewall is between, and that its "
            "firmware speaks the UDP-only protocol (2026)."
        )

    def _leave(self) -> None:
        self._tell(protocol.TORQUE, protocol.pack_currents(np.zeros(16)))

    def _disconnect(self) -> None:
        if self._wire is not None:
            self._wire.close()
            self._wire = None


def _believed(position_rad: Array) -> bool:
    low, high = protocol.LIMITS_RAD.T
    return bool((position_rad >= low - _BEYOND_RAD).all() and (position_rad <= high + _BEYOND_RAD).all())
