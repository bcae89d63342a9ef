"""Messages of `tactus_msgs` ↔ the types of `tactus_core`."""

import array

import numpy as np
from builtin_interfaces.msg import Time
from numpy.typing import NDArray

from tactus_core.errors import DataError
from tactus_core.geometry import pose7
from tactus_core.guard.types import Verdict as Decision
from tactus_core.types import ActionChunk, Outcome, Proposal, Target, WorldSnapshot
from tactus_msgs.msg import ActionChunk as ActionChunkMsg
from tactus_msgs.msg import EpisodeMark, EpisodeOutcome, Features, Verdict, WorldState
from tactus_msgs.msg import Proposal as ProposalMsg
from tactus_nodes import convert, topics


def features(message: Features, bundle: str, bundle_hash: str) -> NDArray[np.float32]:
    """Return the features of a message; raises DataError where another bundle's encoder made them, or another version of it."""
    expected = topics.encoder_name(bundle), bundle_hash
    if (message.encoder, message.bundle_hash) != expected:
        raise DataError(
            f"features are of '{message.encoder}' {message.bundle_hash[:12]}, expected '{expected[0]}' {bundle_hash[:12]}. They were not "
            "used; run perception and the slow policy from one folder."
        )
    return np.asarray(message.data, dtype=np.float32)


def to_chunk(chunk: ActionChunk, base_frame: str) -> ActionChunkMsg:
    """Return the message of a chunk."""
    out = ActionChunkMsg(kind=str(chunk.kind), dt_s=chunk.dt_s, steps=len(chunk.data), bundle=chunk.bundle, sequence=chunk.sequence)
    out.bundle_hash = chunk.bundle_hash
    out.data = array.array("f", chunk.data.tobytes())
    out.anchor = pose7(chunk.T_base_anchor)
    out.header.stamp, out.header.frame_id = convert.to_stamp(chunk.stamp_s), base_frame
    return out


def put_proposal(proposal: Proposal, stamp: Time, message: ProposalMsg) -> None:
    """Write a proposal that answers `stamp` into `message`."""
    message.header.stamp = stamp
    message.source, message.bundle, message.chunk_sequence = proposal.source, proposal.bundle, proposal.chunk_sequence
    convert.put_pose(proposal.target.T_base_tcp, message.tcp_target)
    message.arm_target_rad = convert.joint_array(proposal.target.arm_rad)
    message.hand_target_rad = convert.joint_array(proposal.target.hand_rad)
    message.release, message.bundle_hash = proposal.release, proposal.bundle_hash


def proposal(message: ProposalMsg) -> Proposal:
    """Return the proposal of a message; a target that is no pose is one of NaN: judging it is the guard's work."""
    try:
        T = convert.get_pose(message.tcp_target, "proposal")
    except DataError:
        T = np.full((4, 4), np.nan)
    hand, arm = (np.array(rad) if len(rad) else None for rad in (message.hand_target_rad, message.arm_target_rad))
    stamp_s, target = convert.seconds(message.header.stamp), Target(T, hand, arm)
    return Proposal(stamp_s, message.source, target, message.chunk_sequence, message.bundle, message.release, message.bundle_hash)


def to_world(snapshot: WorldSnapshot, stamp: Time) -> WorldState:
    """Return the message of a world's snapshot."""
    out = WorldState(seed=snapshot.seed, positions=convert.joint_array(snapshot.positions))
    out.marks = array.array("B", snapshot.marks.tobytes())
    out.header.stamp = stamp
    return out


def snapshot(message: WorldState) -> WorldSnapshot:
    """Return the snapshot of a world's message."""
    return WorldSnapshot(message.seed, np.array(message.positions), np.array(message.marks, dtype=np.uint8))


def to_outcome(outcome: Outcome, stamp: Time) -> EpisodeOutcome:
    """Return the message of an episode's outcome."""
    out = EpisodeOutcome(seed=outcome.seed, success=bool(outcome.success), names=list(outcome.parts))
    out.values = convert.joint_array(np.array(list(outcome.parts.values()), dtype=np.float64))
    out.header.stamp = stamp
    return out


def to_mark(kind: str, stamp: Time, text: str = "") -> EpisodeMark:
    """Return the message of a mark; kind: one of the message's own words."""
    out = EpisodeMark(kind=kind, text=text)
    out.header.stamp = stamp
    return out


def outcome(message: EpisodeOutcome) -> Outcome:
    """Return the outcome of a message."""
    return Outcome(message.seed, message.success, dict(zip(message.names, message.values, strict=True)))


def put_verdict(decision: Decision, stamp: Time, steady_s: float, tick: int, ages_s: tuple[float, float, float], message: Verdict) -> None:
    """Write the guard's decision on `stamp`, made at `steady_s`, into `message`; what was neither proposed nor executed is NaN.

    ages_s: of joints, wrench and touch then.
    """
    message.header.stamp, message.steady_s, message.tick = stamp, steady_s, tick
    message.joints_age_s, message.wrench_age_s, message.touch_age_s = ages_s
    message.state, message.source, message.reasons = str(decision.state), decision.source, list(map(str, decision.reasons))
    for target, pose in ((decision.proposed, message.proposed), (decision.executed, message.executed)):
        convert.put_pose_or_nan(target.T_base_tcp if target else None, pose)
    message.arm_executed_rad = convert.joint_array(decision.executed.arm_rad if decision.executed else None)
    message.hand_executed_rad = convert.joint_array(decision.executed.hand_rad if decision.executed else None)
    control, chosen = decision.control, decision.chosen
    message.intervention, message.onset, message.offset = control.intervention, control.onset, control.offset
    message.intervened = convert.to_stamp(control.intervened_s) if control.intervened_s > 0.0 else Time()
    asked = chosen.proposal if chosen else None
    message.proposal_age_s = steady_s - chosen.received_s if chosen else float("nan")
    message.chunk_sequence, message.bundle, message.bundle_hash = (
        (asked.chunk_sequence, asked.bundle, asked.bundle_hash) if asked else (0, "", "")
    )


def outdated_s(message: Verdict) -> float:
    """Return the stamp up to which nothing that a policy saw is of use: a human moved the robot. −inf: none did, or one does now."""
    intervened_s = convert.seconds(message.intervened)
    return -np.inf if message.intervention or not intervened_s else intervened_s
