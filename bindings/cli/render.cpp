// `throng render`: pictures of one episode, as PNG files that any video tool takes.
#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "algos/evaluate.hpp"
#include "bindings/cli/commands.hpp"
#include "bindings/cli/console.hpp"
#include "bindings/cli/overrides.hpp"
#include "bindings/cli/signals.hpp"
#include "core/canvas.hpp"
#include "envs/registry.hpp"

namespace throng {
namespace {

struct RenderOptions {
  std::string env, out, policy = "random";
  std::vector<std::string> overrides;
  int steps = 0, size = 512, agent = VecEnv::kWhole;
  uint64_t seed = 0;
  bool every_step = false;
};

// frame_00000.png, frame_00001.png, ...
class Frames {
 public:
  explicit Frames(const std::string& folder) : folder_(folder) {
    std::error_code failure;
    std::filesystem::create_directories(folder, failure);
    if (failure) throw MachineError("create " + folder, failure.message());
  }
  void add(const Image& image) {
    char name[32];
    std::snprintf(name, sizeof name, "/frame_%05d.png", count_++);
    write_png(folder_ + name, image);
  }
  int count() const { return count_; }

 private:
  std::string folder_;
  int count_ = 0;
};

// True if the episode is over.
bool step(VecEnv& env, int policy, Key drawn, uint32_t t, const RenderOptions& options, Frames& frames) {
  env.policy_actions(policy, env.actions(), drawn, t);
  if (options.every_step || options.agent != VecEnv::kWhole) {
    env.step(env.actions());
    frames.add(env.render(0, options.size, options.agent));
  } else {
    for (const Image& image : env.render_step(0, env.actions(), options.size)) frames.add(image);
    env.step(env.actions());
  }
  return env.outcomes().terminated[0] != 0 || env.outcomes().truncated[0] != 0;
}

int render(const RenderOptions& options) {
  const nlohmann::json config = read_env_overrides(options.overrides, options.env);
  const EnvSpec spec = env_spec(options.env, config);
  if (!spec.renders) throw Error(options.env + " draws no pictures");
  if (options.steps < 0) throw Error("--steps must be at least 1, not " + std::to_string(options.steps));
  // The CPU plays the same episode as a GPU.
  const auto env = make(options.env, open_device("cpu"), evaluation_options(spec, 1), config);
  const int policy = env->policy_named(options.policy);
  const StopOnSignal stop("throng: stopping\n");
  env->reset(options.seed);
  const Image first = env->render(0, options.size, options.agent);  // before a folder is made
  Frames frames(options.out);
  frames.add(first);
  const int end = options.steps > 0 ? options.steps : env->spec().time_limit;
  int t = 0;
  for (bool over = false; t < end && !over && !stop.requested(); ++t) {
    over = step(*env, policy, fold_in(key(options.seed), 0xfffffffeu), static_cast<uint32_t>(t), options, frames);
  }
  say(std::to_string(frames.count()) + " pictures of " + std::to_string(t) + " steps in " + options.out);
  return stop.requested() ? stop.exit_status() : 0;
}

}  // namespace

Action add_render(CLI::App& app) {
  const auto options = std::make_shared<RenderOptions>();
  app.add_option("ENV", options->env, "environment, with or without a scenario: smax/3m")->required();
  app.add_option("SETTINGS", options->overrides, "key=value: parameters of the environment: env.attack_mode=random");
  app.add_option("--out", options->out, "folder for frame_00000.png, frame_00001.png, ...")->required();
  app.add_option("--policy", options->policy, "who plays: random, or one that the game has (throng describe ENV)")
      ->capture_default_str();
  app.add_option("--steps", options->steps, "how many; 0 = to the end of the episode")->capture_default_str();
  app.add_option("--size", options->size, "pixels of the longer side")->capture_default_str();
  app.add_option("--agent", options->agent, "what this agent sees, one picture a step; without it, all of the game");
  app.add_option("--seed", options->seed, "of the episode")->capture_default_str();
  app.add_flag("--every_step", options->every_step, "one picture a step, not those of the moments within it");
  app.footer("Example: throng render smax/2s3z --policy heuristic --out frames");
  return [options] { return render(*options); };
}

}  // namespace throng
