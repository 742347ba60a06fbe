// Who plays whom in self-play: weights of prioritised fictitious self-play, and the rules of a league.
#pragma once

#include <cstddef>
#include <vector>

#include "algos/ladder.hpp"

namespace throng {

// How an opponent's weight depends on the share w that the learner wins against it.
enum class Pfsp {
  uniform,
  hard,    // (1 - w)^2
  linear,  // 1 - w
  capped,  // min(1/2, 1 - w)
  even,    // w (1 - w)
};

inline constexpr const char* kPfsps[] = {"uniform", "hard", "linear", "capped", "even"};

// A distribution over opponents; uniform if all weights vanish.
std::vector<double> pfsp(const std::vector<double>& win_rates, Pfsp kind);

// The length that is left of a list of snapshots, oldest first, when its newest part is cut off in which the learner's win rate
// falls towards the newest: to beat ever older selves more easily is expected and teaches nothing.
size_t without_monotone_tail(const std::vector<double>& win_rates);

enum class Role { main, main_exploiter, league_exploiter };
const char* name_of(Role role);

// Learners and frozen snapshots of them; players are numbered as in the payoff table.
struct League {
  struct Member {
    Role role = Role::main;
    bool frozen = false;
    int parent = -1;  // of a snapshot: the learner that it is a copy of
  };
  std::vector<Member> members;  // snapshots of a learner stand in the order of their age, oldest first

  std::vector<int> learners(Role) const;
  std::vector<int> snapshots() const;        // of all
  std::vector<int> snapshots(Role) const;    // of all learners of a role
  std::vector<int> snapshots_of(int) const;  // of one learner
};

// The distribution from which a learner's next opponent is drawn, [player] (AlphaStar's rules: Vinyals et al. 2019).
std::vector<double> opponents(const League& league, const Payoffs& payoffs, int learner);

struct SnapshotRule {
  double steps = 2e7;      // not before
  double force = 4e7;      // at the latest
  double threshold = 0.7;  // else when the learner beats each of those that count by this
};

// Whether a learner is due for a snapshot, `steps` after its last one.
bool snapshot_due(const League& league, const Payoffs& payoffs, int learner, double steps,
                  const SnapshotRule& rule = {});

// How likely it is that a learner starts anew after its snapshot was taken. Copy first, reset second.
double reset_probability(Role role);

}  // namespace throng
