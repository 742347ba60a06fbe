// Atomic writing: the old content or the new, never a half and never a leftover.
#include "core/file.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <csignal>
#include <filesystem>

#include "core/error.hpp"
#include "tests/full_disk.hpp"

namespace fs = std::filesystem;
using namespace throng;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::Message;
using Catch::Matchers::MessageMatches;

namespace {

// An empty folder that disappears with the test.
class Folder {
 public:
  Folder() : path_(fs::temp_directory_path() / ("throng_file_" + std::to_string(::getpid()))) {
    fs::remove_all(path_);
    fs::create_directory(path_);
  }
  ~Folder() { fs::remove_all(path_); }

  std::string file(const std::string& name) const { return (path_ / name).string(); }
  int count() const { return static_cast<int>(std::distance(fs::directory_iterator(path_), fs::directory_iterator())); }

 private:
  fs::path path_;
};

}  // namespace

TEST_CASE("a file is created, replaced and read back, zeros and all") {
  const Folder folder;
  const std::string path = folder.file("a.bin");
  write_file_atomically(path, "old");
  CHECK(read_file(path) == "old");
  const std::array<std::string_view, 3> pieces = {std::string_view("\0x\n", 3), std::string_view(), "tail"};
  write_file_atomically(path, pieces);
  CHECK(read_file(path) == std::string("\0x\ntail", 7));
  write_file_atomically(path, "");
  CHECK(read_file(path).empty());
  CHECK(folder.count() == 1);
}

TEST_CASE("a full disk leaves the old file and no temporary") {
  const Folder folder;
  const std::string path = folder.file("a.bin");
  write_file_atomically(path, "old");
  const std::string large(100000, 'x');
  {
    const FileSizeLimit limit(50000);
    CHECK_THROWS_MATCHES(write_file_atomically(path, large), MachineError,
                         MessageMatches(ContainsSubstring("write '" + path) && ContainsSubstring("too large (")));
  }
  CHECK(read_file(path) == "old");
  CHECK(folder.count() == 1);
  write_file_atomically(path, large);
  CHECK(read_file(path) == large);
}

TEST_CASE("a missing folder is the machine's failure, with its words") {
  const Folder folder;
  CHECK_THROWS_MATCHES(
      write_file_atomically(folder.file("no/a.bin"), "x"), MachineError,
      MessageMatches(ContainsSubstring("No such file or directory (") && ContainsSubstring("file.cpp:")));
}

TEST_CASE("devices and folders are never replaced") {
  const Folder folder;
  fs::create_directory(folder.file("sub"));
  CHECK_THROWS_MATCHES(write_file_atomically(folder.file("sub"), "x"), Error,
                       Message("'" + folder.file("sub") + "' is not a regular file"));
  CHECK_THROWS_AS(write_file_atomically("/dev/null", "x"), Error);
  CHECK(fs::is_character_file("/dev/null"));
  CHECK(folder.count() == 1);
}

TEST_CASE("what cannot be read is named") {
  const Folder folder;
  CHECK_THROWS_MATCHES(read_file(folder.file("none")), Error,
                       Message("cannot open '" + folder.file("none") + "': No such file or directory"));
  CHECK_THROWS_MATCHES(read_file(fs::temp_directory_path().string()), Error,
                       MessageMatches(ContainsSubstring("Is a directory")));
}
