"""Cameras that look at a scene in its own client: on the wrist, or from outside."""

from dataclasses import dataclass

import numpy as np
import pinocchio as pin
import pybullet as p
from numpy.typing import NDArray

from tactus_core.types import Array
from tactus_sim.scene import Scene


@dataclass(frozen=True)
class View:
    """A camera: image size, vertical field of view, where it sits and looks.

    link: what it is fixed to; None: the base frame. noise: largest error of a pixel, of 255; a real sensor never gives one image twice.
    """

    width: int
    height: int
    fov_deg: float
    eye_m: tuple[float, float, float]
    look_at_m: tuple[float, float, float]
    up: tuple[float, float, float]
    link: str | None = None
    noise: int = 0


# Beside the flange, beyond the fingertips: it sees what lies ahead of the tool.
WRIST = View(96, 96, 80.0, (0.13, 0.0, -0.02), (0.05, 0.0, 0.17), (1.0, 0.0, 0.0), link="wrist", noise=1)
# Beside the table, at the size of the wrist's.
SCENE = View(96, 96, 36.0, (1.15, 0.62, 0.62), (0.40, 0.0, 0.30), (0.0, 0.0, 1.0), noise=1)
OVERVIEW = View(480, 360, 36.0, (1.15, 0.62, 0.62), (0.40, 0.0, 0.30), (0.0, 0.0, 1.0))


class Lens:
    """A view of a scene; software rendering, about 10 ms for the wrist's view."""

    def __init__(self, scene: Scene, view: View) -> None:
        self._scene, self._view = scene, view

    def image(self, rng: np.random.Generator) -> NDArray[np.uint8]:
        """Return an rgb image (H, W, 3) of the scene as it stands; the noise is drawn from `rng`."""
        view, client = self._view, self._scene.client
        T = self._mount()
        eye, target = (T[:3, :3] @ np.array(at) + T[:3, 3] for at in (view.eye_m, view.look_at_m))
        look = p.computeViewMatrix(list(eye), list(target), list(T[:3, :3] @ np.array(view.up)))
        lens = p.computeProjectionMatrixFOV(view.fov_deg, view.width / view.height, 0.02, 4.0)
        image = p.getCameraImage(
            view.width, view.height, look, lens, lightDirection=[0.4, 0.6, 1.5], shadow=0, renderer=p.ER_TINY_RENDERER,
            flags=p.ER_NO_SEGMENTATION_MASK, physicsClientId=client,
        )  # fmt: skip
        pixels = np.reshape(image[2], (view.height, view.width, 4))[:, :, :3].astype(np.int16)
        if view.noise:
            pixels += rng.integers(-view.noise, view.noise, pixels.shape, np.int16, endpoint=True)
        return np.clip(pixels, 0, 255).astype(np.uint8)

    def _mount(self) -> Array:
        T = np.eye(4)
        if self._view.link is not None:
            link = self._scene.links[self._view.link]
            state = p.getLinkState(self._scene.robot, link, computeForwardKinematics=True, physicsClientId=self._scene.client)
            T[:3, :3] = pin.Quaternion(np.array(state[5])).toRotationMatrix()
            T[:3, 3] = state[4]
        return T
