// topic --bootstrap B --create NAME --partitions 4   |   --delete NAME
#include "bench/peers/tools/common.h"
int main(int argc, char** argv) {
  Args a(argc, argv);
  auto* c = rd_kafka_conf_new();
  set(c, "bootstrap.servers", a.str("bootstrap", "127.0.0.1:9092"));
  auto* rk = make(RD_KAFKA_PRODUCER, c);
  auto* q = rd_kafka_queue_new(rk);
  char err[512];
  int rc = 0;
  if (a.kv.count("delete")) {
    auto* d = rd_kafka_DeleteTopic_new(a.str("delete", "").c_str());
    rd_kafka_DeleteTopics(rk, &d, 1, nullptr, q);
    auto* e = rd_kafka_queue_poll(q, 10000);
    size_t n;
    auto** r = rd_kafka_DeleteTopics_result_topics(rd_kafka_event_DeleteTopics_result(e), &n);
    auto er = rd_kafka_topic_result_error(r[0]);
    if (er && er != RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) {
      printf("%s\n", rd_kafka_err2str(er));
      rc = 1;
    }
  }
  if (a.kv.count("create")) {
    auto* t = rd_kafka_NewTopic_new(a.str("create", "").c_str(), int(a.num("partitions", 4)), 1,
                                    err, sizeof err);
    rd_kafka_NewTopic_set_config(t, "retention.ms", "-1");
    rd_kafka_CreateTopics(rk, &t, 1, nullptr, q);
    auto* e = rd_kafka_queue_poll(q, 10000);
    size_t n;
    auto** r = rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(e), &n);
    auto er = rd_kafka_topic_result_error(r[0]);
    if (er) {
      printf("%s\n", rd_kafka_err2str(er));
      rc = er == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS ? 0 : 1;
    }
  }
  return rc;
}
