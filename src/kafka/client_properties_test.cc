// SPDX-License-Identifier: Apache-2.0
#include "kafka/client_properties.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>

#include "kafka/client.h"

namespace tidegate::kafka {
namespace {

Result<ClientProperties> translate(std::map<std::string, std::string, std::less<>> values) {
  return translate_properties(Options(std::move(values)), "localhost:9092");
}

TEST(ClientProperties, BrokersComeFromTheTableElseFromTheDefault) {
  EXPECT_EQ(translate({{"topic", "a"}})->brokers, "localhost:9092");
  EXPECT_EQ(translate({{"properties.bootstrap.servers", "a:1,b:2"}})->brokers, "a:1,b:2");
  EXPECT_EQ(translate({{"properties.bootstrap.servers", ""}}).status().code(),
            ErrorCode::kMissingOption);
}

TEST(ClientProperties, JavasNamesBecomeLibrdkafkas) {
  const auto properties = translate({{"properties.fetch.max.wait.ms", "5"},
                                     {"properties.max.request.size", "2000000"},
                                     {"properties.group.id", "g"},
                                     {"properties.max.poll.records", "10"},
                                     {"properties.buffer.memory", "2097152"},
                                     {"properties.auto.offset.reset", "latest"},
                                     {"properties.linger.ms", "7"}});
  ASSERT_TRUE(properties.is_ok());
  EXPECT_EQ(properties->find("fetch.wait.max.ms"), "5");
  EXPECT_EQ(properties->find("message.max.bytes"), "2000000");
  EXPECT_EQ(properties->find("queue.buffering.max.kbytes"), "2048");
  EXPECT_EQ(properties->find("linger.ms"), "7");
  EXPECT_EQ(properties->find("group.id"), "g");
  EXPECT_EQ(properties->find("max.poll.records"), "");
  EXPECT_EQ(properties->group, "g");
  EXPECT_EQ(properties->offset_reset, "latest");
}

TEST(ClientProperties, CredentialsAreReadFromJaas) {
  const auto properties =
      translate({{"properties.sasl.jaas.config",
                  "org.apache.kafka.common.security.scram.ScramLoginModule required "
                  "username=\"alice\" password = 'it;is\"secret';"},
                 {"properties.sasl.mechanism", "SCRAM-SHA-256"}});
  ASSERT_TRUE(properties.is_ok());
  EXPECT_EQ(properties->find("sasl.username"), "alice");
  EXPECT_EQ(properties->find("sasl.password"), "it;is\"secret");
  EXPECT_EQ(properties->find("sasl.mechanisms"), "SCRAM-SHA-256");
}

TEST(ClientProperties, SecretsAreNotShown) {
  const Status status =
      translate({{"properties.sasl.jaas.config", "X required username=\"alice\" pw=\"hidden\";"}})
          .status();
  EXPECT_EQ(status.code(), ErrorCode::kInvalidOption);
  EXPECT_EQ(status.to_string().find("hidden"), std::string::npos) << status.to_string();
}

TEST(ClientProperties, WhatWouldChangeTheOutcomeIsRefused) {
  for (const char* name : {"properties.partitioner.class", "properties.transactional.id",
                           "properties.partition.assignment.strategy"}) {
    EXPECT_EQ(translate({{name, "x"}}).status().code(), ErrorCode::kInvalidOption) << name;
  }
  EXPECT_EQ(translate({{"properties.ssl.truststore.location", "a.jks"}}).status().code(),
            ErrorCode::kInvalidOption);
  EXPECT_EQ(translate({{"properties.auto.offset.reset", "sometimes"}}).status().code(),
            ErrorCode::kInvalidOption);
}

TEST(ClientProperties, PemStoresAreTaken) {
  const auto properties = translate({{"properties.ssl.truststore.location", "/ca.pem"},
                                     {"properties.ssl.keystore.location", "/me.p12"}});
  ASSERT_TRUE(properties.is_ok());
  EXPECT_EQ(properties->find("ssl.ca.location"), "/ca.pem");
  EXPECT_EQ(properties->find("ssl.keystore.location"), "/me.p12");
}

Status make_client(std::map<std::string, std::string, std::less<>> values,
                   Client::Role role = Client::Role::kConsumer) {
  const auto properties = translate(std::move(values));
  return Client::make(role, *properties, {}).status();
}

TEST(Client, UnknownPropertiesAreNamedWithTheNearest) {
  const Status status = make_client({{"properties.fetch.min.byte", "1"}});
  EXPECT_EQ(status.code(), ErrorCode::kUnknownOption);
  EXPECT_NE(status.message().find("'fetch.min.bytes'"), std::string::npos) << status.message();
}

TEST(Client, InvalidValuesAreExplainedUnlessSecret) {
  const Status status = make_client({{"properties.fetch.min.bytes", "many"}});
  EXPECT_EQ(status.code(), ErrorCode::kInvalidOption);
  EXPECT_NE(status.message().find("fetch.min.bytes"), std::string::npos) << status.message();
}

TEST(Client, AcksOtherThanAllTurnIdempotenceOff) {
  EXPECT_TRUE(make_client({{"properties.acks", "1"}}, Client::Role::kProducer).is_ok());
  EXPECT_EQ(make_client({{"properties.acks", "1"}, {"properties.enable.idempotence", "true"}},
                        Client::Role::kProducer)
                .code(),
            ErrorCode::kInvalidOption);
}

}  // namespace
}  // namespace tidegate::kafka
