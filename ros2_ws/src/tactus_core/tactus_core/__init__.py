"""Tactus' core: types, ports, policy runtime, control and guard. No ROS, no clock: time comes in as an argument."""
