"""PPO in PyTorch (pip install torch) on throng's own memory: on a GPU observations are CUDA tensors that nobody copied."""
import argparse
import time

import torch
from torch import nn
from torch.distributions import Categorical

import throng

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("env", nargs="?", default="smax/3m", help="one with discrete actions of one head")
parser.add_argument("--device", default="auto", help="cpu, cuda, cuda:1, auto")
parser.add_argument("--num-envs", type=int, default=256)
parser.add_argument("--num-steps", type=int, default=64)
parser.add_argument("--total-timesteps", type=int, default=1_000_000)
o = parser.parse_args()
gamma, gae_lambda, clip_coef, ent_coef, learning_rate, update_epochs, num_minibatches = 0.99, 0.95, 0.2, 0.01, 2e-3, 4, 4

env = throng.make(o.env, o.num_envs, o.device)
device, spec, T, N, A = env.device, env.spec, o.num_steps, o.num_envs, env.num_agents
torch.manual_seed(1)
env.reset(seed=1)
now = {name: torch.from_dlpack(array) for name, array in env.buffers.items()}  # they never move: made once


def mlp(outputs):
    layers = nn.Linear(spec.obs_dim, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, outputs)
    return nn.Sequential(*layers).to(device)


actor, critic = mlp(spec.num_actions), mlp(1)
optimizer = torch.optim.Adam([*actor.parameters(), *critic.parameters()], lr=learning_rate, eps=1e-5)


def policy(obs, avail):
    return Categorical(logits=actor(obs).masked_fill(~avail, -1e9))


def flat(x):  # [time, env, agent, ...] -> [row, ...]
    return x.flatten(0, 2)


obs = torch.zeros(T, N, A, spec.obs_dim, device=device)
avail = torch.zeros(T, N, A, spec.num_actions, dtype=torch.bool, device=device)
actions = torch.zeros(T, N, A, dtype=torch.int32, device=device)
log_probs, values, rewards, dones = (torch.zeros(T, N, A, device=device) for _ in range(4))

start, num_updates = time.perf_counter(), max(1, o.total_timesteps // (T * N))
for update in range(1, num_updates + 1):
    with torch.no_grad():
        for t in range(T):
            obs[t], avail[t] = now["obs"], now["avail_actions"]
            distribution = policy(obs[t], avail[t])
            action = distribution.sample()
            actions[t], log_probs[t], values[t] = action, distribution.log_prob(action), critic(obs[t]).squeeze(-1)
            env.step(actions[t])  # on torch's stream; `now` holds what came of it
            final_values = critic(now["final_obs"].float()).squeeze(-1)  # a truncated episode goes on in our estimate
            rewards[t] = now["rewards"].view(N, A, -1).sum(-1) + gamma * final_values * now["truncations"]
            dones[t] = (now["terminations"] | now["truncations"]).float()
        advantages, advantage, next_value = torch.zeros_like(rewards), 0.0, critic(now["obs"].float()).squeeze(-1)
        for t in reversed(range(T)):
            delta = rewards[t] + gamma * next_value * (1 - dones[t]) - values[t]
            advantages[t] = advantage = delta + gamma * gae_lambda * (1 - dones[t]) * advantage
            next_value = values[t]
        returns = advantages + values
    rollout = [flat(x) for x in (obs, avail, actions, log_probs, advantages, returns)]
    for _ in range(update_epochs):
        for rows in torch.randperm(T * N * A, device=device).chunk(num_minibatches):
            b_obs, b_avail, b_actions, b_log_probs, b_advantages, b_returns = (x[rows] for x in rollout)
            distribution = policy(b_obs, b_avail)
            ratio = (distribution.log_prob(b_actions) - b_log_probs).exp()
            b_advantages = (b_advantages - b_advantages.mean()) / (b_advantages.std() + 1e-8)
            gain = torch.min(ratio * b_advantages, ratio.clamp(1 - clip_coef, 1 + clip_coef) * b_advantages).mean()
            value_loss = 0.5 * (critic(b_obs).squeeze(-1) - b_returns).square().mean()
            loss = -gain - ent_coef * distribution.entropy().mean() + 0.5 * value_loss
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_([*actor.parameters(), *critic.parameters()], 0.5)
            optimizer.step()
    if update % max(1, num_updates // 20) == 0:
        measures = {name: round(value, 3) for name, value in env.statistics().items() if isinstance(value, float)}
        print(f"{update * T * N} steps, {update * T * N / (time.perf_counter() - start):,.0f} SPS, {measures}", flush=True)
