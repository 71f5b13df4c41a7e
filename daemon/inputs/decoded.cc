#include "daemon/inputs/decoded.h"

namespace spur {

std::string_view to_text(Reason reason) {
  switch (reason) {
    case Reason::kNotJson: return "NOT_JSON";
    case Reason::kTruncated: return "TRUNCATED";
    case Reason::kTooLarge: return "TOO_LARGE";
    case Reason::kTooDeep: return "TOO_DEEP";
    case Reason::kTooManyFields: return "TOO_MANY_FIELDS";
    case Reason::kTooManyElements: return "TOO_MANY_ELEMENTS";
    case Reason::kStringTooLong: return "STRING_TOO_LONG";
    case Reason::kInvalidUtf8: return "INVALID_UTF8";
    case Reason::kNumberOutOfRange: return "NUMBER_OUT_OF_RANGE";
    case Reason::kWrongType: return "WRONG_TYPE";
    case Reason::kMissingType: return "MISSING_TYPE";
    case Reason::kUnknownType: return "UNKNOWN_TYPE";
    case Reason::kMissingEventName: return "MISSING_EVENT_NAME";
    case Reason::kMissingIdentity: return "MISSING_IDENTITY";
    case Reason::kMissingTimestamp: return "MISSING_TIMESTAMP";
    case Reason::kBadTimestamp: return "BAD_TIMESTAMP";
    case Reason::kTimeOutOfRange: return "TIME_OUT_OF_RANGE";
    case Reason::kEmptyBatch:
      return "EMPTY_BATCH";
    case Reason::kMappingFailed:
      return "MAPPING_FAILED";
    case Reason::kMissingAttribute:
      return "MISSING_ATTRIBUTE";
    case Reason::kBadAttribute:
      return "BAD_ATTRIBUTE";
    case Reason::kUnsupportedContent:
      return "UNSUPPORTED_CONTENT";
    case Reason::kNotProtobuf:
      return "NOT_PROTOBUF";
  }
  return "";
}

}  // namespace spur
