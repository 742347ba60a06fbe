// VecEnv: a batch of environments behind one virtual call per step; all that learners, Python and the CLI see of a game.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/canvas.hpp"
#include "core/device.hpp"
#include "core/rng.hpp"
#include "core/safetensors.hpp"
#include "core/spec.hpp"

namespace throng {

// What happens to an environment whose episode ended. `same_step`: it begins the next episode within the same step, and
// observations are already the new episode's. `next_step`: its next step ignores the action, resets, and reports reward 0
// and no flags. `disabled`: it stands still with reward 0 and its flags raised until it is reset by mask.
enum class Autoreset { same_step, next_step, disabled };
Autoreset autoreset_from(const std::string& name);
const char* name_of(Autoreset);

// What the next action meets. Device pointers, env-first and compact; a null pointer is not written.
struct Observations {
  void* obs = nullptr;               // [env, agent, obs_dim] of spec().obs_dtype
  uint8_t* avail_actions = nullptr;  // [env, agent, num_actions]
  uint8_t* active = nullptr;         // [env, agent], 1 = takes part (is alive)
  float* world_state = nullptr;      // [env, world_state_dim]
};

// What came of a step.
struct Outcomes {
  float* rewards = nullptr;       // [env, agent, objective]
  uint8_t* terminated = nullptr;  // [env, agent], the episode ended by the rules of the game
  uint8_t* truncated = nullptr;   // [env, agent], the episode was cut at the time limit
  uint8_t* ended = nullptr;       // [env], the episode is over; a null pointer is not written
};

// What is kept of an episode when it ends; rows of environments that did not end in the last step are older.
struct Finals {
  void* obs = nullptr;                // [env, agent, obs_dim], the observation in which the episode ended
  float* world_state = nullptr;       // [env, world_state_dim]
  float* episode_return = nullptr;    // [env, agent, objective]
  int32_t* episode_length = nullptr;  // [env], steps
  float* info = nullptr;              // [env, info]
};

// Averages over the episodes that ended since they were last taken.
struct EpisodeStatistics {
  int64_t episodes = 0;
  std::vector<double> returns;         // [objective], mean over agents and episodes
  double length = 0;                   // steps
  std::map<std::string, double> info;  // by name
};

// One launch of the batch kernel, and what it needs to know.
struct Call {
  enum Operation { kReset, kResetWhere, kStep, kObserve };
  Operation operation = kObserve;
  Autoreset autoreset = Autoreset::same_step;
  Key seed_key = {};              // kReset
  const uint8_t* mask = nullptr;  // kResetWhere, [env]
  const void* actions = nullptr;  // kStep, [env, agent, action_dim], int32 or float32
  Observations next;
  Outcomes outcome;
};

// What the batch, not the game, keeps of every environment.
struct Book {
  uint32_t* key = nullptr;      // [2, env], its random stream
  uint32_t* episode = nullptr;  // [env]
  int32_t* step = nullptr;      // [env], steps of this episode
  uint8_t* ended = nullptr;     // [env], 0 running, 1 terminated, 2 truncated
  float* returns = nullptr;     // [agent, objective, env], of the running episode
  float* totals = nullptr;      // [total, env]: episodes, returns per objective, length, info - since last taken
};

// What one launch works on: a batch's own memory, or a caller's who keeps all of it outside, as JAX does.
struct Memory {
  int num_envs = 0;
  std::vector<void*> state;  // in the order of VecEnv::state()
  Book book;
  Finals finals;
};

struct BatchOptions {
  int num_envs = 1;
  Autoreset autoreset = Autoreset::same_step;
  int time_limit = -1;  // steps; -1 = the game's own, 0 = none
  int first_env = 0;    // global number of environment 0: its random stream, for batches that are parts of a larger one
  int lanes = 0;        // GPU threads per environment: 1, 2, 4, 8, 16, 32; 0 = chosen by game and batch
  bool obs_bfloat16 = false;  // observations of float32 are rounded to bfloat16
  bool backwards = false;     // run every loop of the rules from its end (CPU; a test of the game)
};

// An array of the state, `[index, env]`, in device memory.
struct StateArray {
  std::string name;
  std::string dtype;  // as in safetensors
  int count;          // indices per environment
  size_t item_bytes;
  void* data;
};

class THRONG_API VecEnv {
 public:
  virtual ~VecEnv() = default;
  VecEnv(const VecEnv&) = delete;
  VecEnv& operator=(const VecEnv&) = delete;

  const EnvSpec& spec() const { return spec_; }
  int num_envs() const { return options_.num_envs; }
  int num_rows() const { return options_.num_envs * spec_.num_agents; }  // a row is one agent of one environment
  const BatchOptions& options() const { return options_; }
  Device& device() const { return *device_; }
  const std::shared_ptr<Device>& shared_device() const { return device_; }
  size_t bytes() const { return arena_.bytes(); }  // all device memory of this batch

  // The batch's own buffers; they never move. Filled by reset() and by the forms of step() that name no others.
  const Observations& observations() const { return observations_; }
  const Outcomes& outcomes() const { return outcomes_; }
  const Finals& finals() const { return finals_; }
  // [env, agent, action_dim], for callers that have no buffer of their own.
  void* actions() const { return actions_; }

  // Environment e begins its first episode; its random stream is fold_in(key(seed), first_env + e).
  void reset(uint64_t seed);
  // Equal blocks of environments, one for each seed: every block begins as a batch of its own does after reset(seed).
  virtual void reset_blocks(const std::vector<uint64_t>& seeds);
  // The environments with mask[e] != 0 begin their next episode. Device pointer, [env].
  void reset_where(const uint8_t* mask);
  // One transition of every environment: pointers in, one launch, pointers out; nothing is allocated or waited for.
  // `actions`: [env, agent, action_dim], int32 choices, or float32 where spec().continuous > 0.
  void step(const void* actions, const Observations& next, const Outcomes& outcome);
  void step(const void* actions) { step(actions, observations_, outcomes_); }
  // Whether a step is the same device work every time, so that a recording of it can be replayed.
  virtual bool replayable() const { return true; }
  // Writes what the present state looks like, without a transition.
  void observe(const Observations& out);
  // Draws a uniformly random legal action for every agent from `avail_actions`; `draw` numbers the draw.
  virtual void random_actions(const uint8_t* avail_actions, void* actions, Key key, uint32_t draw) = 0;

  // The same as so many times random_actions(observations().avail_actions, actions(), key, draw), with the draws counted up, and
  // step(actions()): bit for bit, but in one launch, and of what can be observed only what the last step leaves is written.
  virtual void step_random(int steps, Key key, uint32_t draw);

  // One launch over the caller's memory and as many environments as it holds; nothing of the batch's own is touched. Error
  // if there is more to it than what Memory holds.
  virtual void launch_over(const Call&, const Memory&);

  // What policy number `policy` of spec().policies chooses for every agent, for the present state; "random" reads
  // observations(). `draw` numbers the call: equal keys and draws give an environment equal choices in any batch.
  virtual void policy_actions(int policy, void* actions, Key key, uint32_t draw) = 0;
  // The same with a policy for each agent, `policies` [env, agent] in device memory; actions of those with a negative number
  // stay as they are.
  virtual void mixed_actions(const int32_t* policies, void* actions, Key key, uint32_t draw) = 0;
  int policy_named(const std::string& name) const;  // Error with the valid names

  // Gives every environment parameters of its own, from now on, and lets all begin their next episode if they have begun
  // any. `params`: num_envs() checked structs of the game; throng::vary() makes them of JSON. Error if sizes differ, or if
  // the game does not allow it. spec()'s bounds then hold for all, and its time_limit is the longest.
  virtual void vary(const void* params);
  virtual const void* params() const { return nullptr; }  // the game's struct that the batch was made with

  // A picture of environment `env` as it is, or as an agent sees it, drawn on the host; the longer side has `size` pixels.
  // Error if the game draws none (spec().renders, spec().renders_views).
  static constexpr int kWhole = -1;
  virtual Image render(int env, int size = 512, int agent = kWhole);
  // Pictures of the step that these actions would make now, for as many moments within it as the game knows. Changes
  // nothing. Host memory, [agent].
  virtual std::vector<Image> render_step(int env, const void* actions, int size = 512);

  // Statistics of the episodes that ended since the last call (waits for the device).
  EpisodeStatistics take_statistics();
  // The same in two halves, between which nobody has to wait. The sums go to host memory, [total, env], and begin anew; then
  // the averages of each of `blocks` equal blocks of environments are made of them.
  size_t num_sums() const { return size_t(num_totals()) * num_envs(); }
  void send_statistics(float* sums);
  std::vector<EpisodeStatistics> statistics_of(const float* sums, int blocks) const;

  // The state as a value. Equal hashes mean equal state bits, on any device and in any batch.
  const std::vector<StateArray>& state() const { return state_; }
  const std::vector<StateArray>& book() const { return book_arrays_; }  // what the batch keeps beside it: struct Book
  virtual std::vector<uint64_t> state_hashes();                         // [env]
  uint64_t state_hash();                                                // of all environments in order
  virtual std::map<std::string, Tensor> snapshot();                     // state, streams, counters and statistics
  virtual void restore(const std::map<std::string, Tensor>& from);  // Error, and no change, if anything does not fit
  Tensor state_tensor(const StateArray&);

 protected:
  VecEnv(std::shared_ptr<Device> device, EnvSpec spec, BatchOptions options);
  int num_totals() const { return 2 + spec_.num_objectives + static_cast<int>(spec_.info.size()); }
  void allocate();  // after the derived class has asked the arena for its state
  virtual void launch(const Call&) = 0;
  Call step_call(const void* actions, const Observations& next, const Outcomes& outcome) const;
  void check_picture(int env, int size, int agent = kWhole) const;
  void begin_all();  // reset_where() of all environments
  bool started_ = false;

  std::shared_ptr<Device> device_;
  EnvSpec spec_;
  BatchOptions options_;
  Arena arena_;
  std::vector<StateArray> state_;  // the game's
  std::vector<StateArray> book_arrays_;
  Book book_;
  Observations observations_;
  Outcomes outcomes_;
  Finals finals_;
  void* actions_ = nullptr;
};

}  // namespace throng
