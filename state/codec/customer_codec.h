// A customer as the bytes of its row, and back. The bytes are spur.v1.CustomerRow behind one version byte, frozen by
// goldens; definitions are named by hash, so a row can be read under another version of the catalog.
#pragma once

#include <string>
#include <string_view>

#include "state/customer.h"
#include "state/layout.h"

namespace spur {

// `layout` is that of the customer's indices.
std::string encode_customer(const Customer& customer, const Layout& layout);

// Fills `out`, laid out by `layout`. What the layout does not have is dropped. False for bytes that are not whole and
// valid, or of a newer version.
bool decode_customer(std::string_view bytes, const Layout& layout, Customer& out);

}  // namespace spur
