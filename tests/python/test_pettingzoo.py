"""PettingZoo's face, by PettingZoo's own tests."""
import warnings

import numpy as np
import pytest
from conftest import every_kind, throng

pettingzoo = pytest.importorskip("pettingzoo", reason="needs pettingzoo: pip install pettingzoo")
from pettingzoo.test import api_test, parallel_api_test, parallel_seed_test, seed_test  # noqa: E402
from pettingzoo.test.state_test import test_state as state_test  # noqa: E402
from pettingzoo.test.state_test import test_state_space as state_space_test  # noqa: E402

from throng.pettingzoo import env, parallel_env, raw_env  # noqa: E402

CYCLES = 60


@pytest.fixture(autouse=True)
def no_warnings():
    """Warnings of the suites count as failures, but for those that would not have masks or several heads at all."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        for doubt in ("space for each agent probably", "Observation is not a NumPy", "Observation numpy array is all zeros",
                      "We recommend agents to be named", "Observation is a single number"):
            warnings.filterwarnings("ignore", f".*{doubt}")
        yield


@every_kind
@pytest.mark.parametrize("options", [{}, {"action_masks": False}], ids=["masks", "plain"])
def test_the_suites_of_pettingzoo(id, options, capsys):
    parallel_api_test(parallel_env(id, **options), CYCLES)
    parallel_seed_test(lambda: parallel_env(id, **options), CYCLES)
    api_test(raw_env(id, **options), CYCLES)
    seed_test(lambda: env(id, **options), CYCLES)
    if throng.describe(id)["spec"].world_state_dim:
        state_space_test(raw_env(id, **options))
        state_test(raw_env(id, **options), CYCLES)


def test_agents_leave_when_they_die(capsys):
    parallel_api_test(parallel_env("smax/3m", drop_inactive=True), 200)
    api_test(raw_env("smax/3m", drop_inactive=True), 200)
    one = parallel_env("smax/3m", drop_inactive=True)
    obs, _ = one.reset(seed=3)
    crowds = []
    while one.agents:
        crowds.append(len(one.agents))
        choices = {a: one.action_space(a).sample(obs[a]["action_mask"]) for a in one.agents}
        obs, _, terminated, truncated, infos = one.step(choices)
        assert set(obs) == set(choices)
        assert all(infos[a]["active"] != terminated[a] for a in choices) or not one.agents
    assert sorted(crowds, reverse=True) == crowds and min(crowds) < 3


@every_kind
def test_the_same_play_as_without_pettingzoo(id, device):
    one, twin = parallel_env(id, action_masks=False, device=device), throng.make(id, autoreset="disabled")
    seen, _ = one.reset(seed=2)
    obs, _ = twin.reset(seed=2)
    while one.agents:
        assert all(np.array_equal(seen[a], obs[0, i]) for i, a in enumerate(one.possible_agents) if a in seen)
        actions = np.array(twin.sample_actions())
        seen, paid, terminated, truncated, _ = one.step(dict(zip(one.possible_agents, actions[0])))
        obs, rewards, terminations, truncations, info = twin.step(actions)
        assert list(paid.values()) == pytest.approx(rewards.reshape(1, len(paid), -1).sum(-1)[0].tolist(), rel=1e-5, abs=1e-5)
        assert list(terminated.values()) == terminations[0].tolist()
        if twin.spec.time_limit == 0 or twin.spec.time_limit > 1000:
            break
    assert one.env.state_hash() == twin.state_hash()


def test_what_an_episode_was_like_stands_in_the_last_infos():
    one = parallel_env("smax/3m", time_limit=2)
    one.reset(seed=0)
    step = {a: 4 for a in one.agents}
    assert "won" not in one.step(step)[4]["ally_0"]
    assert one.step(step)[4]["ally_0"]["won"] == 0.0
    assert one.agents == [] and one.step({}) == ({}, {}, {}, {}, {})


def test_an_order_is_enforced():
    with pytest.raises(Exception, match="reset"):
        env("smax/3m").step(0)


@pytest.mark.skipif(not hasattr(pettingzoo, "register"), reason="this PettingZoo keeps no register")
def test_the_register_of_pettingzoo():
    assert isinstance(pettingzoo.make("parallel", "throng/smax-3m-v0").unwrapped, pettingzoo.ParallelEnv)
    assert isinstance(pettingzoo.make("aec", "throng/smax-3m-v0"), pettingzoo.AECEnv)
