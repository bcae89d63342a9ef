"""Damaged bytes at the emulators: whatever is sent to them, they live on. See `fuzz.py`."""

import contextlib
import logging
import struct
import time

from damage import damaged, rtu

from tactus_core.errors import DeviceError
from tactus_hardware.emulation import feetech as emulated_feetech
from tactus_hardware.emulation.dynamixel import DynamixelBus as EmulatedDynamixelBus
from tactus_hardware.emulation.dynamixel import DynamixelServo, pack
from tactus_hardware.emulation.faults import Faults
from tactus_hardware.emulation.modbus import Registers, serve_rtu, serve_tcp
from tactus_hardware.feetech import pack as pack_feetech
from tactus_hardware.ft300 import protocol as ft300
from tactus_hardware.inspire.emulator import InspireEmulator
from tactus_hardware.robotiq.emulator import RobotiqEmulator
from tactus_hardware.ur import protocol as ur
from tactus_hardware.ur.emulated import Robot
from tactus_hardware.ur.emulated_rtde import Rtde

logging.getLogger("pymodbus").setLevel(logging.CRITICAL)


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


HAND = InspireEmulator(Faults())


def fuzz_emulated_inspire(chance):
    """Whatever is written, on either wire, it answers what is asked, and its fingers stay on their way."""
    written, address = chance.randbytes(12), chance.choice((1486, 1498, 1546, 1606, 3000, 5120))
    bodies = [struct.pack(">BHHB", 16, address, 6, 12) + written, struct.pack(">BHH", 3, address, chance.choice((3, 6, 112, 126)))]
    rtu_frames = [rtu(body, device=1) for body in bodies]
    tcp_frames = [struct.pack(">HHHB", 7, 0, len(body) + 1, 1) + body for body in bodies]
    for answer in HAND.answers_rtu(damaged(chance, rtu_frames)) + HAND.answers_tcp(damaged(chance, tcp_frames)):
        assert answer
    HAND.tick(time.monotonic())
    assert len(HAND.state()["position_rad"]) == 6


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
