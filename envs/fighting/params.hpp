// The settings of the fighting game: who plays whom, with which fighters, for how long, and what is seen and paid.
#pragma once

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "core/fixed_list.hpp"
#include "envs/fighting/players.hpp"
#include "envs/fighting/roster.hpp"

namespace throng::fighting {

enum EpisodeKind : uint8_t { kRound, kMatch, kRun };
inline constexpr const char* kEpisodes[] = {"round", "match", "run"};
enum InputMode : uint8_t { kDirect, kMotion };
inline constexpr const char* kInputModes[] = {"direct", "motion"};
enum Side : uint8_t { kLeft, kRight, kAnySide };
inline constexpr const char* kSides[] = {"left", "right", "random"};
enum RewardKind : uint8_t { kSparse, kDamage, kMatchReward, kAggressive, kFightLadder, kComponents };
inline constexpr const char* kRewards[] = {"sparse", "damage", "match", "aggressive", "fightladder", "components"};
enum Observation : uint8_t { kVector, kGray, kRgb };
inline constexpr const char* kObservations[] = {"vector", "gray", "rgb"};
enum Hidden : uint8_t { kHideMeter, kHideMove, kNumHidden };
inline constexpr const char* kHideable[] = {"meter", "move"};

inline constexpr int kRoundsToWin = 2, kMaxRounds = 5;
inline constexpr int kAnyFighter = -1, kSameFighter = -2;

struct Params {
  FixedList<char, 256> roster;
  uint8_t player = kAgent, opponent = kAgent;
  FixedList<char, 12> fighter = {6, "random"}, opponent_fighter = {6, "random"};
  uint8_t side = kLeft;
  uint8_t episode = kMatch;
  uint8_t inputs = kDirect;
  bool screen_directions = false;
  int frame_skip = 4;
  int rung = 0;
  FixedList<float, kNumRungs> rung_weights = {kNumRungs, {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}};
  FixedList<int, kNumDifficulties> planned = {kNumDifficulties, {0, 0, 0, 3, 6, 10, 15, 20, 35, 50, 75, 100}};
  bool carry_meter = true;
  int separation_low = 96, separation_high = 191, start_offset = 48, start_meter = 100, start_health = 70;
  uint8_t observation = kVector;
  int frame_stack = 1;
  bool mirror = true;
  int reaction_delay = 0;
  FixedList<uint8_t, kNumHidden> hide;
  uint8_t reward = kDamage;
  float round_weight = 1, aggression = 3;

  template <class V>
  void fields(V&& v) {
    v("roster", roster, "file with the fighters; empty for the twelve built-in ones");
    v("player", player, kPlayers, "who sits at the first seat; the agent, unless built-ins are to play each other");
    v("opponent", opponent, kPlayers,
      "who sits at the other: another agent, the ladder's present rung, or one built-in");
    v("fighter", fighter, "the player's fighter: a name of the roster, or random");
    v("opponent_fighter", opponent_fighter, "a name, random, or same; on the ladder, random means the rung's own");
    v("side", side, kSides, "where the player stands at first; what agents observe is mirrored accordingly");
    v("episode", episode, kEpisodes,
      "a round, a match (first to two rounds), or a run up the ladder until a match is not won");
    v("inputs", inputs, kInputModes, "24 direct actions, or stick and button with motions for special moves");
    v("screen_directions", screen_directions, "for people: forward is right for the player, wherever the opponent is");
    v("frame_skip", frame_skip, "frames per step, at 60 a second");
    v("rung", rung, "rung of the ladder, 1 to 12, at which an episode begins; 0 draws one");
    v("rung_weights", rung_weights, "with which the rung is drawn, rung 1 first");
    v("planned", planned,
      "share of the decisions that a built-in of each difficulty plans, per cent, difficulty 1 first");
    v("carry_meter", carry_meter, "meter is kept from round to round of a match");
    v("separation_low", separation_low, "of the distance at the start of an episode, pixels");
    v("separation_high", separation_high, "the largest");
    v("start_offset", start_offset, "how far the middle of both is from that of the stage at most, pixels");
    v("start_meter", start_meter, "an episode begins with 0 to this much meter");
    v("start_health", start_health, "an episode begins with this share of full health to all of it, per cent");
    v("observation", observation, kObservations, "184 numbers, or a picture of 96 x 128 pixels, gray or three planes");
    v("frame_stack", frame_stack, "observations of the last decisions, the oldest first");
    v("mirror", mirror, "pictures are turned so that the observer looks to the right");
    v("reaction_delay", reaction_delay, "frames after which an agent sees its opponent; a multiple of frame_skip");
    v("hide", hide, kHideable, "features of the opponent that are zero: meter, move");
    v("reward", reward, kRewards, "what is paid, see the game's page");
    v("round_weight", round_weight, "of winning or losing a round in reward damage");
    v("aggression", aggression, "weight of the damage dealt in reward aggressive");
  }

  // Made of the above by check().
  struct Derived {
    int fighter[2];  // [agent], index into the roster, kAnyFighter or kSameFighter
    int rung_fighter[kNumRungs];
    float rung_limit[kNumRungs];  // running sum of rung_weights, as shares
    float fightladder[177];       // 176^((h+1)/177) by health of 176
    int decision_frames;          // frame_skip, as the planner sees it even while a step is drawn frame by frame
    int delay_slots;              // decisions between what is and what is seen
    int past_slots;               // decisions that are remembered, for delayed and stacked observations
  } derived = {};
  Roster fighters = {};

  THRONG_HD bool hides(int what) const {
    for (int hidden : hide) {
      if (hidden == what) return true;
    }
    return false;
  }
  THRONG_HD bool agent_plays(int agent) const { return (agent == 0 ? player : opponent) == kAgent; }
  THRONG_HD int num_agents() const { return player == kAgent && opponent == kAgent ? 2 : 1; }
  THRONG_HD bool has_builtins() const { return player != kAgent || opponent != kAgent; }
  // The share of decisions that are planned, per cent.
  THRONG_HD int planned_by(int player) const {
    return player >= kFirstDifficulty && player < kFirstScript ? planned[player - kFirstDifficulty] : 0;
  }
  THRONG_HD bool has_planner() const { return planned_by(player) > 0 || planned_by(opponent) > 0 || opponent == kRung; }

  // Refuses what cannot be played, loads the roster, and derives. Host only.
  void check() {
    fighters = load_roster(text(roster));
    check_range("frame_skip", frame_skip, 1, 60);
    check_range("rung", rung, 0, kNumRungs);
    check_range("separation_low", separation_low, 40, 300);
    check_range("separation_high", separation_high, separation_low, 300);
    check_range("start_offset", start_offset, 0, 150);
    check_range("start_meter", start_meter, 0, kMaxMeter);
    check_range("start_health", start_health, 1, 100);
    if (planned.size != kNumDifficulties) refuse("planned must be 12 numbers");
    for (int share : planned) check_range("planned", share, 0, 100);
    check_range("reaction_delay", reaction_delay, 0, 60);
    check_range("frame_stack", frame_stack, 1, 16);
    if (screen_directions && inputs == kMotion) refuse("screen_directions needs inputs direct");
    if (reaction_delay % frame_skip != 0) refuse("reaction_delay must be a multiple of frame_skip");
    if (player == kRung) refuse("player cannot be a rung; valid for opponent only");
    if (player != kAgent && opponent == kAgent) refuse("opponent is an agent, and player is not; exchange them");
    if (episode == kRun && opponent != kRung) refuse("episode run needs opponent rung");
    if (reward == kMatchReward && episode == kRound) refuse("reward match needs episode match or run");
    if (!(aggression >= 0 && aggression <= 100)) refuse("aggression must be 0 to 100");
    if (!(round_weight >= 0 && round_weight <= 100)) refuse("round_weight must be 0 to 100");
    derived.fighter[0] = fighter_index("fighter", text(fighter), false);
    derived.fighter[1] = fighter_index("opponent_fighter", text(opponent_fighter), true);
    for (int r = 0; r < kNumRungs; ++r) derived.rung_fighter[r] = rung_fighter(r);
    derive_weights();
    for (int h = 0; h <= 176; ++h) derived.fightladder[h] = static_cast<float>(std::pow(176.0, (h + 1) / 177.0));
    derived.decision_frames = frame_skip;
    derived.delay_slots = reaction_delay / frame_skip;
    derived.past_slots = derived.delay_slots + frame_stack - 1;
  }

 private:
  static std::string text(const auto& letters) { return {letters.begin(), letters.end()}; }
  [[noreturn]] static void refuse(const std::string& why) { throw Error("fighting: " + why); }

  static void check_range(const std::string& key, int value, int lowest, int highest) {
    if (value >= lowest && value <= highest) return;
    refuse(key + " is " + std::to_string(value) + "; valid: " + std::to_string(lowest) + " to " +
           std::to_string(highest));
  }

  int fighter_index(const char* key, const std::string& name, bool may_be_same) const {
    std::vector<std::string> valid = {"random"};
    if (may_be_same) valid.push_back("same");
    if (name == "random") return kAnyFighter;
    if (name == "same" && may_be_same) return kSameFighter;
    for (int i = 0; i < fighters.size; ++i) {
      if (name == fighters.fighters[i].name) return i;
      valid.push_back(fighters.fighters[i].name);
    }
    throw_unknown(key, name, valid, "fighting");
  }

  // A roster of one's own may lack the ladder's fighters; then they take turns.
  int rung_fighter(int rung) const {
    for (int i = 0; i < fighters.size; ++i) {
      if (std::string(kRungFighters[rung]) == fighters.fighters[i].name) return i;
    }
    return rung % fighters.size;
  }

  void derive_weights() {
    float sum = 0;
    if (rung_weights.size != kNumRungs) refuse("rung_weights must be 12 numbers");
    for (float weight : rung_weights) {
      if (!(weight >= 0 && weight <= 1e6f)) refuse("rung_weights must not be negative");
      sum += weight;
    }
    if (!(sum > 0)) refuse("rung_weights must not all be 0");
    float running = 0;
    for (int r = 0; r < kNumRungs; ++r) derived.rung_limit[r] = (running += rung_weights[r] / sum);
  }
};

}  // namespace throng::fighting
