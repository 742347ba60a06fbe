"""The PPO update of bench/learner_rows.cpp in PyTorch, as one would write it there, for comparison on the same cores."""
import statistics
import time

import torch
from torch import nn


def mlp(sizes, gain):
    """Dense layers with ReLU between them, orthogonal as ours."""
    layers = []
    for i, (before, after) in enumerate(zip(sizes, sizes[1:])):
        layer = nn.Linear(before, after)
        nn.init.orthogonal_(layer.weight, gain if i == len(sizes) - 2 else 2 ** 0.5)
        nn.init.zeros_(layer.bias)
        layers += [layer, nn.ReLU()]
    return nn.Sequential(*layers[:-1])


class Learner:
    """Actor and critic, and a rollout [time, env, agent, ...] of random numbers."""

    def __init__(self, what):
        self.config = config = what["train"]
        steps, envs, agents = config["num_steps"], config["num_envs"], what["num_agents"]
        self.actor = mlp([what["obs_dim"], *config["hidden_sizes"], what["num_actions"]], 0.01)
        self.critic = mlp([what["obs_dim"], *config["hidden_sizes"], 1], 1.0)
        self.parameters = [*self.actor.parameters(), *self.critic.parameters()]
        self.adam = torch.optim.Adam(self.parameters, lr=1e-4, eps=config["adam_eps"])
        self.obs = torch.rand(steps + 1, envs, agents, what["obs_dim"]) * 2 - 1
        self.avail = torch.ones(steps + 1, envs, agents, what["num_actions"], dtype=torch.bool)
        self.rewards = torch.rand(steps, envs, agents) * 2 - 1
        with torch.no_grad():
            policy = torch.distributions.Categorical(logits=self.actor(self.obs[:-1]))
            self.actions = policy.sample()
            self.log_probs = policy.log_prob(self.actions)

    def advantages(self, values):
        """Generalised advantage estimation; no episode ends."""
        gamma, decay = self.config["gamma"], self.config["gamma"] * self.config["gae_lambda"]
        advantages, last = torch.empty_like(self.rewards), 0.0
        for t in reversed(range(len(self.rewards))):
            last = self.rewards[t] + gamma * values[t + 1] - values[t] + decay * last
            advantages[t] = last
        return advantages

    def update(self):
        """All passes over the rollout."""
        config = self.config
        with torch.no_grad():
            values = self.critic(self.obs)[..., 0]
            advantages = self.advantages(values)
        of_pairs = [x[: config["num_steps"]].flatten(0, 1) for x in
                    (self.obs, self.avail, self.actions, self.log_probs, values, advantages, advantages + values[:-1])]
        for _ in range(config["update_epochs"]):
            for pairs in torch.randperm(len(of_pairs[0])).chunk(config["num_minibatches"]):
                self.step(*(x[pairs].flatten(0, 1) for x in of_pairs))

    def step(self, obs, avail, actions, log_probs, values, advantages, returns):
        """One minibatch."""
        config, clip = self.config, self.config["clip_coef"]
        of_all = self.actor(obs).masked_fill(~avail, -1e10).log_softmax(-1)
        log_ratio = of_all.gather(-1, actions[:, None])[:, 0] - log_probs
        entropy = -(of_all.exp() * of_all).sum(-1).mean()
        ratio = log_ratio.exp()
        advantages = (advantages - advantages.mean()) / (advantages.std(unbiased=False) + 1e-8)
        policy_loss = -torch.min(ratio * advantages, ratio.clamp(1 - clip, 1 + clip) * advantages).mean()
        now = self.critic(obs)[:, 0]
        near = values + (now - values).clamp(-clip, clip)
        value_loss = 0.5 * torch.max((now - returns) ** 2, (near - returns) ** 2).mean()
        loss = policy_loss + config["vf_coef"] * value_loss - config["ent_coef"] * entropy
        self.adam.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.parameters, config["max_grad_norm"])
        self.adam.step()


def measure(what, updates=5):
    """Of a line that learner_rows printed, the same update here."""
    learner, seconds = Learner(what), []
    for _ in range(updates + 1):
        began = time.perf_counter()
        learner.update()
        seconds.append(time.perf_counter() - began)
    return {"rows_per_s": what["rows"] / statistics.median(seconds[1:]), "version": torch.__version__,
            "threads": torch.get_num_threads()}
