"""Build of tactus_hardware, for colcon and pip."""

from setuptools import find_packages, setup

setup(
    name="tactus_hardware",
    version="0.1.0",
    description="Drivers for real devices, and their emulators; free of ROS.",
    license="Apache-2.0",
    packages=find_packages(),
    package_data={"tactus_hardware": ["py.typed"]},
    data_files=[
        ("share/ament_index/resource_index/packages", ["resource/tactus_hardware"]),
        ("share/tactus_hardware", ["package.xml"]),
    ],
    entry_points={
        "tactus.devices": [
            "recording = tactus_hardware.recording:open_recording",
            "allegro = tactus_hardware.allegro:DEVICE",
            "anyskin = tactus_hardware.anyskin:DEVICE",
            "ft300 = tactus_hardware.ft300:DEVICE",
            "gello = tactus_hardware.gello:DEVICE",
            "inspire = tactus_hardware.inspire:DEVICE",
            "leap = tactus_hardware.leap:DEVICE",
            "optical = tactus_hardware.optical:DEVICE",
            "realsense = tactus_hardware.realsense:DEVICE",
            "rdt = tactus_hardware.rdt:DEVICE",
            "robotiq = tactus_hardware.robotiq:DEVICE",
            "so101 = tactus_hardware.so101:DEVICE",
            "spacemouse = tactus_hardware.spacemouse:DEVICE",
            "ur = tactus_hardware.ur:DEVICE",
            "uvc = tactus_hardware.uvc:DEVICE",
            "xela = tactus_hardware.xela:DEVICE",
        ],
        "tactus.robots": [
            "franka_allegro = tactus_hardware.robots.franka:FRANKA_ALLEGRO",
            "so101 = tactus_hardware.robots.so101:SO101",
            "ur5e_inspire = tactus_hardware.robots.ur5e:UR5E_INSPIRE",
            "ur5e_leap_netft = tactus_hardware.robots.ur5e:UR5E_LEAP_NETFT",
            "ur5e_robotiq_ft300 = tactus_hardware.robots.ur5e:UR5E_ROBOTIQ_FT300",
        ],
    },
    zip_safe=True,
)
