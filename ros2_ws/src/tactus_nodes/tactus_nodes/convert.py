"""Messages ↔ the types of `tactus_core`. Readers check what they are given (DataError); writers fill messages made once and sent again."""

import array
from collections.abc import Sequence

import numpy as np
from builtin_interfaces.msg import Time
from geometry_msgs.msg import Pose, PoseStamped, WrenchStamped
from numpy.typing import NDArray
from sensor_msgs.msg import Image, JointState, PointCloud2, PointField

from tactus_core.errors import DataError
from tactus_core.geometry import from_pose7, pose7
from tactus_core.types import ActionChunk, Array, ChunkKind, Outcome, Proposal, RobotDescription, Target, WorldSnapshot
from tactus_msgs.msg import ActionChunk as ActionChunkMsg
from tactus_msgs.msg import EpisodeOutcome, WorldState
from tactus_msgs.msg import Proposal as ProposalMsg

TAXEL_FIELDS = ("x", "y", "z", "fx", "fy", "fz")


def seconds(stamp: Time) -> float:
    """Return a stamp in seconds; float64 keeps it to 0.24 µs."""
    return stamp.sec + stamp.nanosec * 1e-9


def to_stamp(stamp_s: float) -> Time:
    """Return seconds as a stamp."""
    whole, rest = divmod(round(stamp_s * 1e9), 1_000_000_000)
    return Time(sec=whole, nanosec=rest)


def joint_state(names: Sequence[str]) -> JointState:
    """Return a message for the joints `names`, to be filled again and again."""
    return JointState(name=list(names))


def put_pose(T: Array, pose: Pose) -> None:
    """Write T into `pose`."""
    x, y, z, qx, qy, qz, qw = pose7(T).tolist()
    position, rotation = pose.position, pose.orientation
    position.x, position.y, position.z = x, y, z
    rotation.x, rotation.y, rotation.z, rotation.w = qx, qy, qz, qw


def put_pose_or_nan(T: Array | None, pose: Pose) -> None:
    """Write T into `pose`; where there is none, or it is not finite, NaN: a reader must not take zeros for a pose."""
    if T is not None and np.isfinite(T).all():
        put_pose(T, pose)
        return
    position, rotation = pose.position, pose.orientation
    position.x = position.y = position.z = rotation.x = rotation.y = rotation.z = rotation.w = float("nan")


def get_pose(pose: Pose, source: str) -> Array:
    """Return T of `pose`; raises DataError where it is no pose."""
    position, rotation = pose.position, pose.orientation
    values = np.array([position.x, position.y, position.z, rotation.x, rotation.y, rotation.z, rotation.w])
    # Written so that NaN fails as well.
    if not abs(float(values[3:] @ values[3:]) - 1.0) < 1e-3 or not np.isfinite(values).all():
        raise DataError(f"{source}: expected finite positions and a unit quaternion, got {values.tolist()}. The message was not used.")
    return from_pose7(values)


def joint_positions(message: JointState, names: tuple[str, ...]) -> Array:
    """Return the positions [rad] of `names` in that order; raises DataError where one is missing."""
    if tuple(message.name) == names and len(message.position) == len(names):
        return np.array(message.position)
    try:
        return np.array([message.position[message.name.index(name)] for name in names])
    except (ValueError, IndexError):
        missing = sorted(set(names) - set(message.name)) or "a position for every name"
        raise DataError(f"joint states lack {missing}; got {list(message.name)}. Does the device drive this robot?") from None


def wrench_tcp(message: WrenchStamped) -> Array:
    """Return force_N, torque_Nm (6,); raises DataError for a wrench that is not in the tcp frame."""
    if message.header.frame_id != "tcp":
        raise DataError(f"wrench is in frame '{message.header.frame_id}', expected 'tcp'. Have the driver transform it to the tool centre.")
    force, torque = message.wrench.force, message.wrench.torque
    return np.array([force.x, force.y, force.z, torque.x, torque.y, torque.z])


def put_wrench(values: Array, message: WrenchStamped) -> None:
    """Write force_N, torque_Nm (6,) into `message`."""
    force, torque = message.wrench.force, message.wrench.torque
    force.x, force.y, force.z, torque.x, torque.y, torque.z = values.tolist()


def taxel_cloud(fingers: int, taxels: int) -> PointCloud2:
    """Return a message for taxels (fingers, taxels, 6), to be filled again and again."""
    fields = [PointField(name=name, offset=4 * i, datatype=PointField.FLOAT32, count=1) for i, name in enumerate(TAXEL_FIELDS)]
    step = 4 * len(TAXEL_FIELDS)
    return PointCloud2(height=fingers, width=taxels, fields=fields, point_step=step, row_step=step * taxels, is_dense=True)


def put_taxels(taxels: Array, message: PointCloud2) -> None:
    """Write taxels (fingers, taxels, 6) into `message`."""
    message.data = array.array("B", taxels.astype("<f4").tobytes())


def taxels(message: PointCloud2) -> NDArray[np.float32]:
    """Return taxels (fingers, taxels, 6): x y z [m], fx fy fz [N]; raises DataError for another layout."""
    got = tuple(field.name for field in message.fields)
    if got != TAXEL_FIELDS or message.point_step != 4 * len(TAXEL_FIELDS) or len(message.data) != message.height * message.row_step:
        raise DataError(
            f"touch has fields {got}, point step {message.point_step} and {len(message.data)} bytes for {message.height}×{message.width}; "
            f"expected {TAXEL_FIELDS} as float32, 24 bytes a taxel. Check the tactile driver."
        )
    return np.frombuffer(message.data, dtype="<f4").reshape(message.height, message.width, len(TAXEL_FIELDS))


def fingertip_force_N(taxels: NDArray[np.float32]) -> Array:
    """Return the force per fingertip (fingers,), ≥ 0: the length of what its taxels feel together."""
    return np.linalg.norm(taxels[:, :, 3:].sum(axis=1, dtype=np.float64), axis=1)


def image(message: Image) -> NDArray[np.uint8]:
    """Return an rgb image (H, W, 3); raises DataError for another encoding or a wrong size."""
    if message.encoding != "rgb8" or message.step != 3 * message.width or len(message.data) != message.height * message.step:
        raise DataError(
            f"image is {message.encoding} {message.height}×{message.width}, step {message.step}, {len(message.data)} bytes; expected rgb8 "
            "without padding. Set the camera driver to rgb8."
        )
    return np.frombuffer(message.data, dtype=np.uint8).reshape(message.height, message.width, 3)


def to_image(pixels: NDArray[np.uint8], stamp: Time) -> Image:
    """Return the message of an rgb image (H, W, 3)."""
    height, width, _ = pixels.shape
    out = Image(height=height, width=width, encoding="rgb8", step=3 * width, data=array.array("B", pixels.tobytes()))
    out.header.stamp, out.header.frame_id = stamp, "camera_optical"
    return out


def to_chunk(chunk: ActionChunk, base_frame: str) -> ActionChunkMsg:
    """Return the message of a chunk."""
    out = ActionChunkMsg(kind=str(chunk.kind), dt_s=chunk.dt_s, steps=len(chunk.data), bundle=chunk.bundle, sequence=chunk.sequence)
    out.data = array.array("f", chunk.data.tobytes())
    out.anchor = pose7(chunk.T_base_anchor)
    out.header.stamp, out.header.frame_id = to_stamp(chunk.stamp_s), base_frame
    return out


def chunk(message: ActionChunkMsg) -> ActionChunk | None:
    """Return the chunk of a message, None where it is empty: its sender takes its plan back. Raises DataError."""
    if message.steps == 0:
        return None
    if message.kind not in list(ChunkKind) or len(message.data) % message.steps or not message.dt_s > 0.0:
        raise DataError(
            f"chunk {message.sequence} of '{message.bundle}': kind '{message.kind}', {len(message.data)} values in {message.steps} steps "
            f"of {message.dt_s} s; expected kind {' or '.join(ChunkKind)} and whole rows. It was not used."
        )
    data = np.array(message.data, dtype=np.float32).reshape(message.steps, -1)
    anchor = from_pose7(np.asarray(message.anchor))
    stamp_s = seconds(message.header.stamp)
    return ActionChunk(stamp_s, ChunkKind(message.kind), message.dt_s, data, anchor, message.sequence, message.bundle)


def put_proposal(proposal: Proposal, stamp: Time, message: ProposalMsg) -> None:
    """Write a proposal that answers `stamp` into `message`."""
    message.header.stamp = stamp
    message.source, message.bundle, message.chunk_sequence = proposal.source, proposal.bundle, proposal.chunk_sequence
    put_pose(proposal.target.T_base_tcp, message.tcp_target)
    message.hand_target_rad = joint_array(proposal.target.hand_rad)


def proposal(message: ProposalMsg) -> Proposal:
    """Return the proposal of a message; a target that is not finite is kept as it is: judging it is the guard's work."""
    p, q = message.tcp_target.position, message.tcp_target.orientation
    T = from_pose7(np.array([p.x, p.y, p.z, q.x, q.y, q.z, q.w]))
    hand = np.array(message.hand_target_rad) if len(message.hand_target_rad) else None
    return Proposal(seconds(message.header.stamp), message.source, Target(T, hand), message.chunk_sequence, message.bundle)


def joint_array(values: Array | None) -> "array.array[float]":
    """Return joint values as messages want them; None: empty."""
    return array.array("d", b"" if values is None else np.ascontiguousarray(values, dtype=np.float64).tobytes())


def target(arm: PoseStamped, hand: JointState | None, robot: RobotDescription) -> Target:
    """Return the target of an arm command and, where there is one, a hand command; raises DataError."""
    hand_rad = joint_positions(hand, tuple(robot.hand_joints)) if hand is not None else None
    return Target(get_pose(arm.pose, "arm/target_pose"), hand_rad)


def to_world(snapshot: WorldSnapshot, stamp: Time) -> WorldState:
    """Return the message of a world's snapshot."""
    out = WorldState(seed=snapshot.seed, positions=joint_array(snapshot.positions), marks=array.array("B", snapshot.marks.tobytes()))
    out.header.stamp = stamp
    return out


def snapshot(message: WorldState) -> WorldSnapshot:
    """Return the snapshot of a world's message."""
    return WorldSnapshot(message.seed, np.array(message.positions), np.array(message.marks, dtype=np.uint8))


def to_outcome(outcome: Outcome, stamp: Time) -> EpisodeOutcome:
    """Return the message of an episode's outcome."""
    out = EpisodeOutcome(seed=outcome.seed, success=bool(outcome.success), names=list(outcome.parts))
    out.values = joint_array(np.array(list(outcome.parts.values()), dtype=np.float64))
    out.header.stamp = stamp
    return out


def outcome(message: EpisodeOutcome) -> Outcome:
    """Return the outcome of a message."""
    return Outcome(message.seed, message.success, dict(zip(message.names, message.values, strict=True)))


def key(stamp: Time) -> tuple[int, int]:
    """Return what two stamps of one sample have in common exactly."""
    return stamp.sec, stamp.nanosec
