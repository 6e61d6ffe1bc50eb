// SPDX-License-Identifier: Apache-2.0
#include "kafka/client_properties.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>

#include "base/check.h"

namespace tidegate::kafka {

namespace {

constexpr std::string_view kPrefix = "properties.";

/// Where librdkafka's name differs from Java's, or a setting of Java's has no counterpart.
struct Renamed {
  std::string_view java;
  std::string_view ours;  ///< empty: means nothing here
};
constexpr Renamed kRenamed[] = {
    {"fetch.max.wait.ms", "fetch.wait.max.ms"},
    {"max.request.size", "message.max.bytes"},
    {"receive.buffer.bytes", "socket.receive.buffer.bytes"},
    {"sasl.login.connect.timeout.ms", ""},
    {"sasl.mechanism", "sasl.mechanisms"},
    {"send.buffer.bytes", "socket.send.buffer.bytes"},
    {"socket.connection.setup.timeout.max.ms", ""},
    {"ssl.keystore.certificate.chain", "ssl.certificate.pem"},
    {"ssl.keystore.key", "ssl.key.pem"},
    {"ssl.truststore.certificates", "ssl.ca.pem"},
    {"ssl.truststore.password", ""},
    {"ssl.truststore.type", ""},
    {"ssl.keystore.type", ""},
    {"ssl.protocol", ""},
    {"ssl.enabled.protocols", ""},
    // Offsets are the epochs' business, and records are decoded by formats.
    {"auto.commit.interval.ms", ""},
    {"commit.offsets.on.checkpoint", ""},
    {"default.api.timeout.ms", ""},
    {"enable.auto.commit", ""},
    {"key.deserializer", ""},
    {"key.serializer", ""},
    {"max.block.ms", ""},
    {"max.poll.records", ""},
    {"value.deserializer", ""},
    {"value.serializer", ""},
    // Of the Java program's own life.
    {"auto.include.jmx.reporter", ""},
    {"client.id.prefix", ""},
    {"interceptor.classes", ""},
    {"metric.reporters", ""},
    {"metrics.num.samples", ""},
    {"metrics.recording.level", ""},
    {"metrics.sample.window.ms", ""},
    {"partition.discovery.interval.ms", ""},
    {"register.consumer.metrics", ""},
};

/// Settings of Java's that must not be passed over, and what to say instead.
struct Refused {
  std::string_view java;
  std::string_view remedy;
};
constexpr Refused kRefused[] = {
    {"partitioner.class", "Use 'sink.partitioner' = 'default', 'fixed' or 'round-robin'."},
    {"partition.assignment.strategy", "Partitions are assigned by the job; remove the option."},
    {"security.providers", "Classes of Java cannot be loaded; remove the option."},
    {"sasl.client.callback.handler.class", "Classes of Java cannot be loaded; remove the option."},
    {"sasl.login.callback.handler.class",
     "Classes of Java cannot be loaded; for OAuth use properties.sasl.oauthbearer.*."},
    {"ssl.engine.factory.class", "Classes of Java cannot be loaded; remove the option."},
    {"transactional.id", "Exactly-once sinks name their transactions themselves."},
};

Status invalid(std::string_view name, std::string_view remedy) {
  return Status(ErrorCode::kInvalidOption,
                fmt::format("option '{}{}' is not supported", kPrefix, name), std::string(remedy));
}

bool is_pem(std::string_view path) { return path.ends_with(".pem") || path.ends_with(".crt"); }

/// The value of `key="..."` in a JAAS line, or "".
std::string jaas_value(std::string_view jaas, std::string_view key) {
  for (std::size_t at = jaas.find(key); at != std::string_view::npos; at = jaas.find(key, at + 1)) {
    std::string_view rest = jaas.substr(at + key.size());
    if (at > 0 && jaas[at - 1] != ' ') continue;
    rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
    if (!rest.starts_with('=')) continue;
    rest.remove_prefix(1);
    rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
    if (rest.empty() || (rest[0] != '"' && rest[0] != '\'')) continue;
    const std::size_t end = rest.find(rest[0], 1);
    if (end != std::string_view::npos) return std::string(rest.substr(1, end - 1));
  }
  return {};
}

Status take_jaas(std::string_view jaas, ClientProperties& properties) {
  const std::string user = jaas_value(jaas, "username");
  const std::string password = jaas_value(jaas, "password");
  if (user.empty() || password.empty()) {
    // The value holds a secret, so it is not shown.
    return Status(ErrorCode::kInvalidOption,
                  "option 'properties.sasl.jaas.config' has no username=\"...\" password=\"...\"",
                  "Use PlainLoginModule or ScramLoginModule, or set properties.sasl.username and "
                  "properties.sasl.password.");
  }
  properties.settings.emplace_back("sasl.username", user);
  properties.settings.emplace_back("sasl.password", password);
  return Status::ok();
}

/// Java's stores: PEM and PKCS#12 can be read, its own JKS cannot.
Status take_store(std::string_view name, const std::string& path, const Options& options,
                  ClientProperties& properties) {
  const bool trust = name == "ssl.truststore.location";
  std::string type = options.get_string_or(
      trust ? "properties.ssl.truststore.type" : "properties.ssl.keystore.type",
      is_pem(path)             ? "PEM"
      : path.ends_with(".p12") ? "PKCS12"
                               : "JKS");
  std::transform(type.begin(), type.end(), type.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  if (trust && type == "PEM") {
    properties.settings.emplace_back("ssl.ca.location", path);
  } else if (!trust && type == "PKCS12") {
    properties.settings.emplace_back("ssl.keystore.location", path);
  } else if (!trust && type == "PEM") {
    properties.settings.emplace_back("ssl.certificate.location", path);
    properties.settings.emplace_back("ssl.key.location", path);
  } else {
    return invalid(name, trust ? "Export the certificates as PEM and set the type to PEM."
                               : "Convert the key store to PKCS12 or PEM and set the type.");
  }
  return Status::ok();
}

/// The settings whose values differ too. True when `name` was one of them.
Result<bool> take_converted(std::string_view name, const std::string& value, const Options& options,
                            ClientProperties& properties) {
  const std::string full = std::string(kPrefix) + std::string(name);
  if (name == "auto.offset.reset") {
    // librdkafka's own words mean the same.
    if (value == "earliest" || value == "smallest" || value == "beginning") {
      properties.offset_reset = "earliest";
    } else if (value == "latest" || value == "largest" || value == "end") {
      properties.offset_reset = "latest";
    } else if (value == "none" || value == "error") {
      properties.offset_reset = "none";
    } else {
      return error(ErrorCode::kInvalidOption, "option '{}' is '{}', not earliest, latest or none",
                   full, value);
    }
    // What is gone by retention must not be skipped in silence, so that is opt-in.
    properties.settings.emplace_back(
        "auto.offset.reset", properties.offset_reset == "none" ? "error" : properties.offset_reset);
  } else if (name == "buffer.memory") {
    TG_ASSIGN_OR_RETURN(const std::int64_t bytes, options.get_size_or(full, 0));
    properties.settings.emplace_back("queue.buffering.max.kbytes",
                                     std::to_string(std::max<std::int64_t>(bytes / 1024, 1)));
  } else if (name == "request.timeout.ms") {
    // For a producer librdkafka has it too; for the rest it is the socket's.
    properties.settings.emplace_back("socket.timeout.ms", value);
    properties.settings.emplace_back("request.timeout.ms", value);
  } else if (name == "ssl.endpoint.identification.algorithm") {
    properties.settings.emplace_back("ssl.endpoint.identification.algorithm",
                                     value.empty() ? "none" : value);
  } else if (name == "ssl.truststore.location" || name == "ssl.keystore.location") {
    TG_RETURN_IF_ERROR(take_store(name, value, options, properties));
  } else if (name == "sasl.jaas.config") {
    TG_RETURN_IF_ERROR(take_jaas(value, properties));
  } else {
    return false;
  }
  return true;
}

}  // namespace

std::string_view ClientProperties::find(std::string_view name) const {
  const auto found = std::find_if(settings.rbegin(), settings.rend(),
                                  [&](const auto& setting) { return setting.first == name; });
  return found == settings.rend() ? std::string_view() : std::string_view(found->second);
}

Result<ClientProperties> translate_properties(const Options& options,
                                              std::string_view default_brokers) {
  ClientProperties properties;
  properties.brokers = default_brokers;
  for (const auto& [option, value] : options.values()) {
    if (!option.starts_with(kPrefix)) continue;
    const std::string_view name = std::string_view(option).substr(kPrefix.size());
    if (name == "bootstrap.servers") {
      properties.brokers = value;
      continue;
    }
    if (name == "group.id") properties.group = value;
    const auto refused = std::find_if(std::begin(kRefused), std::end(kRefused),
                                      [&](const Refused& r) { return r.java == name; });
    if (refused != std::end(kRefused)) return invalid(name, refused->remedy);
    TG_ASSIGN_OR_RETURN(const bool converted, take_converted(name, value, options, properties));
    if (converted) continue;
    const auto renamed = std::find_if(std::begin(kRenamed), std::end(kRenamed),
                                      [&](const Renamed& r) { return r.java == name; });
    const std::string_view ours = renamed == std::end(kRenamed) ? name : renamed->ours;
    if (!ours.empty()) properties.settings.emplace_back(ours, value);
  }
  if (properties.brokers.empty())
    return error(ErrorCode::kMissingOption, "option 'properties.bootstrap.servers' is empty");
  return properties;
}

}  // namespace tidegate::kafka
