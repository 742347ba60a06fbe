// The subcommands: each adds itself to the parser and gives back what to do once the arguments are known.
#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace throng {

using Action = std::function<int()>;  // returns the exit status

Action add_list(CLI::App& app);
Action add_describe(CLI::App& app);
Action add_train(CLI::App& app);
Action add_eval(CLI::App& app);
Action add_tournament(CLI::App& app);
Action add_exploit(CLI::App& app);
Action add_bench(CLI::App& app);
Action add_play(CLI::App& app);
Action add_render(CLI::App& app);
Action add_doctor(CLI::App& app);

}  // namespace throng
