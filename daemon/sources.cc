#include "daemon/sources.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "daemon/plant.h"

namespace spur {

std::vector<InputTopic> topics_of(const catalog::Compiled* catalog) {
  std::vector<InputTopic> topics;
  if (catalog == nullptr) return topics;
  const auto add = [&](const std::string& name, bool for_all) {
    const bool known = std::any_of(topics.begin(), topics.end(),
                                   [&](const InputTopic& topic) { return topic.name == name; });
    if (!name.empty() && !known) topics.push_back({name, for_all});
  };
  for (const catalog::Source& source : catalog->sources) add(source.topic, false);
  for (const catalog::Reference& reference : catalog->business_data)
    add(reference.topic, !planted(Plant::kReferenceOfOneShard));
  return topics;
}

bool rests(const TopicSource& source, const std::vector<InputTopic>& topics) {
  return !source.topic.empty() &&
         std::none_of(topics.begin(), topics.end(),
                      [&](const InputTopic& topic) { return topic.name == source.topic; });
}

std::variant<spur::v1::Sources, Park> new_sources(const LogStand& stand,
                                                  const std::vector<TopicSource>& found) {
  spur::v1::Sources fresh;
  std::uint32_t number = std::max(stand.sources.back().source.source + 1, kFirstTopicSource);
  for (const TopicSource& source : found) {
    const auto known =
        std::find_if(stand.sources.begin(), stand.sources.end(), [&](const SourceStand& candidate) {
          return candidate.source.source >= kFirstTopicSource &&
                 candidate.source.topic == source.topic &&
                 candidate.source.partition == source.partition;
        });
    if (known == stand.sources.end()) {
      spur::v1::TopicPartition& added = *fresh.add_added();
      added.set_source(number++);
      added.set_topic(source.topic);
      added.set_topic_id(source.topic_id);
      added.set_partition(source.partition);
      added.set_start(source.start);
      continue;
    }
    const std::string& before = known->source.topic_id;
    if (!before.empty() && !source.topic_id.empty() && before != source.topic_id) {
      return Park{
          ParkReason::kRecreated,
          absl::StrCat("topic ", source.topic, " is not the one that was folded up to offset ",
                       known->next, ": it was deleted and made again (id ", source.topic_id,
                       ", was ", before, ")")};
    }
  }
  return fresh;
}

}  // namespace spur
