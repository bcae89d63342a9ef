"""Parameters of a Universal Robots arm."""

from dataclasses import dataclass

from tactus_core.config import param
from tactus_hardware.joints import JointConfig


@dataclass(frozen=True, kw_only=True)
class UrConfig(JointConfig):
    """Where the robot is, how it follows, and how its force is to be understood."""

    host: str = param(doc="Address of the controller, as set on its teach pendant.")
    control: bool = param(True, doc="false: only read, as where another program moves the robot; commands are refused.")
    frequency_Hz: int = param(500, low=10, high=500, doc="Packets per second, and servo steps: 500 for e-Series, 125 for CB3.")
    speed_limit_rad_s: float = param(1.0, low=0.01, high=3.2, doc="Speed at which the servo target walks to what was commanded, at most.")
    lookahead_s: float = param(0.1, low=0.03, high=0.2, doc="servoj's own smoothing of the target.")
    gain: float = param(300.0, low=100.0, high=2000.0, doc="servoj's gain: how stiffly it follows.")
    stopping_rad_s2: float = param(10.0, low=0.5, high=40.0, doc="Deceleration where the servo motion is stopped.")
    process_timeout_s: float = param(0.2, low=0.05, high=1.0, doc="Silence of this process, or of ur-rtde's, that stops the robot.")
    force_at: str = param("flange", choices=("flange", "tcp"), doc="Where its torque is told: flange on e-Series, tcp on CB3.")
    force_says: str = param(
        "on_tool", choices=("on_tool", "by_tool"), doc="Whether it tells what acts on the tool, or what the tool exerts."
    )
