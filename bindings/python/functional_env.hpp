// FunctionalEnv: a game whose batch lies wholly in the caller's arrays - state in, state out - as JAX wants it.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/vec_env.hpp"

namespace throng {

// An array of a batch: its name, its dtype as in safetensors ("BOOL" for flags), and its shape, where -1 is num_envs.
struct ArrayForm {
  std::string name, dtype;
  std::vector<int64_t> shape;

  size_t bytes(int num_envs) const;
};

// The one operation that all calls are: it changes `carried` in place, and fills `shown`, and after a step `outcomes`.
class FunctionalEnv {
 public:
  enum Operation { kObserve, kReset, kStep };

  // `plan` is JSON: {"id", "config", "autoreset", "time_limit", "final_obs"}; Error if anything in it is unknown.
  FunctionalEnv(const std::string& plan, const std::string& device);

  const EnvSpec& spec() const { return env_->spec(); }
  const std::vector<ArrayForm>& carried() const { return carried_; }    // what an environment is and keeps
  const std::vector<ArrayForm>& shown() const { return shown_; }        // what its next action meets
  const std::vector<ArrayForm>& outcomes() const { return outcomes_; }  // what came of a step

  // `before`: carried, as they are now; `arrays`: carried, shown, and for kStep outcomes, as they shall be. Where the two are not
  // the same memory, it is copied first. `input`: the mask of kReset, uint8 [env], of those that begin their next episode; the
  // actions of kStep. On a GPU the work is queued on `stream`.
  void call(Operation operation, int num_envs, const std::vector<const void*>& before, const std::vector<void*>& arrays,
            const void* input, void* stream);

 private:
  std::unique_ptr<VecEnv> env_;  // of one environment; only its rules are used, none of its memory
  bool final_obs_;
  std::mutex one_at_a_time_;  // a CUDA device has one stream
  std::vector<ArrayForm> carried_, shown_, outcomes_;
};

// One for each plan and device, made when first asked for and kept.
FunctionalEnv& functional_env(const std::string& plan, const std::string& device);

}  // namespace throng
