// Any bytes as a catalog: loading ends, and an error has a place. Seeds: examples/ and the catalogs
// of tests/.
#include <cstddef>
#include <cstdint>
#include <string>

#include "operators/catalog/hash.h"
#include "operators/catalog/load.h"
#include "operators/cron.h"
#include "state/check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const spur::catalog::Loaded loaded = spur::catalog::load_text("fuzz.yaml", text);
  for (const spur::catalog::Error& error : loaded.errors) {
    SPUR_CHECK(error.at.line >= 1 && error.at.column >= 1 && !error.message.empty());
  }
  spur::catalog::hash_of(loaded.catalog);
  for (const auto& segment : loaded.catalog.segments()) {
    const std::string path = spur::catalog::resource_path("Segment", segment.name()) + "/spec.when";
    for (std::size_t offset = 0; offset <= segment.when().size(); ++offset)
      loaded.positions.position(path, offset);
  }
  const spur::Cron::Parsed cron = spur::Cron::parse(text);
  SPUR_CHECK(cron.cron.has_value() != cron.error.has_value());
  if (cron.cron)
    SPUR_CHECK(cron.cron->next(spur::Instant{0}, spur::Zone::utc()) > spur::Instant{0});
  return 0;
}
