"""Build of tactus_core, for colcon and pip."""

from setuptools import find_packages, setup

setup(
    name="tactus_core",
    version="0.1.0",
    description="Types, ports, policy runtime, control and guard; free of ROS.",
    license="Apache-2.0",
    packages=find_packages(),
    package_data={"tactus_core": ["py.typed"]},
    data_files=[
        ("share/ament_index/resource_index/packages", ["resource/tactus_core"]),
        ("share/tactus_core", ["package.xml"]),
    ],
    entry_points={},
    zip_safe=True,
)
