// Plays all pairs of entrants in one batch.
#include "algos/tournament.hpp"

#include <algorithm>
#include <utility>

#include "algos/evaluate.hpp"
#include "algos/opponent_slots.hpp"
#include "algos/policy.hpp"
#include "core/error.hpp"

namespace throng {
namespace {

constexpr int kRoom = 16384;  // rows that an entrant's network takes at once
constexpr uint32_t kMemberDraw = 0x6d656d62, kActionDraw = 0x61637473;
constexpr int kStepsBetweenLooks = 16;

// The games of one batch: pair after pair, `games` of each ordered pair, the first team's player first.
struct Batch {
  int players, games;
  int pairs() const { return players * (players - 1); }
  int size() const { return pairs() * games; }
  int first(int game) const { return game / games / (players - 1); }
  int second(int game) const {
    const int other = game / games % (players - 1);
    return other + (other >= first(game));
  }
  int player(int game, int team) const { return team ? second(game) : first(game); }
};

// A network and the seats that it plays, one after the other among all.
struct Part {
  const Entrant* entrant;
  int member;  // of its pool, or -1
  std::vector<Side> sides;
};

// The member of a mixture that plays in a game: drawn, and the same whoever else takes part.
int draw_member(const Entrant& entrant, Key drawn, uint32_t index) {
  double at = uniform(drawn, index);
  for (size_t k = 0; k + 1 < entrant.weights.size(); ++k) {
    if (at < entrant.weights[k]) return static_cast<int>(k);
    at -= entrant.weights[k];
  }
  return static_cast<int>(entrant.weights.size()) - 1;
}

std::vector<Part> parts_of(const std::vector<Entrant>& entrants, const std::vector<int>& seated, const Batch& batch,
                           Key drawn) {
  std::vector<Part> parts;
  for (size_t p = 0; p < seated.size(); ++p) {
    const Entrant& entrant = entrants[seated[p]];
    const size_t begin = parts.size();
    if (entrant.pool) {
      for (const int member : entrant.members) parts.push_back({&entrant, member, {}});
    } else {
      parts.push_back({&entrant, -1, {}});
    }
    for (int game = 0; game < batch.size(); ++game) {
      for (int team = 0; team < 2; ++team) {
        if (batch.player(game, team) != static_cast<int>(p)) continue;
        const int member = entrant.pool ? draw_member(entrant, drawn, static_cast<uint32_t>(2 * game + team)) : 0;
        parts[begin + member].sides.push_back({game, team});
      }
    }
  }
  return parts;
}

// One episode in each game of the batch.
class Match {
 public:
  Match(std::unique_ptr<VecEnv> games, std::vector<Part> parts, const TournamentOptions& options, uint64_t seed)
      : parts_(std::move(parts)), options_(options), seed_(seed), arena_(games->shared_device()) {
    TeamOptions teams;
    std::vector<int32_t> bots(2 * size_t(games->num_envs()), -1);
    bool any_bot = false;
    for (const Part& part : parts_) {
      any_bot = any_bot || part.entrant->bot >= 0;
      for (const Side& side : part.sides) {
        teams.own.push_back(side);
        bots[2 * side.game + side.team] = part.entrant->bot;
      }
    }
    if (any_bot) teams.bots = bots;
    env_ = make_teams(std::move(games), teams, nullptr);
    states_.resize(parts_.size());
    for (size_t i = 0; i < parts_.size(); ++i) {
      const Learner* learner = parts_[i].entrant->learner.get();
      if (learner && learner->state_dim() > 0)
        arena_.want(states_[i], parts_[i].sides.size() * rows_per_side() * learner->state_dim());
    }
    arena_.commit();
  }

  // Results by game, and how many steps that took.
  std::pair<std::vector<Score>, int64_t> play() {
    env_->reset(seed_);
    const Key drawn = fold_in(key(seed_), kActionDraw);
    const int limit = env_->spec().time_limit;
    int t = 0;
    while (t < limit) {
      act(drawn, static_cast<uint32_t>(t));
      env_->step(env_->actions());
      if (++t % kStepsBetweenLooks == 0 && all_ended(*env_)) break;
    }
    if (!all_ended(*env_)) throw Error("tournament in " + env_->spec().id + ": not every game ended at the time limit");
    return {env_->take_scores(), int64_t(t) * env_->games().num_envs()};
  }

 private:
  size_t rows_per_side() const { return static_cast<size_t>(env_->spec().num_agents); }

  void act(Key drawn, uint32_t t) {
    const EnvSpec& spec = env_->spec();
    const Observations& all = env_->observations();
    auto* actions = static_cast<int32_t*>(env_->actions());
    int64_t row = 0;
    for (size_t i = 0; i < parts_.size(); ++i) {
      const Part& part = parts_[i];
      const auto rows = static_cast<int64_t>(part.sides.size() * rows_per_side());
      if (part.entrant->learner && rows > 0) {
        const Observations seen = {static_cast<uint8_t*>(all.obs) + row * spec.obs_dim * spec.obs_item_bytes(),
                                   all.avail_actions + row * spec.num_actions, all.active + row, nullptr};
        if (part.member >= 0) part.entrant->pool->copy(part.member, part.entrant->learner->weights());
        part.entrant->learner->act_on(seen, nullptr, states_[i], rows, options_.greedy,
                                      fold_in(drawn, static_cast<uint32_t>(i)), t, actions + row * spec.action_dim());
      }
      row += rows;
    }
  }

  std::vector<Part> parts_;
  TournamentOptions options_;
  uint64_t seed_;
  std::unique_ptr<Teams> env_;
  std::vector<float*> states_;  // of each part, [row, state_dim]
  Arena arena_;
};

// Who won the games of a batch with one team, as Teams::take_scores() says it.
Score score_of(VecEnv& env) {
  const EnvSpec& spec = env.spec();
  const size_t games = env.num_envs(), dim = spec.info.size();
  const auto number = [&](const char* name) {
    return std::find(spec.info.begin(), spec.info.end(), name) - spec.info.begin();
  };
  const size_t won = number("won"), drawn = number("drawn");
  if (won == dim) throw Error(spec.id + " does not say who won");
  const auto info = download(env.device(), env.finals().info, games * dim);
  const auto truncated = download(env.device(), env.outcomes().truncated, games * spec.num_agents);
  Score score;
  for (size_t g = 0; g < games; ++g) {
    const bool draw = drawn == dim ? truncated[g * spec.num_agents] != 0 : info[g * dim + drawn] > 0;
    if (info[g * dim + won] > 0) {
      ++score.wins[0];
    } else {
      ++(draw ? score.draws : score.wins[1]);
    }
  }
  return score;
}

// Games of one policy against an opponent that the game plays by itself.
Score play_opponent(const TournamentGame& game, const Entrant& entrant, int member, const std::string& opponent,
                    int games, const TournamentOptions& options, uint64_t seed, int64_t* steps) {
  const auto env = game.make(games, opponent);
  const EnvSpec& spec = env->spec();
  if (spec.num_agents != first_team(game.spec) || spec.obs_dim != game.spec.obs_dim ||
      spec.num_actions != game.spec.num_actions)
    throw Error(game.spec.id + ": with opponent=" + opponent + " agents see or choose other things");
  if (member >= 0) entrant.pool->copy(member, entrant.learner->weights());
  Arena arena(env->shared_device());
  float* state = nullptr;
  if (entrant.learner && entrant.learner->state_dim() > 0)
    arena.want(state, size_t(env->num_rows()) * entrant.learner->state_dim());
  arena.commit();
  const Key drawn = fold_in(key(seed), kActionDraw);
  env->reset(seed);
  for (int t = 0; t < spec.time_limit; ++t) {
    if (entrant.learner) {
      entrant.learner->act_on(env->observations(), nullptr, state, env->num_rows(), options.greedy, drawn,
                              static_cast<uint32_t>(t), static_cast<int32_t*>(env->actions()));
    } else {
      env->policy_actions(entrant.bot, env->actions(), drawn, static_cast<uint32_t>(t));
    }
    env->step(env->actions());
    *steps += games;
    if (t % kStepsBetweenLooks == kStepsBetweenLooks - 1 && all_ended(*env)) break;
  }
  if (!all_ended(*env)) throw Error("tournament in " + spec.id + ": not every game ended at the time limit");
  return score_of(*env);
}

// The same of a mixture: members play as many games as draws give them.
Score play_opponent(const TournamentGame& game, const Entrant& entrant, const std::string& opponent, int games,
                    const TournamentOptions& options, int64_t* steps) {
  if (!entrant.pool) return play_opponent(game, entrant, -1, opponent, games, options, options.seed, steps);
  std::vector<int> of_member(entrant.members.size(), 0);
  const Key drawn = fold_in(key(options.seed), kMemberDraw);
  for (int g = 0; g < games; ++g) ++of_member[draw_member(entrant, drawn, static_cast<uint32_t>(g))];
  Score score;
  for (size_t m = 0; m < of_member.size(); ++m) {
    if (of_member[m] == 0) continue;
    score += play_opponent(game, entrant, entrant.members[m], opponent, of_member[m], options, options.seed + m, steps);
  }
  return score;
}

}  // namespace

Entrant load_entrant(const std::string& text, const TournamentGame& game, const SpecOf& spec_of,
                     const std::shared_ptr<Device>& device) {
  constexpr std::string_view kBot = "bot:";
  const EnvSpec& spec = game.spec;
  Entrant entrant;
  entrant.name = text;
  if (text.starts_with(kBot)) {
    const std::string name = text.substr(kBot.size());
    const auto found = std::find(spec.policies.begin(), spec.policies.end(), name);
    if (found != spec.policies.end()) {
      entrant.bot = static_cast<int>(found - spec.policies.begin());
    } else if (std::find(game.opponents.begin(), game.opponents.end(), name) != game.opponents.end()) {
      entrant.opponent = name;
    } else {
      std::vector<std::string> valid = spec.policies;
      valid.insert(valid.end(), game.opponents.begin(), game.opponents.end());
      throw_unknown("policy", name, valid, spec.id);
    }
    return entrant;
  }
  const auto [folder, checkpoint] = PolicyName(text);
  Run run = Run::load(folder);
  const EnvSpec learned = learner_spec(spec_of(run.env, run.env_config), run.train);
  if (learned.obs_dim != spec.obs_dim || learned.obs_dtype != spec.obs_dtype ||
      learned.num_actions != spec.num_actions || learned.action_dim() != spec.action_dim()) {
    throw Error(text + " was trained in " + run.env + ", where an agent sees or chooses other things than in " +
                spec.id);
  }
  auto policy = std::make_shared<Policy>(std::move(run), checkpoint, learned, device, kRoom / learned.num_agents + 1);
  entrant.timesteps = policy->timesteps();
  entrant.learner = std::shared_ptr<Learner>(policy, &policy->learner());
  if (folder != text) return entrant;
  for (const PoolEntry& member : load_pool(folder)) {
    if (member.weight <= 0) continue;
    if (!entrant.pool) entrant.pool = std::make_shared<Pool>(device);
    entrant.learner->load(read_safetensors(pool_path(folder, member.file)).tensors, {});
    entrant.members.push_back(entrant.pool->add(*entrant.learner));
    entrant.weights.push_back(member.weight);
  }
  return entrant;
}

Tournament play_tournament(const TournamentGame& game, const std::vector<Entrant>& entrants,
                           const TournamentOptions& options) {
  const int players = static_cast<int>(entrants.size()), per_side = (options.rounds + 1) / 2;
  if (players < 2) throw Error("a tournament needs two players at least");
  if (options.rounds < 1) throw Error("rounds must be at least 1, not " + std::to_string(options.rounds));
  Tournament tournament{players, 2 * per_side, std::vector<Score>(size_t(players) * players), 0};
  std::vector<int> seated;  // those that can play either side
  for (int p = 0; p < players; ++p) {
    if (entrants[p].opponent.empty()) seated.push_back(p);
  }
  const int n = static_cast<int>(seated.size());
  const int at_once = std::max(1, options.num_envs / std::max(1, n * (n - 1)));
  for (int played = 0, round = 0; n > 1 && played < per_side; ++round) {
    const Batch batch{n, std::min(at_once, per_side - played)};
    const uint64_t seed = options.seed + static_cast<uint64_t>(round);
    std::vector<Part> parts = parts_of(entrants, seated, batch, fold_in(key(seed), kMemberDraw));
    const auto [scores, steps] = Match(game.make(batch.size(), ""), std::move(parts), options, seed).play();
    for (int k = 0; k < batch.size(); ++k)
      tournament.scores[size_t(seated[batch.first(k)]) * players + seated[batch.second(k)]] += scores[k];
    tournament.steps += steps;
    played += batch.games;
  }
  for (int p : seated) {
    for (int other = 0; other < players; ++other) {
      if (entrants[other].opponent.empty()) continue;
      tournament.scores[size_t(p) * players + other] =
          play_opponent(game, entrants[p], entrants[other].opponent, 2 * per_side, options, &tournament.steps);
    }
  }
  return tournament;
}

}  // namespace throng
