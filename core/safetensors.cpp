// Writes safetensors as the reference implementation does, and trusts nothing that it reads.
#include "core/safetensors.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "core/config.hpp"
#include "core/error.hpp"
#include "core/file.hpp"

namespace throng {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

static_assert(std::endian::native == std::endian::little, "tensors are written as they lie in memory");

constexpr size_t kLengthBytes = 8;  // the header's length in front of it
constexpr size_t kAlignment = 8;
constexpr uint64_t kLongestHeader = 100'000'000;
constexpr const char* kMetadata = "__metadata__";

const std::map<std::string, uint64_t, std::less<>> kItemBytes = {
    {"F64", 8}, {"I64", 8}, {"U64", 8},  {"F32", 4}, {"I32", 4}, {"U32", 4}, {"F16", 2},
    {"I16", 2}, {"U16", 2}, {"BF16", 2}, {"I8", 1},  {"U8", 1},  {"BOOL", 1}};

uint64_t item_bytes(const std::string& dtype) {
  const auto found = kItemBytes.find(dtype);
  if (found != kItemBytes.end()) return found->second;
  std::vector<std::string> valid;
  for (const auto& [name, bytes] : kItemBytes) valid.push_back(name);
  throw_unknown("dtype", dtype, valid);
}

std::string shape_text(const std::vector<int64_t>& shape) { return json(shape).dump(); }

uint64_t byte_count(const std::string& dtype, const std::vector<int64_t>& shape) {
  uint64_t count = item_bytes(dtype);
  for (const int64_t extent : shape) {
    if (extent < 0 || __builtin_mul_overflow(count, static_cast<uint64_t>(extent), &count)) {
      throw Error("impossible shape " + shape_text(shape));
    }
  }
  return count;
}

// ---- reading ----

// One tensor as the header announces it; begin and end count from the first byte after the header.
struct Entry {
  std::string name;
  Tensor tensor;
  uint64_t begin;
  uint64_t end;
};

uint64_t natural(const json& value, const std::string& what) {
  if (!value.is_number_unsigned()) throw Error(what + " must be a natural number, found " + value.dump());
  return value.get<uint64_t>();
}

Entry read_entry(const std::string& name, const json& value) {
  const bool complete = value.is_object() && value.size() == 3 && value.contains("dtype") && value.contains("shape") &&
                        value.contains("data_offsets");
  if (!complete) throw Error("must have exactly dtype, shape and data_offsets");
  const json &dtype = value["dtype"], &shape = value["shape"], &offsets = value["data_offsets"];
  if (!dtype.is_string()) throw Error("dtype must be a string");
  if (!shape.is_array()) throw Error("shape must be a list");
  if (!offsets.is_array() || offsets.size() != 2) throw Error("data_offsets must be [begin, end]");
  Entry entry{name, {dtype.get<std::string>(), {}, {}}, natural(offsets[0], "begin"), natural(offsets[1], "end")};
  for (const json& extent : shape) {
    entry.tensor.shape.push_back(static_cast<int64_t>(natural(extent, "an extent")));
  }
  const uint64_t expected = byte_count(entry.tensor.dtype, entry.tensor.shape);
  if (entry.end < entry.begin || entry.end - entry.begin != expected) {
    throw Error("data_offsets " + offsets.dump() + " do not hold the " + std::to_string(expected) + " bytes of " +
                entry.tensor.dtype + " " + shape.dump());
  }
  return entry;
}

// Tensors must fill the data section without gap and overlap.
void check_layout(std::vector<Entry>& entries, uint64_t data_bytes) {
  std::sort(entries.begin(), entries.end(),
            [](const Entry& a, const Entry& b) { return std::pair(a.begin, a.end) < std::pair(b.begin, b.end); });
  uint64_t filled = 0;
  for (const Entry& entry : entries) {
    if (entry.begin != filled) {
      throw Error(std::string(entry.begin < filled ? "an overlap" : "a gap") + " before tensor '" + entry.name + "'");
    }
    filled = entry.end;
  }
  if (filled != data_bytes) {
    throw Error("tensors take " + std::to_string(filled) + " bytes, the file holds " + std::to_string(data_bytes) +
                " (cut short?)");
  }
}

std::map<std::string, std::string> read_metadata(const json& value) {
  if (!value.is_object()) throw Error("must be an object");
  std::map<std::string, std::string> metadata;
  for (const auto& [key, text] : value.items()) {
    if (!text.is_string()) throw Error("'" + key + "' must be a string");
    metadata[key] = text.get<std::string>();
  }
  return metadata;
}

std::string_view header_of(std::string_view content) {
  if (content.size() < kLengthBytes) throw Error("too short for a safetensors file");
  uint64_t length = 0;
  std::memcpy(&length, content.data(), kLengthBytes);
  if (length > kLongestHeader) throw Error("a header of " + std::to_string(length) + " bytes is too long");
  if (length > content.size() - kLengthBytes) throw Error("cut short within the header");
  const std::string_view header = content.substr(kLengthBytes, length);
  if (!header.starts_with('{')) throw Error("the header does not begin with '{'");
  return header;
}

SafeTensors parse(std::string_view content) {
  const std::string_view header = header_of(content);
  const std::string_view data = content.substr(kLengthBytes + header.size());
  const json announced = parse_json(header, "header");
  SafeTensors result;
  std::vector<Entry> entries;
  for (const auto& [name, value] : announced.items()) {
    try {
      if (name == kMetadata)
        result.metadata = read_metadata(value);
      else
        entries.push_back(read_entry(name, value));
    } catch (const Error& problem) {
      throw Error("'" + name + "': " + problem.what());
    }
  }
  check_layout(entries, data.size());
  for (Entry& entry : entries) {
    const auto bytes = std::as_bytes(std::span(data.substr(entry.begin, entry.end - entry.begin)));
    entry.tensor.data.assign(bytes.begin(), bytes.end());
    result.tensors[entry.name] = std::move(entry.tensor);
  }
  return result;
}

// ---- writing ----

using Item = const std::pair<const std::string, Tensor>*;

// Wide types first, so every tensor lies aligned in a mapped file; then by name.
std::vector<Item> in_file_order(const std::map<std::string, Tensor>& tensors) {
  std::vector<Item> items;
  for (const auto& item : tensors) items.push_back(&item);
  std::stable_sort(items.begin(), items.end(),
                   [](Item a, Item b) { return item_bytes(a->second.dtype) > item_bytes(b->second.dtype); });
  return items;
}

void check_writable(const std::string& name, const Tensor& tensor) {
  if (name == kMetadata) throw Error(std::string("no tensor can be called ") + kMetadata);
  try {
    tensor.check_size();
  } catch (const Error& problem) {
    throw Error("tensor '" + name + "': " + problem.what());
  }
}

ordered_json header_for(const std::vector<Item>& items, const std::map<std::string, std::string>& metadata) {
  ordered_json header = ordered_json::object();
  if (!metadata.empty()) header[kMetadata] = metadata;
  uint64_t offset = 0;
  for (const Item item : items) {
    const auto& [name, tensor] = *item;
    const uint64_t end = offset + tensor.data.size();
    header[name] = {{"dtype", tensor.dtype}, {"shape", tensor.shape}, {"data_offsets", {offset, end}}};
    offset = end;
  }
  return header;
}

// Padded, so that the data begins aligned.
std::string header_text(const ordered_json& header) {
  try {
    std::string text = header.dump();
    text.resize((text.size() + kAlignment - 1) / kAlignment * kAlignment, ' ');
    return text;
  } catch (const json::exception&) {
    throw Error("a name or metadata of a safetensors file is not UTF-8");
  }
}

}  // namespace

void Tensor::check_size() const {
  const uint64_t expected = byte_count(dtype, shape);
  if (data.size() != expected) {
    throw Error(dtype + " " + shape_text(shape) + " takes " + std::to_string(expected) + " bytes, not " +
                std::to_string(data.size()));
  }
}

void Tensor::check_dtype(const std::string& wanted) const {
  if (dtype != wanted) throw Error("a tensor of " + dtype + " was read as " + wanted);
}

const Tensor& SafeTensors::at(const std::string& name) const {
  const auto found = tensors.find(name);
  if (found != tensors.end()) return found->second;
  std::vector<std::string> valid;
  for (const auto& [valid_name, tensor] : tensors) valid.push_back(valid_name);
  throw_unknown("tensor", name, valid);
}

SafeTensors read_safetensors(const std::string& path) {
  const std::string content = read_file(path);
  try {
    return parse(content);
  } catch (const Error& problem) {
    throw Error("'" + path + "' is not a sound safetensors file: " + problem.what());
  }
}

void write_safetensors(const std::string& path, const SafeTensors& content) {
  for (const auto& [name, tensor] : content.tensors) check_writable(name, tensor);
  const std::vector<Item> items = in_file_order(content.tensors);
  const std::string header = header_text(header_for(items, content.metadata));
  const uint64_t length = header.size();
  std::vector<std::string_view> pieces = {{reinterpret_cast<const char*>(&length), kLengthBytes}, header};
  for (const Item item : items) {
    const auto& data = item->second.data;
    pieces.emplace_back(reinterpret_cast<const char*>(data.data()), data.size());
  }
  write_file_atomically(path, pieces);
}

}  // namespace throng
