// TFRecord framing around the few protobuf fields that a scalar needs.
#include "core/tensorboard.hpp"

#include <unistd.h>

#include <array>
#include <bit>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>

#include "core/error.hpp"

namespace throng {
namespace {

static_assert(std::endian::native == std::endian::little, "numbers are written as they lie in memory");

// ---- TFRecord: length, crc of the length, payload, crc of the payload ----

constexpr std::array<uint32_t, 256> crc_table() {
  constexpr uint32_t kCastagnoli = 0x82F63B78;  // reflected
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ (crc & 1 ? kCastagnoli : 0);
    table[i] = crc;
  }
  return table;
}

uint32_t crc32c(std::string_view bytes) {
  static constexpr std::array<uint32_t, 256> kTable = crc_table();
  uint32_t crc = ~0u;
  for (const char c : bytes) crc = (crc >> 8) ^ kTable[(crc ^ static_cast<unsigned char>(c)) & 0xff];
  return ~crc;
}

// Masked, because a crc over bytes that contain a crc is weak.
uint32_t masked_crc(std::string_view bytes) { return std::rotr(crc32c(bytes), 15) + 0xa282ead8u; }

template <class T>
std::string raw(T value) {
  std::string bytes(sizeof(T), '\0');
  std::memcpy(bytes.data(), &value, sizeof(T));
  return bytes;
}

// ---- protobuf: each field is a tag byte (number, wire type) and its value ----

enum WireType { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

std::string varint(uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes += static_cast<char>(value | 0x80);
  return bytes + static_cast<char>(value);
}

std::string tag_byte(int number, WireType type) { return std::string(1, static_cast<char>(number << 3 | type)); }

std::string field(int number, double value) { return tag_byte(number, kFixed64) + raw(value); }
std::string field(int number, float value) { return tag_byte(number, kFixed32) + raw(value); }
std::string field(int number, int64_t value) {
  return tag_byte(number, kVarint) + varint(static_cast<uint64_t>(value));
}
std::string field(int number, std::string_view value) {
  return tag_byte(number, kBytes).append(varint(value.size())).append(value);
}

// Field numbers of tensorboard/compat/proto/event.proto and summary.proto.
constexpr int kWallTime = 1, kStep = 2, kFileVersion = 3, kSummary = 5;
constexpr int kSummaryValue = 1, kValueTag = 1, kSimpleValue = 2;

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

// TensorBoard wants "tfevents" in the name and reads the files of a folder in the order of their names.
std::string file_name(int attempt) {
  char host[256] = "host";
  ::gethostname(host, sizeof host - 1);
  return "events.out.tfevents." + std::to_string(static_cast<int64_t>(seconds_now())) + "." + host + "." +
         std::to_string(::getpid()) + "." + std::to_string(attempt);
}

// "x": a file that exists is never written over.
File create_file(const std::string& folder, std::string& path) {
  std::error_code problem;
  std::filesystem::create_directories(folder, problem);
  if (problem) throw MachineError("create folder '" + folder + "'", problem.message());
  for (int attempt = 0;; ++attempt) {
    path = (std::filesystem::path(folder) / file_name(attempt)).string();
    File file(std::fopen(path.c_str(), "wbxe"), &std::fclose);
    if (file) return file;
    if (errno != EEXIST) throw MachineError("open '" + path + "'", std::strerror(errno));
  }
}

}  // namespace

EventWriter::EventWriter(const std::string& folder) : file_(create_file(folder, path_)) {
  write_record(field(kWallTime, seconds_now()) + field(kFileVersion, std::string_view("brain.Event:2")));
  flush();
}

void EventWriter::scalar(std::string_view tag, float value, int64_t step) {
  const std::string one = field(kValueTag, tag) + field(kSimpleValue, value);
  const std::string summary = field(kSummaryValue, std::string_view(one));
  write_record(field(kWallTime, seconds_now()) + field(kStep, step) + field(kSummary, std::string_view(summary)));
}

void EventWriter::flush() {
  if (std::fflush(file_.get()) != 0) throw MachineError("write '" + path_ + "'", std::strerror(errno));
}

void EventWriter::write_record(std::string_view event) {
  const std::string length = raw(static_cast<uint64_t>(event.size()));
  const std::string record = length + raw(masked_crc(length)) + std::string(event) + raw(masked_crc(event));
  if (std::fwrite(record.data(), 1, record.size(), file_.get()) != record.size()) {
    throw MachineError("write '" + path_ + "'", std::strerror(errno));
  }
}

}  // namespace throng
