"""Fakes a sensor that speaks RDT: the stream over UDP, and the calibration over HTTP."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tactus_core.errors import ConfigError
from tactus_hardware.emulation.emulator import Emulator
from tactus_hardware.emulation.faults import Faults
from tactus_hardware.emulation.lines import UdpLine
from tactus_hardware.emulation.servers import TcpLine
from tactus_hardware.emulation.signals import Feeling
from tactus_hardware.rdt import protocol
from tactus_hardware.rdt.protocol import HEX_CALIBRATION, Command, Record

_PERIOD_S = 0.001
_MOST_LATE = 50
_XML = (
    b"<?xml version='1.0' encoding='UTF-8'?><netft><prodname>Tactus emulator</prodname><cfgcpf>10000</cfgcpf><cfgcpt>100000</cfgcpt>"
    b"<scfgfu>N</scfgfu><scfgtu>Nm</scfgtu></netft>"
)


class RdtEmulator(Emulator):
    """1000 records per second. `set status N`: the status of all records; `set wrench Fx Fy Fz Tx Ty Tz` [N, Nm]."""

    SUMMED = False
    ORDERED = False

    def __init__(self, faults: Faults) -> None:
        self._udp, self._http = UdpLine(self._request), TcpLine(self._answer_http)
        super().__init__(faults, self._udp, self._http)
        self._feeling = Feeling()
        self._began_s = time.monotonic()
        self._status = 0
        self._next_s = 0.0
        self._power_up()

    def address(self) -> Mapping[str, Any]:
        """See `Emulator`."""
        return {"host": "127.0.0.1", "rdt_port": self._udp.port, "http_port": self._http.port}

    def hang_up(self) -> None:
        """See `Emulator`."""
        super().hang_up()
        self._streaming = False

    def come_back(self) -> None:
        """See `Emulator`."""
        super().come_back()
        self._power_up()

    def play(self, recording: Path) -> None:
        """See `Emulator`."""
        self._feeling = Feeling(recording)

    def tick(self, now_s: float) -> float:
        """Send the records that are due."""
        if not self._streaming:
            return super().tick(now_s)
        self._next_s = max(self._next_s, now_s - _MOST_LATE * _PERIOD_S)
        while self._next_s <= now_s:
            self._next_s += _PERIOD_S
            self._measure()
            self.send(self._udp.send, self._last)
        return self._next_s

    def set(self, name: str, values: list[float]) -> None:
        """See `Emulator`."""
        if name == "status":
            self._status = int(values[0])
        elif name == "wrench":
            self._feeling.press(values)
        else:
            raise ConfigError(f"an RDT emulator cannot set {name}; it knows status (1 number) and wrench (6).")

    def state(self) -> Mapping[str, Any]:
        """See `Emulator`."""
        return {"streaming": self._streaming, "sequence": self._rdt}

    def _power_up(self) -> None:
        self._rdt = self._ft = 0
        self._streaming = False
        self._last = b""
        self._counts: tuple[int, ...] = (0,) * 6

    def _request(self, data: bytes) -> None:
        command = protocol.parse_request(data)
        if command is not None:
            self._streaming = command in (Command.STREAM, 3)  # 3: the buffered stream, one record at a time
            self._rdt, self._next_s = 0, time.monotonic()

    def _measure(self) -> None:
        if self._last and self.faults.strikes("stale"):
            return
        self._rdt = (self._rdt + 1) % 2**32
        if not self.faults.strikes("stuck"):
            self._ft = (self._ft + 1) % 2**32
            self._counts = HEX_CALIBRATION.counts(self._feeling.at(time.monotonic() - self._began_s))
        status = self._status | (0x80000000 | protocol.SATURATED if self.faults.strikes("saturation") else 0)
        self._last = protocol.pack_record(Record(self._rdt, self._ft, status, self._counts))

    def _answer_http(self, data: bytes) -> None:
        if data.startswith(b"GET " + protocol.CALIBRATION_PATH.encode()):
            head = f"HTTP/1.0 200 OK\r\nContent-Type: text/xml\r\nContent-Length: {len(_XML)}\r\nConnection: close\r\n\r\n"
            self._http.send(head.encode() + _XML)
            self._http.drop()


make = RdtEmulator
