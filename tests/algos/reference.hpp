// The networks and the loss once more, in double precision and with plain loops: what the learner is compared to.
#pragma once

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "algos/parameters.hpp"
#include "algos/rollout.hpp"
#include "algos/train_config.hpp"

namespace reference {

using namespace throng;
using Vector = std::vector<double>;

// Parameters by name out of a flat block.
class Weights {
 public:
  Weights(const Parameters& layout, const Vector& block) : layout_(layout), block_(block) {}

  // y = x W + b; without a bias of that name b is 0.
  Vector dense(const std::string& kernel, const std::string& bias, const Vector& x) const {
    const Parameter& w = piece(kernel);
    Vector y(w.columns(), 0.0);
    for (int64_t j = 0; j < w.columns(); ++j) {
      if (!bias.empty()) y[j] = block_[piece(bias).at(j)];
      for (int64_t i = 0; i < w.rows(); ++i) y[j] += x.at(i) * block_[w.at(i * w.columns() + j)];
    }
    return y;
  }
  Vector dense(const std::string& path, const Vector& x) const { return dense(path + ",kernel", path + ",bias", x); }
  Vector vector(const std::string& name) const {
    const Parameter& p = piece(name);
    Vector v;
    for (int64_t k = 0; k < p.size(); ++k) v.push_back(block_[p.at(k)]);
    return v;
  }

  // The first layer: beside `x` there is what the agent is told, with a kernel of its own.
  Vector first(const std::string& path, const Vector& x, const Vector& goal) const {
    Vector y = dense(path, x);
    if (goal.empty()) return y;
    const Vector of_goal = dense(path + "_goal,kernel", "", goal);
    for (size_t k = 0; k < y.size(); ++k) y[k] += of_goal[k];
    return y;
  }
  double number(const std::string& name, int64_t i) const { return block_[piece(name).at(i)]; }
  int64_t filters(const std::string& path) const { return piece(path + ",bias").columns(); }

 private:
  const Parameter& piece(const std::string& name) const {
    for (const Parameter& piece : layout_.pieces()) {
      if (piece.name == name) return piece;
    }
    throw std::out_of_range("no parameter " + name);
  }

  const Parameters& layout_;
  const Vector& block_;
};

inline double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

inline Vector activated(Vector x, int activation) {
  for (double& v : x) v = activation == kTanh ? std::tanh(v) : std::max(v, 0.0);
  return x;
}

// One step of Flax's GRUCell.
inline Vector gru(const Weights& w, const std::string& path, const Vector& x, const Vector& h) {
  const Vector ir = w.dense(path + ",ir", x), iz = w.dense(path + ",iz", x), in = w.dense(path + ",in", x);
  const Vector hr = w.dense(path + ",hr,kernel", "", h), hz = w.dense(path + ",hz,kernel", "", h);
  const Vector hn = w.dense(path + ",hn", h);
  Vector next(h.size());
  for (size_t k = 0; k < h.size(); ++k) {
    const double r = sigmoid(ir[k] + hr[k]), z = sigmoid(iz[k] + hz[k]), n = std::tanh(in[k] + r * hn[k]);
    next[k] = (1 - z) * n + z * h[k];
  }
  return next;
}

// What convolutions see of a row: for each plane and cell `codes` numbers, one-hot, or just one.
struct Image {
  ObsGrid grid;
  int codes = 1;
  size_t size() const { return size_t(grid.planes) * grid.cells() * codes; }
};

// Numbers x[row][column][channel] through a convolution; the border is added first, as the definition has it.
struct Pixels {
  int height, width, channels;
  Vector x;
  double at(int row, int column, int channel) const {
    return x.at((size_t(row) * width + column) * channels + channel);
  }
};

inline Pixels convolution(const Weights& w, const std::string& path, const Pixels& in, int kernel, int stride,
                          bool same, int activation) {
  const auto padding = [&](int length) {
    return same ? std::max(0, ((length + stride - 1) / stride - 1) * stride + kernel - length) : 0;
  };
  const int down = padding(in.height), right = padding(in.width), filters = static_cast<int>(w.filters(path));
  Pixels padded{in.height + down, in.width + right, in.channels, {}};
  padded.x.assign(size_t(padded.height) * padded.width * in.channels, 0.0);
  for (int row = 0; row < in.height; ++row) {
    for (int column = 0; column < in.width; ++column) {
      for (int c = 0; c < in.channels; ++c) {
        const size_t cell = size_t(row + down / 2) * padded.width + column + right / 2;
        padded.x[cell * in.channels + c] = in.at(row, column, c);
      }
    }
  }
  Pixels out{(padded.height - kernel) / stride + 1, (padded.width - kernel) / stride + 1, filters, {}};
  for (int place = 0; place < out.height * out.width; ++place) {
    const int row = place / out.width * stride, column = place % out.width * stride;
    for (int f = 0; f < filters; ++f) {
      double sum = w.number(path + ",bias", f);
      for (int i = 0; i < kernel * kernel * in.channels; ++i) {
        const int tap = i / in.channels;
        sum += padded.at(row + tap / kernel, column + tap % kernel, i % in.channels) *
               w.number(path + ",kernel", int64_t(i) * filters + f);
      }
      out.x.push_back(sum);
    }
  }
  out.x = activated(out.x, activation);
  return out;
}

// The row with its image replaced by what the convolutions make of it.
inline Vector cnn(const Weights& w, const std::string& name, const TrainConfig& config, const Image& image,
                  const Vector& row) {
  const int cells = image.grid.cells(), channels = image.grid.planes * image.codes;
  Pixels seen{image.grid.height, image.grid.width, channels, Vector(image.size())};
  for (size_t i = 0; i < image.size(); ++i) {
    const size_t code = i % image.codes, cell = i / image.codes % cells, plane = i / image.codes / cells;
    seen.x[cell * channels + plane * image.codes + code] = row.at(i);
  }
  for (size_t i = 0; i < config.cnn.size(); ++i) {
    const auto of_layer = [&](const std::vector<int>& numbers) {
      return numbers.size() == 1 ? numbers[0] : numbers[i];
    };
    seen = convolution(w, name + ",Conv_" + std::to_string(i), seen, of_layer(config.cnn_kernels),
                       of_layer(config.cnn_strides), config.cnn_padding == kSame, config.activation);
  }
  seen.x.insert(seen.x.end(), row.begin() + image.size(), row.end());
  return seen.x;
}

// One step of a network: `state` is replaced by that after the step. The outputs, one after the other.
inline std::vector<Vector> network(const Weights& w, const std::string& name, const TrainConfig& config, int outputs,
                                   const Image& image, Vector x, const Vector& goal, Vector& state) {
  int dense = 0;
  if (!config.cnn.empty() && image.grid.planes > 0) x = cnn(w, name, config, image, x);
  auto next = [&] { return name + ",Dense_" + std::to_string(dense++); };
  x = activated(w.first(next(), x, goal), config.activation);
  for (size_t i = 1; i < config.hidden_sizes.size(); ++i) x = activated(w.dense(next(), x), config.activation);
  if (config.gru_size > 0) x = state = gru(w, name + ",ScannedRNN_0,GRUCell_0", x, state);
  std::vector<Vector> all;
  for (int k = 0; k < outputs; ++k) {
    Vector y = x;
    for (size_t i = 0; i < config.head_sizes.size(); ++i) y = activated(w.dense(next(), y), config.activation);
    all.push_back(w.dense(next(), y));
  }
  return all;
}

// A whole rollout as plain numbers: what a minibatch of everything holds.
struct Batch {
  int steps, envs, agents, num_actions;
  std::vector<int> heads;  // choices
  Image policy_image, critic_image;
  std::vector<Vector> policy_sees;           // [step, env, agent]
  std::vector<Vector> critic_sees;           // [step, env, agent]
  std::vector<Vector> goals;                 // [step, env, agent], what both are told besides
  std::vector<Vector> states[2];             // [env, agent], of policy and critic before the first step
  std::vector<uint8_t> resets, avail;        // [step, env, agent(, action)]
  std::vector<int32_t> actions;              // [step, env, agent, head]
  std::vector<Vector> numbers;               // [step, env, agent][dim], in place of choices
  std::vector<float> log_probs, advantages;  // [step, env, agent], advantages normalised
  std::vector<Vector> values, returns;       // [step, env, agent][value]
};

struct Drawn {
  double log_prob = 0, entropy = 0;
};

inline Drawn numbers_drawn(const Batch& b, size_t i, const Vector& means, const Vector& log_std) {
  constexpr double kTwoPi = 6.283185307179586;
  Drawn drawn;
  for (size_t k = 0; k < means.size(); ++k) {
    const double std = std::exp(log_std[k]), z = (b.numbers[i][k] - means[k]) / std;
    drawn.log_prob += std::log(std::exp(-0.5 * z * z) / (std * std::sqrt(kTwoPi)));
    drawn.entropy += 0.5 * std::log(kTwoPi * std::exp(1.0) * std * std);
  }
  return drawn;
}

inline Drawn choices_drawn(const Batch& b, size_t i, const Vector& logits) {
  Drawn drawn;
  size_t at = 0;
  for (size_t h = 0; h < b.heads.size(); ++h) {
    double sum = 0;
    for (int a = 0; a < b.heads[h]; ++a) sum += b.avail[i * b.num_actions + at + a] ? std::exp(logits[at + a]) : 0.0;
    for (int a = 0; a < b.heads[h]; ++a) {
      const double of_action = logits[at + a] - std::log(sum);
      if (b.avail[i * b.num_actions + at + a]) drawn.entropy -= std::exp(of_action) * of_action;
    }
    drawn.log_prob += logits[at + b.actions[i * b.heads.size() + h]] - std::log(sum);
    at += b.heads[h];
  }
  return drawn;
}

inline double sample_loss(const Batch& b, size_t i, const Drawn& drawn, const Vector& values, const TrainConfig& c) {
  const double clip = c.clip_coef, ratio = std::exp(drawn.log_prob - b.log_probs[i]), advantage = b.advantages[i];
  double value_loss = 0;
  for (size_t v = 0; v < values.size(); ++v) {
    const double old = b.values[i][v], goal = b.returns[i][v], far = values[v] - goal;
    const double near = old + std::clamp(values[v] - old, -clip, clip) - goal;
    value_loss += 0.5 * (c.clip_vloss ? std::max(far * far, near * near) : far * far) / double(values.size());
  }
  return -std::min(ratio * advantage, std::clamp(ratio, 1 - clip, 1 + clip) * advantage) - c.ent_coef * drawn.entropy +
         c.vf_coef * value_loss;
}

inline double loss(const Parameters& layout, const Vector& block, const Batch& b, const TrainConfig& c) {
  const Weights w(layout, block);
  double total = 0;
  auto policy_states = b.states[0], critic_states = b.states[1];
  const size_t rows = size_t(b.envs) * b.agents;
  for (int t = 0; t < b.steps; ++t) {
    for (size_t row = 0; row < rows; ++row) {
      const size_t i = t * rows + row;
      Vector &of_policy = policy_states[row], &of_critic = critic_states[row];
      if (b.resets[i]) of_policy.assign(of_policy.size(), 0.0);
      if (b.resets[i]) of_critic.assign(of_critic.size(), 0.0);
      const auto outputs = network(w, c.share_layers ? "params" : "actor", c, c.share_layers ? 2 : 1, b.policy_image,
                                   b.policy_sees[i], b.goals[i], of_policy);
      const Vector values =
          c.share_layers ? outputs[1]
                         : network(w, "critic", c, 1, b.critic_image, b.critic_sees[i], b.goals[i], of_critic)[0];
      const Drawn drawn = b.numbers.empty() ? choices_drawn(b, i, outputs[0])
                                            : numbers_drawn(b, i, outputs[0], w.vector("actor,log_std"));
      total += sample_loss(b, i, drawn, values, c);
    }
  }
  return total / double(b.steps * rows);
}

}  // namespace reference
