"""Skins: what is each one's own, their parsers, and their emulators against clients that others wrote."""

import itertools
import json
import time

import numpy as np
import pytest
import websocket
from anyskin import AnySkinBase
from emulated import until
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tactus_core.errors import DataError, DeviceError
from tactus_hardware import anyskin, xela
from tactus_hardware.anyskin.baseline import Baseline
from tactus_hardware.anyskin.protocol import END, Frames, pack_frame
from tactus_hardware.xela.protocol import Delay, Message, Patch, pack_message, parse_message

# In the bytes of the number, CR LF: 00 0D 0A 46.
LOOKS_LIKE_AN_END = 8835.25
CUTS = st.lists(st.integers(0, 1000), max_size=6)
quick = settings(max_examples=200, deadline=None)
REST = np.zeros((2, 3))


def frames_of(seed, count):
    """Return frames of two magnetometers; multiples of 1/8 are exact in float32."""
    random = np.random.default_rng(seed)
    return np.concatenate([random.integers(-55, 150, (count, 2, 1)), random.integers(-400_000, 400_000, (count, 2, 3)) / 8.0], axis=2)


def taken(parser, data, cuts):
    """Feed data in pieces."""
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [frame for a, b in itertools.pairwise(edges) for frame in parser.take(data[a:b])]


@given(st.integers(0, 2**32), st.integers(1, 8), st.lists(st.tuples(st.integers(0, 1), st.integers(1, 3))), CUTS)
@quick
def test_a_whole_stream_is_read_whole_in_whatever_pieces_it_comes(seed, count, ends, cuts):
    frames = frames_of(seed, count)
    for chip, axis in ends:
        frames[:, chip, axis] = LOOKS_LIKE_AN_END
    parser = Frames(2)
    assert np.array_equal(taken(parser, END + b"".join(map(pack_frame, frames)), cuts), frames)
    assert parser.damaged == 0


@given(st.integers(0, 2**32), st.integers(0, 67), st.integers(1, 40), CUTS)
@quick
def test_lost_bytes_make_no_frame_and_lose_none_but_their_own(seed, at, lost, cuts):
    frames = frames_of(seed, 7)
    # Without the length of one frame two become one, which nothing on this wire tells from a whole one.
    assume(lost != 34 and not any(END in pack_frame(frame)[:-2] for frame in frames))
    data = END + b"".join(map(pack_frame, frames))
    found = taken(Frames(2), data[: 2 + at] + data[2 + at + lost :], cuts)
    whole = [frame for number, frame in enumerate(frames) if 34 * (number + 1) <= at or 34 * number >= at + lost]
    # Without its CR LF a frame may still find one in what follows.
    told = [frame for number, frame in enumerate(frames) if 34 * number + 32 <= at or 34 * number >= at + lost]
    # The frame after the loss is whole, and lost all the same where the CR LF before it has gone.
    assert len(whole) - 1 <= len(found) <= len(told)
    assert np.array_equal(found[-3:], whole[-3:])
    assert all(any(np.array_equal(frame, sent) for sent in told) for frame in found)


def test_a_baseline_waits_for_a_skin_that_holds_still():
    baseline = Baseline(3, 10.0)
    moving = [REST, REST + 20.0, REST + 40.0, REST + 41.0]
    assert [baseline.less(field) for field in moving] == [None] * 4
    assert baseline.less(REST + 42.0) is None
    assert np.array_equal(baseline.less(REST + 141.0), REST + 100.0)


def test_anyskins_own_client_reads_the_emulator(emulate):
    emulator = emulate("anyskin")
    emulator.tell("set", "field", 3, 100, -200, 300)
    truth = np.array(emulator.tell("state")["rest_uT"])
    truth[3] += [100, -200, 300]
    with AnySkinBase(num_mags=5, port=emulator.address["port"]) as client:
        _, numbers = client.get_sample()
    assert np.abs(numbers.reshape(5, 3) - truth).max() < 4.0


def test_a_skin_touched_at_the_start_is_not_read_before_it_is_let_go(emulate, opened):
    emulator = emulate("anyskin")
    driver = opened(anyskin.DEVICE, emulator.address, baseline_readings=40)
    for strength_uT in range(0, 2000, 100):  # never 40 readings at rest
        emulator.tell("set", "field", 0, strength_uT, 0, 0)
        reading = driver.read(0.01)
        assert reading is None
    assert "do not touch" in driver.health.trouble
    reading = until(lambda: driver.read(0.05))
    assert np.abs(reading.value.value).max() < 4.0
    assert (reading.value.unit, reading.value.names[4]) == ("uT", "magnetometer4")
    assert np.isnan(reading.value.position_m).all()


def test_a_grasp_outlives_a_lost_connection(emulate, opened):
    emulator = emulate("anyskin")
    driver = opened(anyskin.DEVICE, emulator.address)
    until(lambda: driver.read(0.05))
    emulator.tell("set", "field", 1, 0, 0, 500)
    emulator.tell("disconnect", 0.2)
    until(lambda: driver.read(0.05) is None and not driver.health.connected)
    reading = until(lambda: driver.read(0.05))
    assert reading.value.value[1, 2] == pytest.approx(500.0, abs=4.0)


@pytest.mark.parametrize(("kind", "verb", "touch"), [(anyskin.DEVICE, "field", 500.0), (xela.DEVICE, "press", 5.0)])
def test_what_waited_while_nobody_read_is_not_passed_on(kind, verb, touch, emulate, opened):
    emulator = emulate(kind.name)
    driver = opened(kind, emulator.address)
    until(lambda: driver.read(0.05))
    time.sleep(0.4)  # the line keeps what is oldest
    emulator.tell("set", verb, 0, 0, 0, touch)
    time.sleep(0.2)
    reading = until(lambda: driver.read(0.05))
    assert reading.value.value[0, 2] == pytest.approx(touch, rel=0.02)
    assert time.monotonic() - reading.stamp_s < 0.15


@pytest.mark.parametrize(("verb", "fault"), [("dead", "missing"), ("stuck", "stuck")])
def test_a_magnetometer_that_fails_is_named_and_nothing_is_read(verb, fault, emulate, opened):
    emulator = emulate("anyskin")
    driver = opened(anyskin.DEVICE, emulator.address, baseline_readings=0)
    until(lambda: driver.read(0.05))
    emulator.tell("set", verb, 3)
    until(lambda: driver.read(0.05) is None and driver.health.counts[fault] > 20)
    assert "magnetometer3" in driver.health.trouble
    readings = driver.health.counts["readings"]
    assert all(driver.read(0.01) is None for _ in range(20))
    assert driver.health.counts["readings"] == readings
    assert driver.health.connected
    emulator.tell("set", "well")
    until(lambda: driver.read(0.05))


def test_another_number_of_magnetometers_is_found_out(emulate, opened):
    with pytest.raises(DeviceError, match="magnetometers"):
        opened(anyskin.DEVICE, emulate("anyskin").address, magnetometers=4)


PATCHES = {1: Patch(np.array([[1, 0, 65535], [5, 6, 7.0]]), np.array([[0.5, -1.0, 2.0], [0, 0, 0]])), 7: Patch(np.full((1, 3), 9.0), None)}
WHOLE = json.loads(pack_message(Message(4, 1e9, PATCHES), {1: "uSPa44", 7: "uSPa11"}))


def test_a_message_says_what_was_packed():
    found = parse_message(json.dumps(WHOLE).encode())
    assert (found.number, found.time_s, list(found.patches)) == (4, 1e9, [1, 7])
    for sensor, patch in PATCHES.items():
        assert np.array_equal(found.patches[sensor].raw_counts, patch.raw_counts)
    assert np.array_equal(found.patches[1].calibrated, PATCHES[1].calibrated)
    assert found.patches[7].calibrated is None
    assert parse_message(b'{"message": "Welcome"}') is None


@pytest.mark.parametrize(
    "change",
    [
        {"message": "4"}, {"message": True}, {"message": -1}, {"1": []},
        {"1": {**WHOLE["1"], "taxels": 3}}, {"1": {**WHOLE["1"], "taxels": "2"}}, {"1": {**WHOLE["1"], "data": "1,2,3,4,5,10000"}},
        {"1": {**WHOLE["1"], "data": "1,2,3,4,5,x"}},
        {"1": {**WHOLE["1"], "data": "1,2,3,4,5,-1"}}, {"1": {**WHOLE["1"], "calibrated": [1, 2, 3]}},
        {"1": {**WHOLE["1"], "calibrated": [1, 2, 3, 4, 5, float("nan")]}}, {"1": {**WHOLE["1"], "calibrated": [1, 2, 3, 4, 5, None]}},
        {"1": {**WHOLE["1"], "calibrated": [1, 2, 3, 4, 5, 10**400]}}, {"1": {**WHOLE["1"], "time": "now"}},
    ],
)  # fmt: skip
def test_a_message_that_contradicts_itself_is_refused(change):
    with pytest.raises(DataError):
        parse_message(json.dumps({**WHOLE, **change}).encode())


@pytest.mark.parametrize("text", [b"", b"[1]", b"7", b'{"message": 1, "1"', b"\xff\xfe\x00", b"[" * 100_000])
def test_what_is_no_message_is_refused(text):
    with pytest.raises(DataError):
        parse_message(text)


@quick
@given(st.lists(st.tuples(st.floats(0.0, 10.0), st.floats(0.0, 1.0)), min_size=1), st.floats(-1e6, 1e6))
def test_delay_is_told_apart_from_clocks_that_differ(sent, apart_s):
    delay, least_s = Delay(), np.inf
    for sent_s, under_way_s in sent:
        least_s = min(least_s, under_way_s)
        assert delay.of(sent_s + apart_s, sent_s + under_way_s) == pytest.approx(under_way_s - least_s, abs=1e-6)


def test_another_websocket_client_reads_the_emulator(emulate):
    emulator = emulate("xela")
    emulator.tell("set", "press", 24, 0.5, -0.5, 2.0)
    client = websocket.create_connection(f"ws://127.0.0.1:{emulator.address['port']}", timeout=5.0)
    assert json.loads(client.recv()) == {"message": "Welcome"}
    message = json.loads(client.recv())
    client.close()
    assert message["type"] == "routine"
    assert (message["1"]["taxels"], message["2"]["model"]) == (24, "uSPa44")
    assert message["2"]["calibrated"][:3] == pytest.approx([0.5, -0.5, 2.0], abs=0.05)
    assert int(message["2"]["data"].split(",")[2], 16) == pytest.approx(34768, abs=50)


def test_taxels_come_in_the_order_that_is_asked_for_and_in_counts_where_asked(emulate, opened):
    emulator = emulate("xela")
    emulator.tell("set", "press", 24, 0, 0, 3)
    driver = opened(xela.DEVICE, {**emulator.address, "sensors": [2, 1]}, values="raw")
    taxels = until(lambda: driver.read(0.05)).value
    assert (taxels.unit, taxels.value.shape, taxels.names[0], taxels.names[16]) == ("counts", (40, 3), "2/0", "1/0")
    assert taxels.value[0, 2] == pytest.approx(32768 + 3000, abs=50)


def test_a_server_without_what_is_asked_for_is_named(emulate, opened):
    emulator = emulate("xela")
    with pytest.raises(DeviceError, match=r"no sensor \[3\]"):
        opened(xela.DEVICE, {**emulator.address, "sensors": [1, 3]})
    emulator.tell("set", "calibrated", 0)
    time.sleep(0.05)  # five messages: what was under way has gone
    with pytest.raises(DeviceError, match=r"xServ\.ini"):
        opened(xela.DEVICE, emulator.address)


def test_a_sensor_that_goes_missing_ends_the_readings(emulate, opened):
    emulator = emulate("xela")
    driver = opened(xela.DEVICE, emulator.address)
    until(lambda: driver.read(0.05))
    emulator.tell("set", "absent", 2)
    until(lambda: driver.read(0.05) is None and "no sensor [2]" in driver.health.trouble)
    assert driver.health.counts["missing"] > 0
    emulator.tell("set", "absent", 0)
    until(lambda: driver.read(0.05))
