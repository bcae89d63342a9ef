"""Running a learned policy: its bundle, what it observes, the slow planner and the fast reactive head."""
