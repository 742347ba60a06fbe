"""TorchRL: a batch of environments as its EnvBase, on the CPU or on a GPU, with resets by mask on the device."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from tensordict import TensorDict
from torchrl.data import Binary, Bounded, Categorical, Composite, MultiCategorical, Unbounded
from torchrl.envs import EnvBase
from torchrl.envs.utils import MarlGroupMapType, check_marl_grouping

import throng

DTYPES = {"F32": torch.float32, "U8": torch.uint8}


def groups_by_word(agents: list[str]) -> dict[str, list[str]]:
    """TorchRL's custom: ally_0 and ally_1 are the group "ally"; agent_0 and agent_1 are "agents"."""
    groups: dict[str, list[str]] = {}
    for agent in agents:
        word = agent.rpartition("_")[0]
        groups.setdefault("agents" if word in ("", "agent") else word, []).append(agent)
    return groups


class ThrongEnv(EnvBase):
    """A batch of `num_envs` environments, batch_size [num_envs].

    id          as for throng.make()
    group_map   TorchRL's MarlGroupMapType or {group: agents}; None: by the word in the agents' names
    time_limit  steps; None: the environment's own

    Of each group: observation [n, agents, obs_dim], action [n, agents], action_mask [n, agents, actions], mask
    [n, agents] (who is active), reward [n, agents, objectives]. At the root: done, terminated, truncated [n, 1],
    state [n, world_state_dim], and the measures of each environment's latest ended episode, ("info", "won") [n, 1].
    """

    def __init__(
        self,
        id: str,
        num_envs: int,
        *,
        device: str = "cpu",
        group_map: MarlGroupMapType | dict[str, list[str]] | None = None,
        seed: int | None = None,
        time_limit: int | None = None,
        config: Mapping[str, Any] | None = None,
    ) -> None:
        self.batch = throng.make(id, num_envs, device, autoreset="disabled", time_limit=time_limit, config=config)
        super().__init__(device=torch.device(self.batch.device), batch_size=torch.Size([num_envs]))
        self._tensors = {name: torch.from_dlpack(array) for name, array in self.batch.buffers.items()}
        self._group(group_map)
        self._make_specs()
        self._pending_seed = seed

    def _group(self, group_map: MarlGroupMapType | dict[str, list[str]] | None) -> None:
        agents = list(self.batch.possible_agents)
        if isinstance(group_map, MarlGroupMapType):
            group_map = group_map.get_group_map(agents)
        self.group_map = groups_by_word(agents) if group_map is None else group_map
        check_marl_grouping(self.group_map, agents)
        numbers = {group: [agents.index(a) for a in names] for group, names in self.group_map.items()}
        self._agents = {group: torch.tensor(index, device=self.device) for group, index in numbers.items()}

    def _make_specs(self) -> None:
        spec, n = self.batch.spec, self.batch_size[0]
        place = {"device": self.device}
        seen, acted, paid = (Composite(shape=(n,), **place) for _ in range(3))
        for group, index in self._agents.items():
            shape = (n, len(index))
            members = {"observation": self._observation_spec((*shape, spec.obs_dim)),
                       "mask": Categorical(2, shape=shape, dtype=torch.bool, **place)}
            if not spec.continuous:
                members["action_mask"] = Binary(spec.num_actions, shape=(*shape, spec.num_actions), dtype=torch.bool, **place)
            seen[group] = Composite(members, shape=shape, **place)
            acted[group] = Composite({"action": self._action_spec(shape)}, shape=shape, **place)
            paid[group] = Composite({"reward": Unbounded((*shape, spec.num_objectives), **place)}, shape=shape, **place)
        if spec.world_state_dim:
            seen["state"] = Unbounded((n, spec.world_state_dim), **place)
        if spec.info:
            seen["info"] = Composite({name: Unbounded((n, 1), **place) for name in spec.info}, shape=(n,), **place)
        flags = ("done", "terminated", "truncated")
        self.observation_spec, self.action_spec, self.reward_spec = seen, acted, paid
        self.done_spec = Composite({f: Categorical(2, shape=(n, 1), dtype=torch.bool, **place) for f in flags}, shape=(n,), **place)

    def _observation_spec(self, shape: tuple[int, ...]) -> Any:
        spec = self.batch.spec
        return Bounded(spec.obs_low, spec.obs_high, shape=shape, dtype=DTYPES[spec.obs_dtype], device=self.device)

    def _action_spec(self, shape: tuple[int, ...]) -> Any:
        spec, place = self.batch.spec, {"device": self.device}
        if spec.continuous:
            return Bounded(-1.0, 1.0, shape=(*shape, spec.continuous), dtype=torch.float32, **place)
        if len(spec.heads) > 1:
            return MultiCategorical(spec.heads, shape=(*shape, len(spec.heads)), dtype=torch.int64, **place)
        return Categorical(spec.num_actions, shape=shape, dtype=torch.int64, **place)

    def _set_seed(self, seed: int | None) -> None:
        self._pending_seed = seed

    def _on_this_stream(self) -> None:
        if self.device.type == "cuda":
            self.batch.use_stream(torch.cuda.current_stream(self.device).cuda_stream)

    def _reset(self, tensordict: Any = None, **kwargs: Any) -> Any:
        self._on_this_stream()
        mask = None if tensordict is None else tensordict.get("_reset", None)
        seed, self._pending_seed = self._pending_seed, None
        if seed is not None or mask is None:
            self.batch.reset(seed=seed)
        else:
            self.batch.reset(mask=mask.reshape(self.batch_size))
        none = torch.zeros((*self.batch_size, 1), dtype=torch.bool, device=self.device)
        return self._result(dict.fromkeys(("done", "terminated", "truncated"), none))

    def _step(self, tensordict: Any) -> Any:
        self._on_this_stream()
        actions = torch.zeros_like(self._tensors["actions"])
        for group, index in self._agents.items():
            actions[:, index] = tensordict[group, "action"].to(actions.dtype)
        self.batch.step(actions)
        # The flags of an environment's agents are equal.
        terminated, truncated = (self._tensors[f][:, :1].clone() for f in ("terminations", "truncations"))
        result = self._result({"done": terminated | truncated, "terminated": terminated, "truncated": truncated})
        rewards = self._tensors["rewards"].reshape(*self.batch_size, -1, self.batch.spec.num_objectives)
        for group, index in self._agents.items():
            result[group, "reward"] = rewards[:, index]
        return result

    def _result(self, flags: dict[str, Any]) -> Any:
        spec, result = self.batch.spec, TensorDict(flags, self.batch_size, device=self.device)
        for group, index in self._agents.items():  # indexing with a tensor copies
            members = {"observation": self._tensors["obs"][:, index], "mask": self._tensors["active"][:, index]}
            if not spec.continuous:
                members["action_mask"] = self._tensors["avail_actions"][:, index]
            result[group] = TensorDict(members, (*self.batch_size, len(index)), device=self.device)
        if spec.world_state_dim:
            result["state"] = self._tensors["world_state"].clone()
        for name in spec.info:
            result["info", name] = self._tensors["episode." + name].unsqueeze(-1).clone()
        return result

    def close(self, *, raise_if_closed: bool = True) -> None:
        super().close(raise_if_closed=raise_if_closed)
        self._tensors = {}
        self.batch.close()
