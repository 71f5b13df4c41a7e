// What jemalloc does otherwise than by default, for the programs that are linked against it
// (cmake/packages.cmake). It reads this variable before main(); MALLOC_CONF in the environment goes
// over it (jemalloc(3), "Tuning").
//
// oversize_threshold: blocks above 8 MiB otherwise go back to the kernel as soon as they are free,
// and librdkafka takes one for each big answer of a broker: every event's bytes were then faulted
// in anew, a twentieth to a tenth of all CPU (bench/README.md).
extern "C" {
extern const char* const malloc_conf;
const char* const malloc_conf = "oversize_threshold:0";
}
