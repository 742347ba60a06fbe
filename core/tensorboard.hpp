// Writes scalars for TensorBoard: the event file format by hand, without protobuf.
#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

namespace throng {

// One new file in `folder` per writer; TensorBoard reads all files of a folder as one run, so resuming just adds one.
// MachineError if the folder or the file cannot be written.
class EventWriter {
 public:
  explicit EventWriter(const std::string& folder);

  void scalar(std::string_view tag, float value, int64_t step);

  // Hands everything so far to the system; the destructor does it too, but cannot report a failure.
  void flush();

 private:
  void write_record(std::string_view event);

  std::string path_;
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file_;
};

}  // namespace throng
