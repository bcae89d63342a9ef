"""Throws damaged bytes at every parser: `python tests/hardware/fuzz.py 100000`. The tests throw fewer.

What comes is a good frame or several, with bits flipped, cut, repeated or between noise; or noise alone. No parser may raise, but for the
error that it declares, and nothing may come out of it that no whole frame says.
"""

import contextlib
import json
import logging
import random
import re
import struct
import sys
import time

import numpy as np
import simplejpeg
from pymodbus.exceptions import ModbusException
from pymodbus.framer.socket import FramerSocket
from pymodbus.pdu import DecodePDU

from tactus_core.errors import DataError, DeviceError
from tactus_hardware import crc
from tactus_hardware.allegro import protocol as allegro
from tactus_hardware.anyskin import protocol as anyskin
from tactus_hardware.dynamixel import DynamixelBus
from tactus_hardware.emulation import feetech as emulated_feetech
from tactus_hardware.emulation.dynamixel import DynamixelBus as EmulatedDynamixelBus
from tactus_hardware.emulation.dynamixel import DynamixelServo, pack
from tactus_hardware.emulation.faults import Faults
from tactus_hardware.emulation.modbus import Registers, serve_rtu, serve_tcp
from tactus_hardware.feetech import FeetechBus, Packets
from tactus_hardware.feetech import pack as pack_feetech
from tactus_hardware.ft300 import protocol as ft300
from tactus_hardware.modbus_rtu import RtuBus, WireError
from tactus_hardware.optical import protocol as optical
from tactus_hardware.optical.config import Profile
from tactus_hardware.optical.emulator import gel
from tactus_hardware.rdt import protocol as rdt
from tactus_hardware.robotiq import protocol as robotiq
from tactus_hardware.robotiq.emulator import RobotiqEmulator
from tactus_hardware.ur import protocol as ur
from tactus_hardware.ur.emulated import Robot
from tactus_hardware.ur.emulated_rtde import Rtde
from tactus_hardware.xela import protocol as xela

logging.getLogger("pymodbus").setLevel(logging.CRITICAL)
XML = b"<netft><prodname>x</prodname><cfgcpf>1000000</cfgcpf><cfgcpt>1e6</cfgcpt><scfgfu>N</scfgfu><scfgtu>Nm</scfgtu></netft>"


def damaged(chance, frames):
    """Return bytes made of good frames, with damage."""
    data = bytearray(b"".join(chance.choice(frames) for _ in range(chance.randint(0, 3))))
    for _ in range(chance.randint(0, 3)):
        at = chance.randint(0, len(data))
        match chance.randrange(4):
            case 0 if at < len(data):
                data[at] ^= 1 << chance.randrange(8)
            case 1:
                del data[at : at + chance.randint(1, 20)]
            case 2:
                data[at:at] = chance.randbytes(chance.randint(1, 20))
            case 3:
                data[at:at] = data[at : at + 20]
    return bytes(data)


def fuzz_rdt_record(chance):
    record = rdt.parse_record(damaged(chance, [rdt.pack_record(rdt.Record(1, 2, 0, (1, 2, 3, 4, 5, 6)))]))
    assert record is None or len(record.counts) == 6
    rdt.parse_request(damaged(chance, [rdt.pack_request(2)]))


def fuzz_rdt_calibration(chance):
    try:
        found = rdt.parse_calibration(damaged(chance, [XML]))
    except DeviceError:
        return
    assert np.isfinite([found.counts_per_N, found.counts_per_Nm]).all()
    assert min(found.counts_per_N, found.counts_per_Nm) > 0


def fuzz_ft300_stream(chance):
    frames = [ft300.pack_frame(np.array([chance.randint(-32768, 32767) for _ in range(6)])) for _ in range(3)]
    data, parser, found = damaged(chance, frames), ft300.Frames(), []
    cut = chance.randint(0, len(data))
    for piece in (data[:cut], data[cut:]):
        found += parser.take(piece)
    assert all(ft300.pack_frame(wrench / ft300.SCALE) in data for wrench in found)


def fuzz_anyskin_stream(chance):
    frames = [anyskin.pack_frame(np.array([[chance.randint(-60, 160), *(chance.uniform(-5e5, 5e5) for _ in range(3))]])) for _ in range(5)]
    data, parser, found = damaged(chance, frames), anyskin.Frames(1), []
    cut = chance.randint(0, len(data))
    for piece in (data[:cut], data[cut:]):
        found += parser.take(piece)
    assert all(anyskin.END + anyskin.pack_frame(numbers) in data for numbers in found)
    assert np.isfinite(found).all()


XELA = xela.pack_message(xela.Message(4, 1.0, {1: xela.Patch(np.full((2, 3), 7.0), np.full((2, 3), 0.5))}), {1: "uSPa44"})


ODD = (None, True, -1, 2.5, 10**30, float("inf"), float("nan"), "", "FFFFF,1", [], [1, "2"], {}, {"1": {}})


def odd_message(chance):
    """Return whole JSON that says something odd."""
    fields = json.loads(XELA)
    part = chance.choice([fields, fields["1"]])
    part[chance.choice([*part, "12", "²"])] = chance.choice(ODD)
    return json.dumps(fields).encode()


def fuzz_xela_message(chance):
    try:
        message = xela.parse_message(odd_message(chance) if chance.random() < 0.5 else damaged(chance, [XELA]))
    except DataError:
        return
    for patch in message.patches.values() if message else ():
        assert patch.raw_counts.shape[1] == 3
        assert ((patch.raw_counts >= 0) & (patch.raw_counts <= xela.MOST_COUNTS)).all()
        assert patch.calibrated is None or (patch.calibrated.shape == patch.raw_counts.shape and np.isfinite(patch.calibrated).all())


PROFILE = Profile((32, 24), border=0.125, passed_px=(12, 9))
JPEG = simplejpeg.encode_jpeg(gel(32, 24, (0.5, 0.5, 1.0)), 90, "RGB")


def fuzz_optical_frame(chance):
    row = np.frombuffer(damaged(chance, [JPEG]), dtype=np.uint8).reshape(1, -1)
    try:
        image = optical.decode(row, PROFILE, "both")
    except DataError:
        return
    assert image.shape == (9, 12, 3)
    assert image.dtype == np.uint8


class Memory:
    """A wire whose answer has come already."""

    def __init__(self, data):
        self.data = data

    def send(self, data):
        pass

    def discard(self):
        pass

    def receive(self, deadline_s):
        data, self.data = self.data, b""
        return data


def fuzz_leap_answers(chance):
    """The maker's parser behind our port: what it lets through has to be in the bytes, as it was asked for."""
    frames = [pack(i, 0x55, bytes([0]) + chance.randbytes(10)) for i in (0, 1)]
    data = b"".join(frames) if chance.random() < 0.3 else damaged(chance, frames)
    answers = DynamixelBus(Memory(data), [0, 1], 0.0).read(126, 10)
    if not answers.fault:
        for servo, block in enumerate(answers.in_order()):
            assert any(pack(servo, 0x55, bytes([error]) + block) in data for error in (0, 0x80))


def fuzz_feetech_answers(chance):
    """What a bus lets through has to be in the bytes, of the length that was asked for."""
    frames = [pack_feetech(i, 0, chance.randbytes(15)) for i in (1, 2)]
    data = b"".join(frames) if chance.random() < 0.3 else damaged(chance, frames)
    answers = FeetechBus(Memory(data), [1, 2], 0.0).read(56, 15)
    if not answers.fault:
        for servo, block in zip((1, 2), answers.in_order(), strict=True):
            assert any(pack_feetech(servo, error, block) in data for error in range(128))


def fuzz_feetech_packets(chance):
    """However it is cut, a stream gives the same packets; each is in the bytes, and no endless memory of noise is kept."""
    data = damaged(chance, [pack_feetech(3, 0, chance.randbytes(chance.randint(0, 20))) for _ in range(3)])
    cut, packets = chance.randint(0, len(data)), Packets()
    found = [packet for piece in (data[:cut], data[cut:]) for packet in packets.take(piece)]
    assert found == list(Packets().take(data))
    assert all(packet in data for packet in found)


TYPES = ("DOUBLE", *["VECTOR6D"] * 6, "INT32", "INT32", "UINT32")
RTDE = ur.Recipe(1, ur.OUTPUTS, TYPES)


def fuzz_rtde_stream(chance):
    """A stream gives packets, or the error that it is none; a packet of the wrong size or with impossible modes is no reading."""
    values = [chance.random(), *[[chance.random()] * 6] * 6, 7, 1, 2]
    data, parser = damaged(chance, [ur.pack(ur.Kind.DATA, RTDE.pack(values)), ur.pack(ur.Kind.TEXT, b"\x01x")]), ur.Packets()
    cut = chance.randint(0, len(data))
    with contextlib.suppress(DeviceError):
        for piece in (data[:cut], data[cut:]):
            for kind, payload in parser.take(piece):
                assert ur.pack(ur.Kind(kind), payload) in data
                found = RTDE.parse(payload)
                assert found is None or len(payload) == RTDE.size
                assert found is None or not ur.known(found) or found["safety_mode"] in range(1, 14)


def fuzz_rtde_recipe(chance):
    with contextlib.suppress(DeviceError):
        ur.parse_recipe(damaged(chance, [b"\x01" + ",".join(TYPES).encode()]), ur.OUTPUTS)


def fuzz_emulated_rtde(chance):
    requests = [
        ur.pack(ur.Kind.VERSION, b"\x00\x02"), ur.pack(ur.Kind.OUTPUTS, struct.pack(">d", 500.0) + b"timestamp,actual_q"),
        ur.pack(ur.Kind.INPUTS, b"input_int_register_0"), ur.pack(ur.Kind.START), ur.pack(ur.Kind.DATA, b"\x01\x00\x00\x00\x0b"),
    ]  # fmt: skip
    rtde, robot = Rtde(Faults()), Robot()
    for client in (1, 2):
        rtde.begin(client)
        with contextlib.suppress(DeviceError):
            for _ in range(3):
                list(rtde.take(client, damaged(chance, requests), robot, 0.0))
        list(rtde.due(robot.outputs(0.0)))


def fuzz_inspire_answers(chance):
    """pymodbus' parser: it may raise its own errors only, for those alone are caught."""
    frame = struct.pack(">HHHBBB6h", 7, 0, 15, 1, 3, 12, 1, 2, 3, 4, 5, 6)
    with contextlib.suppress(ModbusException):
        FramerSocket(DecodePDU(False)).handleFrame(damaged(chance, [frame]), 1, 7)


def rtu(body):
    """Return the frame of device 9 that says this."""
    frame = bytes([9]) + body
    return frame + struct.pack("<H", crc.modbus(frame))


def fuzz_rtu_answers(chance):
    """What is let through has to be a whole answer to what was asked; an answer to another length is none."""
    frames = [rtu(bytes([4, 2 * n]) + chance.randbytes(2 * n)) for n in (3, 4)] + [rtu(bytes([0x84, 2])), rtu(b"\x10\x03\xe8\x00\x03")]
    data = frames[0] if chance.random() < 0.1 else damaged(chance, frames)
    try:
        registers = RtuBus(Memory(data), 9, 0.0).read(2000, 3)
    except WireError:
        return
    assert data == rtu(bytes([4, 6]) + struct.pack(">3H", *registers))
    robotiq.parse_status(registers)


def fuzz_urcap_answers(chance):
    text = "".join(f"{name} {chance.randint(0, 255) if name != 'STA' else 3}\n" for name in robotiq.VARIABLES).encode()
    data = damaged(chance, [text])
    values = robotiq.parse_answer(data, robotiq.VARIABLES)
    if values:
        words = re.findall(rb"[A-Z]+|[0-9]+", data)
        assert [(name.encode(), value) for name, value in values.items()] == list(zip(words[::2], map(int, words[1::2]), strict=True))
        assert max(values.values()) <= 255


def fuzz_allegro_datagrams(chance):
    numbers = [chance.randint(-(2**15), 2**15 - 1) for _ in range(32)]
    body = struct.pack("<I32h16H16i", 7, *numbers, *range(16), *range(16))
    packet = allegro.parse(damaged(chance, [allegro.pack(allegro.Packet(allegro.TELEMETRY, 1, 2, body))]))
    if packet is not None:
        telemetry = allegro.parse_telemetry(packet.body)
        assert telemetry is None or (telemetry.position_rad.shape == (16,) and np.isfinite(telemetry.position_rad).all())
        allegro.parse_motor_error(packet.body[:2])
        allegro.parse_currents(packet.body[:32])


GRIPPER = RobotiqEmulator(Faults())


def fuzz_emulated_gripper(chance):
    """Whatever is written, its variables stay bytes."""
    written = chance.randbytes(6)
    frames = [
        rtu(b"\x10\x03\xe8\x00\x03\x06" + written),
        rtu(b"\x17\x07\xd0\x00\x03\x03\xe8\x00\x03\x06" + written),
        rtu(b"\x04\x07\xd0\x00\x03"),
    ]
    for answer in GRIPPER.answers_rtu(damaged(chance, frames)) + GRIPPER.answers_urcap(
        damaged(chance, [b"SET POS 12 GTO 1\n", b"GET OBJ\n"])
    ):
        assert answer
    assert all(0 <= value <= 255 for name, value in GRIPPER.state().items() if name.isupper())


def fuzz_emulated_servos(chance):
    frames = [pack(0xFE, 0x82, struct.pack("<HH", 126, 10) + bytes(range(4))), pack(2, 3, b"\x74\x00" + bytes(4)), pack(1, 1, b"")]
    list(EmulatedDynamixelBus({i: DynamixelServo(1240, 2048) for i in range(4)}, Faults()).take(damaged(chance, frames), 0.0))


def fuzz_emulated_feetech_servos(chance):
    sync_read = pack_feetech(0xFE, 0x82, bytes([56, 15, 0, 1, 2, 3]))
    frames = [sync_read, pack_feetech(2, 3, b"\x2a\x00\x08"), pack_feetech(1, 1, b""), pack_feetech(1, 2, b"\x38\xff")]
    bus = emulated_feetech.FeetechBus({i: emulated_feetech.FeetechServo(2048) for i in range(4)}, Faults())
    list(bus.take(damaged(chance, frames), 0.0))


def fuzz_emulated_registers(chance):
    registers = Registers(2048, 1, lambda address, values: None)
    tcp = [struct.pack(">HHHBBHH", 1, 0, 6, 1, 3, 1546, 6), struct.pack(">HHHBBHHB2h", 2, 0, 11, 1, 16, 100, 2, 4, 5, 6)]
    serve_tcp(bytearray(damaged(chance, tcp)), registers)
    serve_rtu(bytearray(damaged(chance, [ft300.START, ft300.STOP])), 9, registers)


PARSERS = [value for name, value in list(globals().items()) if name.startswith("fuzz_")]


def fuzz(parser, count, seed=0):
    """Run a parser on `count` inputs; the same seed gives the same ones."""
    for number in range(count):
        try:
            parser(random.Random(f"{seed} {number}"))
        except BaseException:
            print(f"{parser.__name__} failed on input {number} of seed {seed}", file=sys.stderr)
            raise


if __name__ == "__main__":
    for each in PARSERS:
        began_s = time.monotonic()
        fuzz(each, int(sys.argv[1]), seed=1)
        print(f"{each.__name__}: {sys.argv[1]} inputs, none got through, {time.monotonic() - began_s:.0f} s")
