#include "operators/triggers/event.h"

#include "operators/triggers/collect.h"

namespace spur::triggers {

void event_fires(Turn& turn) {
  const std::vector<catalog::Use>& uses = turn.catalog().listeners(turn.event->name_index).events;
  for (std::size_t i = 0; i < uses.size();) {
    const catalog::Use& use = uses[i];
    i = for_each_match_of_owner(turn, uses, i, [&](Value item, std::string_view key) {
      Firing firing;
      firing.trigger = use.owner;
      firing.key = key;
      firing.base = firing.opened_at = turn.now;
      firing.count = 1;
      firing.event = turn.event;
      firing.item = item;
      collect(turn, firing);
    });
  }
}

}  // namespace spur::triggers
