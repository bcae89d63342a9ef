"""Thin ROS 2 nodes: they carry messages and compute nothing."""
