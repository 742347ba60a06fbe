// Whole files through the system's own calls, because only these can sync and report a full disk.
#include "core/file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <utility>
#include <vector>

#include "core/error.hpp"

namespace throng {
namespace {

[[noreturn]] void fail(const std::string& call, const std::string& path,
                       const std::source_location& place = std::source_location::current()) {
  throw MachineError(call + " '" + path + "'", std::strerror(errno), place);
}

// A new file beside its final place; removed again unless it was renamed to there.
class Temporary {
 public:
  explicit Temporary(const std::string& target) {
    const std::string stem = target + ".partial." + std::to_string(::getpid()) + ".";
    for (int attempt = 0; descriptor_ < 0; ++attempt) {
      path_ = stem + std::to_string(attempt);
      descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
      if (descriptor_ < 0 && errno != EEXIST && errno != EINTR) fail("open", path_);
    }
  }

  ~Temporary() {
    if (descriptor_ >= 0) ::close(descriptor_);
    if (!renamed_) ::unlink(path_.c_str());
  }

  Temporary(const Temporary&) = delete;
  Temporary& operator=(const Temporary&) = delete;

  void write(std::string_view piece) {
    while (!piece.empty()) {
      const ssize_t written = ::write(descriptor_, piece.data(), piece.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) fail("write", path_);
      piece.remove_prefix(static_cast<size_t>(written));
    }
  }

  // Some file systems report a full disk only when the file is synced or closed.
  void rename_to(const std::string& target) {
    if (::fsync(descriptor_) != 0) fail("fsync", path_);
    const int descriptor = std::exchange(descriptor_, -1);
    if (::close(descriptor) != 0) fail("close", path_);
    if (::rename(path_.c_str(), target.c_str()) != 0) fail("rename", target);
    renamed_ = true;
  }

 private:
  std::string path_;
  int descriptor_ = -1;
  bool renamed_ = false;
};

// Makes the rename itself outlast a power cut. File systems that cannot sync a folder say so; there is no more to do then.
void sync_folder_of(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  const int descriptor = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;
  ::fsync(descriptor);
  ::close(descriptor);
}

}  // namespace

std::string read_file(const std::string& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rbe"), &std::fclose);
  if (!file) throw Error("cannot open '" + path + "': " + std::strerror(errno));
  std::string content;
  std::vector<char> buffer(size_t{1} << 18);
  while (const size_t count = std::fread(buffer.data(), 1, buffer.size(), file.get())) {
    content.append(buffer.data(), count);
  }
  if (std::ferror(file.get())) throw Error("cannot read '" + path + "': " + std::strerror(errno));
  return content;
}

void write_file_atomically(const std::string& path, std::span<const std::string_view> pieces) {
  struct stat old = {};
  if (::stat(path.c_str(), &old) == 0 && !S_ISREG(old.st_mode)) throw Error("'" + path + "' is not a regular file");
  Temporary temporary(path);
  for (const std::string_view piece : pieces) temporary.write(piece);
  temporary.rename_to(path);
  sync_folder_of(path);
}

void write_file_atomically(const std::string& path, std::string_view content) {
  write_file_atomically(path, std::span(&content, 1));
}

}  // namespace throng
