// Sources: which topic partitions feed a shard (docs/protocol.md H24). A catalog names topics, the
// log says which of their partitions are this shard's, and a journaled Sources entry fixes number,
// start and incarnation of each, once.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "daemon/owned_shard.h"
#include "daemon/park.h"
#include "operators/catalog/compiled.h"
#include "spur/v1/journal.pb.h"

namespace spur {

// The topics of a catalog's Sources and References, each once, in its order; of nullptr: none.
std::vector<InputTopic> topics_of(const catalog::Compiled* catalog);

// A source whose topic is not among those of the catalog in force rests: nothing is asked of its
// topic, which may be gone.
bool rests(const TopicSource& source, const std::vector<InputTopic>& topics);

// What of `found` (Log::discover) no entry has named yet, numbered; or a Park: a topic was deleted
// and made again, so that the offsets of `stand` mean other records.
std::variant<spur::v1::Sources, Park> new_sources(const LogStand& stand,
                                                  const std::vector<TopicSource>& found);

}  // namespace spur
