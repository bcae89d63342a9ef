"""A server that does something wrong most of the time: what comes out answers the question that was asked, in time, or nothing does."""

import random
import time

import numpy as np
from remote_rig import HANG_S, STATES, Independent, answered, packed, policy, vla_card

from tactus_core.errors import DataError, StaleError

TIMEOUT_S = 0.06


def answer(number):
    return packed({"actions": np.tile(np.array([0.0, 0.0, 0.0, 0.0, 0.0, 0.0, number]), (32, 1))})


def frame(data):
    return b"\x82\x7e" + len(data).to_bytes(2, "big") + data


FAULTS = {
    "late": lambda server, connection, number: (server.released.wait(1.5 * TIMEOUT_S), connection.send(answer(number))),
    "half": lambda server, connection, number: connection.socket.sendall(frame(answer(number))[:999]),
    "twice": lambda server, connection, number: connection.socket.sendall(2 * frame(answer(number))),
    "last words": lambda server, connection, number: (connection.send("RuntimeError: no camera"), connection.close(1011)),
    "no word": lambda server, connection, number: connection.close_socket(),
    "noise": lambda server, connection, number: connection.socket.sendall(random.Random(number).randbytes(200)),
    "no message": lambda server, connection, number: connection.send(b"\xc1" + answer(number)),
    "another shape": lambda server, connection, number: connection.send(packed({"actions": np.full((31, 7), number)})),
    "NaN": lambda server, connection, number: connection.send(packed({"actions": np.full((32, 7), np.nan)})),
}


def test_what_comes_out_answers_what_was_asked_whatever_the_server_does(tmp_path):
    order = [*FAULTS, None, None, None] * 4
    random.Random(0).shuffle(order)
    done, played = [], []

    def behave(server, connection, observation):
        number = int(observation["observation/image"][0])
        fault = order[len(done)] if len(done) < len(order) else None
        done.append(fault)
        if fault is None:
            connection.send(answer(number))
        else:
            FAULTS[fault](server, connection, number)

    with Independent(behave) as server:
        asking = policy(vla_card(tmp_path), server.url, timeout_s=TIMEOUT_S, retry_first_s=0.001, retry_longest_s=0.002)
        for number in range(250):
            began_s = time.monotonic()
            try:
                chunk = asking.infer(np.array([number], np.uint8), STATES, 1.0)
            except (StaleError, DataError):
                chunk = None
                time.sleep(0.002)  # it waits as long before it connects anew
            assert time.monotonic() - began_s < TIMEOUT_S + HANG_S
            if chunk is not None:
                assert (chunk.data[:, 9] == number).all()
                played.append(number)
            if len(done) > len(order):
                break
        assert answered(asking, np.array([255], np.uint8)).data[0, 9] == 255.0
        asking.close()
    assert set(order) <= set(done)
    assert asking.counts["answers"] == len(played) + 1
