#include "daemon/logging.h"

#include <chrono>
#include <memory>

#include <fmt/format.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace spur::logging {
namespace {

std::string_view level_text(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug: return "debug";
    case LogLevel::kInfo: return "info";
    case LogLevel::kWarning: return "warning";
    case LogLevel::kError: return "error";
  }
  return "";
}

spdlog::level::level_enum to_spdlog(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug: return spdlog::level::debug;
    case LogLevel::kInfo: return spdlog::level::info;
    case LogLevel::kWarning: return spdlog::level::warn;
    case LogLevel::kError: return spdlog::level::err;
  }
  return spdlog::level::info;
}

void append_json_text(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  out += '"';
}

void append_json_value(std::string& out, const Field::Value& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return append_json_text(out, *text);
  std::visit([&](const auto& v) {
    if constexpr (!std::is_same_v<std::decay_t<decltype(v)>, std::string>) out += fmt::format("{}", v);
  }, value);
}

void append_text_value(std::string& out, const Field::Value& value) {
  const auto* text = std::get_if<std::string>(&value);
  const bool plain = text != nullptr && !text->empty() && text->find_first_of(" \"\n=") == std::string::npos;
  if (plain) out += *text;
  else append_json_value(out, value);
}

struct Output {
  std::shared_ptr<spdlog::logger> logger;
  LogFormat format = LogFormat::kText;
};

Output make_output(LogLevel level, LogFormat format) {
  auto logger = std::make_shared<spdlog::logger>("spur", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  logger->set_pattern("%v");
  logger->set_level(to_spdlog(level));
  logger->flush_on(spdlog::level::debug);
  return {std::move(logger), format};
}

// The process has one standard error, so this is the one global of the daemon.
Output& output() {
  static Output instance = make_output(LogLevel::kInfo, LogFormat::kText);
  return instance;
}

void log(LogLevel level, std::string_view message, Fields fields) {
  const Output& out = output();
  if (!out.logger->should_log(to_spdlog(level))) return;
  const std::string time = absl::FormatTime("%Y-%m-%d%ET%H:%M:%E3SZ", absl::Now(), absl::UTCTimeZone());
  const std::string line = render(out.format, time, level, message, fields);
  out.logger->log(to_spdlog(level), spdlog::string_view_t(line.data(), line.size()));
}

}  // namespace

void configure(LogLevel level, LogFormat format) { output() = make_output(level, format); }

void debug(std::string_view message, Fields fields) { log(LogLevel::kDebug, message, fields); }
void info(std::string_view message, Fields fields) { log(LogLevel::kInfo, message, fields); }
void warning(std::string_view message, Fields fields) { log(LogLevel::kWarning, message, fields); }
void error(std::string_view message, Fields fields) { log(LogLevel::kError, message, fields); }

void flush() { output().logger->flush(); }

std::string render(LogFormat format, std::string_view time_text, LogLevel level, std::string_view message,
                   Fields fields) {
  if (format == LogFormat::kText) {
    std::string out = fmt::format("{} {:<7} {}", time_text, level_text(level), message);
    for (const Field& field : fields) {
      out += fmt::format(" {}=", field.name);
      append_text_value(out, field.value);
    }
    return out;
  }
  std::string out = fmt::format("{{\"time\":\"{}\",\"level\":\"{}\",\"message\":", time_text, level_text(level));
  append_json_text(out, message);
  for (const Field& field : fields) {
    out += ',';
    append_json_text(out, field.name);
    out += ':';
    append_json_value(out, field.value);
  }
  out += '}';
  return out;
}

}  // namespace spur::logging
