"""A recording as a device: plays its streams in real time, with stamps as if it were captured now. It obeys no command."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue

from tactus_core.config import param
from tactus_core.errors import TactusError
from tactus_nodes import convert, topics
from tactus_nodes.base import NodeConfig, TactusNode
from tactus_nodes.plugins import find
from tactus_nodes.process import run
from tactus_nodes.streams import STREAMS

_TICK_S = 0.001
# A late player catches up in portions: its heartbeat must be heard in between.
_SAMPLES_PER_TICK = 64


@dataclass(frozen=True, kw_only=True)
class ReplayConfig(NodeConfig):
    """Parameters of the player; `take` and `rate_Hz` go to what reads the recording."""

    source: str = param(doc="The recording: a file, or the folder of a bag.")
    take: int = param(0, low=0, high=1000, doc="Which recording of a file that holds several, from 1; 0: the reader's choice.")
    rate_Hz: float = param(0.0, low=0.0, high=1e5, doc="Sample rate of a file that states none; 0: the reader's choice.")
    speed: float = param(1.0, low=0.01, high=20.0, doc="How much faster than it was recorded; stamps are stretched alike.")
    lead_s: float = param(1.5, low=0.0, high=60.0, doc="Time from activation to the first sample, for listeners to find the topics.")


class ReplayDevice(TactusNode):
    """`replay/state`, latched, tells whether it plays or has ended, with the stamp of the recording's time 0. `ticks`: samples played."""

    Config = ReplayConfig

    def configure(self) -> None:
        """Open the recording, and a topic for each stream that it has: what was not recorded is missing, not zero."""
        config = self.config
        self._recording = find("tactus.devices", "recording")(config.source, take=config.take, rate_Hz=config.rate_Hz)
        self._out = {stream: self.publisher(STREAMS[stream][0].deeper(_SAMPLES_PER_TICK)) for stream in self._recording.info.counts}
        self._state_out = self.publisher(topics.REPLAY)
        self._lateness = self.samples("playout_lateness_ms")
        self.every(_TICK_S, self._tick)

    def activate(self) -> None:
        """Begin after the lead."""
        self._samples: Iterator[Any] = self._recording.samples()
        self._next = next(self._samples, None)
        self._begin_s = time.monotonic() + self.config.lead_s
        self._epoch_s = self.now_s() + self.config.lead_s
        self._tell_state("playing")

    def _tick(self) -> None:
        for _ in range(_SAMPLES_PER_TICK):
            if self._next is None:
                return
            late_s = time.monotonic() - self._begin_s - self._next.time_s / self.config.speed
            if late_s < 0.0:
                return
            self._lateness.add(late_s * 1e3)
            self._play(self._next)

    def _play(self, sample: Any) -> None:
        stamp = convert.to_stamp(self._epoch_s + sample.stamp_s / self.config.speed)
        self._out[sample.stream].publish(STREAMS[sample.stream][1](sample.value, stamp))
        self.ticks += 1
        try:
            self._next = next(self._samples, None)
        except TactusError as error:
            self._next = None
            self.trouble = str(error)
            self._tell_state("damaged")
            return
        if self._next is None:
            self._tell_state("ended")

    def _tell_state(self, state: str) -> None:
        values = [KeyValue(key=key, value=json.dumps(value)) for key, value in (("played", self.ticks), ("speed", self.config.speed))]
        level = DiagnosticStatus.ERROR if self.trouble else DiagnosticStatus.OK
        message = DiagnosticArray(status=[DiagnosticStatus(level=level, name=self.config.source, message=state, values=values)])
        message.header.stamp = convert.to_stamp(self._epoch_s)
        self._state_out.publish(message)


def main() -> None:
    """Run the node."""
    run(ReplayDevice, "replay_device")
