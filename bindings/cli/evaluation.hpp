// Evaluations for the eye: the same table wherever a policy was tried.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "algos/evaluate.hpp"

namespace throng {

// "0.912 ± 0.024", with as many digits as the interval is worth.
std::string estimate_text(const Estimate&);

// One row for each evaluation of an object {"sampled": Evaluation::to_json(), "greedy": ...}, one column for each estimate:
// mean and the half-width of its 95 % interval.
std::vector<std::string> evaluation_table(const nlohmann::ordered_json& evaluations);

}  // namespace throng
