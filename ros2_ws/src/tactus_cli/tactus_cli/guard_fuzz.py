"""Random and hostile proposals through the guard: what it lets through is judged independently, and what a step costs is measured."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tactus_core.geometry import rigid, rotation_matrix, rotation_vectors
from tactus_core.guard.config import GuardConfig
from tactus_core.guard.guard import Guard
from tactus_core.guard.types import GuardState, Inputs, Reason, Received, Verdict
from tactus_core.kinematics import Kinematics
from tactus_core.types import Array, Proposal, RobotDescription, RobotState, Target

_STEPS = 500  # an episode
_BAD = (np.nan, np.inf, -np.inf, 1e300, -1e9, 1e-300)
_SLACK = 1.001  # of a limit: rounding
_TURN_SLACK = 1.05  # turns do not add up like vectors; in a step of the guard's that is a few per cent


@dataclass
class Episode:
    """What a guard was told and what it sent, step by step; NaN where it sent nothing."""

    time_s: list[float] = field(default_factory=list)
    measured: list[Array] = field(default_factory=list)
    hand_measured: list[Array] = field(default_factory=list)
    sent: list[Array] = field(default_factory=list)
    arm_sent: list[Array] = field(default_factory=list)
    hand_sent: list[Array] = field(default_factory=list)
    q: list[Array] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)


class Adversary:
    """A robot that follows its commands more or less, and sources that propose anything. The arrays it hands out cannot be written to."""

    def __init__(self, robot: RobotDescription, kinematics: Kinematics, rng: np.random.Generator) -> None:
        self._robot, self._kinematics, self._rng = robot, kinematics, rng
        self.q = robot.q_home_rad + rng.uniform(-0.3, 0.3, len(robot.q_home_rad))
        self.hand = np.clip(robot.hand_rest_rad + rng.uniform(-0.2, 0.2, 16), kinematics.hand_low_rad, kinematics.hand_high_rad)
        self._by_joints = rng.random() < 0.2
        self._goal = kinematics.tcp_pose(self.q)
        self._hand_goal = self.hand
        self._stamp_s = 0.0

    def follow(self, target: Target | None) -> None:
        """Move as a robot would that was sent `target`."""
        if target is None:
            return
        lag = self._rng.uniform(0.2, 1.0)
        goal = target.arm_rad if target.arm_rad is not None else self._kinematics.towards(self.q, target.T_base_tcp)
        self.q = np.clip(self.q + lag * (goal - self.q), self._kinematics.arm_low_rad, self._kinematics.arm_high_rad)
        if target.hand_rad is not None:
            self.hand = self.hand + lag * (target.hand_rad - self.hand)
        if self._rng.random() < 0.002:  # somebody pushes it
            self.q = self.q + self._rng.uniform(-0.05, 0.05, len(self.q))

    def state(self) -> RobotState | None:
        """Return what is measured now: mostly the truth, sometimes nothing or nonsense."""
        rng = self._rng
        self._stamp_s += 0.005
        chance = rng.random()
        if chance < 0.01:
            return None
        wrench = rng.normal(0.0, (4.0, 4.0, 8.0, 0.5, 0.5, 0.5)) * (1.0 if rng.random() < 0.98 else 8.0)
        touch, q, effort = np.abs(rng.normal(3.0, 3.0, 4)), self.q, rng.normal(0.0, 1.0, 16)
        T = self._kinematics.tcp_pose(q)
        if chance < 0.03:
            for array in (wrench, touch, effort)[: rng.integers(1, 4)]:
                array[rng.integers(len(array))] = rng.choice(_BAD)
        if chance > 0.99:
            T = self._spoilt(T)
        return RobotState(self._stamp_s, _sealed(T), _sealed(wrench), _sealed(touch), _sealed(self.hand), _sealed(q), _sealed(effort))

    def target(self) -> Target:
        """Return a wish: a path with jumps in it, far away, malformed, or in the other mode."""
        rng = self._rng
        if rng.random() < 0.05:
            turn = rotation_matrix(rng.uniform(-0.4, 0.4, 3))
            here = self._kinematics.tcp_pose(self.q)
            reach = rng.choice((0.02, 0.08, 0.4, 3.0), p=(0.5, 0.3, 0.15, 0.05))
            self._goal = rigid(here[:3, 3] + rng.uniform(-reach, reach, 3), here[:3, :3] @ turn)
            self._hand_goal = rng.uniform(-1.0, 2.0, 16)
        T, hand = self._goal.copy(), self._hand_goal + rng.normal(0.0, 0.01, 16)
        T[:3, 3] += rng.normal(0.0, 0.001, 3)
        if rng.random() < 0.02:
            T = self._spoilt(T)
        if rng.random() < 0.01:
            hand[rng.integers(16)] = rng.choice(_BAD)
        if rng.random() < 0.005:
            hand = hand[: rng.integers(16)]
        arm = None
        if self._by_joints != (rng.random() < 0.01):
            arm = self.q + rng.normal(0.0, rng.choice((0.02, 0.2, 3.0), p=(0.8, 0.15, 0.05)), len(self.q))
            if rng.random() < 0.01:
                arm[rng.integers(len(arm))] = rng.choice(_BAD)
        return Target(_sealed(T), None if rng.random() < 0.02 else _sealed(hand), None if arm is None else _sealed(arm))

    def _spoilt(self, T: Array) -> Array:
        T = T.copy()
        T[self._rng.integers(4), self._rng.integers(4)] = self._rng.choice(_BAD)
        return T


def fuzz(robot: RobotDescription, config: GuardConfig, proposals: int, seed: int, told: Callable[[int], None]) -> dict[str, Any]:
    """Put at least `proposals` through guards of `robot`; `told` hears how many went through since its last call.

    Returns the number of proposals, violations by limit (none is right), verdicts by state and by reason, and the time of a step [µs].
    """
    rng, kinematics = np.random.default_rng(seed), Kinematics(robot)
    judge = Judge(config, kinematics)
    cost_us: list[float] = []
    states: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    violations: Counter[str] = Counter()
    done = 0
    while done < proposals:
        episode, count = _episode(Guard(config, kinematics), Adversary(robot, kinematics, rng), rng, cost_us)
        states.update(str(verdict.state) for verdict in episode.verdicts)
        reasons.update(str(reason) for verdict in episode.verdicts for reason in verdict.reasons)
        violations.update(judge.violations(episode))
        done += count
        told(count)
    p50, p99 = np.percentile(cost_us, (50, 99))
    return {
        "proposals": done,
        "violations": dict(violations),
        "step_us": {"p50": round(float(p50), 1), "p99": round(float(p99), 1), "max": round(max(cost_us), 1)},
        "states": dict(states.most_common()),
        "reasons": dict(reasons.most_common()),
    }


def _episode(guard: Guard, adversary: Adversary, rng: np.random.Generator, cost_us: list[float]) -> tuple[Episode, int]:
    episode, now_s, count, pressed = Episode(), 10.0, 0, int(rng.integers(2 * _STEPS))
    last: Target | None = None
    for step in range(_STEPS):
        now_s += 0.005 if rng.random() < 0.9 else rng.uniform(0.0, 0.06)
        state, age_s = adversary.state(), 0.0 if rng.random() < 0.99 else rng.uniform(-0.1, 0.2)
        sources = ["policy"] if rng.random() < 0.95 else list(rng.choice(["human", "policy", "idle", "", "ghost"], rng.integers(0, 4)))
        received = []
        for source in sources:
            stamp_s = now_s + (0.0 if rng.random() < 0.98 else rng.choice((-3600.0, 3600.0, np.nan, np.inf)))
            proposal = Proposal(stamp_s, str(source), adversary.target(), release=source == "human" and rng.random() < 0.7)
            received.append(Received(proposal, now_s - (0.0 if rng.random() < 0.98 else rng.choice((-1.0, 0.06, np.nan)))))
        inputs = Inputs(received, state, now_s - age_s, step == pressed, now_s)
        began_s = time.perf_counter()
        verdict = guard.step(inputs)
        if verdict.state is GuardState.RUNNING:
            cost_us.append((time.perf_counter() - began_s) * 1e6)
        _note(episode, now_s, adversary, state, verdict)
        last = verdict.executed if verdict.executed is not None else last
        adversary.follow(last)
        count += len(received)
        if verdict.state is GuardState.STOPPED and now_s > 11.5 and rng.random() < 0.1:
            try_reset(guard)
    return episode, count


def try_reset(guard: Guard) -> None:
    """Ask for a reset, as an operator would who does not know whether it is time."""
    from tactus_core.errors import DeviceError

    try:
        guard.reset()
    except DeviceError:
        return


def _note(episode: Episode, now_s: float, adversary: Adversary, state: RobotState | None, verdict: Verdict) -> None:
    sent, nothing = verdict.executed, np.full(16, np.nan)
    episode.time_s.append(now_s)
    episode.q.append(adversary.q)
    episode.measured.append(np.eye(4) if state is None else state.T_base_tcp)
    episode.hand_measured.append(adversary.hand)
    episode.sent.append(np.full((4, 4), np.nan) if sent is None else sent.T_base_tcp)
    episode.arm_sent.append(np.full(7, np.nan) if sent is None or sent.arm_rad is None else sent.arm_rad)
    episode.hand_sent.append(nothing if sent is None or sent.hand_rad is None else sent.hand_rad)
    episode.verdicts.append(verdict)


class Judge:
    """Counts what a guard should not have sent; it knows the limits, and nothing of how the guard keeps them."""

    def __init__(self, config: GuardConfig, kinematics: Kinematics) -> None:
        self._config, self._kinematics = config, kinematics

    def violations(self, episode: Episode) -> Counter[str]:
        """Return how often each limit was broken."""
        c, found = self._config, Counter[str]()
        sent, arm, hand = map(np.array, (episode.sent, episode.arm_sent, episode.hand_sent))
        was_sent = np.array([verdict.executed is not None for verdict in episode.verdicts])
        running = np.array([verdict.state is GuardState.RUNNING for verdict in episode.verdicts])
        found["not finite"] = int((was_sent & ~np.isfinite(sent).all((1, 2))).sum())
        R = np.where(was_sent[:, None, None], sent[:, :3, :3], np.eye(3))
        found["no rotation"] = int((np.abs(R.transpose(0, 2, 1) @ R - np.eye(3)).max((1, 2)) > 1e-3).sum())
        by_pose = was_sent & np.isnan(arm).any(1)
        self._near(episode, sent, by_pose, found)
        low, high = self._kinematics.hand_low_rad, self._kinematics.hand_high_rad
        found["hand limits"] = int((running[:, None] & ((hand < low - 1e-9) | (hand > high + 1e-9))).any(1).sum())
        found["arm limits"] = int(((arm < self._kinematics.arm_low_rad) | (arm > self._kinematics.arm_high_rad)).any(1).sum())
        away = np.abs(hand - np.array(episode.hand_measured))
        found["hand error"] = int((away > c.max_hand_error_rad * _SLACK).any(1).sum())
        off = np.abs(arm - np.array(episode.q))
        found["joint error"] = int((off > c.max_joint_error_rad * _SLACK).any(1).sum())
        self._rates(episode, sent, arm, hand, by_pose, found)
        return Counter({name: count for name, count in found.items() if count})

    def _near(self, episode: Episode, sent: Array, by_pose: Array, found: Counter[str]) -> None:
        c, measured = self._config, np.array(episode.measured)
        with np.errstate(invalid="ignore", over="ignore"):
            error = np.einsum("nij,nj->ni", measured[:, :3, :3].transpose(0, 2, 1), sent[:, :3, 3] - measured[:, :3, 3])
            turn = rotation_vectors(np.where(by_pose[:, None, None], measured[:, :3, :3].transpose(0, 2, 1) @ sent[:, :3, :3], np.eye(3)))
        found["normal error"] = int((by_pose & (np.abs(error[:, 2]) > c.max_normal_error_m * _SLACK)).sum())
        found["tangential error"] = int((by_pose & (np.linalg.norm(error[:, :2], axis=1) > c.max_tangential_error_m * _SLACK)).sum())
        found["rotation error"] = int((by_pose & (np.linalg.norm(turn, axis=1) > c.max_rotation_error_rad * _SLACK)).sum())

    def _rates(self, episode: Episode, sent: Array, arm: Array, hand: Array, by_pose: Array, found: Counter[str]) -> None:
        """Divided differences over runs of commands of one kind; where the robot was pushed, the bound on force comes first."""
        c, time_s = self._config, np.array(episode.time_s)
        # After a stall, motion begins from rest.
        edges = np.flatnonzero((np.diff(by_pose.astype(int)) != 0) | (np.diff(time_s) > c.max_dt_s)) + 1
        pushed = np.array([Reason.PUSHED in verdict.reasons for verdict in episode.verdicts])
        for rows in np.split(np.arange(len(time_s)), edges):
            for run in np.split(rows, np.flatnonzero(pushed[rows])):
                run = run[1:] if len(run) and pushed[run[0]] else run  # what follows a push begins with a jump of velocity
                run = run[np.append(True, np.diff(time_s[run]) > 1e-9)] if len(run) else run
                if len(run) < 6 or not by_pose[run[0]]:
                    continue
                turns = np.cumsum(
                    [np.zeros(3), *rotation_vectors(sent[run[1:], :3, :3] @ sent[run[:-1], :3, :3].transpose(0, 2, 1))], axis=0
                )
                for name, path, limits, slack in (
                    ("tcp", sent[run, :3, 3], (c.max_speed_m_s, c.max_acceleration_m_s2, c.max_jerk_m_s3), _SLACK),
                    ("turn", turns, (c.max_speed_rad_s, c.max_acceleration_rad_s2, c.max_jerk_rad_s3), _TURN_SLACK),
                ):
                    for kind, rate, limit in zip(("speed", "acceleration", "jerk"), rates(time_s[run], path), limits, strict=True):
                        found[f"{name} {kind}"] += int((np.linalg.norm(rate, axis=1) > limit * slack).sum())
                for kind, rate, limit in zip(
                    ("speed", "acceleration", "jerk"),
                    rates(time_s[run], hand[run]),
                    (c.max_hand_speed_rad_s, c.max_hand_acceleration_rad_s2, c.max_hand_jerk_rad_s3),
                    strict=True,
                ):
                    found[f"hand {kind}"] += int((np.abs(rate) > limit * _SLACK).any(1).sum())


def rates(time_s: Array, path: Array) -> tuple[Array, Array, Array]:
    """Return mean velocity, acceleration and jerk of `path` (n, k) at times (n,): divided differences, of n−1, n−2 and n−3 rows.

    Each is a weighted mean of the true derivative over its stretch, so that it cannot exceed a limit that the derivative keeps.
    """
    first = np.diff(path, axis=0) / np.diff(time_s)[:, None]
    second = 2.0 * np.diff(first, axis=0) / (time_s[2:] - time_s[:-2])[:, None]
    third = 3.0 * np.diff(second, axis=0) / (time_s[3:] - time_s[:-3])[:, None]
    return first, second, third


def _sealed(values: Array) -> Array:
    out = np.array(values, dtype=np.float64)
    out.setflags(write=False)
    return out
