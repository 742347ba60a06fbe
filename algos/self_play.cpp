// Draws opponents, lets the learners play and learn, counts, and takes snapshots.
#include "algos/self_play.hpp"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "algos/checkpoint.hpp"
#include "algos/nash.hpp"
#include "algos/tournament.hpp"
#include "core/error.hpp"

namespace throng {
namespace {

constexpr double kDecay = 0.99;       // of payoffs, for a hundred games
constexpr int kRecentSnapshots = 50;  // that naive self-play remembers
enum Draw : uint32_t { kOpponentDraw = 0x6f70706f, kResetDraw = 0x72657365 };

// The settings of learner i: the same, with draws of its own.
TrainConfig config_of(TrainConfig config, int learner) {
  constexpr uint64_t kApart = 0x9e3779b97f4a7c15u;
  config.seed += kApart * static_cast<uint64_t>(learner);
  return config;
}

int drawn(const std::vector<double>& chances, double at) {
  int last = 0;
  for (size_t i = 0; i < chances.size(); ++i) {
    if (chances[i] <= 0) continue;
    last = static_cast<int>(i);
    if (at < chances[i]) break;
    at -= chances[i];
  }
  return last;
}

}  // namespace

// ---- who takes part ----

SelfPlay::SelfPlay(std::shared_ptr<Device> device, const EnvSpec& spec, const Run& run, MakeEnv make_games,
                   const MakeLearner& make_learner)
    : device_(std::move(device)),
      run_(run),
      config_(run.train),
      layout_(config_),
      make_games_(std::move(make_games)),
      folder_(run.folder),
      spec_(spec),
      key_(fold_in(key(config_.seed), 0x73656c66)),
      initial_(device_),
      pool_(device_) {
  const bool league = config_.selfplay == kLeague;
  const int mains = league ? config_.main_agents : config_.selfplay == kTwoTimescale ? 2 : 1;
  for (int i = 0; i < mains; ++i) add_learner(Role::main, make_learner, spec);
  for (int i = 0; league && i < config_.main_exploiters; ++i) add_learner(Role::main_exploiter, make_learner, spec);
  for (int i = 0; league && i < config_.league_exploiters; ++i) add_learner(Role::league_exploiter, make_learner, spec);
  if (config_.selfplay == kTwoTimescale) players_[1].rate = config_.rate_ratio;
  if (config_.selfplay == kBestResponse) read_victim();
  if (config_.selfplay == kPsro) {
    TrainConfig acting = config_;
    acting.num_steps = 0;
    actor_ = make_learner(device_, spec, std::max(1, config_.psro_games / 2), {acting});
  }
}

void SelfPlay::add_learner(Role role, const MakeLearner& make_learner, const EnvSpec& spec) {
  const int number = num_learners();
  const TrainConfig config = config_of(config_, number);
  Player player;
  player.learner = make_learner(device_, spec, config_.num_envs, {config});
  player.opponent.assign(layout_.slots, -1);
  if (number > 0) {
    BatchOptions options;
    options.num_envs = config_.num_envs;
    player.own_env = self_play_env(make_games_, config_)(run_.env, device_, options, run_.env_config);
    player.env = dynamic_cast<Teams*>(player.own_env.get());
    player.env->reset(config.seed);
  }
  initial_.add(*player.learner);
  players_.push_back(std::move(player));
  league_.members.push_back({role, false, -1});
  payoffs_.add_player();
}

// The pool of who wants a best response is the other run's result.
void SelfPlay::read_victim() {
  const std::string& folder = config_.opponent_run;
  if (folder.empty()) throw Error("selfplay=best_response needs opponent_run=DIR");
  const auto read = [&](const std::map<std::string, Tensor>& parameters, double weight) {
    try {
      first().load(parameters, {});
    } catch (const Error& problem) {
      throw Error("opponent_run " + folder + ": " + problem.what());
    }
    pool_.add(first());
    mixture_.push_back(weight);
    league_.members.push_back({Role::main, true, -1});
    payoffs_.add_player();
  };
  for (const PoolEntry& member : load_pool(folder)) {
    if (member.weight > 0) read(read_safetensors(pool_path(folder, member.file)).tensors, member.weight);
  }
  if (mixture_.empty()) read(read_checkpoint(latest_checkpoint(folder)).parameters, 1);
  initial_.copy(0, first().weights());
}

void SelfPlay::keep_in(const std::string& run_folder) { folder_ = run_folder; }

// ---- who meets whom ----

std::vector<double> SelfPlay::chances(int learner) const {
  if (config_.selfplay == kLeague) return opponents(league_, payoffs_, learner);
  std::vector<double> chance(league_.members.size(), 0.0);
  std::vector<int> snapshots = league_.snapshots();
  if (config_.selfplay == kTwoTimescale) {
    chance[1 - learner] = 1;
  } else if (snapshots.empty()) {
    chance[learner] = 1;
  } else if (config_.selfplay == kPsro || config_.selfplay == kBestResponse) {
    for (size_t i = 0; i < snapshots.size(); ++i) chance[snapshots[i]] = mixture_[i];
  } else {
    const bool naive = config_.selfplay == kNaive;
    if (naive && snapshots.size() > kRecentSnapshots)
      snapshots.erase(snapshots.begin(), snapshots.end() - kRecentSnapshots);
    std::vector<double> rates;
    for (const int snapshot : snapshots) rates.push_back(payoffs_.win_rate(learner, snapshot));
    const std::vector<double> p = pfsp(rates, naive ? Pfsp::uniform : Pfsp(config_.pfsp));
    for (size_t i = 0; i < snapshots.size(); ++i) chance[snapshots[i]] = p[i];
  }
  return chance;
}

std::vector<double> SelfPlay::result() const {
  std::vector<double> weights(league_.members.size(), 0.0);
  const std::vector<int> snapshots = league_.snapshots();
  for (size_t i = 0; i < snapshots.size(); ++i) {
    if (config_.selfplay == kFictitious) weights[snapshots[i]] = 1 / double(snapshots.size());
    if (config_.selfplay == kPsro) weights[snapshots[i]] = mixture_[i];
  }
  return weights;
}

// Slots draw in turn, so that not all games begin anew at once.
void SelfPlay::draw_opponents(int learner) {
  Player& player = players_[learner];
  const int64_t interval = std::max(1, config_.opponent_steps / config_.num_steps);
  const Key draws =
      fold_in(fold_in(fold_in(key_, kOpponentDraw), static_cast<uint32_t>(updates_)), static_cast<uint32_t>(learner));
  const std::vector<double> chance = chances(learner);
  std::vector<uint8_t> anew(layout_.games(), 0);
  bool any = false;
  for (int slot = 0; slot < layout_.slots; ++slot) {
    int& opponent = player.opponent[slot];
    if (opponent >= 0 && (updates_ + slot) % interval != 0) continue;
    const int next = drawn(chance, uniform(draws, static_cast<uint32_t>(slot)));
    if (next == opponent) continue;
    if (opponent >= 0) {
      any = true;
      const auto begin = anew.begin() + layout_.self_games + slot * layout_.games_per_slot;
      std::fill(begin, begin + layout_.games_per_slot, 1);
    }
    opponent = next;
  }
  if (!any) return;
  player.env->restart(anew);
  std::vector<uint8_t> own;
  for (const Side& side : layout_.own()) own.push_back(anew[side.game]);
  player.learner->begin_anew(own);
  player.slab_is_current = false;
}

// Copies of all learners are as they were before any of them learns.
void SelfPlay::seat_opponents(int learner) {
  Player& player = players_[learner];
  for (int slot = 0; slot < layout_.slots; ++slot) {
    const int opponent = player.opponent[slot];
    const std::span<float> seat = slots(player).weights(slot);
    if (opponent >= num_learners()) {
      pool_.copy(opponent - num_learners(), seat);
    } else {
      device_->copy(seat.data(), players_[opponent].learner->weights().data(), seat.size_bytes());
    }
  }
}

// ---- an iteration ----

void SelfPlay::iterate(VecEnv& env, float learning_rate) {
  Player& result = players_[0];
  if (result.env != &env) {
    result.env = dynamic_cast<Teams*>(&env);
    result.slab_is_current = true;  // the trainer has just seen to it
    if (!result.env) throw Error("self-play needs sides of games (self_play_env)");
  }
  if (updates_ == 0) fill_pool();
  for (int i = 0; i < num_learners(); ++i) draw_opponents(i);
  for (int i = 0; i < num_learners(); ++i) seat_opponents(i);
  for (Player& player : players_) {
    if (!player.slab_is_current) player.env->observe(player.learner->rollout().observations(config_.num_steps));
    player.slab_is_current = true;
    player.learner->iterate(*player.env, player.rate * learning_rate);
    player.steps += static_cast<double>(config_.steps_per_update());
  }
  ++updates_;
  for (int i = 0; i < num_learners(); ++i) record(i);
  for (int i = 0; i < num_learners(); ++i) {
    if (due(i)) take_snapshot(i);
  }
}

// What a pool begins with: the policies at the beginning.
void SelfPlay::fill_pool() {
  if (!league_.snapshots().empty()) return;
  for (int i = 0; i < num_learners(); ++i) {
    const bool of_league = config_.selfplay == kLeague && league_.members[i].role == Role::main;
    if (pooled() || of_league) take_snapshot(i);
  }
}

void SelfPlay::record(int learner) {
  const Player& player = players_[learner];
  const std::vector<Score> scores = player.env->take_scores();
  std::vector<Score> of_slot(layout_.slots);  // the learner's wins first
  for (int game = layout_.self_games; game < layout_.games(); ++game) {
    const int side = layout_.learner_side(game);
    of_slot[layout_.slot_of(game)] += Score{{scores[game].wins[side], scores[game].wins[1 - side]}, scores[game].draws};
  }
  for (int slot = 0; slot < layout_.slots; ++slot) {
    const Score& score = of_slot[slot];
    payoffs_.record(learner, player.opponent[slot], double(score.wins[0]), double(score.draws), double(score.wins[1]),
                    kDecay);
  }
}

// ---- snapshots ----

bool SelfPlay::due(int learner) const {
  const auto after = static_cast<double>(config_.snapshot_steps);
  const double steps = players_[learner].steps;
  switch (config_.selfplay) {
    case kNaive:
    case kPsro: return steps >= after;
    case kFictitious:
    case kLeague: return snapshot_due(league_, payoffs_, learner, steps, {after, 2 * after, config_.snapshot_win_rate});
    default: return false;
  }
}

// Copy first, reset second.
void SelfPlay::take_snapshot(int learner) {
  const Role role = league_.members[learner].role;
  const PoolEntry entry = pool_entry(entries_.size(), role, learner, updates_ * config_.steps_per_update());
  std::filesystem::create_directories(folder_ + "/pool");
  SafeTensors file;
  file.tensors = players_[learner].learner->parameters();
  file.metadata = {
      {"role", entry.role}, {"learner", std::to_string(learner)}, {"timesteps", std::to_string(entry.timesteps)}};
  write_safetensors(pool_path(folder_, entry.file), file);
  pool_.add(*players_[learner].learner);
  enter(entry, role, learner);
  players_[learner].steps = 0;
  if (config_.selfplay == kPsro) measure_newest();
  begin_again(learner);
  write_pool();
  tell(learner);
}

void SelfPlay::enter(const PoolEntry& entry, Role role, int parent) {
  entries_.push_back(entry);
  league_.members.push_back({role, true, parent});
  payoffs_.add_player();
}

void SelfPlay::begin_again(int learner) {
  const Key draws = fold_in(fold_in(key_, kResetDraw), static_cast<uint32_t>(entries_.size()));
  const double probability = config_.selfplay == kLeague ? reset_probability(league_.members[learner].role) : 0;
  if (uniform(draws, 0) < probability) initial_.copy(learner, players_[learner].learner->weights());
}

// Games of the newest snapshot against all others, and the equilibrium of all.
void SelfPlay::measure_newest() {
  const std::vector<int> members = league_.snapshots();
  const int newest = static_cast<int>(members.size()) - 1;
  const std::shared_ptr<Learner> actor(actor_.get(), [](Learner*) {});
  const std::shared_ptr<Pool> pool(&pool_, [](Pool*) {});
  const auto entrant = [&](int member) { return Entrant{"", 0, actor, -1, pool, {member}, {1.0}}; };
  TournamentGame game;
  game.make = [&](int games, const std::string&) {
    return make_games_(run_.env, device_, evaluation_options(spec_, games), run_.env_config);
  };
  gain_ = 0;
  for (int other = 0; other < newest; ++other) {
    TournamentOptions options;
    options.rounds = config_.psro_games;
    options.seed = config_.seed + static_cast<uint64_t>(newest) * 1000003 + static_cast<uint64_t>(other);
    const Payoffs played = play_tournament(game, {entrant(newest), entrant(other)}, options).payoffs();
    payoffs_.record(members[newest], members[other], played.wins(0, 1), 0, played.games(0, 1) - played.wins(0, 1));
    gain_ += mixture_[other] * (2 * played.win_rate(0, 1) - 1);
  }
  std::vector<double> matrix;
  for (const int a : members) {
    for (const int b : members) matrix.push_back(a == b ? 0 : 2 * payoffs_.win_rate(a, b) - 1);
  }
  mixture_ = regret_matching(matrix, newest + 1, 1e-4, 20000).row;
}

void SelfPlay::write_pool() {
  const std::vector<double> weights = result();
  for (size_t i = 0; i < entries_.size(); ++i) entries_[i].weight = weights[num_learners() + i];
  save_pool(folder_, entries_);
}

// A line of self_play.jsonl for each snapshot.
void SelfPlay::tell(int learner) {
  if (!log_) log_ = std::make_unique<MetricsFile>(folder_ + "/self_play.jsonl");
  std::vector<double> won;
  for (const int snapshot : league_.snapshots()) won.push_back(payoffs_.win_rate(learner, snapshot));
  nlohmann::ordered_json line = {{"update", updates_},           {"timesteps", updates_ * config_.steps_per_update()},
                                 {"learner", learner},           {"role", name_of(league_.members[learner].role)},
                                 {"snapshots", entries_.size()}, {"win_rate", won}};
  if (config_.selfplay == kPsro) line.update({{"gain", gain_}, {"mixture", mixture_}});
  log_->append(line);
}

MakeLearner self_play_learner(const Run& run, const MakeEnv& make_games, const MakeLearner& make_learner) {
  return [=](std::shared_ptr<Device> device, const EnvSpec& spec, int,
             const std::vector<TrainConfig>&) -> std::unique_ptr<Learner> {
    return std::make_unique<SelfPlay>(std::move(device), spec, run, make_games, make_learner);
  };
}

}  // namespace throng
