# The daemon's outside: configuration, logging, metrics, the HTTP admin port, the gRPC services, and spurd's main.
add_library(spur_version INTERFACE)
target_compile_definitions(spur_version INTERFACE SPUR_VERSION="${PROJECT_VERSION}")
add_library(spur_config STATIC config.cc config_options.cc config_text.cc listen.cc)
target_link_libraries(spur_config PUBLIC absl::status absl::statusor PRIVATE fmt::fmt yaml-cpp CLI11::CLI11)
add_library(spur_logging STATIC logging.cc)
target_link_libraries(spur_logging PUBLIC absl::status PRIVATE fmt::fmt spdlog::spdlog absl::time)
add_subdirectory(metrics)
add_subdirectory(http)
add_subdirectory(grpc)

add_executable(spurd main.cc daemon.cc catalog_folder.cc)
target_link_libraries(spurd PRIVATE
  spur_allocator spur_config spur_logging spur_version spur_metrics spur_http spur_grpc_server
  spur_engine spur_kafka_log spur_catalog fmt::fmt)
