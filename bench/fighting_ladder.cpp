// The graded ladder of the fighting game, measured: how difficulties, random play, scripts and fighters do against each other.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "algos/ladder.hpp"
#include "core/config.hpp"
#include "core/error.hpp"
#include "envs/registry.hpp"

namespace {

using namespace throng;
using nlohmann::json;

constexpr int kDifficulties = 12, kScripts = 9;
constexpr const char* kScriptNames[kScripts] = {"script_5L", "script_5M",    "script_5H",
                                                "script_2L", "script_2M",    "script_2H",
                                                "script_6H", "script_throw", "script_special_a"};
constexpr const char* kFighters[] = {"ALDER", "BRISK", "CAIRN", "DRIFT", "EMBER", "FLINT",
                                     "GALE",  "HUSK",  "IVORY", "JOLT",  "KELP",  "LYNX"};

struct Score {
  double wins = 0, games = 0;  // a draw is half a win
  double share() const { return wins / games; }
};

// Rounds of one built-in player against another, each environment plays exactly one, from the starts of evaluation; sides are
// drawn.
struct Ring {
  std::shared_ptr<Device> device;
  int rounds;
  json settings;  // parameters unlike the defaults

  Score play(const std::string& player, const std::string& opponent, const std::string& fighter = "random",
             const std::string& other = "random") const {
    json config = {{"player", player},  {"opponent", opponent}, {"fighter", fighter},    {"opponent_fighter", other},
                   {"side", "random"},  {"episode", "round"},   {"separation_low", 128}, {"separation_high", 128},
                   {"start_offset", 0}, {"start_meter", 0},     {"start_health", 100}};
    merge(config, settings);
    BatchOptions options;
    options.num_envs = rounds;
    options.autoreset = Autoreset::disabled;
    const auto env = make("fighting", device, options, config);
    env->reset(0);
    EpisodeStatistics all;
    Score score;
    for (int steps = 0; score.games < rounds; ++steps) {
      env->step(env->actions());
      if (steps % 50 != 49) continue;
      all = env->take_statistics();
      score.games += static_cast<double>(all.episodes);
      if (all.episodes > 0) score.wins += (all.info.at("won") + all.info.at("drawn") / 2) * double(all.episodes);
    }
    return score;
  }
};

std::string difficulty(int d) { return "difficulty_" + std::to_string(d); }

void print(const std::string& what, const Score& score) {
  const Interval interval = wilson(score.wins, score.games);
  std::printf("%-42s %.3f  [%.3f, %.3f]  %.0f rounds\n", what.c_str(), score.share(), interval.low, interval.high,
              score.games);
  std::fflush(stdout);
}

void steps_table(const Ring& ring) {
  for (int d = 2; d <= kDifficulties; ++d) {
    print(difficulty(d) + " against " + difficulty(d - 1), ring.play(difficulty(d), difficulty(d - 1)));
  }
}

void six_table(const Ring& ring) {
  for (int d = 1; d <= kDifficulties; ++d)
    print(difficulty(d) + " against difficulty_6", ring.play(difficulty(d), "difficulty_6"));
}

void simple_table(const Ring& ring, const std::string& player) {
  for (int d = 1; d <= kDifficulties; ++d)
    print(player + " against " + difficulty(d), ring.play(player, difficulty(d)));
}

// For every fighter the best of nine scripts; the mean of that over fighters is biased upwards, as a maximum is.
void script_table(const Ring& ring) {
  for (int d = 1; d <= kDifficulties; ++d) {
    double sum = 0, worst = 0;
    for (const char* fighter : kFighters) {
      double best = 0;
      for (const char* script : kScriptNames) best = std::max(best, ring.play(script, difficulty(d), fighter).share());
      sum += best, worst = std::max(worst, best);
    }
    std::printf("best script against %-22s mean over fighters %.3f  highest %.3f  %d rounds each\n",
                difficulty(d).c_str(), sum / 12, worst, ring.rounds);
    std::fflush(stdout);
  }
}

void roster_table(const Ring& ring) {
  Payoffs payoffs(12);
  for (int a = 0; a < 12; ++a) {
    for (int b = 0; b < a; ++b) {
      const Score score = ring.play("level_8", "level_8", kFighters[a], kFighters[b]);
      payoffs.record(a, b, score.wins, 0, score.games - score.wins);
    }
  }
  for (int a = 0; a < 12; ++a) {
    double mean = 0;
    std::printf("%-6s", kFighters[a]);
    for (int b = 0; b < 12; ++b) {
      std::printf(" %.2f", payoffs.win_rate(a, b));
      mean += payoffs.win_rate(a, b) / 12;
    }
    std::printf("  mean %.3f\n", mean);
  }
  std::printf("cyclic share %.2f\n", cyclic_share(payoffs.matrix()));
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("The graded ladder of the fighting game");
  std::string device = "auto", table = "all", settings = "{}";
  int rounds = 288;
  app.add_option("--device", device, "cpu, cuda, auto");
  app.add_option("--table", table, "steps, six, random, crouch_block, scripts, roster, or all");
  app.add_option("--rounds", rounds, "of each pair");
  app.add_option("--settings", settings, "parameters of the game as a JSON object: '{\"planned\": [...]}'");
  CLI11_PARSE(app, argc, argv);
  try {
    const Ring ring{open_device(device), rounds, json::parse(settings)};
    std::printf("device %s\n", ring.device->name().c_str());
    const bool all = table == "all";
    if (all || table == "steps") steps_table(ring);
    if (all || table == "six") six_table(ring);
    if (all || table == "random") simple_table(ring, "random");
    if (all || table == "crouch_block") simple_table(ring, "crouch_block");
    if (all || table == "scripts") script_table({ring.device, std::max(12, rounds / 24), ring.settings});
    if (all || table == "roster") roster_table(ring);
  } catch (const Error& error) {
    std::fprintf(stderr, "fighting_ladder: %s\n", error.what());
    return 2;
  }
}
