// Which of the instruction sets that packs are compiled for this program uses.
#pragma once

namespace throng {

// On x86-64 its levels; scalar is one environment at a time, everywhere.
enum class CpuLevel { scalar, v2, v3, v4, neon };

// The best that this CPU has, or what the variable THRONG_CPU_LEVEL names. Error if there is no such level or the CPU lacks it.
CpuLevel cpu_level();
const char* name_of(CpuLevel);

}  // namespace throng
