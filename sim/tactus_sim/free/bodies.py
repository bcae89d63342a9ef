"""What the links of whole robots weigh: their descriptions hold kinematics and shapes, and no masses.

Frames are the links' of the robot's URDF. Inertias are those of a solid capsule of that mass, for makers publish none.
"""

from dataclasses import dataclass
from typing import NamedTuple


class Body(NamedTuple):
    """A link's mass, and where its centre is."""

    link: str
    mass_kg: float
    center_m: tuple[float, float, float]


@dataclass(frozen=True)
class Build:
    """What a description lacks for physics.

    bodies: of the links that the URDF gives no mass. sensor_joint: the fixed joint in which the wrist's sensor sits; empty: there is
    none. tares: it takes the weight behind itself out of what it tells. effort_Nm: of each of the arm's servos, where the URDF's is no
    real one.
    """

    bodies: tuple[Body, ...] = ()
    sensor_joint: str = ""
    tares: bool = False
    effort_Nm: float | None = None


# Universal Robots, "DH parameters for calculations of kinematics and dynamics". Their frames lie at the end of a link's d, a and alpha,
# ours at its beginning.
_UR5E = (
    Body("link_1", 3.761, (0.0, -0.00193, 0.13689)),
    Body("link_2", 8.058, (-0.2125, 0.0, 0.11336)),
    Body("link_3", 2.846, (-0.2422, 0.0, 0.0265)),
    Body("link_4", 1.37, (0.0, -0.01634, 0.1315)),
    Body("link_5", 1.3, (0.0, 0.01634, 0.0979)),
    Body("link_6", 0.365, (0.0, 0.0, 0.098441)),
)
# Franka's description of the Research 3 (franka_description, Apache-2.0), rounded, moved by d as its capsules are.
_FRANKA = (
    Body("link_1", 2.927, (0.0, -0.0181, 0.2944)),
    Body("link_2", 2.936, (0.0032, -0.0743, 0.0088)),
    Body("link_3", 2.245, (0.0407, -0.0048, 0.2870)),
    Body("link_4", 2.616, (-0.0459, 0.0630, -0.0085)),
    Body("link_5", 2.327, (-0.0016, 0.0293, 0.2867)),
    Body("link_6", 1.817, (0.0597, -0.0410, -0.0102)),
    Body("link_7", 0.627, (0.0045, 0.0086, -0.0162)),
)


def _hand(mass_kg: float, center_m: float) -> Body:
    """Return hand and sensor: masses from memory of such hands, centred about the middle; nobody has looked them up or weighed them."""
    return Body("flange", mass_kg, (0.0, 0.0, center_m))


UR5E_LEAP_NETFT = Build((*_UR5E, _hand(0.7, 0.09)), sensor_joint="flange_joint")
UR5E_ROBOTIQ_FT300 = Build((*_UR5E, _hand(1.2, 0.08)), sensor_joint="flange_joint")
# Their arms tell what acts on the tool without its weight, which their controllers were told.
UR5E_INSPIRE = Build((*_UR5E, _hand(0.54, 0.07)), sensor_joint="flange_joint", tares=True)
FRANKA_ALLEGRO = Build((*_FRANKA, _hand(1.1, 0.07)), sensor_joint="flange_joint", tares=True)
# Its URDF has masses. Effort: stall torque of an STS3215 at 7.4 V, 19.5 kg·cm (Feetech).
SO101 = Build(effort_Nm=1.9)
