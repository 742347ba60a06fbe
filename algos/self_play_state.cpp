// What a checkpoint keeps of self-play beside the first learner: the other learners, the table, and who sits where.
#include <utility>

#include "algos/self_play.hpp"
#include "core/error.hpp"

namespace throng {
namespace {

constexpr const char* kState = "self_play,";

template <class T>
std::vector<T> state(const std::map<std::string, Tensor>& from, const std::string& name) {
  const auto found = from.find(kState + name);
  if (found == from.end()) throw Error("the checkpoint lacks '" + (kState + name) + "': it is not of self-play");
  const auto values = found->second.as<T>();
  return {values.begin(), values.end()};
}

std::map<std::string, Tensor> with_prefix(const std::map<std::string, Tensor>& from, const std::string& prefix) {
  std::map<std::string, Tensor> found;
  for (const auto& [name, tensor] : from) {
    if (name.starts_with(prefix)) found[name.substr(prefix.size())] = tensor;
  }
  return found;
}

template <class T>
Tensor list(const std::vector<T>& values) {
  return Tensor::of<T>({static_cast<int64_t>(values.size())}, values);
}

}  // namespace

std::map<std::string, Tensor> SelfPlay::optimizer_state(int) {
  std::map<std::string, Tensor> all = first().optimizer_state();
  const auto put = [&](const std::string& name, Tensor tensor) { all[kState + name] = std::move(tensor); };
  std::vector<int64_t> members, opponents;
  std::vector<double> steps;
  for (const PoolEntry& entry : entries_) members.insert(members.end(), {entry.learner, entry.timesteps});
  for (const Player& player : players_) {
    steps.push_back(player.steps);
    opponents.insert(opponents.end(), player.opponent.begin(), player.opponent.end());
  }
  put("updates", list<int64_t>({updates_}));
  put("members", list(members));
  put("opponents", list(opponents));
  put("steps", list(steps));
  put("wins", list(payoffs_.all_wins()));
  put("games", list(payoffs_.all_games()));
  put("mixture", list(mixture_));
  for (int i = 1; i < num_learners(); ++i) {
    const std::string player = std::to_string(i) + ",";
    for (auto& [name, tensor] : players_[i].learner->parameters())
      put(player + "parameters," + name, std::move(tensor));
    for (auto& [name, tensor] : players_[i].learner->optimizer_state())
      put(player + "optimizer," + name, std::move(tensor));
    for (auto& [name, tensor] : players_[i].own_env->snapshot()) put(player + "env," + name, std::move(tensor));
  }
  return all;
}

void SelfPlay::load(const std::map<std::string, Tensor>& parameters,
                    const std::map<std::string, Tensor>& optimizer_state, int) {
  first().load(parameters, optimizer_state);
  if (optimizer_state.empty()) return;
  updates_ = state<int64_t>(optimizer_state, "updates").at(0);
  const auto members = state<int64_t>(optimizer_state, "members");
  const auto opponents = state<int64_t>(optimizer_state, "opponents");
  const auto steps = state<double>(optimizer_state, "steps");
  for (int i = 1; i < num_learners(); ++i) {
    const std::string player = kState + std::to_string(i) + ",";
    players_[i].learner->load(with_prefix(optimizer_state, player + "parameters,"),
                              with_prefix(optimizer_state, player + "optimizer,"));
    players_[i].own_env->restore(with_prefix(optimizer_state, player + "env,"));
  }
  if (opponents.size() != players_.size() * layout_.slots || steps.size() != players_.size())
    throw Error("the checkpoint is of another number of opponents");
  for (size_t i = 0; i < players_.size(); ++i) {
    for (int slot = 0; slot < layout_.slots; ++slot)
      players_[i].opponent[slot] = static_cast<int>(opponents[i * layout_.slots + slot]);
    players_[i].steps = steps[i];
  }
  // Snapshots are read through a learner whose own weights come back afterwards.
  Pool own(device_);
  own.add(first());
  for (size_t i = 0; i + 1 < members.size(); i += 2) {
    const Role role = league_.members[members[i]].role;
    const PoolEntry entry = pool_entry(entries_.size(), role, static_cast<int>(members[i]), members[i + 1]);
    first().load(read_safetensors(pool_path(folder_, entry.file)).tensors, {});
    pool_.add(first());
    enter(entry, role, entry.learner);
  }
  own.copy(0, first().weights());
  payoffs_ = Payoffs(state<double>(optimizer_state, "wins"), state<double>(optimizer_state, "games"));
  mixture_ = state<double>(optimizer_state, "mixture");
  if (!entries_.empty()) write_pool();
  cut_metrics(folder_ + "/self_play.jsonl", updates_);
}

std::string SelfPlay::not_finite(int) {
  for (const Player& player : players_) {
    const std::string tensor = player.learner->not_finite();
    if (!tensor.empty()) return tensor;
  }
  return "";
}

size_t SelfPlay::bytes() const {
  size_t all = 0;
  for (const Player& player : players_) {
    all += player.learner->bytes();
    if (player.own_env) all += player.own_env->bytes() + player.env->games().bytes();
  }
  return all;
}

std::vector<std::pair<std::string, size_t>> SelfPlay::memory_plan() const {
  auto plan = first().memory_plan();
  if (num_learners() > 1) plan.emplace_back("other learners, and their games", bytes() - first().bytes());
  return plan;
}

}  // namespace throng
