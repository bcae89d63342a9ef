"""Lines of emulators: what a client that is slow gets."""

import socket

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
