"""Cameras that look at the insertion from snapshots, in a client of their own."""

import numpy as np
from numpy.typing import NDArray

from tactus_core.types import WorldSnapshot
from tactus_sim.camera import SCENE, Lens, View
from tactus_sim.insert.layout import USUAL, Ranges, draw
from tactus_sim.insert.peg import peg
from tactus_sim.insert.socket import Socket
from tactus_sim.scene import Scene

# Beside the hand and aimed at the peg's end.
WRIST = View(96, 96, 45.0, (0.17, 0.0, 0.07), (0.015, 0.0, 0.205), (1.0, 0.0, 0.0), link="wrist", noise=1)
VIEWS = {"wrist": WRIST, "scene": SCENE}  # by the names of the task's cameras


class InsertCamera:
    """Implements `ports.Camera`."""

    def __init__(self, view: View = WRIST, ranges: Ranges = USUAL) -> None:
        """Load the scene to draw."""
        self._ranges = ranges
        self._scene = Scene(peg(ranges.peg_side_m), draw_arm=view.link is None)
        self._socket = Socket(self._scene)
        self._lens = Lens(self._scene, view)
        self._seed: int | None = None

    def render(self, snapshot: WorldSnapshot) -> NDArray[np.uint8]:
        """Return an rgb image (H, W, 3)."""
        if snapshot.seed != self._seed:
            self._socket.place(draw(snapshot.seed, self._ranges))
            self._seed = snapshot.seed
            self._rng = np.random.default_rng([snapshot.seed, 2])
        self._scene.place(snapshot.positions)
        return self._lens.image(self._rng)
