// Teams: games of two teams, seen by those who play in them; who does not learn is played by an opponent or by the game itself.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/vec_env.hpp"

namespace throng {

// One team of one game of a batch.
struct Side {
  int game = 0;
  int team = 0;  // 0 or 1
  bool operator==(const Side&) const = default;
};

// Chooses the actions of all sides that nobody else takes, in the order of games and teams: device pointers, `seen` and `ended`
// of [side, agent]. `ended`: what was remembered of the agent's episode is over, since it ended in the step before, or since the
// game begins anew. `draw` numbers the call.
struct Opponent {
  virtual ~Opponent() = default;
  virtual void act(const Observations& seen, const uint8_t* ended, Key key, uint32_t draw, void* actions) = 0;
  virtual std::map<std::string, Tensor> snapshot() { return {}; }  // what it remembers
  virtual void restore(const std::map<std::string, Tensor>&) {}
};

struct TeamOptions {
  std::vector<Side> own = {};  // what becomes an environment, in this order
  // [2 * game + team], numbers of spec().policies for sides that the game plays, or -1; or empty.
  std::vector<int32_t> bots = {};
  bool zero_sum = false;  // the reward is the first objective, less the other team's mean, halved
};

// What came of a game's episodes.
struct Score {
  int64_t wins[2] = {};  // by team
  int64_t draws = 0;

  int64_t games() const { return wins[0] + draws + wins[1]; }
  Score& operator+=(const Score& other) {
    wins[0] += other.wins[0], wins[1] += other.wins[1], draws += other.draws;
    return *this;
  }
};

// Observations, masks, flags, rewards, final values and statistics are those of the own sides; the state is that of the games.
// Measures named "won" and "drawn" are the side's own. If all own sides are of first teams, the world state stays; else there is
// none. Where teams are not equally large and both are among the own sides, the smaller one is filled up by agents that are never
// active. All draws follow from the seed of reset(). Rows are copied once on their way.
class THRONG_API Teams : public VecEnv {
 public:
  // Who won the episodes that ended since this was last asked, [game]: by the game's measures "won" and "drawn" of the first team.
  // Without "drawn", a draw is what was cut at the time limit; without "won", the higher return wins, all objectives together.
  virtual std::vector<Score> take_scores() = 0;
  // Lets the games with a flag begin anew, [game]; what they had played counts nowhere. observations() are up to date then.
  virtual void restart(const std::vector<uint8_t>& games) = 0;
  virtual VecEnv& games() = 0;
  virtual Opponent* opponent() = 0;  // or null
  bool replayable() const override { return false; }

 protected:
  using VecEnv::VecEnv;
};

// How many agents each of two teams has: of two agents one; else the first team are those whose names begin like the first
// one's, "ally_0", "ally_1". Empty unless there are others, and all of them behind.
std::vector<int> team_sizes(const EnvSpec& spec);
int first_team(const EnvSpec& spec);  // of them; Error if there are no two

// What an environment of these sides looks like, for learners.
EnvSpec team_spec(const EnvSpec& both, const std::vector<Side>& own, bool zero_sum);

// `both`, in which the agents are both teams, as environments of the own sides. `opponent` may be null if no side is left.
std::unique_ptr<Teams> make_teams(std::unique_ptr<VecEnv> both, const TeamOptions& options,
                                  std::unique_ptr<Opponent> opponent);

// All first teams, against an opponent.
std::unique_ptr<Teams> against(std::unique_ptr<VecEnv> both, std::unique_ptr<Opponent> opponent);
// One side of every game, of each team in every second, against a policy that comes with the game.
std::unique_ptr<Teams> against_bot(std::unique_ptr<VecEnv> both, const std::string& policy, bool zero_sum);

}  // namespace throng
