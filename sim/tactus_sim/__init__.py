"""PyBullet worlds, robots, sensors, tasks and experts; free of ROS."""
