"""Inserting a peg into a hole that is not quite where it should be: world, camera, score, expert."""

from tactus_core.ports import Camera, SimTask, World
from tactus_sim.insert.layout import DURATION_s
from tactus_sim.insert.peg import PANDA_ALLEGRO_PEG


def _make_world(viewer: bool) -> World:
    from tactus_sim.insert.world import InsertWorld  # loads PyBullet, which a process that only draws up a layout does not need

    return InsertWorld(viewer)


def _make_camera() -> Camera:
    from tactus_sim.insert.camera import InsertCamera

    return InsertCamera()


TASK = SimTask(name="insert", robot=PANDA_ALLEGRO_PEG, duration_s=DURATION_s, make_world=_make_world, make_camera=_make_camera)
