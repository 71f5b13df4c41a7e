#include "operators/triggers/event.h"

#include "operators/triggers/collect.h"

namespace spur::triggers {

void event_fires(Turn& turn) {
  for (const catalog::Use& use : turn.catalog().listeners(turn.event->name_index).events) {
    for_each_match(turn, *use.pattern, [&](Value item, std::string_view key) {
      Firing firing;
      firing.trigger = use.owner;
      firing.key = std::string(key);
      firing.base = firing.opened_at = turn.now;
      firing.count = 1;
      firing.event = turn.event;
      firing.item = item;
      collect(turn, std::move(firing));
    });
  }
}

}  // namespace spur::triggers
