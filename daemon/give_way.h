// A thread that writes behind what is durable already: it may not keep an event waiting for a core.
#pragma once

namespace spur {

// The calling thread gives way to others of the machine (nice 10: with all cores busy it is left a
// tenth of one). Where it falls so far behind that memory fills, shards wait for it, and it has the
// core. For speed only: where it is not allowed, a warning says so.
void give_way();

}  // namespace spur
