"""Control changes hands: edges are told once each, and a policy never goes on with what it planned before it had control back."""

import math
from dataclasses import replace

import numpy as np
import pytest
from conftest import write_bundle
from hypothesis import given, settings
from hypothesis import strategies as st

from tactus_core.guard.handover import Handover
from tactus_core.guard.types import Reason, Received
from tactus_core.policy.card import load_card
from tactus_core.policy.plan import Plan
from tactus_core.policy.replanning import Replanning
from tactus_core.policy.run import SILENCE_S, End, Run, Termination
from tactus_core.teleop.config import TwistConfig
from tactus_core.teleop.deliberate import Deliberate
from tactus_core.types import ActionChunk, ChunkKind, Proposal, Target

TIMEOUT_S, TICK_S = 0.05, 0.005
HUMAN, SILENT, RELEASE, AWAY = "human", "silent", "release", "away"


def said(source, now_s, chunk=0, release=False):
    return Received(Proposal(now_s, source, Target(np.eye(4), None), chunk, "wipe@1" if chunk else "", release), now_s)


class Story:
    """Ticks of a human who does one thing after the other while a policy plays chunks; what came of each."""

    def __init__(self):
        self.handover, self.now_s, self.rows = Handover(TIMEOUT_S), 100.0, []

    def tick(self, human, chunk):
        self.now_s += TICK_S if human != SILENT else 2 * TIMEOUT_S
        proposals = [said("policy", self.now_s, chunk)]
        if human in (HUMAN, RELEASE):
            proposals.append(said("human", self.now_s, release=human == RELEASE))
        self.rows.append((human, chunk, *self.handover.step(proposals, self.now_s, self.now_s)))
        return self.rows[-1][2:]


ticks = st.lists(st.tuples(st.sampled_from([HUMAN, HUMAN, SILENT, RELEASE, AWAY]), st.integers(0, 3)), max_size=60)


@given(ticks)
def test_what_was_planned_before_is_never_followed_and_each_edge_is_told_once(story):
    run = Story()
    outdated, before, last_s = None, False, -math.inf
    for human, chunk in story:
        chosen, control, reasons = run.tick(human, chunk)
        assert control.onset == (control.intervention and not before)
        assert control.offset == (before and not control.intervention)
        if control.intervention:
            outdated, last_s = chunk or outdated, run.now_s
            assert chosen is None or chosen.proposal.source == "human"
        elif chosen is not None and chosen.proposal.source == "policy" and chunk:
            assert chunk != outdated
            outdated = None
        assert control.intervened_s == last_s
        assert (Reason.REPLAN in reasons) == (not control.intervention and chosen is None and bool(chunk) and chunk == outdated)
        before = control.intervention


def test_silence_is_part_of_the_intervention_and_a_new_time_of_the_device_ends_its_stamp():
    run = Story()
    run.tick(HUMAN, 1)
    chosen, control, reasons = run.tick(SILENT, 1)
    assert (chosen, control.intervention, reasons) == (None, True, (Reason.HUMAN_LOST,))
    chosen, control, _ = run.tick(RELEASE, 2)
    assert (chosen.proposal.chunk_sequence, control.offset) == (2, True)
    _, control, _ = run.handover.step([], run.now_s, 3.0)
    assert control.intervened_s == -math.inf


def test_a_reset_takes_control_and_the_plan_stays_outdated():
    run = Story()
    run.tick(HUMAN, 1)
    run.handover.forget()
    assert run.tick(AWAY, 1)[2] == (Reason.REPLAN,)
    assert run.tick(AWAY, 2)[0].proposal.chunk_sequence == 2


@pytest.fixture(scope="module")
def card(tmp_path_factory):
    return load_card(write_bundle(tmp_path_factory.mktemp("bundle") / "tiny", ChunkKind.LATENT) / "card.yaml")


@given(seen=st.floats(-0.3, 0.0), given_back=st.floats(-0.4, 0.1))
@settings(max_examples=50, deadline=None)
def test_a_chunk_is_played_only_if_it_was_seen_after_control_came_back(card, seen, given_back):
    plan = Plan(card, "")
    data = np.zeros(card.sample_shape, np.float32)
    chunk = ActionChunk(1000.0 + seen, card.kind, card.row_dt_s, data, np.eye(4), 1, card.id)
    plan.offer(chunk, 1000.0, 50.0)
    plan.outdate(1000.0 + given_back)
    assert (plan.playing(50.0) is chunk) == (chunk.stamp_s > 1000.0 + given_back)
    if plan.playing(50.0) is None:  # and does not stand in the way of the next, whatever its number
        later = replace(chunk, stamp_s=1000.0 + max(given_back, seen) + 1e-3, sequence=1)
        plan.offer(later, 1000.2, 50.2)
        assert plan.playing(50.2) is later
    plan.outdate(-math.inf)
    assert plan.playing(50.2) is not None


def test_the_first_image_after_control_came_back_is_planned_from_however_young_the_last_plan_is(card):
    replanning = Replanning(card)
    replanning.feel(100.0)
    replanning.planned(100.0)
    replanning.feel(100.1)
    assert not replanning.due(100.1)
    replanning.outdate(100.05)
    assert not replanning.due(100.05), "seen while the human moved the robot"
    assert replanning.due(100.1)
    replanning.planned(100.1)
    assert not replanning.due(100.1)


pushes = st.lists(st.floats(-1.0, 1.0), max_size=60)


@given(pushes, st.integers(0, 5))
def test_only_a_push_takes_control_and_only_rest_gives_it_back(values, axis):
    config = TwistConfig(rest_s=0.1)
    deliberate, now_s, held, moved_s = Deliberate(config), 5.0, False, -math.inf
    for value in values:
        now_s += 0.04
        axes = np.zeros(6)
        axes[axis] = value
        before, held = held, deliberate.held(axes, now_s)
        if abs(value) > (config.dead_band if before else config.push):
            moved_s = now_s
        assert held == (now_s - moved_s <= config.rest_s)


def test_the_first_word_ends_a_run_and_silence_ends_it_too():
    run = Run(10.0, 5.0)
    for at_s, human in ((10.1, False), (10.2, True), (10.3, True), (10.4, False), (10.5, True)):
        run.hear("running", human, at_s)
    assert (run.step(10.5), run.interventions) == (None, 2)
    run.end(End(Termination.LABEL, True, ""))
    run.hear("stopped", False, 10.6)
    assert run.step(10.6) == End(Termination.LABEL, True, "")
    assert Run(10.0, 0.5).step(10.5).reason is Termination.DURATION
    assert Run(10.0, 50.0).step(10.1 + SILENCE_S).reason is Termination.LOST
    stopped = Run(10.0, 5.0)
    stopped.hear("stopped", False, 10.1)
    assert stopped.step(10.1).reason is Termination.STOPPED
