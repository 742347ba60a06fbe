"""The environment from Python: shapes, seeds, ends of episodes, state, errors."""
import pickle
import threading

import numpy as np
import pytest
from conftest import host, roll, throng

ENV = "smax/3m"


def make(num_envs=8, device="cpu", **options):
    return throng.make(ENV, num_envs=num_envs, device=device, **options)


def test_many_random_steps_at_once(device):
    one_by_one, at_once = make(device=device), make(device=device)
    for env in (one_by_one, at_once):
        env.reset(seed=3)
    for _ in range(40):
        expected = one_by_one.step(one_by_one.sample_actions())
    left = at_once.step_random(40)
    assert at_once.state_hash() == one_by_one.state_hash()
    for mine, other in zip(left[:4], expected[:4]):
        assert np.array_equal(host(mine), host(other))
    assert np.array_equal(host(at_once.sample_actions()), host(one_by_one.sample_actions()))
    with pytest.raises(ValueError, match="steps"):
        at_once.step_random(0)


def test_shapes_and_dtypes(device):
    env = make(device=device)
    spec = env.spec
    n, a = env.num_envs, env.num_agents
    obs, info = env.reset(seed=0)
    obs, rewards, terminations, truncations, info = env.step(env.sample_actions())
    expected = [
        (obs, "float32", (n, a, spec.obs_dim)),
        (rewards, "float32", (n, a)),
        (terminations, "bool", (n, a)),
        (truncations, "bool", (n, a)),
        (info["avail_actions"], "bool", (n, a, spec.num_actions)),
        (info["active"], "bool", (n, a)),
        (info["world_state"], "float32", (n, spec.world_state_dim)),
        (info["final_obs"], "float32", (n, a, spec.obs_dim)),
        (info["final_world_state"], "float32", (n, spec.world_state_dim)),
        (info["episode"]["returns"], "float32", (n, a)),
        (info["episode"]["length"], "int32", (n,)),
        (info["episode"]["won"], "float32", (n,)),
    ]
    for array, dtype, shape in expected:
        assert (array.dtype, array.shape) == (np.dtype(dtype), shape)
    assert set(info) == {
        "avail_actions", "active", "world_state", "final_obs", "final_world_state", "episode"
    }
    assert (info["episode"]["ended"].dtype, info["episode"]["ended"].shape) == (np.dtype(bool), (n,))


def test_every_registered_environment_plays():
    for id in throng.list_envs():
        with throng.make(id, num_envs=2) as env:
            obs, _ = env.reset(seed=0)
            _, rewards, *_, info = env.step(env.sample_actions())
            objectives = env.spec.num_objectives
            tail = (objectives,) if objectives > 1 else ()
            assert rewards.shape == info["episode"]["returns"].shape == (2, env.num_agents) + tail
            assert (info["world_state"] is None) == (env.spec.world_state_dim == 0)
            assert np.isfinite(obs).all()
            assert {env.spec.id.split("/")[0]} <= set(throng.registered_envs())


def test_attributes():
    env = make(device="cpu", autoreset="disabled", time_limit=5, first_env=3)
    assert (env.num_envs, env.num_agents, env.device, env.autoreset) == (8, 3, "cpu", "disabled")
    assert (env.spec.id, env.spec.time_limit, env.first_env) == (ENV, 5, 3)
    assert env.possible_agents == list(env.spec.agents) == ["ally_0", "ally_1", "ally_2"]
    assert repr(env).startswith("VecEnv('smax/3m', num_envs=8, num_agents=3")
    assert env.nbytes > 0 and env.copy is False and env.seed is None
    assert "smax/3m" in repr(env.spec)


def test_same_seed_same_play(device):
    first, second, other = (roll(make(device=device), 30, seed) for seed in (7, 7, 8))
    assert all(np.array_equal(x, y) for a, b in zip(first, second) for x, y in zip(a, b))
    assert not all(np.array_equal(a[0], b[0]) for a, b in zip(first, other))


def test_an_environment_does_not_depend_on_the_batch(device):
    large, part = make(64, device), make(4, device, first_env=20)
    for env in (large, part):
        env.reset(seed=3)
    for _ in range(40):
        actions = np.array(host(large.sample_actions()))
        whole, few = large.step(actions), part.step(actions[20:24])
        for a, b in zip(whole[:4], few[:4]):
            assert np.array_equal(host(a)[20:24], host(b))
    assert np.array_equal(large.state_hashes()[20:24], part.state_hashes())


def test_reset_without_a_seed():
    env = make()
    env.reset()
    assert 0 <= env.seed < 2**64
    first = env.state_hash()
    env.reset()  # the next episode of the same streams
    assert env.state_hash() != first
    again = make()
    again.reset(seed=env.seed)
    assert again.state_hash() == first
    again.reset()
    assert again.state_hash() == env.state_hash()


def test_same_step_equals_disabled_with_masked_resets(device):
    automatic, manual = make(16, device), make(16, device, autoreset="disabled")
    for env in (automatic, manual):
        env.reset(seed=1)
    ends = 0
    for _ in range(150):
        actions = np.array(host(automatic.sample_actions()))
        obs, rewards, terminations, truncations, info = map_host(automatic.step(actions))
        obs2, rewards2, terminations2, truncations2, info2 = map_host(manual.step(actions))
        assert np.array_equal(rewards, rewards2)
        assert np.array_equal(terminations, terminations2)
        assert np.array_equal(truncations, truncations2)
        ended = (terminations | truncations)[:, 0]
        ends += ended.sum()
        assert np.array_equal(info["final_obs"][ended], obs2[ended])
        assert np.array_equal(info["final_obs"][ended], info2["final_obs"][ended])
        assert np.array_equal(info["final_world_state"][ended], info2["world_state"][ended])
        assert np.array_equal(info["episode"]["ended"], ended) and np.array_equal(info2["episode"]["ended"], ended)
        for name in ("returns", "length", "won"):
            assert np.array_equal(info["episode"][name][ended], info2["episode"][name][ended])
        obs2, info2 = map_host(manual.reset(mask=ended))
        assert not info2["episode"]["ended"].any()
        assert np.array_equal(obs, obs2)
        assert np.array_equal(info["avail_actions"], info2["avail_actions"])
    assert ends > 16
    assert automatic.state_hash() == manual.state_hash()


def map_host(results):
    *arrays, info = results
    episode = {name: host(array) for name, array in info["episode"].items()}
    copied = {name: host(array) for name, array in info.items() if name != "episode"}
    return (*map(host, arrays), {**copied, "episode": episode})


def test_a_disabled_environment_stands_still():
    env = make(2, autoreset="disabled", time_limit=3)
    env.reset(seed=0)
    for _ in range(3):
        obs, rewards, terminations, truncations, info = env.step(env.sample_actions())
    assert truncations.all() and not terminations.any() and info["episode"]["ended"].all()
    before = env.state_hash()
    obs, rewards, terminations, truncations, info = env.step(env.sample_actions())
    assert env.state_hash() == before and truncations.all() and not rewards.any()
    _, info = env.reset(mask=[True, False])
    assert list(info["episode"]["ended"]) == [False, True]
    env.step(env.sample_actions())
    assert truncations.all(axis=1).tolist() == [False, True]


def test_next_step_ignores_the_action_and_resets():
    env, twin = make(4, autoreset="next_step", time_limit=3), make(4, time_limit=3)
    env.reset(seed=0), twin.reset(seed=0)
    for _ in range(3):
        actions = twin.sample_actions()
        obs, rewards, terminations, truncations, info = env.step(actions)
        twin_obs = twin.step(actions)[0]
    assert truncations.all() and np.array_equal(obs, info["final_obs"])
    obs, rewards, terminations, truncations, info = env.step(np.full((4, 3), 5))
    assert not rewards.any() and not truncations.any() and not info["episode"]["ended"].any()
    assert np.array_equal(obs, twin_obs)


def test_episode_statistics_agree_with_the_episodes():
    env = make(16)
    env.reset(seed=0)
    returns, lengths, won, running = [], [], [], np.zeros((16, 3), np.float32)
    for _ in range(120):
        _, rewards, terminations, truncations, info = env.step(env.sample_actions())
        running += rewards
        episode = info["episode"]
        ended = episode["ended"]
        assert np.array_equal(ended, (terminations | truncations).any(axis=1))
        assert np.array_equal(episode["returns"][ended], running[ended])
        running[ended] = 0
        returns.extend(episode["returns"][ended].mean(axis=1))
        lengths.extend(episode["length"][ended])
        won.extend(episode["won"][ended])
    statistics = env.statistics()
    assert statistics["episodes"] == len(lengths) > 0
    assert statistics["returns"] == pytest.approx(np.mean(returns), rel=1e-4)
    assert statistics["length"] == pytest.approx(np.mean(lengths))
    assert statistics["won"] == pytest.approx(np.mean(won))
    empty = env.statistics()
    assert empty["episodes"] == 0 and np.isnan(empty["returns"]) and np.isnan(empty["won"])


def test_state_round_trip(device):
    env = make(device=device)
    roll(env, 10)
    state, before = pickle.loads(pickle.dumps(env.get_state())), env.state_hash()
    actions = [np.array(host(env.sample_actions())) for _ in range(1)] * 25
    later = [host(env.step(a)[0]) for a in actions]
    after = env.state_hash()
    assert after != before
    other = make(device=device)  # another batch, never reset
    for target in (env, other):
        target.set_state(state)
        assert target.state_hash() == before
        assert all(np.array_equal(host(target.step(a)[0]), obs) for a, obs in zip(actions, later))
        assert target.state_hash() == after


def test_a_state_that_does_not_fit_changes_nothing():
    env = make()
    env.reset(seed=0)
    state, before = env.get_state(), env.state_hash()
    short = {name: array for name, array in state.items() if name != "batch.step"}
    with pytest.raises(ValueError, match="lacks 'batch.step'"):
        env.set_state(short)
    with pytest.raises(ValueError, match="unknown array 'batch.stop'.*did you mean 'batch.step'"):
        env.set_state({**state, "batch.stop": state["batch.step"]})
    with pytest.raises(ValueError, match="batch.step.*expected I32"):
        env.set_state({**state, "batch.step": state["batch.step"].astype(np.int64)})
    with pytest.raises(ValueError, match="expected"):
        make(4).set_state(state)
    assert env.state_hash() == before
    assert len(set(env.state_hashes().tolist())) == 8


def test_cpu_and_gpu_agree():
    if throng.cuda_device_count() == 0:
        pytest.skip(throng.cuda_status())
    cpu, gpu = make(64), make(64, "cuda")
    cpu.reset(seed=0), gpu.reset(seed=0)
    for _ in range(100):
        actions = np.array(cpu.sample_actions())
        assert np.array_equal(actions, host(gpu.sample_actions()))
        for a, b in zip(cpu.step(actions)[:4], gpu.step(actions)[:4]):
            assert np.array_equal(a, host(b))
    assert cpu.state_hash() == gpu.state_hash()


@pytest.mark.parametrize(
    "arguments, message",
    [
        (dict(id="smax/3n"), "did you mean 'smax/3m'"),
        (dict(id="smaxx"), "unknown environment 'smaxx'"),
        (dict(num_envs=0), "num_envs must be from 1 to 2147483647, not 0"),
        (dict(num_envs=10**20), "num_envs must be from 1"),
        (dict(num_envs=2**31 - 1), "num_envs \\* num_agents"),
        (dict(device="gpu"), "unknown device 'gpu'"),
        (dict(device="cuda:99"), "cuda:99"),
        (dict(autoreset="same-step"), "did you mean 'same_step'"),
        (dict(time_limit=-1), "time_limit must be from 0"),
        (dict(first_env=-1), "first_env must be from 0"),
        (dict(lanes=3), "lanes must be 0 .chosen., 1, 2, 4, 8, 16 or 32"),
        (dict(config={"atack_mode": "closest"}), "did you mean 'attack_mode'"),
        (dict(stream=1), "no streams"),
    ],
)
def test_mistakes_in_make(arguments, message):
    with pytest.raises(ValueError, match=message):
        throng.make(**{"id": ENV, **arguments})


def test_mistakes_in_types():
    for arguments in (dict(num_envs="8"), dict(num_envs=True), dict(num_envs=2.0)):
        with pytest.raises(TypeError, match="num_envs must be an integer"):
            make(**arguments)
    with pytest.raises(TypeError):
        throng.make(ENV, config=3)
    assert make(np.int64(2)).num_envs == 2


def test_mistakes_in_calls():
    env = make()
    for call in (env.sample_actions, env.state_hash, env.get_state):
        with pytest.raises(ValueError, match="call reset"):
            call()
    with pytest.raises(ValueError, match="call reset"):
        env.step(np.zeros((8, 3), int))
    with pytest.raises(ValueError, match="call reset"):
        env.reset(mask=np.ones(8, bool))
    with pytest.raises(ValueError, match="seed must be from 0 to 18446744073709551615"):
        env.reset(seed=-1)
    env.reset(seed=2**64 - 1)
    with pytest.raises(ValueError, match="a seed.*or a mask"):
        env.reset(seed=0, mask=np.ones(8, bool))
    for mask in (np.ones(7, bool), np.ones((8, 1), bool), np.ones(8), np.arange(8)):
        with pytest.raises(ValueError, match=r"mask: got .* expected bool or uint8 of shape \(8,\)"):
            env.reset(mask=mask)
    with pytest.raises(ValueError, match="on the CPU"):
        env.use_stream(0)


def test_close(device):
    with make(device=device) as env:
        obs, _ = env.reset(seed=0)
        kept, state, actions = np.array(host(obs)), env.get_state(), np.array(host(env.sample_actions()))
    assert env.closed and repr(env) == "VecEnv(closed)"
    assert np.array_equal(host(obs), kept)  # the array keeps its memory
    env.close()
    calls = dict(reset=[], step=[actions], step_random=[1], sample_actions=[], vary=[{}], render=[], render_step=[actions], statistics=[],
                 get_state=[], set_state=[state], state_hash=[], state_hashes=[], use_stream=[1])
    for name, arguments in calls.items():
        with pytest.raises(ValueError, match="closed"):
            getattr(env, name)(*arguments)
    still = {"closed", "copy", "seed"}  # what is known without the memory
    for name in [n for n, kind in vars(throng.VecEnv).items() if isinstance(kind, property) and n not in still]:
        with pytest.raises(ValueError, match="closed"):
            getattr(env, name)
    every = {n for n in vars(throng.VecEnv) if not n.startswith("_") and not isinstance(vars(throng.VecEnv)[n], property)}
    assert every == {*calls, "close"}


def test_two_threads_get_an_error_instead_of_a_race():
    env = make(4096)
    env.reset(seed=0)
    actions, refused = np.array(env.sample_actions()), []

    def play():
        for _ in range(30):
            try:
                env.step(actions)
            except ValueError as error:
                refused.append(str(error))

    threads = [threading.Thread(target=play) for _ in range(2)]
    [t.start() for t in threads], [t.join() for t in threads]
    assert all("one thread at a time" in text for text in refused)


def test_describe():
    page = throng.describe("smax/3m")
    assert page["spec"].num_agents == 3 and "smax/8m" in page["scenarios"] and page["summary"]
    parameters = {p["name"]: p for p in page["parameters"]}
    assert all(p["doc"] and p["type"] for p in parameters.values())
    units = {"ally_units": ["marine"] * 5, "enemy_units": ["marine"] * 6}
    assert throng.describe("smax", units)["spec"].num_agents == 5
    assert make(config=units).num_agents == 5
    with pytest.raises(ValueError, match="unknown"):
        throng.describe("smax/none")
