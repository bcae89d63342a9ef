"""Moving a robot by hand: nothing jumps when control is taken, no step is longer than allowed, and control ends as it should."""

from dataclasses import replace

import numpy as np
import pytest
from gantry import GANTRY, KINEMATICS, pose, posture, state
from hypothesis import given, settings
from hypothesis import strategies as st

from tactus_core.errors import ConfigError, DataError
from tactus_core.geometry import rigid, rotation_matrix, rotation_vector
from tactus_core.teleop.axes import AxisMap, shaped
from tactus_core.teleop.config import LeaderConfig, PoseConfig, TwistConfig
from tactus_core.teleop.keys import DOWN_S, HOLD, MOVES, Keys
from tactus_core.teleop.leader import LeaderMotion
from tactus_core.teleop.operator import HAND_BACK_S, Operator
from tactus_core.teleop.pose import PoseMotion
from tactus_core.teleop.resolved import Resolved
from tactus_core.teleop.twist import TwistMotion

TICK_S, TIMEOUT_S = 0.01, 0.2
quick = settings(max_examples=12, deadline=None)
vectors = st.lists(st.floats(-1.0, 1.0), min_size=6, max_size=6).map(np.array)


def near(T, other, m=1e-9, rad=1e-6):
    return np.linalg.norm(T[:3, 3] - other[:3, 3]) <= m and np.linalg.norm(rotation_vector(T[:3, :3].T @ other[:3, :3])) <= rad


def hand(offset, turn=(0.0, 0.0, 0.0)):
    """Return where a tracked hand is, centimetres around a place far from the robot."""
    return rigid(np.array([5.0, -3.0, 1.0]) + 0.04 * np.asarray(offset), rotation_matrix(np.asarray(turn)))


WAYS = {
    "twist": (lambda: TwistMotion(TwistConfig()), lambda v: v),
    "twist of the tool": (lambda: TwistMotion(TwistConfig(frame="tcp")), lambda v: v),
    "pose": (lambda: PoseMotion(PoseConfig()), lambda v: hand(0.5 * v[:3], v[3:])),  # nowhere so far apart that it is a jump
    "leader": (lambda: LeaderMotion(LeaderConfig(), GANTRY, KINEMATICS, False), lambda v: posture(pose()) + 0.1 * np.array([*v, 0.0])),
    "resolved": (lambda: Resolved(TwistMotion(TwistConfig()), KINEMATICS), lambda v: v),
}


class Bench:
    """An operator on a clock, and a robot that goes a share of the way to its target each tick."""

    def __init__(self, motion, follows=0.3):
        self.operator, self.now_s, self.T, self._follows = Operator(motion, TIMEOUT_S), 50.0, pose(), follows

    def tick(self, reading=None, held=None, known=True):
        self.now_s += TICK_S
        if reading is not None:
            self.operator.take(reading, self.now_s)
        if held is not None:
            self.operator.hold(held, self.now_s)
        target = self.operator.step(state(self.T) if known else None, self.now_s)
        if target is not None:
            way = target.T_base_tcp[:3, 3] - self.T[:3, 3]
            turn = rotation_vector(self.T[:3, :3].T @ target.T_base_tcp[:3, :3])
            self.T = rigid(self.T[:3, 3] + self._follows * way, self.T[:3, :3] @ rotation_matrix(self._follows * turn))
        return target

    def engage(self, reading):
        self.tick(reading, False)
        return self.tick(reading, True)


@pytest.mark.parametrize("way", WAYS)
@quick
@given(readings=st.lists(vectors, min_size=2, max_size=12), follows=st.floats(0.0, 1.0))
def test_nothing_jumps_no_step_is_too_long_and_none_leads_too_far(way, readings, follows):
    make, reading_of = WAYS[way]
    bench, config = Bench(make(), follows), LeaderConfig()
    before = bench.engage(reading_of(readings[0]))
    assert before is not None, bench.operator.trouble
    assert near(before.T_base_tcp, pose())
    for reading in readings[1:]:
        for _ in range(5):
            measured = bench.T
            after = bench.tick(reading_of(reading), True)
            moved = measured[:3, 3] - bench.T[:3, 3]  # of what the target is kept near to
            step = np.linalg.norm(after.T_base_tcp[:3, 3] - before.T_base_tcp[:3, 3])
            lead = np.linalg.norm(after.T_base_tcp[:3, 3] - measured[:3, 3])
            if way == "leader":
                assert lead <= np.sqrt(3) * config.joint_lead_rad + 1e-6
            else:
                assert lead <= config.lead_m + 1e-9
                assert np.linalg.norm(rotation_vector(measured[:3, :3].T @ after.T_base_tcp[:3, :3])) <= config.lead_rad + 1e-6
                assert step <= config.speed_m_s * TICK_S + 2 * (np.linalg.norm(moved) + config.lead_m * follows) + 1e-9
            if follows == 0.0 and way != "leader":
                assert step <= config.speed_m_s * TICK_S + 1e-9
            before = after


@pytest.mark.parametrize("way", WAYS)
def test_letting_go_gives_back_silence_does_not_and_either_way_the_next_press_starts_where_the_robot_is(way):
    make, reading_of = WAYS[way]
    bench, reading = Bench(make()), reading_of(np.full(6, 0.5))
    assert bench.tick(reading, True) is None, "a switch that was never seen open"
    bench.engage(reading)
    bench.tick(reading, True)
    assert bench.tick(reading, False) is None
    assert bench.operator.hands_back(bench.now_s)
    assert not bench.operator.hands_back(bench.now_s + HAND_BACK_S + 0.01)
    assert near(bench.tick(reading, True).T_base_tcp, bench.T)
    while bench.operator.engaged:
        bench.tick()
    assert "nothing for" in bench.operator.trouble
    assert not bench.operator.hands_back(bench.now_s), "silence is no word"
    for held in (True, True, False):
        assert bench.tick(reading, held) is None, "a switch that was held all along"
        assert not bench.operator.hands_back(bench.now_s)
    bench.T = pose(x=0.6)
    target = bench.engage(reading) if way != "leader" else bench.engage(posture(bench.T))
    assert near(target.T_base_tcp, pose(x=0.6))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("loss", ["switch", "readings", "state", "word"])
def test_whatever_fails_takes_control_away_in_time_and_without_a_word(way, loss):
    make, reading_of = WAYS[way]
    bench, reading = Bench(make()), reading_of(np.full(6, 0.1))
    bench.engage(reading)
    if loss == "word":
        bench.operator.fail("it said NaN")
    for _ in range(round(TIMEOUT_S / TICK_S) + 2):
        last = bench.tick(None if loss == "readings" else reading, None if loss == "switch" else True, loss != "state")
    assert last is None
    assert bench.operator.trouble
    assert not bench.operator.engaged
    assert not bench.operator.hands_back(bench.now_s)


@given(st.lists(st.sampled_from(["hold", "open", "silence", "bad"]), max_size=40))
def test_control_is_given_back_by_those_alone_who_had_it_and_let_go(words):
    bench = Bench(TwistMotion(TwistConfig()))
    engaged = open_seen = False
    for word in words:
        had = engaged
        if word == "silence":
            bench.now_s += TIMEOUT_S
            assert bench.tick() is None
            engaged = open_seen = False
        elif word == "bad":
            bench.operator.fail("bad")
            engaged = open_seen = False
        else:
            moves = bench.tick(np.zeros(6), word == "hold") is not None
            assert moves == (word == "hold" and (engaged or open_seen))
            engaged, open_seen = moves, word == "open"
        if had and word == "open":
            assert bench.operator.hands_back(bench.now_s)
        elif had and not engaged:
            assert not bench.operator.hands_back(bench.now_s)
        assert bench.operator.engaged == engaged


def test_a_puck_moves_the_tcp_along_base_or_along_the_tool():
    for frame, axis in (("base", [0, 0, 1.0]), ("tcp", pose()[:3, 2])):
        bench = Bench(TwistMotion(TwistConfig(frame=frame, lead_m=0.2)), follows=0.0)
        bench.engage(np.zeros(6))
        for _ in range(100):
            target = bench.tick(np.array([0, 0, 1.0, 0, 0, 0]), True)
        assert target.T_base_tcp[:3, 3] - pose()[:3, 3] == pytest.approx(0.15 * np.asarray(axis), abs=1e-9)


def test_a_hand_moves_the_tcp_as_it_moves_itself_scaled_and_turned_into_base():
    quarter = (0.0, 0.0, np.pi / 2)
    config = PoseConfig(scale=2.0, turn_base_device_rad=quarter, lead_m=0.2, lead_rad=1.0, speed_m_s=1.0, speed_rad_s=5.0)
    bench = Bench(PoseMotion(config), follows=1.0)
    bench.engage(hand([0, 0, 0]))
    for _ in range(60):
        target = bench.tick(hand([1, 0, 0], [0.3, 0, 0]), True)
    assert target.T_base_tcp[:3, 3] - pose()[:3, 3] == pytest.approx([0, 0.08, 0], abs=1e-9)
    assert rotation_vector(target.T_base_tcp[:3, :3] @ pose()[:3, :3].T) == pytest.approx([0, 0.3, 0], abs=1e-6)


def test_a_hand_whose_tracking_jumps_has_lost_control():
    bench = Bench(PoseMotion(PoseConfig()))
    bench.engage(hand([0, 0, 0]))
    assert bench.tick(hand([0, 0, 5]), True) is None
    assert "jumped by 0.20 m" in bench.operator.trouble


@quick
@given(st.integers(0, 6), st.floats(0.151, 2.0), st.sampled_from([-1.0, 1.0]))
def test_a_leader_that_stands_elsewhere_is_refused_by_the_name_of_the_joint(joint, apart, side):
    bench = Bench(WAYS["leader"][0]())
    q = posture(pose())
    q[joint] += side * apart
    assert bench.engage(q) is None
    assert f"leader's {GANTRY.arm_joints[joint]} stands {side * apart:+.2f} rad" in bench.operator.trouble
    assert bench.tick(posture(pose()), True) is None, "moved into place with the switch held: that is no press"
    assert bench.engage(posture(pose())) is not None
    assert bench.operator.trouble == ""


def test_a_leader_arm_is_followed_joint_by_joint_with_its_signs_and_offsets():
    sign, offset = (1.0, -1.0, 1.0, 1.0, 1.0, 1.0, 1.0), (0.0, 0.0, 0.1, 0.0, 0.0, 0.0, 0.0)
    motion = LeaderMotion(LeaderConfig(leader_sign=sign, leader_offset_rad=offset), GANTRY, KINEMATICS, True)
    bench, q = Bench(motion, follows=1.0), posture(pose())
    bench.engage(np.array(sign) * (q - offset))
    moved = q + np.array([0.02, 0.05, -0.03, 0.2, 0, 0, 0])
    for _ in range(60):
        target = bench.tick(np.append(np.array(sign) * (moved - offset), 99.0), True)  # and a trigger, that is not read
    assert target.arm_rad == pytest.approx(moved)
    assert near(target.T_base_tcp, KINEMATICS.tcp_pose(moved))


def test_a_leader_whose_servo_wraps_has_lost_control():
    bench = Bench(WAYS["leader"][0]())
    bench.engage(posture(pose()))
    wrapped = posture(pose())
    wrapped[4] -= 2 * np.pi
    assert bench.tick(wrapped, True) is None
    assert f"{GANTRY.arm_joints[4]} jumped by 6.28 rad" in bench.operator.trouble


def test_what_no_leader_of_this_arm_says_is_refused():
    with pytest.raises(ConfigError, match="one value, or 7"):
        LeaderMotion(LeaderConfig(leader_sign=(1.0, 1.0)), GANTRY, KINEMATICS, True)
    motion = LeaderMotion(LeaderConfig(), GANTRY, KINEMATICS, True)
    for reading in (np.zeros(6), np.full(7, np.nan)):
        with pytest.raises(DataError, match="7 finite"):
            motion.refusal(reading, state(pose()))
    for way in (motion, WAYS["resolved"][0]()):
        bench = Bench(way)
        bench.tick(np.zeros(7), False)
        bench.operator.take(np.zeros(7), bench.now_s)
        bench.operator.hold(True, bench.now_s)
        assert bench.operator.step(replace(state(bench.T), arm_position_rad=None), bench.now_s) is None
        assert "not tell" in bench.operator.trouble


def test_an_arm_commanded_by_joints_gets_those_that_put_its_tcp_there():
    bench = Bench(WAYS["resolved"][0]())
    assert bench.engage(np.zeros(6)).arm_rad == pytest.approx(posture(pose()), abs=1e-9)
    for _ in range(50):
        target = bench.tick(np.array([1.0, 0, 0, 0, 0, 0.5]), True)
    assert near(KINEMATICS.tcp_pose(target.arm_rad), target.T_base_tcp, 1e-3, 5e-3)


@given(st.floats(-1.0, 1.0), st.floats(-1.0, 1.0), st.floats(0.0, 0.9), st.floats(1.0, 4.0))
def test_a_deflection_is_worth_nothing_in_the_dead_band_all_at_the_edge_and_never_less_for_more(a, b, dead_band, curve):
    one, other = shaped(np.array([a, b]), dead_band, curve)
    assert -1.0 <= one <= 1.0
    assert (one == 0.0) or abs(a) > dead_band
    assert (one <= other) or not a <= b
    assert shaped(np.array([-a]), dead_band, curve)[0] == -one
    assert shaped(np.array([1.0, -1.0]), dead_band, curve) == pytest.approx([1.0, -1.0])


def test_axes_are_picked_scaled_and_checked():
    gamepad = AxisMap((1, 0, 3, -1, -1, 2), button=4, full=0.5)
    assert gamepad.axes([0.1, -0.2, 0.3, 9.0]).tolist() == [-0.4, 0.2, 1.0, 0.0, 0.0, 0.6]
    assert gamepad.held([0, 0, 0, 0, 1])
    assert not gamepad.held([1, 1, 1, 1, 0])
    for bad in ([0.0] * 3, [0.0, np.nan, 0.0, 0.0], [np.inf] * 4):
        with pytest.raises(DataError, match=r"axes|finite"):
            gamepad.axes(bad)
    with pytest.raises(DataError, match="expected at least 5"):
        gamepad.held([1, 1])


@given(st.lists(st.tuples(st.sampled_from([*MOVES, HOLD, "x", "\x1b", "é"]), st.floats(0.0, 0.6)), max_size=30))
def test_a_key_is_down_for_as_long_as_it_repeats_and_any_that_means_something_holds_the_switch(typed):
    keys, now_s, seen_s = Keys(), 100.0, {}
    for key, wait_s in typed:
        keys.press(key, now_s)
        seen_s[key] = now_s
        now_s += wait_s
        down = {key for key, at_s in seen_s.items() if now_s - at_s <= DOWN_S and key in (*MOVES, HOLD)}
        assert keys.held(now_s) == bool(down)
        assert keys.axes(now_s) == [sum(MOVES[key][1] for key in down if key in MOVES and MOVES[key][0] == axis) for axis in range(6)]
