"""Which controller of a robot that runs ros2_control takes our commands: chosen by what it is, never by what it is called."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from tactus_core.errors import DeviceError


class Takes(StrEnum):
    """How a controller wants its commands; its topics have the same names."""

    TRAJECTORY = "joint_trajectory"
    POSITIONS = "commands"
    POSE = "target_pose"


# By plugin. UR's own one scales the time of a trajectory by the speed slider, and is commanded like the one that it extends.
TYPES = {
    "joint_trajectory_controller/JointTrajectoryController": Takes.TRAJECTORY,
    "ur_controllers/ScaledJointTrajectoryController": Takes.TRAJECTORY,
    "position_controllers/JointGroupPositionController": Takes.POSITIONS,
    "forward_command_controller/ForwardCommandController": Takes.POSITIONS,
    "crisp_controllers/CartesianController": Takes.POSE,
}


@dataclass(frozen=True)
class Controller:
    """A loaded controller. interfaces: the command interfaces that it needs, JOINT/INTERFACE, in its own order.

    state: unconfigured, inactive, active or finalized. chained: another controller commands it, and its topics do not.
    """

    name: str
    type: str
    state: str
    interfaces: tuple[str, ...]
    chained: bool = False

    @property
    def joints(self) -> tuple[str, ...]:
        """Its joints, in its own order."""
        return tuple(dict.fromkeys(interface.rpartition("/")[0] for interface in self.interfaces))

    @property
    def active(self) -> bool:
        """Whether it commands the hardware now."""
        return self.state == "active"

    def fits(self, joints: frozenset[str], poses: bool) -> bool:
        """Return whether these joints, all and no other, can be commanded through it: by tcp poses, or by joint positions."""
        takes = TYPES.get(self.type)
        if takes is None or self.chained or frozenset(self.joints) != joints or (takes is Takes.POSE) is not poses:
            return False
        # A forwarding controller passes numbers on to whatever it was configured for: as velocities, positions would be a crash.
        return takes is not Takes.POSITIONS or self.interfaces == tuple(f"{joint}/position" for joint in self.joints)


@dataclass(frozen=True)
class Choice:
    """The controller to be commanded. joints: in its order, which is that of the numbers where `takes` is POSITIONS."""

    name: str
    takes: Takes
    joints: tuple[str, ...]


def choose(controllers: Sequence[Controller], joints: Sequence[str], *, poses: bool) -> Choice:
    """Return the one active controller that takes joint positions (`poses`: tcp poses) for just these joints.

    Raises DeviceError where there is none, or more than one; it says what to run.
    """
    wanted = frozenset(joints)
    fitting = [controller for controller in controllers if controller.fits(wanted, poses)]
    active = [controller for controller in fitting if controller.active]
    if len(active) == 1:
        return Choice(active[0].name, TYPES[active[0].type], active[0].joints)
    what = f"{'tcp poses' if poses else 'joint positions'} for {', '.join(joints)}"
    if active:
        others = " ".join(sorted(controller.name for controller in active[1:]))
        raise DeviceError(
            f"{len(active)} active controllers take {what}: {_listed(active)}; expected one. Run: ros2 control switch_controllers "
            f"--deactivate {others}"
        )
    if fitting:
        holders = sorted(each.name for each in controllers if each.active and wanted & set(each.joints))
        stop = f" --deactivate {' '.join(holders)}" if holders else ""
        raise DeviceError(
            f"no active controller takes {what}; these could: {_listed(fitting)}. Run: ros2 control switch_controllers --activate "
            f"{fitting[0].name}{stop}"
        )
    kinds = ", ".join(kind for kind, takes in TYPES.items() if (takes is Takes.POSE) is poses)
    raise DeviceError(
        f"no controller takes {what}; loaded: {_listed(controllers) or 'none'}. Expected one of {kinds}, of just these joints. Load one as "
        "the robot's driver describes, and check the names of the joints."
    )


def _listed(controllers: Sequence[Controller]) -> str:
    return ", ".join(f"{each.name} ({each.type}, {each.state})" for each in controllers)
