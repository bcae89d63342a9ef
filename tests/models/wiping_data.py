"""A board that can be computed: demonstrations of a one-dimensional contact, for tests without a simulator.

The tool wipes along x and y; the board's height changes by min-jerk ramps. Impedance and contact are springs in series, so that force and
tcp follow from target and board. Labels are the expert's clean targets; what was executed carries noise, as in DART (Laskey et al. 2017):
without it, target = tcp + force / stiffness holds at every tick, and a head that learns this identity corrects nothing.
"""

from pathlib import Path

import numpy as np

from tactus_core.types import Array

TICK_S = 0.005
STIFFNESS_N_M = 600.0
CONTACT_N_M = 10_000.0
WANTED_N = 8.0
QUATERNION_DOWN = np.array([1.0, 0.0, 0.0, 0.0])
START_HEIGHT_M = 0.05


def contact(target_depth_m: Array | float, board_depth_m: Array | float) -> tuple[Array, Array]:
    """Return tcp depth and normal force of springs in series; depth grows into the board."""
    force = np.maximum(target_depth_m - np.asarray(board_depth_m), 0.0) / (1.0 / STIFFNESS_N_M + 1.0 / CONTACT_N_M)
    return target_depth_m - force / STIFFNESS_N_M, force


def board(t_s: Array, rng: np.random.Generator) -> Array:
    """Return the board's depth (T,): a random height and a ramp every 1 to 3 s."""
    depth = np.full(len(t_s), rng.uniform(-0.01, 0.01))
    start_s = rng.uniform(1.5, 3.0)
    while start_s < t_s[-1]:
        share = np.clip((t_s - start_s) / 0.25, 0.0, 1.0)
        depth += rng.choice([-1, 1]) * rng.uniform(0.008, 0.015) * (10 * share**3 - 15 * share**4 + 6 * share**5)
        start_s += rng.uniform(1.0, 3.0)
    return depth


def episode(seed: int, duration_s: float = 8.0) -> dict[str, Array]:
    """Return the arrays of one demonstration."""
    rng = np.random.default_rng(seed)
    t_s = np.arange(round(duration_s / TICK_S)) * TICK_S
    surface = board(t_s, rng)
    pressed = surface + WANTED_N * (1.0 / STIFFNESS_N_M + 1.0 / CONTACT_N_M)
    approach = np.clip(t_s / 1.0, 0.0, 1.0)
    target = (1.0 - approach) * (surface - START_HEIGHT_M) + approach * pressed
    noise = np.repeat(rng.normal(0.0, 0.003, len(t_s) // 50 + 1), 50)[: len(t_s)]
    depth, force = contact(target + noise, surface)
    force = force + rng.normal(0.0, 0.1, len(t_s))
    way_m = 0.15 * np.maximum(t_s - 1.0, 0.0)
    x, y = 0.5 + 0.1 * np.sin(way_m / 0.1 + seed), 0.1 * np.cos(way_m / 0.1 + seed)

    def poses(depth_m: Array) -> Array:
        return np.column_stack([x, y, 0.2 - depth_m, np.tile(QUATERNION_DOWN, (len(t_s), 1))])

    wrench = np.zeros((len(t_s), 6))
    wrench[:, 2] = -force
    image_t_s = t_s[::20]
    return {
        "t_s": t_s,
        "tcp_pose": poses(depth),
        "wrench": wrench,
        "fingertips": np.repeat((force + 3.0)[:, None] / 4.0, 4, axis=1),
        "action_pose": poses(target),
        "executed_pose": poses(target + noise),
        "action_press": np.minimum(t_s, 1.0),
        "image": np.stack([draw(x[i], y[i]) for i in range(0, len(t_s), 20)]),
        "image_t_s": image_t_s,
        "seed": np.array(seed),
    }


def draw(x_m: float, y_m: float) -> np.ndarray:
    """Return an image (96, 96, 3) with a bright square where the tool is."""
    image = np.full((96, 96, 3), 40, dtype=np.uint8)
    column, row = round(48 + 300 * (x_m - 0.5)), round(48 + 300 * y_m)
    image[row - 4 : row + 4, column - 4 : column + 4] = (250, 200, 30)
    return image


def write(folder: Path, episodes: int, duration_s: float = 8.0) -> Path:
    """Write demonstrations with seeds 0, 1, … and return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for seed in range(episodes):
        np.savez(folder / f"{seed}.npz", **episode(seed, duration_s))
    return folder
