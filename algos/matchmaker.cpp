// Who plays whom in self-play.
#include "algos/matchmaker.hpp"

#include <algorithm>
#include <string>

#include "core/error.hpp"

namespace throng {
namespace {

double weight(double w, Pfsp kind) {
  switch (kind) {
    case Pfsp::hard: return (1 - w) * (1 - w);
    case Pfsp::linear: return 1 - w;
    case Pfsp::capped: return std::min(0.5, 1 - w);
    case Pfsp::even: return w * (1 - w);
    default: return 1;
  }
}

std::vector<double> rates(const Payoffs& payoffs, int learner, const std::vector<int>& against) {
  std::vector<double> w;
  for (int other : against) w.push_back(payoffs.win_rate(learner, other));
  return w;
}

// A distribution over all players that grows by shares.
struct Mixture {
  const League& league;
  const Payoffs& payoffs;
  int learner;
  std::vector<double> chance;

  void add(int player, double share) { chance[player] += share; }
  // Nobody to choose from: the share goes to `otherwise`.
  void add(const std::vector<int>& players, Pfsp kind, double share, int otherwise) {
    if (players.empty()) return add(otherwise, share);
    const std::vector<double> p = pfsp(rates(payoffs, learner, players), kind);
    for (size_t i = 0; i < players.size(); ++i) add(players[i], share * p[i]);
  }

  // The present main agents, or their snapshots where the learner is too weak for them.
  void self_play(double share, double least) {
    const std::vector<int> mains = league.learners(Role::main);
    for (int main : mains) {
      const double part = share / double(mains.size());
      if (main == learner || payoffs.win_rate(learner, main) > least) {
        add(main, part);
      } else {
        add(league.snapshots_of(main), Pfsp::even, part, main);
      }
    }
  }

  // Makes sure that old weaknesses stay closed.
  void verification(double share, double least) {
    constexpr double kBeaten = 0.3, kSafe = 0.7;
    const std::vector<int> exploiters = league.snapshots(Role::main_exploiter);
    const std::vector<double> w = rates(payoffs, learner, exploiters);
    if (!w.empty() && *std::min_element(w.begin(), w.end()) < kBeaten)
      return add(exploiters, Pfsp::hard, share, learner);
    const std::vector<int> mains = league.learners(Role::main);
    for (int main : mains) {
      std::vector<int> old = league.snapshots_of(main);
      std::vector<double> wins = rates(payoffs, learner, old);
      wins.resize(without_monotone_tail(wins));
      old.resize(wins.size());
      const double part = share / double(mains.size());
      if (!wins.empty() && *std::min_element(wins.begin(), wins.end()) < kSafe) {
        add(old, Pfsp::hard, part, learner);
      } else {
        self_play(part, least);
      }
    }
  }
};

}  // namespace

std::vector<double> pfsp(const std::vector<double>& win_rates, Pfsp kind) {
  constexpr double kVanished = 1e-10;
  std::vector<double> p;
  double sum = 0;
  for (double w : win_rates) {
    p.push_back(weight(w, kind));
    sum += p.back();
  }
  for (double& x : p) x = sum < kVanished ? 1 / double(p.size()) : x / sum;
  return p;
}

size_t without_monotone_tail(const std::vector<double>& win_rates) {
  for (size_t i = win_rates.size(); i-- > 1;) {
    if (win_rates[i - 1] < win_rates[i]) return i + 1;
  }
  return 0;
}

const char* name_of(Role role) {
  constexpr const char* kNames[] = {"main", "main_exploiter", "league_exploiter"};
  return kNames[static_cast<int>(role)];
}

std::vector<int> League::learners(Role role) const {
  std::vector<int> found;
  for (size_t i = 0; i < members.size(); ++i) {
    if (!members[i].frozen && members[i].role == role) found.push_back(int(i));
  }
  return found;
}

std::vector<int> League::snapshots() const {
  std::vector<int> found;
  for (size_t i = 0; i < members.size(); ++i) {
    if (members[i].frozen) found.push_back(int(i));
  }
  return found;
}

std::vector<int> League::snapshots(Role role) const {
  std::vector<int> found = snapshots();
  std::erase_if(found, [&](int i) { return members[i].role != role; });
  return found;
}

std::vector<int> League::snapshots_of(int learner) const {
  std::vector<int> found = snapshots();
  std::erase_if(found, [&](int i) { return members[i].parent != learner; });
  return found;
}

std::vector<double> opponents(const League& league, const Payoffs& payoffs, int learner) {
  constexpr double kAnybody = 0.5, kVerification = 0.15, kSelfPlay = 0.35, kLeastOfMain = 0.3, kLeastOfExploiter = 0.1;
  if (learner < 0 || learner >= int(league.members.size()) || league.members[learner].frozen)
    throw Error("opponents: player " + std::to_string(learner) + " is not a learner of the league");
  Mixture mix{league, payoffs, learner, std::vector<double>(league.members.size(), 0.0)};
  const std::vector<int> mains = league.learners(Role::main);
  const int fallback = mains.empty() ? learner : mains[0];
  switch (league.members[learner].role) {
    case Role::main:
      mix.add(league.snapshots(), Pfsp::hard, kAnybody, learner);
      mix.verification(kVerification, kLeastOfMain);
      mix.self_play(kSelfPlay, kLeastOfMain);
      break;
    case Role::main_exploiter: mix.self_play(1, kLeastOfExploiter); break;
    case Role::league_exploiter: mix.add(league.snapshots(), Pfsp::capped, 1, fallback); break;
  }
  return mix.chance;
}

bool snapshot_due(const League& league, const Payoffs& payoffs, int learner, double steps, const SnapshotRule& rule) {
  if (steps >= rule.force) return true;
  if (steps < rule.steps) return false;
  const bool hunts_mains = league.members[learner].role == Role::main_exploiter;
  const std::vector<double> w = rates(payoffs, learner, hunts_mains ? league.learners(Role::main) : league.snapshots());
  return !w.empty() && *std::min_element(w.begin(), w.end()) > rule.threshold;
}

double reset_probability(Role role) {
  return role == Role::main_exploiter ? 1 : role == Role::league_exploiter ? 0.25 : 0;
}

}  // namespace throng
