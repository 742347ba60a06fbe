// What the fighting game remembers of one environment.
#pragma once

#include <cstdint>
#include <cstring>

#include "core/field.hpp"
#include "envs/fighting/fight.hpp"
#include "envs/fighting/params.hpp"

namespace throng::fighting {

inline constexpr int kFightWords = sizeof(Fight) / sizeof(uint32_t);
inline constexpr int kGlances = 32;  // frames that a rule bot can look back

struct State {
  Field<uint32_t> fight;        // [word, env], the words of a Fight
  Field<uint8_t> seat;          // [env], of agent 0
  Field<uint8_t> rung;          // [env], of the ladder
  Field<uint8_t> rounds;        // [env], rounds of this episode that are over
  Field<uint8_t> last_result;   // [env], Result of the round that ended last
  Field<uint8_t> match_result;  // [env], of the match that ended last
  Field<int32_t> dealt;         // [seat, env], damage in this episode, ten-thousandths of full health
  Field<uint64_t> history;      // [seat, env], the last eight inputs, the last in the lowest byte; with built-ins
  Field<uint64_t> glance;       // [seat * kGlances + frame, env], what a rule bot sees of a seat; with built-ins
  Field<uint8_t> glance_at;     // [env], the frame that is written next
  Field<uint32_t> past;         // [slot * kFightWords + word, env], what delayed and stacked observations show
  Field<uint8_t> past_at;       // [env], the slot that is written next, the oldest

  template <class V>
  THRONG_HD void fields(const Params& p, V&& v) {
    v("fight", fight, kFightWords);
    v("seat", seat, 1);
    v("rung", rung, 1);
    v("rounds", rounds, 1);
    v("last_result", last_result, 1);
    v("match_result", match_result, 1);
    v("dealt", dealt, 2);
    if (p.has_builtins()) {
      v("history", history, 2);
      v("glance", glance, 2 * kGlances);
      v("glance_at", glance_at, 1);
    }
    if (p.derived.past_slots > 0) {
      v("past", past, kFightWords * p.derived.past_slots);
      v("past_at", past_at, 1);
    }
  }

  THRONG_HD THRONG_CALLED_ON_GPU Fight load() const { return read_words(fight, 0); }
  THRONG_HD void load_word(int i, Fight& f) const {
    const uint32_t word = fight[i];
    memcpy(reinterpret_cast<unsigned char*>(&f) + 4 * i, &word, 4);
  }
  THRONG_HD THRONG_CALLED_ON_GPU void store(const Fight& f) const { write_words(f, fight, 0); }
  // The fight as it was so many decisions ago; 0 is now.
  THRONG_HD Fight recall(const Params& p, int decisions) const {
    const int slots = p.derived.past_slots;
    return decisions == 0 ? load() : read_words(past, (past_at[0] + slots - decisions) % slots * kFightWords);
  }
  THRONG_HD void remember(const Fight& f, int slot) const { write_words(f, past, slot * kFightWords); }

 private:
  static THRONG_HD Fight read_words(const Field<uint32_t>& from, int first) {
    Fight f;
    auto* bytes = reinterpret_cast<unsigned char*>(&f);
    for (int i = 0; i < kFightWords; ++i) {
      const uint32_t word = from[first + i];
      memcpy(bytes + 4 * i, &word, 4);
    }
    return f;
  }
  static THRONG_HD void write_words(const Fight& f, const Field<uint32_t>& to, int first) {
    const auto* bytes = reinterpret_cast<const unsigned char*>(&f);
    for (int i = 0; i < kFightWords; ++i) {
      uint32_t word;
      memcpy(&word, bytes + 4 * i, 4);
      to[first + i] = word;
    }
  }
};

}  // namespace throng::fighting
