"""Samples are put together whatever happens to their clock: keys may jump, parts may be lost, others may send garbage."""

from hypothesis import given
from hypothesis import strategies as st

from tactus_core.gathering import Gathering, Joining

PARTS = 3


def deliver(gathering, key, value, parts=range(PARTS)):
    return [done for index in parts if (done := gathering.put(index, key, (index, value))) is not None]


@given(jumps=st.lists(st.sampled_from([1, 1, 1, 3600, -3600, -7]), max_size=60), capacity=st.integers(1, 8))
def test_every_whole_sample_is_handed_over_once_whatever_its_clock_does(jumps, capacity):
    gathering, key, seen = Gathering(PARTS, capacity), 0, set()
    for number, jump in enumerate(jumps):
        key += jump
        if key in seen:
            continue
        seen.add(key)
        assert deliver(gathering, key, number) == [[(index, number) for index in range(PARTS)]]
    assert gathering.lost == 0


@given(steps=st.lists(st.tuples(st.integers(-5000, 5000), st.booleans()), max_size=60), capacity=st.integers(1, 8))
def test_incomplete_samples_of_any_time_keep_no_whole_one_out(steps, capacity):
    gathering, incomplete = Gathering(PARTS, capacity), 0
    for number, (garbage, between) in enumerate(steps):
        if between:
            gathering.put(0, ("garbage", garbage, number), garbage)
            incomplete += 1
        assert len(deliver(gathering, number, number)) == 1
    assert gathering.lost == incomplete


@given(lost=st.sets(st.integers(0, 19)), part=st.integers(0, PARTS - 1))
def test_what_lacks_a_part_is_given_up_and_counted(lost, part):
    gathering, done = Gathering(PARTS), []
    for number in range(20):
        done += deliver(gathering, number, number, [i for i in range(PARTS) if not (number in lost and i == part)])
    assert [sample[0][1] for sample in done] == [number for number in range(20) if number not in lost]
    whole = [number for number in range(20) if number not in lost]
    assert gathering.lost == len([number for number in lost if whole and number < whole[-1]])


def test_parts_may_come_in_batches_by_stream():
    gathering = Gathering(PARTS)
    for index in range(PARTS - 1):
        for number in range(100):
            assert gathering.put(index, number, number) is None
    assert [gathering.put(PARTS - 1, number, number) for number in range(100)] == [[number] * PARTS for number in range(100)]
    assert gathering.lost == 0


@given(count=st.integers(0, 40), capacity=st.integers(1, 8))
def test_a_stream_alone_fills_no_memory(count, capacity):
    gathering = Gathering(PARTS, capacity)
    for number in range(count):
        gathering.put(0, number, number)
    assert gathering.lost == max(0, count - capacity)


@given(
    steps=st.lists(st.tuples(st.integers(0, 2), st.floats(0.0, 0.08)), max_size=60),
    ages_s=st.tuples(st.floats(0.01, 0.2), st.floats(0.01, 0.2)),
)
def test_devices_of_their_own_are_joined_with_the_newest_of_each_and_never_with_an_old_one(steps, ages_s):
    joining, now_s, newest, lost = Joining(ages_s), 100.0, {}, 0
    for number, (index, dt_s) in enumerate(steps):
        now_s += dt_s
        sample = joining.put(index, now_s, number)
        if index:
            newest[index] = (now_s, number)
            assert sample is None
        elif all(i in newest and now_s - newest[i][0] <= ages_s[i - 1] for i in (1, 2)):
            assert sample == [number, newest[1][1], newest[2][1]]
        else:
            assert sample is None
            lost += 1
    assert joining.lost == lost


def test_an_arm_alone_is_a_sample_each_time():
    joining = Joining(())
    assert [joining.put(0, float(now_s), now_s) for now_s in range(3)] == [[0], [1], [2]]
