"""Parameters of an SO-100 or SO-101."""

from dataclasses import dataclass

from tactus_core.config import param
from tactus_hardware.servos import ServoConfig


@dataclass(frozen=True, kw_only=True)
class So101Config(ServoConfig):
    """Where the arm is, how it is mounted, and how firmly and fast it moves. The gains' defaults are LeRobot's."""

    role: str = param("follower", choices=("follower", "leader"), doc="leader: torque stays off, commands are refused, people move it.")
    baud: int = param(1_000_000, low=38_400, high=1_000_000, doc="Baud rate that the servos are set to.")
    zero_counts: tuple[int, int, int, int, int, int] = param(
        (2048, 2048, 2048, 2048, 2048, 2048), low=0, high=4095, doc="What each servo says at 0 rad; 2048 once LeRobot has calibrated it."
    )
    reverse: tuple[int, int, int, int, int, int] = param(
        (0, 0, 0, 0, 0, 0), low=0, high=1, doc="1 for a joint whose servo counts against the URDF's sign, else 0."
    )
    speed_limit_rad_s: float = param(3.0, low=0.01, high=6.0, doc="Speed that the servos themselves do not exceed.")
    torque_limit: float = param(1.0, low=0.0, high=1.0, doc="Share of a servo's torque that it may use; too little, and the arm sags.")
    stiffness: int = param(16, low=0, high=254, doc="Position gain P.")
    damping: int = param(32, low=0, high=254, doc="Position gain D.")
