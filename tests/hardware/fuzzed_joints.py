"""Damaged bytes at the parsers of arms, hands and grippers. See `fuzz.py`."""

import contextlib
import logging
import re
import struct

import numpy as np
from damage import Memory, damaged, rtu
from pymodbus.exceptions import ModbusException
from pymodbus.framer.socket import FramerSocket
from pymodbus.pdu import DecodePDU

from tactus_core.errors import DeviceError
from tactus_hardware.allegro import protocol as allegro
from tactus_hardware.dynamixel import DynamixelBus
from tactus_hardware.emulation.dynamixel import pack
from tactus_hardware.feetech import FeetechBus, Packets
from tactus_hardware.feetech import pack as pack_feetech
from tactus_hardware.modbus_rtu import READ_HOLDING, READ_INPUT, RtuBus, WireError
from tactus_hardware.robotiq import protocol as robotiq
from tactus_hardware.ur import protocol as ur

logging.getLogger("pymodbus").setLevel(logging.CRITICAL)


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


def fuzz_inspire_answers(chance):
    """pymodbus' parser: it may raise its own errors only, for those alone are caught."""
    frame = struct.pack(">HHHBBB6h", 7, 0, 15, 1, 3, 12, 1, 2, 3, 4, 5, 6)
    with contextlib.suppress(ModbusException):
        FramerSocket(DecodePDU(False)).handleFrame(damaged(chance, [frame]), 1, 7)


def fuzz_rtu_answers(chance):
    """What is let through has to be a whole answer to what was asked; an answer to another length is none."""
    reads = chance.choice((READ_HOLDING, READ_INPUT))
    frames = [rtu(bytes([reads, 2 * n]) + chance.randbytes(2 * n)) for n in (3, 4)]
    frames += [rtu(bytes([reads | 0x80, 2])), rtu(b"\x10\x03\xe8\x00\x03")]
    data = frames[0] if chance.random() < 0.1 else damaged(chance, frames)
    try:
        registers = RtuBus(Memory(data), 9, 0.0, reads).read(2000, 3)
    except WireError:
        return
    assert data == rtu(bytes([reads, 6]) + struct.pack(">3H", *registers))
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
        for values in (telemetry.position_rad, telemetry.current_A, telemetry.touch) if telemetry else ():
            assert values.shape == (16,)
            assert np.isfinite(values).all()
        assert telemetry is None or telemetry.touch.min() >= 0.0
        allegro.parse_motor_error(packet.body[:2])
        allegro.parse_currents(packet.body[:32])
