"""Bytes to newtons: RDT records, their order and calibration; FT 300 frames; and the one place where sign and frame are turned."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymodbus.framer.rtu import FramerRTU

from tactus_core.errors import DeviceError
from tactus_core.perception.mounting import Mounting
from tactus_hardware import crc
from tactus_hardware.ft300 import Ft300Config
from tactus_hardware.ft300 import protocol as ft300
from tactus_hardware.order import Order
from tactus_hardware.rdt import protocol as rdt
from tactus_hardware.rdt.protocol import Calibration, Record
from tactus_hardware.wrench import WrenchConfig

XML = (
    "<?xml version='1.0'?><netft><prodname>Ethernet Axia</prodname><cfgcpf>{cpf}</cfgcpf>"
    "<cfgcpt>{cpt}</cfgcpt><scfgfu>{force}</scfgfu><scfgtu>{torque}</scfgtu></netft>"
)
WORDS = st.integers(0, 2**32 - 1)
COUNTS = st.tuples(*[st.integers(-(2**31), 2**31 - 1)] * 6)


def calibration(cpf="1000000", cpt="1000000", force="N", torque="Nm"):
    return rdt.parse_calibration(XML.format(cpf=cpf, cpt=cpt, force=force, torque=torque).encode())


def test_a_record_is_36_big_endian_bytes():
    data = bytes.fromhex("00000001 00000002 80010000 000F4240 FFF0BDC0 00000000 00000000 00000000 7FFFFFFF")
    record = rdt.parse_record(data)
    assert record == Record(1, 2, 0x80010000, (1_000_000, -1_000_000, 0, 0, 0, 2**31 - 1))
    assert Calibration(1e6, 1e6).wrench(record.counts)[:2] == pytest.approx([1.0, -1.0])
    assert rdt.pack_record(record) == data
    assert rdt.pack_request(rdt.Command.STREAM) == bytes.fromhex("1234 0002 00000000")


@given(WORDS, WORDS, WORDS, COUNTS)
def test_records_survive_the_wire(rdt_sequence, ft_sequence, status, counts):
    record = Record(rdt_sequence, ft_sequence, status, counts)
    assert rdt.parse_record(rdt.pack_record(record)) == record


@given(st.binary(max_size=80).filter(lambda data: len(data) != rdt.RECORD_BYTES))
def test_other_lengths_are_no_records(data):
    assert rdt.parse_record(data) is None


@given(WORDS, st.lists(st.integers(-5, 5), max_size=30))
def test_only_records_ahead_are_new(first, steps):
    order, newest = Order(judge_measurement=False), first
    assert order.fault(first, 0) == ""
    lost = 0
    for step in steps:
        fault = order.fault((newest + step) % 2**32, 0)
        assert fault == ("" if step > 0 else "late" if step else "duplicate")
        if step > 0:
            newest, lost = (newest + step) % 2**32, lost + step - 1
    assert order.lost == lost


def test_a_measurement_that_stands_still_is_not_new_though_the_stream_goes_on():
    order = Order(judge_measurement=True)
    faults = [order.fault(i, ft) for i, ft in enumerate([7, 8, 8, 8, 9, 3])]
    assert faults == ["", "", "stuck", "stuck", "", "stuck"]


def test_calibration_is_converted_to_si():
    assert calibration() == Calibration(1e6, 1e6)
    # 1000 counts per pound-force: 4.448 N say 1000.
    assert calibration(cpf="1000", force="lbf").counts_per_N == pytest.approx(1000 / 4.4482216)
    assert calibration(cpt="2000", torque="lbf-in").counts_per_Nm == pytest.approx(2000 / 0.11298483)
    assert calibration(cpt="1000", torque="N-mm").counts_per_Nm == pytest.approx(1e6)


@pytest.mark.parametrize(
    "wrong",
    [{"cpf": "0"}, {"cpf": "-5"}, {"cpf": "nan"}, {"cpt": "inf"}, {"cpt": "many"}, {"force": "stone"}, {"torque": ""}],
    ids=str,
)
def test_calibration_that_makes_no_sense_is_refused(wrong):
    with pytest.raises(DeviceError, match="expected"):
        calibration(**wrong)


@pytest.mark.parametrize(
    "xml",
    [
        b"",
        b"<html>not found</html>",
        XML.format(cpf=1, cpt=1, force="N", torque="Nm").encode().replace(b"<cfgcpf>1</cfgcpf>", b"<cfgcpf>1</cfgcpf>" * 2),
        b'<!DOCTYPE x [<!ENTITY a "aaaa">]><netft>&a;</netft>',
        b"<a>" * 40_000,
    ],
    ids=["empty", "html", "twice", "entities", "long"],
)
def test_what_is_no_calibration_is_refused(xml):
    with pytest.raises(DeviceError):
        rdt.parse_calibration(xml)


@given(st.binary(min_size=1, max_size=60))
def test_modbus_checksum_agrees_with_pymodbus(data):
    assert crc.modbus(data).to_bytes(2, "little") == FramerRTU.compute_CRC(data).to_bytes(2, "big")


def test_an_ft300_frame_is_16_little_endian_bytes():
    frame = ft300.pack_frame(np.array([100, -200, 3000, 1, -1, 0]))
    assert frame[:14] == bytes.fromhex("204E 6400 38FF B80B 0100 FFFF 0000")
    (wrench,) = ft300.Frames().take(frame)
    assert wrench == pytest.approx([1.0, -2.0, 30.0, 0.001, -0.001, 0.0])


NUMBERS = st.lists(st.integers(-32768, 32767), min_size=6, max_size=6)


@given(st.lists(st.tuples(NUMBERS, st.binary(max_size=9)), max_size=6), st.data())
def test_whole_frames_are_found_wherever_the_pieces_are_cut(frames, data):
    """Bytes between frames cost at most a frame that they happen to begin: none is made up, and none is taken twice."""
    stream = b"".join(noise + ft300.pack_frame(np.array(numbers)) for numbers, noise in frames)
    parser, found, at = ft300.Frames(), [], 0
    while at < len(stream):
        step = data.draw(st.integers(1, len(stream) - at))
        found += parser.take(stream[at : at + step])
        at += step
    assert [tuple(wrench) for wrench in found] == [tuple(np.array(numbers) * ft300.SCALE) for numbers, _ in frames]


@given(NUMBERS, st.integers(0, 15), st.integers(0, 7))
def test_a_flipped_bit_is_noticed(numbers, byte, bit):
    frame = bytearray(ft300.pack_frame(np.array(numbers)))
    frame[byte] ^= 1 << bit
    assert ft300.Frames().take(bytes(frame) + bytes(16)) == []


def test_pressing_pushes_back_whichever_way_the_sensor_counts():
    """Pressed on a board the environment pushes the tool back: force_N[2] < 0 in the tcp frame, z out of the tool."""
    pressed = np.array([0.0, 0.0, -10.0, 0.0, 0.0, 0.0])
    assert Mounting(WrenchConfig()).turned(pressed) == pytest.approx(pressed)
    assert Mounting(WrenchConfig(says="by_tool")).turned(-pressed) == pytest.approx(pressed)
    upside_down = Mounting(WrenchConfig(rotation_tcp_sensor_rad=(np.pi, 0.0, 0.0)))
    assert upside_down.turned(-pressed) == pytest.approx(pressed)


def test_force_at_a_distance_is_torque():
    # The sensor sits 0.2 m behind the tcp: a push along x at the tcp is a torque of 2 Nm about its y; at the tcp there is none.
    mounting = Mounting(WrenchConfig(position_tcp_sensor_m=(0.0, 0.0, -0.2)))
    assert mounting.turned(np.array([10.0, 0.0, 0.0, 0.0, 2.0, 0.0])) == pytest.approx([10.0, 0.0, 0.0, 0.0, 0.0, 0.0])


@pytest.mark.parametrize("value", [np.nan, np.inf, 300.1])
def test_more_than_the_range_is_not_believed(value):
    mounting = Mounting(Ft300Config(port="none"))
    assert mounting.believes(np.array([0.0, 300.0, 0.0, 0.0, -30.0, 0.0]))
    assert not mounting.believes(np.array([0.0, value, 0.0, 0.0, 0.0, 0.0]))
