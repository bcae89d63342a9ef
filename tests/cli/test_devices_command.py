"""devices and emulate: what can be run, what is plugged in, and an emulator that answers."""

import json
import re
import signal
import subprocess
import sys

import pytest

from tactus_cli.commands.devices import _row
from tactus_hardware.plugged import Plugged, plugged
from tactus_nodes.plugins import find_kind


def tactus(*arguments, **options):
    return subprocess.run([sys.executable, "-m", "tactus_cli", *arguments], capture_output=True, text=True, **options)


@pytest.fixture
def machine(tmp_path):
    """Return a function that plugs something into a made-up machine, and gives its root."""

    def plug(kind, name, usb_id="", lasting=""):
        (tmp_path / "dev").mkdir(exist_ok=True)
        (tmp_path / "dev" / name).touch()
        usb = tmp_path / "sys/devices/usb1" / name
        device = usb / "1.0" / kind / name
        device.mkdir(parents=True)
        if usb_id:
            for part, text in zip(("idVendor", "idProduct"), usb_id.split(":"), strict=True):
                (usb / part).write_text(f"{text}\n")
        (tmp_path / "sys/class" / kind).mkdir(parents=True, exist_ok=True)
        (tmp_path / "sys/class" / kind / name).symlink_to(device)
        if lasting:
            (tmp_path / lasting).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / lasting).symlink_to(f"../../{name}")
        return tmp_path

    return plug


def test_each_device_file_is_listed_once_by_its_lasting_name_with_its_usb_id(machine):
    machine("tty", "ttyUSB0", "0403:6014", "dev/serial/by-id/usb-FTDI_Adapter-if00")
    machine("tty", "ttyACM3", "1a86:55d3")
    machine("tty", "ttyS0")  # a line of the board: nothing tells whether anything is on it
    root = machine("video4linux", "video0", "2833:0209", "dev/v4l/by-id/usb-DIGIT-video-index0")
    assert plugged(root) == [
        Plugged("serial line", "/dev/serial/by-id/usb-FTDI_Adapter-if00", "0403:6014"),
        Plugged("serial line", "/dev/ttyACM3", "1a86:55d3"),
        Plugged("video", "/dev/v4l/by-id/usb-DIGIT-video-index0", "2833:0209"),
    ]


def test_a_machine_without_anything_is_no_error(tmp_path):
    assert plugged(tmp_path) == []


def test_the_line_to_launch_names_what_is_plugged_in_or_what_the_maker_ships_or_asks():
    here = [Plugged("serial line", "/dev/serial/by-id/other", "1234:5678"), Plugged("serial line", "/dev/ttyUSB0", "0403:6014")]
    assert _row(find_kind("leap"), here)["launch"].endswith("device:=leap address:=/dev/ttyUSB0")
    assert _row(find_kind("leap"), here[:1])["launch"].endswith("address:=PORT")
    assert _row(find_kind("rdt"), here)["launch"].endswith("address:=192.168.1.1")
    row = _row(find_kind("realsense"), [Plugged("video", "/dev/video4", "8086:0b07")])
    assert row["plugged"] == ["/dev/video4"]
    assert row["launch"].endswith("address:=any")  # it is opened by its number, not by its file


def test_the_list_has_every_driver_and_is_written_as_json(tmp_path):
    shown = tactus("devices", "--json", str(tmp_path / "devices.json"))
    assert shown.returncode == 0, shown.stderr
    rows = {row["device"]: row for row in json.loads((tmp_path / "devices.json").read_text())["devices"]}
    assert {"ft300", "inspire", "leap", "rdt"} <= set(rows)
    assert "recording" not in rows
    assert rows["leap"]["measures"] == "hand"
    assert rows["leap"]["wire"] == "serial line"
    assert len(rows["leap"]["joints"]) == 16
    assert "device:=leap" in shown.stdout


def test_an_emulator_prints_its_address_and_ends_when_it_is_interrupted():
    command = [sys.executable, "-m", "tactus_cli", "emulate", "leap", "--fault", "drop=0.1"]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert re.fullmatch("/.*", json.loads(process.stdout.readline())["port"])
            process.send_signal(signal.SIGINT)
            assert process.wait(10) == 130
        finally:
            process.kill()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["lepa"], "invalid choice: 'lepa'"),
        (["leap", "--fault", "rain=0.1"], "no fault 'rain'"),
        (["leap", "--play", "force.mat"], "plays no recording"),
    ],
)
def test_an_emulator_that_cannot_start_says_why(arguments, message):
    refused = tactus("emulate", *arguments)
    assert refused.returncode
    assert message in refused.stderr
    assert "tactus emulate" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_help_of_an_emulator_names_the_faults():
    shown = tactus("emulate", "--help")
    assert shown.returncode == 0
    assert all(word in shown.stdout for word in ("usage: tactus emulate", "leap", "--fault", "checksum", "saturation"))
