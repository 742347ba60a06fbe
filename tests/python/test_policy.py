"""load_policy(): what a run has learned, as a function of arrays."""
import numpy as np
import pytest
from conftest import SMALL_RUN, host, throng

RUN = {**SMALL_RUN, "num_envs": 16, "total_timesteps": 16 * 16 * 4, "device": "cpu", "seed": 3, "checkpoint_interval": 2}
KINDS = {"plain": {}, "recurrent": {"gru_size": 16, "head_sizes": [8]}}


@pytest.fixture(scope="module", params=list(KINDS))
def run(request, tmp_path_factory):
    return throng.train("smax/3m", out=tmp_path_factory.mktemp(request.param) / "run", **RUN, **KINDS[request.param])


@pytest.fixture(scope="module")
def recurrent(tmp_path_factory):
    return throng.train("smax/3m", out=tmp_path_factory.mktemp("run") / "run", **RUN, **KINDS["recurrent"]).folder


def seen(num_envs=4, seed=1, steps=3):
    """A moment of a game: observations, legal actions, who is alive."""
    env = throng.make("smax/3m", num_envs=num_envs, copy=True)
    obs, info = env.reset(seed=seed)
    for _ in range(steps):
        obs, _, _, _, info = env.step(env.sample_actions())
    return obs, info["avail_actions"], info["active"]


def play(policy, episodes, seed, device):
    """One episode in each environment: mean return and win rate."""
    env = throng.make("smax/3m", num_envs=episodes, autoreset="disabled", device=device)
    obs, info = env.reset(seed=seed)
    state = None
    for _ in range(env.spec.time_limit):
        actions, state = policy(obs, info["avail_actions"], state, active=info["active"])
        obs, _, _, _, info = env.step(actions)
    episode = info["episode"]
    assert host(episode["ended"]).all()
    return host(episode["returns"]).mean(), host(episode["won"]).mean()


def test_it_plays_the_evaluation_of_its_run(run, device):
    seed = RUN["seed"] + 1_000_000
    for greedy in (False, True):
        policy = throng.load_policy(run.folder, device=device, greedy=greedy, seed=seed)
        expected = run.evaluation["greedy" if greedy else "sampled"]
        for _ in range(2):
            returns, won = play(policy, RUN["eval_episodes"], seed, device)
            if device == "cpu":  # a GPU rounds logits differently, and one other draw is another episode
                assert returns == pytest.approx(expected["episodic_return"]["mean"], abs=1e-6)
                assert won == pytest.approx(expected["win_rate"]["mean"], abs=1e-6)
            policy.reset(seed)


def test_what_it_knows_of_itself(run):
    policy = throng.load_policy(run.folder)
    assert policy.config == run.config and policy.spec.id == "smax/3m" and policy.timesteps == RUN["total_timesteps"]
    assert policy.state_dim == run.config["train"]["gru_size"] and policy.device == "cpu" and not policy.greedy
    assert "step_1024.safetensors" in policy.checkpoint and "step_1024" in repr(policy)
    earlier = throng.load_policy(run.folder, checkpoint="step_512.safetensors")
    assert earlier.timesteps == 512


def test_draws_follow_from_the_seed(recurrent, device):
    obs, avail, _ = seen(num_envs=200)
    policy = throng.load_policy(recurrent, seed=5, device=device)
    first, second = (host(policy(obs, avail)[0]) for _ in range(2))
    assert first.shape == (200, 3) and first.dtype == np.int32
    assert np.take_along_axis(avail, first[..., None], axis=-1).all()
    assert (first != second).any()
    policy.reset(5)
    assert np.array_equal(host(policy(obs, avail)[0]), first)
    assert (host(throng.load_policy(recurrent, seed=6, device=device)(obs, avail)[0]) != first).any()
    likeliest = throng.load_policy(recurrent, greedy=True, device=device)
    assert np.array_equal(host(likeliest(obs, avail)[0]), host(likeliest(obs, avail)[0]))


def test_memory_is_handed_on_and_begins_anew(recurrent, device):
    obs, avail, _ = seen()
    policy = throng.load_policy(recurrent, greedy=True, device=device)
    _, fresh = policy(obs, avail)
    kept = host(fresh).copy()
    assert kept.shape == (4, 3, 16) and kept.any()
    assert np.array_equal(host(policy(obs, avail, np.zeros_like(kept))[1]), kept)
    _, after = policy(obs, avail, fresh)
    assert (host(after) != kept).any() and np.array_equal(host(fresh), kept)  # what was returned stays as it was
    ended, active = np.zeros((4, 3), bool), np.ones((4, 3), bool)
    ended[1] = True
    active[2, 0] = False
    _, partly = policy(obs, avail, kept, ended=ended, active=active)
    anew = ended | ~active
    assert np.array_equal(host(partly)[anew], kept[anew])
    assert np.array_equal(host(partly)[~anew], host(after)[~anew])


def test_any_leading_axes_and_types_will_do(recurrent):
    obs, avail, active = seen()
    policy = throng.load_policy(recurrent, greedy=True)
    actions, state = policy(obs, avail, active=active)
    flat, flat_state = policy(obs.reshape(12, -1), avail.reshape(12, -1), active=active.reshape(12))
    assert flat.shape == (12,) and np.array_equal(flat.reshape(4, 3), actions)
    assert np.array_equal(flat_state.reshape(state.shape), state)
    converted, _ = policy(obs.astype(np.float64)[::-1], avail.astype(int)[::-1].tolist(), active=active[::-1])
    assert np.array_equal(converted[::-1], actions)
    alone, _ = policy(obs[0, 0], avail[0, 0])
    assert alone.shape == () and alone == actions[0, 0]
    unmasked, _ = policy(obs)
    assert unmasked.shape == actions.shape


def test_a_policy_without_memory(tmp_path):
    run = throng.train("smax/3m", out=tmp_path / "run", **RUN)
    obs, avail, _ = seen()
    actions, state = throng.load_policy(run.folder)(obs, avail, None)
    assert actions.shape == (4, 3) and state is None


@pytest.mark.parametrize("id", ["drones/catch", "beach/10_agents"])  # numbers as actions; several choices of one
def test_a_policy_that_is_told_weights_acts_as_for_equal_ones(tmp_path, id):
    small = {**RUN, "num_envs": 8, "num_steps": 4, "total_timesteps": 8 * 4 * 2}
    result = throng.train(id, algo="mo_ippo", out=tmp_path / "run", **small)
    policy = throng.load_policy(result.folder)
    env = throng.make(id, num_envs=3)
    obs, info = env.reset(seed=0)
    actions, _ = policy(obs, info["avail_actions"])
    assert actions.shape == env.buffers["actions"].shape or actions.shape == env.buffers["actions"].shape[:-1]
    assert actions.dtype == env.buffers["actions"].dtype
    env.step(actions)


def test_mistakes(recurrent, tmp_path):
    obs, avail, active = seen()
    policy = throng.load_policy(recurrent)
    with pytest.raises(ValueError, match=r"obs must be float32 of shape \(num_envs, num_agents, \d+\)"):
        policy(obs[..., 1:], avail)
    with pytest.raises(ValueError, match=r"avail_actions must be bool of shape \(4, 3, 8\).* not bool of shape \(3, 3, 8\)"):
        policy(obs, avail[1:])
    with pytest.raises(ValueError, match=r"state must be float32 of shape \(4, 3, 16\)"):
        policy(obs, avail, np.zeros((4, 3, 8), np.float32))
    with pytest.raises(ValueError, match=r"active must be bool of shape \(4, 3\)"):
        policy(obs, avail, active=active[0])
    with pytest.raises(ValueError, match="obs is missing"):
        policy(None, avail)
    with pytest.raises(ValueError, match="holds no run"):
        throng.load_policy(tmp_path)
    with pytest.raises(ValueError, match="step_7"):
        throng.load_policy(recurrent, checkpoint="step_7.safetensors")
    with pytest.raises(ValueError, match="unknown device"):
        throng.load_policy(recurrent, device="gpu")
    with pytest.raises(ValueError, match="seed must be from 0"):
        throng.load_policy(recurrent, seed=-1)
