// An action as the JSON that a channel with `format: json` receives: flat, times as texts, and the
// template's variables as an object rather than a text with JSON in it.
//
//     {"id":"2b1c…/0-1a-0-0","channel":"email","customer":"user_id:ann",
//      "trigger":"cart-abandoned","instance":"k1","template":"cart","step":0,"class":"marketing",
//      "data":{"items":2},"time":"2026-03-01T09:30:00.000Z","expires":"…","received":"…",
//      "cause":"e7","spurseq":17,"catalog":"9f…"}
//
// A retraction has "retracts" besides, the id of the action that it calls back. `id` is the
// record's ce_id. Texts that are empty are left out, and so are `expires`, `received` and `data`
// where there are none. Nothing is lost: the stored bytes are made from it again, by a recovery
// that reads what it has sent and by Subscribe.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "daemon/log/kafka/instant_text.h"
#include "spur/v1/action.pb.h"

namespace spur::kafka {

// Appends to `out`. `record_id` as effect_id.h writes it; `instant_text` only saves work.
void append_action_json(const spur::v1::Action& action, std::string_view record_id,
                        InstantText& instant_text, std::string& out);

// DATA_LOSS with what is wrong if it is not of that shape.
absl::StatusOr<spur::v1::Action> parse_action_json(std::string_view json);

}  // namespace spur::kafka
