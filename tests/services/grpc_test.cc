// A real client against the real server over a real engine on a folder of its own.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include <gmock/gmock.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include "daemon/engine.h"
#include "daemon/grpc/client.h"
#include "daemon/grpc/server.h"
#include "daemon/grpc/status.h"
#include "operators/catalog/load.h"
#include "spur/v1/service.grpc.pb.h"

namespace spur::services {
namespace {

using ::testing::HasSubstr;
using namespace std::chrono_literals;

constexpr const char* kCatalog = R"(
apiVersion: spur/v1
kind: Source
metadata: {name: shop}
spec: {topic: events.shop, format: segment}
---
apiVersion: spur/v1
kind: Channel
metadata: {name: email}
spec: {}
---
apiVersion: spur/v1
kind: Feature
metadata: {name: orders}
spec: {on: Order Completed, aggregate: count}
---
apiVersion: spur/v1
kind: Segment
metadata: {name: buyer}
spec: {when: features.orders > 0}
---
apiVersion: spur/v1
kind: Trigger
metadata: {name: thanks}
spec:
  class: transactional
  event: {on: Order Completed}
  if: features.orders < 100000
  actions: [{channel: email, template: thanks, data: {total: event.properties.total}}]
)";

class GrpcTest : public ::testing::Test {
 protected:
  using Stream = grpc::ClientReaderWriter<spur::v1::SubscribeRequest, spur::v1::SubscribeResponse>;

  GrpcTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "spur-grpc-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
    start();
  }
  ~GrpcTest() override {
    stop();
    std::filesystem::remove_all(folder_);
  }

  void start() {
    EngineOptions options;
    options.directory = folder_ / "data";
    options.shards = 2;
    options.on_action_latency = [this](std::uint32_t, std::chrono::nanoseconds latency, std::uint32_t actions) {
      counters_.event_to_action.record(latency, actions);
    };
    auto engine = Engine::open(options);
    ASSERT_TRUE(engine.ok()) << engine.status();
    engine_ = *std::move(engine);
    ASSERT_TRUE(engine_->wait_started(30s));
    ServerOptions server_options;
    server_options.address = {"127.0.0.1", 0};
    auto server = Server::start(server_options, *engine_, clock_, counters_);
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    client_.address = "127.0.0.1:" + std::to_string(server_->port());
    channel_ = *make_channel(client_);
    events_ = spur::v1::EventService::NewStub(channel_);
    actions_ = spur::v1::ActionService::NewStub(channel_);
    customers_ = spur::v1::CustomerService::NewStub(channel_);
    catalogs_ = spur::v1::CatalogService::NewStub(channel_);
  }
  void stop() {
    if (server_ != nullptr) server_->drain();
    if (engine_ != nullptr) EXPECT_TRUE(engine_->shutdown().ok());
    if (server_ != nullptr) server_->stop(1s);
    server_.reset();
    engine_.reset();
  }

  spur::v1::ApplyResponse apply(const std::string& yaml, bool validate_only = false) {
    catalog::Loaded loaded = catalog::load_text("test.yaml", yaml);
    EXPECT_TRUE(loaded.errors.empty()) << catalog::to_text(loaded.errors);
    spur::v1::ApplyRequest request;
    *request.mutable_catalog() = loaded.catalog;
    request.set_validate_only(validate_only);
    spur::v1::ApplyResponse response;
    const grpc::Status status = catalogs_->Apply(context().get(), request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response;
  }
  std::unique_ptr<grpc::ClientContext>& context() {
    context_ = std::make_unique<grpc::ClientContext>();
    set_deadline(*context_, 30s);
    return context_;
  }
  // One order of the customer.
  static std::string order(const std::string& user, int total) {
    return R"({"type":"track","event":"Order Completed","messageId":")" + user + "-" + std::to_string(total) +
           R"(","userId":")" + user + R"(","timestamp":"2026-03-01T08:00:00Z","traits":{},"properties":{"total":)" +
           std::to_string(total) + "}}";
  }
  // A timestamp of now, so that no action is too old.
  std::string order_now(const std::string& user, int total) {
    std::string out = order(user, total);
    const std::string now = absl_now();
    out.replace(out.find("2026-03-01T08:00:00Z"), 20, now);
    return out;
  }
  std::string absl_now() {
    const std::time_t seconds = clock_.read().wall.ms / 1000;
    char text[32];
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
    return text;
  }
  grpc::Status publish(const std::vector<std::string>& events, spur::v1::PublishResponse* response = nullptr) {
    spur::v1::PublishRequest request;
    for (const std::string& json : events) request.add_events()->set_json(json);
    spur::v1::PublishResponse ignored;
    return events_->Publish(context().get(), request, response != nullptr ? response : &ignored);
  }
  void publish_orders(const std::string& user, int from, int to) {
    for (int total = from; total < to; ++total) {
      const grpc::Status status = publish({order_now(user, total)});
      ASSERT_TRUE(status.ok()) << status.error_message();
    }
  }

  // A subscriber with its own call.
  struct Subscriber {
    explicit Subscriber(GrpcTest& test, std::uint32_t credits, std::string name = "", std::string cursor = "") {
      set_deadline(context, 20s);
      stream = test.actions_->Subscribe(&context);
      spur::v1::SubscribeRequest request;
      request.set_channel("email");
      request.set_credits(credits);
      request.set_subscriber(std::move(name));
      request.set_cursor(std::move(cursor));
      stream->Write(request);
    }
    ~Subscriber() {
      context.TryCancel();
      if (!finished) stream->Finish();
    }
    // How the stream ended.
    ServiceError finish() {
      finished = true;
      return from_grpc(stream->Finish());
    }
    // The next deliveries' data.
    std::vector<std::string> next(int count) {
      std::vector<std::string> out;
      spur::v1::SubscribeResponse response;
      while (static_cast<int>(out.size()) < count && stream->Read(&response)) {
        if (!response.has_delivery()) continue;
        out.push_back(response.delivery().action().data_json());
        cursor = response.delivery().cursor();
      }
      return out;
    }
    void grant(std::uint32_t credits) {
      spur::v1::SubscribeRequest request;
      request.set_credits(credits);
      stream->Write(request);
    }
    // Acknowledges what was read and waits for the answer.
    bool ack() {
      spur::v1::SubscribeRequest request;
      request.set_ack(cursor);
      stream->Write(request);
      spur::v1::SubscribeResponse response;
      while (stream->Read(&response)) {
        if (response.acked() == cursor) return true;
      }
      return false;
    }

    grpc::ClientContext context;
    std::unique_ptr<Stream> stream;
    std::string cursor;
    bool finished = false;
  };

  std::filesystem::path folder_;
  SystemClock clock_;
  metrics::EdgeCounters counters_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<Server> server_;
  ClientOptions client_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<grpc::ClientContext> context_;
  std::unique_ptr<spur::v1::EventService::Stub> events_;
  std::unique_ptr<spur::v1::ActionService::Stub> actions_;
  std::unique_ptr<spur::v1::CustomerService::Stub> customers_;
  std::unique_ptr<spur::v1::CatalogService::Stub> catalogs_;
};

TEST_F(GrpcTest, PublishedEventComesBackAsAnAction) {
  EXPECT_TRUE(apply(kCatalog).changed());
  EXPECT_FALSE(apply(kCatalog).changed());
  Subscriber subscriber(*this, 10);
  publish_orders("ann", 1, 3);
  EXPECT_THAT(subscriber.next(2), ::testing::ElementsAre(R"({"total":1})", R"({"total":2})"));
}

TEST_F(GrpcTest, WithoutCatalogPublishSaysWhatToDo) {
  const grpc::Status status = publish({order("ann", 1)});
  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(from_grpc(status).reason, "NO_CATALOG");
}

TEST_F(GrpcTest, RefusedEventIsADeadLetterAndTheOthersGoOn) {
  apply(kCatalog);
  spur::v1::PublishResponse response;
  ASSERT_TRUE(
      publish({order_now("ann", 1), "no json", R"({"type":"track","event":"x","timestamp":"2026-03-01T08:00:00Z"})"},
              &response)
          .ok());
  ASSERT_EQ(response.results_size(), 3);
  EXPECT_EQ(response.results(0).dead_letter_reason(), "");
  EXPECT_EQ(response.results(1).dead_letter_reason(), "NOT_JSON");
  EXPECT_EQ(response.results(2).dead_letter_reason(), "MISSING_IDENTITY");
}

TEST_F(GrpcTest, BadRequestsCarryReasonAndField) {
  apply(kCatalog);
  const grpc::Status empty = publish({});
  EXPECT_EQ(empty.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(from_grpc(empty).reason, "EVENTS_MISSING");
  EXPECT_EQ(from_grpc(empty).field, "events");
  EXPECT_EQ(exit_code(empty), 2);
  EXPECT_THAT(error_text(empty, client_), HasSubstr("(EVENTS_MISSING)"));

  spur::v1::Customer customer;
  const grpc::Status nobody = customers_->GetCustomer(context().get(), {}, &customer);
  EXPECT_EQ(from_grpc(nobody).reason, "CUSTOMER_MISSING");

  grpc::ClientContext call;
  set_deadline(call, 10s);
  const auto stream = actions_->Subscribe(&call);
  spur::v1::SubscribeRequest fax;
  fax.set_channel("fax");
  stream->Write(fax);
  spur::v1::SubscribeResponse response;
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_EQ(from_grpc(stream->Finish()).reason, "CHANNEL_UNKNOWN");
}

TEST_F(GrpcTest, NameOfAnyLengthIsRefusedWithItsReason) {
  // The message repeats the name, in trailers that have a limit of their own.
  apply(kCatalog);
  grpc::ClientContext call;
  set_deadline(call, 10s);
  const auto stream = actions_->Subscribe(&call);
  spur::v1::SubscribeRequest open;
  for (int i = 0; i < 50'000; ++i) open.mutable_channel()->append("ä");
  stream->Write(open);
  spur::v1::SubscribeResponse response;
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_EQ(from_grpc(stream->Finish()).reason, "CHANNEL_UNKNOWN");
}

TEST_F(GrpcTest, TooLargePublishIsRefusedWithAReason) {
  apply(kCatalog);
  const grpc::Status status = publish({std::string((4u << 20) + 1, ' ')});
  EXPECT_EQ(from_grpc(status).reason, "REQUEST_TOO_LARGE");
  // So large that gRPC itself refuses it, without a reason of ours.
  EXPECT_THAT(error_text(publish({std::string(5u << 20, ' ')}), client_),
              HasSubstr("grpc.message_bytes_max"));
}

TEST_F(GrpcTest, NoMoreActionsThanCredits) {
  apply(kCatalog);
  Subscriber subscriber(*this, 2);
  publish_orders("ann", 1, 4);
  EXPECT_EQ(subscriber.next(2).size(), 2U);
  subscriber.grant(1);
  EXPECT_THAT(subscriber.next(1), ::testing::ElementsAre(R"({"total":3})"));
  EXPECT_EQ(counters_.actions_delivered.at("email").value(), 3U);
}

TEST_F(GrpcTest, CursorResumesAfterReconnectAndAfterARestartOfTheDaemon) {
  apply(kCatalog);
  publish_orders("ann", 1, 5);
  std::string cursor;
  {
    Subscriber subscriber(*this, 2);
    EXPECT_THAT(subscriber.next(2), ::testing::ElementsAre(R"({"total":1})", R"({"total":2})"));
    cursor = subscriber.cursor;
  }
  {
    Subscriber again(*this, 1, "", cursor);
    EXPECT_THAT(again.next(1), ::testing::ElementsAre(R"({"total":3})"));
  }
  stop();
  start();
  Subscriber restarted(*this, 2, "", cursor);
  EXPECT_THAT(restarted.next(2), ::testing::ElementsAre(R"({"total":3})", R"({"total":4})"))
      << restarted.finish().message;
}

TEST_F(GrpcTest, BacklogOfManyArrivesAtOnceAndInOrder) {
  apply(kCatalog);
  std::vector<std::string> events, expected;
  for (int total = 0; total < 700; ++total) {
    events.push_back(order_now("ann", total));
    expected.push_back("{\"total\":" + std::to_string(total) + "}");
  }
  ASSERT_TRUE(publish(events).ok());
  {
    Subscriber first(*this, 700);
    EXPECT_EQ(first.next(700), expected);
  }
  Subscriber again(*this, 700);  // all of it is there from the beginning
  EXPECT_EQ(again.next(700), expected);
}

TEST_F(GrpcTest, NamedSubscriberGoesOnBehindItsLastAckAfterARestart) {
  apply(kCatalog);
  publish_orders("ann", 1, 4);
  {
    Subscriber subscriber(*this, 2, "mailer");
    subscriber.next(2);
    EXPECT_TRUE(subscriber.ack());
  }
  stop();
  start();
  Subscriber again(*this, 5, "mailer");
  EXPECT_THAT(again.next(1), ::testing::ElementsAre(R"({"total":3})"));
}

TEST_F(GrpcTest, SecondStreamOfANameEndsTheFirst) {
  apply(kCatalog);
  Subscriber first(*this, 5, "mailer");
  publish_orders("ann", 1, 2);
  EXPECT_EQ(first.next(1).size(), 1U);
  Subscriber second(*this, 5, "mailer");
  spur::v1::SubscribeResponse response;
  EXPECT_FALSE(first.stream->Read(&response));
  EXPECT_EQ(first.finish().reason, "REPLACED");
  EXPECT_EQ(second.next(1).size(), 1U);
}

TEST_F(GrpcTest, PublishStreamAnswersInOrder) {
  apply(kCatalog);
  grpc::ClientContext call;
  set_deadline(call, 30s);
  const auto stream = events_->PublishStream(&call);
  constexpr int kRequests = 500;
  std::thread writer([&] {
    for (int i = 0; i < kRequests; ++i) {
      spur::v1::PublishRequest request;
      for (int j = 0; j <= i % 3; ++j) request.add_events()->set_json(order_now("u" + std::to_string(i), j));
      stream->Write(request);
    }
    stream->WritesDone();
  });
  spur::v1::PublishResponse response;
  int answered = 0;
  while (stream->Read(&response)) {
    EXPECT_EQ(response.results_size(), answered % 3 + 1);
    ++answered;
  }
  writer.join();
  EXPECT_EQ(answered, kRequests);
  EXPECT_TRUE(stream->Finish().ok());
}

TEST_F(GrpcTest, RefusedCatalogKeepsTheOneInForce) {
  const std::string hash = apply(kCatalog).hash();
  std::string bad = kCatalog;
  bad.replace(bad.find("features.orders < 100000"), 24, "features.nothing == 1   ");
  const spur::v1::ApplyResponse refused = apply(bad);
  ASSERT_GT(refused.errors_size(), 0);
  EXPECT_THAT(refused.errors(0).where(), HasSubstr("thanks"));
  spur::v1::GetCatalogResponse in_force;
  ASSERT_TRUE(catalogs_->Get(context().get(), {}, &in_force).ok());
  EXPECT_EQ(in_force.hash(), hash);
  EXPECT_EQ(in_force.catalog().triggers_size(), 1);
  EXPECT_EQ(counters_.catalogs_refused.value(), 1U);
  EXPECT_FALSE(counters_.catalog_apply_successful.load());
}

TEST_F(GrpcTest, ValidateOnlyChangesNothing) {
  EXPECT_EQ(apply(kCatalog, true).errors_size(), 0);
  spur::v1::GetCatalogResponse none;
  EXPECT_EQ(from_grpc(catalogs_->Get(context().get(), {}, &none)).reason, "NO_CATALOG");
}

TEST_F(GrpcTest, ValidateOnlySaysWhatIsMissingAsApplyingWould) {
  spur::v1::ApplyRequest request;
  request.mutable_catalog()->add_segments()->set_name("vip");
  // What a daemon retires is its own affair, and cannot be brought along.
  request.mutable_catalog()->add_retired()->mutable_threshold();
  for (const bool only : {true, false}) {
    request.set_validate_only(only);
    spur::v1::ApplyResponse response;
    ASSERT_TRUE(catalogs_->Apply(context().get(), request, &response).ok());
    ASSERT_EQ(response.errors_size(), 1) << response.ShortDebugString();
    EXPECT_THAT(response.errors(0).message(), HasSubstr("`when` is missing"));
  }
}

TEST_F(GrpcTest, CustomerIsShownAsTheShardHasIt) {
  apply(kCatalog);
  publish_orders("ann", 1, 4);
  spur::v1::GetCustomerRequest request;
  request.set_customer("user_id:ann");
  spur::v1::Customer customer;
  const grpc::Status status = customers_->GetCustomer(context().get(), request, &customer);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(customer.customer(), "user_id:ann");
  ASSERT_EQ(customer.features_size(), 1);
  EXPECT_EQ(customer.features(0).json(), "3");
  EXPECT_THAT(customer.segments(), ::testing::ElementsAre("buyer"));
  EXPECT_GT(customer.run(), 0U);
  request.set_customer("bob");
  EXPECT_EQ(from_grpc(customers_->GetCustomer(context().get(), request, &customer)).reason, "CUSTOMER_UNKNOWN");
}

TEST_F(GrpcTest, ACustomerIsAskedForByAKindThatTheCatalogInForceMaps) {
  const std::string club = R"(
---
apiVersion: spur/v1
kind: Source
metadata: {name: club}
spec:
  format: json
  map: {name: "'Order Completed'", time: body.at, identities: {loyalty_id: body.card}, properties: {total: 1}}
)";
  apply(kCatalog + club);
  spur::v1::PublishRequest publish;
  publish.add_events()->set_json(R"({"card":"4711","at":")" + absl_now() + R"("})");
  publish.mutable_events(0)->set_source("club");
  spur::v1::PublishResponse published;
  ASSERT_TRUE(events_->Publish(context().get(), publish, &published).ok());
  ASSERT_EQ(published.results_size(), 1);
  EXPECT_EQ(published.results(0).dead_letter_reason(), "");

  spur::v1::GetCustomerRequest request;
  request.set_customer("loyalty_id:4711");
  spur::v1::Customer customer;
  const grpc::Status status = customers_->GetCustomer(context().get(), request, &customer);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(customer.customer(), "loyalty_id:4711");
  EXPECT_EQ(customer.features(0).json(), "1");
  spur::v1::ExplainRequest why;
  why.set_customer("loyalty_id:4711");
  spur::v1::ExplainResponse because;
  ASSERT_TRUE(customers_->Explain(context().get(), why, &because).ok());
  ASSERT_EQ(because.decisions_size(), 1);
  EXPECT_EQ(because.decisions(0).customer(), "loyalty_id:4711");
  for (const char* another : {"4711", "user_id:loyalty_id:4711", "email:4711"}) {
    request.set_customer(another);
    EXPECT_EQ(from_grpc(customers_->GetCustomer(context().get(), request, &customer)).reason,
              "CUSTOMER_UNKNOWN");
  }
  request.set_customer("loyalty_id:");
  EXPECT_EQ(from_grpc(customers_->GetCustomer(context().get(), request, &customer)).reason,
            "CUSTOMER_MISSING");
}

TEST_F(GrpcTest, ExplainTellsDecisionsNewestFirstAndTheConditions) {
  apply(kCatalog);
  publish_orders("ann", 1, 4);
  spur::v1::ExplainRequest request;
  request.set_customer("ann");
  request.set_limit(2);
  spur::v1::ExplainResponse response;
  const grpc::Status status = customers_->Explain(context().get(), request, &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  ASSERT_EQ(response.decisions_size(), 2);
  EXPECT_EQ(response.decisions(0).data_json(), R"({"total":3})");
  ASSERT_EQ(response.triggers_size(), 1);
  EXPECT_EQ(response.triggers(0).trigger(), "thanks");
  ASSERT_EQ(response.triggers(0).conditions_size(), 1);
  EXPECT_EQ(response.triggers(0).conditions(0).name(), "if");
  EXPECT_EQ(response.triggers(0).conditions(0).value_json(), "true");
  EXPECT_EQ(response.triggers(0).conditions(0).inputs(0).name(), "features.orders");
  EXPECT_EQ(response.triggers(0).conditions(0).inputs(0).json(), "3");
  request.set_trigger("unknown");
  EXPECT_EQ(from_grpc(customers_->Explain(context().get(), request, &response)).reason, "TRIGGER_UNKNOWN");
}

TEST_F(GrpcTest, ExplainAboutThePastKnowsATriggerThatIsGone) {
  apply(kCatalog);
  publish_orders("ann", 1, 2);
  const std::string catalog(kCatalog);
  const std::int64_t then = clock_.read().wall.ms;
  apply(catalog.substr(0, catalog.find("---\napiVersion: spur/v1\nkind: Trigger")));
  spur::v1::ExplainRequest request;
  request.set_customer("ann");
  request.set_trigger("thanks");
  spur::v1::ExplainResponse response;
  EXPECT_EQ(from_grpc(customers_->Explain(context().get(), request, &response)).reason, "TRIGGER_UNKNOWN");
  request.set_at_ms(then);
  const grpc::Status status = customers_->Explain(context().get(), request, &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(response.moments_size(), 1);
  EXPECT_EQ(response.decisions_size(), 1);
  request.set_trigger("unknown");
  EXPECT_EQ(from_grpc(customers_->Explain(context().get(), request, &response)).reason, "TRIGGER_UNKNOWN");
}

TEST_F(GrpcTest, ShutdownEndsSubscribersWithTheReason) {
  apply(kCatalog);
  Subscriber subscriber(*this, 5);
  publish_orders("ann", 1, 2);
  EXPECT_EQ(subscriber.next(1).size(), 1U);
  stop();
  spur::v1::SubscribeResponse response;
  EXPECT_FALSE(subscriber.stream->Read(&response));
  EXPECT_EQ(subscriber.finish().reason, "SHUTTING_DOWN");
  start();
}

TEST_F(GrpcTest, HealthFollowsTheDaemonAndDrainingIsFinal) {
  const auto health = [this](const std::string& service) {
    // grpc.health.v1 by hand: a request holds the name as field 1, an answer the status as field 1.
    grpc::GenericStub stub(channel_);
    std::string bytes;
    if (!service.empty()) bytes = "\x0a" + std::string(1, static_cast<char>(service.size())) + service;
    grpc::Slice slice(bytes);
    grpc::ByteBuffer request(&slice, 1), response;
    grpc::CompletionQueue queue;
    grpc::ClientContext call;
    set_deadline(call, 10s);
    const auto rpc = stub.PrepareUnaryCall(&call, "/grpc.health.v1.Health/Check", request, &queue);
    rpc->StartCall();
    grpc::Status status;
    rpc->Finish(&response, &status, nullptr);
    void* tag = nullptr;
    bool ok = false;
    queue.Next(&tag, &ok);
    EXPECT_TRUE(status.ok()) << status.error_message();
    std::vector<grpc::Slice> slices;
    if (!response.Dump(&slices).ok() || slices.empty() || slices[0].size() < 2) return 0;
    return static_cast<int>(slices[0].begin()[1]);
  };
  constexpr int kServing = 1, kNotServing = 2;
  EXPECT_EQ(health(""), kNotServing);
  server_->set_serving(true);
  EXPECT_EQ(health(""), kServing);
  EXPECT_EQ(health("spur.v1.EventService"), kServing);
  server_->drain();
  server_->set_serving(true);
  EXPECT_EQ(health(""), kNotServing);
}

TEST_F(GrpcTest, TlsAsksTheClientForItsCertificate) {
  const std::string at = folder_.string() + "/";
  const std::string make =
      "cd " + at + " && exec 2>/dev/null"
      " && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=ca"
      " -keyout ca.key -out ca.pem"
      " && for who in server client; do openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
      " -subj /CN=localhost -keyout $who.key -out $who.csr && printf 'subjectAltName=DNS:localhost' > ext"
      " && openssl x509 -req -in $who.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile ext"
      " -out $who.pem || exit 1; done";
  if (std::system(make.c_str()) != 0) GTEST_SKIP() << "no openssl to make certificates with";
  ServerOptions options;
  options.address = {"127.0.0.1", 0};
  options.tls.cert = at + "server.pem";
  options.tls.key = at + "server.key";
  options.tls.client_ca = at + "ca.pem";
  options.tls.reload = 60s;
  // gRPC would serve with any of these, and refuse every client.
  for (const auto& [wrong, option] : std::vector<std::pair<std::string TlsFiles::*, std::string>>{
           {&TlsFiles::cert, "grpc.tls.cert"},
           {&TlsFiles::key, "grpc.tls.key"},
           {&TlsFiles::client_ca, "grpc.tls.client_ca"}}) {
    for (const std::string& file : {at + "client.csr", at + "nothing.pem"}) {
      ServerOptions with_wrong = options;
      with_wrong.tls.*wrong = file;
      const auto refused = Server::start(with_wrong, *engine_, clock_, counters_);
      EXPECT_EQ(refused.status().code(), absl::StatusCode::kInvalidArgument);
      EXPECT_THAT(refused.status().message(), HasSubstr(option + ": " + file));
    }
  }
  options.tls.key = at + "client.key";
  EXPECT_THAT(Server::start(options, *engine_, clock_, counters_).status().message(),
              HasSubstr("no PEM key of that certificate"));
  options.tls.key = at + "server.key";
  const auto server = Server::start(options, *engine_, clock_, counters_);
  ASSERT_TRUE(server.ok()) << server.status();

  ClientOptions client;
  client.address = "127.0.0.1:" + std::to_string((*server)->port());
  client.ca = at + "ca.pem";
  client.server_name = "localhost";
  const auto get = [&](const ClientOptions& with) {
    const auto stub = spur::v1::CatalogService::NewStub(*make_channel(with));
    grpc::ClientContext call;
    set_deadline(call, 10s);
    spur::v1::GetCatalogResponse response;
    return stub->Get(&call, {}, &response);
  };
  EXPECT_EQ(get(client).error_code(), grpc::StatusCode::UNAVAILABLE) << "without a certificate";
  client.cert = at + "client.pem";
  client.key = at + "client.key";
  EXPECT_EQ(from_grpc(get(client)).reason, "NO_CATALOG") << "with one";
  options.tls.cert = at + "nothing.pem";
  EXPECT_EQ(Server::start(options, *engine_, clock_, counters_).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(GrpcTest, ReflectionIsThereOnlyWhereItIsWanted) {
  const auto answers = [this](Reflection reflection) {
    ServerOptions options;
    options.address = {"127.0.0.1", 0};
    options.reflection = reflection;
    const auto server = Server::start(options, *engine_, clock_, counters_);
    ClientOptions client;
    client.address = "127.0.0.1:" + std::to_string((*server)->port());
    grpc::GenericStub stub(*make_channel(client));
    grpc::CompletionQueue queue;
    grpc::ClientContext call;
    set_deadline(call, 10s);
    const auto stream =
        stub.PrepareCall(&call, "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", &queue);
    void* tag = nullptr;
    bool ok = false;
    stream->StartCall(nullptr);
    queue.Next(&tag, &ok);
    stream->WritesDone(nullptr);
    queue.Next(&tag, &ok);
    grpc::Status status;
    stream->Finish(&status, nullptr);
    queue.Next(&tag, &ok);
    return status.error_code() != grpc::StatusCode::UNIMPLEMENTED;
  };
  EXPECT_TRUE(answers(Reflection::kAuto));
  EXPECT_TRUE(answers(Reflection::kOn));
  EXPECT_FALSE(answers(Reflection::kOff));
}

TEST_F(GrpcTest, PortInUseIsToldAndNotShared) {
  ServerOptions options;
  options.address = {"127.0.0.1", server_->port()};
  const auto second = Server::start(options, *engine_, clock_, counters_);
  EXPECT_EQ(second.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(second.status().message(), HasSubstr("grpc.address"));
  EXPECT_THAT(second.status().message(), HasSubstr("another process has the port"));
}

// How long it takes is bench/system's to say; here nothing may be lost or wait for a poll that does not come.
TEST_F(GrpcTest, EachOfAThousandEventsBringsItsActionToALiveSubscriber) {
  apply(kCatalog);
  Subscriber subscriber(*this, 100'000);
  constexpr std::size_t kEvents = 1'000;
  std::size_t delivered = 0;
  std::thread reader([&] {
    while (delivered < kEvents && !subscriber.next(1).empty()) ++delivered;
  });
  for (std::size_t i = 0; i < kEvents; ++i) publish({order_now("ann", static_cast<int>(i))});
  reader.join();
  EXPECT_EQ(delivered, kEvents);
}

}  // namespace
}  // namespace spur::services
