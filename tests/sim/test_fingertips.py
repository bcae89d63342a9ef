"""A tracked hand: the robot's fingertips move as the human's do, from where they are, no faster than allowed and within the limits."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tactus_core.errors import ConfigError, DataError
from tactus_core.fingertips import Fingertips
from tactus_core.geometry import rotation_matrix
from tactus_core.teleop.config import HandControlConfig
from tactus_core.teleop.hand import TrackedHand
from tactus_core.types import RobotState
from tactus_sim.robot import PANDA_ALLEGRO as ROBOT

TIPS = Fingertips(ROBOT)
TICK_S = 0.01
HUMAN = np.array([[0.09, 0.03, 0.0], [0.1, 0.0, 0.0], [0.09, -0.03, 0.0], [0.03, 0.06, 0.02]])


def here(share=0.5):
    return RobotState(0.0, np.eye(4), np.zeros(6), np.zeros(4), ROBOT.hand_posture(share))


@given(st.lists(st.floats(-0.02, 0.02), min_size=12, max_size=12), st.floats(0.2, 0.8))
@settings(max_examples=40, deadline=None)
def test_tips_get_where_they_can_get(way_m, share):
    start = ROBOT.hand_posture(share)
    # Somewhere that the fingers reach: where other joints put them.
    aim = TIPS.positions(np.clip(start + np.resize(np.array(way_m) * 10.0, 16), TIPS.low_rad, TIPS.high_rad))
    q = start
    for _ in range(60):
        q = TIPS.towards(q, aim)
        assert ((q >= TIPS.low_rad) & (q <= TIPS.high_rad)).all()
    assert np.linalg.norm(TIPS.positions(q) - aim, axis=1).max() < 2e-3


def test_the_robots_tips_move_as_the_humans_from_where_both_are():
    config = HandControlConfig(tip_scale=1.2, turn_palm_device_rad=(0.0, 0.0, 0.5))
    hand, now_s = TrackedHand(config, ROBOT), 5.0
    # Somewhere that the fingers reach; as the human's hand is turned, and smaller.
    began_rad = here().hand_position_rad
    wanted_m = TIPS.positions(np.clip(began_rad + 0.15, TIPS.low_rad, TIPS.high_rad)) - TIPS.positions(began_rad)
    way_m = wanted_m @ rotation_matrix(np.array([0.0, 0.0, 0.5])) / 1.2
    first = hand.step(HUMAN, here(), now_s, True)
    np.testing.assert_array_equal(first, began_rad)
    for share in np.linspace(0.0, 1.0, 60):
        now_s += TICK_S
        last, first = first, hand.step(HUMAN + share * way_m, here(), now_s, True)
        assert np.abs(first - last).max() <= config.hand_speed_rad_s * TICK_S + 1e-9
    for _ in range(40):
        first = hand.step(HUMAN + way_m, here(), now_s := now_s + TICK_S, True)
    moved = TIPS.positions(first) - TIPS.positions(began_rad)
    assert np.linalg.norm(wanted_m, axis=1).min() > 0.005
    np.testing.assert_allclose(moved, wanted_m, atol=2e-3)


def test_it_is_left_alone_until_it_is_tracked_and_begins_anew_with_control():
    hand = TrackedHand(HandControlConfig(), ROBOT)
    assert hand.step((), here(), 5.0, True) is None
    np.testing.assert_array_equal(hand.step(HUMAN, here(0.2), 5.01, True), here(0.2).hand_position_rad)
    assert hand.step(HUMAN, here(0.2), 5.02, False) is None
    # Meanwhile the human's hand went elsewhere, and so did the robot's.
    np.testing.assert_array_equal(hand.step(HUMAN + 0.3, here(0.7), 6.0, True), here(0.7).hand_position_rad)


@pytest.mark.parametrize("reading", [HUMAN[:3], HUMAN * np.nan, HUMAN + np.array([0.06, 0.0, 0.0])], ids=["three", "nan", "a jump"])
def test_what_is_no_tracked_hand_is_refused(reading):
    hand = TrackedHand(HandControlConfig(), ROBOT)
    hand.step(HUMAN, here(), 5.0, True)
    with pytest.raises(DataError):
        hand.step(reading, here(), 5.01, True)


def test_a_hand_whose_fingertips_are_not_known_is_refused():
    with pytest.raises(ConfigError, match="no fingers"):
        Fingertips(replace(ROBOT, fingers=()))
