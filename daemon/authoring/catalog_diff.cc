#include "daemon/authoring/catalog_diff.h"

#include <algorithm>
#include <map>
#include <set>

#include "daemon/authoring/message_fields.h"
#include "fmt/format.h"
#include "operators/catalog/compile.h"
#include "operators/catalog/durations.h"
#include "operators/catalog/retire.h"
#include "operators/expression/text.h"

namespace spur::authoring {
namespace {

using What = ResourceChange::What;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

std::vector<FieldChange> changed_fields(const Message& before, const Message& after) {
  const std::vector<FieldText> old_texts = field_texts(before, "spec");
  const std::vector<FieldText> new_texts = field_texts(after, "spec");
  std::map<std::string, std::string> old_by_path, new_by_path;
  for (const FieldText& field : old_texts) old_by_path[field.path] = field.text;
  for (const FieldText& field : new_texts) new_by_path[field.path] = field.text;
  std::vector<FieldChange> changes;
  for (const FieldText& field : old_texts) {
    const auto now = new_by_path.find(field.path);
    if (now == new_by_path.end()) {
      changes.push_back({field.path, field.text, std::nullopt});
    } else if (now->second != field.text) {
      changes.push_back({field.path, field.text, now->second});
    }
  }
  for (const FieldText& field : new_texts) {
    if (!old_by_path.contains(field.path))
      changes.push_back({field.path, std::nullopt, field.text});
  }
  if (changes.empty())
    changes.push_back({"spec", "the same in another order", "the order of data or parameters"});
  return changes;
}

template <typename All>
auto* named(const All& all, const std::string& name) {
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const auto& one) { return one.name == name; });
  return found == all.end() ? nullptr : &*found;
}

template <typename All>
auto* defined(const All& all, std::uint64_t definition) {
  const auto found = std::find_if(all.begin(), all.end(),
                                  [&](const auto& one) { return one.definition == definition; });
  return found == all.end() ? nullptr : &*found;
}

class Differ {
 public:
  Differ(const spur::v1::Catalog& before, const spur::v1::Catalog& after)
      : before_(before), after_(after), carried_(catalog::with_retired(after, before)) {
    catalog::canonicalize(before_);
    catalog::canonicalize(after_);
    old_ = catalog::compile(before_).compiled;
    new_ = catalog::compile(carried_).compiled;
  }

  std::optional<CatalogDiff> run() {
    if (old_ == nullptr || new_ == nullptr) return std::nullopt;
    diff_.before = catalog::hash_of(before_);
    diff_.after = catalog::hash_of(after_);
    const google::protobuf::Descriptor& kinds = *spur::v1::Catalog::descriptor();
    for (int i = 0; i < kinds.field_count(); ++i) {
      if (kinds.field(i)->name() != "retired") compare_kind(*kinds.field(i));
    }
    return std::move(diff_);
  }

 private:
  static std::map<std::string, const Message*> by_name(const spur::v1::Catalog& catalog,
                                                       const FieldDescriptor& kind) {
    std::map<std::string, const Message*> resources;
    const google::protobuf::Reflection& reflection = *catalog.GetReflection();
    for (int i = 0; i < reflection.FieldSize(catalog, &kind); ++i) {
      const Message& resource = reflection.GetRepeatedMessage(catalog, &kind, i);
      const FieldDescriptor* const name = resource.GetDescriptor()->FindFieldByName("name");
      resources[resource.GetReflection()->GetString(resource, name)] = &resource;
    }
    return resources;
  }

  void compare_kind(const FieldDescriptor& kind) {
    const auto before = by_name(before_, kind), after = by_name(after_, kind);
    std::set<std::string> names;
    for (const auto& [name, resource] : before) names.insert(name);
    for (const auto& [name, resource] : after) names.insert(name);
    for (const std::string& name : names) {
      const auto old_one = before.find(name), new_one = after.find(name);
      ResourceChange change{What::kChanged, kind.message_type()->name(), name, {}, {}};
      if (old_one == before.end()) {
        change.what = What::kAdded;
      } else if (new_one == after.end()) {
        change.what = What::kRemoved;
      } else if (old_one->second->SerializeAsString() != new_one->second->SerializeAsString()) {
        change.fields = changed_fields(*old_one->second, *new_one->second);
      }
      consequences(change);
      const bool changed = change.what != What::kChanged || !change.fields.empty();
      if (changed || !change.consequences.empty()) diff_.changes.push_back(std::move(change));
    }
  }

  void consequences(ResourceChange& change) const {
    if (change.kind == "Feature") feature(change);
    if (change.kind == "Session")
      state_of(change, old_->sessions, new_->sessions, "open ones are forgotten");
    if (change.kind == "Reference")
      state_of(change, old_->business_data, new_->business_data,
               "its records are forgotten until they come again");
    if (change.kind == "Model")
      state_of(change, old_->models, new_->models, "what it knew of customers is forgotten");
    if (change.kind == "Trigger") trigger(change);
  }

  // Which triggers a feature that begins again silences meanwhile.
  std::string readers_of(const std::string& feature) const {
    std::vector<std::string> names;
    for (const catalog::Trigger& trigger : new_->triggers) {
      if (trigger.retired) continue;
      const bool reads =
          std::any_of(trigger.features.begin(), trigger.features.end(),
                      [&](std::uint32_t f) { return new_->features[f].name == feature; });
      if (reads) names.push_back(trigger.name);
    }
    return fmt::format("{}", fmt::join(names, ", "));
  }

  void feature(ResourceChange& change) const {
    const catalog::Feature* const now = named(new_->features, change.name);
    if (now == nullptr) {
      const catalog::Feature* const was = named(old_->features, change.name);
      const catalog::Feature* const heir = defined(new_->features, was->definition);
      change.consequences.push_back(heir == nullptr ? "its state is dropped"
                                                    : "its state goes on as `" + heir->name + "`");
      return;
    }
    if (const catalog::Feature* const was = defined(old_->features, now->definition)) {
      if (was->name != now->name) {
        change.consequences.push_back("keeps the state of `" + was->name +
                                      "`: the definition is the same");
      }
      return;
    }
    if (now->session != catalog::kNone) {
      change.consequences.push_back("restarts: counts from the next opening of `" +
                                    new_->sessions[static_cast<std::size_t>(now->session)].name +
                                    "`");
      return;
    }
    const Millis window = now->spec.window + now->spec.offset;
    const std::string length = now->spec.window.count > 0
                                   ? "until " + duration_text(window) + " have passed"
                                   : "for ever, since it has no window";
    change.consequences.push_back("restarts: `warming` for customers known before, " + length);
    const std::string readers = readers_of(change.name);
    if (!readers.empty())
      change.consequences.push_back("suppressed for them meanwhile: " + readers);
  }

  template <typename All>
  void state_of(ResourceChange& change, const All& before, const All& after,
                const char* lost) const {
    const auto* const now = named(after, change.name);
    if (now == nullptr) {
      change.consequences.push_back("its state is dropped");
    } else if (change.what == What::kChanged && defined(before, now->definition) == nullptr) {
      change.consequences.push_back(std::string("restarts: ") + lost);
    }
  }

  // What an intent or a rhythm keeps of its own: a Feature that nobody wrote.
  void made_for(const catalog::Trigger& now, ResourceChange& change) const {
    for (const std::uint32_t index : now.features) {
      const catalog::Feature& feature = new_->features[index];
      if (!feature.hidden || defined(old_->features, feature.definition) != nullptr) continue;
      const bool score = feature.spec.kind == AggregateKind::kDecayed;
      change.consequences.push_back(std::string("its ") + (score ? "score" : "rhythm") +
                                    " restarts: `warming` for customers known before, for ever, "
                                    "since it has no window");
    }
  }

  // What `backfill: once` does to customers known before.
  std::string backfilled(const catalog::Trigger& now) const {
    if (now.kind == catalog::Operator::kThreshold || now.kind == catalog::Operator::kPrediction)
      return "`backfill`: fires when it comes for those customers known before for whom it holds";
    std::vector<std::string> known, unknown;
    for (const catalog::Remembered& by : now.opened_by) {
      for (const std::uint32_t index : by.features) {
        const catalog::Feature& feature = new_->features[index];
        const bool was_there = defined(old_->features, feature.definition) != nullptr;
        if (was_there || !feature.hidden)
          (was_there ? known : unknown)
              .push_back(feature.hidden ? "its rhythm" : "features." + feature.name);
      }
    }
    if (!known.empty())
      return fmt::format(
          "`backfill`: takes up what customers known before wait for, by {}; what "
          "is over fires when it comes",
          fmt::join(known, ", "));
    if (!unknown.empty())
      return fmt::format("`backfill`: nothing is known of customers before, since {} {} new too",
                         fmt::join(unknown, ", "), unknown.size() == 1 ? "is" : "are");
    return "`backfill`: nothing tells what customers known before wait for";
  }

  // A trigger that is off is not compiled: it has nothing open and keeps nothing.
  void trigger(ResourceChange& change) const {
    if (change.what == What::kChanged && change.fields.empty()) return;
    const catalog::Trigger* const was = named(old_->triggers, change.name);
    const catalog::Trigger* const now = named(new_->triggers, change.name);
    if (was == nullptr && now == nullptr) return;  // it is off, and was
    if (now != nullptr) made_for(*now, change);
    if (was == nullptr) {
      if (now->kind == catalog::Operator::kNovelty) {
        change.consequences.push_back(
            "`warming` for customers known before: what they had is not known");
      }
      if (now->backfill) change.consequences.push_back(backfilled(*now));
      return;
    }
    if (now == nullptr) {
      change.consequences.push_back("open instances end");
      return;
    }
    if (now->backfill && !was->backfill)
      change.consequences.push_back("`backfill` does nothing: the trigger is there already");
    const bool goes_on =
        std::any_of(new_->triggers.begin(), new_->triggers.end(), [&](const catalog::Trigger& t) {
          return t.retired && t.name == change.name && t.version == was->version;
        });
    change.consequences.push_back(
        goes_on ? "open instances go on with the version that opened them"
                : "open instances end: the version that opened them names what is there no more");
  }

  spur::v1::Catalog before_, after_, carried_;
  std::shared_ptr<const catalog::Compiled> old_, new_;
  CatalogDiff diff_;
};

std::string_view word_of(What what) {
  return what == What::kAdded ? "added" : what == What::kRemoved ? "removed" : "changed";
}

// A value that would go over lines is shown as JSON has it.
std::string one_line(const std::string& text) {
  if (text.find('\n') == std::string::npos) return text;
  std::string quoted;
  expression::append_json_string(&quoted, text);
  return quoted;
}

}  // namespace

std::optional<CatalogDiff> diff_catalogs(const spur::v1::Catalog& before,
                                         const spur::v1::Catalog& after) {
  return Differ(before, after).run();
}

std::string to_text(const CatalogDiff& diff) {
  std::string out =
      fmt::format("- {}\n+ {}\n", catalog::to_text(diff.before), catalog::to_text(diff.after));
  for (const ResourceChange& change : diff.changes) {
    const char sign = change.what == What::kAdded ? '+' : change.what == What::kRemoved ? '-' : '~';
    out += fmt::format("{} {} {}\n", sign, change.kind, change.name);
    for (const FieldChange& field : change.fields) {
      out += "    " + field.path + ": ";
      if (field.before && field.after) {
        out += one_line(*field.before) + " -> " + one_line(*field.after);
      } else {
        out += field.before ? one_line(*field.before) + " -> (none)"
                            : "(none) -> " + one_line(*field.after);
      }
      out += "\n";
    }
    for (const std::string& consequence : change.consequences) out += "    * " + consequence + "\n";
  }
  return out;
}

std::string to_json(const CatalogDiff& diff) {
  std::string out;
  const auto text = [&](std::string_view key, const std::string& value) {
    out += fmt::format("\"{}\":", key);
    expression::append_json_string(&out, value);
  };
  out += fmt::format("{{\"before\":\"{}\",\"after\":\"{}\",\"same\":{},\"changes\":[",
                     catalog::to_text(diff.before), catalog::to_text(diff.after), diff.same());
  for (std::size_t i = 0; i < diff.changes.size(); ++i) {
    const ResourceChange& change = diff.changes[i];
    out += i == 0 ? "{" : ",{";
    text("change", std::string(word_of(change.what)));
    out += ',';
    text("kind", change.kind);
    out += ',';
    text("name", change.name);
    out += ",\"fields\":[";
    for (std::size_t k = 0; k < change.fields.size(); ++k) {
      const FieldChange& field = change.fields[k];
      out += k == 0 ? "{" : ",{";
      text("path", field.path);
      if (field.before) out += ',', text("before", *field.before);
      if (field.after) out += ',', text("after", *field.after);
      out += '}';
    }
    out += "],\"consequences\":[";
    for (std::size_t k = 0; k < change.consequences.size(); ++k) {
      if (k > 0) out += ',';
      expression::append_json_string(&out, change.consequences[k]);
    }
    out += "]}";
  }
  return out + "]}";
}

}  // namespace spur::authoring
