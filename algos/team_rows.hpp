// The rows of sides of games, and what is moved between them and the rows of all agents. See algos/teams_unit.cpp.
#pragma once

#include "algos/grid.hpp"
#include "algos/teams.hpp"

namespace throng::team_rows {

// The rows of some sides, and where they are among those of all agents.
struct Rows {
  const int32_t* side = nullptr;  // [side], 2 * game + team
  int sides = 0, agents = 0;      // agents: rows of a side
  int all = 0, first = 0;         // agents of a game, and of its first team

  THRONG_HD int64_t count() const { return int64_t(sides) * agents; }
  bool fills_up() const { return agents > size(0) || agents > size(1); }
  THRONG_HD int game(int64_t row) const { return side[row / agents] / 2; }
  THRONG_HD int team(int64_t row) const { return side[row / agents] % 2; }
  THRONG_HD int64_t begin(int game, int team) const { return int64_t(game) * all + team * first; }
  THRONG_HD int size(int team) const { return team ? all - first : first; }
  // -1 for an agent that fills up a smaller team.
  THRONG_HD int64_t operator()(int64_t row) const {
    const int agent = static_cast<int>(row % agents);
    return agent < size(team(row)) ? begin(game(row), team(row)) + agent : -1;
  }
};

// `dim` items of each row: all, or only those of games whose flag is set.
template <class T>
void take(Device& device, Rows rows, const T* all, T* own, int dim, const uint8_t* where = nullptr) {
  if (!all || !own) return;
  Backend::each(device, rows.count() * dim, [=] THRONG_BODY(int64_t i) {
    const int64_t row = i / dim, from = rows(row);
    if (!where || where[rows.game(row)]) own[i] = from < 0 ? T() : all[from * dim + i % dim];
  });
}

template <class T>
void give(Device& device, Rows rows, const T* own, T* all, int dim) {
  Backend::each(device, rows.count() * dim, [=] THRONG_BODY(int64_t i) {
    const int64_t to = rows(i / dim);
    if (to >= 0) all[to * dim + i % dim] = own[i];
  });
}

// Items of any size.
inline void take_items(Device& device, Rows rows, const void* all, void* own, int dim, size_t bytes,
                       const uint8_t* where = nullptr) {
  if (bytes == 1) return take(device, rows, static_cast<const uint8_t*>(all), static_cast<uint8_t*>(own), dim, where);
  if (bytes == 2) return take(device, rows, static_cast<const uint16_t*>(all), static_cast<uint16_t*>(own), dim, where);
  take(device, rows, static_cast<const uint32_t*>(all), static_cast<uint32_t*>(own), dim, where);
}

// `dim` items of each side that its game has once.
template <class T>
void take_of_game(Device& device, Rows rows, const T* all, T* own, int dim, const uint8_t* where = nullptr) {
  if (!all || !own) return;
  Backend::each(device, int64_t(rows.sides) * dim, [=] THRONG_BODY(int64_t i) {
    const int game = rows.side[i / dim] / 2;
    if (!where || where[game]) own[i] = all[int64_t(game) * dim + i % dim];
  });
}

// The first choice of every head is what an agent can do that fills up a team.
inline void allow_nothing(Device& device, Rows rows, const Spec& spec, uint8_t* avail) {
  const FixedList<int, 4> heads = spec.heads;
  const int dim = spec.num_actions;
  Backend::each(device, rows.count(), [=] THRONG_BODY(int64_t row) {
    if (rows(row) >= 0) return;
    int at = 0;
    for (int head = 0; head == 0 || head < heads.size; ++head) {
      avail[row * dim + at] = 1;
      if (head < heads.size) at += heads[head];
    }
  });
}

// The episode of an agent that fills up a team ends with the others'.
inline void fill_flags(Device& device, Rows rows, const Outcomes& all, const Outcomes& to) {
  Backend::each(device, rows.count(), [=] THRONG_BODY(int64_t row) {
    const int64_t from = int64_t(rows.game(row)) * rows.all;
    to.terminated[row] = all.terminated[from];
    to.truncated[row] = all.truncated[from];
  });
}

// The first objective, less the mean of the other team's, halved.
inline void take_zero_sum(Device& device, Rows rows, const float* all, int objectives, float* own,
                          const uint8_t* where = nullptr) {
  Backend::each(device, rows.count(), [=] THRONG_BODY(int64_t row) {
    const int64_t from = rows(row);
    if (where && !where[rows.game(row)]) return;
    const int other = 1 - rows.team(row), others = rows.size(other);
    float sum = 0.0f;
    for (int a = 0; a < others; ++a) sum += all[(rows.begin(rows.game(row), other) + a) * objectives];
    own[row] = from < 0 ? 0.0f : (all[from * objectives] - sum / static_cast<float>(others)) * 0.5f;
  });
}

// Where an episode has just ended: flags that were not raised before. `raised` remembers those that stay up. [game]
inline void mark_ends(Device& device, Rows rows, int games, const Outcomes& all, bool stay, uint8_t* raised,
                      uint8_t* ends) {
  Backend::each(device, games, [=] THRONG_BODY(int64_t g) {
    const uint8_t flag = all.terminated[g * rows.all] | all.truncated[g * rows.all];
    ends[g] = flag && !raised[g];
    raised[g] = stay && flag;
  });
}

// One flag for each row.
inline void spread(Device& device, Rows rows, const uint8_t* per_game, uint8_t* per_row) {
  Backend::each(device, rows.count(), [=] THRONG_BODY(int64_t row) { per_row[row] = per_game[rows.game(row)]; });
}

// Of games, the flags of own sides.
inline void gather_mask(Device& device, int games, const int32_t* own_at, const uint8_t* mask, uint8_t* of_game) {
  Backend::each(device, games, [=] THRONG_BODY(int64_t g) {
    of_game[g] = 0;
    for (int team = 0; team < 2; ++team) {
      const int side = own_at[2 * g + team];
      if (side >= 0 && mask[side]) of_game[g] = 1;
    }
  });
}

// Lowers `raised`; in games that begin anew whatever was remembered is over.
inline void begin_anew(Device& device, int games, const uint8_t* mask, uint8_t* raised, uint8_t* ends) {
  Backend::each(device, games, [=] THRONG_BODY(int64_t g) {
    if (!mask || mask[g]) raised[g] = 0, ends[g] = 1;
  });
}

enum Result : uint8_t { kFirst, kSecond, kDrawn };

// Who won the episodes that have just ended.
struct Judge {
  Rows rows;
  int objectives, info_dim, won, drawn;  // the latter two: numbers of measures, or -1

  THRONG_HD float return_of(const Finals& finals, int game, int team) const {
    float sum = 0.0f;
    for (int a = 0; a < rows.size(team); ++a) {
      for (int o = 0; o < objectives; ++o) sum += finals.episode_return[(rows.begin(game, team) + a) * objectives + o];
    }
    return sum / static_cast<float>(rows.size(team));
  }

  THRONG_HD Result operator()(const Finals& finals, int game, bool truncated) const {
    const float* info = finals.info + int64_t(game) * info_dim;
    if (won < 0) {
      const float first = return_of(finals, game, 0), second = return_of(finals, game, 1);
      return first > second ? kFirst : first < second ? kSecond : kDrawn;
    }
    if (info[won] > 0.0f) return kFirst;
    return (drawn < 0 ? truncated : info[drawn] > 0.0f) ? kDrawn : kSecond;
  }
};

// `scores`: [3, game].
inline void judge(Device& device, Judge judge, int games, const uint8_t* ends, const Outcomes& all,
                  const Finals& finals, uint8_t* results, int32_t* scores) {
  Backend::each(device, games, [=] THRONG_BODY(int64_t g) {
    if (!ends[g]) return;
    results[g] = judge(finals, static_cast<int>(g), all.truncated[g * judge.rows.all] != 0);
    ++scores[int64_t(results[g]) * games + g];
  });
}

// Winning and drawing are the side's own, all else is the game's.
inline void take_info(Device& device, Judge judge, Rows rows, const float* all, const uint8_t* results, float* own,
                      const uint8_t* where) {
  const int dim = judge.info_dim;
  if (dim == 0) return;
  Backend::each(device, int64_t(rows.sides) * dim, [=] THRONG_BODY(int64_t i) {
    const int game = rows.side[i / dim] / 2, team = rows.side[i / dim] % 2, k = static_cast<int>(i % dim);
    if (!where[game]) return;
    own[i] = k == judge.won && team == 1 ? float(results[game] == kSecond) : all[int64_t(game) * dim + k];
  });
}

// As in Stepper::record: episodes, mean return of the side's agents, length, info.
inline void add_totals(Device& device, Rows rows, int objectives, int info, const uint8_t* ends, const Finals& finals,
                       float* totals) {
  Backend::each(device, rows.sides, [=] THRONG_BODY(int64_t v) {
    const int game = rows.side[v] / 2, agents = rows.size(rows.side[v] % 2);
    if (!ends[game]) return;
    float* total = totals + v;
    *total += 1.0f;
    for (int o = 0; o < objectives; ++o) {
      float sum = 0.0f;
      for (int a = 0; a < agents; ++a) sum += finals.episode_return[(v * rows.agents + a) * objectives + o];
      *(total += rows.sides) += sum / static_cast<float>(agents);
    }
    *(total += rows.sides) += static_cast<float>(finals.episode_length[v]);
    for (int i = 0; i < info; ++i) *(total += rows.sides) += finals.info[v * info + i];
  });
}

}  // namespace throng::team_rows
