"""Runs the simulated graph while a policy moves the robot, and offers it other weights: good ones, bad ones, and worse ones."""

import random
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from std_srvs.srv import SetBool

from tactus_cli.bringup import launch_file
from tactus_cli.launching.session import Launched
from tactus_cli.machine import Cores
from tactus_cli.swapping.score import Span, score
from tactus_cli.swapping.versions import finer, lifted, write_bad, write_version
from tactus_core.errors import DeviceError
from tactus_core.policy.bundle import find_bundle
from tactus_core.policy.card import file_sha256, load_card
from tactus_msgs.msg import PolicyVersion
from tactus_msgs.srv import SwapBundle
from tactus_nodes import topics
from tactus_nodes.client import GraphSession
from tactus_nodes.plugins import find_robot

_START_S, _MOTION_S, _ANSWER_S, _SWAP_S = 90.0, 60.0, 120.0, 10.0
_SEEN_S = 180.0
_BEFORE_S, _AFTER_S = (1.0, 2.0), (0.2, 0.8)
# More than a node keeps ready: each swap has to load.
_GOOD = 4


class Swaps:
    """The graph's side: keeps the policy moving, and notes when what was going on. spans: by name, of the wall clock."""

    def __init__(self, session: GraphSession, seed: int) -> None:
        self._session, self._seed, self.draw = session, seed, random.Random(seed)
        self._version = PolicyVersion()
        self.acted: list[str] = []
        self.spans: dict[str, list[Span]] = {"without": [], "under way": [], "episodes": []}
        self._verdict = session.newest(topics.VERDICT)
        session.listen(topics.VERSION.deeper(10), self._hear)

    def _hear(self, message: PolicyVersion) -> None:
        if message.bundle_hash != self._version.bundle_hash:
            self.acted.append(message.bundle_hash)
        self._version = message

    @contextmanager
    def _span(self, name: str) -> Iterator[None]:
        began_s = time.time()
        yield
        self.spans[name].append((began_s, time.time()))

    def swap(self, folder: Path) -> None:
        """Let the policy move, offer good weights meanwhile, and see them act in the next episode; raises DeviceError.

        That one is of the same seed, and watched at the same place for as long: how it is with nothing going on.
        """
        before_s = self.draw.uniform(*_BEFORE_S)
        with self._episode():
            self._session.listen_for(before_s)
            with self._span("under way"):
                accepted, message = self.offer(folder)
            if not accepted:
                raise DeviceError(f"good weights were refused: {message}")
            self._session.listen_for(self.draw.uniform(*_AFTER_S))
        wanted = file_sha256(folder / "card.yaml")
        self._session.wait_for(lambda: self._version.bundle_hash == wanted, _SWAP_S, "the swap at the end of the episode")
        began_s, ended_s = self.spans["under way"][-1]
        with self._episode(again=True):
            self._session.listen_for(before_s)
            with self._span("without"):
                self._session.listen_for(ended_s - began_s)

    def until_seen_enough(self, folder: Path) -> None:
        """Let the policy move until good weights can be compared with those that act, and are taken; raises DeviceError."""
        with self._episode():
            self._session.wait_for(lambda: self.offer(folder)[0], _SEEN_S, "enough observations to compare weights on")

    def offer(self, folder: Path) -> tuple[bool, str]:
        """Offer weights; return whether they were accepted, and what was said."""
        answer = self._session.ask(SwapBundle, "policy/swap", _ANSWER_S, bundle=str(folder))
        return answer.success, answer.message

    def refused(self, bad: Mapping[str, Path]) -> dict[str, str]:
        """Offer what is no good, while the policy moves; return what was said to each, "" where it was taken."""
        said = {}
        for wrong, folder in bad.items():
            with self._episode(), self._span("under way"):
                accepted, message = self.offer(folder)
                said[wrong] = "" if accepted else message
        return said

    def until_taken_back(self, worse: Path, before: int, most: int) -> dict[str, Any]:
        """Live whole episodes with the weights that act, then with worse ones until they are taken back, at most so many."""
        good = [self._whole() for _ in range(before)]
        self.swap(worse)
        bad: list[bool] = []
        named = self._version.bundle_hash
        while self._version.bundle_hash == named and len(bad) < most:
            bad.append(self._whole())
            self._session.listen_for(1.0)
        back = self._version.bundle_hash != named
        return {"before": sum(good), "of": len(good), "worse": sum(bad), "episodes": len(bad), "taken_back": back}

    def _whole(self) -> bool:
        self._seed += 1
        success = self._session.run_episode(self._seed, 90.0).success
        self._stop()
        return success

    @contextmanager
    def _episode(self, again: bool = False) -> Iterator[None]:
        self._seed += not again
        self._session.begin_episode(self._seed)
        self._session.wait_for(self._moves, _MOTION_S, "the policy to move the robot with the weights that act")
        with self._span("episodes"):
            yield
        self._stop()

    def _moves(self) -> bool:
        verdict = self._verdict()
        return bool(verdict.state == "running" and verdict.bundle_hash == self._version.bundle_hash)

    def _stop(self) -> None:
        self._session.call(SetBool, "slow_policy/run", data=False)


def measure(arguments: Mapping[str, str], count: int, episodes: int, seed: int, folder: Path) -> dict[str, Any]:
    """Launch, swap `count` times, offer what is bad and what is worse, and return the report; all that it is made of is left in `folder`.

    episodes: lived before the worse weights, whose success these have to keep up with.
    """
    folder.mkdir(parents=True)
    source, rng = find_bundle(arguments["bundle"]), np.random.default_rng(seed)
    version = load_card(source / "card.yaml").version
    good = [write_version(source, folder / f"good-{i}", f"{version}-{i}", weights=finer(rng)) for i in range(_GOOD)]
    values = {"run": "false", "record": "true", "swap": "true", "folder": str(folder / "bag"), "command_log": str(folder / "commands.txt")}
    with (
        Launched(launch_file("sim.launch.xml"), {**values, **arguments}, folder=folder / "logs") as launched,
        GraphSession(launched.check) as session,
        Cores() as cores,
    ):
        session.wait_ready(_START_S)
        swaps = Swaps(session, seed)
        swaps.until_seen_enough(good[0])
        for number in range(1, count + 1):
            swaps.swap(good[number % _GOOD])
        swapped = len(swaps.acted) - 2  # but for what acted first, and for the swap that began it
        said = swaps.refused(write_bad(good[count % _GOOD], folder / "bad"))
        worse = write_version(source, folder / "worse", f"{version}-worse", normaliser=lifted)
        taken_back = swaps.until_taken_back(worse, episodes, 3 * episodes) if episodes else None
        stalls = cores.stalls()
    report = {"swaps": swapped, "offered": count, "refused": said, "worse": taken_back}
    return report | score(folder / "bag", folder / "commands.txt", swaps.spans, stalls, find_robot(arguments["robot"]))
