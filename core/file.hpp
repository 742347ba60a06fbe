// Whole files: read at once, written so that a reader sees the old content or the new, never a half.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace throng {

// Error if the file cannot be read.
std::string read_file(const std::string& path);

// Writes to a temporary name in the same folder, syncs and renames. MachineError if the machine fails (a full disk); the
// old file is then untouched and the temporary gone. Error if `path` is something other than a regular file.
void write_file_atomically(const std::string& path, std::string_view content);

// The same for content that lies in several pieces, which are written one after the other.
void write_file_atomically(const std::string& path, std::span<const std::string_view> pieces);

}  // namespace throng
