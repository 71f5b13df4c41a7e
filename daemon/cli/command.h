// The commands of the tool `spur`: one file each. A command adds itself to the parser and answers an exit code.
#pragma once

#include <functional>
#include <string>

#include "CLI/CLI.hpp"

namespace spur::cli {

// What every command of both programs means by its exit code.
inline constexpr int kFine = 0;
inline constexpr int kNo = 1;        // the answer is no: a test failed, a diff is not empty
inline constexpr int kBadUse = 2;    // wrong flags, a catalog with errors, input that cannot be read
inline constexpr int kWorld = 3;     // the daemon is away, the disk is full

// Set by the command that was chosen; main() returns what it answers.
struct Chosen {
  std::function<int()> run;
};

void add_apply(CLI::App& app, Chosen& chosen);
void add_backtest(CLI::App& app, Chosen& chosen);
void add_completion(CLI::App& app, Chosen& chosen);  // of all commands that are there when it is asked
void add_demo(CLI::App& app, Chosen& chosen);
void add_explain(CLI::App& app, Chosen& chosen);
void add_get(CLI::App& app, Chosen& chosen);
void add_publish(CLI::App& app, Chosen& chosen);
void add_subscribe(CLI::App& app, Chosen& chosen);
void add_test(CLI::App& app, Chosen& chosen);
void add_top(CLI::App& app, Chosen& chosen);
void add_validate(CLI::App& app, Chosen& chosen);

}  // namespace spur::cli
