"""JAX: environments under jit, scan and vmap, on the CPU and on a GPU.

>>> env = throng.jax.make("smax/3m")        # one environment, as JaxMARL's: reset(key), step(key, state, actions)
>>> batch = throng.jax.make_vec("smax/3m")  # many in one call: reset(keys), step(state, actions)
"""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp

from throng.functional import DTYPES, State, Step, VecEnv, key_data

__all__ = ["Box", "Discrete", "MultiAgentEnv", "MultiDiscrete", "State", "Step", "VecEnv", "make", "make_vec"]


class Discrete:
    """The choices 0 .. n - 1."""

    def __init__(self, n: int) -> None:
        self.n, self.shape, self.dtype = n, (), jnp.int32

    def sample(self, key: Any) -> Any:
        return jax.random.randint(key, self.shape, 0, self.n, self.dtype)

    def contains(self, x: Any) -> Any:
        return jnp.logical_and(x >= 0, x < self.n)


class MultiDiscrete:
    """Several choices, the i-th of which is 0 .. num_categories[i] - 1."""

    def __init__(self, num_categories: Sequence[int]) -> None:
        self.num_categories, self.shape, self.dtype = jnp.array(num_categories), (len(num_categories),), jnp.int32

    def sample(self, key: Any) -> Any:
        return jax.random.randint(key, self.shape, 0, self.num_categories, self.dtype)

    def contains(self, x: Any) -> Any:
        return jnp.logical_and(x >= 0, x < self.num_categories).all()


class Box:
    """Numbers within bounds."""

    def __init__(self, low: float, high: float, shape: tuple[int, ...], dtype: Any = jnp.float32) -> None:
        self.low, self.high, self.shape, self.dtype = low, high, shape, dtype

    def sample(self, key: Any) -> Any:
        return jax.random.uniform(key, self.shape, jnp.float32, self.low, self.high).astype(self.dtype)

    def contains(self, x: Any) -> Any:
        return jnp.logical_and(x >= self.low, x <= self.high).all()


class MultiAgentEnv:
    """One environment with JaxMARL's interface: dictionaries by the agents' names. Under vmap it is one call for all.

    id                as for throng.make()
    weights           of the objectives in the reward; None: their sum
    inactive_is_done  True: dones tells of an agent that it no longer takes part (is dead), as JaxMARL does.
                      False: only of the end of the episode, for games in which agents pause
    time_limit        steps; None: the environment's own

    All randomness of an environment comes from the key of reset(), as in throng itself; the key of step() is there for
    JaxMARL's sake and not used. rekey() branches off. When an episode ends the next one begins within the step.
    """

    def __init__(
        self,
        id: str,
        *,
        weights: Sequence[float] | None = None,
        inactive_is_done: bool = True,
        time_limit: int | None = None,
        config: Mapping[str, Any] | None = None,
    ) -> None:
        self._one = VecEnv(id, time_limit=time_limit, config=config)
        self._raw = VecEnv(id, autoreset="disabled", time_limit=time_limit, config=config)
        self.spec = spec = self._one.spec
        self.name, self.num_agents, self.agents = id, spec.num_agents, list(spec.agents)
        self.max_steps, self.state_size = spec.time_limit, spec.world_state_dim
        self._weights = jnp.ones(spec.num_objectives) if weights is None else jnp.asarray(weights, jnp.float32)
        if self._weights.shape != (spec.num_objectives,):
            raise ValueError(f"weights: {id} has {spec.num_objectives} objectives: {', '.join(spec.objectives)}")
        self._inactive_is_done = inactive_is_done
        self.observation_spaces = dict.fromkeys(
            self.agents, Box(spec.obs_low, spec.obs_high, (spec.obs_dim,), DTYPES[spec.obs_dtype]))
        self.action_spaces = dict.fromkeys(self.agents, self._action_space())

    def _action_space(self) -> Discrete | MultiDiscrete | Box:
        if self.spec.continuous:
            return Box(-1.0, 1.0, (self.spec.continuous,))
        return MultiDiscrete(self.spec.heads) if len(self.spec.heads) > 1 else Discrete(self.spec.num_actions)

    def observation_space(self, agent: str) -> Box:
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> Discrete | MultiDiscrete | Box:
        return self.action_spaces[agent]

    def reset(self, key: Any) -> tuple[dict[str, Any], State]:
        obs, state = self._one.reset(key_data(key)[None])
        return self._observations(obs, state), state

    def step(
        self, key: Any, state: State, actions: dict[str, Any], reset_state: State | None = None
    ) -> tuple[dict[str, Any], State, dict[str, Any], dict[str, Any], dict[str, Any]]:
        """(obs, state, rewards, dones, infos). With `reset_state` an episode that ends is followed by that state."""
        if reset_state is None:
            return self._result(self._one.step(state, self._stacked(actions)))
        _, after, rewards, dones, infos = self.step_env(key, state, actions)
        after = {name: jnp.where(dones["__all__"], reset_state[name], array) for name, array in after.items()}
        return self.get_obs(after), after, rewards, dones, infos

    def step_env(
        self, key: Any, state: State, actions: dict[str, Any]
    ) -> tuple[dict[str, Any], State, dict[str, Any], dict[str, Any], dict[str, Any]]:
        """As step(), but an environment whose episode ended stands still."""
        return self._result(self._raw.step(state, self._stacked(actions)))

    def rekey(self, key: Any, state: State) -> State:
        """The same state with another future."""
        return {**state, "batch.key": key_data(key)[:, None]}

    def get_obs(self, state: State) -> dict[str, Any]:
        return self._observations(*self._one.observe(state))

    def get_avail_actions(self, state: State) -> dict[str, Any]:
        """uint8 [num_actions] of each agent, all heads together."""
        return self._each(state["avail_actions"][0].astype(jnp.uint8))

    def get_world_state(self, state: State) -> Any:
        """float32 [world_state_dim]."""
        return state["world_state"][0]

    @property
    def agent_classes(self) -> dict[str, list[str]]:
        return {"agents": self.agents}

    def _each(self, array: Any) -> dict[str, Any]:
        return {agent: array[i] for i, agent in enumerate(self.agents)}

    def _stacked(self, actions: dict[str, Any]) -> Any:
        return jnp.stack([jnp.asarray(actions[agent]) for agent in self.agents])[None]

    def _observations(self, obs: Any, state: State) -> dict[str, Any]:
        seen = self._each(obs[0])
        return {**seen, "world_state": state["world_state"][0]} if "world_state" in state else seen

    def _result(self, step: Step) -> tuple[dict[str, Any], State, dict[str, Any], dict[str, Any], dict[str, Any]]:
        state, ended = step.state, (step.terminations | step.truncations)[0]
        done = ended | ~state["active"][0] if self._inactive_is_done else ended
        infos = {"terminations": step.terminations[0], "truncations": step.truncations[0]}
        for i, name in enumerate(self.spec.info):  # of the latest ended episode, the same for all agents
            infos[name] = jnp.full(self.num_agents, state["episode.info"][0, i])
        dones = {**self._each(done), "__all__": ended[0]}
        return self._observations(step.obs, state), state, self._each(step.rewards[0] @ self._weights), dones, infos


def make(id: str, **options: Any) -> MultiAgentEnv:
    """See MultiAgentEnv."""
    return MultiAgentEnv(id, **options)


def make_vec(id: str, **options: Any) -> VecEnv:
    """See VecEnv."""
    return VecEnv(id, **options)
