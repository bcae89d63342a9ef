"""Inserting a peg into a hole that is not quite where it should be: world, camera, score, expert."""

from tactus_core.ports import Camera, Expert, World
from tactus_sim.insert.layout import SHIFTS, USUAL, DURATION_s, Ranges
from tactus_sim.insert.peg import PANDA_ALLEGRO_PEG
from tactus_sim.task import with_shifts


def _make_world(ranges: Ranges, viewer: bool) -> World:
    from tactus_sim.insert.world import InsertWorld  # loads PyBullet, which a process that only draws up a layout does not need

    return InsertWorld(viewer, ranges)


def _make_camera(ranges: Ranges, name: str) -> Camera:
    from tactus_sim.insert.camera import VIEWS, InsertCamera

    return InsertCamera(VIEWS[name], ranges)


def _make_expert(ranges: Ranges) -> Expert:
    from tactus_sim.insert.expert import InsertAdviser

    return InsertAdviser(ranges)


TASK = with_shifts("insert", PANDA_ALLEGRO_PEG, DURATION_s, _make_world, _make_camera, _make_expert, USUAL, SHIFTS)
