"""MOMAland's face, by MOMAland's own test."""
import numpy as np
import pytest
from conftest import every_kind

pytest.importorskip("momaland", reason="needs momaland (GPL): pip install momaland")
from momaland.test.api_test import api_test  # noqa: E402
from momaland.utils.parallel_wrappers import LinearizeReward  # noqa: E402
from pettingzoo.test import parallel_api_test  # noqa: E402

from throng.momaland import env, parallel_env  # noqa: E402


@every_kind
def test_the_suites(id, capsys):
    api_test(env(id), 40)
    one = parallel_env(id)
    one.reset(seed=0)
    _, rewards, *_ = one.step({a: one.action_space(a).sample() for a in one.agents})
    for agent, reward in rewards.items():
        assert one.reward_space(agent).contains(reward) and one.reward_space(agent) is one.reward_spaces[agent]
    if one.metadata["central_observation"]:
        assert one.get_central_observation_space().contains(one.state())


@every_kind
def test_one_number_of_several_by_weights(id, device):
    plain, weighted = parallel_env(id, device=device), parallel_env(id)
    weights = np.arange(1.0, plain.spec.num_objectives + 1)
    weighted = LinearizeReward(weighted, {a: weights for a in plain.possible_agents})
    for one in (plain, weighted):
        one.reset(seed=0)
    for _ in range(10):
        actions = {a: plain.action_space(a).sample() for a in plain.agents}
        vectors, numbers = plain.step(actions)[1], weighted.step(actions)[1]
        assert all(numbers[a] == pytest.approx(float(vectors[a] @ weights), rel=1e-4, abs=1e-4) for a in vectors)
        if not plain.agents:
            break
