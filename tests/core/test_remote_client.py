"""The remote slow policy against a server written from openpi's protocol, which does what servers do, and what they must not."""

import time

import numpy as np
import pytest
from remote_rig import ANCHOR, HANG_S, IMAGE, STATES, Independent, answered, packed, policy, tcp, vla_card
from websockets.server import ServerProtocol

from tactus_core.errors import DataError, StaleError
from tactus_core.policy.plan import Plan
from tactus_core.policy.specs import RemoteSpec
from tactus_core.remote import wire
from tactus_core.remote.client import RemotePolicy

TIMEOUT_S = 0.15
POSES = np.tile(np.array([0.5, 0.1, 0.2, 3.0, 0.2, 0.1, 0.5]), (32, 1))  # the anchor, again and again, half pressed


@pytest.fixture(scope="module")
def card(tmp_path_factory):
    return vla_card(tmp_path_factory.mktemp("bundle"))


def infer(asking, stamp_s=1.0):
    """Ask, and hold it to its time."""
    began_s = time.monotonic()
    try:
        return asking.infer(IMAGE, STATES, stamp_s)
    finally:
        assert time.monotonic() - began_s < asking._config.timeout_s + HANG_S


def answers(server, connection, observation):
    connection.send(packed({"actions": POSES, "server_timing": {"infer_ms": 1.0}, "policy_timing": {"infer_ms": 0.5}}))


def test_an_observation_goes_out_as_openpi_wants_it_and_poses_become_a_chunk(card):
    with Independent(answers, packed({"reset_pose": [0.0, 1.0]})) as server:
        asking = policy(card, server.url)
        asking.instruct("wipe the board")
        first, second = infer(asking), infer(asking)
        assert asking.metadata == {"reset_pose": [0.0, 1.0]}
        observation = server.seen[0]
        assert server.connections == 1
        asking.close()
    assert observation.keys() == {"observation/image", "observation/state", "prompt"}
    assert observation["prompt"] == "wipe the board"
    np.testing.assert_array_equal(observation["observation/image"], IMAGE)
    np.testing.assert_allclose(observation["observation/state"], POSES[0, :6], atol=1e-5)
    assert (first.stamp_s, first.bundle, first.kind, first.dt_s, first.sequence, second.sequence) == (1.0, card.id, "action", 0.05, 1, 2)
    np.testing.assert_allclose(first.T_base_anchor, ANCHOR, atol=1e-12)
    np.testing.assert_allclose(first.data, np.tile([0, 0, 0, 1, 0, 0, 0, 1, 0, 0.5], (32, 1)), atol=1e-5)
    assert first.data.dtype == np.float32
    Plan(card, "").offer(first, 1.05, 0.0)
    assert asking.counts == {"answers": 2, "connections": 1, "late": 0, "lost": 0, "refused": 0}


def silent(server, connection, observation):
    server.released.wait()


def half(server, connection, observation):
    connection.socket.sendall(b"\x82\x7e\x03\xe8only the beginning")
    server.released.wait()


def fragment(server, connection, observation):
    connection.socket.sendall(b"\x02\x03abc")  # a first part, and no other
    server.released.wait()


STALLS = {"silence": silent, "half a message": half, "half of the parts": fragment}


@pytest.mark.parametrize("name", STALLS)
def test_a_server_that_stalls_is_given_up_in_time(card, name):
    with Independent(STALLS[name]) as server:
        asking = policy(card, server.url, timeout_s=TIMEOUT_S)
        with pytest.raises(StaleError, match=r"no answer within 0\.15 s"):
            infer(asking)
        assert asking.counts["late"] == 1


NO_SERVERS = {
    "silence": (lambda connection: None, "no answer within"),
    "garbage": (lambda connection: connection.sendall(b"\0\xff" * 4000 + b"\r\n\r\n"), "no WebSocket server"),
    "another server": (lambda connection: connection.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"), "404"),
    "an end": (lambda connection: connection.close(), "policy server"),
}


@pytest.mark.parametrize("name", NO_SERVERS)
def test_what_is_no_policy_server_is_given_up_in_time(card, name):
    behave, message = NO_SERVERS[name]
    with tcp(behave) as url, pytest.raises(StaleError, match=message):
        infer(policy(card, url, timeout_s=TIMEOUT_S))


def test_nobody_there_is_said_at_once_and_asked_again_with_growing_waits(card):
    with tcp(lambda connection: None) as url:
        pass
    now_s = [0.0]
    asking = RemotePolicy(card, RemoteSpec(url=url, retry_first_s=0.1, retry_longest_s=0.3), lambda: now_s[0])
    attempts = []
    for now_s[0] in np.arange(0.0, 2.0, 0.01):
        lost = asking.counts["lost"]
        with pytest.raises(StaleError, match=r"no plan: policy server ws://127\.0\.0\.1"):
            asking.infer(IMAGE, STATES, 1.0)
        if asking.counts["lost"] > lost:
            attempts.append(now_s[0])
    np.testing.assert_allclose(np.diff(attempts)[:5], [0.01, 0.1, 0.2, 0.3, 0.3], atol=0.011)


def test_a_server_that_does_not_read_is_given_up_in_time(card):
    def greet(connection):
        protocol = ServerProtocol()
        while not (requests := protocol.events_received()):
            protocol.receive_data(connection.recv(65536))
        protocol.send_response(protocol.accept(requests[0]))
        protocol.send_binary(b"\x80")
        for data in protocol.data_to_send():
            connection.sendall(data)

    with tcp(greet) as url:
        asking = policy(card, url, timeout_s=TIMEOUT_S)
        while asking.counts["connections"] == 0:
            began_s = time.monotonic()
            with pytest.raises(StaleError):
                asking.infer(np.zeros((1500, 1500, 3), np.uint8), STATES, 1.0)
            assert time.monotonic() - began_s < TIMEOUT_S + HANG_S
    with pytest.raises(DataError, match="Send smaller images"):
        asking.infer(np.zeros((4000, 2000, 3), np.uint8), STATES, 1.0)


def test_silence_on_connecting_is_given_up_in_time(card):
    with Independent(answers, metadata=None) as server, pytest.raises(StaleError, match="no answer within"):
        infer(policy(card, server.url, timeout_s=TIMEOUT_S))


def test_a_late_answer_is_never_played(card):
    asked = []

    def behave(server, connection, observation):
        asked.append(float(observation["observation/state"][0]))
        if len(asked) == 1:
            silent_until = time.monotonic() + 2 * TIMEOUT_S
            while time.monotonic() < silent_until:
                server.released.wait(0.01)
        rows = POSES.copy()
        rows[:, 6] = len(asked)  # which question this answers
        connection.send(packed({"actions": rows}))

    with Independent(behave) as server:
        asking = policy(card, server.url, timeout_s=TIMEOUT_S)
        with pytest.raises(StaleError):
            infer(asking)
        chunk = answered(asking, stamp_s=1.2)
        np.testing.assert_allclose(chunk.data[:, 9], len(asked))
        assert (chunk.stamp_s, chunk.sequence) == (1.2, 1)
        assert len(asked) >= 2


def test_a_second_answer_to_one_question_ends_the_connection(card):
    data = packed({"actions": POSES})
    frame = b"\x82\x7e" + len(data).to_bytes(2, "big") + data

    def behave(server, connection, observation):
        connection.socket.sendall(frame * (2 if server.connections == 1 else 1))

    with Independent(behave) as server:
        asking = policy(card, server.url)
        infer(asking)
        with pytest.raises(StaleError, match="nobody asked for"):
            infer(asking)
        assert infer(asking).sequence == 2
        assert (server.connections, len(server.seen)) == (2, 2)


ROWS = POSES.astype(np.float32)
LIES = {
    "garbage": (b"\xc1\xc1\xc1", "no whole msgpack message"),
    "an error as text": ("Traceback\nRuntimeError: out of memory", "RuntimeError: out of memory"),
    "nothing": (b"", "no whole msgpack message"),
    "no actions": (packed({"action": ROWS}), "'actions' must be an array"),
    "fewer rows": (packed({"actions": ROWS[:31]}), r"\(31, 7\), expected \(32, 7\)"),
    "other channels": (packed({"actions": ROWS[:, :6]}), r"\(32, 6\), expected \(32, 7\)"),
    "a batch": (packed({"actions": ROWS[None]}), r"\(1, 32, 7\)"),
    "NaN": (packed({"actions": np.where(np.arange(7) == 3, np.nan, ROWS)}), "NaN"),
    "whole numbers": (packed({"actions": ROWS.astype(np.int64)}), "numbers int64"),
    "an object": (packed({"actions": ROWS}).replace(b"<f4", b"|O8"), "objects never"),
}


@pytest.mark.parametrize("name", LIES)
def test_an_answer_that_is_wrong_is_refused_and_the_next_one_taken(card, name):
    wrong, message = LIES[name]

    def behave(server, connection, observation):
        if len(server.seen) == 1:
            connection.send(wrong)
        else:
            answers(server, connection, observation)

    with Independent(behave) as server:
        asking = policy(card, server.url)
        with pytest.raises(DataError, match=message):
            infer(asking)
        assert infer(asking).sequence == 1
        assert (asking.counts["refused"], asking.counts["answers"], server.connections) == (1, 1, 1)


def test_an_answer_without_end_is_refused(card):
    def behave(server, connection, observation):
        connection.send(b"\0" * (wire.LONGEST_ANSWER_BYTES + 1))

    with Independent(behave) as server, pytest.raises(StaleError, match="has ended"):
        infer(policy(card, server.url))


def test_a_server_that_hangs_up_after_each_answer_as_openpis_does_after_an_error(card):
    def behave(server, connection, observation):
        answers(server, connection, observation)
        connection.close(1011)

    with Independent(behave) as server:
        asking = policy(card, server.url)
        for _ in range(3):
            answered(asking)
        assert server.connections >= 3


def test_pings_are_answered_while_nothing_is_asked(card):
    ponged = []

    def behave(server, connection, observation):
        answers(server, connection, observation)
        ponged.append(connection.ping())

    with Independent(behave) as server:
        asking = policy(card, server.url)
        infer(asking)
        infer(asking)
        infer(asking)
        assert ponged[0].wait(1.0)


def test_an_episode_is_a_connection(card):
    with Independent(answers) as server:
        asking = policy(card, server.url)
        infer(asking)
        asking.reset(3)
        assert infer(asking).sequence == 2
        assert server.connections == 2
        asking.close()
        asking.close()


def test_nothing_is_asked_without_history_or_about_what_is_no_number(card):
    with Independent(answers) as server:
        with pytest.raises(StaleError, match="no robot state"):
            infer(policy(card, server.url), stamp_s=0.1)
        with pytest.raises(DataError, match="NaN or infinity"):
            policy(card, server.url).infer(np.array([0.0, np.nan], np.float32), STATES, 1.0)
    assert server.connections == 0
