// What the language has planned and this version lacks is refused by name.
#include "tests/catalog/errors_fixture.h"

namespace spur::catalog {
namespace {

TEST(CatalogErrorsTest, KindsNotInThisVersion) {
  for (const char* kind : {"IdentityRule", "Journey", "Offer", "Experiment"}) {
    EXPECT_EQ(errors(document(kind, "{anything: goes}")),
              "c:2:7: kind `" + std::string(kind) + "` is known, not in this version\n");
  }
}

TEST(CatalogErrorsTest, SettingsNotInThisVersion) {
  check_kind("Model",
             {
                 {"{xgboost: {file: a}, inputs: [a]}",
                  "c:4:8: model `xgboost` is known, not in this version; use bg_nbd\n"
                  "c:4:28: `inputs` is known, not in this version; remove it: bg_nbd takes its "
                  "inputs from its pattern\n"},
                 {"{logistic: {outcome: A}}",
                  "c:4:8: model `logistic` is known, not in this version; use bg_nbd\n"},
                 {"{gamma_gamma: {with: churn}}",
                  "c:4:8: model `gamma_gamma` is known, not in this version; use bg_nbd\n"},
             });
}

}  // namespace
}  // namespace spur::catalog
