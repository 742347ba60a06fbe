// The fighters as plain numbers: frames, damage, boxes and speeds of every move, in one table that rules only read.
#pragma once

#include <cstdint>
#include <string>

#include "core/platform.hpp"

// Lengths and speeds are fixed point with 8 fractional bits: a pixel is 256 units, a frame 1/60 s. Boxes are whole pixels.
namespace throng::fighting {

inline constexpr int kPixel = 256;
inline constexpr int kMaxFighters = 16;
inline constexpr int kMaxShots = 4;  // kinds of projectile of one fighter

// The 15 moves that every fighter has: stand, crouch and jump normals, overhead, throw, specials, super, reversal.
enum MoveId : uint8_t { k5L, k5M, k5H, k2L, k2M, k2H, k6H, kJL, kJH, kTH, kSA, kSB, kSC, kSU, kRV, kNoMove };
inline constexpr int kNumMoves = kNoMove;
inline constexpr const char* kMoveNames[kNumMoves] = {"5L", "5M", "5H", "2L", "2M", "2H", "6H", "jL",
                                                      "jH", "TH", "SA", "SB", "SC", "SU", "RV"};

enum MoveKind : uint8_t { kStrike, kThrow, kCommandGrab, kProjectile, kCounter, kTeleport, kBackstep };
inline constexpr const char* kMoveKinds[] = {"strike", "throw", "cgrab", "proj", "counter", "teleport", "backstep"};

enum Height : uint8_t { kMid, kLow, kOverhead, kUnblockable };
inline constexpr const char* kHeights[] = {"mid", "low", "over", "throw"};

enum Knockdown : uint8_t { kNone, kSoft, kHard, kLaunch };
inline constexpr const char* kKnockdowns[] = {"none", "soft", "hard", "launch"};

// Letters of `cancel`: light into light, normal into a stronger normal, into a special, into the super.
enum Cancel : uint8_t { kIntoLight = 1, kIntoNormal = 2, kIntoSpecial = 4, kIntoSuper = 8 };

// What a move can be invulnerable to, the first letter of `inv`; kJumpers are strikes by attackers in the air.
enum Proof : uint8_t { kNothing, kStrikes, kProjectiles, kThrows, kJumpers, kEverything };

enum Charge : uint8_t { kNoCharge, kChargeBack, kChargeDown };

struct Move {
  uint8_t kind, startup, active, recovery;  // frames
  int16_t damage, chip, guard, cost;
  uint8_t hitstun, blockstun, hitstop, height;
  int16_t push_hit, push_block;        // units
  int16_t box_x, box_y, box_w, box_h;  // pixels, from the feet of a fighter that looks right; no box if w is 0
  uint8_t hits, gap, cancel, knockdown;
  int16_t launch_x, launch_y;
  uint8_t juggle, level;                // level: 1-3 normals, 4 special, 5 super and reversal
  uint8_t proof, proof_from, proof_to;  // both inclusive
  uint8_t armor_from, armor_to;         // to: exclusive
  uint8_t slide_from, slide_to;         // ground velocity window, to: exclusive
  int16_t slide_x;
  uint8_t rises, rise_frame, dives;
  int16_t rise_vy, dive_x, dive_y;
  int16_t range;  // throws: largest distance of the centres
  uint8_t air_only, air_ok;
  uint8_t shot;            // projectiles: index into FighterData::shots
  uint8_t motion, charge;  // motion mode: index into kMotions, and what is held before it

  THRONG_HD int frames() const { return startup + active + recovery; }
  THRONG_HD bool is_active(int frame) const { return frame >= startup && frame < startup + active; }
};

struct ShotData {
  int16_t speed, vy, damage, chip, push_hit, push_block, life;
  int16_t dx, y, w, h;  // pixels
  uint8_t hitstun, blockstun, durability, arm, knockdown, slot, gap;
};

// How a rule bot likes to play, 0 to 10.
struct Style {
  uint8_t zone, rush, jump, throws, overhead, low, special;
};

struct FighterData {
  char name[12];
  int16_t hp, walk_forward, walk_back;
  int16_t dash_speed, backdash_speed;
  uint8_t dash_frames, dash_cancel_from, backdash_frames, backdash_throw_proof;
  uint8_t prejump, push_half;
  int16_t jump_vy, gravity, jump_forward, jump_back;
  int16_t stand_w, stand_h, crouch_w, crouch_h, air_w, air_h;  // hurt boxes, pixels
  Style style;
  Move moves[kNumMoves];
  ShotData shots[kMaxShots];
  uint32_t attacks[2],
      dear_attacks[2];  // [in the air], a bit for each action: what may begin there; what also needs meter or a slot
};

struct Roster {
  int size = 0;
  FighterData fighters[kMaxFighters] = {};

  THRONG_HD const Move& move(int fighter, int id) const { return fighters[fighter].moves[id]; }
};

// The motions that a roster may name. Each digit is a direction on the number pad; 5 stands for neutral, which in "22" is
// passed through, and brackets for a charge.
inline constexpr const char* kMotions[] = {"",     "236",  "623",    "214",    "22",        "41236",
                                           "[4]6", "[2]8", "236236", "214214", "4123641236"};

// Reads a roster file, or the built-in one if `path` is empty. Host only. Throws Error that names file, fighter, move and key.
Roster load_roster(const std::string& path);
Roster parse_roster(const std::string& text, const std::string& where);

}  // namespace throng::fighting
