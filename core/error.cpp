// Error messages that name what was wrong and what would have been right.
#include "core/error.hpp"

#include <algorithm>
#include <cctype>
#include <numeric>

namespace throng {
namespace {

constexpr size_t kLongestList = 20;

std::string lower(std::string_view word) {
  std::string result(word);
  for (char& c : result) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return result;
}

// Levenshtein: insertions, deletions and replacements of single characters, one row of the table at a time.
size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i + 1;
    for (size_t j = 0; j < b.size(); ++j) {
      const size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, diagonal + 1, row[j] + 1});
    }
  }
  return row.back();
}

// "rate" and "learning" both lead to "learning_rate"; a single letter leads nowhere.
bool is_part(std::string_view word, std::string_view whole) {
  return word.size() >= 2 && (whole.starts_with(word) || whole.ends_with(word));
}

size_t shared_prefix(std::string_view a, std::string_view b) {
  const size_t length = std::min(a.size(), b.size());
  return std::mismatch(a.begin(), a.begin() + length, b.begin()).first - a.begin();
}

// A long list keeps the words that begin most like the one asked for.
std::string list_valid(std::string_view word, std::vector<std::string> valid) {
  const size_t total = valid.size();
  if (total > kLongestList) {
    std::stable_sort(valid.begin(), valid.end(), [&](const std::string& a, const std::string& b) {
      return shared_prefix(word, a) > shared_prefix(word, b);
    });
    valid.resize(kLongestList);
  }
  std::string list;
  for (const std::string& name : valid) list += (list.empty() ? "" : ", ") + name;
  if (total > kLongestList) list += ", ... (" + std::to_string(total) + " in all)";
  return list;
}

std::string describe_failure(std::string_view call, std::string_view text, const std::source_location& place) {
  return std::string(call) + ": " + std::string(text) + " (" + place.file_name() + ":" + std::to_string(place.line()) +
         ")";
}

}  // namespace

MachineError::MachineError(std::string_view call, std::string_view text, const std::source_location& place)
    : std::runtime_error(describe_failure(call, text, place)) {}

std::string nearest(std::string_view word, const std::vector<std::string>& valid) {
  const std::string wanted = lower(word);
  size_t best_distance = (wanted.size() + 1) / 3 + 1;  // about one slip in three letters is still a slip
  size_t best_length = 0;
  std::string best;
  for (const std::string& name : valid) {
    const std::string candidate = lower(name);
    const size_t distance = is_part(wanted, candidate) ? 0 : edit_distance(wanted, candidate);
    const bool shorter = !best.empty() && name.size() < best_length;
    if (distance > best_distance || (distance == best_distance && !shorter)) continue;
    best_distance = distance;
    best_length = name.size();
    best = name;
  }
  return best;
}

void throw_unknown(std::string_view what, std::string_view word, const std::vector<std::string>& valid,
                   std::string_view where) {
  std::string text = where.empty() ? "" : std::string(where) + ": ";
  text += "unknown " + std::string(what) + " '" + std::string(word) + "'";
  const std::string guess = nearest(word, valid);
  if (!guess.empty()) text += ": did you mean '" + guess + "'?";
  text += (guess.empty() ? ": valid: " : " valid: ") + list_valid(word, valid);
  throw Error(text);
}

}  // namespace throng
