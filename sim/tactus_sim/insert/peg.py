"""The peg, and the robot that holds it: on the pad under the fingertips, a little off where it should be.

Along and about the tool's axes the hand yields as with an eraser (the pad slides and tilts against a strap); sideways and in yaw the peg
sits in the grip with an error that lasts an episode.
"""

from tactus_sim.insert.layout import USUAL
from tactus_sim.robot import PAD_LINK, PAD_TOP_FROM_FLANGE_m, Tool, box, link, panda_allegro

PEG_LENGTH_m = 0.050
_PAD_SIZE_m = (0.080, 0.084, 0.012)
PEG_LINK = "peg"
PEG_JOINTS = ("peg_x", "peg_y", "peg_yaw")


def _links(side_m: float) -> str:
    return f"""
{link("peg_slider_x", 0.005)}{link("peg_slider_y", 0.005)}
{link(PEG_LINK, 0.05, box((side_m, side_m, PEG_LENGTH_m), "0.85 0.45 0.1"))}
<joint name="{PEG_JOINTS[0]}" type="prismatic"><parent link="{PAD_LINK}"/><child link="peg_slider_x"/><axis xyz="1 0 0"/>
  <limit lower="-0.01" upper="0.01" effort="500" velocity="1"/></joint>
<joint name="{PEG_JOINTS[1]}" type="prismatic"><parent link="peg_slider_x"/><child link="peg_slider_y"/><axis xyz="0 1 0"/>
  <limit lower="-0.01" upper="0.01" effort="500" velocity="1"/></joint>
<joint name="{PEG_JOINTS[2]}" type="revolute"><parent link="peg_slider_y"/><child link="{PEG_LINK}"/>
  <origin xyz="0 0 {(_PAD_SIZE_m[2] + PEG_LENGTH_m) / 2}"/><axis xyz="0 0 1"/>
  <limit lower="-0.2" upper="0.2" effort="50" velocity="1"/></joint>
"""


def peg(side_m: float) -> Tool:
    """Return a square peg of this side. The robot keeps its name: its policies know nothing of the peg but what they see."""
    return Tool(
        "panda_allegro_peg",
        _PAD_SIZE_m,
        pad_mass_kg=0.06,
        strap_N=8.0,
        tcp_from_flange_m=PAD_TOP_FROM_FLANGE_m + _PAD_SIZE_m[2] + PEG_LENGTH_m,
        links=_links(side_m),
        more_joints=PEG_JOINTS,
    )


PANDA_ALLEGRO_PEG = panda_allegro(peg(USUAL.peg_side_m))
