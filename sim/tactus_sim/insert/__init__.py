"""Inserting a peg into a hole that is not quite where it should be: world, camera, score, expert."""

from functools import partial

from tactus_core.ports import Camera, Expert, SimTask, World
from tactus_sim.insert.layout import SHIFTS, USUAL, DURATION_s, Ranges
from tactus_sim.insert.peg import PANDA_ALLEGRO_PEG


def _make_world(viewer: bool, ranges: Ranges) -> World:
    from tactus_sim.insert.world import InsertWorld  # loads PyBullet, which a process that only draws up a layout does not need

    return InsertWorld(viewer, ranges)


def _make_camera(name: str, ranges: Ranges) -> Camera:
    from tactus_sim.insert.camera import VIEWS, InsertCamera

    return InsertCamera(VIEWS[name], ranges)


def _make_expert(ranges: Ranges) -> Expert:
    from tactus_sim.insert.expert import InsertAdviser

    return InsertAdviser(ranges)


def _task(ranges: Ranges, **shifts: SimTask) -> SimTask:
    return SimTask(
        name="insert",
        robot=PANDA_ALLEGRO_PEG,
        duration_s=DURATION_s,
        make_world=partial(_make_world, ranges=ranges),
        make_camera=partial(_make_camera, ranges=ranges),
        make_expert=partial(_make_expert, ranges),
        shifts=shifts,
        cameras=("wrist", "scene"),
    )


TASK = _task(USUAL, **{name: _task(ranges) for name, ranges in SHIFTS.items()})
