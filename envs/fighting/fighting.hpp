// Fighting: two fighters on a stage of 384 pixels, 60 frames a second; strike, block and throw, best of three rounds.
#pragma once

#include <cstdint>
#include <string>

#include "core/env.hpp"
#include "envs/fighting/bots.hpp"     // built-in opponents that follow rules
#include "envs/fighting/engine.hpp"   // one frame
#include "envs/fighting/observe.hpp"  // what is seen
#include "envs/fighting/params.hpp"   // settings
#include "envs/fighting/picture.hpp"  // what people see
#include "envs/fighting/planner.hpp"  // built-in opponents that play the game forward
#include "envs/fighting/screen.hpp"   // what networks see that look at pixels
#include "envs/fighting/state.hpp"    // what is remembered

// The game is the project's own; docs/envs/fighting.md has its rules. All arithmetic of the rules is on integers, and swapping
// the seats mirrors the game exactly.
namespace throng::fighting {

struct Pixels;

struct Env {
  using Views = Types<Pixels>;
  using Params = fighting::Params;
  using State = fighting::State;
  using Scratch = fighting::Scratch;

  const Params& p;
  State s;
  Scratch w;
  Lanes lanes;

  static constexpr const char* kVersion = "3";
  static constexpr const char* kInfo[] = {"won",          "drawn",   "rounds", "rung",       "damage_dealt",
                                          "damage_taken", "hits",    "blocks", "throws",     "techs",
                                          "counters",     "crushes", "whiffs", "taken_hits", "taken_throws"};

  THRONG_HD static Spec spec(const Params& p) {
    Spec spec;
    spec.num_agents = p.num_agents();
    spec.num_actions = p.inputs == kDirect ? kNumActions : kNumDirections + kNumButtons;
    if (p.inputs == kMotion) spec.heads = {2, {kNumDirections, kNumButtons}};
    spec.num_objectives = p.reward == kComponents ? 3 : 1;
    spec.obs_low = -4;
    spec.obs_high = 4;
    spec.lanes = p.has_planner() ? kRollouts : 1;
    return spec;
  }

  static std::string agent_name(const Params&, int agent) { return agent == 0 ? "player" : "opponent"; }

  static std::string objective_name(const Params& p, int objective) {
    constexpr const char* kParts[] = {"damage_dealt", "damage_taken", "round"};
    return p.reward == kComponents ? kParts[objective] : "reward";
  }

  // --- the beginning of an episode

  enum Purpose : uint32_t { kSideDraw, kFighterDraw, kRungDraw, kPlaceDraw, kMeterDraw, kHealthDraw, kBotDraw };

  THRONG_HD void reset(Rng rng) {
    lanes.once([&] {
      s.seat[0] = static_cast<uint8_t>(p.side == kAnySide ? rng.at(kSideDraw).below(0, 2) : p.side);
      s.rung[0] = static_cast<uint8_t>(first_rung(rng));
      s.rounds[0] = 0;
      s.last_result[0] = s.match_result[0] = static_cast<uint8_t>(Result::kRunning);
      s.dealt[0] = s.dealt[1] = 0;
      Fight f = {};
      seat_fighters(f, rng);
      begin_match(f, rng);
      s.store(f);
      if (p.has_builtins()) forget(f);
      if (p.derived.past_slots > 0) fill_past(f);
    });
  }

  THRONG_HD int first_rung(Rng rng) const {
    if (p.rung > 0) return p.rung;
    const float at = rng.at(kRungDraw).uniform(0);
    int rung = 1;
    while (rung < kNumRungs && at >= p.derived.rung_limit[rung - 1]) ++rung;
    return rung;
  }

  THRONG_HD void seat_fighters(Fight& f, Rng rng) const {
    int who[2];
    for (int agent = 0; agent < 2; ++agent) {
      who[agent] = p.derived.fighter[agent];
      if (who[agent] == kAnyFighter) {
        const bool on_ladder = agent == 1 && p.opponent == kRung;
        who[agent] =
            on_ladder ? p.derived.rung_fighter[s.rung[0] - 1] : rng.at(kFighterDraw).below(agent, p.fighters.size);
      }
      if (who[agent] == kSameFighter) who[agent] = who[0];
      f.fighter[seat_of(agent)].who = static_cast<uint8_t>(who[agent]);
    }
  }

  // The first round of a match is drawn within the ranges of the settings, later ones begin alike.
  THRONG_HD void begin_match(Fight& f, Rng rng) const {
    const Rng place = rng.at(kPlaceDraw);
    const int separation = p.separation_low + place.below(0, p.separation_high - p.separation_low + 1);
    const int offset = place.below(1, 2 * p.start_offset + 1) - p.start_offset;
    for (int seat = 0; seat < 2; ++seat) {
      f.fighter[seat].meter = static_cast<int16_t>(rng.at(kMeterDraw).below(seat, p.start_meter + 1));
    }
    begin_round(p.fighters, f, kStage / 2 + offset * kPixel, separation * kPixel);
    for (int seat = 0; seat < 2; ++seat) {
      const int share = p.start_health + rng.at(kHealthDraw).below(seat, 101 - p.start_health);
      f.fighter[seat].hp = static_cast<int16_t>(larger(f.fighter[seat].hp * share / 100, 1));
    }
    f.round = f.fighter[0].wins = f.fighter[1].wins = 0;
  }

  THRONG_HD void forget(const Fight& f) const {
    s.glance_at[0] = 0;
    for (int seat = 0; seat < 2; ++seat) {
      s.history[seat] = 0;
      for (int i = 0; i < kGlances; ++i) s.glance[seat * kGlances + i] = glance_of(f.fighter[seat]);
    }
  }

  THRONG_HD void fill_past(const Fight& f) const {
    for (int slot = 0; slot < p.derived.past_slots; ++slot) s.remember(f, slot);
    s.past_at[0] = 0;
  }

  // --- one step: a decision of both players, and frame_skip frames or the rest of the round

  THRONG_HD bool step(Actions actions, Rewards rewards, Rng rng) {
    if (p.has_builtins()) decide(rng.at(kBotDraw));
    lanes.once([&] { w.ended[0] = play(actions, rewards, rng); });
    return w.ended[0] != 0;
  }

  // Writes what the built-in players do.
  THRONG_HD void decide(Rng rng) {
    for (int agent = 0; agent < 2; ++agent) {
      if (p.agent_plays(agent)) continue;
      const int seat = seat_of(agent), player = player_of(agent);
      const Rng draws = rng.at(static_cast<uint32_t>(agent));
      if (p.planned_by(player) > 0 && draws.at(kPlanDraw).below(0, 100) < p.planned_by(player)) {
        plan(p, s, w, lanes, seat, draws);
      } else {
        lanes.once([&] { w.choice[seat] = static_cast<uint8_t>(builtin_action(p, s, seat, player, draws)); });
      }
    }
  }

  THRONG_HD bool play(Actions actions, Rewards rewards, Rng rng) {
    Fight& f = w.fight[0];
    f = s.load();
    if (p.derived.past_slots > 0) {
      s.remember(f, s.past_at[0]);
      s.past_at[0] = static_cast<uint8_t>((s.past_at[0] + 1) % p.derived.past_slots);
    }
    const int before[2] = {f.fighter[0].hp, f.fighter[1].hp};
    Choice choice[2];
    for (int agent = 0; agent < 2; ++agent) choice[seat_of(agent)] = choice_of(agent, actions);
    Input input[2];
    for (int seat = 0; seat < 2; ++seat) {
      input[seat].direction = absolute(choice[seat].input.direction, f.fighter[seat].facing);
      if (p.has_builtins()) s.history[seat] = s.history[seat] << 8 | choice[seat].code();
    }
    Result result = Result::kRunning;
    for (int frame = 0; frame < p.frame_skip && result == Result::kRunning; ++frame) {
      for (int seat = 0; seat < 2; ++seat) {
        const Choice& c = choice[seat];
        input[seat].presses = frame > 0 ? 0 : c.input.presses;
        if (c.draws_motions) {
          input[seat].presses =
              motion_presses(p.fighters, f.fighter[seat], c.input.direction, frame > 0 ? 0 : c.button);
        }
      }
      result = play_frame(p.fighters, f, input);
      if (p.has_builtins()) glance_at_both(f);
    }
    return conclude(f, result, before, rewards, rng);
  }

  // What a player chose: direct, or with motions to be drawn.
  struct Choice {
    Input input;  // direction as seen from the fighter
    uint8_t button = kNoButton;
    bool draws_motions = false;

    // For the planner: the direction and the first press, or the press that the button stands for.
    THRONG_HD uint8_t code() const {
      int press = 0;
      const int presses = draws_motions ? button_press(button, input.direction) : input.presses;
      while (press < kNumPresses && !(presses >> press & 1)) ++press;
      return static_cast<uint8_t>(input.direction << 4 | press);
    }
  };

  THRONG_HD Choice choice_of(int agent, Actions actions) const {
    Choice choice;
    if (!p.agent_plays(agent)) {
      choice.input = direct_input(w.choice[seat_of(agent)]);
    } else if (p.inputs == kDirect) {
      const bool turned = p.screen_directions && agent == 0 && s.load().fighter[seat_of(0)].facing < 0;
      choice.input = direct_input(turned ? turned_action(actions[agent]) : actions[agent]);
    } else {
      const int direction = actions(agent, 0) + 1, button = actions(agent, 1);
      choice.input.direction = static_cast<uint8_t>(direction >= 1 && direction <= 9 ? direction : 5);
      choice.button = static_cast<uint8_t>(button >= 0 && button < kNumButtons ? button : int(kNoButton));
      choice.draws_motions = true;
    }
    return choice;
  }

  THRONG_HD void glance_at_both(const Fight& f) const {
    const int at = s.glance_at[0];
    for (int seat = 0; seat < 2; ++seat) s.glance[seat * kGlances + at] = glance_of(f.fighter[seat]);
    s.glance_at[0] = static_cast<uint8_t>((at + 1) % kGlances);
  }

  // --- what comes of it: rewards, the next round, the next match, the end

  THRONG_HD bool conclude(Fight& f, Result result, const int (&before)[2], Rewards rewards, Rng rng) {
    float lost[2];  // share of full health
    for (int seat = 0; seat < 2; ++seat) {
      const int full = p.fighters.fighters[f.fighter[seat].who].hp, damage = before[seat] - f.fighter[seat].hp;
      lost[seat] = static_cast<float>(damage) / static_cast<float>(full);
      s.dealt[1 - seat] += damage * 10000 / full;
    }
    const bool over = result != Result::kRunning;
    if (over) end_round(f, result);
    const Result match = over ? result_of_match(f) : Result::kRunning;
    for (int agent = 0; agent < p.num_agents(); ++agent) {
      pay(rewards, agent, f, lost, result, match);
    }
    const bool ends = over && (p.episode == kRound || (match != Result::kRunning && !climbs(match)));
    if (over && !ends) begin_next(f, match, rng);
    s.store(f);
    return ends;
  }

  THRONG_HD void end_round(Fight& f, Result result) const {
    s.last_result[0] = static_cast<uint8_t>(result);
    ++s.rounds[0];
    ++f.round;
    if (result == Result::kSeat0) ++f.fighter[0].wins;
    if (result == Result::kSeat1) ++f.fighter[1].wins;
  }

  THRONG_HD Result result_of_match(const Fight& f) const {
    Result match = Result::kRunning;
    if (f.fighter[0].wins == kRoundsToWin) match = Result::kSeat0;
    if (f.fighter[1].wins == kRoundsToWin) match = Result::kSeat1;
    if (match == Result::kRunning && f.round == kMaxRounds) match = Result::kDraw;
    if (p.episode == kRound) match = static_cast<Result>(s.last_result[0]);
    s.match_result[0] = static_cast<uint8_t>(match);
    return match;
  }

  THRONG_HD bool climbs(Result match) const {
    return p.episode == kRun && score_of(0, match) > 0 && s.rung[0] < kNumRungs;
  }

  THRONG_HD void begin_next(Fight& f, Result match, Rng rng) {
    constexpr int kDistance = 128 * kPixel;
    if (match != Result::kRunning) {
      ++s.rung[0];
      seat_fighters(f, rng);
      begin_match(f, rng);
    } else {
      if (!p.carry_meter) f.fighter[0].meter = f.fighter[1].meter = 0;
      begin_round(p.fighters, f, kStage / 2, kDistance);
    }
    if (p.derived.past_slots > 0) fill_past(f);
    if (p.has_builtins()) glance_at_both(f);
  }

  // 1 if this agent won, -1 if it lost.
  THRONG_HD int score_of(int agent, Result result) const {
    if (result == Result::kRunning || result == Result::kDraw) return 0;
    return (result == Result::kSeat0) == (seat_of(agent) == 0) ? 1 : -1;
  }

  THRONG_HD void pay(Rewards rewards, int agent, const Fight& f, const float (&lost)[2], Result round,
                     Result match) const {
    const int seat = seat_of(agent);
    const float dealt = lost[1 - seat], taken = lost[seat];
    const float won = static_cast<float>(score_of(agent, round));
    switch (p.reward) {
      case kSparse: rewards(agent) = won; return;
      case kDamage: rewards(agent) = dealt - taken + p.round_weight * won; return;
      case kMatchReward: rewards(agent) = static_cast<float>(score_of(agent, match)); return;
      case kAggressive: rewards(agent) = p.aggression * dealt - taken + won; return;
      case kFightLadder: rewards(agent) = 0.001f * fightladder(f, seat, dealt, taken, round); return;
      default:
        rewards(agent, 0) = dealt;
        rewards(agent, 1) = -taken;
        rewards(agent, 2) = won;
    }
  }

  // The rewards of FightLadder with its 176 points of health; the damage of the last blow is not paid.
  THRONG_HD float fightladder(const Fight& f, int seat, float dealt, float taken, Result round) const {
    constexpr float kFull = 176, kDealtWeight = 3;
    if (round == Result::kRunning) return kFull * (kDealtWeight * dealt - taken);
    if (round == Result::kDraw) return 1;
    const bool won = (round == Result::kSeat0) == (seat == 0);
    const Fighter& winner = f.fighter[won ? seat : 1 - seat];
    const float power = p.derived.fightladder[winner.hp * 176 / p.fighters.fighters[winner.who].hp];
    return won ? kDealtWeight * power : -power;
  }

  // --- who sits where

  THRONG_HD int seat_of(int agent) const { return s.seat[0] ^ agent; }
  THRONG_HD int player_of(int agent) const {
    const int player = agent == 0 ? p.player : p.opponent;
    return player == kRung ? kFirstDifficulty + s.rung[0] - 1 : player;
  }

  // --- what is seen

  THRONG_HD void prepare_views() const {
    lanes.each(kFightWords, [&](int i) { s.load_word(i, w.fight[0]); });
  }

  THRONG_HD void observe(int agent, auto& out) const {
    const int seat = seat_of(agent);
    if (p.derived.past_slots == 0) return View{p, w.fight[0], seat}.write(out);
    for (int back = p.frame_stack - 1; back >= 0; --back) View{p, seen_by(seat, back), seat}.write(out);
  }

  // The fight as a seat saw it so many decisions ago: the opponent and its projectiles are seen with delay.
  THRONG_HD Fight seen_by(int seat, int decisions) const {
    Fight f = s.recall(p, decisions);
    if (p.derived.delay_slots == 0) return f;
    const Fight past = s.recall(p, decisions + p.derived.delay_slots);
    f.fighter[1 - seat] = past.fighter[1 - seat];
    for (int slot = 0; slot < kShots; ++slot) f.shot[1 - seat][slot] = past.shot[1 - seat][slot];
    return f;
  }

  // Not legal: supers without meter, projectiles whose slot is taken, reversals outside of block-stun, and in the air what
  // cannot be done there. What is not legal is harmless: a press that waits a few frames for its time. With motions all is
  // legal, as a button can mean many things. A built-in player can only be watched.
  THRONG_HD void avail(int agent, auto& out) const {
    const bool plays = p.agent_plays(agent);
    if (p.inputs == kMotion) {
      for (int way = 0; way < kNumDirections; ++way) out(plays || way + 1 == 5);
      for (int button = 0; button < kNumButtons; ++button) out(plays || button == kNoButton);
      return;
    }
    const uint32_t legal = plays ? legal_actions(p.fighters, w.fight[0], seat_of(agent)) : uint32_t{1} << kNeutral;
    for (int action = 0; action < kNumActions; ++action) out((legal >> action & 1) != 0);
  }

  void render(Canvas& canvas) const { draw_fight(canvas, p.fighters, s.load()); }
  static int frames(const Params& p) { return p.frame_skip; }
  static Params until_frame(Params p, int frame) {
    p.frame_skip = frame;
    return p;
  }

  THRONG_HD void info(auto& out) const {
    const int seat = seat_of(0), other = 1 - seat;
    const auto match = static_cast<Result>(s.match_result[0]);
    const Fight f = s.load();
    auto event = [&](int who, Event e) { return static_cast<float>(f.fighter[who].events[e]); };
    out(score_of(0, match) > 0 ? 1.0f : 0.0f);
    out(match == Result::kDraw ? 1.0f : 0.0f);
    out(static_cast<float>(s.rounds[0]));
    out(static_cast<float>(s.rung[0]));
    out(static_cast<float>(s.dealt[seat]) / 10000);
    out(static_cast<float>(s.dealt[other]) / 10000);
    for (Event e : {kHits, kBlocks, kThrowsLanded, kTechs, kCounters, kCrushes, kWhiffs}) out(event(seat, e));
    out(event(other, kHits));
    out(event(other, kThrowsLanded));
  }
};

// The same game seen as a picture of [frame, plane, row, column], uint8; the oldest frame first, one plane or three.
struct Pixels : Env {
  using Obs = uint8_t;

  THRONG_HD static bool shows(const Params& p) { return p.observation != kVector; }
  THRONG_HD static int planes(const Params& p) { return p.observation == kRgb ? 3 : 1; }

  THRONG_HD static Spec spec(const Params& p) {
    Spec spec = Env::spec(p);
    spec.obs_low = 0;
    spec.obs_high = 255;
    spec.obs_grid = {p.frame_stack * planes(p), kScreenHeight, kScreenWidth};
    spec.pixels = true;
    return spec;
  }

  THRONG_HD void prepare_views() const {
    Env::prepare_views();
    lanes.each(2 * p.frame_stack, [&](int picture) {
      const int seat = picture / p.frame_stack, back = p.frame_stack - 1 - picture % p.frame_stack;
      Shape shapes[kMostShapes] = {};
      const Fight f = seen_by(seat, back);
      ScreenView{p, f, seat, shapes, shapes + kMostShapes}.draw();
      for (int i = 0; i < kMostShapes; ++i) {
        uint64_t word;
        memcpy(&word, &shapes[i], sizeof word);
        w.scene[picture * kMostShapes + i] = word;
      }
    });
  }

  THRONG_HD static int observe_parts(const Params& p) { return p.frame_stack * planes(p) * kPiecesOfPlane; }

  THRONG_HD void observe_part(int agent, int part, auto& out) const {
    const int plane = part / kPiecesOfPlane, frame = plane / planes(p);
    const int shown = p.observation == kGray ? kGrayPlane : plane % 3;
    const Piece piece =
        piece_of(w.scene, (seat_of(agent) * p.frame_stack + frame) * kMostShapes, part % kPiecesOfPlane, shown);
    uint8_t pixels[kPiece];
    memcpy(pixels, piece.half, kPiece);
    out.run(pixels, kPiece);
  }

  THRONG_HD void observe(int agent, auto& out) const {
    for (int part = 0; part < observe_parts(p); ++part) observe_part(agent, part, out);
  }
};

static_assert(Environment<Env> && Environment<Pixels>);

}  // namespace throng::fighting
