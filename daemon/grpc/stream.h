// StreamOut: the far side of a two-way stream, as the plain classes see it. gRPC's reactor is one; tests have another.
#pragma once

#include "daemon/grpc/service_error.h"

namespace spur::services {

// The class on this side serialises its calls (it holds its lock); none comes after finish(). The answers may come on
// any thread, but never from within the call.
template <typename Response>
class StreamOut {
 public:
  virtual ~StreamOut() = default;

  // Asks for the next request; one at a time.
  virtual void read() = 0;
  // Sends; one at a time. `response` stays as it is until the answer. `more`: another one follows at once.
  virtual void write(const Response& response, bool more) = 0;
  // Ends the stream, well if `error` is null. A read may be outstanding, a write not.
  virtual void finish(const ServiceError* error) = 0;
};

}  // namespace spur::services
