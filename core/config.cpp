// One field list read as JSON, written as JSON and described: the rules of conversion, type by type.
#include "core/config.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <concepts>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <type_traits>

#include "core/error.hpp"
#include "core/file.hpp"

namespace throng {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

template <class T>
concept Integer = std::integral<T> && !std::same_as<T, bool>;

// Where a value stands, for messages.
struct Place {
  const std::string& where;
  const char* key;
  Names names;

  std::vector<std::string> valid() const { return {names.begin(), names.end()}; }

  std::string words() const {
    std::string list;
    for (const char* name : names) list += (list.empty() ? "" : ", ") + std::string(name);
    return list;
  }
};

std::string shown(const json& value) {
  constexpr size_t kLongest = 60;
  const std::string text = value.dump(-1, ' ', false, json::error_handler_t::replace);
  return text.size() <= kLongest ? text : text.substr(0, kLongest) + "...";
}

[[noreturn]] void refuse(const Place& place, const std::string& expected, const std::string& found) {
  throw Error(place.where + ": '" + place.key + "' must be " + expected + ", found " + found);
}

// ---- reading: one function for each kind of member ----

void read(const json& value, bool& member, const Place& place) {
  if (!value.is_boolean()) refuse(place, "true or false", shown(value));
  member = value.get<bool>();
}

template <class T>
void read_in_range(auto number, const json& value, T& member, const Place& place) {
  if (!std::in_range<T>(number)) {
    using Limits = std::numeric_limits<T>;
    const std::string range = std::to_string(Limits::min()) + " to " + std::to_string(Limits::max());
    refuse(place, "an integer from " + range, shown(value));
  }
  member = static_cast<T>(number);
}

// 1e6 is how people write a million, so a float without a fraction is an integer too.
template <Integer T>
void read_number(const json& value, T& member, const Place& place) {
  constexpr double kTwoTo63 = 0x1p63, kTwoTo64 = 0x1p64;
  if (value.is_number_unsigned()) return read_in_range(value.get<uint64_t>(), value, member, place);
  if (value.is_number_integer()) return read_in_range(value.get<int64_t>(), value, member, place);
  const double number = value.is_number_float() ? value.get<double>() : 0.5;
  if (number != std::floor(number)) refuse(place, "an integer", shown(value));
  if (number < -kTwoTo63 || number >= kTwoTo64) refuse(place, "a smaller integer", shown(value));
  if (number < 0) return read_in_range(static_cast<int64_t>(number), value, member, place);
  read_in_range(static_cast<uint64_t>(number), value, member, place);
}

size_t index_of_word(const std::string& word, const Place& place) {
  const auto found = std::find(place.names.begin(), place.names.end(), word);
  if (found == place.names.end()) throw_unknown(place.key, word, place.valid(), place.where);
  return static_cast<size_t>(found - place.names.begin());
}

int index_of_name(const json& value, const Place& place) {
  if (!value.is_string()) refuse(place, "one of " + place.words(), shown(value));
  return static_cast<int>(index_of_word(value.get_ref<const std::string&>(), place));
}

template <Integer T>
void read(const json& value, T& member, const Place& place) {
  if (place.names.empty()) return read_number(value, member, place);
  member = static_cast<T>(index_of_name(value, place));
}

template <std::floating_point T>
void read(const json& value, T& member, const Place& place) {
  if (!value.is_number()) refuse(place, "a number", shown(value));
  const double number = value.get<double>();
  if (std::abs(number) > std::numeric_limits<T>::max()) refuse(place, "a smaller number", shown(value));
  member = static_cast<T>(number);
}

void read(const json& value, std::string& member, const Place& place) {
  if (!value.is_string()) refuse(place, "a string", shown(value));
  member = value.get<std::string>();
}

void read(const json& value, std::vector<int>& member, const Place& place) {
  if (!value.is_array()) refuse(place, "a list", shown(value));
  member.resize(value.size());
  for (size_t i = 0; i < member.size(); ++i) read(value[i], member[i], place);
}

// {"marine": 3, "zealot": 2}: so many of each word, in the order of the words.
template <Integer T>
void read_by_name(const json& value, ListView<T> list, const Place& place) {
  std::vector<size_t> counts(place.names.size(), 0);
  size_t total = 0;
  for (const auto& [word, count] : value.items()) {
    size_t& counted = counts[index_of_word(word, place)];
    read_number(count, counted, place);
    total += counted;
    if (counted > list.items.size() || total > list.items.size()) {
      refuse(place, "a list of at most " + std::to_string(list.items.size()), shown(value));
    }
  }
  std::fill(list.items.begin(), list.items.end(), T{});
  size_t end = 0;
  for (size_t word = 0; word < counts.size(); ++word) {
    for (size_t i = 0; i < counts[word]; ++i) list.items[end++] = static_cast<T>(word);
  }
  *list.size = static_cast<int>(end);
}

// {"marine": 12}: the numbers of these words, while those of the others stay.
template <std::floating_point T>
void read_by_name(const json& value, ListView<T> list, const Place& place) {
  for (const auto& [word, number] : value.items()) {
    const size_t index = index_of_word(word, place);
    if (index >= static_cast<size_t>(*list.size))
      refuse(place, "a list, as there is no number of " + word, shown(value));
    read(number, list.items[index], place);
  }
}

template <class T>
void read(const json& value, ListView<T> list, const Place& place) {
  if (value.is_object() && !place.names.empty()) return read_by_name(value, list, place);
  if (!value.is_array()) refuse(place, "a list", shown(value));
  if (value.size() > list.items.size()) {
    refuse(place, "a list of at most " + std::to_string(list.items.size()), std::to_string(value.size()) + " items");
  }
  for (size_t i = 0; i < value.size(); ++i) read(value[i], list.items[i], place);
  std::fill(list.items.begin() + value.size(), list.items.end(), T{});  // equal lists are equal bytes
  *list.size = static_cast<int>(value.size());
}

void read(const json& value, TextView text, const Place& place) {
  std::string letters;
  if (value.is_array()) {
    for (const json& line : value) {
      if (!line.is_string()) refuse(place, "a list of strings", shown(line));
      letters += line.get<std::string>() + "\n";
    }
  } else {
    read(value, letters, place);
  }
  if (letters.size() > text.items.size()) {
    refuse(place, "at most " + std::to_string(text.items.size()) + " letters", std::to_string(letters.size()));
  }
  std::fill(std::copy(letters.begin(), letters.end(), text.items.begin()), text.items.end(), '\0');
  *text.size = static_cast<int>(letters.size());
}

// ---- writing ----

ordered_json written(bool member, const ConfigField&) { return member; }
ordered_json written(const std::string& member, const ConfigField&) { return member; }

template <Integer T>
ordered_json written(T member, const ConfigField& field) {
  if (field.names.empty()) return member;
  if (!std::in_range<size_t>(member) || static_cast<size_t>(member) >= field.names.size()) {
    throw Error(std::string("'") + field.name + "' has no word for " + std::to_string(member));
  }
  return field.names[member];
}

// The shortest decimal that reads back as the same float: 0.1, not 0.10000000149011612.
double shortest(float value) {
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, value).ptr;
  double result = value;
  std::from_chars(text, end, result);
  return static_cast<float>(result) == value ? result : value;
}

template <std::floating_point T>
ordered_json written(T member, const ConfigField& field) {
  if (!std::isfinite(member)) throw Error(std::string("'") + field.name + "' is not finite, which JSON cannot say");
  if constexpr (std::same_as<T, float>) return shortest(member);
  return member;
}

template <class Items>
ordered_json written_list(const Items& items, const ConfigField& field) {
  ordered_json list = ordered_json::array();
  for (const auto& item : items) list.push_back(written(item, field));
  return list;
}

ordered_json written(const std::vector<int>& member, const ConfigField& field) { return written_list(member, field); }

ordered_json written(TextView text, const ConfigField&) {
  return std::string(text.items.data(), static_cast<size_t>(*text.size));
}

template <class T>
ordered_json written(ListView<T> list, const ConfigField& field) {
  return written_list(list.items.first(static_cast<size_t>(*list.size)), field);
}

ordered_json written(const ConfigField& field) {
  return std::visit(
      [&](const auto& member) {
        if constexpr (std::is_pointer_v<std::decay_t<decltype(member)>>)
          return written(*member, field);
        else
          return written(member, field);
      },
      field.member);
}

// ---- describing ----

std::string scalar_type(bool) { return "bool"; }
std::string scalar_type(const std::string&) { return "string"; }
template <Integer T>
std::string scalar_type(T) {
  return "int";
}
template <std::floating_point T>
std::string scalar_type(T) {
  return "float";
}

struct TypeName {
  const ConfigField& field;

  template <class T>
  std::string scalar() const {
    return field.names.empty() || std::floating_point<T> ? scalar_type(T{}) : "choice";
  }
  template <class T>
  std::string operator()(T*) const {
    return scalar<T>();
  }
  std::string operator()(std::vector<int>*) const { return "list of " + scalar<int>(); }
  std::string operator()(TextView) const { return "text"; }
  template <class T>
  std::string operator()(ListView<T>) const {
    return "list of " + scalar<T>();
  }
};

// ---- text ----

// Lets the parser keep every value, and refuses the second of two equal keys, of which it would silently keep the last.
class RepeatedKeys {
 public:
  explicit RepeatedKeys(const std::string& where) : where_(where) {}

  bool operator()(int, json::parse_event_t event, const json& parsed) {
    if (event == json::parse_event_t::object_start) open_.emplace_back();
    if (event == json::parse_event_t::object_end) open_.pop_back();
    if (event == json::parse_event_t::key && !open_.back().insert(parsed.get<std::string>()).second) {
      throw Error(where_ + ": key " + shown(parsed) + " appears twice in one object");
    }
    return true;
  }

 private:
  const std::string& where_;
  std::vector<std::set<std::string>> open_;  // the keys of each object around the current place
};

// "[json.exception.parse_error.101] parse error at line 1, column 2: ..." without the library's brackets.
std::string without_tag(const std::string& message) {
  const size_t end = message.find("] ");
  return end == std::string::npos ? message : message.substr(end + 2);
}

[[noreturn]] void refuse_override(const std::string& text, const std::string& why) {
  throw Error("override '" + text + "': " + why);
}

// "a.b.c=1" -> a, b, c. All are checked before any is used, so a refused override leaves no half-made objects.
std::vector<std::string> keys_of(const std::string& text, size_t equals) {
  std::vector<std::string> keys;
  for (size_t begin = 0; begin <= equals;) {
    const size_t end = std::min(text.find('.', begin), equals);
    keys.push_back(text.substr(begin, end - begin));
    if (keys.back().empty()) refuse_override(text, "a part of the key is empty");
    begin = end + 1;
  }
  return keys;
}

}  // namespace

void read_fields(const std::vector<ConfigField>& fields, const json& object, const std::string& where) {
  if (object.is_null()) return;
  if (!object.is_object()) throw Error(where + ": must be an object, found " + shown(object));
  for (const auto& [key, value] : object.items()) {
    const auto field = std::find_if(fields.begin(), fields.end(), [&](const auto& f) { return f.name == key; });
    if (field == fields.end()) {
      std::vector<std::string> valid;
      for (const ConfigField& f : fields) valid.push_back(f.name);
      throw_unknown("key", key, valid, where);
    }
    const Place place{where, field->name, field->names};
    std::visit(
        [&, &value = value](auto member) {
          if constexpr (std::is_pointer_v<decltype(member)>)
            read(value, *member, place);
          else
            read(value, member, place);
        },
        field->member);
  }
}

void write_fields(const std::vector<ConfigField>& fields, ordered_json& object) {
  for (const ConfigField& field : fields) object[field.name] = written(field);
}

std::vector<FieldDoc> describe_fields(const std::vector<ConfigField>& fields) {
  std::vector<FieldDoc> docs;
  for (const ConfigField& field : fields) {
    const std::string type = std::visit(TypeName{field}, field.member);
    docs.push_back({field.name, type, written(field).dump(), field.doc, {field.names.begin(), field.names.end()}});
  }
  return docs;
}

json parse_json(std::string_view text, const std::string& where) {
  try {
    return json::parse(text, RepeatedKeys(where), /*allow_exceptions=*/true, /*ignore_comments=*/true);
  } catch (const json::exception& problem) {
    throw Error(where + ": " + without_tag(problem.what()));
  }
}

json parse_json_file(const std::string& path) { return parse_json(read_file(path), path); }

void apply_override(json& config, const std::string& text) {
  const size_t equals = text.find('=');
  if (equals == std::string::npos) refuse_override(text, "expected key=value");
  json* node = &config;
  for (const std::string& key : keys_of(text, equals)) {
    if (!node->is_object() && !node->is_null()) refuse_override(text, "no object to hold '" + key + "'");
    node = &(*node)[key];
  }
  const std::string value = text.substr(equals + 1);
  const json parsed = json::parse(value, nullptr, /*allow_exceptions=*/false);
  *node = parsed.is_discarded() ? json(value) : parsed;
}

void merge(json& config, const json& patch) { config.merge_patch(patch); }

}  // namespace throng
