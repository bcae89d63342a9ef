"""The joystick: whatever it says or does not say, motion is permitted only by a fresh, held button, and silence stops."""

from hypothesis import given
from hypothesis import strategies as st

from tactus_nodes.joystick import Joystick

TIMEOUT_S, STOP, HOLD = 0.5, 1, 4
readings = st.lists(st.tuples(st.lists(st.integers(0, 1), max_size=8), st.floats(0.0, 1.0), st.floats(0.0, 1.0)))


@given(readings)
def test_stop_and_dead_man_follow_the_last_good_reading_while_it_is_fresh(readings):
    joystick = Joystick(STOP, HOLD, TIMEOUT_S)
    joystick.begin(0.0)
    now_s = heard_s = 0.0
    last = [0] * 8
    for buttons, wait_s, look_s in readings:
        now_s += wait_s
        good = len(buttons) > HOLD
        assert (joystick.take(buttons, now_s) == "") == good
        if good:
            heard_s, last = now_s, buttons
        now_s += look_s
        fresh = now_s - heard_s <= TIMEOUT_S
        assert bool(joystick.stop(now_s)) == (not fresh or bool(last[STOP]))
        assert joystick.dead_man(now_s) == (fresh and bool(last[HOLD]))


def test_one_that_is_never_heard_stops():
    joystick = Joystick(STOP, HOLD, TIMEOUT_S)
    joystick.begin(10.0)
    assert joystick.stop(10.4) == ""
    assert "not heard" in joystick.stop(10.6)
    assert not joystick.dead_man(10.4)


def test_too_few_buttons_are_named():
    joystick = Joystick(STOP, HOLD, TIMEOUT_S)
    assert "3 buttons, expected at least 5" in joystick.take([1, 1, 1], 0.0)
