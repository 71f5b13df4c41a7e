// spur: the tool. One file a command; they call the same fold and the same services as the daemon.
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>

#include "daemon/cli/command.h"

int main(int argc, char** argv) {
  using namespace spur::cli;
  CLI::App app(
      "Spur acts on the spur of the moment: check, test and try trigger catalogs, and talk to a running spurd.",
      "spur");
  app.set_version_flag("--version", std::string("spur ") + SPUR_VERSION);
  app.require_subcommand(1);
  app.footer(
      "Exit codes: 0 fine; 1 the answer is no (a test failed); 2 wrong use or input; 3 the world (daemon away, disk "
      "full).\n"
      "`spur COMMAND --help` has examples.");
  Chosen chosen;
  add_validate(app, chosen);
  add_test(app, chosen);
  add_backtest(app, chosen);
  add_apply(app, chosen);
  add_publish(app, chosen);
  add_subscribe(app, chosen);
  add_get(app, chosen);
  add_explain(app, chosen);
  add_top(app, chosen);
  add_demo(app, chosen);
  add_completion(app, chosen);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kFine : kBadUse;
  }
  try {
    const int code = chosen.run();
    if (code != kFine || (std::fflush(stdout) == 0 && std::ferror(stdout) == 0)) return code;
    std::fprintf(stderr, "spur: the standard output could not be written: %s\n",
                 std::strerror(errno));
    return kWorld;
  } catch (const std::bad_alloc&) {
    std::fputs("spur: out of memory\n", stderr);
    return kWorld;
  }
}
