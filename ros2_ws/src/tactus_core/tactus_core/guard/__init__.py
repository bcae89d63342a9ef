"""The guard: what stands between every source of motion and the robot."""
