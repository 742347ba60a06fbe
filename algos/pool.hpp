// Pool: the parameters of many policies of one network in device memory, and the folder in which a run keeps them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "algos/learner.hpp"
#include "algos/matchmaker.hpp"

namespace throng {

// Blocks of parameters that a learner can be made to act with.
class Pool {
 public:
  explicit Pool(std::shared_ptr<Device> device) : device_(std::move(device)) {}

  int size() const { return static_cast<int>(blocks_.size()); }
  // A copy of the learner's present parameters; gives its number.
  int add(Learner& learner);
  // Waits for nothing.
  void copy(int member, std::span<float> to) const;

 private:
  struct Block {
    explicit Block(std::shared_ptr<Device> device) : arena(std::move(device)) {}
    Arena arena;
    float* data = nullptr;
  };
  std::shared_ptr<Device> device_;
  std::vector<std::unique_ptr<Block>> blocks_;
};

// What pool/pool.json of a run says of a snapshot.
struct PoolEntry {
  std::string file;  // in the folder `pool`
  std::string role;
  int learner = 0;        // the player that it is a copy of
  int64_t timesteps = 0;  // that this player had learned from
  double weight = 0;      // in the mixture that the run's result is; all 0: the result is the latest policy
};

// Of the n-th snapshot; its file is called "0007.safetensors".
PoolEntry pool_entry(size_t n, Role role, int learner, int64_t timesteps);

std::string pool_path(const std::string& run_folder, const std::string& file);
void save_pool(const std::string& run_folder, const std::vector<PoolEntry>& entries);
std::vector<PoolEntry> load_pool(const std::string& run_folder);  // empty if the run has none

}  // namespace throng
