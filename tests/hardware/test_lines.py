"""Lines of emulators: what a client that is slow gets, and one that comes while the line is gone."""

import select
import socket

import pytest

from tactus_hardware.emulation.lines import UdpLine
from tactus_hardware.emulation.servers import TcpLine

MESSAGE_BYTES = 1 << 20


def test_a_slow_client_misses_whole_messages_and_gets_none_that_is_cut():
    line = TcpLine()
    with socket.create_connection(("127.0.0.1", line.port)) as client:
        line.accept()
        for number in range(40):  # more than the kernel keeps
            line.send(bytes([number]) * MESSAGE_BYTES)
        client.setblocking(False)
        received = bytearray()
        for _ in range(10_000):
            try:
                received += client.recv(1 << 20)
            except BlockingIOError:
                if len(received) % MESSAGE_BYTES == 0:
                    break
                line.send(b"")  # as the next one would
        line.close()
    numbers = [received[at] for at in range(0, len(received), MESSAGE_BYTES)]
    assert b"".join(bytes([number]) * MESSAGE_BYTES for number in numbers) == received
    assert numbers == sorted(set(numbers))
    assert 0 < len(numbers) < 40


def test_a_new_client_is_not_taken_for_the_last_one():
    """One that comes while the last one speaks gets its file descriptor: what was to be read of the one is not there at the other."""
    heard = []
    line = TcpLine(heard.append)
    with socket.create_connection(("127.0.0.1", line.port)) as last:
        line.accept()
        last.sendall(b"too late")
        with socket.create_connection(("127.0.0.1", line.port), timeout=5.0) as client:
            for call in line.files().values():
                call()
            line.send(b"welcome")
            assert client.recv(100) == b"welcome"
    assert b"too late" not in heard
    line.close()


def taken(kind, port):
    """Whether nobody is given this port who does not ask for it as its server does."""
    with socket.socket(socket.AF_INET, kind) as other:
        try:
            other.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def test_a_line_that_is_gone_keeps_its_port_refuses_and_comes_back_there():
    heard = []
    line = UdpLine(heard.append)
    for _ in range(3):
        line.close()
        assert taken(socket.SOCK_DGRAM, line.port)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.connect(("127.0.0.1", line.port))
            client.send(b"lost")
            with pytest.raises(ConnectionRefusedError):
                client.recv(100)
            line.open()
            client.send(b"there")
            select.select([*line.files()], [], [], 5.0)
            for call in line.files().values():
                call()
            line.send(b"welcome")
            assert client.recv(100) == b"welcome"
    assert heard == [b"there"] * 3
    line.close()


def test_a_server_that_is_gone_keeps_its_port_refuses_and_comes_back_there():
    line = TcpLine()
    for _ in range(3):
        line.close()
        assert taken(socket.SOCK_STREAM, line.port)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", line.port))
        line.open()
        with socket.create_connection(("127.0.0.1", line.port)):
            line.accept()
    line.close()
