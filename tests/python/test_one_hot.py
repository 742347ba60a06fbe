"""Planes made of codes, and charts of lines."""
import numpy as np
import pytest
from conftest import throng


def test_a_grid_of_codes():
    env = throng.make("harvest/open", num_envs=3)
    obs, _ = env.reset(seed=4)
    hot = throng.one_hot(env.spec, obs)
    codes = int(env.spec.obs_high) + 1
    assert hot.shape == (3, 7, 11, 11, codes) and hot.dtype == np.float32
    assert (hot.sum(-1) == 1).all()
    assert (hot.argmax(-1).reshape(3, 7, 121) == obs).all()
    assert throng.one_hot(env.spec, obs[0, 2]).shape == (11, 11, codes)  # one agent's


def test_several_planes_lie_side_by_side():
    class Spec:
        id, obs_dtype, obs_high, obs_grid = "x", "U8", 2.0, (2, 2, 3)

    obs = np.array([0, 1, 2, 0, 1, 2, 2, 2, 2, 1, 1, 0], np.uint8)
    hot = throng.one_hot(Spec, obs)
    assert hot.shape == (2, 3, 6)
    assert (hot[..., :3].argmax(-1) == obs[:6].reshape(2, 3)).all()
    assert (hot[..., 3:].argmax(-1) == obs[6:].reshape(2, 3)).all()


def test_codes_without_a_grid_and_numbers():
    class Spec:
        id, obs_dtype, obs_high, obs_grid = "x", "U8", 3.0, None

    assert throng.one_hot(Spec, np.array([[1, 3]], np.uint8)).tolist() == [[[0, 1, 0, 0], [0, 0, 0, 1]]]
    env = throng.make("govsim/fishery")
    with pytest.raises(ValueError, match="numbers, not codes"):
        throng.one_hot(env.spec, env.reset(seed=0)[0])


def test_charts():
    svg = throng.line_chart("title", "steps", "return", [("a", [0, 1], [2, 3]), ("b", [0, 1], [1, 1], [0, 0], [2, 2])])
    assert svg.startswith("<svg") and "title" in svg and "steps" in svg
    with pytest.raises(ValueError):
        throng.line_chart("", "", "", [("a", [0, 1], [2])])
