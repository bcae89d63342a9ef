"""Encoders as nodes: features of what is fresh and whole, with its stamp; nothing of what is not."""

import math

import numpy as np
from sensor_msgs.msg import CameraInfo, Image
from solo import sample, solo, stamp_of

from tactus_cli.drawn_gel import dots_in_rows, drawn_gel
from tactus_nodes import convert_seen, topics
from tactus_nodes.encoder import Encoder

START_S = 1.8e9  # the sensors' clock, far from this machine's: nobody may compare the two
SHAPE = (120, 160)
REST_PX = dots_in_rows(SHAPE, 5, 5)


def gel(dots_px, number):
    message = convert_seen.to_image(drawn_gel(SHAPE, dots_px, number), stamp_of(START_S + number))
    message.header.frame_id = "gel"
    return message


def depth(values_m, number, encoding="16UC1"):
    values = np.full((24, 32), values_m, np.float32)
    pixels = np.rint(1000.0 * values).astype("<u2") if encoding == "16UC1" else values
    message = Image(height=24, width=32, encoding=encoding, step=32 * pixels.itemsize, data=pixels.tobytes())
    message.header.stamp = stamp_of(START_S + number)
    return message


def info(width=32, focal_px=30.0):
    return CameraInfo(height=24, width=width, k=[focal_px, 0.0, 16.0, 0.0, focal_px, 12.0, 0.0, 0.0, 1.0])


def fields_of(message):
    return tuple(field.name for field in message.fields)


def send_and_wait(bench, topic, message):
    arrived = bench.arrivals(topic)
    bench.send(topic, message)
    bench.until(arrived, f"{topic.name} to arrive")


def test_dots_are_told_with_their_embedding_and_lost_ones_are_not_made_up(encoder_folders, tmp_path):
    encoder_folders.write_markers(tmp_path, dots=25, size=4)
    with solo(Encoder, "encoder", encoder=tmp_path, frozen_s=0.2) as bench:
        features, dots = bench.hear(topics.FEATURES), bench.hear(topics.MARKERS)
        lost = REST_PX + 3.0
        lost[7] = np.nan
        for number, places in enumerate([REST_PX, REST_PX, REST_PX + 3.0, lost]):
            bench.send(topics.TOUCH_IMAGE, gel(places, number))
            bench.until(lambda number=number: bench.node.ticks == number + 1, "a frame to be seen")
        bench.until(lambda: len(features) == len(dots) == 2, "features of two frames: two are the reference")
        assert features[0].encoder == topics.encoder_name("components@1")
        assert [(m.header.stamp, m.header.frame_id) for m in features] == [(stamp_of(START_S + n), "gel") for n in (2, 3)]
        assert fields_of(dots[0]) == ("x_px", "y_px", "dx_px", "dy_px")
        values = [np.frombuffer(message.data, "<f4").reshape(25, 4) for message in dots]
        np.testing.assert_allclose(values[0][:, 2:], 3.0, atol=0.4)
        assert np.isnan(values[1][7]).all()
        assert not dots[1].is_dense
        np.testing.assert_allclose(features[0].data, features[1].data, atol=0.02)
        bench.send(topics.TOUCH_IMAGE, Image())
        bench.until(lambda: "expected rgb8" in bench.node.trouble, "a complaint")

        def frozen():
            bench.send(topics.TOUCH_IMAGE, gel(REST_PX, 9))
            return "same content" in bench.node.trouble

        bench.until(frozen, "the sensor to count as frozen")
        # A gel that was let go unseen: the reference is made again.
        bench.node.trigger_deactivate()
        bench.node.trigger_activate()
        count = len(features)
        for number in (20, 21, 22):
            ticks = bench.node.ticks
            bench.send(topics.TOUCH_IMAGE, gel(REST_PX + 5.0, number))
            bench.until(lambda ticks=ticks: bench.node.ticks == ticks + 1, "a frame to be seen")
        bench.until(lambda: len(features) > count, "features")
        assert np.abs(features[-1].data).max() < 0.02


def test_depth_becomes_a_cloud_in_the_base_and_features(encoder_folders, tmp_path):
    encoder_folders.write_cloud(tmp_path, points=16, low_m=[-1.0, -1.0, -1.0], high_m=[1.0, 1.0, 1.0])
    with solo(Encoder, "encoder", encoder=tmp_path) as bench:
        assert "where the depth camera stands is not known" in bench.node.trouble
    pose = {"position_base_camera_m": "[0.0, 0.0, 1.0]", "rotation_base_camera_rad": f"[{math.pi}, 0.0, 0.0]"}
    with solo(Encoder, "encoder", encoder=tmp_path, **pose) as bench:
        features, clouds = bench.hear(topics.FEATURES), bench.hear(topics.CLOUD)
        bench.send(topics.DEPTH, depth(0.8, 0))
        bench.until(lambda: "no intrinsics" in bench.node.trouble, "a complaint")
        send_and_wait(bench, topics.DEPTH_INFO, info())
        for number, message in enumerate([depth(0.8, 1), depth(0.7, 2, "32FC1")]):
            bench.send(topics.DEPTH, message)
            bench.until(lambda number=number: len(features) == len(clouds) == number + 1, "a cloud and its features")
        for cloud, seen, height_m in zip(clouds, features, (0.2, 0.3), strict=True):
            points = convert_seen.points(cloud)
            assert points.shape == (16, 3)
            assert cloud.header.frame_id == "base"
            assert cloud.header.stamp == seen.header.stamp
            np.testing.assert_allclose(points[:, 2], height_m, atol=1e-4)
            np.testing.assert_allclose(seen.data, points.max(axis=0), atol=1e-6)
        for bad, says in ((depth(0.0, 3), "none is in the box"), (depth(0.8, 4, "8UC1"), "expected 16UC1 or 32FC1")):
            bench.send(topics.DEPTH, bad)
            bench.until(lambda says=says: says in bench.node.trouble, says)
        bench.send(topics.DEPTH_INFO, info(focal_px=math.nan))
        bench.until(lambda: "focal lengths" in bench.node.trouble, "a complaint")
        assert len(features) == 2


def test_a_hand_feels_around_only_with_a_fresh_cloud(encoder_folders, robot, tmp_path):
    encoder_folders.write_hand(tmp_path, robot.name, 1 + len(robot.hand_joints))
    with solo(Encoder, "encoder", encoder=tmp_path) as bench:
        features = bench.hear(topics.FEATURES)
        ((_, joints), *_) = sample(robot, START_S)
        bench.send(topics.JOINT_STATES, joints)
        bench.until(lambda: "camera/cloud: nothing has come yet" in bench.node.trouble, "a complaint")
        cloud = convert_seen.taxel_cloud(1, 2, convert_seen.POINT_FIELDS)
        convert_seen.put_taxels(np.array([[0.0, 0.0, 1.0], [0.0, 0.0, 2.0]]), cloud)
        cloud.header.frame_id = "camera"
        bench.send(topics.CLOUD, cloud)
        bench.until(lambda: "expected 'base'" in bench.node.trouble, "a cloud of another frame to be refused")
        bench.send(topics.JOINT_STATES, joints)
        bench.until(lambda: "camera/cloud: nothing has come yet" in bench.node.trouble, "the complaint again: a bad cloud has not come")
        cloud.header.frame_id = "base"
        send_and_wait(bench, topics.CLOUD, cloud)
        bench.send(topics.JOINT_STATES, joints)
        bench.until(lambda: len(features) == 1, "features")
        assert len(features[0].data) == 3 * (1 + len(robot.hand_joints))
        assert features[0].header.stamp == stamp_of(START_S)
