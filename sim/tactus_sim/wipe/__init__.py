"""Wiping a board that is not where it was: world, camera, score, expert."""

from tactus_core.ports import Camera, Expert, World
from tactus_sim.robot import PANDA_ALLEGRO
from tactus_sim.task import with_shifts
from tactus_sim.wipe.layout import SHIFTS, USUAL, DURATION_s, Ranges


def _make_world(ranges: Ranges, viewer: bool) -> World:
    from tactus_sim.wipe.world import WipeWorld  # loads PyBullet, which a process that only draws up a layout does not need

    return WipeWorld(viewer, ranges)


def _make_camera(ranges: Ranges, name: str) -> Camera:
    from tactus_sim.wipe.camera import VIEWS, WipeCamera

    return WipeCamera(VIEWS[name], ranges)


def _make_expert(ranges: Ranges) -> Expert:
    from tactus_sim.wipe.adviser import WipeAdviser

    return WipeAdviser(ranges)


TASK = with_shifts("wipe", PANDA_ALLEGRO, DURATION_s, _make_world, _make_camera, _make_expert, USUAL, SHIFTS)
