"""Wiping a board that is not where it was: world, camera, score, expert."""

from tactus_core.ports import Camera, SimTask, World
from tactus_sim.robot import PANDA_ALLEGRO
from tactus_sim.wipe.layout import DURATION_s


def _make_world(viewer: bool) -> World:
    from tactus_sim.wipe.world import WipeWorld  # loads PyBullet, which a process that only draws up a layout does not need

    return WipeWorld(viewer)


def _make_camera(name: str) -> Camera:
    from tactus_sim.wipe.camera import VIEWS, WipeCamera

    return WipeCamera(VIEWS[name])


TASK = SimTask("wipe", PANDA_ALLEGRO, DURATION_s, _make_world, _make_camera, cameras=("wrist", "scene"))
