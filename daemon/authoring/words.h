// The words that a text field of the catalog may hold, where it may hold only some.
//
// The catalog's checks decide what is right; this repeats it for what a check cannot be asked for:
// an editor's completion. tests/authoring holds the two together.
#pragma once

#include <span>
#include <string_view>
#include <vector>

namespace spur::authoring {

// A field, message and field by their names in catalog.proto, and its words.
struct WordsOfField {
  std::string_view message, field;
  std::span<const std::string_view> words;
};
std::vector<WordsOfField> all_words();

// Of "Trigger.class", say. Empty: any text.
std::span<const std::string_view> words_of(std::string_view message, std::string_view field);

}  // namespace spur::authoring
