"""Build of tactus_cli, for colcon and pip."""

from setuptools import find_packages, setup

setup(
    name="tactus_cli",
    version="0.1.0",
    description="The tactus command.",
    license="Apache-2.0",
    packages=find_packages(),
    package_data={"tactus_cli": ["py.typed", "faults/*.c"]},
    data_files=[
        ("share/ament_index/resource_index/packages", ["resource/tactus_cli"]),
        ("share/tactus_cli", ["package.xml"]),
    ],
    entry_points={"console_scripts": ["tactus = tactus_cli.__main__:main"]},
    zip_safe=True,
)
