"""One wiping world for all tests here: loading it takes a second."""

import pytest

pytest.importorskip("pybullet", reason="the simulator needs pybullet: pip install -r requirements/sim.txt")

from tactus_core.types import Target
from tactus_sim.robot import PANDA_ALLEGRO
from tactus_sim.wipe.world import WipeWorld


@pytest.fixture(scope="session")
def world() -> WipeWorld:
    return WipeWorld()


@pytest.fixture
def pressed(world):
    """A world in which the pad has been pressed on the board for a while, without disturbances."""
    tick = world.reset(7)
    T = tick.state.T_base_tcp.copy()
    board = world.layout.T_base_board
    T[:3, :3] = board[:3, :3] @ [[1, 0, 0], [0, -1, 0], [0, 0, -1]]
    T[:2, 3] = board[:2, 3]
    for _ in range(300):
        T[2, 3] = max(T[2, 3] - 0.0006, board[2, 3] - 8.0 / 600)
        world.command(Target(T, PANDA_ALLEGRO.hand_posture(1.0)))
        tick = world.step()
    return world, tick
