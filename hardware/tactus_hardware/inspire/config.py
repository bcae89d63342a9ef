"""Parameters of an Inspire RH56."""

from dataclasses import dataclass

from tactus_core.config import param
from tactus_hardware.joints import JointConfig


@dataclass(frozen=True, kw_only=True)
class InspireConfig(JointConfig):
    """Where the hand is, how hard and fast it moves, and how much of its touch is read."""

    wire: str = param("tcp", choices=("tcp", "rtu"), doc="Modbus TCP, or Modbus RTU on a serial line (RS-485).")
    host: str = param("192.168.11.210", doc="Address of the hand (tcp).")
    port: int = param(6000, low=1, high=65535, doc="TCP port of its Modbus server (tcp).")
    serial_port: str = param("", doc="Serial port (rtu), as /dev/serial/by-id/usb-FTDI_...")
    baud: int = param(115_200, low=9600, high=921_600, doc="Baud rate that the hand is set to (rtu).")
    device_id: int = param(1, low=0, high=247, doc="Its Modbus device number.")
    force_limit_N: float = param(5.0, low=0.0, high=9.8, doc="Force at which a finger that closes stops by itself.")
    speed: int = param(1000, low=1, high=1000, doc="Speed of all fingers, in thousandths of the fastest.")
    touch_rows: int = param(
        0, low=0, high=14, doc="Rows of a touch patch that are read with each reading of the joints; 14: a patch; 0: no touch is read."
    )
    answer_limit_s: float = param(0.03, low=0.005, high=0.03, doc="Time in which one request must have been answered.")
