"""What the demonstrations show, in the words of a card: the observation and the action that networks are trained for here."""

from tactus_core.policy.signals import FELT, CommandedSpec, JointsSpec, ObservedSpec, action_parts, felt_size, observed_size
from tactus_core.policy.specs import CameraSpec, ObservationSpec

IMAGE_SHAPE = (96, 96, 3)
_BEFORE_S = (-0.1, -0.2, -0.3)
OBSERVATION = ObservationSpec(
    cameras={"wrist": CameraSpec(IMAGE_SHAPE, (0.0,))},
    low_dim=(
        ObservedSpec("tcp_pose", (0.0,)),
        ObservedSpec("tcp_pose_relative", _BEFORE_S),
        ObservedSpec("wrench", (0.0, *_BEFORE_S)),
        ObservedSpec("fingertip_force", (0.0, *_BEFORE_S)),
    ),
)
ACTION = (CommandedSpec("arm", "tcp_pose_relative"), CommandedSpec("hand", "press"))
JOINTS = JointsSpec(arm=7, hand=16)
LOOKBACK_S = -_BEFORE_S[-1]
LOW_DIM_SIZE = observed_size(OBSERVATION.low_dim, JOINTS)
ACTION_SIZE = action_parts(ACTION, JOINTS)[-1][1].stop
WINDOW_SIZE = felt_size(FELT)
# Where in an observation the force is that presses the tool now, along its axis.
_FORCE_Z = 2
FORCE_AT = observed_size(OBSERVATION.low_dim[:2], JOINTS) + _FORCE_Z
