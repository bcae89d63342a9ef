"""Build of tactus_models, for colcon and pip."""

from setuptools import find_packages, setup

setup(
    name="tactus_models",
    version="0.1.0",
    description="Networks, training and export; the only package that knows torch.",
    license="Apache-2.0",
    packages=find_packages(),
    package_data={"tactus_models": ["py.typed"]},
    data_files=[
        ("share/ament_index/resource_index/packages", ["resource/tactus_models"]),
        ("share/tactus_models", ["package.xml"]),
    ],
    entry_points={"tactus.backends": ["torch = tactus_models.torch_engine:TorchBackend"]},
    zip_safe=True,
)
