"""The learner against PyTorch: networks, GRU, PPO's losses and every gradient, from a rollout that tests/dump_update wrote."""
import json
import os
import subprocess

import numpy as np
import pytest
from conftest import throng

torch = pytest.importorskip("torch")
DUMP = os.environ.get("THRONG_DUMP_UPDATE")
pytestmark = pytest.mark.skipif(not DUMP, reason="THRONG_DUMP_UPDATE names no program")

RECURRENT = {"hidden_sizes": [16], "gru_size": 12, "head_sizes": [10]}
KINDS = {
    "MLP, tanh": {"activation": "tanh"},
    "MLP, ReLU": {"activation": "relu", "hidden_sizes": [32, 24]},
    "MLP, shared layers": {"share_layers": True, "head_sizes": [8]},
    "MLP, central critic": {"algo": "mappo"},
    "GRU, shared layers": {**RECURRENT, "share_layers": True},
    "GRU, ReLU, 64 wide": {**RECURRENT, "share_layers": True, "gru_size": 64, "activation": "relu"},
    "GRU, central critic": {**RECURRENT, "algo": "mappo", "gru_size": 128},
}
WITHIN = 1e-5


def read(path):
    """A safetensors file: tensors in double precision, integers and flags as they are, and the settings."""
    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        data = file.read()
    config = json.loads(header.pop("__metadata__")["config"])
    kinds = {"F32": np.float32, "F64": np.float64, "I32": np.int32, "I64": np.int64, "U8": np.uint8}
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        array = np.frombuffer(data[begin:end], kinds[entry["dtype"]]).reshape(entry["shape"]).copy()
        tensors[name] = torch.from_numpy(array.astype(np.float64) if array.dtype.kind == "f" else array)
    return tensors, config


class Network:
    """PyTorch's own layers with a network's parameters, whose gradients are asked for by our names."""

    def __init__(self, tensors, prefix, name, config, outputs):
        self.config, self.outputs, self.parameters, self.dense = config, outputs, {}, []
        begins = f"{prefix}{name},"
        of_network = {key[len(prefix):]: value for key, value in tensors.items() if key.startswith(begins)}
        self.path, self.state = name, None
        count = len(config["hidden_sizes"]) + outputs * (len(config["head_sizes"]) + 1)
        for i in range(count):
            self.dense.append([self.own(of_network, f"{name},Dense_{i},{part}") for part in ("kernel", "bias")])
        if config["gru_size"]:
            cell = f"{name},ScannedRNN_0,GRUCell_0,"
            parts = ["ir,kernel", "iz,kernel", "in,kernel", "hr,kernel", "hz,kernel", "hn,kernel", "ir,bias", "iz,bias",
                     "in,bias", "hn,bias"]
            self.gru = {part: self.own(of_network, cell + part) for part in parts}
        assert set(self.parameters) == set(of_network)

    def own(self, tensors, name):
        self.parameters[name] = tensors[name].clone().requires_grad_()
        return self.parameters[name]

    def layer(self, i, x, activated=True):
        kernel, bias = self.dense[i]
        y = torch.nn.functional.linear(x, kernel.T, bias)
        return y if not activated else torch.tanh(y) if self.config["activation"] == "tanh" else torch.relu(y)

    def cell(self, x, h):
        """torch.nn.GRUCell's formula, by PyTorch's own function."""
        g, zero = self.gru, torch.zeros(h.shape[-1], dtype=h.dtype)
        return torch.gru_cell(
            x, h,
            torch.cat([g["ir,kernel"], g["iz,kernel"], g["in,kernel"]], 1).T,
            torch.cat([g["hr,kernel"], g["hz,kernel"], g["hn,kernel"]], 1).T,
            torch.cat([g["ir,bias"], g["iz,bias"], g["in,bias"]]), torch.cat([zero, zero, g["hn,bias"]]))

    def __call__(self, x, resets, state):
        """[step, row, feature] -> the outputs [step, row, dim]."""
        trunk = len(self.config["hidden_sizes"])
        for i in range(trunk):
            x = self.layer(i, x)
        if self.config["gru_size"]:
            states = []
            for t in range(x.shape[0]):
                state = self.cell(x[t], torch.where(resets[t, :, None] != 0, torch.zeros_like(state), state))
                states.append(state)
            x = torch.stack(states)
        heads, i = [], trunk
        for _ in range(self.outputs):
            y = x
            for _ in self.config["head_sizes"]:
                y, i = self.layer(i, y), i + 1
            heads.append(self.layer(i, y, activated=False))
            i += 1
        return heads


def forward(tensors, config, prefix):
    """Log-probabilities, entropies and values [step, row], the parameters by name, and what the rollout has of its rows."""
    r = {name[8:]: tensor for name, tensor in tensors.items() if name.startswith("rollout,")}
    steps, envs, agents = r["actions"].shape
    rows = (steps, envs * agents)
    resets = r["resets"].reshape(rows)
    of_actor = tensors.get("before,actor", torch.zeros(envs, agents, 0)).reshape(envs * agents, -1)
    of_critic = tensors.get("before,critic", torch.zeros(envs, agents, 0)).reshape(envs * agents, -1)
    obs = r["obs"].reshape(*rows, -1)
    if config["share_layers"]:
        network = Network(tensors, prefix, "params", config, 2)
        logits, values = network(obs, resets, of_actor)
        parameters = network.parameters
    else:
        actor, critic = (Network(tensors, prefix, name, config, 1) for name in ("actor", "critic"))
        (logits,) = actor(obs, resets, of_actor)
        if config["algo"] == "mappo":
            world = r["world_state"][:, :, None, :].expand(steps, envs, agents, -1)
            number = torch.eye(agents, dtype=torch.float64).expand(steps, envs, agents, agents)
            obs = torch.cat([world, number], -1).reshape(*rows, -1)
        (values,) = critic(obs, resets, of_critic)
        parameters = {**actor.parameters, **critic.parameters}
    of_all = logits.masked_fill(r["avail_actions"].reshape(*rows, -1) == 0, -1e30).log_softmax(-1)
    log_probs = of_all.gather(-1, r["actions"].reshape(*rows, 1).long())[..., 0]
    entropies = -(of_all.exp() * of_all).sum(-1)
    of_rows = {key: r[key].reshape(rows) for key in ("log_probs", "values", "advantages", "returns")}
    return log_probs, entropies, values[..., 0], parameters, of_rows


def losses_of(config, log_probs, entropies, values, r):
    """The loss, and [policy_loss, value_loss, entropy, approx_kl, clipfrac]."""
    clip = config["clip_coef"]
    advantages = (r["advantages"] - r["advantages"].mean()) / (r["advantages"].std(unbiased=False) + 1e-8)
    log_ratio = log_probs - r["log_probs"]
    ratio = log_ratio.exp()
    policy = -torch.min(ratio * advantages, ratio.clamp(1 - clip, 1 + clip) * advantages).mean()
    near = r["values"] + (values - r["values"]).clamp(-clip, clip)
    value = 0.5 * torch.max((values - r["returns"]) ** 2, (near - r["returns"]) ** 2).mean()
    entropy = entropies.mean()
    parts = [policy, value, entropy, (ratio - 1 - log_ratio).mean(), ((ratio - 1).abs() > clip).double().mean()]
    return policy + config["vf_coef"] * value - config["ent_coef"] * entropy, torch.stack(parts)


@pytest.mark.parametrize("kind", list(KINDS))
def test_forward_losses_and_gradients_agree_with_pytorch(kind, device, tmp_path):
    path = tmp_path / "update.safetensors"
    settings = json.dumps({"num_envs": 16, **KINDS[kind]})
    subprocess.run([DUMP, device, settings, path], check=True)
    tensors, config = read(path)

    log_probs, _, values, _, r = forward(tensors, config, "acting,")
    torch.testing.assert_close(log_probs, r["log_probs"], atol=WITHIN, rtol=0)
    if config["share_layers"]:  # another critic is only asked when it learns, by its parameters of then
        torch.testing.assert_close(values, r["values"], atol=WITHIN, rtol=0)

    log_probs, entropies, values, parameters, r = forward(tensors, config, "")
    if not config["share_layers"]:
        torch.testing.assert_close(values, r["values"], atol=WITHIN, rtol=0)
    loss, parts = losses_of(config, log_probs, entropies, values, r)
    torch.testing.assert_close(parts.detach(), tensors["losses"], atol=WITHIN, rtol=0)
    assert 0 < parts[4] < 1 and parts[3] > 1e-4  # some samples are clipped, so parameters have moved
    loss.backward()
    assert len(parameters) >= 8
    for name, parameter in parameters.items():
        ours = 10 * tensors["tenth_of_gradient," + name]
        assert parameter.grad.abs().max() > 10 * WITHIN, name
        torch.testing.assert_close(ours, parameter.grad, atol=WITHIN, rtol=0, msg=lambda text: f"{name}: {text}")
