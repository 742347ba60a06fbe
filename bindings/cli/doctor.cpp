// `throng doctor`: what is here and what works, for a person or a bug report.
#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <thread>

#include "algos/matmul.hpp"
#include "bindings/cli/commands.hpp"
#include "bindings/cli/console.hpp"
#include "core/device.hpp"
#include "core/file.hpp"
#include "core/version.hpp"
#include "envs/registry.hpp"

namespace throng {
namespace {

struct Finding {
  std::string what;
  bool ok;
  std::string detail;
};

// What must not fail: a failure is a finding, not the end.
template <class Look>
Finding attempt(const std::string& what, Look&& look) {
  try {
    return {what, true, look()};
  } catch (const std::exception& problem) {
    return {what, false, problem.what()};
  }
}

std::string instruction_sets() {
  std::vector<std::string> found;
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2")) found.push_back("AVX2");
  if (__builtin_cpu_supports("fma")) found.push_back("FMA");
  if (__builtin_cpu_supports("avx512f")) found.push_back("AVX-512");
#elif defined(__aarch64__)
  found.push_back("NEON");
#endif
  return found.empty() ? "baseline" : joined(found);
}

std::string machine() {
#if defined(__x86_64__)
  return "x86-64";
#elif defined(__aarch64__)
  return "aarch64";
#else
  return "unknown processor";
#endif
}

// The same 100 steps of random play from the same seed.
uint64_t played(const std::string& env, const std::shared_ptr<Device>& device) {
  BatchOptions options;
  options.num_envs = 64;
  const std::unique_ptr<VecEnv> batch = make(env, device, options);
  batch->reset(0);
  for (uint32_t step = 0; step < 100; ++step) {
    batch->random_actions(batch->observations().avail_actions, batch->actions(), key(1), step);
    batch->step(batch->actions());
  }
  return batch->state_hash();
}

// Only a GPU that gives the processor's bits is worth having.
std::string check_gpu(int index) {
  const std::shared_ptr<Device> gpu = open_device("cuda:" + std::to_string(index));
  const std::shared_ptr<Device> cpu = open_device("cpu");
  const std::vector<std::string> envs = env_ids();
  if (envs.empty()) return gpu->name();
  if (played(envs.front(), gpu) != played(envs.front(), cpu)) {
    throw MachineError("100 steps of " + envs.front(), gpu->name() + " and the CPU came to different states");
  }
  return gpu->name() + "; 100 steps of " + envs.front() + " end as on the CPU; matrix products by " +
         make_matmul(gpu)->name();
}

// Runs are written below the present folder; nothing is left there that was not there before.
std::string check_runs_folder() {
  namespace fs = std::filesystem;
  const std::string folder = "runs";
  const bool there = fs::exists(folder);
  const std::string probe = (there ? folder : ".") + std::string("/.throng-doctor");
  write_file_atomically(probe, "written by throng doctor\n");
  fs::remove(probe);
  const auto free = static_cast<double>(fs::space(".").available);
  return fs::absolute(folder).lexically_normal().string() + " can be written, " + compact(free) + "B free";
}

std::vector<Finding> look_around() {
  const std::shared_ptr<Device> cpu = open_device("cpu");
  std::vector<Finding> findings = {
      {"throng", true, kVersion},
      {"environments", true,
       std::to_string(registered_envs().size()) + ", " + std::to_string(env_ids().size()) + " scenarios"},
      {"cpu", true,
       cpu->name() + " of " + std::to_string(std::thread::hardware_concurrency()) + ", " + machine() + ", " +
           instruction_sets()},
      attempt("matrix products", [&] { return make_matmul(cpu)->name(); }),
      {"cuda", true, cuda_status()}};
  for (int index = 0; index < cuda_device_count(); ++index) {
    findings.push_back(attempt("gpu " + std::to_string(index), [&] { return check_gpu(index); }));
  }
  findings.push_back(attempt("runs folder", check_runs_folder));
  return findings;
}

int doctor(bool json) {
  bool healthy = true;
  std::vector<std::vector<std::string>> rows;
  for (const Finding& finding : look_around()) {
    healthy = healthy && finding.ok;
    rows.push_back({finding.ok ? "ok" : "FAILED", finding.what, finding.detail});
    const nlohmann::ordered_json line = {{"check", finding.what}, {"ok", finding.ok}, {"detail", finding.detail}};
    if (json) print_line(line.dump());
  }
  if (!json) {
    for (const std::string& line : table(rows)) print_line(line);
  }
  return healthy ? 0 : 1;
}

}  // namespace

Action add_doctor(CLI::App& app) {
  const auto json = std::make_shared<bool>(false);
  app.add_flag("--json", *json, "one JSON object per finding");
  return [json] { return doctor(*json); };
}

}  // namespace throng
