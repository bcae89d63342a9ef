"""Build of tactus_nodes, for colcon and pip."""

from setuptools import find_packages, setup

from tactus_nodes.entry import NODES

setup(
    name="tactus_nodes",
    version="0.1.0",
    description="Thin ROS 2 nodes: they carry messages and compute nothing.",
    license="Apache-2.0",
    packages=find_packages(),
    package_data={"tactus_nodes": ["py.typed"]},
    data_files=[
        ("share/ament_index/resource_index/packages", ["resource/tactus_nodes"]),
        ("share/tactus_nodes", ["package.xml"]),
    ],
    entry_points={"console_scripts": [f"{name} = tactus_nodes.entry:{name}" for name in NODES]},
    zip_safe=True,
)
