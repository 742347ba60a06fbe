// Checkpoints: which are kept, which are refused, and that none is ever half of one.
#include "algos/checkpoint.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <fstream>
#include <set>

#include "core/error.hpp"
#include "core/file.hpp"
#include "tests/algos/tiny_run.hpp"

namespace fs = std::filesystem;
using namespace throng;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::Message;
using Catch::Matchers::MessageMatches;
using Catch::Matchers::StartsWith;

namespace {

// Changes one byte in the middle of the tensors.
void damage(const std::string& path) {
  std::string content = read_file(path);
  content[content.size() - 20] ^= 1;
  write_file_atomically(path, content);
}

}  // namespace

TEST_CASE("the last two checkpoints and the best are kept") {
  const Folder folder;
  const std::string path = folder.file("run");
  const auto trainer = begin(tiny_run(path));
  trainer->train({}, {});
  double best = -1;
  int64_t best_timesteps = 0;
  for (const nlohmann::json& line : metrics(path)) {
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
  CHECK_THROWS_MATCHES(resume(path), Error, Message("'" + path + "/checkpoints/latest' does not name a checkpoint"));
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
