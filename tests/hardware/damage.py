"""What a bad wire does to frames, and a wire that says what it is told to say."""

import struct

from tactus_hardware import crc


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


def rtu(body, device=9):
    """Return the frame of a Modbus device that says this."""
    frame = bytes([device]) + body
    return frame + struct.pack("<H", crc.modbus(frame))
