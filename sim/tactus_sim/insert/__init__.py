"""Inserting a peg into a hole that is not quite where it should be: world, camera, score, expert."""

from tactus_core.ports import Camera, SimTask, World
from tactus_sim.insert.layout import DURATION_s
from tactus_sim.insert.peg import PANDA_ALLEGRO_PEG


def _make_world(viewer: bool) -> World:
    from tactus_sim.insert.world import InsertWorld  # loads PyBullet, which a process that only draws up a layout does not need

    return InsertWorld(viewer)


def _make_camera(name: str) -> Camera:
    from tactus_sim.insert.camera import VIEWS, InsertCamera

    return InsertCamera(VIEWS[name])


TASK = SimTask("insert", PANDA_ALLEGRO_PEG, DURATION_s, _make_world, _make_camera, cameras=("wrist", "scene"))
