"""New weights give way when they are surely worse than those before, and for nothing less."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tactus_core.policy.success import SuccessConfig, SuccessWindow, wilson

episodes = st.lists(st.booleans(), max_size=60)


def lived(window, outcomes):
    for success in outcomes:
        window.begin()
        window.end(success)


def swapped(before, since, **config):
    window = SuccessWindow(SuccessConfig(**config))
    lived(window, before)
    window.swapped(0.0)
    lived(window, since)
    return window


@given(before=episodes, since=episodes)
@settings(max_examples=50)
def test_weights_fall_exactly_when_the_two_intervals_do_not_meet(before, since):
    window = swapped(before, since)
    last, first = since[-50:], before[-50:]
    apart = wilson(sum(last), len(last))[1] < wilson(sum(first), len(first))[0]
    assert bool(window.fall()) == (apart and len(since) >= 3)


@given(before=episodes, since=episodes)
@settings(max_examples=50)
def test_who_succeeds_as_often_as_before_does_not_fall(before, since):
    if since and sum(since) * len(before) >= sum(before) * len(since):
        assert not swapped(before, since, window=1000).fall()


@given(before=episodes, least=st.integers(1, 10))
@settings(max_examples=25)
def test_nobody_falls_before_there_is_something_to_judge(before, least):
    assert not swapped(before, [False] * (least - 1), least=least).fall()


@given(good=st.integers(9, 60))
@settings(max_examples=25)
def test_a_policy_that_always_fails_falls_within_a_few_episodes_of_a_good_record(good):
    assert swapped([True] * good, [False] * 3).fall()


@given(before=episodes, since=episodes, later=episodes)
@settings(max_examples=25)
def test_what_came_since_counts_as_before_once_it_was_kept_and_as_nothing_once_it_was_taken_back(before, since, later):
    kept, taken = swapped(before, since), swapped(before, since)
    kept.swapped(0.0)
    taken.rolled_back(0.0)
    lived(kept, later)
    lived(taken, later)
    assert kept.fall() == swapped((before + since)[-50:], later).fall()
    assert taken.fall() == swapped(before, later).fall()


@given(words=st.lists(st.sampled_from(["begin", "help", True, False, None]), max_size=40))
@settings(max_examples=50)
def test_an_episode_counts_once_by_its_first_word_and_is_no_success_with_help(words):
    window, counted, is_open, helped = SuccessWindow(SuccessConfig(least=1)), [], False, False
    lived(window, [True] * 50)
    window.swapped(0.0)
    for word in words:
        if word == "begin":
            window.begin()
            is_open, helped = True, False
        elif word == "help":
            window.help()
            helped = True
        else:
            window.end(word)
            counted += [word and not helped] if is_open and word is not None else []
            is_open = False
    assert window.fall() == swapped([True] * 50, counted, least=1).fall()


@given(before=episodes, tried=episodes, noise=st.sampled_from([0.3, 1.0]))
@settings(max_examples=50)
def test_who_explores_is_not_held_against_who_does_not(before, tried, noise):
    window = SuccessWindow(SuccessConfig())
    lived(window, before)
    window.swapped(noise)
    lived(window, tried)
    assert not window.fall()
    window.swapped(1.3 - noise)
    lived(window, [False] * 10)
    assert not window.fall(), "nor one that tries more against one that tries less"


@given(before=episodes, tried=episodes, since=episodes, more=episodes)
@settings(max_examples=50)
def test_those_with_as_much_noise_are_compared_though_others_acted_in_between(before, tried, since, more):
    window = SuccessWindow(SuccessConfig())
    for noise, outcomes in ((0.0, before), (1.0, tried), (0.0, since), (1.0, more)):
        window.swapped(noise)
        lived(window, outcomes)
        same = {0.0: before, 1.0: tried}[noise]
        expected = "" if outcomes is same else swapped(same, outcomes).fall()
        assert window.fall() == expected
