"""Throws damaged bytes at every parser: `python tests/hardware/fuzz.py 100000`. The tests throw fewer.

What comes is a good frame or several, with bits flipped, cut, repeated or between noise; or noise alone. No parser may raise, but for the
error that it declares, and nothing may come out of it that no whole frame says.
"""

import contextlib
import json
import logging
import random
import struct
import sys
import time

import numpy as np
import simplejpeg
from pymodbus.exceptions import ModbusException
from pymodbus.framer.socket import FramerSocket
from pymodbus.pdu import DecodePDU

from tactus_core.errors import DataError, DeviceError
from tactus_hardware.anyskin import protocol as anyskin
from tactus_hardware.dynamixel import Bus
from tactus_hardware.emulation.dynamixel import Servo, ServoBus, pack
from tactus_hardware.emulation.faults import Faults
from tactus_hardware.emulation.modbus import Registers, serve_rtu, serve_tcp
from tactus_hardware.ft300 import protocol as ft300
from tactus_hardware.optical import protocol as optical
from tactus_hardware.optical.config import Profile
from tactus_hardware.optical.emulator import gel
from tactus_hardware.rdt import protocol as rdt
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
    answers = Bus(Memory(data), [0, 1], 0.0).read(126, 10)
    if not answers.fault:
        for servo, block in enumerate(answers.in_order()):
            assert any(pack(servo, 0x55, bytes([error]) + block) in data for error in (0, 0x80))


def fuzz_inspire_answers(chance):
    """pymodbus' parser: it may raise its own errors only, for those alone are caught."""
    frame = struct.pack(">HHHBBB6h", 7, 0, 15, 1, 3, 12, 1, 2, 3, 4, 5, 6)
    with contextlib.suppress(ModbusException):
        FramerSocket(DecodePDU(False)).handleFrame(damaged(chance, [frame]), 1, 7)


def fuzz_emulated_servos(chance):
    frames = [pack(0xFE, 0x82, struct.pack("<HH", 126, 10) + bytes(range(4))), pack(2, 3, b"\x74\x00" + bytes(4)), pack(1, 1, b"")]
    list(ServoBus({i: Servo(1240, 2048) for i in range(4)}, Faults()).take(damaged(chance, frames), 0.0))


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
