"""Any device with a driver, real or emulated: publishes what it measures, and passes on commands for as long as they are fresh."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, make_dataclass, replace
from pathlib import Path
from typing import Any

from diagnostic_msgs.msg import DiagnosticStatus, KeyValue
from sensor_msgs.msg import JointState
from std_msgs.msg import Bool

from tactus_core.config import from_mapping, param
from tactus_core.errors import ConfigError, DataError
from tactus_nodes import convert, topics
from tactus_nodes.base import NodeConfig, TactusNode
from tactus_nodes.contract import Input
from tactus_nodes.device_loop import DeviceLoop
from tactus_nodes.emulator import Emulator
from tactus_nodes.measures import measure_of
from tactus_nodes.plugins import find_kind
from tactus_nodes.process import run

_LOOK_S = 0.05


@dataclass(frozen=True, kw_only=True)
class DeviceNodeConfig(NodeConfig):
    """Parameters of the node; those of the device's own driver are parameters of the node, too."""

    device: str = param(doc="Kind of device, by its entry point in 'tactus.devices'; ./tactus devices lists them.")
    mode: str = param("real", choices=("real", "emulated"), doc="emulated: the driver talks to an emulator, which this node starts.")
    address: str = param("", doc="Where a real device is: its serial port, host or video source; empty: as the driver's parameters say.")
    emulator_logs: str = param("", doc="Folder in which the emulator notes each goal that it is given, in NODE.txt; empty: nowhere.")
    dry_run: bool = param(False, doc="Open and read the device, and pass no command on to it.")


def _timeout_s(config: Any) -> float:
    return getattr(config, "command_timeout_s", math.inf)


class DeviceNode(TactusNode):
    """The driver runs in a thread of its own (`DeviceLoop`). `ticks`: its readings; `lost`: messages that were no command to it."""

    Config = DeviceNodeConfig
    inputs = (
        Input(topics.ARM_COMMAND, "holds the measured posture", _timeout_s),
        Input(topics.HAND_COMMAND, "holds the measured posture", _timeout_s),
    )

    @classmethod
    def settings(cls, parameters: Mapping[str, Any], source: str) -> Any:
        """See `TactusNode`: the node's parameters and the driver's, in one config."""
        if "device" not in parameters:
            raise ConfigError(f"{source}: 'device' is missing; ./tactus devices lists the kinds.")
        kind = find_kind(parameters["device"])
        values = dict(parameters)
        # An emulator is started, and says where it is, when the node is configured.
        where = "emulated" if values.get("mode") == "emulated" else values.get("address", "")
        if where:
            values[kind.address] = where
        joined = make_dataclass(kind.config.__name__, (), bases=(kind.config, cls.Config), frozen=True, kw_only=True)
        return from_mapping(joined, values, source)

    @classmethod
    def inputs_of(cls, config: Any) -> tuple[Input, ...]:
        """See `TactusNode`."""
        command = measure_of(find_kind(config.device)).command
        return tuple(declaration for declaration in cls.inputs if declaration.topic is command)

    def configure(self) -> None:
        """Start the emulator, where one is wanted, and open the topics."""
        self._kind = find_kind(self.config.device)
        self._measure = measure_of(self._kind)
        self._driver_config = self.config
        if self.config.mode == "emulated":
            log = Path(self.config.emulator_logs) / f"{self.get_name()}.txt" if self.config.emulator_logs else None
            emulator = self._keep(Emulator.close, Emulator(self.config.device, log))
            self._driver_config = replace(self.config, **emulator.address)
            self.get_logger().warning(f"EMULATED: {self._kind.doc}, at {emulator.address}")
        self._outputs = [(self.publisher(topic), make) for topic, make in self._measure.outputs]
        self._parts = [(self.publisher(topic), part, make) for topic, part, make in self._measure.parts]
        if self._measure.command is not None:
            self._holding_out = self.publisher(topics.DEVICE_HOLDING)
            self.subscribe(self._measure.command, self._take)
        self.every(_LOOK_S, self._look)
        self._age = self.samples("reading_age_ms")

    def activate(self) -> None:
        """Open the device."""
        driver = self._kind.make(self._driver_config)
        self._device = DeviceLoop(driver, _timeout_s(self.config), self._publish, self._tell_holding)
        self._device.start()
        self.get_logger().info(f"{self._kind.doc}: open")
        if self.config.dry_run:
            self.get_logger().warning("DRY RUN: the device is read, and no command is passed on to it")

    def deactivate(self) -> None:
        """Leave the device as configured."""
        if not self._device.stop():
            self.get_logger().error("the driver did not come back: the device may not have been left as configured")

    def _publish(self, reading: Any) -> None:
        stamp = self.stamp_of(reading.stamp_s)
        for out, make in self._outputs:
            if (message := make(reading.value, self._kind.joints, stamp)) is not None:
                out.publish(message)
        for out, part, make in self._parts:
            if (found := part(reading.value)) is not None:
                out.publish(make(found.value, self._kind.joints, self.stamp_of(found.stamp_s)))
        self._age.add((self.now_s() - convert.seconds(stamp)) * 1e3)
        self.ticks += 1

    def _tell_holding(self, holds: bool) -> None:
        if self._measure.command is not None:
            self._holding_out.publish(Bool(data=holds))

    def _take(self, message: JointState) -> None:
        if self.config.dry_run:
            return
        try:
            self._device.command(convert.finite(convert.joint_positions(message, self._kind.joints), self._measure.command.name))
        except DataError as error:
            self.lost += 1
            self.get_logger().error(str(error), throttle_duration_sec=1.0)

    def _look(self) -> None:
        if self._device.failure is not None:
            raise self._device.failure  # ends the process; launch starts it anew
        self.trouble = self._device.trouble()

    def statuses(self) -> list[DiagnosticStatus]:
        """Return the node's status, with the driver's health."""
        own = super().statuses()
        if self.active:
            condition = self._device.condition
            told = {"connected": condition.connected, "rate_Hz": f"{condition.rate_Hz:.0f}", "refused": self._device.refused}
            values = {**told, **condition.counts}
            own[0].values += [KeyValue(key=key, value=str(value)) for key, value in values.items()]
        return own


def main() -> None:
    """Run the node."""
    run(DeviceNode, "device")
