// metrics.jsonl: its names, one line per update, whole lines only.
#include "algos/metrics.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "core/error.hpp"
#include "core/file.hpp"
#include "tests/algos/tiny_run.hpp"

using namespace throng;
using nlohmann::json;

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

TEST_CASE("seconds go on where an earlier process ended") {
  const Folder folder;
  const std::string path = folder.file("run");
  update(*begin(tiny_run(path)), 3);
  write_file_atomically(path + "/metrics.jsonl", "{\"update\":3,\"seconds\":100.0}\n{\"update\":4,\"seco");
  CHECK(resume(path)->update()[0].seconds > 100);
  const std::vector<json> lines = metrics(path);
  REQUIRE(lines.size() == 2);
  CHECK(lines[1]["update"] == 4);
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
