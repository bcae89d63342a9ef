"""Residual: a small network corrects what a base policy proposes, within limits that it cannot leave.

Ankile et al. 2025, "Residual Off-Policy RL for Finetuning Behavior Cloning Policies" (ResFiT). A decision is taken every `dt_s` since the
chunk's stamp and held in between; the base acts at every tick. Pure functions of their arguments, as every fast policy is.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from tactus_core.errors import DataError
from tactus_core.geometry import rigid, rotation_matrix, rotation_vector
from tactus_core.history import STAMP_EPSILON_S, StateArrays
from tactus_core.policy.bundle import Bundle
from tactus_core.policy.exploring import explored
from tactus_core.policy.observation import anchor, low_dim
from tactus_core.policy.signals import ObservedSpec
from tactus_core.policy.specs import ResidualSpec
from tactus_core.ports import FastPolicy
from tactus_core.types import ActionChunk, Array, Proposal, Target


class Residual:
    """Wraps a `FastPolicy`: its proposals, corrected by the bundle's graph `residual`."""

    def __init__(self, base: FastPolicy, bundle: Bundle) -> None:
        if bundle.card.residual is None:
            raise DataError(f"bundle '{bundle.card.id}' has no residual. Use its fast policy as it is.")
        self._base, self._bundle, self._spec = base, bundle, bundle.card.residual

    def act(self, chunk: ActionChunk, states: StateArrays, now_s: float) -> Proposal:
        """Return the corrected proposal at `now_s`; see `FastPolicy`."""
        proposal = self._base.act(chunk, states, now_s)
        at_s = decided_s(chunk, now_s, self._spec.dt_s)
        base = self._base.act(chunk, states, at_s).target
        observed = observation(states, base, at_s, self._bundle.card.observation.low_dim)
        return corrected(proposal, decided(self._bundle, self._spec, observed, at_s), self._spec)


def decided(bundle: Bundle, spec: ResidualSpec, observed: Array, at_s: float) -> Array:
    """Return what is decided at `at_s`: what the residual wants, and what it tries on top where it explores (6,), shares of its limits.

    Shares beyond −1..1 are clipped by `corrected`, and not before: there infinity would be taken for the limit.
    """
    correction = wanted(bundle, observed)
    if spec.exploration is None:
        return correction
    return correction + explored(spec.exploration, spec.dt_s, bundle.sha256, at_s)


def wanted(bundle: Bundle, observed: Array) -> Array:
    """Return what the bundle's residual makes of an observation (L+6,): a correction (6,), shares of its limits."""
    normalised = bundle.normalisers["residual"].normalise(observed)[None]
    return bundle.run("residual", observation=normalised)[0].astype(np.float64)


def decided_s(chunk: ActionChunk, now_s: float, dt_s: float) -> float:
    """Return when the decision that holds at `now_s` was taken."""
    return chunk.stamp_s + dt_s * int((now_s - chunk.stamp_s + STAMP_EPSILON_S) / dt_s)


def observation(states: StateArrays, target: Target, at_s: float, layout: Sequence[ObservedSpec]) -> Array:
    """Return what a decision at `at_s` is based on (L+6,), un-normalised: `low_dim` (L), then what is proposed as `twist` (6).

    Raises StaleError where `states` lacks the history.
    """
    return np.concatenate((low_dim(states, at_s, layout), twist(anchor(states, at_s), target.T_base_tcp)))


def twist(T_base_tcp: Array, T_base_target: Array) -> Array:
    """Return how far a target lies from the tcp, in the tcp's frame: translation [m], rotation vector [rad] (6,)."""
    R = T_base_tcp[:3, :3].T
    return np.concatenate((R @ (T_base_target[:3, 3] - T_base_tcp[:3, 3]), rotation_vector(R @ T_base_target[:3, :3])))


def corrected(proposal: Proposal, correction: Array, spec: ResidualSpec) -> Proposal:
    """Return `proposal` moved by shares (6,) of the limits, in the target's own frame; shares beyond −1..1 are clipped.

    Raises DataError for one that is not finite. All zeros leave the proposal as it is, to the bit.
    """
    if not np.isfinite(correction).all():
        raise DataError(f"the residual gave a correction with NaN or infinity: {correction}. Nothing is proposed; check its inputs.")
    moves = spec.limits * np.clip(correction, -1.0, 1.0)
    T = proposal.target.T_base_tcp
    R = T[:3, :3]
    moved = rigid(T[:3, 3] + R @ moves[:3], R @ rotation_matrix(moves[3:]))
    return replace(proposal, target=replace(proposal.target, T_base_tcp=moved))
