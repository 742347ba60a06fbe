// A run: its folder is complete, it continues bit for bit, and it cannot be damaged by being killed.
#include "algos/trainer.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <set>

#include "core/env_entry.hpp"
#include "core/error.hpp"
#include "core/file.hpp"
#include "tests/algos/fake_learner.hpp"
#include "tests/envs/tiny/tiny.hpp"

namespace fs = std::filesystem;
using namespace throng;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::Message;
using Catch::Matchers::MessageMatches;
using Catch::Matchers::StartsWith;
using nlohmann::json;

namespace {

// An empty folder that disappears with the test.
class Folder {
 public:
  Folder() : path_(fs::temp_directory_path() / ("throng_trainer_" + std::to_string(::getpid()))) {
    fs::remove_all(path_);
    fs::create_directory(path_);
  }
  ~Folder() { fs::remove_all(path_); }
  std::string file(const std::string& name) const { return (path_ / name).string(); }

 private:
  fs::path path_;
};

// As on a full disk, writing past `bytes` first comes up short and then fails.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : old_handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    REQUIRE(::getrlimit(RLIMIT_FSIZE, &old_) == 0);
    const rlimit limit{bytes, old_.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &limit) == 0);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &old_);
    std::signal(SIGXFSZ, old_handler_);
  }

 private:
  void (*old_handler_)(int);
  rlimit old_ = {};
};

std::unique_ptr<VecEnv> make_tiny(const std::string& id, std::shared_ptr<Device> device, const BatchOptions& options,
                                  const json& config) {
  static const EnvEntry entry = make_entry<tiny::Env>("tiny", "{}");
  return entry.make(std::move(device), config, id, options);
}

// Ten updates of 4 environments x 8 steps.
Run tiny_run(const std::string& folder) {
  Run run;
  run.env = "tiny/default";
  run.env_config = {{"length", 5}, {"time_limit", 10}};
  run.device = "cpu";
  run.folder = folder;
  run.train.seed = 3;
  run.train.num_envs = 4;
  run.train.num_steps = 8;
  run.train.total_timesteps = 320;
  run.train.num_minibatches = 2;
  run.train.eval_episodes = 16;
  run.train.eval_interval = 4;
  run.train.checkpoint_interval = 3;
  return run;
}

std::unique_ptr<Trainer> begin(const Run& run) { return std::make_unique<Trainer>(run, make_tiny, make_fake_learner); }

std::unique_ptr<Trainer> resume(const std::string& folder) {
  return Trainer::resume(folder, make_tiny, "", make_fake_learner);
}

void update(Trainer& trainer, int times) {
  for (int i = 0; i < times; ++i) trainer.update();
}

std::vector<json> metrics(const std::string& folder) {
  std::vector<json> lines;
  std::ifstream file(folder + "/metrics.jsonl");
  for (std::string line; std::getline(file, line);) lines.push_back(json::parse(line));
  return lines;
}

// All that may differ between two equal runs.
std::vector<json> without_times(std::vector<json> lines) {
  for (json& line : lines) {
    line.erase("seconds");
    line.erase("charts/SPS");
  }
  return lines;
}

std::vector<std::string> checkpoint_files(const std::string& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder + "/checkpoints")) names.push_back(entry.path().filename());
  std::sort(names.begin(), names.end());
  return names;
}

// Changes one byte in the middle of the tensors.
void damage(const std::string& path) {
  std::string content = read_file(path);
  content[content.size() - 20] ^= 1;
  write_file_atomically(path, content);
}

}  // namespace

TEST_CASE("a run leaves a complete folder") {
  const Folder folder;
  const std::string path = folder.file("run");
  const auto trainer = begin(tiny_run(path));
  int updates = 0;
  CHECK(trainer->train([&](const Progress& now) { CHECK(now.update == ++updates); }, {}));
  CHECK(updates == 10);
  CHECK(trainer->finished());

  const json config = json::parse(read_file(path + "/config.json"));
  CHECK(config["env"] == "tiny/default");
  CHECK(config["env_version"] == "1");
  CHECK(config["env_config"] == json{{"length", 5}, {"time_limit", 10}});
  CHECK(config["device"] == "cpu");
  CHECK(config["train"]["gamma"] == 0.99);
  CHECK(config["train"].size() == write_config(TrainConfig()).size());
  CHECK(config.contains("throng"));

  const json report = json::parse(read_file(path + "/eval.json"));
  CHECK(report["timesteps"] == 320);
  CHECK(report["greedy"]["met"]["mean"] == 1.0);
  CHECK(report["sampled"]["episodes"] == 16);
  CHECK(report["sampled"]["seed"] == 3 + Trainer::kEvaluationSeed);
  int event_files = 0;
  for (const auto& entry : fs::directory_iterator(path)) {
    event_files += entry.path().filename().string().starts_with("events.out.tfevents.");
  }
  CHECK(event_files == 1);
  CHECK_THROWS_MATCHES(trainer->update(), Error, MessageMatches(ContainsSubstring("is finished")));
}

TEST_CASE("metrics have one line per update, by CleanRL's names") {
  const Folder folder;
  const std::string path = folder.file("run");
  begin(tiny_run(path))->train({}, {});
  const std::vector<json> lines = metrics(path);
  REQUIRE(lines.size() == 10);
  double rate = 1e-3f;
  for (size_t i = 0; i < lines.size(); ++i) {
    CHECK(lines[i]["update"] == i + 1);
    CHECK(lines[i]["timesteps"] == 32 * (i + 1));
    CHECK(lines[i]["charts/learning_rate"].get<float>() == static_cast<float>(rate * (1.0 - double(i) / 10)));
    CHECK(lines[i]["charts/SPS"].get<double>() > 0);
    CHECK(lines[i].contains("losses/policy_loss"));
    CHECK(lines[i]["losses/explained_variance"].is_null());
    const bool ended = lines[i]["charts/episodes"].get<int>() > 0;
    CHECK(lines[i].contains("charts/episodic_return") == ended);
    CHECK(lines[i].contains("met") == ended);
    CHECK(lines[i].contains("eval/sampled/episodic_return") == ((i + 1) % 4 == 0));
    CHECK(lines[i].contains("eval/greedy/met_ci95") == ((i + 1) % 4 == 0));
  }
}

TEST_CASE("the last two checkpoints and the best are kept") {
  const Folder folder;
  const std::string path = folder.file("run");
  const auto trainer = begin(tiny_run(path));
  trainer->train({}, {});
  double best = -1;
  int64_t best_timesteps = 0;
  for (const json& line : metrics(path)) {
    if (!line.contains("eval/sampled/episodic_return") || line["eval/sampled/episodic_return"] <= best) continue;
    best = line["eval/sampled/episodic_return"];
    best_timesteps = line["timesteps"];
  }
  if (trainer->evaluate(false).returns.at("reward").mean > best) best_timesteps = 320;
  const std::string best_name = "step_" + std::to_string(best_timesteps) + ".safetensors";
  std::set<std::string> expected = {"latest", "best", "step_288.safetensors", "step_320.safetensors", best_name};
  CHECK(checkpoint_files(path) == std::vector<std::string>(expected.begin(), expected.end()));
  CHECK(read_file(path + "/checkpoints/latest") == "step_320.safetensors\n");
  CHECK(read_file(path + "/checkpoints/best") == best_name + "\n");
  CHECK(read_checkpoint(best_checkpoint(path)).timesteps == best_timesteps);
}

TEST_CASE("a resumed run is the run that was never interrupted, bit for bit") {
  const Folder folder;
  const std::string straight = folder.file("straight"), broken = folder.file("broken");
  begin(tiny_run(straight))->train({}, {});
  const int interrupted_at = GENERATE_COPY(0, 3, 4, 6, 9);
  {
    const auto trainer = begin(tiny_run(broken));
    update(*trainer, interrupted_at);
    trainer->save();
    update(*trainer, interrupted_at == 0 || interrupted_at == 6 ? 1 : 0);  // and killed before the next checkpoint
  }
  const auto trainer = resume(broken);
  CHECK(trainer->update_count() == interrupted_at);
  CHECK(trainer->train({}, {}));

  CHECK(without_times(metrics(broken)) == without_times(metrics(straight)));
  CHECK(read_file(broken + "/eval.json") == read_file(straight + "/eval.json"));
  CHECK(read_file(broken + "/config.json") == read_file(straight + "/config.json"));
  CHECK(checkpoint_files(broken) == checkpoint_files(straight));
  for (const std::string& name : checkpoint_files(straight)) {
    INFO(name);
    const bool same_bytes = read_file(broken + "/checkpoints/" + name) == read_file(straight + "/checkpoints/" + name);
    CHECK(same_bytes);
  }
}

TEST_CASE("seconds go on where an earlier process ended") {
  const Folder folder;
  const std::string path = folder.file("run");
  update(*begin(tiny_run(path)), 3);
  write_file_atomically(path + "/metrics.jsonl", "{\"update\":3,\"seconds\":100.0}\n{\"update\":4,\"seco");
  CHECK(resume(path)->update().seconds > 100);
  const std::vector<json> lines = metrics(path);
  REQUIRE(lines.size() == 2);
  CHECK(lines[1]["update"] == 4);
}

TEST_CASE("what a killed process left half written is ignored and cleared away") {
  const Folder folder;
  const std::string path = folder.file("run"), leftover = path + "/checkpoints/step_96.safetensors.partial.1.0";
  update(*begin(tiny_run(path)), 3);
  std::ofstream(leftover) << "half";
  const auto trainer = resume(path);
  CHECK(trainer->update_count() == 3);
  update(*trainer, 3);
  CHECK_FALSE(fs::exists(leftover));
}

TEST_CASE("a checkpoint that was written but not yet named is not continued from, unless it is the only one") {
  const Folder folder;
  const std::string path = folder.file("run"), latest = path + "/checkpoints/latest";
  {
    Run run = tiny_run(path);
    run.train.eval_interval = 0;
    const auto trainer = begin(run);
    update(*trainer, 3);
    const std::string named = read_file(latest);
    update(*trainer, 3);
    write_file_atomically(latest, named);
  }
  CHECK(resume(path)->update_count() == 3);
  fs::remove(latest);
  CHECK(resume(path)->update_count() == 6);
}

TEST_CASE("a damaged checkpoint is refused, and an intact one is named") {
  const Folder folder;
  const std::string path = folder.file("run"), newest = path + "/checkpoints/step_192.safetensors";
  update(*begin(tiny_run(path)), 6);
  const std::string sound = read_file(newest);
  const std::string hint = "is intact: write this name into '" + path + "/checkpoints/latest' to continue from there";

  write_file_atomically(newest, std::string_view(sound).substr(0, sound.size() / 2));
  CHECK_THROWS_MATCHES(resume(path), Error,
                       MessageMatches(StartsWith("'" + newest + "' is not a sound safetensors file") &&
                                      ContainsSubstring("; step_128.safetensors " + hint)));
  write_file_atomically(newest, sound);
  damage(newest);
  CHECK_THROWS_MATCHES(resume(path), Error,
                       MessageMatches(StartsWith("'" + newest + "': its bytes have changed since it was written")));
  fs::remove(newest);
  CHECK_THROWS_MATCHES(resume(path), Error,
                       MessageMatches(ContainsSubstring("cannot open '" + newest) && ContainsSubstring(hint)));

  write_file_atomically(path + "/checkpoints/latest", "step_128.safetensors\n");
  CHECK(resume(path)->update_count() == 4);
  CHECK(metrics(path).size() == 4);
}

TEST_CASE("where no checkpoint helps, the message says so") {
  const Folder folder;
  const std::string path = folder.file("run");
  begin(tiny_run(path));
  CHECK_THROWS_MATCHES(resume(path), Error, Message("the run in '" + path + "' has no checkpoint yet"));
  fs::create_directory(path + "/checkpoints");
  write_safetensors(path + "/checkpoints/step_0.safetensors", {});
  CHECK_THROWS_MATCHES(resume(path), Error,
                       MessageMatches(ContainsSubstring("is not a checkpoint of throng: its metadata lack 'update'") &&
                                      ContainsSubstring("no other checkpoint of this run is intact")));
  write_file_atomically(path + "/checkpoints/latest", "../elsewhere\n");
  CHECK_THROWS_MATCHES(resume(path), Error,
                       Message("'" + path + "/checkpoints/latest' does not name a checkpoint"));
}

TEST_CASE("a checkpoint of other sizes does not fit, and says why") {
  const Folder folder;
  const std::string path = folder.file("run");
  update(*begin(tiny_run(path)), 3);
  Checkpoint checkpoint = read_latest_checkpoint(path);
  checkpoint.env.erase("state.goal");
  save_checkpoint(path, checkpoint);
  CHECK_THROWS_MATCHES(resume(path), Error,
                       Message("checkpoint of update 3 in '" + path +
                               "' does not fit the run: snapshot of tiny/default lacks 'state.goal'"));
}

TEST_CASE("a full disk fails the save and leaves the checkpoint before it") {
  const Folder folder;
  const std::string path = folder.file("run");
  Run run = tiny_run(path);
  run.train.eval_interval = 0;
  const auto trainer = begin(run);
  update(*trainer, 4);
  const std::vector<std::string> before = checkpoint_files(path);
  {
    const FileSizeLimit limit(100);
    CHECK_THROWS_AS(trainer->save(), MachineError);
  }
  CHECK(checkpoint_files(path) == before);
  CHECK(read_latest_checkpoint(path).update == 3);
  trainer->save();  // there is room again
  CHECK(read_latest_checkpoint(path).update == 4);
}

TEST_CASE("a full disk while logging leaves whole lines only") {
  const Folder folder;
  const std::string path = folder.file("metrics.jsonl");
  MetricsFile file(path);
  file.append({{"update", 1}});
  {
    const FileSizeLimit limit(20);
    CHECK_THROWS_AS(file.append({{"update", 2}, {"text", std::string(100, 'x')}}), MachineError);
  }
  file.append({{"update", 2}});
  CHECK(read_file(path) == "{\"update\":1}\n{\"update\":2}\n");
}

TEST_CASE("a folder that holds a run is not begun in, and one that holds none is not resumed") {
  const Folder folder;
  const std::string path = folder.file("run");
  { const auto trainer = begin(tiny_run(path)); }
  CHECK_THROWS_MATCHES(begin(tiny_run(path)), Error,
                       Message("'" + path + "' already holds a run: resume it, or choose another folder"));
  fs::create_directory(folder.file("empty"));
  CHECK_THROWS_MATCHES(resume(folder.file("empty")), Error,
                       Message("'" + folder.file("empty") + "' holds no run: there is no config.json in it"));
  CHECK_THROWS_AS(resume(folder.file("nowhere")), Error);
}

TEST_CASE("a run is written to by one process at a time") {
  const Folder folder;
  const std::string path = folder.file("run");
  const auto trainer = begin(tiny_run(path));
  trainer->save();
  CHECK_THROWS_MATCHES(resume(path), Error, Message("the run in '" + path + "' is being written to at this moment"));
}

TEST_CASE("unfit settings leave no folder behind") {
  const Folder folder;
  Run run = tiny_run(folder.file("run"));
  run.env_config["length"] = 1;
  CHECK_THROWS_AS(begin(run), Error);
  run = tiny_run(folder.file("run"));
  run.train.num_minibatches = 5;
  CHECK_THROWS_AS(begin(run), Error);
  CHECK_FALSE(fs::exists(folder.file("run")));
}

TEST_CASE("a run without a folder gets one that tells what it is, even twice in a second") {
  const Folder folder;
  const fs::path before = fs::current_path();
  fs::current_path(folder.file(""));
  {
    const auto first = begin(tiny_run("")), second = begin(tiny_run(""));
    CHECK_THAT(first->run().folder, StartsWith("runs/tiny_default__ippo__3__2"));
    CHECK(second->run().folder != first->run().folder);
    CHECK(fs::exists(second->run().folder + "/config.json"));
  }
  fs::current_path(before);
}

TEST_CASE("config.json is refused where it does not say what the run is") {
  json config = json::parse(tiny_run("").to_json().dump());
  const Run same = Run::from_json(config, "here");
  CHECK(same.to_json() == tiny_run("").to_json());
  config.erase("device");
  CHECK_THROWS_MATCHES(Run::from_json(config, "here"), Error, Message("here: lacks 'device'"));
  config["device"] = 1;
  CHECK_THROWS_MATCHES(Run::from_json(config, "here"), Error, Message("here: 'device' must be a string"));
  config["device"] = "cpu";
  config["trains"] = 1;
  CHECK_THROWS_MATCHES(Run::from_json(config, "here"), Error,
                       MessageMatches(StartsWith("here: unknown key 'trains': did you mean 'train'?")));
}

TEST_CASE("a run of other rules is not continued") {
  const Folder folder;
  const std::string path = folder.file("run");
  update(*begin(tiny_run(path)), 3);
  json config = json::parse(read_file(path + "/config.json"));
  config["env_version"] = "0";
  write_file_atomically(path + "/config.json", config.dump());
  CHECK_THROWS_MATCHES(resume(path), Error,
                       Message("the run in '" + path + "' was trained under rules '0' of tiny/default, but these are '1'"));
}

TEST_CASE("stop ends after the update in progress and saves") {
  const Folder folder;
  const std::string path = folder.file("run");
  int updates = 0;
  {
    const auto trainer = begin(tiny_run(path));
    CHECK_FALSE(trainer->train([&](const Progress&) { ++updates; }, [&] { return updates == 5; }));
    CHECK(updates == 5);
  }
  CHECK(read_latest_checkpoint(path).update == 5);
  CHECK_FALSE(fs::exists(path + "/eval.json"));
  CHECK(resume(path)->train({}, {}));
  CHECK(metrics(path).size() == 10);
}

TEST_CASE("a loss or a parameter that is not finite stops the run, and the last good checkpoint stays") {
  const Folder folder;
  const std::string path = folder.file("run");
  const bool parameter = GENERATE(false, true);
  Run run = tiny_run(path);
  run.train.checkpoint_interval = 2;
  Trainer trainer(run, make_tiny, make_fake_learner);
  auto& learner = dynamic_cast<FakeLearner&>(trainer.learner());
  (parameter ? learner.broken_at : learner.not_finite_at) = 4;
  update(trainer, 3);
  CHECK_THROWS_MATCHES(trainer.update(), Error,
                       MessageMatches(StartsWith(parameter ? "checkpoint not saved: parameter 'actor,weights' holds"
                                                           : "update 4: losses/value_loss is")));
  CHECK(read_latest_checkpoint(path).update == 2);
}

TEST_CASE("evaluating in between changes nothing") {
  const Folder folder;
  const auto quiet = begin(tiny_run(folder.file("quiet"))), curious = begin(tiny_run(folder.file("curious")));
  update(*quiet, 2);
  curious->update();
  curious->evaluate(false);
  curious->evaluate(true);
  curious->update();
  CHECK(quiet->env().state_hash() == curious->env().state_hash());
  CHECK(without_times(metrics(folder.file("quiet"))) == without_times(metrics(folder.file("curious"))));
}
