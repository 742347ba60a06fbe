"""Pictures of an environment, and players that come with a game."""
import json

import numpy as np
import pytest

import throng


def test_render():
    with throng.make("smax/2s3z", num_envs=3) as env:
        with pytest.raises(ValueError, match="reset"):
            env.render()
        env.reset(seed=2)
        picture = env.render(1, size=200)
        assert picture.shape == (200, 200, 3) and picture.dtype == np.uint8
        assert len(np.unique(picture)) > 10
        assert not np.array_equal(picture, env.render(2, size=200))
        with pytest.raises(ValueError, match="valid: 0 to 2"):
            env.render(3)
        with pytest.raises(ValueError, match="size"):
            env.render(size=5)
        assert env.spec.renders


def test_render_what_an_agent_sees():
    with throng.make("harvest/open", num_envs=2) as env:
        env.reset(seed=0)
        assert env.spec.renders_views
        views = [env.render(env=1, agent=agent, size=110) for agent in range(7)]
        assert all(view.shape == (110, 110, 3) for view in views)
        assert not any(np.array_equal(views[0], view) for view in views[1:])
        with pytest.raises(ValueError, match="valid: 0 to 6"):
            env.render(agent=7)
    with throng.make("smax/3m", num_envs=1) as env:
        env.reset(seed=0)
        with pytest.raises(ValueError, match="what an agent sees"):
            env.render(agent=0)


def test_render_step():
    with throng.make("smax/2s3z", num_envs=3, autoreset="disabled") as env:
        env.reset(seed=2)
        for _ in range(5):
            env.step(env.sample_actions("heuristic"))
        actions = env.sample_actions("heuristic").copy()
        before = env.state_hash()
        frames = env.render_step(actions, env=2, size=128)
        assert env.state_hash() == before
        assert frames.shape == (8, 128, 128, 3)
        env.step(actions)
        assert np.array_equal(frames[-1], env.render(2, size=128))
        assert not np.array_equal(frames[0], frames[-1])


def test_policies():
    with throng.make("smax/3m", num_envs=64) as env:
        assert env.spec.policies == ("random", "heuristic", "heuristic_random")
        env.reset(seed=1)
        for _ in range(150):
            env.step(env.sample_actions("heuristic"))
        assert 0.2 < env.statistics()["won"] < 0.8
        with pytest.raises(ValueError, match="did you mean 'heuristic'"):
            env.sample_actions("heuristik")


def test_a_scenario_from_a_file(tmp_path):
    file = tmp_path / "battle.json"
    file.write_text(json.dumps({"ally_units": {"marine": 2}, "enemy_units": {"zealot": 3}, "damage": {"marine": 30}}))
    with throng.make("smax", num_envs=2, config=file) as env:
        assert env.num_agents == 2 and env.spec.num_actions == 8
    parameters = {p["name"]: p["default"] for p in throng.describe("smax", config=str(file))["parameters"]}
    assert parameters["damage"] == [30, 10, 13, 8, 5, 12]
    with pytest.raises(ValueError, match="nowhere.json"):
        throng.make("smax", config="nowhere.json")
    with pytest.raises(TypeError, match="dict, a path or None"):
        throng._throng.make("smax", config=3)


def test_parameters_of_ones_own():
    with throng.make("smax/3m", num_envs=4) as env:
        env.vary({"max_steps": [2, 5, 9, 1]})  # before the first reset
        env.reset(seed=0)
        lengths = {}
        for _ in range(12):
            *_, info = env.step(np.zeros((4, 3), np.int32))
            for e in np.flatnonzero(info["episode"]["ended"]):
                lengths.setdefault(int(e), int(info["episode"]["length"][e]))
        assert lengths == {0: 3, 1: 6, 2: 10, 3: 2}
        env.vary({"max_health": [{"marine": h} for h in (45, 90, 45, 45)], "max_steps": np.full(4, 100)})
        assert list(env.get_state()["state.health"][:, 1]) == [90] * 6
        assert list(env.get_state()["state.health"][:, 2]) == [45] * 6
        with pytest.raises(ValueError, match="4 values"):
            env.vary({"max_steps": [1, 2]})
        with pytest.raises(ValueError, match="another size"):
            env.vary({"ally_units": [{"marine": n} for n in (3, 3, 3, 2)]})
