"""Cameras that look at the wiping world from snapshots, in a client of their own."""

import numpy as np
from numpy.typing import NDArray

from tactus_core.types import WorldSnapshot
from tactus_sim.camera import SCENE, WRIST, Lens, View
from tactus_sim.robot import ERASER
from tactus_sim.scene import Scene
from tactus_sim.wipe.board import Board, Marks
from tactus_sim.wipe.layout import USUAL, Ranges, draw

VIEWS = {"wrist": WRIST, "scene": SCENE}  # by the names of the task's cameras


class WipeCamera:
    """Implements `ports.Camera`."""

    def __init__(self, view: View = WRIST, ranges: Ranges = USUAL) -> None:
        """Load the scene to draw."""
        self._ranges = ranges
        self._scene = Scene(ERASER, draw_arm=view.link is None)
        self._board, self._marks = Board(self._scene), Marks(self._scene)
        self._lens = Lens(self._scene, view)
        self._seed: int | None = None

    def render(self, snapshot: WorldSnapshot) -> NDArray[np.uint8]:
        """Return an rgb image (H, W, 3)."""
        if snapshot.seed != self._seed:
            self._layout = draw(snapshot.seed, self._ranges)
            self._board.place(self._layout)
            self._seed = snapshot.seed
            self._rng = np.random.default_rng([snapshot.seed, 2])
        self._scene.place(snapshot.positions[:-1])
        self._board.shift(snapshot.positions[-1])
        self._marks.show(self._layout, snapshot.marks, float(snapshot.positions[-1]))
        return self._lens.image(self._rng)
