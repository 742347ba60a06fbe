"""What the Python tests share: devices, small environments, and arrays on the host."""
import os
from pathlib import Path

import numpy as np
import pytest

throng = pytest.importorskip("throng", reason="needs PYTHONPATH with the package and the compiled module")

ROOT = Path(__file__).resolve().parents[2]
SMALL_RUN = dict(num_envs=8, num_steps=16, num_minibatches=2, hidden_sizes=[16], eval_episodes=8)
CROWD = 32  # agents


def host(array):
    """A NumPy copy, from whatever device."""
    return np.array(array) if isinstance(array, np.ndarray) else array.numpy()


def roll(env, steps, seed=0):
    """The outcomes of random play as a list of tuples of NumPy copies."""
    env.reset(seed=seed)
    outcomes = []
    for _ in range(steps):
        obs, rewards, terminations, truncations, _ = env.step(env.sample_actions())
        outcomes.append(tuple(host(x) for x in (obs, rewards, terminations, truncations)))
    return outcomes


def kinds():
    """An id of every kind: of each game, one scenario for each family and each form of its spaces and its number of objectives.

    Scenarios that set the same parameters are a family. No crowds where the form is there without: dictionaries of thousands
    of agents take their time.
    """
    first = {}
    pages = {id: throng.describe(id) for id in [*throng.registered_envs(), *throng.list_envs()]}
    usual = {id: {p["name"]: p["default"] for p in page["parameters"]} for id, page in pages.items()}
    for id, page in sorted(pages.items(), key=lambda item: max(CROWD, item[1]["spec"].num_agents)):
        game, spec = id.split("/")[0], page["spec"]
        form = (spec.heads, spec.continuous, spec.obs_dtype, spec.num_objectives, spec.world_state_dim > 0)
        family = tuple(name for name, value in usual[id].items() if value != usual[game][name])
        if spec.num_agents <= CROWD or all((game, form) != kind[:2] for kind in first):
            first.setdefault((game, form, family), id)
    return list(first.values())


every_kind = pytest.mark.parametrize("id", kinds())


@pytest.fixture(params=["cpu", "cuda"])
def device(request):
    if request.param == "cuda" and throng.cuda_device_count() == 0:
        pytest.skip(throng.cuda_status())
    return request.param


@pytest.fixture(scope="session")
def environment_variables():
    """For child processes: they find the package as this process did."""
    package = Path(throng.__file__).resolve().parents[1]
    module = Path(throng._throng.__file__).resolve().parent
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(package), str(module)])}
