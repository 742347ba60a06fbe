// Tournaments with known results: players of connect four that always prefer one column, so that who begins wins.
#include "algos/tournament.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <catch2/matchers/catch_matchers_floating_point.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <cmath>

#include "core/error.hpp"
#include "envs/registry.hpp"
#include "tests/algos/tiny_run.hpp"
#include "tests/devices.hpp"

using namespace throng;
using Catch::Matchers::WithinAbs;

namespace {

constexpr const char* kGame = "connect4/7x6_two_objectives";
constexpr int kColumns = 7;

TournamentGame game_on(const std::string& id, const std::string& device,
                       const nlohmann::json& config = nlohmann::json::object()) {
  const EnvSpec spec = env_spec(id, config);
  return {spec, {}, [=](int games, const std::string& opponent) {
            nlohmann::json own = config;
            if (!opponent.empty()) own["opponent"] = opponent;
            return make(id, open_device(device), evaluation_options(spec, games), own);
          }};
}

TrainConfig small(int gru_size) {
  TrainConfig config;
  config.num_steps = 0;
  config.hidden_sizes = {4};
  config.gru_size = gru_size;
  return config;
}

// All weights are zero but the biases of the logits; column -1: any.
std::shared_ptr<Learner> column_player(const std::string& device, int column, int gru_size = 0) {
  const EnvSpec spec = team_spec(env_spec(kGame), {{0, 0}, {0, 1}}, true);
  std::shared_ptr<Learner> learner = make_learner(open_device(device), spec, 4, {small(gru_size)});
  auto parameters = learner->parameters();
  for (auto& [name, tensor] : parameters) {
    std::vector<float> values(tensor.as<float>().size(), 0.0f);
    if (values.size() == kColumns && column >= 0) values[column] = 12;
    tensor = Tensor::of<float>(tensor.shape, values);
  }
  learner->load(parameters, {});
  return learner;
}

Entrant entrant(const std::string& device, int column, int gru_size = 0) {
  Entrant entrant;
  entrant.name = "column " + std::to_string(column);
  entrant.learner = column_player(device, column, gru_size);
  return entrant;
}

Entrant random_player() {
  Entrant entrant;
  entrant.name = "bot:random";
  entrant.bot = 0;
  return entrant;
}

bool same_scores(const Tournament& a, const Tournament& b) {
  for (size_t i = 0; i < a.scores.size(); ++i) {
    if (a.scores[i].wins[0] != b.scores[i].wins[0] || a.scores[i].wins[1] != b.scores[i].wins[1]) return false;
  }
  return a.scores.size() == b.scores.size();
}

}  // namespace

TEST_CASE("everybody meets everybody from both sides, as often as asked for, and who begins wins") {
  for (const std::string& device : test_devices()) {
    for (const int gru_size : {0, 4}) {
      const std::vector<Entrant> players = {entrant(device, 0, gru_size), entrant(device, 3, gru_size),
                                            entrant(device, 6, gru_size)};
      TournamentOptions options;
      options.rounds = 9;
      options.greedy = true;
      options.num_envs = 12;  // two games of each ordered pair at a time
      const Tournament played = play_tournament(game_on(kGame, device), players, options);
      CHECK(played.rounds == 10);
      for (int a = 0; a < 3; ++a) {
        for (int b = 0; b < 3; ++b) {
          CHECK(played.scores[a * 3 + b].wins[0] == (a == b ? 0 : 5));
          CHECK(played.scores[a * 3 + b].games() == (a == b ? 0 : 5));
        }
      }
      const Ratings ratings = rate(played.payoffs(), 0);
      for (int a = 0; a < 3; ++a) {
        CHECK_THAT(ratings.elo[a], WithinAbs(1000, 1e-6));
        CHECK_THAT(ratings.nash.mixture[a], WithinAbs(1.0 / 3, 1e-6));
        CHECK_THAT(ratings.alpha_rank[a], WithinAbs(1.0 / 3, 1e-6));
      }
      const auto json = to_json(played, players, ratings);
      CHECK(json["win_rate_as_first"][0][1] == 1.0);
      CHECK(json["win_rate"][0][1] == 0.5);
      CHECK(json["win_rate"][1][1].is_null());
      CHECK(json["players"][2]["name"] == "column 6");
    }
  }
}

TEST_CASE("a player of the game takes part, and a column beats random play") {
  for (const std::string& device : test_devices()) {
    const std::vector<Entrant> players = {entrant(device, 0), random_player(), entrant(device, 1), random_player()};
    TournamentOptions options;
    options.rounds = 60;
    options.greedy = true;
    options.seed = 3;
    const Tournament played = play_tournament(game_on(kGame, device), players, options);
    const Payoffs payoffs = played.payoffs();
    CHECK(payoffs.win_rate(0, 1) > 0.7);
    CHECK(payoffs.win_rate(2, 3) > 0.7);
    CHECK(payoffs.games(1, 3) == 60);
    CHECK(std::abs(payoffs.win_rate(1, 3) - 0.5) < 0.3);
    CHECK(payoffs.win_rate(0, 2) == 0.5);
    const Ratings ratings = rate(payoffs, 1);
    CHECK_THAT(ratings.elo[1], WithinAbs(1000, 1e-9));
    CHECK(ratings.elo[0] > 1100);
    CHECK(ratings.alpha_rank[0] + ratings.alpha_rank[2] > 0.99);
    CHECK(same_scores(played, play_tournament(game_on(kGame, device), players, options)));
    options.seed = 4;
    CHECK_FALSE(same_scores(played, play_tournament(game_on(kGame, device), players, options)));
  }
}

TEST_CASE("of a mixture one member is drawn for each game") {
  for (const std::string& device : test_devices()) {
    Entrant mixture = entrant(device, 0);
    mixture.pool = std::make_shared<Pool>(open_device(device));
    mixture.members.push_back(mixture.pool->add(*mixture.learner));
    mixture.members.push_back(mixture.pool->add(*column_player(device, -1)));
    TournamentOptions options;
    options.rounds = 400;
    const auto against_five = [&](std::vector<double> weights) {
      mixture.weights = std::move(weights);
      const Tournament played = play_tournament(game_on(kGame, device), {mixture, entrant(device, 5)}, options);
      return played.scores[1];  // the mixture begins
    };
    const Score first = against_five({1, 0}), second = against_five({0, 1}), both = against_five({0.25, 0.75});
    CHECK(first.wins[0] > 195);
    REQUIRE(second.wins[0] < 100);
    const double share =
        (double(both.wins[0]) - double(second.wins[0])) / (double(first.wins[0]) - double(second.wins[0]));
    CHECK_THAT(share, WithinAbs(0.25, 0.12));
  }
}

TEST_CASE("entrants are read from run folders, with the checkpoints and mixtures in them") {
  const Folder folder;
  const SpecOf spec_of = [](const std::string& id, const nlohmann::json& config) { return env_spec(id, config); };
  Run run;
  run.env = "breakthrough/5x6";
  run.env_config = scenario_config(run.env);
  run.device = "cpu";
  run.folder = folder.file("run");
  run.train.num_envs = 8;
  run.train.num_steps = 8;
  run.train.total_timesteps = 4 * 64;
  run.train.hidden_sizes = {8};
  run.train.eval_episodes = 4;
  run.train.selfplay = kFictitious;
  run.train.num_opponents = 2;
  run.train.snapshot_steps = 64;
  Trainer(run, make).train({}, {});
  const TournamentGame game = game_on(run.env, "cpu");
  const auto device = open_device("cpu");
  const Entrant mixture = load_entrant(run.folder, game, spec_of, device);
  REQUIRE(mixture.members.size() >= 2);
  CHECK_THAT(mixture.weights[0], WithinAbs(1.0 / double(mixture.members.size()), 1e-12));
  const Entrant latest = load_entrant(run.folder + "@latest", game, spec_of, device);
  CHECK(latest.members.empty());
  CHECK(latest.timesteps == 256);
  CHECK(load_entrant("bot:random", game, spec_of, device).bot == 0);
  CHECK_THROWS_AS(load_entrant("bot:nobody", game, spec_of, device), Error);
  CHECK_THROWS_AS(load_entrant(folder.file("nowhere"), game, spec_of, device), Error);
  CHECK_THROWS_MATCHES(load_entrant(run.folder, game_on("breakthrough/8x8", "cpu"), spec_of, device), Error,
                       Catch::Matchers::MessageMatches(Catch::Matchers::ContainsSubstring("other things")));
  TournamentOptions options;
  options.rounds = 4;
  const Tournament played = play_tournament(game, {mixture, latest, random_player()}, options);
  CHECK(played.payoffs().games(0, 2) == 4);
  CHECK_THROWS_AS(play_tournament(game, {mixture}, options), Error);
}

TEST_CASE("opponents that the game plays by itself meet policies, but not each other") {
  for (const std::string& device : test_devices()) {
    const nlohmann::json battle = {
        {"ally_units", {{"marine", 3}}}, {"enemy_units", {{"marine", 3}}}, {"opponent", "self"}};
    TournamentGame game = game_on("smax", device, battle);
    game.opponents = {"heuristic"};
    const SpecOf spec_of = [](const std::string& id, const nlohmann::json& config) { return env_spec(id, config); };
    const auto player = [&](const char* name) { return load_entrant(name, game, spec_of, open_device(device)); };
    const std::vector<Entrant> players = {player("bot:random"), player("bot:heuristic"),
                                          player("bot:heuristic_random")};
    CHECK(players[1].bot == 1);  // the game's policy comes first
    Entrant builtin = players[0];
    builtin.bot = -1;
    builtin.opponent = "heuristic";
    TournamentOptions options;
    options.rounds = 40;
    const Tournament played = play_tournament(game, {players[0], builtin, players[1], builtin}, options);
    const Payoffs payoffs = played.payoffs();
    CHECK(payoffs.games(0, 1) == 40);
    CHECK(payoffs.games(0, 3) == 40);
    CHECK(payoffs.games(1, 3) == 0);
    CHECK(payoffs.win_rate(0, 1) < 0.2);
    CHECK(payoffs.win_rate(2, 1) > 0.2);
    CHECK(payoffs.win_rate(2, 0) > 0.8);
    const auto json = to_json(played, {players[0], builtin, players[1], builtin}, rate(payoffs, 0));
    CHECK(json["win_rate"][1][3].is_null());
    CHECK(json["win_rate_as_first"][1][0].is_null());
    CHECK_THROWS_AS(player("bot:nobody"), Error);
  }
}
