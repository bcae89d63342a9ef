"""The fast policy: the current chunk and touch → what to do now. Pure functions of their arguments: a lost tick cannot corrupt them."""

from dataclasses import replace

import numpy as np

from tactus_core.errors import BundleError, DataError, StaleError
from tactus_core.history import STAMP_EPSILON_S, StateArrays
from tactus_core.policy.action import Commands, interpolate
from tactus_core.policy.bundle import Bundle
from tactus_core.policy.card import Card
from tactus_core.policy.observation import window
from tactus_core.policy.residual import Residual
from tactus_core.ports import FastPolicy
from tactus_core.types import ActionChunk, ChunkKind, Proposal, RobotDescription

SOURCE = "policy"


def make_fast_policy(bundle: Bundle, robot: RobotDescription) -> FastPolicy:
    """Return the fast policy that the bundle's card asks for; raises BundleError where the bundle is for another robot."""
    base: FastPolicy = LatentHead(bundle, robot) if bundle.card.kind is ChunkKind.LATENT else ChunkPlayer(bundle.card, robot)
    return Residual(base, bundle) if bundle.card.residual else base


def make_base(bundle: Bundle, robot: RobotDescription) -> FastPolicy:
    """Return the fast policy that a bundle's residual, where it has one, corrects."""
    return make_fast_policy(replace(bundle, card=replace(bundle.card, residual=None)), robot)


class LatentHead:
    """Decodes a latent chunk with touch, the head re-run from zero over the window since the chunk's stamp.

    The head's last row is the action to send now: the groups' latencies are in its training labels, none is added here.
    """

    def __init__(self, bundle: Bundle, robot: RobotDescription) -> None:
        if bundle.card.latent is None:
            raise BundleError(f"bundle '{bundle.card.id}' is of kind '{bundle.card.kind}', which has no fast head. Play its chunks.")
        self._bundle, self._latent = bundle, bundle.card.latent
        self._commands = Commands(bundle.card, robot)
        self._max_age_s = min(bundle.card.streams[name].max_age_s for name in bundle.card.feels)

    def act(self, chunk: ActionChunk, states: StateArrays, now_s: float) -> Proposal:
        """Return the proposal at `now_s`; see `FastPolicy`."""
        card, normalisers = self._bundle.card, self._bundle.normalisers
        check_chunk(chunk, card, now_s)
        latent = self._latent
        rows = window(states, chunk.stamp_s, chunk.T_base_anchor, now_s, latent.window_dt_s, latent.window, latent.window_before_s)
        age_s = now_s - states.stamp_s[states.newest(now_s)]
        if age_s > self._max_age_s:
            raise StaleError(f"the newest touch is {age_s:.3f} s old, the bundle allows {self._max_age_s} s. Check the sensors' rate.")
        action = self._bundle.run("fast_head", latent=chunk.data[None], window=normalisers["window"].normalise(rows)[None])
        target = self._commands.target(normalisers["action"].unnormalise(action[0]), chunk)
        return Proposal(now_s, SOURCE, target, chunk.sequence, chunk.bundle)


class ChunkPlayer:
    """Plays an action chunk by stamps: each channel group sends now what belongs at now + its latency."""

    def __init__(self, card: Card, robot: RobotDescription) -> None:
        self._card, self._parts = card, card.action_parts
        self._commands = Commands(card, robot)

    def act(self, chunk: ActionChunk, states: StateArrays, now_s: float) -> Proposal:
        """Return the proposal at `now_s`; see `FastPolicy`. Touch is not used."""
        check_chunk(chunk, self._card, now_s)
        due = {name: interpolate(chunk, now_s + group.latency_s, self._card) for name, group in self._card.groups.items()}
        action = np.concatenate([due[of.group][part] for of, part in self._parts])
        return Proposal(now_s, SOURCE, self._commands.target(action, chunk), chunk.sequence, chunk.bundle)


def check_chunk(chunk: ActionChunk, card: Card, now_s: float) -> None:
    """Raise DataError for a chunk that is not of this card, StaleError for one that does not hold at `now_s`."""
    if (chunk.bundle, chunk.kind, chunk.data.shape) != (card.id, card.kind, card.chunk_shape):
        raise DataError(
            f"chunk {chunk.sequence} is a {chunk.kind} {chunk.data.shape} of '{chunk.bundle}', expected a {card.kind} {card.chunk_shape} "
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
