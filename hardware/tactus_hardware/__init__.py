"""Drivers for real devices, and their emulators; free of ROS."""
