"""How fast a policy and the simulation run on this machine, by the classes that robots and evaluations use."""

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tactus_cli.quiet import quiet
from tactus_core.geometry import rigid
from tactus_core.history import StateHistory
from tactus_core.policy.bundle import Bundle, example_observation
from tactus_core.policy.encoder import OnnxEncoder
from tactus_core.policy.fast import make_fast_policy
from tactus_core.policy.slow import DiffusionPolicy
from tactus_core.ports import Camera
from tactus_core.types import RobotState

_WARM_UP = 20
_TICKS_PER_IMAGE = 20


def policy_speed(bundle_name: str, repetitions: int, seed: int) -> dict[str, Any]:
    """Return p50 and p99 [ms] of each part of a bundle, and the number of denoiser steps in a chunk.

    `chunk_ms`: from features and history to a chunk. `fast_head_ms`: from chunk and history to a proposal, with windows as long as in use.
    """
    from tactus_nodes.plugins import find_robot
    from tactus_sim.lockstep import LockstepConfig

    bundle = Bundle.load(bundle_name)
    card, examples = bundle.card, example_observation(bundle.card)
    encoder, slow, fast = OnnxEncoder(bundle), DiffusionPolicy(bundle, seed), make_fast_policy(bundle, find_robot(card.robot))
    image = examples["encoder"]["image"][0]
    features = encoder.encode(image)
    newest_s = LockstepConfig().chunk_latency_s
    oldest_s = min(newest_s + card.replan_s, card.validity_s)
    states, stamp_s = _history(card.lookback_s, oldest_s, seed), card.lookback_s
    chunk = slow.infer(features, states.view(), stamp_s)
    ages_s = np.linspace(newest_s, oldest_s, repetitions)
    return {
        "bundle": card.name,
        "denoiser_steps": card.diffusion.inference_steps,
        "encoder_ms": _quantiles([lambda: encoder.encode(image)] * repetitions),
        "denoiser_step_ms": _quantiles([lambda: bundle.run("denoiser", **examples["denoiser"])] * repetitions),
        "chunk_ms": _quantiles([lambda: slow.infer(features, states.view(), stamp_s)] * repetitions),
        "fast_head_ms": _quantiles([lambda age_s=age_s: fast.act(chunk, states.view(), stamp_s + age_s) for age_s in ages_s]),
    }


def _history(before_s: float, after_s: float, seed: int) -> StateHistory:
    """Return a robot at rest that feels noise, at 200 Hz from 0 to the end of both spans."""
    rng, history = np.random.default_rng(seed), StateHistory()
    T = rigid(np.array([0.45, 0.0, 0.2]), np.diag([1.0, -1.0, -1.0]))
    for stamp_s in np.arange(round((before_s + after_s) / 0.005) + 1) * 0.005:
        history.append(RobotState(float(stamp_s), T, rng.normal(0.0, 1.0, 6), np.abs(rng.normal(2.0, 0.5, 4)), np.zeros(16)))
    return history


def _quantiles(calls: Sequence[Callable[[], Any]]) -> dict[str, float]:
    for call in calls[:_WARM_UP]:
        call()
    durations_ms = []
    for call in calls:
        began_s = time.perf_counter()
        call()
        durations_ms.append((time.perf_counter() - began_s) * 1e3)
    p50, p99 = np.percentile(durations_ms, (50, 99))
    return {"p50": round(float(p50), 3), "p99": round(float(p99), 3)}


def simulation_speed(seconds: float, seed: int) -> dict[str, float]:
    """Return simulated over wall time, state only and with the wrist camera at 10 Hz.

    Counted is the world (commands, impedance control, physics, sensors) from the first contact on; not the expert that moves the arm.
    """
    with quiet():
        from tactus_sim.wipe import TASK

        camera = TASK.make_camera()
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
