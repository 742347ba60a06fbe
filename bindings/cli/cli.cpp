// The parser: subcommands, help and version, and every failure as one line and an exit status.
#include "bindings/cli/cli.hpp"

#include <CLI/CLI.hpp>
#include <csignal>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "bindings/cli/commands.hpp"
#include "bindings/cli/console.hpp"
#include "bindings/cli/signals.hpp"
#include "core/error.hpp"
#include "core/version.hpp"

namespace throng {
namespace {

constexpr int kCallersMistake = 2;
constexpr int kMachinesFailure = 1;
constexpr int kReaderGone = 128 + SIGPIPE;  // as a shell says it of a program that the signal ended

struct Command {
  CLI::App* app;
  Action action;
};

std::vector<Command> add_commands(CLI::App& app) {
  const auto add = [&](const char* name, const char* summary, Action (*fill)(CLI::App&)) {
    CLI::App* command = app.add_subcommand(name, summary);
    command->allow_extras();                  // collected, then refused with the nearest name
    command->option_defaults()->take_last();  // of an option that is given twice
    return Command{command, fill(*command)};
  };
  return {add("list", "environments and their scenarios", add_list),
          add("describe", "one environment: sizes, actions, parameters, training presets", add_describe),
          add("train", "train agents, or continue a run", add_train),
          add("eval", "play episodes with what a run has learned", add_eval),
          add("tournament", "policies and players of a game against each other, and their ratings", add_tournament),
          add("exploit", "how much a trained best response wins against a run's policy", add_exploit),
          add("bench", "how fast an environment runs", add_bench),
          add("play", "play a game by hand, in the terminal", add_play),
          add("render", "pictures of an episode, as PNG files", add_render),
          add("doctor", "what throng finds on this machine", add_doctor)};
}

std::vector<std::string> option_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

// The parser only collects what it does not know; here it is refused.
void refuse_extras(const CLI::App& app, const std::string& where) {
  for (const std::string& extra : app.remaining()) {
    if (extra.starts_with("-") && extra != "--") {
      throw_unknown("option", extra.substr(0, extra.find('=')), option_names(app), where);
    }
  }
  for (const std::string& extra : app.remaining()) {
    if (extra != "--") throw Error(where + ": unexpected argument '" + extra + "'");
  }
}

Command& chosen(CLI::App& app, std::vector<Command>& commands) {
  std::vector<std::string> names;
  for (Command& command : commands) {
    if (command.app->parsed()) return command;
    names.push_back(command.app->get_name());
  }
  for (const std::string& extra : app.remaining()) {
    if (!extra.starts_with("-")) throw_unknown("command", extra, names);
  }
  refuse_extras(app, "throng");
  throw Error("no command given: valid: " + joined(names) + "; `throng --help` says more");
}

int run(int argc, const char* const* argv) {
  CLI::App app("Vectorized multi-agent environments, and learning in them, on CPU and GPU.", "throng");
  app.set_version_flag("--version", std::string("throng ") + kVersion);
  app.require_subcommand(0, 1);
  app.allow_extras();
  std::vector<Command> commands = add_commands(app);
  app.footer("`throng COMMAND --help` says more about a command.");  // after the commands, which would inherit it
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForVersion&) {
    print_line(app.version());
    return 0;
  } catch (const CLI::Success&) {
    print_line(app.help());
    return 0;
  } catch (const CLI::ParseError& problem) {
    throw Error(problem.what());
  }
  Command& command = chosen(app, commands);
  refuse_extras(app, "throng");
  refuse_extras(*command.app, "throng " + command.app->get_name());
  return command.action();
}

int failed(std::string message, int status) {
  std::replace(message.begin(), message.end(), '\n', ' ');
  std::fprintf(stderr, "throng: error: %s\n", message.c_str());
  return status;
}

}  // namespace

int cli_main(int argc, const char* const* argv) {
  const DefaultSignals signals;
  try {
    return run(argc, argv);
  } catch (const ReaderGone&) {
    return kReaderGone;
  } catch (const Error& error) {
    return failed(error.what(), kCallersMistake);
  } catch (const std::bad_alloc&) {
    return failed("out of memory", kMachinesFailure);
  } catch (const std::exception& error) {
    return failed(error.what(), kMachinesFailure);
  } catch (...) {
    return failed("something unknown was thrown", kMachinesFailure);
  }
}

}  // namespace throng
