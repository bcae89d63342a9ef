"""An episode of the task without physics, and the bag that a recorder would have made of it."""

import importlib.util
from dataclasses import replace
from pathlib import Path

import numpy as np
from mcap_ros2.writer import Writer
from written_bag import TYPES, definition, header, pose

from tactus_core.datasets.bag import Bag
from tactus_core.geometry import pose7
from tactus_core.learning.judged import Actor
from tactus_core.policy.bundle import Bundle, Normaliser
from tactus_core.policy.residual import decided, decided_s
from tactus_core.policy.specs import ExplorationSpec, ResidualSpec
from tactus_core.types import ChunkKind, Proposal, Target
from tactus_sim.corrected import Corrected
from tactus_sim.practice import LockstepPractice

TESTS = Path(__file__).parents[1]
SPEC = ResidualSpec(dt_s=0.05, limit_m=0.008, limit_rad=0.05, exploration=ExplorationSpec(noise=0.2, noise_time_s=0.2))
TICK_NS, MS = 5_000_000, 1_000_000
HUMAN = range(150, 220)
FIELDS = [{"name": name, "offset": 4 * i, "datatype": 7, "count": 1} for i, name in enumerate(("x", "y", "z", "fx", "fy", "fz"))]


def loaded(path):
    spec = importlib.util.spec_from_file_location(Path(path).stem, TESTS / path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Hand:
    """Somebody who takes control for a while, and gives it back."""

    def begin(self, seed):
        self._tick = -1

    def propose(self, tick, before):
        self._tick += 1
        if self._tick not in HUMAN and self._tick != HUMAN.stop:
            return None
        T = tick.state.T_base_tcp.copy()
        T[0, 3] += 0.002
        return Proposal(tick.state.stamp_s, "human", Target(T, None), release=self._tick == HUMAN.stop)


class Story:
    """An episode of the task without physics, practised with a residual that explores, and what a recorder would have heard of it."""

    def __init__(self, folder):
        bundles, task = loaded("core/conftest.py"), loaded("graph/stub/tactus_stub.py").TASK
        made = bundles.write_bundle(folder / "stub", ChunkKind.LATENT, task.robot.name, gain=1.0, residual=SPEC)
        self.bundle = Bundle.load(made)
        # Millimetres around the anchor: the guard refuses what jumps.
        calm = Normaliser(np.array([0, 0, 0, 1, 0, 0, 0, 1, 0, 0.5], np.float32), np.full(10, 0.001, np.float32))
        self.bundle = replace(self.bundle, normalisers={**self.bundle.normalisers, "action": calm})
        self.robot, self.heard, self._names = task.robot, [], [*task.robot.arm_joints, *task.robot.hand_joints]
        self.corrected = Corrected(task.make_camera("wrist"), task.robot)
        self._ticks = self._said = 0
        practice = LockstepPractice(task, self.bundle, SPEC, (Hand(),), self._hear)
        act = practice.act
        practice.act = lambda chunk, states, now_s: self._offer(chunk, now_s) or act(chunk, states, now_s)
        self._hear_one("/episode/mark", 0, 0, kind="begin", text="")
        self.practised = practice.episode(3, lambda observed: decided(self.bundle, SPEC, observed, self._decided_s)).transitions
        self._hear_one("/episode/mark", self._ticks * TICK_NS, self._ticks * TICK_NS, kind="success", text="")

    def _hear_one(self, topic, stamp_ns, arrival_ns, **message):
        self.heard.append((arrival_ns, topic, {"header": header(stamp_ns), **message}))

    def _offer(self, chunk, now_s):
        self._decided_s = decided_s(chunk, now_s, SPEC.dt_s)
        if chunk.sequence == self._said:
            return
        self._said = chunk.sequence
        told = {
            "kind": str(chunk.kind),
            "dt_s": chunk.dt_s,
            "start_index": 0,
            "steps": len(chunk.data),
            "data": chunk.data.ravel().tolist(),
        }
        whose = {"bundle": chunk.bundle, "bundle_hash": self.bundle.sha256, "sequence": chunk.sequence}
        groups = {"groups": [], "group_latency_s": []}
        stamp_ns = round(chunk.stamp_s * 1e9)
        self._hear_one("/chunk", stamp_ns, self._ticks * TICK_NS, anchor=list(pose7(chunk.T_base_anchor)), **told, **whose, **groups)

    def _hear(self, moment):
        self.corrected(moment)
        tick, verdict = moment.tick, moment.verdict
        now_ns = round(tick.state.stamp_s * 1e9)
        self._hear_one("/joint_states", now_ns, now_ns, name=self._names, position=tick.joint_position_rad.tolist(), velocity=[], effort=[])
        force, torque = (dict(zip("xyz", part, strict=True)) for part in np.split(tick.state.wrench_tcp, 2))
        self._hear_one("/wrench", now_ns, now_ns, wrench={"force": force, "torque": torque})
        taxels = tick.taxels.astype("<f4")
        shape = {"height": taxels.shape[0], "width": taxels.shape[1], "point_step": 24, "row_step": 24 * taxels.shape[1]}
        cloud = {**shape, "fields": FIELDS, "is_bigendian": False, "is_dense": True}
        self._hear_one("/tactile", now_ns, now_ns, data=taxels.tobytes(), **cloud)
        if self._ticks % 20 == 0:
            picture = {"height": 96, "width": 96, "encoding": "rgb8", "is_bigendian": 0, "step": 288}
            self._hear_one("/camera/image", now_ns, now_ns + 2 * MS, data=bytes([self._ticks % 256]) * 96 * 288, **picture)
        self._propose(moment.proposal or Proposal(0.0, "policy", Target(tick.state.T_base_tcp, np.zeros(0)), release=True), now_ns)
        self._decide(verdict, now_ns)
        self._ticks += 1

    def _propose(self, proposal, now_ns):
        # The recorder takes what waits for it topic by topic: now and then a verdict before the proposal that it answers.
        late_ns = 2 * MS if self._ticks % 3 == 0 and self._ticks not in HUMAN else MS
        whose = {"chunk_sequence": proposal.chunk_sequence, "bundle": proposal.bundle, "bundle_hash": self.bundle.sha256}
        hand = {"arm_target_rad": [], "hand_target_rad": proposal.target.hand_rad.tolist()}
        target = pose(pose7(proposal.target.T_base_tcp).tolist())
        self._hear_one("/proposal", now_ns, now_ns + late_ns, source="policy", release=proposal.release, tcp_target=target, **whose, **hand)

    def _decide(self, verdict, now_ns):
        control, sent = verdict.control, verdict.executed
        values = pose7(sent.T_base_tcp).tolist() if sent else [np.nan] * 7
        hand = sent.hand_rad.tolist() if sent and sent.hand_rad is not None else []
        edges = {"intervention": control.intervention, "onset": control.onset, "offset": control.offset}
        rest = {"steady_s": 0.0, "reasons": [], "arm_executed_rad": [], "chunk_sequence": 0, "bundle": "", "bundle_hash": ""}
        ages = dict.fromkeys(("proposal_age_s", "joints_age_s", "wrench_age_s", "touch_age_s"), 0.0)
        self._hear_one(
            "/verdict", now_ns, now_ns + 3 * MS // 2, state=str(verdict.state), source=verdict.source, proposed=pose(values),
            executed=pose(values), hand_executed_rad=hand, tick=self._ticks, intervened={"sec": 0, "nanosec": 0}, **edges, **rest, **ages,
        )  # fmt: skip

    def bag(self, folder, heard=None):
        """Write what was heard as the recorder does; return the bag."""
        folder.mkdir()
        with (folder / "bag_0.mcap").open("wb") as file:
            writer = Writer(file)
            schemas = {topic: writer.register_msgdef(name, definition(text)) for topic, (name, text) in TYPES.items()}
            for arrival_ns, topic, message in sorted(self.heard if heard is None else heard, key=lambda row: row[0]):
                writer.write_message(topic, schemas[topic], message, arrival_ns)
            writer.finish()
        return Bag(folder)

    def find(self, bundle_hash):
        return Actor(self.bundle, self.robot, SPEC.dt_s) if bundle_hash == self.bundle.sha256 else None


def without(story, topic, place):
    rows = [i for i, (_, name, _) in enumerate(story.heard) if name == topic]
    return [row for i, row in enumerate(story.heard) if i != rows[place]]


def changed(story, topic, place, **values):
    rows = [i for i, (_, name, _) in enumerate(story.heard) if name == topic]
    at_ns, _, message = story.heard[rows[place]]
    return [*story.heard[: rows[place]], (at_ns, topic, {**message, **values}), *story.heard[rows[place] + 1 :]]
