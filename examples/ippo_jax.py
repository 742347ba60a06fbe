"""IPPO in the manner of JaxMARL (pip install jax): the whole training is one jitted function, environments included."""
import argparse
import time

import jax
import jax.numpy as jnp

import throng.jax

LEARNING_RATE, GAMMA, GAE_LAMBDA, CLIP_EPS, ENT_COEF, VF_COEF, UPDATE_EPOCHS, NUM_MINIBATCHES = 2e-3, 0.99, 0.95, 0.2, 0.01, 0.5, 4, 4


def batchify(x, agents):  # {agent: [env, ...]} -> [actor, ...]
    stacked = jnp.stack([x[a] for a in agents])
    return stacked.reshape(-1, *stacked.shape[2:])


def unbatchify(x, agents, num_envs):
    return {a: x.reshape(len(agents), num_envs, *x.shape[1:])[i] for i, a in enumerate(agents)}


def mlp_init(key, sizes):
    keys = jax.random.split(key, len(sizes) - 1)
    init = jax.nn.initializers.orthogonal(2**0.5)
    return [(init(k, (m, n)), jnp.zeros(n)) for k, m, n in zip(keys, sizes[:-1], sizes[1:])]


def mlp(layers, x):
    for weight, bias in layers[:-1]:
        x = jax.nn.relu(x @ weight + bias)
    return x @ layers[-1][0] * 0.1 + layers[-1][1]


def policy(params, obs, avail):  # log-probabilities [actor, action]
    return jax.nn.log_softmax(jnp.where(avail, mlp(params["actor"], obs), -1e9))


def chosen(log_probs, actions):
    return jnp.take_along_axis(log_probs, actions[..., None], axis=-1)[..., 0]


def loss_of(params, rows):
    obs, avail, actions, old, advantages, returns = rows
    log_probs = policy(params, obs, avail)
    ratio = jnp.exp(chosen(log_probs, actions) - old)
    advantages = (advantages - advantages.mean()) / (advantages.std() + 1e-8)
    gain = jnp.minimum(ratio * advantages, jnp.clip(ratio, 1 - CLIP_EPS, 1 + CLIP_EPS) * advantages).mean()
    value_loss = 0.5 * jnp.square(mlp(params["critic"], obs)[:, 0] - returns).mean()
    return -gain + VF_COEF * value_loss + ENT_COEF * (jnp.exp(log_probs) * log_probs).sum(-1).mean()


def adam(params, grads, moments, count):
    first = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, moments[0], grads)
    second = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, moments[1], grads)
    rate = LEARNING_RATE * jnp.sqrt(1 - 0.999**count) / (1 - 0.9**count)
    return jax.tree.map(lambda p, m, v: p - rate * m / (jnp.sqrt(v) + 1e-5), params, first, second), (first, second)


def make_train(id, num_envs, num_steps, num_updates):
    env = throng.jax.make(id)
    agents, actors = env.agents, num_envs * env.num_agents

    def env_step(carry, key):
        params, state, obs = carry
        avail = batchify(jax.vmap(env.get_avail_actions)(state), agents).astype(bool)
        x = batchify(obs, agents).astype(jnp.float32)
        log_probs = policy(params, x, avail)
        draw, move = jax.random.split(key)
        actions = jax.random.categorical(draw, log_probs)
        obs, state, rewards, dones, infos = jax.vmap(env.step)(
            jax.random.split(move, num_envs), state, unbatchify(actions, agents, num_envs))
        over = jnp.tile(dones["__all__"], len(agents))
        seen = (x, avail, actions, chosen(log_probs, actions), mlp(params["critic"], x)[:, 0], batchify(rewards, agents), over)
        return (params, state, obs), (seen, infos)

    def gae(carry, step):
        advantage, next_value = carry
        value, reward, over = step
        delta = reward + GAMMA * next_value * (1 - over) - value
        advantage = delta + GAMMA * GAE_LAMBDA * (1 - over) * advantage
        return (advantage, value), advantage

    def learn(carry, rows):
        params, moments, count = carry
        grads = jax.grad(loss_of)(params, rows)
        params, moments = adam(params, grads, moments, count + 1)
        return (params, moments, count + 1), None

    def epoch(carry, key, rollout):
        order = jax.random.permutation(key, num_steps * actors).reshape(NUM_MINIBATCHES, -1)
        return jax.lax.scan(lambda c, rows: learn(c, [x[rows] for x in rollout]), carry, order)

    def update(carry, key):
        (params, moments, count), state, obs = carry
        play, shuffle = jax.random.split(key)
        (_, state, obs), (seen, infos) = jax.lax.scan(env_step, (params, state, obs), jax.random.split(play, num_steps))
        x, avail, actions, log_probs, values, rewards, over = seen
        last = mlp(params["critic"], batchify(obs, agents).astype(jnp.float32))[:, 0]
        _, advantages = jax.lax.scan(gae, (jnp.zeros(actors), last), (values, rewards, over), reverse=True)
        rollout = [y.reshape(-1, *y.shape[2:]) for y in (x, avail, actions, log_probs, advantages, advantages + values)]
        learner, _ = jax.lax.scan(lambda c, k: epoch(c, k, rollout), (params, moments, count), jax.random.split(shuffle, UPDATE_EPOCHS))
        return (learner, state, obs), {name: x[-1].mean() for name, x in infos.items() if x.dtype == jnp.float32}

    def train(key):
        first, second, third, rest = jax.random.split(key, 4)
        obs_dim, outputs = env.observation_space(agents[0]).shape[0], env.action_space(agents[0]).n
        params = {"actor": mlp_init(first, (obs_dim, 64, 64, outputs)), "critic": mlp_init(second, (obs_dim, 64, 64, 1))}
        zeros = jax.tree.map(jnp.zeros_like, params)
        obs, state = jax.vmap(env.reset)(jax.random.split(third, num_envs))
        return jax.lax.scan(update, ((params, (zeros, zeros), 0), state, obs), jax.random.split(rest, num_updates))[1]

    return train


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("env", nargs="?", default="smax/3m", help="one with discrete actions of one head")
    parser.add_argument("--num-envs", type=int, default=256)
    parser.add_argument("--num-steps", type=int, default=64)
    parser.add_argument("--total-timesteps", type=int, default=1_000_000)
    o = parser.parse_args()
    num_updates = max(1, o.total_timesteps // (o.num_envs * o.num_steps))
    train = jax.jit(make_train(o.env, o.num_envs, o.num_steps, num_updates)).lower(jax.random.key(0)).compile()
    start = time.perf_counter()
    measures = jax.block_until_ready(train(jax.random.key(0)))
    seconds = time.perf_counter() - start
    print(f"{num_updates * o.num_envs * o.num_steps / seconds:,.0f} SPS on {jax.default_backend()}")
    for name, values in measures.items():
        print(name, [round(float(x), 3) for x in values[:: max(1, num_updates // 10)]])


if __name__ == "__main__":
    main()
