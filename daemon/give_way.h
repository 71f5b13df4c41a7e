// Threads that write behind what is durable already: none of them may keep an event waiting for a
// core.
#pragma once

namespace rocksdb {
class Env;
}

namespace spur {

// The calling thread gives way to others of the machine (nice 10: with both cores busy it is left a
// tenth of one). Where it falls so far behind that memory fills, shards wait for it, and it has the core.
void give_way();
// RocksDB's compactions, for all stores of `env`. Its flushes keep their priority: the log waits for
// them when both of its memtables are full.
void give_way(rocksdb::Env& env);

}  // namespace spur
