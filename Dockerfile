# Tactus beside an installed ROS 2, for robots and CI:
#   docker build -t tactus . && docker run --rm -it --net host --ulimit rtprio=60 --cap-add SYS_NICE tactus launch launch/sim.launch.xml
FROM ros:jazzy

RUN apt-get update && apt-get install -y --no-install-recommends \
        build-essential python3-dev python3-venv python3-colcon-common-extensions \
        ros-jazzy-rclpy ros-jazzy-ros2launch ros-jazzy-launch-xml \
        ros-jazzy-std-msgs ros-jazzy-sensor-msgs ros-jazzy-geometry-msgs ros-jazzy-trajectory-msgs ros-jazzy-std-srvs ros-jazzy-diagnostic-msgs \
        ros-jazzy-rosidl-default-generators ros-jazzy-ament-cmake \
        libgl1 libusb-1.0-0 \
    && rm -rf /var/lib/apt/lists/*

WORKDIR /tactus
COPY . .
# With ROS sourced, ./tactus installs the requirements beside it and builds the packages with colcon; --help starts nothing.
RUN . /opt/ros/jazzy/setup.sh && ./tactus --help
ENTRYPOINT ["/ros_entrypoint.sh", "./tactus"]
CMD ["--help"]
