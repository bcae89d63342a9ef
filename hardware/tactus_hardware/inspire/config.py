"""Parameters of an Inspire RH56."""

from dataclasses import dataclass

from tactus_core.config import param
from tactus_hardware.joints import JointConfig


@dataclass(frozen=True, kw_only=True)
class InspireConfig(JointConfig):
    """Where the hand is, and how hard and fast it moves."""

    host: str = param("192.168.11.210", doc="Address of the hand.")
    port: int = param(6000, low=1, high=65535, doc="TCP port of its Modbus server.")
    device_id: int = param(1, low=0, high=247, doc="Its Modbus device number.")
    force_limit_N: float = param(5.0, low=0.0, high=9.8, doc="Force at which a finger that closes stops by itself.")
    speed: int = param(1000, low=1, high=1000, doc="Speed of all fingers, in thousandths of the fastest.")
    answer_limit_s: float = param(0.03, low=0.005, high=0.03, doc="Time in which one request must have been answered.")
