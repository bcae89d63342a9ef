"""`tactus serve`: who may reach it, and how it ends."""

import signal
import subprocess
import sys
import urllib.request

import pytest

from tactus_cli.commands.serve import command, is_loopback
from tactus_core.errors import ConfigError, SetupError


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
def test_this_machine_is_loopback(host):
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "gpu", ""])
def test_it_listens_to_others_only_where_told(host):
    assert not is_loopback(host)
    with pytest.raises(ConfigError, match="--open-to-network"):
        command.main(["wipe-chunk", "--host", host], standalone_mode=False)


def test_it_serves_until_interrupted_and_leaves_no_trace():
    line = [sys.executable, "-m", "tactus_cli", "serve", "wipe-chunk", "--port", "0"]
    server = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        said = server.stdout.readline()
        assert said.startswith("serving wipe-chunk@")
        port = int(said.split("ws://127.0.0.1:")[1].split()[0])
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5.0) as health:
            assert health.read() == b"OK\n"
        with pytest.raises(SetupError, match="cannot listen"):
            command.main(["wipe-chunk", "--port", str(port)], standalone_mode=False)
        server.send_signal(signal.SIGINT)
        _, errors = server.communicate(timeout=10.0)
        assert (server.returncode, errors.strip()) == (130, "")  # click ends the line of a ^C
    finally:
        server.kill()
        server.communicate()
