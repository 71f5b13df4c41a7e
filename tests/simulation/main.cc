// spur_simulation: the commit protocol under faults, seed by seed.
//
//     spur_simulation --seeds 1000 [--from 1]     prints seeds a second; stops at the first failure
//     spur_simulation --seconds 60 [--from 1]     as many as fit
//     spur_simulation --seed 17                   one, with everything that happens in it
//     spur_simulation --plants                    every planted bug: how many seeds it took to find
//     spur_simulation --plant NAME [--seed 17]    with one rule taken away
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "daemon/logging.h"
#include "tests/simulation/plants.h"
#include "tests/simulation/simulation.h"

namespace spur::simulation {
namespace {

struct Arguments {
  std::uint64_t from = 1, seeds = 1000;
  std::uint64_t seconds = 0;  // 0: as many seeds as were asked for
  bool one = false, plants = false;
  std::string plant;
};

bool parse(int count, char** words, Arguments& out) {
  for (int i = 1; i < count; ++i) {
    const std::string_view word = words[i];
    if (word == "--plants") {
      out.plants = true;
      continue;
    }
    if (i + 1 == count) return false;
    const char* value = words[++i];
    const std::uint64_t number = std::strtoull(value, nullptr, 10);
    if (word == "--from") {
      out.from = number;
    } else if (word == "--seeds") {
      out.seeds = number;
    } else if (word == "--seconds") {
      out.seconds = number;
      out.seeds = ~0ULL;
    } else if (word == "--seed") {
      out.one = true;
      out.from = number;
      out.seeds = 1;
    } else if (word == "--plant") {
      out.plant = value;
    } else {
      return false;
    }
  }
  return true;
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// Seeds tried until the first that failed, which is told; 0: none failed.
struct Found {
  std::uint64_t tried = 0;
  std::uint64_t seed = 0;
  std::string what;
};
Found search(Setting& setting, const Arguments& arguments, bool report) {
  const auto start = std::chrono::steady_clock::now();
  Found found;
  std::uint64_t steps = 0;
  for (std::uint64_t i = 0; i < arguments.seeds; ++i) {
    const std::uint64_t seed = arguments.from + i;
    Simulation simulation(seed, setting, arguments.one);
    const std::optional<std::string> wrong = simulation.run();
    steps += simulation.steps();
    ++found.tried;
    if (wrong) {
      found.seed = seed;
      found.what = *wrong;
      break;
    }
    if (arguments.seconds > 0 && seconds_since(start) >= static_cast<double>(arguments.seconds))
      break;
  }
  if (report) {
    const double seconds = seconds_since(start);
    std::printf("%llu seeds from %llu, %llu steps, %.1f s, %.0f seeds/s\n",
                static_cast<unsigned long long>(found.tried),
                static_cast<unsigned long long>(arguments.from),
                static_cast<unsigned long long>(steps), seconds,
                static_cast<double>(found.tried) / seconds);
  }
  return found;
}

int main(int count, char** words) {
  Arguments arguments;
  if (!parse(count, words, arguments)) {
    std::fprintf(stderr, "see the head of tests/simulation/main.cc for what it takes\n");
    return 2;
  }
  // What goes wrong goes wrong on purpose.
  logging::configure(LogLevel::kError, LogFormat::kText);
  Setting setting;
  if (arguments.plants) {
    int missed = 0;
    for (const PlantName& plant : plants()) {
      sow(plant.plant);
      const Found found = search(setting, arguments, /*report=*/false);
      if (found.seed == 0) {
        ++missed;
        std::printf("%-28s NOT FOUND in %llu seeds\n", std::string(plant.name).c_str(),
                    static_cast<unsigned long long>(found.tried));
      } else {
        std::printf("%-28s %6llu  %s\n", std::string(plant.name).c_str(),
                    static_cast<unsigned long long>(found.tried), found.what.c_str());
      }
      std::fflush(stdout);
    }
    return missed == 0 ? 0 : 1;
  }
  if (!arguments.plant.empty() && !sow(arguments.plant)) {
    std::fprintf(stderr, "there is no plant %s in this binary\n", arguments.plant.c_str());
    return 2;
  }
  const Found found = search(setting, arguments, /*report=*/true);
  if (found.seed == 0) return 0;
  std::printf("FAILED: seed %llu: %s\nreplay it with: %s %s%s%s--seed %llu\n",
              static_cast<unsigned long long>(found.seed), found.what.c_str(), words[0],
              arguments.plant.empty() ? "" : "--plant ", arguments.plant.c_str(),
              arguments.plant.empty() ? "" : " ", static_cast<unsigned long long>(found.seed));
  return 1;
}

}  // namespace
}  // namespace spur::simulation

int main(int count, char** words) { return spur::simulation::main(count, words); }
