"""The robot's hand by buttons, or as a led hand: it is left alone until it is told, never jumps, and stays between rest and grip."""

from dataclasses import replace

import numpy as np
import pytest
from gantry import GANTRY, KINEMATICS, pose, state
from hypothesis import given
from hypothesis import strategies as st

from tactus_core.errors import ConfigError, DataError
from tactus_core.teleop.config import HandControlConfig
from tactus_core.teleop.hand import Grip, LedHand

TICK_S = 0.01
JOINTS = len(GANTRY.hand_joints)
TWO = replace(GANTRY, fingers=(GANTRY.hand_joints[: JOINTS // 2], GANTRY.hand_joints[JOINTS // 2 :]))
BUTTONS = HandControlConfig(close_button=0, open_button=1, finger_buttons=(2, 3))


def led_by(hand):
    """A leader's reading: its arm's joints, then what it says of its hand."""
    return np.concatenate([np.zeros(len(GANTRY.arm_joints)), hand])


def here(share):
    return replace(state(pose()), hand_position_rad=GANTRY.hand_rest_rad + share * (GANTRY.hand_grip_rad - GANTRY.hand_rest_rad))


@given(st.lists(st.tuples(*[st.integers(0, 1)] * 4), min_size=1, max_size=40), st.floats(0.0, 1.0))
def test_fingers_move_only_by_buttons_from_where_they_are_and_no_faster_than_allowed(pressed, share):
    grip, now_s, last, told = Grip(BUTTONS, TWO), 5.0, np.full(2, share), False
    way = GANTRY.hand_grip_rad - GANTRY.hand_rest_rad
    for buttons in pressed:
        now_s += TICK_S
        hand = grip.step(buttons, here(share), now_s, True)
        told = told or buttons[0] != buttons[1]
        assert (hand is not None) == told
        if hand is None:
            continue
        gone = np.divide(hand - GANTRY.hand_rest_rad, way, out=np.full(JOINTS, np.nan), where=way != 0)
        press = np.array([np.nanmean(gone[: JOINTS // 2]), np.nanmean(gone[JOINTS // 2 :])])
        assert ((press >= -1e-9) & (press <= 1 + 1e-9)).all()
        still = [chosen == 0 and any(buttons[2:]) for chosen in buttons[2:]]
        allowed = np.where(still, 0.0, BUTTONS.press_speed_1_s * TICK_S)
        assert (np.abs(press - last) <= allowed + 1e-9).all()
        last = press
    assert grip.step((1, 0), here(share), now_s + 1.0, False) is None
    assert grip.step((0, 0), here(share), now_s + 2.0, True) is None, "control was taken anew"


@given(st.lists(st.floats(-3.0, 3.0), min_size=1, max_size=20))
def test_a_led_hand_is_followed_from_where_the_robots_is_measured_and_within_its_limits(led):
    config = HandControlConfig()
    hand, now_s = LedHand(config, GANTRY, KINEMATICS), 5.0
    last = hand.step(led_by(np.full(JOINTS, led[0])), here(0.3), now_s, True)
    assert np.array_equal(last, here(0.3).hand_position_rad)
    for value in led:
        now_s += TICK_S
        q = hand.step(led_by(np.full(JOINTS, value)), here(0.3), now_s, True)
        assert np.abs(q - last).max() <= config.hand_speed_rad_s * TICK_S + 1e-9
        assert (q <= KINEMATICS.hand_high_rad + 1e-9).all()
        assert (q >= KINEMATICS.hand_low_rad - 1e-9).all()
        last = q


def test_a_trigger_closes_the_hand_and_a_wrong_count_or_nan_is_refused():
    hand = LedHand(HandControlConfig(leader_open_rad=0.1, leader_closed_rad=0.5, hand_speed_rad_s=20.0), GANTRY, KINEMATICS)
    for tick in range(200):
        q = hand.step(led_by([0.5]), here(0.0), 5.0 + tick * TICK_S, True)
    assert q == pytest.approx(GANTRY.hand_grip_rad)
    assert hand.step(led_by([]), here(0.0), 8.0, True) is None, "a leader without a hand"
    for bad in (np.zeros(JOINTS + 1), np.array([np.nan])):
        with pytest.raises(DataError, match="expected one finite joint"):
            hand.step(led_by(bad), here(0.0), 8.1, True)
    with pytest.raises(ConfigError, match="one for each finger"):
        Grip(HandControlConfig(finger_buttons=(1, 2, 3)), TWO)
