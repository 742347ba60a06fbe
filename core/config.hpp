// Parameter structs to and from JSON, command line and documentation, all through the struct's one field list.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/fixed_list.hpp"

// A parameter struct:
//
// struct Params {
//   float gamma = 0.99f;
//   int attack_mode = 0;
//   template <class V> void fields(V&& field) {
//     field("gamma", gamma, "discount per step");
//     field("attack_mode", attack_mode, kAttackModes, "whom the enemies attack");   // const char* const kAttackModes[]
//   }
// };
namespace throng {

// The words of an enum-like field; the member holds an index into them. A list member holds several, and may also be given
// as {"word": how many of it}. A list of numbers has one for each word, and may also be given as {"word": number}, which
// changes only those.
using Names = std::span<const char* const>;

// A FixedList without its capacity in the type.
template <class T>
struct ListView {
  int* size;
  std::span<T> items;  // [capacity]
};

// A text inside a parameter struct is a FixedList<char, N>. In JSON it is a string, or a list of strings: its lines.
using TextView = ListView<char>;

using ConfigMember = std::variant<bool*, uint8_t*, int*, int64_t*, uint64_t*, float*, double*, std::string*,
                                  std::vector<int>*, ListView<float>, ListView<int>, ListView<uint8_t>, TextView>;

// One field of one parameter struct; points into it.
struct ConfigField {
  const char* name;
  ConfigMember member;
  Names names;  // empty unless enum-like
  const char* doc;
};

struct FieldDoc {
  std::string name;
  std::string type;           // "int", "list of float", "choice", ...
  std::string default_value;  // as JSON text
  std::string doc;
  std::vector<std::string> valid;  // the words of a choice
};

// Collects what a field list names.
struct FieldCollector {
  std::vector<ConfigField> fields;

  template <class T>
  static ConfigMember view(T& member) {
    return &member;
  }
  template <class T, int N>
  static ConfigMember view(FixedList<T, N>& list) {
    return ListView<T>{&list.size, list.items};
  }

  template <class T>
  void operator()(const char* name, T& member, const char* doc) {
    fields.push_back({name, view(member), {}, doc});
  }
  template <class T>
  void operator()(const char* name, T& member, Names names, const char* doc) {
    fields.push_back({name, view(member), names, doc});
  }
};

template <class P>
std::vector<ConfigField> config_fields(P& params) {
  FieldCollector collector;
  params.fields(collector);
  return std::move(collector.fields);
}

void read_fields(const std::vector<ConfigField>& fields, const nlohmann::json& object, const std::string& where);
void write_fields(const std::vector<ConfigField>& fields, nlohmann::ordered_json& object);
std::vector<FieldDoc> describe_fields(const std::vector<ConfigField>& fields);

// Reads the keys of `object` into `params`; absent keys keep their value, null is an empty object. On an unknown key or an
// unfit value throws Error that begins with `where` and leaves `params` as they were.
template <class P>
void read_config(P& params, const nlohmann::json& object, const std::string& where) {
  P changed = params;
  read_fields(config_fields(changed), object, where);
  params = std::move(changed);
}

// Every field in its order; read_config gives back the same bits. `Json` is a parameter only so that this header does not
// need the JSON library: who calls this includes <nlohmann/json.hpp>.
template <class P, class Json = nlohmann::ordered_json>
Json write_config(const P& params) {
  P copy = params;  // a field list names mutable members
  Json object = Json::object();
  write_fields(config_fields(copy), object);
  return object;
}

// What --help and the docs say about each field; the values in `params` count as the defaults.
template <class P>
std::vector<FieldDoc> describe_config(const P& params) {
  P copy = params;
  return describe_fields(config_fields(copy));
}

// Comments are allowed, a repeated key is not. Error names `where` (or the path) and the position.
nlohmann::json parse_json(std::string_view text, const std::string& where);
nlohmann::json parse_json_file(const std::string& path);

// "ppo.learning_rate=1e-3": sets one value, creating objects on the way. What is not JSON is taken as a string.
void apply_override(nlohmann::json& config, const std::string& text);

// Lays `patch` over `config`: objects key by key, everything else whole, null removes (JSON Merge Patch, RFC 7396).
void merge(nlohmann::json& config, const nlohmann::json& patch);

}  // namespace throng
