// Embedding throng in a C++ program: step 1,024 battles with random legal actions and count the victories.
//
//   c++ -std=c++20 embed.cpp $(pkg-config --cflags --libs throng) && ./a.out
#include <throng.hpp>

#include <cstdio>

int main() try {
  throng::BatchOptions options;
  options.num_envs = 1024;
  auto device = throng::open_device("auto");
  auto env = throng::make("smax/3m", device, options, {{"attack_mode", "random"}});
  const throng::EnvSpec& spec = env->spec();
  std::printf("%s on %s: %d agents, %d actions, observations of %d\n", spec.id.c_str(), device->name().c_str(),
              spec.num_agents, spec.num_actions, spec.obs_dim);

  env->reset(0);
  for (uint32_t t = 0; t < 200; ++t) {
    // Your policy reads env->observations() and writes env->actions(), both on the device; this one draws.
    env->random_actions(env->observations().avail_actions, env->actions(), throng::key(1), t);
    env->step(env->actions());
  }

  const throng::EpisodeStatistics seen = env->take_statistics();
  std::printf("%lld episodes, mean return %.3f, win rate %.3f, state %016llx\n", static_cast<long long>(seen.episodes),
              seen.returns[0], seen.info.at("won"), static_cast<unsigned long long>(env->state_hash()));
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
