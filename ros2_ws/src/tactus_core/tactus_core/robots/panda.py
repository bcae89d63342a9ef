"""The shape of Franka's arms: Panda and Research 3 are alike to the millimetre."""

from tactus_core.types import Capsule

# The smallest capsules around the collision meshes, found by minimising their volume, in the frames of Franka's own URDF. The flange
# (link 7) hides between link 6 and what is mounted on it.
PANDA_CAPSULES = (
    Capsule("panda_link0", (-0.056, -0.002, 0.019), (-0.002, -0.002, 0.050), 0.107),
    Capsule("panda_link1", (0.0, -0.004, -0.144), (0.0, -0.053, 0.001), 0.077),
    Capsule("panda_link2", (0.0, -0.147, -0.005), (0.0, 0.001, 0.053), 0.077),
    Capsule("panda_link3", (-0.006, -0.002, -0.085), (0.083, 0.043, 0.0), 0.070),
    Capsule("panda_link4", (0.002, -0.004, 0.044), (-0.090, 0.097, -0.010), 0.071),
    Capsule("panda_link5", (0.0, 0.064, 0.0), (-0.003, 0.011, -0.242), 0.069),
    Capsule("panda_link6", (0.087, 0.009, 0.0), (0.021, 0.005, -0.002), 0.076),
)
