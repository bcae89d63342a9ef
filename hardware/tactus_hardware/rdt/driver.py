"""Reads a sensor that speaks RDT."""

import select
import socket
import struct
import time

import numpy as np

from tactus_core.errors import DeviceError
from tactus_core.types import Array
from tactus_hardware.driver import Driver
from tactus_hardware.ports import Reading
from tactus_hardware.rdt import protocol
from tactus_hardware.rdt.config import RdtConfig
from tactus_hardware.rdt.protocol import Calibration, Command, Order, Record
from tactus_hardware.wrench import Mounting

# Linux: have the kernel note when a datagram arrived; Python has no name for it.
_SO_TIMESTAMPNS = 35
_TIMESPEC = struct.Struct("@qq")


class RdtSensor(Driver[Array]):
    """A `Sensor` of wrenches. RDT serves one client at a time: a second one takes the stream away, and this one falls silent."""

    FAULTS = ("malformed", "duplicate", "stuck", "lost", "skipped", "saturated", "status", "out_of_range")

    def __init__(self, config: RdtConfig) -> None:
        super().__init__(f"{config.model} at {config.host}:{config.rdt_port}", config)
        self._config, self._mounting = config, Mounting(config)
        self._socket: socket.socket | None = None
        self._monitor_latched = False

    def _connect(self, deadline_s: float) -> None:
        self._calibration = self._calibrate(deadline_s)
        self._order = Order(judge_measurement=self._config.model == "netft")
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        self._socket.connect((self._config.host, self._config.rdt_port))  # from here on nobody else is heard
        self._socket.send(protocol.pack_request(Command.STREAM))
        if not self._wait(self._socket, deadline_s):
            raise DeviceError(
                "it was asked for its stream, and no record came. Is another program reading it (RDT serves one client), or a firewall "
                f"between? Look at http://{self._config.host}/rdt.htm whether RDT is enabled."
            )
        self._socket.recv(2048)  # raises where the port is closed

    def _receive(self, deadline_s: float) -> Reading[Array] | None:
        while self._socket is not None and self._wait(self._socket, deadline_s):
            newest = self._newest(self._socket, deadline_s)
            if newest is not None:
                return newest
        return None

    def _newest(self, wire: socket.socket, deadline_s: float) -> Reading[Array] | None:
        newest = None
        while True:
            try:
                datagram, extra, _, _ = wire.recvmsg(2048, socket.CMSG_SPACE(_TIMESPEC.size))
            except BlockingIOError:
                return newest
            age_s = _age_s(extra)
            wrench = self._judged(protocol.parse_record(datagram))
            if wrench is not None:
                self.health.count("skipped", newest is not None)
                newest = Reading(time.monotonic() - age_s, wrench)
            if time.monotonic() > deadline_s:
                return newest  # a flood must not keep us here

    def _judged(self, record: Record | None) -> Array | None:
        if record is None:
            self.health.count("malformed")
            return None
        fault = self._order.fault(record)
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
        if self._socket is not None:
            self._socket.send(protocol.pack_request(Command.STOP))

    def _disconnect(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

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

    @classmethod
    def _wait(cls, wire: socket.socket, deadline_s: float) -> bool:
        return bool(select.select([wire], [], [], max(0.0, deadline_s - time.monotonic()))[0])


def _age_s(extra: list[tuple[int, int, bytes]]) -> float:
    """Return how long a datagram waited in the kernel's buffer, by the wall clock: should that be stepped meanwhile, it is off once."""
    for level, kind, data in extra:
        if level == socket.SOL_SOCKET and kind == _SO_TIMESTAMPNS:
            seconds, nanoseconds = _TIMESPEC.unpack(data[: _TIMESPEC.size])
            return float(max(0.0, time.time() - seconds - nanoseconds * 1e-9))
    return 0.0
