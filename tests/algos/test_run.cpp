// A run and its folder: begun once, written to by one process, read back whole.
#include "algos/run.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "core/error.hpp"
#include "core/file.hpp"
#include "tests/algos/tiny_run.hpp"

namespace fs = std::filesystem;
using namespace throng;
using Catch::Matchers::Message;
using Catch::Matchers::MessageMatches;
using Catch::Matchers::StartsWith;
using nlohmann::json;

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
  CHECK_THROWS_MATCHES(
      resume(path), Error,
      Message("the run in '" + path + "' was trained under rules '0' of tiny/default, but these are '1'"));
}
