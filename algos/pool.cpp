// Copies of parameters, and pool.json.
#include "algos/pool.hpp"

#include <filesystem>
#include <nlohmann/json.hpp>

#include "core/config.hpp"
#include "core/error.hpp"
#include "core/file.hpp"

namespace throng {

int Pool::add(Learner& learner) {
  const std::span<float> weights = learner.weights();
  auto block = std::make_unique<Block>(device_);
  block->arena.want(block->data, weights.size());
  block->arena.commit();
  device_->copy(block->data, weights.data(), weights.size_bytes());
  blocks_.push_back(std::move(block));
  return size() - 1;
}

void Pool::copy(int member, std::span<float> to) const {
  device_->copy(to.data(), blocks_[member]->data, to.size_bytes());
}

PoolEntry pool_entry(size_t n, Role role, int learner, int64_t timesteps) {
  const std::string number = std::to_string(n);
  const std::string zeros(number.size() < 4 ? 4 - number.size() : 0, '0');
  return {zeros + number + ".safetensors", name_of(role), learner, timesteps, 0};
}

std::string pool_path(const std::string& run_folder, const std::string& file) { return run_folder + "/pool/" + file; }

void save_pool(const std::string& run_folder, const std::vector<PoolEntry>& entries) {
  nlohmann::ordered_json members = nlohmann::ordered_json::array();
  for (const PoolEntry& entry : entries) {
    members.push_back({{"file", entry.file},
                       {"role", entry.role},
                       {"learner", entry.learner},
                       {"timesteps", entry.timesteps},
                       {"weight", entry.weight}});
  }
  std::filesystem::create_directories(run_folder + "/pool");
  write_file_atomically(pool_path(run_folder, "pool.json"),
                        nlohmann::ordered_json{{"members", members}}.dump(2) + "\n");
}

std::vector<PoolEntry> load_pool(const std::string& run_folder) {
  const std::string path = pool_path(run_folder, "pool.json");
  if (!std::filesystem::exists(path)) return {};
  std::vector<PoolEntry> entries;
  try {
    const nlohmann::json pool = parse_json_file(path);
    for (const nlohmann::json& member : pool.at("members")) {
      entries.push_back(
          {member.at("file"), member.at("role"), member.at("learner"), member.at("timesteps"), member.at("weight")});
    }
  } catch (const nlohmann::json::exception& problem) {
    throw Error(path + ": " + problem.what());
  }
  return entries;
}

}  // namespace throng
