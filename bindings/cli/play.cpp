// `throng play`: a person at the keyboard of a terminal plays the first agent of an environment.
#include <CLI/CLI.hpp>
#include <chrono>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <thread>

#include "algos/saved_opponent.hpp"
#include "bindings/cli/commands.hpp"
#include "bindings/cli/console.hpp"
#include "bindings/cli/overrides.hpp"
#include "bindings/cli/signals.hpp"
#include "bindings/cli/terminal.hpp"
#include "envs/registry.hpp"

namespace throng {
namespace {

using Clock = std::chrono::steady_clock;

struct PlayOptions {
  std::string env, opponent, policy = "random";
  std::vector<std::string> overrides;
  double speed = 1, fps = 30;
  uint64_t seed = 0;
};

// How a game is played by hand, "play" in its settings: {"config": {..}, "rate": steps a second, "keys": {"a": [action,
// "its name"]}, "held": [actions that go on for a while]}. Without a rate the game waits for a key.
struct Controls {
  struct Key {
    int action;
    std::string name;
  };
  std::map<std::string, Key> keys;
  std::vector<int> held;
  double rate = 0;

  Controls(const nlohmann::json& play, int num_actions) {
    rate = play.value("rate", 0.0);
    held = play.value("held", std::vector<int>{});
    if (play.contains("keys")) {
      for (const auto& [key, means] : play["keys"].items()) keys[key] = {means[0], means[1]};
      return;
    }
    const std::string letters = "0123456789abcdefghijklmnorstuvwxyz";  // p and q have other meanings
    for (int a = 0; a < num_actions && a < static_cast<int>(letters.size()); ++a) {
      keys[letters.substr(size_t(a), 1)] = {a, "action " + std::to_string(a)};
    }
  }

  bool holds(int action) const { return std::find(held.begin(), held.end(), action) != held.end(); }

  // "left walk left   a light", as many lines as it takes; actions in their order.
  std::vector<std::string> help(int columns) const {
    std::vector<std::pair<int, std::string>> texts;
    for (const auto& [key, means] : keys) texts.push_back({means.action, key + " " + means.name});
    std::sort(texts.begin(), texts.end());
    std::vector<std::string> lines = {""};
    for (const auto& [action, text] : texts) {
      if (!lines.back().empty() && lines.back().size() + text.size() + 3 > static_cast<size_t>(columns)) {
        lines.push_back("");
      }
      lines.back() += (lines.back().empty() ? "" : "   ") + text;
    }
    return lines;
  }
};

// What the keys say. A terminal tells of presses, not of releases: a movement goes on until its key could have repeated.
class Player {
 public:
  explicit Player(const Controls& controls) : controls_(controls) {}

  void press(const std::string& key, Clock::time_point now) {
    if (key == "q") left_ = true;
    if (key == "ctrl-c") left_ = interrupted_ = true;
    if (key == "p") paused_ = !paused_;
    const auto found = controls_.keys.find(key);
    if (found == controls_.keys.end()) return;
    const int action = found->second.action;
    if (controls_.holds(action)) {
      constexpr auto kFirst = std::chrono::milliseconds(450), kRepeated = std::chrono::milliseconds(120);
      until_ = now + (moves_ == action && now < until_ ? kRepeated : kFirst);
      moves_ = action;
    } else {
      pressed_ = action;
    }
  }

  // The action of a step; -1: none was chosen. A press counts once.
  int action(Clock::time_point now) {
    const int action = pressed_ >= 0 ? pressed_ : now < until_ ? moves_ : -1;
    pressed_ = -1;
    return action;
  }
  bool left() const { return left_; }
  bool interrupted() const { return interrupted_; }
  bool paused() const { return paused_; }

 private:
  const Controls& controls_;
  int pressed_ = -1, moves_ = -1;
  Clock::time_point until_ = {};
  bool left_ = false, interrupted_ = false, paused_ = false;
};

// Error if keys cannot play it.
void check_playable(const EnvSpec& spec) {
  if (!spec.renders) throw Error(spec.id + " draws no pictures");
  if (spec.continuous > 0 || spec.num_heads() != 1) {
    throw Error(spec.id + ": keys choose one of some actions, and an action of this game is " +
                (spec.continuous > 0 ? "numbers" : "several choices"));
  }
}

std::unique_ptr<VecEnv> make_game(const PlayOptions& options, const nlohmann::json& play) {
  const nlohmann::json asked = read_env_overrides(options.overrides, options.env);
  check_playable(env_spec(options.env, asked));
  nlohmann::json config = nlohmann::json::object();
  if (play.contains("config")) merge(config, play["config"]);
  if (play.contains("alone") && options.opponent.empty() && find_env(options.env).scenario.empty()) {
    merge(config, play["alone"]);
  }
  merge(config, asked);
  auto env = make(options.env, open_device("cpu"), {}, config);
  return options.opponent.empty() ? std::move(env) : against_run(std::move(env), options.opponent);
}

// One game in one terminal.
class Session {
 public:
  Session(const PlayOptions& options, VecEnv& env, const Controls& controls)
      : options_(options),
        env_(env),
        controls_(controls),
        player_(controls),
        policy_(env.policy_named(options.policy)) {
    env_.reset(options.seed);
  }

  void run(Terminal& terminal, const StopOnSignal& stop) {
    show(terminal, env_.render(0, size(terminal)));
    while (!player_.left() && !stop.requested()) {
      listen(terminal);
      const int chosen = player_.paused() ? -1 : player_.action(Clock::now());
      if (player_.paused() || (controls_.rate <= 0 && chosen < 0)) {
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
      } else {
        step(terminal, chosen);
      }
    }
  }
  bool interrupted() const { return player_.interrupted(); }
  std::string summary() const {
    return std::to_string(episodes_) + " episodes" + (episodes_ > 0 ? ", last return " + fixed(last_return_, 2) : "");
  }

 private:
  void listen(Terminal& terminal) {
    for (const std::string& key : terminal.keys()) player_.press(key, Clock::now());
  }

  void step(Terminal& terminal, int chosen) {
    auto* actions = static_cast<int32_t*>(env_.actions());
    env_.policy_actions(policy_, actions, key(options_.seed), draw_++);  // the others, if there are any
    actions[0] = legal(chosen);
    const bool in_between = controls_.rate > 0;
    std::vector<Image> pictures;
    if (in_between) pictures = env_.render_step(0, actions, size(terminal));
    env_.step(actions);
    if (env_.outcomes().terminated[0] || env_.outcomes().truncated[0]) {
      ++episodes_;
      last_return_ = env_.finals().episode_return[0];
    }
    if (!in_between) pictures = {env_.render(0, size(terminal))};
    show_in_time(terminal, pictures);
  }

  // The pictures of a step take its time; those for which there is no time are left out.
  void show_in_time(Terminal& terminal, const std::vector<Image>& pictures) {
    using Seconds = std::chrono::duration<double>;
    const auto now = Clock::now();
    const double step_time = controls_.rate > 0 ? 1 / (controls_.rate * options_.speed) : 0;
    if (now > next_ + Seconds(2 * step_time)) next_ = now;  // too slow: time is lost, not caught up
    const auto begin = next_;
    const double each = step_time / static_cast<double>(pictures.size());
    for (size_t i = 0; i < pictures.size(); ++i) {
      const bool last = i + 1 == pictures.size();
      const auto due = begin + std::chrono::duration_cast<Clock::duration>(Seconds(each * double(i)));
      if (!last && Clock::now() < shown_ + Seconds(1 / options_.fps)) continue;
      std::this_thread::sleep_until(due);
      listen(terminal);
      show(terminal, pictures[i]);
      shown_ = Clock::now();
    }
    next_ = begin + std::chrono::duration_cast<Clock::duration>(Seconds(step_time));
    std::this_thread::sleep_until(next_);
  }

  // No choice, or one that is not legal, is the first legal action.
  int legal(int chosen) const {
    const uint8_t* avail = env_.observations().avail_actions;
    if (chosen >= 0 && chosen < env_.spec().num_actions && avail[chosen]) return chosen;
    int action = 0;
    while (!avail[action]) ++action;
    return action;
  }

  int size(Terminal& terminal) {
    terminal.measure();
    help_ = controls_.help(terminal.columns());
    if (width_ == 0) {
      const Image image = env_.render(0, 64);
      width_ = image.width, height_ = image.height;
    }
    return terminal.fitting_size(width_, height_, static_cast<int>(help_.size()) + 1);
  }

  void show(Terminal& terminal, const Image& image) {
    terminal.show(image);
    const int first = terminal.rows() - static_cast<int>(help_.size()) - 1;
    const bool new_window = terminal.columns() != told_columns_ || terminal.rows() != told_rows_;
    const std::string status = env_.spec().id + "   " + summary() + "   q quit   p pause";
    if (new_window || status != told_) {
      terminal.write(first, status);
      for (size_t i = 0; i < help_.size(); ++i) terminal.write(first + 1 + static_cast<int>(i), help_[i]);
      told_columns_ = terminal.columns(), told_rows_ = terminal.rows(), told_ = status;
    }
    terminal.flush();
  }

  const PlayOptions& options_;
  VecEnv& env_;
  const Controls& controls_;
  Player player_;
  int policy_, episodes_ = 0, width_ = 0, height_ = 0, told_columns_ = 0, told_rows_ = 0;
  uint32_t draw_ = 0;
  float last_return_ = 0;
  std::string told_;
  std::vector<std::string> help_;
  Clock::time_point next_ = {}, shown_ = {};
};

int play(const PlayOptions& options) {
  if (!(options.speed > 0)) throw Error("--speed must be more than 0");
  if (!(options.fps >= 1 && options.fps <= 240)) throw Error("--fps must be 1 to 240");
  const nlohmann::json settings = nlohmann::json::parse(find_env(options.env).entry->settings);
  const nlohmann::json how = settings.value("play", nlohmann::json::object());
  const auto env = make_game(options, how);
  const Controls controls(how, env->spec().num_actions);
  Session session(options, *env, controls);
  const StopOnSignal stop("");
  {
    Terminal terminal;
    session.run(terminal, stop);
  }
  say(session.summary());
  constexpr int kInterrupted = 130;
  return session.interrupted() ? kInterrupted : stop.exit_status();
}

}  // namespace

Action add_play(CLI::App& app) {
  const auto options = std::make_shared<PlayOptions>();
  app.add_option("ENV", options->env, "environment, with or without a scenario: fighting")->required();
  app.add_option("SETTINGS", options->overrides, "key=value: parameters of the environment: env.opponent=difficulty_7");
  app.add_option("--opponent", options->opponent, "a run whose policy plays the other team: DIR, DIR@best or DIR@FILE");
  app.add_option("--policy", options->policy, "who plays the other agents: random, or one that the game has")
      ->capture_default_str();
  app.add_option("--speed", options->speed, "1 = as the game is meant, 0.5 = half as fast")->capture_default_str();
  app.add_option("--fps", options->fps, "most pictures a second")->capture_default_str();
  app.add_option("--seed", options->seed, "of the first episode")->capture_default_str();
  app.footer(
      "Examples:\n"
      "  throng play fighting env.opponent=difficulty_3 env.fighter=JOLT\n"
      "  throng play fighting/versus --opponent runs/mine@best");
  return [options] { return play(*options); };
}

}  // namespace throng
