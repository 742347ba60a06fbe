// The maps of harvest that have names, as text: `#` wall, `o` apple, `s` outer spawn, `i` inner spawn, `.` floor.
#pragma once

namespace throng::harvest {

struct NamedMap {
  const char* name;
  const char* text;  // rows of equal length, each ended by a newline
};

// The first three are the maps of SocialJax and Melting Pot, without Melting Pot's frame of walls; the others are our own.
inline constexpr NamedMap kMaps[] = {
    {"open",
     "ooo....o......o....ooo\n"
     "oo....ooo....ooo....oo\n"
     "o....ooooo..ooooo....o\n"
     "......ooo....ooo......\n"
     ".......o......o.......\n"
     "..o................o..\n"
     ".ooo..i........i..ooo.\n"
     "ooooo............ooooo\n"
     ".ooo..............ooo.\n"
     "..o................o..\n"
     "......................\n"
     "......................\n"
     "......................\n"
     "..ssssssssssssssssss..\n"
     ".ssssssssssssssssssss.\n"
     "ssssssssssssssssssssss\n"},
    {"closed",
     "ooo....o..##..o....ooo\n"
     "oo....ooo.##.ooo....oo\n"
     "o....ooooo##ooooo....o\n"
     "......ooo.##.ooo......\n"
     ".......o..##..o.......\n"
     "..o.......##.......o..\n"
     ".ooo..i...##...i..ooo.\n"
     "ooooo.....##.....ooooo\n"
     ".ooo..##########..ooo.\n"
     "..o.......##.......o..\n"
     "#########.##.#########\n"
     "..........##..........\n"
     "..##################..\n"
     "..s.s.s.s.s.s.s.s.s...\n"
     ".s.s.s.s.s.s.s.s.s.s..\n"
     "......................\n"},
    {"partnership",
     "ooo....o......o....ooo\n"
     "oo....ooo....ooo....oo\n"
     "o....ooooo..ooooo....o\n"
     "......ooo....ooo......\n"
     ".......o......o.......\n"
     "..o................o..\n"
     ".ooo..i...##...i..ooo.\n"
     "ooooo............ooooo\n"
     ".ooo..##########..ooo.\n"
     "..o.......##.......o..\n"
     "#########.##.#########\n"
     "..........##..........\n"
     "..##################..\n"
     "..s.s.s.s.s.s.s.s.s...\n"
     ".s.s.s.s.s.s.s.s.s.s..\n"
     "......................\n"},
    {"orchard-open",
     "########################\n"
     "#......................#\n"
     "#..oo......oo......oo..#\n"
     "#.oooo....oooo....oooo.#\n"
     "#.oooo....oooo....oooo.#\n"
     "#..oo......oo......oo..#\n"
     "#......................#\n"
     "#......i........i......#\n"
     "#..o.....ooo..ooo....o.#\n"
     "#.ooo....o.o..o.o...ooo#\n"
     "#..o.....ooo..ooo....o.#\n"
     "#......................#\n"
     "#......................#\n"
     "#......................#\n"
     "#..s.s.s.s.s.s.s.s.s...#\n"
     "#...s.s.s.s.s.s.s.s.s..#\n"
     "#..s.s.s.s.s.s.s.s.s...#\n"
     "########################\n"},
    {"orchard-gated",
     "########################\n"
     "#..........##..........#\n"
     "#..oo...o..##..o...oo..#\n"
     "#.oooo.ooo.##.ooo.oooo.#\n"
     "#.oooo..o..##..o..oooo.#\n"
     "#..oo......##......oo..#\n"
     "#......i...##...i......#\n"
     "#..o...ooo.##.ooo...o..#\n"
     "#.ooo..o.o.##.o.o..ooo.#\n"
     "#..o...ooo.##.ooo...o..#\n"
     "#..........##..........#\n"
     "#####.#############.####\n"
     "#......................#\n"
     "#......................#\n"
     "#..s.s.s.s.s.s.s.s.s...#\n"
     "#...s.s.s.s.s.s.s.s.s..#\n"
     "#..s.s.s.s.s.s.s.s.s...#\n"
     "########################\n"},
    {"orchard-twin-gate",
     "########################\n"
     "#......................#\n"
     "#..oo...o......o...oo..#\n"
     "#.oooo.ooo....ooo.oooo.#\n"
     "#.oooo..o..##..o..oooo.#\n"
     "#..oo......##......oo..#\n"
     "#......i...##...i......#\n"
     "#..o...ooo....ooo...o..#\n"
     "#.ooo..o.o....o.o..ooo.#\n"
     "#..o...ooo....ooo...o..#\n"
     "#......................#\n"
     "#####.#############.####\n"
     "#......................#\n"
     "#......................#\n"
     "#..s.s.s.s.s.s.s.s.s...#\n"
     "#...s.s.s.s.s.s.s.s.s..#\n"
     "#..s.s.s.s.s.s.s.s.s...#\n"
     "########################\n"},
    {"mini",
     "#########\n"
     "#.o...o.#\n"
     "#ooo.ooo#\n"
     "#.o...o.#\n"
     "#.......#\n"
     "#.s.s.s.#\n"
     "#########\n"},
};

}  // namespace throng::harvest
