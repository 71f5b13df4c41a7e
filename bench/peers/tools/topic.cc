// topic --bootstrap B --create NAME --partitions 4   |   --delete NAME
//
// A topic that is there already, or gone already, is fine; exit code 1: it could not be done, and
// why.
#include "bench/peers/tools/common.h"

namespace {

// The one topic's error, and what has no answer is one too. `topics` are the results of the event.
template <typename Result>
rd_kafka_resp_err_t answer(rd_kafka_queue_t* queue, Result topics) {
  rd_kafka_event_t* event = rd_kafka_queue_poll(queue, 10'000);
  if (event == nullptr) return RD_KAFKA_RESP_ERR__TIMED_OUT;
  rd_kafka_resp_err_t code = rd_kafka_event_error(event);
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
    size_t count = 0;
    const rd_kafka_topic_result_t** results = topics(event, &count);
    code = count == 1 ? rd_kafka_topic_result_error(results[0]) : RD_KAFKA_RESP_ERR__FAIL;
  }
  rd_kafka_event_destroy(event);
  return code;
}

int told(rd_kafka_resp_err_t code, rd_kafka_resp_err_t done_already, const std::string& what) {
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR || code == done_already) return 0;
  fprintf(stderr, "topic: %s: %s\n", what.c_str(), rd_kafka_err2str(code));
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  Args a(argc, argv);
  auto* c = rd_kafka_conf_new();
  set(c, "bootstrap.servers", a.str("bootstrap", "127.0.0.1:9092"));
  auto* rk = make(RD_KAFKA_PRODUCER, c);
  auto* q = rd_kafka_queue_new(rk);
  char err[512];
  int rc = 0;
  if (a.kv.count("delete")) {
    const std::string name = a.str("delete", "");
    auto* d = rd_kafka_DeleteTopic_new(name.c_str());
    rd_kafka_DeleteTopics(rk, &d, 1, nullptr, q);
    const auto code = answer(q, [](rd_kafka_event_t* e, size_t* n) {
      return rd_kafka_DeleteTopics_result_topics(rd_kafka_event_DeleteTopics_result(e), n);
    });
    rc = told(code, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, "deleting " + name);
  }
  if (a.kv.count("create")) {
    const std::string name = a.str("create", "");
    auto* t = rd_kafka_NewTopic_new(name.c_str(), int(a.num("partitions", 4)), 1, err, sizeof err);
    if (t == nullptr) {
      fprintf(stderr, "topic: creating %s: %s\n", name.c_str(), err);
      return 1;
    }
    rd_kafka_NewTopic_set_config(t, "retention.ms", "-1");
    rd_kafka_CreateTopics(rk, &t, 1, nullptr, q);
    const auto code = answer(q, [](rd_kafka_event_t* e, size_t* n) {
      return rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(e), n);
    });
    rc |= told(code, RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS, "creating " + name);
  }
  return rc;
}
