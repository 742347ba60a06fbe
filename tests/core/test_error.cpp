// Error messages: one line that says what was wrong and what would have been right.
#include "core/error.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

using namespace throng;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::Message;
using Catch::Matchers::MessageMatches;

TEST_CASE("nearest forgives a slip, a part and capitals, and does not guess wildly") {
  const std::vector<std::string> keys = {"gamma", "gae_lambda", "learning_rate", "num_envs", "num_steps"};
  CHECK(nearest("gama", keys) == "gamma");
  CHECK(nearest("Gamma", keys) == "gamma");
  CHECK(nearest("num-envs", keys) == "num_envs");
  CHECK(nearest("learning", keys) == "learning_rate");
  CHECK(nearest("rate", keys) == "learning_rate");
  CHECK(nearest("num_env", keys) == "num_envs");
  CHECK(nearest("zebra", keys) == "");
  CHECK(nearest("x", keys) == "");
  CHECK(nearest("", keys) == "");
  CHECK(nearest("gamma", {}) == "");
  CHECK(nearest("smax", {"smax/10m_vs_11m", "smax/3m", "beach"}) == "smax/3m");
}

TEST_CASE("an unknown word names the nearest and the valid ones") {
  CHECK_THROWS_MATCHES(throw_unknown("scenario", "smax/3n", {"smax/10m_vs_11m", "smax/3m"}), Error,
                       Message("unknown scenario 'smax/3n': did you mean 'smax/3m'? valid: smax/10m_vs_11m, smax/3m"));
  CHECK_THROWS_MATCHES(throw_unknown("device", "tpu", {"cpu", "cuda"}, "make"), Error,
                       Message("make: unknown device 'tpu': did you mean 'cpu'? valid: cpu, cuda"));
  CHECK_THROWS_MATCHES(throw_unknown("device", "abacus", {"cpu", "cuda"}), Error,
                       Message("unknown device 'abacus': valid: cpu, cuda"));
}

TEST_CASE("a long list keeps what begins like the word") {
  std::vector<std::string> valid;
  for (int i = 0; i < 30; ++i) valid.push_back("beach/" + std::to_string(i));
  for (int i = 0; i < 5; ++i) valid.push_back("smax/" + std::to_string(i) + "m");
  CHECK_THROWS_MATCHES(
      throw_unknown("scenario", "smax/9z", valid), Error,
      MessageMatches(ContainsSubstring("valid: smax/0m, smax/1m, smax/2m, smax/3m, smax/4m, beach/0,") &&
                     ContainsSubstring("beach/14, ... (35 in all)")));
}

TEST_CASE("a machine's failure says which call, what and where") {
  const int line = __LINE__ + 1;
  const MachineError error("cudaMalloc", "out of memory");
  const std::string place = "test_error.cpp:" + std::to_string(line) + ")";
  CHECK_THAT(error.what(), ContainsSubstring("cudaMalloc: out of memory (") && ContainsSubstring(place));
}
