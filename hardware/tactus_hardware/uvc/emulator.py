"""Fakes a camera: an MJPEG stream over HTTP."""

from tactus_hardware.optical.emulator import make

__all__ = ["make"]
