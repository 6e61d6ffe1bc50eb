// SPDX-License-Identifier: Apache-2.0
#include "types/decimal.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace tidegate {
namespace {

std::string parsed(std::string_view text, int precision, int scale) {
  Int128 value = 0;
  switch (parse_decimal(text, precision, scale, &value)) {
    case DecimalText::kMalformed:
      return "malformed";
    case DecimalText::kOverflow:
      return "overflow";
    default:
      break;
  }
  std::string out;
  append_decimal(value, scale, out);
  return out;
}

std::string java(double value) {
  std::string out;
  append_double(value, out);
  return out;
}

std::string java_float(float value) {
  std::string out;
  append_float(value, out);
  return out;
}

TEST(DecimalTest, ReadsAndRounds) {
  EXPECT_EQ(parsed("12.34", 10, 2), "12.34");
  EXPECT_EQ(parsed("-12.345", 10, 2), "-12.35");
  EXPECT_EQ(parsed("12.344999", 10, 2), "12.34");
  EXPECT_EQ(parsed("+.5", 10, 0), "1");
  EXPECT_EQ(parsed("0.05", 3, 1), "0.1");
  EXPECT_EQ(parsed("0.04", 3, 1), "0.0");
  EXPECT_EQ(parsed("5.", 3, 1), "5.0");
  EXPECT_EQ(parsed("-0.001", 3, 2), "0.00");
  EXPECT_EQ(parsed("1e3", 10, 2), "1000.00");
  EXPECT_EQ(parsed("1.5E-2", 10, 3), "0.015");
  EXPECT_EQ(parsed("9.995", 3, 2), "overflow");
  EXPECT_EQ(parsed("1e-1000000000", 10, 2), "0.00");
  EXPECT_EQ(parsed("1e1000000000", 10, 2), "overflow");
  EXPECT_EQ(parsed("0e1000000000", 10, 2), "0.00");
  EXPECT_EQ(parsed(std::string(38, '9'), 38, 0), std::string(38, '9'));
  EXPECT_EQ(parsed(std::string(39, '9'), 38, 0), "overflow");
  EXPECT_EQ(parsed(std::string(100, '0') + "7", 1, 0), "7");
  EXPECT_EQ(parsed("0." + std::string(100, '9'), 38, 38), "overflow");
  EXPECT_EQ(parsed("0." + std::string(38, '9'), 38, 38), "0." + std::string(38, '9'));
  for (const char* bad : {"", "+", ".", "-.", "1.2.3", "1e", "e5", "1e+", "1 ", " 1", "0x1", "1,5"})
    EXPECT_EQ(parsed(bad, 10, 2), "malformed") << bad;
}

TEST(DecimalTest, RescalesHalfUp) {
  Int128 out = 0;
  EXPECT_TRUE(rescale_decimal(1250, 3, 1, 10, &out));
  EXPECT_TRUE(out == 13);
  EXPECT_TRUE(rescale_decimal(-1250, 3, 1, 10, &out));
  EXPECT_TRUE(out == -13);
  EXPECT_TRUE(rescale_decimal(1249, 3, 1, 10, &out));
  EXPECT_TRUE(out == 12);
  EXPECT_TRUE(rescale_decimal(5, 0, 2, 3, &out));
  EXPECT_TRUE(out == 500);
  EXPECT_FALSE(rescale_decimal(5, 0, 2, 2, &out));
  EXPECT_FALSE(rescale_decimal(power_of_ten(37), 0, 10, 38, &out));
}

TEST(DecimalTest, GoesToDoublesAndBack) {
  EXPECT_EQ(decimal_to_double(12345, 2), 123.45);
  EXPECT_EQ(decimal_to_double(-1, 38), -1e-38);
  EXPECT_EQ(decimal_to_double(power_of_ten(37) * 3, 10), 3e27);
  Int128 out = 0;
  EXPECT_TRUE(double_to_decimal(0.1, 10, 2, &out));
  EXPECT_TRUE(out == 10);
  EXPECT_TRUE(double_to_decimal(-2.675, 10, 2, &out));
  EXPECT_TRUE(out == -268);
  EXPECT_FALSE(double_to_decimal(1e38, 38, 0, &out));
  EXPECT_FALSE(double_to_decimal(std::numeric_limits<double>::quiet_NaN(), 38, 0, &out));
  EXPECT_FALSE(double_to_decimal(std::numeric_limits<double>::infinity(), 38, 0, &out));
}

TEST(DecimalTest, WritesPlainDigits) {
  std::string out;
  append_decimal(-power_of_ten(38) + 1, 38, out);
  EXPECT_EQ(out, "-0." + std::string(38, '9'));
  out.clear();
  append_decimal(0, 2, out);
  EXPECT_EQ(out, "0.00");
  out.clear();
  append_decimal(power_of_ten(30) + 7, 0, out);
  EXPECT_EQ(out, "1" + std::string(29, '0') + "7");
}

TEST(NumberTextTest, DoublesAreInJavasForm) {
  EXPECT_EQ(java(0.0), "0.0");
  EXPECT_EQ(java(-0.0), "-0.0");
  EXPECT_EQ(java(1), "1.0");
  EXPECT_EQ(java(-1.5), "-1.5");
  EXPECT_EQ(java(100), "100.0");
  EXPECT_EQ(java(123456.789), "123456.789");
  EXPECT_EQ(java(9999999), "9999999.0");
  EXPECT_EQ(java(1e7), "1.0E7");
  EXPECT_EQ(java(12345678.9), "1.23456789E7");
  EXPECT_EQ(java(0.001), "0.001");
  EXPECT_EQ(java(0.00012), "1.2E-4");
  EXPECT_EQ(java(5e-324), "5.0E-324");
  EXPECT_EQ(java(1.7976931348623157e308), "1.7976931348623157E308");
  EXPECT_EQ(java(std::numeric_limits<double>::infinity()), "Infinity");
  EXPECT_EQ(java(-std::numeric_limits<double>::infinity()), "-Infinity");
  EXPECT_EQ(java(std::numeric_limits<double>::quiet_NaN()), "NaN");
  EXPECT_EQ(java_float(0.1F), "0.1");
  EXPECT_EQ(java_float(3.4028235e38F), "3.4028235E38");
}

}  // namespace
}  // namespace tidegate
