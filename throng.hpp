// Everything that a C++ program needs: environments by name, devices, training and evaluation.
#pragma once

#include "algos/trainer.hpp"
#include "core/vec_env.hpp"
#include "envs/registry.hpp"
