"""Time to safe, resumption, rest: judged on made-up observations whose answers are known."""

import numpy as np
import pytest

from tactus_cli.faults import kinds, report
from tactus_cli.faults.bounds import Bounds
from tactus_cli.faults.graph import Counted
from tactus_cli.faults.kinds import Answer
from tactus_cli.faults.limits import Limits
from tactus_cli.faults.observation import Decision, Observation, Sample
from tactus_cli.faults.score import Span, score, time_to_safe, unplanned_resumes
from tactus_cli.faults.trial import Trial
from tactus_core.errors import ConfigError
from tactus_core.guard.config import GuardConfig
from tactus_nodes.contract import Row

BOUNDS = Bounds(sensed=0.1, proposed=0.1, planned=1.25, seen=1.55, unheard=0.55, cut=0.1, frozen=frozenset({"joint_states"}))
LIMITS = Limits.of(GuardConfig(), np.array([np.full(2, -1.0), np.full(2, 1.0)]))
SPAN = Span(fault_s=10.0, due_s=10.1, lifted_s=11.0, allowed_s=11.0, end_s=12.0)
POSE = np.array([0.5, 0.0, 0.3, 0.0, 0.0, 0.0, 1.0])
T = np.eye(4)
T[:3, 3] = POSE[:3]


def seen(*states, sent=True, holding=()):
    """Return an observation with a verdict every 5 ms: (state, until) one after the other, from 9.5 s on."""
    out = Observation(("a",), ("b", "c"), holding=list(holding))
    at_s = 9.5
    for state, until_s in states:
        while at_s < until_s:
            out.decisions.append(Decision(at_s, state, (), POSE if sent else None, None))
            if sent:
                out.arm.append(Sample(at_s + 0.001, POSE))
            out.measured.append(Sample(at_s, np.zeros(1)))
            out.force_N.append(Sample(at_s, np.array([0.0, 0.0, -3.0])))
            at_s += 0.005
    return out


def judged(observation, must_rest=True, span=SPAN):
    return score(observation, span, must_rest, LIMITS, lambda q: T)


def test_time_to_safe_is_that_of_the_first_verdict_that_does_not_run():
    observation = seen(("running", 10.0501), ("slowing", 10.3), ("holding", 11.0), ("running", 12.0))
    assert time_to_safe(observation, SPAN) == pytest.approx(0.055, abs=0.006)
    assert judged(observation).unplanned_resumes == 0


def test_a_guard_that_runs_on_is_never_safe():
    assert time_to_safe(seen(("running", 12.0)), SPAN) is None
    assert judged(seen(("running", 12.0))).time_to_safe_s is None


def test_running_on_is_safe_where_good_data_are_left():
    result = judged(seen(("running", 12.0)), must_rest=False)
    assert (result.time_to_safe_s, result.rested, result.violations) == (0.0, False, {})


def test_resuming_before_it_is_allowed_counts_and_takes_the_safety_back():
    observation = seen(("running", 10.05), ("holding", 10.2), ("running", 10.4), ("holding", 12.0))
    assert time_to_safe(observation, SPAN) == pytest.approx(0.4, abs=0.006)
    assert unplanned_resumes(observation.decisions, SPAN) == 1


def test_while_data_are_young_enough_a_rest_of_another_cause_may_end():
    observation = seen(("running", 10.02), ("holding", 10.05), ("running", 10.08), ("holding", 12.0))
    assert unplanned_resumes(observation.decisions, SPAN) == 0
    assert time_to_safe(observation, SPAN) == pytest.approx(0.08, abs=0.006)


def test_resuming_is_not_allowed_before_a_reset():
    latched = Span(10.0, 10.1, 11.0, float("inf"), 12.0)
    assert unplanned_resumes(seen(("running", 10.05), ("stopped", 11.5), ("running", 12.0)).decisions, latched) == 1
    assert unplanned_resumes(seen(("running", 10.05), ("stopped", 12.0)).decisions, latched) == 0


def test_a_device_that_holds_is_safe_when_the_guard_is_silent():
    observation = seen(("running", 10.001), holding=[(9.0, False), (10.08, True)])
    assert time_to_safe(observation, SPAN) == pytest.approx(0.08, abs=1e-6)


def test_rest_is_when_the_target_stands_for_good():
    observation = seen(("running", 10.1), ("holding", 12.0))
    for i, decision in enumerate(observation.decisions):
        if decision.at_s < 10.1:
            pose = POSE + np.array([0.0005 * np.sin(i), 0, 0, 0, 0, 0, 0])
            observation.decisions[i] = Decision(decision.at_s, decision.state, (), pose, None)
            observation.arm[i] = Sample(observation.arm[i].at_s, pose)
    assert judged(observation).time_to_rest_s == pytest.approx(0.1, abs=0.01)


def test_a_command_without_a_verdict_is_counted():
    observation = seen(("running", 12.0))
    observation.arm.insert(150, Sample(observation.arm[150].at_s, POSE + 0.1))
    assert judged(observation).unverified == 1


def test_force_is_that_after_the_fault():
    observation = seen(("holding", 12.5))
    observation.force_N.append(Sample(9.8, np.array([50.0, 0.0, 0.0])))
    assert judged(observation).peak_force_N == pytest.approx(3.0)


def test_verdicts_missed_are_counted_through_the_life_of_several_guards():
    counted = Counted()
    for ticks, verdicts in ((150, 150), (350, 350), (550, 545)):
        counted.seen = verdicts
        counted.hear(ticks)
    assert counted.missed == 5
    for ticks, verdicts in ((20, 560), (120, 660), (320, 858)):
        counted.seen = verdicts
        counted.hear(ticks)
    assert counted.missed == 7


def test_more_kinds_than_are_promised_each_with_a_bound_where_motion_has_to_end():
    found = kinds.find((), ("guard", "sim_device"), BOUNDS)
    assert len(found) >= 22
    assert len({kind.name for kind in found}) == len(found)
    assert all(kind.bound_s > 0.0 and kind.watch_s >= kind.bound_s for kind in found if kind.answer is Answer.REST)
    latched = {kind.name for kind in found if kind.recovery == "reset"}
    assert {"kill_guard", "stop_sim_device", "estop_topic"} <= latched
    assert "kill_perception" not in latched


def test_bounds_are_those_that_the_nodes_declare():
    rows = [Row("guard", topic, 0.05, frozen_s, "") for topic, frozen_s in (("joint_states", 0.05), ("wrench", 0.05), ("tactile", None))]
    rows += [Row("guard", "proposal", 0.04, None, ""), Row("guard", "estop", 0.5, None, ""), Row("supervisor", "heartbeat", 0.4, None, "")]
    rows += [Row("fast_policy", "chunk", 1.2, None, ""), Row("perception", "camera/image", 0.3, 0.3, "")]
    found = Bounds.of([*rows, Row("slow_policy", "features", 0.2, None, "")])
    assert (found.sensed, found.proposed, found.planned) == pytest.approx((0.1, 0.09, 1.25))
    assert (found.seen, found.unheard) == pytest.approx((1.55, 0.55))
    answers = {kind.name: kind.answer for kind in kinds.kinds((), found)}
    assert (answers["frozen_wrench"], answers["frozen_tactile"]) == (Answer.REST, Answer.EITHER)


def test_an_unknown_kind_is_refused():
    with pytest.raises(ConfigError, match="no fault dance"):
        kinds.find(("dance",), (), BOUNDS)


def test_a_row_is_sound_only_where_every_trial_was():
    kind = kinds.find(("silent_wrench",), (), BOUNDS)[0]
    good = judged(seen(("running", 10.05), ("holding", 11.0), ("running", 12.0)))
    never = judged(seen(("running", 12.0)))
    rows = [
        report.summarise(kind, [Trial(good, True, True)] * 2),
        report.summarise(kind, [Trial(good, True, True), Trial(never, True, True)]),
    ]
    assert [report.sound(row) for row in rows] == [True, False]
    assert rows[1]["time_to_safe_ms"]["max"] is None
    assert not report.sound(report.summarise(kind, [Trial(good, False, True)]))
    assert report.markdown(rows).count("**no**") == 1
