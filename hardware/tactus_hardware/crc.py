"""Two checksums of 16 bits that serial devices use; by table, for they run on every byte."""

from collections.abc import Sequence


def modbus(data: bytes) -> int:
    """Return the CRC-16 of Modbus RTU (0xA001 reflected, from 0xFFFF); on the wire its low byte comes first."""
    crc = 0xFFFF
    for byte in data:
        crc = crc >> 8 ^ _MODBUS[(crc ^ byte) & 0xFF]
    return crc


def dynamixel(data: bytes) -> int:
    """Return the CRC-16 of Dynamixel protocol 2.0 (0x8005, from 0); on the wire its low byte comes first."""
    crc = 0
    for byte in data:
        crc = (crc << 8 & 0xFFFF) ^ _DYNAMIXEL[crc >> 8 ^ byte]
    return crc


def _reflected(polynomial: int) -> Sequence[int]:
    table = list(range(256))
    for _ in range(8):
        table = [value >> 1 ^ polynomial * (value & 1) for value in table]
    return table


def _plain(polynomial: int) -> Sequence[int]:
    table = [value << 8 for value in range(256)]
    for _ in range(8):
        table = [(value << 1 ^ polynomial * (value >> 15)) & 0xFFFF for value in table]
    return table


_MODBUS, _DYNAMIXEL = _reflected(0xA001), _plain(0x8005)
