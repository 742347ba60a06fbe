// Reading a roster file: every number is checked, named and turned into fixed point.
#include "envs/fighting/roster.hpp"

#include <cmath>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <span>

#include "core/config.hpp"
#include "core/error.hpp"
#include "envs/fighting/input.hpp"

namespace throng {
extern const char* const k_fighting_roster;
}

namespace throng::fighting {
namespace {

using nlohmann::json;

// One JSON object of the file, read key by key; what was not asked for is refused at the end.
class Reader {
 public:
  Reader(const json& object, std::string where) : object_(object), where_(std::move(where)) {
    if (!object.is_object()) throw Error(where_ + ": must be an object");
  }

  const std::string& where() const { return where_; }
  bool has(const char* key) {
    known_.insert(key);
    return object_.contains(key);
  }
  const json& at(const char* key) {
    if (!has(key)) throw Error(where_ + ": '" + key + "' is missing");
    return object_.at(key);
  }
  Reader object(const char* key) { return {at(key), where_ + "." + key}; }

  [[noreturn]] void refuse(const char* key, const std::string& why) const {
    throw Error(where_ + ": '" + key + "' " + why);
  }

  template <class T>
  void integer(const char* key, T& to, int lowest, int highest) {
    to = static_cast<T>(whole(key, at(key), lowest, highest));
  }
  template <class T>
  void integer(const char* key, T& to, int lowest, int highest, int absent) {
    to = static_cast<T>(has(key) ? whole(key, at(key), lowest, highest) : absent);
  }
  void speed(const char* key, int16_t& to) { to = fixed(key, at(key), kFastest); }
  void flag(const char* key, uint8_t& to) {
    if (has(key) && !at(key).is_boolean()) refuse(key, "must be true or false");
    to = has(key) && at(key).get<bool>();
  }
  void word(const char* key, std::span<const char* const> words, uint8_t& to) {
    const std::string name = text(key);
    for (size_t i = 0; i < words.size(); ++i) {
      if (name == words[i]) return void(to = static_cast<uint8_t>(i));
    }
    throw_unknown(key, name, {words.begin(), words.end()}, where_);
  }
  std::string text(const char* key) {
    if (!at(key).is_string()) refuse(key, "must be text");
    return at(key).get<std::string>();
  }
  const json& list(const char* key, size_t length) {
    if (!at(key).is_array() || at(key).size() != length)
      refuse(key, "must be a list of " + std::to_string(length) + " numbers");
    return at(key);
  }
  int whole(const char* key, const json& value, int lowest, int highest) const {
    if (!value.is_number_integer() || value < lowest || value > highest)
      refuse(key, "is " + value.dump() + "; valid: " + std::to_string(lowest) + " to " + std::to_string(highest));
    return value.get<int>();
  }
  // Pixels to units, halves rounded away from zero.
  int16_t fixed(const char* key, const json& value, double largest) const {
    if (!value.is_number() || std::abs(value.get<double>()) > largest)
      refuse(key, "is " + value.dump() + "; valid: numbers up to " + std::to_string(static_cast<int>(largest)));
    return static_cast<int16_t>(std::lround(value.get<double>() * kPixel));
  }
  void finish() const {
    for (const auto& [key, value] : object_.items()) {
      if (!known_.count(key)) throw_unknown("key", key, {known_.begin(), known_.end()}, where_);
    }
  }

  static constexpr double kFastest = 12;  // pixels per frame

 private:
  const json& object_;
  std::string where_;
  std::set<std::string> known_;
};

constexpr int kLongestPush = 100;  // pixels

// "s0-7": a letter and two frames.
void read_proof(Reader& in, Move& m) {
  if (!in.has("inv") || in.text("inv").empty()) return;
  const std::string text = in.text("inv"), letters = "-sptha";
  int from = 0, to = 0, end = 0;
  if (std::sscanf(text.c_str() + 1, "%d-%d%n", &from, &to, &end) != 2 || size_t(end) + 1 != text.size() ||
      letters.find(text[0], 1) == std::string::npos || from < 0 || to < from || to > 255) {
    in.refuse("inv", "is '" + text + "'; valid: one of s p t h a and two frames, such as s0-7");
  }
  m.proof = static_cast<uint8_t>(letters.find(text[0]));
  m.proof_from = static_cast<uint8_t>(from);
  m.proof_to = static_cast<uint8_t>(to);
}

void read_cancel(Reader& in, Move& m) {
  for (char letter : in.text("cancel")) {
    const size_t bit = std::string("cnsu").find(letter);
    if (bit == std::string::npos) in.refuse("cancel", "has a letter that is none of c n s u");
    m.cancel |= static_cast<uint8_t>(1 << bit);
  }
}

void read_travel(Reader& in, Move& m) {
  if (in.has("vel") && !in.at("vel").empty()) {
    if (in.at("vel").size() != 1) in.refuse("vel", "has more than one window");
    const json& window = in.at("vel")[0];
    if (!window.is_array() || window.size() != 4 || window[3] != 0) in.refuse("vel", "must be [[from, to, vx, 0]]");
    m.slide_from = static_cast<uint8_t>(in.whole("vel", window[0], 0, 255));
    m.slide_to = static_cast<uint8_t>(in.whole("vel", window[1], 0, 255));
    m.slide_x = in.fixed("vel", window[2], Reader::kFastest);
  }
  if (in.has("rise")) {
    m.rises = 1;
    m.rise_frame = static_cast<uint8_t>(in.whole("rise", in.list("rise", 2)[0], 0, 255));
    m.rise_vy = in.fixed("rise", in.at("rise")[1], Reader::kFastest);
    if (m.rise_vy <= 0) in.refuse("rise", "must go up");
  }
  if (in.has("dive")) {
    m.dives = 1;
    m.dive_x = in.fixed("dive", in.list("dive", 2)[0], Reader::kFastest);
    m.dive_y = in.fixed("dive", in.at("dive")[1], Reader::kFastest);
    if (m.dive_y >= 0) in.refuse("dive", "must go down");
  }
}

void read_pushes(Reader& in, int16_t& hit, int16_t& block) {
  hit = in.fixed("push", in.list("push", 2)[0], kLongestPush);
  block = in.fixed("push", in.at("push")[1], kLongestPush);
}

ShotData read_shot(Reader in) {
  ShotData s = {};
  in.speed("speed", s.speed);
  in.speed("vy", s.vy);
  in.integer("dmg", s.damage, 0, 2000);
  in.integer("chip", s.chip, 0, 2000);
  read_pushes(in, s.push_hit, s.push_block);
  in.integer("life", s.life, 1, 3600);
  in.integer("dx", s.dx, -200, 200);
  in.integer("y", s.y, 0, 200);
  in.integer("w", s.w, 1, 200);
  in.integer("h", s.h, 1, 200);
  in.integer("hs", s.hitstun, 0, 250);
  in.integer("bs", s.blockstun, 0, 250);
  in.integer("dur", s.durability, 1, 50);
  in.integer("arm", s.arm, 0, 250);
  in.word("kd", kKnockdowns, s.knockdown);
  if (s.knockdown == kLaunch) in.refuse("kd", "of a projectile cannot be launch");
  in.integer("slot", s.slot, 0, 1);
  in.integer("gap", s.gap, 0, 250);
  in.finish();
  return s;
}

void read_box(Reader& in, Move& m) {
  const json& box = in.list("box", 4);
  int16_t* to[] = {&m.box_x, &m.box_y, &m.box_w, &m.box_h};
  for (int i = 0; i < 4; ++i) *to[i] = static_cast<int16_t>(in.whole("box", box[i], i < 2 ? -200 : 0, 200));
  if (m.box_x + m.box_w > 200 || m.box_y + m.box_h > 200) in.refuse("box", "reaches beyond 200");
}

void read_frames(Reader& in, Move& m) {
  in.word("kind", kMoveKinds, m.kind);
  in.integer("su", m.startup, 0, 255);
  in.integer("ac", m.active, 0, 255);
  in.integer("rc", m.recovery, 0, 255);
  if (m.frames() > 255 || m.frames() < 1) in.refuse("su", "+ ac + rc must be 1 to 255");
  in.integer("hits", m.hits, 1, 50, 1);
  in.integer("gap", m.gap, 0, 255, 0);
  if (m.hits > 1 && m.gap == 0) in.refuse("gap", "must be positive if there are several hits");
  if (in.has("armor")) {
    m.armor_from = static_cast<uint8_t>(in.whole("armor", in.list("armor", 2)[0], 0, 255));
    m.armor_to = static_cast<uint8_t>(in.whole("armor", in.at("armor")[1], 0, 255));
  }
  read_proof(in, m);
}

void read_input(Reader& in, Move& m, MoveId id) {
  const std::string motion = in.has("motion") ? in.text("motion") : "";
  if (id >= kSA && id <= kSU) in.word("motion", kMotions, m.motion);
  if (id >= kSA && id <= kSU && motion.empty()) in.refuse("motion", "must not be empty");
  if (!in.has("charge")) return;
  const std::string charge = in.text("charge");
  if (charge != "back" && charge != "down") in.refuse("charge", "must be back or down");
  m.charge = charge == "back" ? kChargeBack : kChargeDown;
}

Move read_move(Reader in, MoveId id, FighterData& fighter, int& shots) {
  Move m = {};
  read_frames(in, m);
  in.integer("dmg", m.damage, 0, 2000);
  in.integer("chip", m.chip, 0, 2000, 0);
  in.integer("guard", m.guard, 0, 100);
  in.integer("cost", m.cost, 0, 300, 0);
  in.integer("hs", m.hitstun, 0, 200);
  in.integer("bs", m.blockstun, 0, 250);
  in.integer("stop", m.hitstop, 0, 60);
  in.word("height", kHeights, m.height);
  read_pushes(in, m.push_hit, m.push_block);
  read_box(in, m);
  read_cancel(in, m);
  in.word("kd", kKnockdowns, m.knockdown);
  in.integer("jug", m.juggle, 1, 9);
  in.integer("lvl", m.level, 1, 5);
  if (in.has("launch")) {
    m.launch_x = in.fixed("launch", in.list("launch", 2)[0], Reader::kFastest);
    m.launch_y = in.fixed("launch", in.at("launch")[1], Reader::kFastest);
  }
  if (m.knockdown == kLaunch && m.launch_y <= 0) in.refuse("launch", "must go up");
  read_travel(in, m);
  in.integer("range", m.range, 1, 200, 0);
  if ((m.kind == kThrow || m.kind == kCommandGrab) && m.range == 0) in.refuse("range", "is missing for a throw");
  in.flag("air", m.air_only);
  in.flag("air_ok", m.air_ok);
  if ((id == kJL || id == kJH) != (m.air_only && m.level < 4)) in.refuse("air", "is for jL, jH and specials only");
  read_input(in, m, id);
  if ((m.kind == kProjectile) != in.has("proj")) in.refuse("proj", "belongs to moves of kind proj");
  if (m.kind == kProjectile) {
    if (shots == kMaxShots) in.refuse("proj", "is the fifth of this fighter; valid: at most 4");
    m.shot = static_cast<uint8_t>(shots);
    fighter.shots[shots++] = read_shot(in.object("proj"));
  }
  in.finish();
  return m;
}

void read_size(Reader& in, const char* key, int16_t& w, int16_t& h) {
  w = static_cast<int16_t>(in.whole(key, in.list(key, 2)[0], 2, 120));
  h = static_cast<int16_t>(in.whole(key, in.at(key)[1], 2, 120));
}

// Pixels in frames: the speed in units per frame.
int16_t dash_speed(Reader& in, uint8_t& frames) {
  int distance;
  in.integer("frames", frames, 1, 120);
  in.integer("dist", distance, 1, 200);
  const double speed = double(distance) / frames;
  if (speed > Reader::kFastest) in.refuse("dist", "is too far for that many frames");
  return static_cast<int16_t>(std::lround(speed * kPixel));
}

void read_body(Reader& in, FighterData& f) {
  in.integer("hp", f.hp, 1, 5000);
  f.walk_forward = in.fixed("walk", in.list("walk", 2)[0], Reader::kFastest);
  f.walk_back = in.fixed("walk", in.at("walk")[1], Reader::kFastest);
  Reader dash = in.object("dash"), back = in.object("backdash"), jump = in.object("jump"), hurt = in.object("hurt");
  f.dash_speed = dash_speed(dash, f.dash_frames);
  dash.integer("cancel_from", f.dash_cancel_from, 0, 120);
  f.backdash_speed = dash_speed(back, f.backdash_frames);
  back.integer("throw_inv", f.backdash_throw_proof, 0, 120);
  jump.integer("prejump", f.prejump, 1, 20);
  jump.speed("vy", f.jump_vy);
  jump.speed("g", f.gravity);
  jump.speed("vx_f", f.jump_forward);
  jump.speed("vx_b", f.jump_back);
  if (f.jump_vy <= 0 || f.gravity <= 0) jump.refuse("vy", "and g must be positive");
  if (2 * f.jump_vy / f.gravity > 200) jump.refuse("g", "is so small that a jump takes more than 200 frames");
  read_size(hurt, "stand", f.stand_w, f.stand_h);
  read_size(hurt, "crouch", f.crouch_w, f.crouch_h);
  read_size(hurt, "air", f.air_w, f.air_h);
  in.integer("push_half", f.push_half, 4, 40);
  for (Reader* part : {&dash, &back, &jump, &hurt}) part->finish();
}

void read_style(Reader in, Style& s) {
  in.integer("zone", s.zone, 0, 10);
  in.integer("rush", s.rush, 0, 10);
  in.integer("jump", s.jump, 0, 10);
  in.integer("throw", s.throws, 0, 10);
  in.integer("over", s.overhead, 0, 10);
  in.integer("low", s.low, 0, 10);
  in.integer("spec", s.special, 0, 10);
  in.finish();
}

// Motion mode tells specials apart by their motion alone.
void check_motions(const FighterData& f, const std::string& where) {
  for (int a = kSA; a < kSU; ++a) {
    for (int b = a + 1; b <= kSU; ++b) {
      if (f.moves[a].motion == f.moves[b].motion)
        throw Error(where + ": " + kMoveNames[a] + " and " + kMoveNames[b] + " have the same motion");
    }
  }
}

FighterData read_fighter(Reader in) {
  FighterData f = {};
  const std::string name = in.text("name");
  if (name.empty() || name.size() >= sizeof f.name) in.refuse("name", "must have 1 to 11 letters");
  std::memcpy(f.name, name.data(), name.size());
  in.text("archetype");
  read_body(in, f);
  read_style(in.object("style"), f.style);
  Reader moves = in.object("moves");
  int shots = 0;
  for (int id = 0; id < kNumMoves; ++id) {
    f.moves[id] = read_move(moves.object(kMoveNames[id]), static_cast<MoveId>(id), f, shots);
  }
  moves.finish();
  in.finish();
  check_motions(f, in.where());
  derive_attacks(f);
  return f;
}

}  // namespace

Roster parse_roster(const std::string& text, const std::string& where) {
  const json file = parse_json(text, where);
  Reader in(file, where);
  if (in.at("version") != 1) in.refuse("version", "must be 1");
  if (in.at("order") != json(std::vector<std::string>(std::begin(kMoveNames), std::end(kMoveNames))))
    in.refuse("order", "must list the 15 moves in their order");
  const json& fighters = in.at("fighters");
  in.finish();
  if (!fighters.is_array() || fighters.empty() || fighters.size() > kMaxFighters)
    in.refuse("fighters", "must be a list of 1 to 16");
  Roster roster;
  std::set<std::string> names;
  for (const json& fighter : fighters) {
    const bool named = fighter.is_object() && fighter.contains("name") && fighter["name"].is_string();
    const std::string name = named ? fighter["name"].get<std::string>() : "";
    const std::string place = where + ": fighter " + (name.empty() ? std::to_string(roster.size) : name);
    if (!names.insert(name).second) throw Error(place + ": the name is taken");
    roster.fighters[roster.size++] = read_fighter(Reader(fighter, place));
  }
  return roster;
}

Roster load_roster(const std::string& path) {
  if (path.empty()) return parse_roster(k_fighting_roster, "the built-in roster");
  return parse_roster(parse_json_file(path).dump(), path);
}

}  // namespace throng::fighting
