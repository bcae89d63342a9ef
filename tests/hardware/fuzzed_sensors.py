"""Damaged bytes at the parsers of force, touch and images. See `fuzz.py`."""

import contextlib
import json

import numpy as np
import simplejpeg
from damage import damaged
from paged import alone

from tactus_core.errors import DataError, DeviceError
from tactus_hardware.anyskin import protocol as anyskin
from tactus_hardware.ft300 import protocol as ft300
from tactus_hardware.optical import protocol as optical
from tactus_hardware.optical.config import Profile
from tactus_hardware.optical.emulator import gel
from tactus_hardware.rdt import protocol as rdt
from tactus_hardware.realsense import protocol as realsense
from tactus_hardware.spacemouse import protocol as spacemouse
from tactus_hardware.xela import protocol as xela

XML = b"<netft><prodname>x</prodname><cfgcpf>1000000</cfgcpf><cfgcpt>1e6</cfgcpt><scfgfu>N</scfgfu><scfgtu>Nm</scfgtu></netft>"


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


def fuzz_spacemouse_events(chance):
    numbers = [chance.randint(-400, 400) for _ in range(6)]
    kinds = [(spacemouse.MOTION, (*numbers, 16)), (spacemouse.PRESS, (chance.randint(0, 40), *[0] * 6)), (spacemouse.DEVICE, (1, *[0] * 6))]
    data, puck = damaged(chance, [spacemouse.pack_event(spacemouse.Event(*kind)) for kind in kinds]), spacemouse.Puck()
    for at in range(0, len(data) - spacemouse.EVENT_BYTES + 1, spacemouse.EVENT_BYTES):
        record = data[at : at + spacemouse.EVENT_BYTES]
        try:
            event = spacemouse.parse_event(record)
        except DataError:
            return
        assert spacemouse.pack_event(event) == record
        puck.follow(event)
        assert len(puck.buttons) <= spacemouse.MOST_BUTTONS
        assert np.abs(spacemouse.axes(puck.counts or (0,) * 6, 350.0)).max() <= 1.0


def fuzz_realsense_link(chance):
    image = np.frombuffer(chance.randbytes(36), dtype=np.uint8).reshape(3, 4, 3)
    frames = [realsense.pack(realsense.Injected(chance.randrange(1 << 32), chance.uniform(-1e15, 1e15), 2, image)) for _ in range(3)]
    data, parser, found = damaged(chance, frames), realsense.Injections(), []
    cut = chance.randint(0, len(data))
    with contextlib.suppress(DataError):
        for piece in (data[:cut], data[cut:]):
            found += parser.take(piece)
    assert all(realsense.pack(frame) in data for frame in found)


FINGERTIP = alone("fingertip/protocol.py")


def fuzz_fingertip_of_the_page(chance):
    lines = [FINGERTIP.pack(number, np.array([0.001 * number, -1.0, 98.0])) for number in (1, 42, 999)]
    data, parser, found = damaged(chance, lines), FINGERTIP.Lines(), []
    cut = chance.randint(0, len(data))
    for piece in (data[:cut], data[cut:]):
        found += parser.take(piece)
    # Two flips of one bit pass its XOR, and may make a zero with the sign that is not packed.
    assert all(FINGERTIP.pack(int(said[0]), said[1:]) in data or b"-00000" in data for said in found)
