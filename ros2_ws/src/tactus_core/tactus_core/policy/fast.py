"""The fast policy: the current chunk and touch → what to do now. Pure functions of their arguments: a lost tick cannot corrupt them."""

import numpy as np
from numpy.typing import NDArray

from tactus_core.errors import BundleError, DataError, StaleError
from tactus_core.geometry import from_rot6d, rigid, rot6d, rotation_matrix, rotation_vector
from tactus_core.history import STAMP_EPSILON_S, StateArrays
from tactus_core.policy.bundle import Bundle
from tactus_core.policy.card import Card
from tactus_core.policy.observation import window
from tactus_core.policy.residual import Residual
from tactus_core.ports import FastPolicy
from tactus_core.types import ActionChunk, Array, ChunkKind, Proposal, RobotDescription, Target

SOURCE = "policy"


def make_fast_policy(bundle: Bundle, robot: RobotDescription) -> FastPolicy:
    """Return the fast policy that the bundle's card asks for; raises BundleError where the bundle is for another robot."""
    if bundle.card.robot != robot.name:
        raise BundleError(
            f"bundle '{bundle.card.id}' is for robot '{bundle.card.robot}', this is '{robot.name}'. Choose a bundle for '{robot.name}'."
        )
    base: FastPolicy = LatentHead(bundle, robot) if bundle.card.kind is ChunkKind.LATENT else ChunkPlayer(bundle.card, robot)
    return Residual(base, bundle) if bundle.card.residual else base


class LatentHead:
    """Decodes a latent chunk with touch, the head re-run from zero over the window since the chunk's stamp.

    The head's last row is the action to send now: the groups' latencies are in its training labels, none is added here.
    """

    def __init__(self, bundle: Bundle, robot: RobotDescription) -> None:
        self._bundle = bundle
        self._robot = robot
        self._max_age_s = min(bundle.card.streams[name].max_age_s for name in ("joint_states", "wrench", "tactile"))

    def act(self, chunk: ActionChunk, states: StateArrays, now_s: float) -> Proposal:
        """Return the proposal at `now_s`; see `FastPolicy`."""
        card, normalisers = self._bundle.card, self._bundle.normalisers
        check_chunk(chunk, card, now_s)
        rows = window(states, chunk.stamp_s, chunk.T_base_anchor, now_s, card.window_dt_s)
        age_s = now_s - chunk.stamp_s - rows[-1, 0]
        if age_s > self._max_age_s:
            raise StaleError(f"the newest touch is {age_s:.3f} s old, the bundle allows {self._max_age_s} s. Check the sensors' rate.")
        action = self._bundle.run("fast_head", latent=chunk.data[None], window=normalisers["window"].normalise(rows)[None])
        return propose(normalisers["action"].unnormalise(action[0]), chunk, self._robot, now_s)


class ChunkPlayer:
    """Plays an action chunk by stamps: each channel group sends now what belongs at now + its latency."""

    def __init__(self, card: Card, robot: RobotDescription) -> None:
        self._card = card
        self._robot = robot

    def act(self, chunk: ActionChunk, states: StateArrays, now_s: float) -> Proposal:
        """Return the proposal at `now_s`; see `FastPolicy`. Touch is not used."""
        check_chunk(chunk, self._card, now_s)
        arm, hand = (interpolate(chunk, now_s + self._card.groups[name].latency_s) for name in ("arm", "hand"))
        return propose(np.append(arm[:9], hand[9]), chunk, self._robot, now_s)


def check_chunk(chunk: ActionChunk, card: Card, now_s: float) -> None:
    """Raise DataError for a chunk that is not of this card, StaleError for one that does not hold at `now_s`."""
    if (chunk.bundle, chunk.kind, chunk.data.shape) != (card.id, card.kind, card.sample_shape):
        raise DataError(
            f"chunk {chunk.sequence} is a {chunk.kind} {chunk.data.shape} of '{chunk.bundle}', expected a {card.kind} {card.sample_shape} "
            f"of '{card.id}'. Run the slow and the fast policy from one bundle."
        )
    if not (np.isfinite(chunk.data).all() and np.isfinite(chunk.T_base_anchor).all()):
        raise DataError(f"chunk {chunk.sequence} of '{chunk.bundle}' holds NaN or infinity. It is not played; wait for the next one.")
    age_s = now_s - chunk.stamp_s
    if not -STAMP_EPSILON_S <= age_s <= card.validity_s + STAMP_EPSILON_S:
        raise StaleError(
            f"chunk {chunk.sequence} is {age_s:.3f} s old at {now_s:.6f} s, bundle '{card.id}' plays chunks from 0 to {card.validity_s} s. "
            "Is the slow policy running and fast enough? Are all stamps of one clock?"
        )


def interpolate(chunk: ActionChunk, at_s: float) -> Array:
    """Return the action (10,) of a chunk at a time: linear, the rotation along the geodesic. Raises StaleError past the last entry."""
    place = (at_s - chunk.stamp_s) / chunk.dt_s
    last = len(chunk.data) - 1
    if not place <= last + STAMP_EPSILON_S / chunk.dt_s:
        raise StaleError(f"chunk {chunk.sequence} ends {chunk.dt_s * (place - last):.3f} s before the entry that is due. Plan more often.")
    index = min(max(int(place), 0), last - 1)
    share = min(max(place - index, 0.0), 1.0)
    before, after = chunk.data[index].astype(np.float64), chunk.data[index + 1].astype(np.float64)
    R_before = from_rot6d(before[3:9])
    R = R_before @ rotation_matrix(share * rotation_vector(R_before.T @ from_rot6d(after[3:9])))
    out = (1.0 - share) * before + share * after
    out[3:9] = rot6d(R)
    return out


def propose(action: NDArray[np.floating], chunk: ActionChunk, robot: RobotDescription, now_s: float) -> Proposal:
    """Return the proposal that an un-normalised action (10,), relative to the chunk's anchor, stands for; DataError if it is not a pose."""
    values = action.astype(np.float64)
    if not np.isfinite(values).all():
        raise DataError(f"bundle '{chunk.bundle}' gave an action with NaN or infinity: {action}. Nothing is proposed; check its inputs.")
    target = Target(chunk.T_base_anchor @ rigid(values[:3], from_rot6d(values[3:9])), robot.hand_posture(float(values[9])))
    return Proposal(now_s, SOURCE, target, chunk.sequence, chunk.bundle)
