"""An episode by the expert."""

from tactus_sim.rig import TICK_s
from tactus_sim.wipe.expert import WipeExpert


def demonstrate(world, seed, most=10_000):
    """Run the expert, undisturbed, for at most so many ticks or until the board is clean; return the ticks."""
    tick = world.reset(seed)
    expert = WipeExpert(world.layout, TICK_s)
    ticks = [tick]
    while world.score.left.any() and len(ticks) < most:
        motion = world.layout.board_motion(world.since_contact_s(world.now_s))
        world.command(expert.act(tick.state.T_base_tcp, world.normal_force_N, motion, world.score.left))
        tick = world.step()
        ticks.append(tick)
    return ticks
