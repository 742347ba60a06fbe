"""Environments as pure functions of JAX's arrays: one custom call of XLA for any number of them."""
from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

import throng
from throng._throng import functional, xla_handlers

State = dict[str, Any]
"""The arrays of get_state() by name, with the measures of the latest ended episodes and what is shown of the state.

Words of 64 bits are two of 32 here, the lower one first: [.., env, 2]."""

DTYPES = {"F32": jnp.float32, "I32": jnp.int32, "U32": jnp.uint32, "I16": jnp.int16, "U16": jnp.uint16,
          "I8": jnp.int8, "U8": jnp.uint8, "BOOL": jnp.bool_}
TARGET = "throng_batch"

for _platform, _handler in xla_handlers().items():
    jax.ffi.register_ffi_target(TARGET, _handler, platform=_platform)


class Step(NamedTuple):
    """What VecEnv.step() returns."""

    obs: Any
    """[env, agent, obs_dim], what the next action meets."""
    state: State
    rewards: Any
    """float32 [env, agent, objective]."""
    terminations: Any
    """bool [env, agent]."""
    truncations: Any
    """bool [env, agent]."""


class VecEnv:
    """Any number of environments in one call. It holds nothing but the rules: how many there are, the arrays say.

    id          as for throng.make()
    autoreset   as for throng.make(); "disabled": the environments stand still until reset_where()
    final_obs   True: the state also has "final_obs" (and "final_world_state"), in which an episode ended
    time_limit  steps; None: the environment's own
    """

    def __init__(
        self,
        id: str,
        *,
        autoreset: str = "same_step",
        final_obs: bool = False,
        time_limit: int | None = None,
        config: Mapping[str, Any] | None = None,
    ) -> None:
        plan = {"id": id, "config": dict(config or {}), "autoreset": autoreset, "final_obs": final_obs,
                "time_limit": -1 if time_limit is None else time_limit}
        self._plan = json.dumps(plan, sort_keys=True)
        forms = functional(self._plan)
        self.spec: throng.EnvSpec = forms["spec"]
        self._carried, self._shown, self._outcomes = forms["carried"], forms["shown"], forms["outcomes"]
        self._operations = {name: jax.jit(self._operation(name)) for name in ("observe", "reset", "step")}

    def reset(self, keys: Any, num_envs: int | None = None) -> tuple[Any, State]:
        """(obs, state) of the first episodes.

        keys  one key for each environment; or with `num_envs` a single one, which is then what throng's
              reset(seed=...) makes of the seed: environment e gets fold_in(key, e)
        """
        data = key_data(keys)
        if num_envs is not None:
            data = key_data(jax.vmap(partial(jax.random.fold_in, jax.random.wrap_key_data(data)))(jnp.arange(num_envs)))
        if data.ndim != 2:
            raise ValueError(f"keys: got shape {data.shape[:-1]}, expected one axis, the environments; for a single key "
                             "say num_envs")
        n = data.shape[0]
        state = {name: jnp.zeros(shape_of(shape, n), DTYPES[dtype]) for name, dtype, shape in self._carried}
        state["batch.key"] = data.T
        state["batch.episode"] = jnp.full_like(state["batch.episode"], np.uint32(2**32 - 1))  # the next one is 0
        return self._call("reset", state, jnp.ones(n, jnp.uint8))[:2]

    def reset_where(self, state: State, mask: Any) -> tuple[Any, State]:
        """(obs, state), where the environments in `mask`, bool [env], have begun their next episode."""
        return self._call("reset", state, jnp.asarray(mask).astype(jnp.uint8))[:2]

    def step(self, state: State, actions: Any) -> Step:
        """One transition of every environment. Actions are [env, agent], or [env, agent, number]."""
        spec = self.spec
        rows = (state["batch.episode"].shape[-1], spec.num_agents)
        numbers = (spec.continuous or max(len(spec.heads), 1),)
        given = jnp.asarray(actions, jnp.float32 if spec.continuous else jnp.int32)
        if given.shape not in ((*rows, *numbers), *([rows] if numbers == (1,) else [])):
            raise ValueError(f"actions: got shape {given.shape}, expected {rows if numbers == (1,) else (*rows, *numbers)}")
        return Step(*self._call("step", state, given.reshape(*rows, *numbers)))

    def observe(self, state: State) -> tuple[Any, State]:
        """(obs, state): the observations of a state that was changed by hand."""
        return self._call("observe", state)[:2]

    def _call(self, operation: str, state: State, *inputs: Any) -> tuple[Any, ...]:
        results = self._operations[operation](*(state[name] for name, _, _ in self._carried), *inputs)
        named = {name: array for (name, _, _), array in zip(self._results(operation), results)}
        obs, outcomes = named.pop("obs"), [named.pop(name) for name, _, _ in self._outcomes if name in named]
        return (obs, named, *outcomes)

    def _results(self, operation: str) -> list[Any]:
        return [*self._carried, *self._shown, *(self._outcomes if operation == "step" else [])]

    def _operation(self, operation: str) -> Any:
        """XLA's custom call, and what vmap makes of it: one call for all that it maps over."""
        forms = self._results(operation)
        axes_in = [*(shape.index(-1) for _, _, shape in self._carried), *([0] if operation != "observe" else [])]
        axes_out = [shape.index(-1) for _, _, shape in forms]

        def call_once(*arrays: Any) -> Any:
            n = arrays[0].shape[axes_in[0]]
            shapes = [jax.ShapeDtypeStruct(shape_of(shape, n), DTYPES[dtype]) for _, dtype, shape in forms]
            aliases = {i: i for i in range(len(self._carried))}
            return jax.ffi.ffi_call(TARGET, shapes, input_output_aliases=aliases)(
                *arrays, plan=self._plan, operation=operation)

        def call_for_all(size: int, batched: Any, *arrays: Any) -> Any:
            every = [x if is_batched else jnp.broadcast_to(x, (size, *x.shape)) for x, is_batched in zip(arrays, batched)]
            results = call(*(merge(x, axis) for x, axis in zip(every, axes_in)))
            return [split(x, axis, size) for x, axis in zip(results, axes_out)], [True] * len(forms)

        call = jax.custom_batching.custom_vmap(call_once)
        call.def_vmap(call_for_all)
        return call


def key_data(keys: Any) -> Any:
    """The numbers of keys, whether of the new kind or plain uint32 [.., 2]."""
    data = jax.random.key_data(keys) if jnp.issubdtype(keys.dtype, jax.dtypes.prng_key) else keys
    if data.shape[-1:] != (2,) or data.dtype != jnp.uint32:
        raise ValueError(f"keys: got {data.dtype} of shape {data.shape}; throng draws as jax's own threefry2x32 does")
    return data


def merge(array: Any, axis: int) -> Any:
    """[size, .., n, ..] -> [.., size * n, ..]; `axis` is that of n without the first one."""
    shape = array.shape[1:]
    moved = jnp.moveaxis(array, 0, axis)
    return moved.reshape(*shape[:axis], array.shape[0] * shape[axis], *shape[axis + 1:])


def split(array: Any, axis: int, size: int) -> Any:
    """What merge() did, undone."""
    shape = array.shape
    return jnp.moveaxis(array.reshape(*shape[:axis], size, shape[axis] // size, *shape[axis + 1:]), axis, 0)


def shape_of(shape: Sequence[int], n: int) -> tuple[int, ...]:
    return tuple(n if extent == -1 else extent for extent in shape)
