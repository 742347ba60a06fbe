// TensorBoard events, decoded by hand with a checksum of the test's own.
#include "core/tensorboard.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <map>
#include <vector>

#include "core/error.hpp"
#include "core/file.hpp"

namespace fs = std::filesystem;
using namespace throng;

namespace {

// An absent folder that disappears with the test.
class Folder {
 public:
  Folder() : path_(fs::temp_directory_path() / ("throng_events_" + std::to_string(::getpid()))) {
    fs::remove_all(path_);
  }
  ~Folder() { fs::remove_all(path_); }
  std::string path() const { return path_.string(); }

  std::vector<std::string> files() const {
    std::vector<std::string> files;
    for (const auto& entry : fs::directory_iterator(path_)) files.push_back(entry.path().string());
    return files;
  }

 private:
  fs::path path_;
};

// Bit by bit, straight from the definition.
uint32_t crc32c(const std::string& bytes) {
  uint32_t crc = 0xffffffff;
  for (const char c : bytes) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1) ? (crc >> 1) ^ 0x82f63b78 : crc >> 1;
  }
  return ~crc;
}

template <class T>
T take(std::string& bytes) {
  REQUIRE(bytes.size() >= sizeof(T));
  T value;
  std::memcpy(&value, bytes.data(), sizeof(T));
  bytes.erase(0, sizeof(T));
  return value;
}

std::string take_bytes(std::string& bytes, uint64_t count) {
  REQUIRE(bytes.size() >= count);
  const std::string taken = bytes.substr(0, count);
  bytes.erase(0, count);
  return taken;
}

void check_crc(const std::string& bytes, uint32_t masked) {
  const uint32_t crc = crc32c(bytes);
  CHECK(masked == ((crc >> 15) | (crc << 17)) + 0xa282ead8);
}

std::vector<std::string> read_records(const std::string& path) {
  std::string file = read_file(path);
  std::vector<std::string> records;
  while (!file.empty()) {
    const std::string length = file.substr(0, 8);
    const auto count = take<uint64_t>(file);
    check_crc(length, take<uint32_t>(file));
    records.push_back(take_bytes(file, count));
    check_crc(records.back(), take<uint32_t>(file));
  }
  return records;
}

uint64_t take_varint(std::string& bytes) {
  uint64_t value = 0;
  for (int shift = 0;; shift += 7) {
    const auto byte = take<uint8_t>(bytes);
    value |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
}

// protobuf: field number -> its value as raw bytes (a varint as eight).
std::map<int, std::string> fields_of(std::string bytes) {
  std::map<int, std::string> fields;
  while (!bytes.empty()) {
    const uint64_t tag = take_varint(bytes);
    std::string& value = fields[static_cast<int>(tag >> 3)];
    REQUIRE(value.empty());
    switch (tag & 7) {
      case 0: {
        const uint64_t number = take_varint(bytes);
        value.assign(reinterpret_cast<const char*>(&number), 8);
        break;
      }
      case 1: value = take_bytes(bytes, 8); break;
      case 2: value = take_bytes(bytes, take_varint(bytes)); break;
      case 5: value = take_bytes(bytes, 4); break;
      default: FAIL("unknown wire type");
    }
  }
  return fields;
}

struct Scalar {
  std::string tag;
  float value;
  int64_t step;
};

Scalar decode(const std::string& record) {
  auto event = fields_of(record);
  REQUIRE(event.size() == 3);
  CHECK(take<double>(event.at(1)) > 1.6e9);
  auto summary = fields_of(event.at(5));
  auto value = fields_of(summary.at(1));
  return {value.at(1), take<float>(value.at(2)), take<int64_t>(event.at(2))};
}

}  // namespace

TEST_CASE("the test's checksum gives the known answers of crc32c") {
  CHECK(crc32c("123456789") == 0xe3069283);
  CHECK(crc32c(std::string(32, '\0')) == 0x8a9136aa);
  CHECK(crc32c(std::string(32, '\xff')) == 0x62a8ab43);
}

TEST_CASE("scalars come out as they went in") {
  const Folder folder;
  const std::vector<Scalar> scalars = {{"charts/SPS", 1e9f, 0},         {"losses/value_loss", -0.25f, 1},
                                       {"charts/return", NAN, 127},     {std::string(300, 'x'), 0.0f, 128},
                                       {"big", 1.0f, int64_t{1} << 40}, {"negative", 2.0f, -1}};
  EventWriter writer(folder.path() + "/deep/run");
  for (const Scalar& scalar : scalars) writer.scalar(scalar.tag, scalar.value, scalar.step);
  writer.flush();

  const fs::path run = fs::path(folder.path()) / "deep/run";
  const auto file = fs::directory_iterator(run)->path();
  CHECK(file.filename().string().find("tfevents") != std::string::npos);
  const auto records = read_records(file.string());
  REQUIRE(records.size() == 1 + scalars.size());
  auto first = fields_of(records[0]);
  CHECK(take<double>(first.at(1)) > 1.6e9);
  CHECK(first.at(3) == "brain.Event:2");
  for (size_t i = 0; i < scalars.size(); ++i) {
    const Scalar read = decode(records[i + 1]);
    CHECK(read.tag == scalars[i].tag);
    CHECK(std::memcmp(&read.value, &scalars[i].value, sizeof(float)) == 0);
    CHECK(read.step == scalars[i].step);
  }
}

TEST_CASE("a resumed run adds a file and leaves the old one as it was") {
  const Folder folder;
  { EventWriter(folder.path()).scalar("a", 1, 1); }
  REQUIRE(folder.files().size() == 1);
  const std::string old_path = folder.files()[0], old_content = read_file(old_path);
  { EventWriter(folder.path()).scalar("a", 2, 2); }
  REQUIRE(folder.files().size() == 2);
  CHECK(read_file(old_path) == old_content);
  for (const std::string& path : folder.files()) CHECK(read_records(path).size() == 2);
}

TEST_CASE("a folder that cannot be made is the machine's failure") {
  CHECK_THROWS_AS(EventWriter("/dev/null/run"), MachineError);
}

TEST_CASE("a full disk is reported by flush") {
  const Folder folder;
  EventWriter writer(folder.path());
  writer.scalar("a", 1, 1);
  rlimit old = {};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &old) == 0);
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit limit{10, old.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &limit) == 0);
  CHECK_THROWS_AS(writer.flush(), MachineError);
  ::setrlimit(RLIMIT_FSIZE, &old);
  std::signal(SIGXFSZ, old_handler);
}
