"""How fast a policy and the simulation run on this machine, by the classes that robots and evaluations use."""

import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

import numpy as np

from tactus_cli.quiet import quiet
from tactus_core.engines.port import EngineConfig
from tactus_core.geometry import rigid
from tactus_core.history import StateHistory
from tactus_core.policy.bundle import Bundle, example_observation
from tactus_core.policy.card import Card
from tactus_core.policy.encoder import OnnxEncoder
from tactus_core.policy.fast import make_fast_policy
from tactus_core.policy.graphs import image_input
from tactus_core.policy.slow import DiffusionPolicy
from tactus_core.ports import Camera
from tactus_core.types import RobotState

_WARM_UP = 20
_TICKS_PER_IMAGE = 20


Calls = Sequence[Callable[[], Any]]


def policy_speed(bundle_name: str, repetitions: int, seed: int, engine: EngineConfig) -> dict[str, Any]:
    """Return p50 and p99 [ms] of each part of a bundle that runs on `engine`, and the number of denoiser steps in a chunk."""
    bundle = Bundle.load(bundle_name, engine)
    parts = parts_of(bundle, repetitions, seed)
    times = {f"{name}_ms": quantiles({name: calls})[name] for name, calls in parts.items()}
    return {"bundle": bundle.card.name, "denoiser_steps": bundle.card.generator.inference_steps, **times}


def parts_of(bundle: Bundle, repetitions: int, seed: int) -> dict[str, Calls]:
    """Return what to time of a bundle, by name: encoder, denoiser_step, chunk, fast_head.

    chunk: from features and history to a chunk. fast_head: from chunk and history to a proposal, with windows as long as in use.
    """
    from tactus_nodes.plugins import find_robot
    from tactus_sim.lockstep import LockstepConfig

    card, examples = bundle.card, example_observation(bundle.card)
    encoder, slow, fast = OnnxEncoder(bundle), DiffusionPolicy(bundle, seed), make_fast_policy(bundle, find_robot(card.robot))
    images = {
        name: examples["encoder"][image_input(card.observation, name)].reshape(-1, *camera.shape)
        for name, camera in card.observation.cameras.items()
    }
    features = encoder.encode(images)
    step = "planner" if "planner" in card.graphs else "denoiser"
    newest_s = LockstepConfig().chunk_latency_s
    oldest_s = min(newest_s + card.replan_s, card.validity_s)
    states, stamp_s = history(card, oldest_s, seed), card.lookback_s
    encoded = np.zeros(card.observation.encoded_size)
    chunk = slow.infer(features, states.view(), stamp_s, encoded)
    ages_s = np.linspace(newest_s, oldest_s, repetitions)
    return {
        "encoder": [lambda: encoder.encode(images)] * repetitions,
        "denoiser_step": [lambda: bundle.run(step, **examples[step])] * repetitions,
        "chunk": [lambda: slow.infer(features, states.view(), stamp_s, encoded)] * repetitions,
        "fast_head": [lambda age_s=age_s: fast.act(chunk, states.view(), stamp_s + age_s) for age_s in ages_s],
    }


def history(card: Card, after_s: float, seed: int) -> StateHistory:
    """Return a robot at rest that feels noise, at 200 Hz from 0 to `after_s` after the card's lookback."""
    rng, history = np.random.default_rng(seed), StateHistory()
    T = rigid(np.array([0.45, 0.0, 0.2]), np.diag([1.0, -1.0, -1.0]))
    for stamp_s in np.arange(round((card.lookback_s + after_s) / 0.005) + 1) * 0.005:
        felt = rng.normal(0.0, 1.0, 6), np.abs(rng.normal(2.0, 0.5, 4))
        history.append(RobotState(float(stamp_s), T, *felt, np.zeros(card.joints.hand), np.zeros(card.joints.arm)))
    return history


def quantiles(calls: Mapping[Hashable, Calls]) -> dict[Any, dict[str, float]]:
    """Return p50 and p99 [ms] of each series of calls. They take turns, so that a busy machine is as busy for all."""
    for series in calls.values():
        for call in series[:_WARM_UP]:
            call()
    durations_ms: dict[Hashable, list[float]] = {name: [] for name in calls}
    for turn in zip(*calls.values(), strict=True):
        for name, call in zip(calls, turn, strict=True):
            began_s = time.perf_counter()
            call()
            durations_ms[name].append((time.perf_counter() - began_s) * 1e3)
    return {
        name: dict(zip(("p50", "p99"), np.percentile(series, (50, 99)).round(3).tolist(), strict=True))
        for name, series in durations_ms.items()
    }


def simulation_speed(seconds: float, seed: int) -> dict[str, float]:
    """Return simulated over wall time, state only and with the wrist camera at 10 Hz.

    Counted is the world (commands, impedance control, physics, sensors) from the first contact on; not the expert that moves the arm.
    """
    with quiet():
        from tactus_sim.wipe import TASK

        camera = TASK.make_camera(TASK.cameras[0])
        state_only, in_contact = _run_world(seconds, seed, None)
        with_camera, _ = _run_world(seconds, seed, camera)
    return {
        "state_only_x_realtime": round(seconds / state_only, 2),
        "with_camera_x_realtime": round(seconds / with_camera, 2),
        "simulated_s": seconds,
        "in_contact": round(in_contact, 3),
    }


def _run_world(seconds: float, seed: int, camera: Camera | None) -> tuple[float, float]:
    """Return the wall time that `seconds` of wiping take, and the share of them that the pad was in contact."""
    from tactus_sim.rig import TICK_s
    from tactus_sim.wipe.expert import WipeExpert
    from tactus_sim.wipe.world import WipeWorld

    world, wall_s, counted, touching = WipeWorld(), 0.0, 0, 0
    while counted * TICK_s < seconds:
        tick = world.reset(seed)
        seed += 1
        expert = WipeExpert(world.layout, TICK_s)
        while not tick.done and counted * TICK_s < seconds:
            since_s = world.since_contact_s(world.now_s)
            target = expert.act(tick.state.T_base_tcp, world.normal_force_N, world.layout.board_motion(since_s), world.score.left)
            began_s = time.perf_counter()
            world.command(target)
            tick = world.step()
            if camera is not None and counted % _TICKS_PER_IMAGE == 0:
                camera.render(tick.snapshot)
            if since_s >= 0.0:
                wall_s += time.perf_counter() - began_s
                counted += 1
                touching += world.normal_force_N > 0.0
    return wall_s, touching / counted
