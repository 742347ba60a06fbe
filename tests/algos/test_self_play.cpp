// Self-play: every method runs, keeps its pool, and resumes bit for bit; and a best response finds one.
#include "algos/self_play.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <catch2/matchers/catch_matchers_floating_point.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <numeric>

#include "algos/tournament.hpp"
#include "core/error.hpp"
#include "core/file.hpp"
#include "envs/registry.hpp"
#include "tests/algos/tiny_run.hpp"
#include "tests/devices.hpp"

using namespace throng;
using Catch::Matchers::WithinAbs;

namespace {

constexpr int kUpdates = 9;

Run run_of(const std::string& folder, int selfplay, int gru_size = 0) {
  Run run;
  run.env = "breakthrough/5x6";
  run.env_config = scenario_config(run.env);
  run.device = "cpu";
  run.folder = folder;
  run.train.seed = 2;
  run.train.num_envs = 16;
  run.train.num_steps = 16;
  run.train.total_timesteps = kUpdates * run.train.steps_per_update();
  run.train.hidden_sizes = {16};
  run.train.gru_size = gru_size;
  run.train.eval_episodes = 8;
  run.train.selfplay = selfplay;
  run.train.num_opponents = 4;
  run.train.opponent_steps = 32;
  run.train.pool_share = 0.5f;
  run.train.snapshot_steps = 2 * run.train.steps_per_update();
  run.train.main_exploiters = run.train.league_exploiters = 1;
  run.train.psro_games = 10;
  return run;
}

SelfPlay& players_of(Trainer& trainer) { return dynamic_cast<SelfPlay&>(trainer.learner()); }

double sum(const std::vector<double>& values) { return std::accumulate(values.begin(), values.end(), 0.0); }

}  // namespace

TEST_CASE("every method of self-play keeps its pool and resumes bit for bit") {
  for (const int method : {kNaive, kFictitious, kLeague, kPsro, kTwoTimescale}) {
    for (const int gru_size : {0, 4}) {
      INFO(kSelfPlays[method] << " " << gru_size);
      const Folder folder;
      const std::string straight = folder.file("straight"), broken = folder.file("broken");
      {
        Trainer trainer(run_of(straight, method, gru_size), make);
        CHECK(trainer.env().num_envs() == 16);
        CHECK(trainer.env().spec().num_agents == 1);
        CHECK(trainer.env().spec().num_objectives == 1);
        trainer.train({}, {});
        const SelfPlay& players = players_of(trainer);
        const int learners = method == kLeague ? 3 : method == kTwoTimescale ? 2 : 1;
        const int snapshots = static_cast<int>(players.league().snapshots().size());
        CHECK(static_cast<int>(players.league().members.size()) == learners + snapshots);
        if (method == kNaive) CHECK(snapshots == 4);  // after updates 2, 4, 6, 8
        if (method == kPsro) CHECK(snapshots == 5);   // and the first policy
        if (method == kFictitious) CHECK(snapshots >= 3);
        if (method == kLeague) CHECK(snapshots >= 6);
        CHECK(static_cast<int>(load_pool(straight).size()) == snapshots);
        const std::vector<double> result = players.result();
        const bool mixed = method == kFictitious || method == kPsro;
        CHECK_THAT(sum(result), WithinAbs(mixed ? 1 : 0, 1e-9));
        for (int i = 0; i < learners; ++i) CHECK_THAT(sum(players.chances(i)), WithinAbs(1, 1e-9));
        double games = 0;
        for (int other = 1; other < players.payoffs().players(); ++other) games += players.payoffs().games(0, other);
        CHECK(games > 20);
      }
      {
        Trainer trainer(run_of(broken, method, gru_size), make);
        update(trainer, 5);
        trainer.save();
        update(trainer, 2);  // and is killed, with snapshots and lines that it will write again
      }
      Trainer::resume(broken, make)->train({}, {});
      const bool same = read_file(latest_checkpoint(broken)) == read_file(latest_checkpoint(straight));
      CHECK(same);
      CHECK(without_times(metrics(broken)) == without_times(metrics(straight)));
      if (method == kTwoTimescale) continue;
      for (const std::string name : {"pool/pool.json", "self_play.jsonl", "pool/0001.safetensors"}) {
        const bool same_file = read_file(broken + "/" + name) == read_file(straight + "/" + name);
        CHECK(same_file);
      }
    }
  }
}

TEST_CASE("who meets whom") {
  const Folder folder;
  {
    Trainer trainer(run_of(folder.file("two"), kTwoTimescale), make);
    CHECK(players_of(trainer).chances(0) == std::vector<double>{0, 1});
    CHECK(players_of(trainer).chances(1) == std::vector<double>{1, 0});
  }
  {
    Trainer trainer(run_of(folder.file("naive"), kNaive), make);
    CHECK(players_of(trainer).chances(0) == std::vector<double>{1});
    update(trainer, 4);
    CHECK(players_of(trainer).chances(0) == std::vector<double>{0, 0.5, 0.5});
  }
  {
    Trainer trainer(run_of(folder.file("league"), kLeague), make);
    update(trainer, 1);
    // One snapshot of the main agent: it plays that half of the time, and else itself, or verifies the snapshot.
    CHECK_THAT(players_of(trainer).chances(0)[3], WithinAbs(0.575, 0.08));
    const std::vector<double> of_exploiter = players_of(trainer).chances(1);
    CHECK_THAT(of_exploiter[0] + of_exploiter[3], WithinAbs(1, 1e-9));
    CHECK(players_of(trainer).chances(2)[3] == 1);
  }
}

TEST_CASE("learners share the games that they play against themselves, and take sides in turn with others") {
  TrainConfig config;
  config.selfplay = kNaive;
  config.num_envs = 20;
  config.num_opponents = 2;
  config.pool_share = 0.2f;
  const SlotLayout layout(config);
  CHECK(layout.self_games == 8);
  CHECK(layout.games_per_slot == 2);
  CHECK(layout.games() == 12);
  const std::vector<Side> own = layout.own();
  CHECK(own.size() == 20);
  CHECK(own[1] == Side{0, 1});
  CHECK(own[16] == Side{8, 0});
  CHECK(own[17] == Side{9, 1});
  config.pool_share = 0;
  CHECK(SlotLayout(config).games() == 10);
  config.selfplay = kLeague;
  config.num_opponents = 3;
  CHECK_THROWS_AS(SlotLayout(config), Error);
}

TEST_CASE("a best response to a fixed policy wins against it, from both sides") {
  const Folder folder;
  Run victim = run_of(folder.file("victim"), kNaive);
  victim.train.total_timesteps = victim.train.steps_per_update();
  Trainer(victim, make).train({}, {});
  Run run = run_of(folder.file("exploiter"), kBestResponse);
  run.train.opponent_run = victim.folder;
  run.train.num_envs = 64;
  run.train.opponent_steps = 1000000;
  run.train.learning_rate = 5e-3f;
  run.train.total_timesteps = 40 * run.train.steps_per_update();
  Trainer trainer(run, make);
  while (!trainer.finished()) trainer.update();
  const SpecOf spec_of = [](const std::string& id, const nlohmann::json& config) { return env_spec(id, config); };
  const auto device = open_device("cpu");
  TournamentGame game;
  game.spec = env_spec(run.env);
  game.make = [&](int games, const std::string&) {
    return make(run.env, device, evaluation_options(game.spec, games), nlohmann::json::object());
  };
  Entrant exploiter;
  exploiter.learner = std::shared_ptr<Learner>(&trainer.learner(), [](Learner*) {});
  TournamentOptions options;
  options.rounds = 400;
  const Tournament played =
      play_tournament(game, {exploiter, load_entrant(victim.folder, game, spec_of, device)}, options);
  CHECK(played.scores[1].wins[0] > 160);  // of 200
  CHECK(played.scores[2].wins[1] > 160);
  run.train.opponent_run = "";
  run.folder = folder.file("nobody");
  CHECK_THROWS_MATCHES(Trainer(run, make), Error,
                       Catch::Matchers::MessageMatches(Catch::Matchers::ContainsSubstring("opponent_run=DIR")));
}

TEST_CASE("teams of several agents, and of different sizes, play themselves") {
  const Folder folder;
  Run run = run_of(folder.file("smax"), kNaive);
  run.env = "smax";
  run.env_config = {
      {"ally_units", {{"marine", 2}}}, {"enemy_units", {{"marine", 3}}}, {"opponent", "self"}, {"max_steps", 25}};
  Trainer trainer(run, make);
  CHECK(trainer.env().spec().num_agents == 3);
  trainer.train({}, {});
  CHECK(load_pool(run.folder).size() == 4);
}
