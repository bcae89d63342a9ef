"""Reads a sensor that speaks RDT."""

import socket
import time

import numpy as np

from tactus_core.errors import DeviceError
from tactus_core.perception.mounting import Mounting
from tactus_core.types import Array
from tactus_hardware.driver import Driver
from tactus_hardware.order import Order
from tactus_hardware.ports import Reading
from tactus_hardware.rdt import protocol
from tactus_hardware.rdt.config import RdtConfig
from tactus_hardware.rdt.protocol import Calibration, Command
from tactus_hardware.udp_wire import UdpWire


class RdtSensor(Driver[Array]):
    """A `Sensor` of wrenches. RDT serves one client at a time: a second one takes the stream away, and this one falls silent."""

    FAULTS = ("malformed", "duplicate", "stuck", "lost", "skipped", "saturated", "status", "out_of_range")

    def __init__(self, config: RdtConfig) -> None:
        super().__init__(f"{config.model} at {config.host}:{config.rdt_port}", config)
        self._config, self._mounting = config, Mounting(config)
        self._wire: UdpWire | None = None
        self._monitor_latched = False

    def _connect(self, deadline_s: float) -> None:
        self._calibration = self._calibrate(deadline_s)
        self._order = Order(judge_measurement=self._config.model == "netft")
        self._wire = UdpWire(self._config.host, self._config.rdt_port)
        self._wire.send(protocol.pack_request(Command.STREAM))
        if next(self._wire.arrived(deadline_s), None) is None:
            raise DeviceError(
                "it was asked for its stream, and no record came. Is another program reading it (RDT serves one client), or a firewall "
                f"between? Look at http://{self._config.host}/rdt.htm whether RDT is enabled."
            )

    def _receive(self, deadline_s: float) -> Reading[Array] | None:
        found = None if self._wire is None else self._wire.newest(deadline_s, self._judged)
        if found is None:
            return None
        wrench, stamp_s, skipped = found
        self.health.count("skipped", skipped)
        return Reading(stamp_s, wrench)

    def _judged(self, datagram: bytes) -> Array | None:
        record = protocol.parse_record(datagram)
        if record is None:
            self.health.count("malformed")
            return None
        fault = self._order.fault(record.rdt_sequence, record.ft_sequence)
        self.health.counts["lost"] += self._order.lost
        self._order.lost = 0
        if not fault and record.status not in (0, protocol.MONITOR_LATCHED):
            fault = "saturated" if record.status & protocol.SATURATED else "status"
            self.health.trouble = f"{self._name}: status 0x{record.status:08x}; its readings are not passed on while it says so"
        self._monitor_latched = record.status == protocol.MONITOR_LATCHED
        wrench = self._calibration.wrench(record.counts)
        if not fault and not self._mounting.believes(wrench):
            fault = "out_of_range"
        if fault not in ("duplicate", "late", "stuck"):
            self._heard()
        if fault:
            self.health.count(fault)
            return None
        return self._mounting.turned(wrench)

    def _warning(self) -> str:
        return "a threshold of the sensor's own monitor was crossed, and is latched" if self._monitor_latched else ""

    def _leave(self) -> None:
        if self._wire is not None:
            self._wire.send(protocol.pack_request(Command.STOP))

    def _disconnect(self) -> None:
        if self._wire is not None:
            self._wire.close()
            self._wire = None

    def _calibrate(self, deadline_s: float) -> Calibration:
        """Ask for the calibration each time: a sensor that comes back may have been set to another one."""
        if self._config.model == "hex":
            return protocol.HEX_CALIBRATION
        request = f"GET {protocol.CALIBRATION_PATH} HTTP/1.0\r\nHost: {self._config.host}\r\n\r\n".encode()
        answer = b""
        with socket.create_connection((self._config.host, self._config.http_port), self._left_s(deadline_s)) as http:
            http.sendall(request)
            while len(answer) <= protocol.LONGEST_XML_BYTES:
                http.settimeout(self._left_s(deadline_s))
                more = http.recv(4096)
                if not more:
                    break
                answer += more
        head, _, body = answer.partition(b"\r\n\r\n")
        if b" 200 " not in head[:16]:
            raise DeviceError(f"asked for {protocol.CALIBRATION_PATH}, and got {head[:60]!r}. Is this an ATI sensor, model: netft?")
        return protocol.parse_calibration(body)

    @staticmethod
    def _left_s(deadline_s: float) -> float:
        return float(np.maximum(deadline_s - time.monotonic(), 1e-3))
