"""Parameters of a Robotiq gripper."""

from dataclasses import dataclass

from tactus_core.config import param
from tactus_hardware.joints import JointConfig
from tactus_hardware.robotiq.protocol import MODELS


@dataclass(frozen=True, kw_only=True)
class RobotiqConfig(JointConfig):
    """Which gripper it is, where it is, and how hard and fast it moves."""

    model: str = param("2f85", choices=tuple(MODELS), doc="Which gripper it is: it decides what the joint means, and the ranges below.")
    wire: str = param("rtu", choices=("rtu", "urcap"), doc="Modbus RTU on a serial line, or the socket of Robotiq's URCap.")
    port: str = param("", doc="Serial port (rtu), as /dev/serial/by-id/usb-FTDI_...")
    baud: int = param(115_200, low=9600, high=115_200, doc="Baud rate that the gripper is set to (rtu).")
    device_id: int = param(9, low=0, high=247, doc="Its Modbus device number (rtu).")
    host: str = param("", doc="Address of the UR controller (urcap).")
    tcp_port: int = param(63_352, low=1, high=65_535, doc="TCP port of the URCap's socket.")
    force_N: float = param(20.0, low=10.0, high=235.0, doc="Force at which a finger stops; each model has a narrower range.")
    speed_m_s: float = param(0.05, low=0.02, high=0.25, doc="Speed at which the fingers near each other; each model has a narrower range.")
    activate: bool = param(False, doc="Whether opening may activate a gripper that is not: its fingers then close and open ALL THE WAY.")
    answer_limit_s: float = param(0.04, low=0.005, high=0.04, doc="Time in which one request must have been answered.")
