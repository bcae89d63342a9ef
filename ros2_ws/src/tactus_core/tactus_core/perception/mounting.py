"""What every force/torque sensor needs, whoever reads it: believe no more than it can measure, and turn sign and frame once."""

from dataclasses import dataclass

import numpy as np

from tactus_core.config import param
from tactus_core.geometry import rotation_matrix
from tactus_core.types import Array


@dataclass(frozen=True, kw_only=True)
class MountingConfig:
    """Range and mounting of a force/torque sensor; the frame of the readings is called tcp here, whichever it is."""

    range_N: float = param(1000.0, low=1.0, high=1e5, doc="Largest force per axis that the sensor can mean; more is not passed on.")
    range_Nm: float = param(100.0, low=0.1, high=1e4, doc="Largest torque per axis that the sensor can mean.")
    says: str = param("on_tool", choices=("on_tool", "by_tool"), doc="Whether it measures what acts on the tool, or what the tool exerts.")
    position_tcp_sensor_m: tuple[float, float, float] = param((0.0, 0.0, 0.0), doc="The sensor's origin in the tcp frame.")
    rotation_tcp_sensor_rad: tuple[float, float, float] = param((0.0, 0.0, 0.0), doc="Its axes in the tcp frame, as a rotation vector.")


class Mounting:
    """Turns what a sensor measured into the wrench that the environment applies to the tool, in the tcp frame, about its origin."""

    def __init__(self, config: MountingConfig) -> None:
        self._range = np.array([config.range_N] * 3 + [config.range_Nm] * 3)
        R = (1.0 if config.says == "on_tool" else -1.0) * rotation_matrix(np.array(config.rotation_tcp_sensor_rad))
        x, y, z = config.position_tcp_sensor_m
        lever = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
        # force = R f, torque = R τ + p × R f, as one matrix.
        self._matrix = np.block([[R, np.zeros((3, 3))], [lever @ R, R]])

    def believes(self, wrench: Array) -> bool:
        """Return whether all of a measured (6,) is finite and in range."""
        return bool((np.abs(wrench) <= self._range).all())  # NaN fails

    def turned(self, wrench: Array) -> Array:
        """Return the wrench (6,) in the tcp frame."""
        return self._matrix @ wrench
