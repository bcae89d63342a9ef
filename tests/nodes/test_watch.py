"""The watch, against nodes that are killed, frozen, slow or unwilling at any moment: order, honesty, and nobody is asked twice at once."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tactus_nodes.watch import ACTIVATE, CONFIGURE, GET_STATE, Stage, Watch

NAMES = ("device", "guard", "policy")
TIMEOUT_S, RETURN_S, STEP_S = 0.5, 30.0, 0.1


class Node:
    """A process: it beats and answers while it runs, and begins anew unconfigured when it is restarted."""

    def __init__(self):
        self.lifecycle, self.runs, self.mail = "unconfigured", True, []
        self.born_ns = 1

    def kill(self):
        self.runs, self.mail = False, []

    def start(self):
        if not self.runs:
            self.lifecycle, self.runs = "unconfigured", True
            self.born_ns += 1


class Graph:
    """The watch and its nodes on one clock; requests are answered in the step after."""

    def __init__(self):
        self.now_s = 0.0
        self.nodes = {name: Node() for name in NAMES}
        self.watch = Watch(NAMES, TIMEOUT_S, RETURN_S, 0.0)
        self.activated = []
        self.unwilling = {}

    def step(self):
        self.now_s += STEP_S
        for name, node in self.nodes.items():
            if node.runs:
                self.watch.hear(name, node.born_ns, self.now_s)
                mail, node.mail = node.mail, []
                for request in mail:
                    self.answer(name, node, request)
        lost = self.watch.newly_lost(self.now_s)
        for name, request in self.watch.due():
            self.watch.asked(name, request)
            if self.nodes[name].runs:
                self.nodes[name].mail.append(request)
        return lost

    def answer(self, name, node, request):
        if request == GET_STATE:
            self.watch.told_state(name, node.lifecycle, self.now_s)
            return
        before, after = {CONFIGURE: ("unconfigured", "inactive"), ACTIVATE: ("inactive", "active")}[request]
        failure = self.unwilling.get(name, "" if node.lifecycle == before else f"it is {node.lifecycle}")
        if not failure:
            node.lifecycle = after
            self.activated += [name] if after == "active" else []
        self.watch.told_done(name, request, failure, self.now_s)

    def steps(self, seconds):
        return [name for _ in range(round(seconds / STEP_S)) for name in self.step()]


@pytest.fixture
def up():
    graph = Graph()
    graph.steps(2.0)
    assert not graph.watch.inactive(NAMES)
    return graph


def test_all_come_up_in_order(up):
    assert tuple(up.activated) == NAMES


def test_nobody_is_activated_before_all_are_configured():
    graph = Graph()
    graph.nodes["policy"].kill()
    graph.steps(3.0)
    assert graph.activated == []
    graph.nodes["policy"].start()
    graph.steps(2.0)
    assert tuple(graph.activated) == NAMES


def test_killed_node_is_lost_and_comes_back_when_it_is_restarted(up):
    up.nodes["guard"].kill()
    assert up.steps(2.0) == ["guard"]
    assert up.watch.inactive(NAMES) == ["guard"]
    up.nodes["guard"].start()
    up.steps(2.0)
    assert not up.watch.inactive(NAMES)
    assert up.activated == [*NAMES, "guard"]


def test_frozen_node_is_still_active_and_is_not_activated_again(up):
    up.nodes["guard"].runs = False
    assert up.steps(1.0) == ["guard"]
    up.nodes["guard"].runs = True
    up.steps(1.0)
    assert not up.watch.inactive(NAMES)
    assert tuple(up.activated) == NAMES


def test_two_that_come_back_together_come_back_in_order(up):
    for name in ("policy", "device"):
        up.nodes[name].kill()
    up.steps(1.0)
    for name in ("policy", "device"):
        up.nodes[name].start()
    up.steps(2.0)
    assert up.activated[3:] == ["device", "policy"]


def test_node_that_stays_away_is_a_problem_with_a_next_step(up):
    up.nodes["guard"].kill()
    up.steps(RETURN_S + 1.0)
    assert "start the graph again" in up.watch.problem("guard")
    assert up.watch.stage("guard") is Stage.LOST


def test_node_that_refuses_is_lost_with_its_reason_and_not_asked_again(up):
    up.unwilling["guard"] = "no limits for this robot"
    up.nodes["guard"].kill()
    up.steps(1.0)
    up.nodes["guard"].start()
    up.steps(3.0)
    assert "no limits for this robot" in up.watch.problem("guard")
    assert up.nodes["guard"].lifecycle == "unconfigured"
    up.unwilling.clear()
    up.nodes["guard"].kill()  # the next start is a new chance
    up.steps(1.0)
    up.nodes["guard"].start()
    up.steps(2.0)
    assert not up.watch.inactive(NAMES)


def test_process_that_starts_anew_within_the_timeout_is_lost_all_the_same(up):
    up.nodes["guard"].kill()
    up.nodes["guard"].start()
    assert up.step() == {"guard": "its process has started anew"}
    assert up.watch.stage("guard") is Stage.LOST
    up.steps(2.0)
    assert not up.watch.inactive(NAMES)
    assert up.nodes["guard"].lifecycle == "active"


def test_strangers_are_not_listened_to(up):
    assert up.watch.hear("somebody", 1, up.now_s) is False


whats = st.sampled_from(["kill", "start", "freeze", "thaw"])
happenings = st.lists(st.tuples(st.sampled_from(NAMES), whats, st.integers(0, 12)), max_size=25)


@given(happenings)
@settings(max_examples=300, deadline=None)
def test_whatever_happens_the_watch_is_right_in_the_end_and_never_late(happenings):
    graph = Graph()
    silent_s = dict.fromkeys(NAMES, 0.0)
    killed = set()

    def advance(steps):
        for _ in range(steps):
            graph.step()
            for name, node in graph.nodes.items():
                silent_s[name] = 0.0 if node.runs else silent_s[name] + STEP_S
                if silent_s[name] > TIMEOUT_S + 2 * STEP_S:
                    assert graph.watch.stage(name) is not Stage.ACTIVE

    for name, what, steps in happenings:
        node = graph.nodes[name]
        if what == "kill":
            node.kill()
            killed.add(name)
        elif what == "freeze" and node.runs:
            node.runs = False
        elif what == "thaw" and name not in killed:
            node.runs = True
        elif what == "start" and name in killed:  # at once, or after a silence
            node.start()
            killed.discard(name)
        advance(steps)
    advance(10)
    for name in NAMES:
        if name in killed:
            graph.nodes[name].start()
        graph.nodes[name].runs = True
    advance(60)
    assert {name: node.lifecycle for name, node in graph.nodes.items()} == dict.fromkeys(NAMES, "active")
    assert not graph.watch.inactive(NAMES)
