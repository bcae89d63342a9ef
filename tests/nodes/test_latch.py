"""The latch: whatever the order of events, it opens only by a release that nothing came between, after the cool-down."""

from hypothesis import given
from hypothesis import strategies as st

from tactus_nodes.latch import Latch

COOLDOWN_S = 1.0


def test_a_press_says_its_cause_once():
    latch = Latch(COOLDOWN_S)
    assert latch.press("a", 0.0)
    assert not latch.press("a", 0.1)
    assert latch.press("b", 0.2)
    assert latch.causes == ["a", "b"]


def test_a_press_during_a_release_is_news_and_ends_it():
    latch = Latch(COOLDOWN_S)
    latch.press("a", 0.0)
    latch.try_release()
    assert not latch.pressed
    assert latch.press("a", 2.0)
    assert latch.pressed
    assert latch.left_s(2.0) == COOLDOWN_S


def test_a_release_that_is_given_up_leaves_it_pressed_for_the_same_causes():
    latch = Latch(COOLDOWN_S)
    latch.press("a", 0.0)
    latch.try_release()
    latch.keep()
    assert latch.pressed
    assert latch.causes == ["a"]


@given(st.lists(st.tuples(st.sampled_from(["press", "try", "keep", "release"]), st.floats(0.0, 0.6))))
def test_it_is_pressed_from_a_press_to_a_release(events):
    latch, now_s, pressed_s, releasing = Latch(COOLDOWN_S), 0.0, None, False
    for event, wait_s in events:
        now_s += wait_s
        if event == "press":
            latch.press("somebody", now_s)
            pressed_s, releasing = now_s, False
        elif event == "try" and latch.left_s(now_s) == 0.0:
            latch.try_release()
            releasing = True
        elif event == "keep":
            latch.keep()
            releasing = False
        elif event == "release" and releasing:
            latch.release()
            pressed_s, releasing = None, False
        assert latch.pressed == (pressed_s is not None and not releasing)
        assert bool(latch.causes) == (pressed_s is not None)
        if pressed_s is not None and now_s - pressed_s < COOLDOWN_S - 1e-9:
            assert latch.left_s(now_s) > 0.0
