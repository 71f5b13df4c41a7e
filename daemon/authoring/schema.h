// The JSON Schema of a catalog's documents, for editors: what may stand where, with the comments of
// catalog.proto as descriptions.
//
// Made from the same names as the reader's (operators/catalog/field_names.h), so it cannot miss a
// field. It says what an editor can say while a line is being typed: keys, words, the form of
// durations and names, one operator a trigger. What only a whole catalog can tell, and CEL, is
// `spur validate`'s. Draft 7, which every editor knows.
#pragma once

#include <string>

namespace spur::authoring {

// The schema as indented JSON, ending with a line end.
std::string catalog_schema();

}  // namespace spur::authoring
