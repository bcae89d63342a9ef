"""Small recordings, as real sensors would have made them."""

import numpy as np


def write_gif(path, frames=12, onset=6, release=10, delay_ms=40):
    """Write frames of a grey gel with a bright square from `onset` until `release`."""
    from PIL import Image

    images = np.full((frames, 48, 64, 3), 120, np.uint8)
    images[onset:release, 20:30, 20:30] = 220
    # A pixel that changes every time: equal frames would be written as one long frame.
    images[:, 0, 0, 0] = np.arange(frames)
    first, *others = (Image.fromarray(image) for image in images)
    first.save(path, save_all=True, append_images=others, duration=delay_ms, loop=0)
    return path


def write_mat(path, samples=600, spike_at=400, blow_at=500, rate_Hz=694.0, hold=1):
    """Write two takes of a tool in even motion: noise on a bias, one lone reading of 5 N, and a blow of eight readings.

    hold: how many records each reading of the force fills, as a sensor leaves it that is slower than the recording.
    """
    import scipy.io

    rng = np.random.default_rng(0)
    takes = np.empty(2, [(name, object) for name in ("pos", "vel", "F")])
    for take in takes:
        force = rng.normal(0.0, 0.02, (3, samples)) + np.array([[0.1], [-0.2], [-1.5]])
        force[2, spike_at] += 5.0
        force[2, blow_at : blow_at + 8] -= 4.0
        take["pos"] = np.array([[1.0], [0.0], [0.5]]) * np.arange(samples * hold) / rate_Hz
        take["vel"] = np.tile([[1.0], [0.0], [0.5]], samples * hold)
        take["F"] = np.repeat(force, hold, axis=1)
    scipy.io.savemat(path, {"symbol_data": takes})
    return path
