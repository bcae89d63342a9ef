"""Build of tactus_sim, for colcon and pip."""

from setuptools import find_packages, setup

setup(
    name="tactus_sim",
    version="0.1.0",
    description="PyBullet worlds, robots, sensors, tasks and experts; free of ROS.",
    license="Apache-2.0",
    packages=find_packages(),
    package_data={"tactus_sim": ["py.typed"]},
    data_files=[
        ("share/ament_index/resource_index/packages", ["resource/tactus_sim"]),
        ("share/tactus_sim", ["package.xml"]),
    ],
    entry_points={
        "tactus.robots": [
            "panda_allegro = tactus_sim.robot:PANDA_ALLEGRO",
            "panda_allegro_peg = tactus_sim.insert.peg:PANDA_ALLEGRO_PEG",
        ],
        "tactus.sims": [
            "franka_allegro = tactus_sim.free:FRANKA_ALLEGRO",
            "so101 = tactus_sim.free:SO101",
            "ur5e_inspire = tactus_sim.free:UR5E_INSPIRE",
            "ur5e_leap_netft = tactus_sim.free:UR5E_LEAP_NETFT",
            "ur5e_robotiq_ft300 = tactus_sim.free:UR5E_ROBOTIQ_FT300",
        ],
        "tactus.tasks": ["insert = tactus_sim.insert:TASK", "wipe = tactus_sim.wipe:TASK"],
    },
    zip_safe=True,
)
