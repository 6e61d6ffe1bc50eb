// SPDX-License-Identifier: Apache-2.0
//
// RAND, RAND_INTEGER, UUID. With a seed that is a constant the rows get the numbers of one
// sequence, in order, that of java.util.Random; with one that is not, each row gets the first
// number of its own. Without a seed nobody can foresee them.
#include <fmt/format.h>

#include <memory>
#include <mutex>
#include <utility>

#include "base/random.h"
#include "expr/map_values.h"
#include "expr/type_rules.h"
#include "functions/binding.h"

namespace tidegate {

namespace {

using Types = std::span<const LogicalType>;
using Constants = std::span<const ArrayPtr>;

/// The generator that Java's documentation prescribes: a linear congruential one of 48 bits.
class JavaRandom {
 public:
  explicit JavaRandom(std::int64_t seed)
      : state_((static_cast<std::uint64_t>(seed) ^ kMultiplier) & kMask) {}

  double real() {
    const std::uint64_t high = next(26);
    return static_cast<double>((high << 27) + next(27)) * 0x1.0p-53;
  }
  /// In [0, bound); bound > 0.
  std::int32_t below(std::int32_t bound) {
    const auto limit = static_cast<std::uint64_t>(bound);
    if ((limit & (limit - 1)) == 0) return static_cast<std::int32_t>(limit * next(31) >> 31);
    constexpr std::uint64_t kNumbers = std::uint64_t{1} << 31;
    const std::uint64_t even = kNumbers - kNumbers % limit;  // what is left divides evenly
    std::uint64_t number = next(31);
    while (number >= even) number = next(31);
    return static_cast<std::int32_t>(number % limit);
  }

 private:
  static constexpr std::uint64_t kMultiplier = 0x5DEECE66D;
  static constexpr std::uint64_t kMask = (std::uint64_t{1} << 48) - 1;

  std::uint64_t next(int bits) {
    state_ = (state_ * kMultiplier + 0xB) & kMask;
    return state_ >> (48 - bits);
  }

  std::uint64_t state_;
};

/// One call's numbers, which may be asked for by several threads, a batch at a time.
struct Sequence {
  explicit Sequence(std::optional<std::int64_t> seed)
      : foreseen(seed.value_or(0)), unforeseen(seed ? 0 : entropy_seed()), has_seed(seed) {}

  double real() { return has_seed ? foreseen.real() : unforeseen.real(); }
  std::int32_t below(std::int32_t bound) {
    if (has_seed) return foreseen.below(bound);
    return static_cast<std::int32_t>(unforeseen.below(static_cast<std::uint64_t>(bound)));
  }

  std::mutex mutex;
  JavaRandom foreseen;
  Random unforeseen;
  bool has_seed;
};

/// NULL is seed 0.
std::int64_t seed_at(const ArgumentReader<std::int64_t>& seeds, std::int64_t row) {
  return seeds.is_null(row) ? 0 : seeds[row];
}

/// The sequence of a call whose first argument, if it has a seed, is that; null pointer: a sequence
/// per row.
std::shared_ptr<Sequence> sequence_of(bool has_seed, Types arguments, Constants constants) {
  if (!has_seed) return std::make_shared<Sequence>(std::nullopt);
  if (constants[0] == nullptr) return nullptr;
  if (arguments[0].kind() != TypeKind::kBigInt || constants[0]->IsNull(0))
    return std::make_shared<Sequence>(0);
  return std::make_shared<Sequence>(ValueReader<std::int64_t>(*constants[0])[0]);
}

bool are_integers(Types arguments) {
  return std::all_of(arguments.begin(), arguments.end(), [](const LogicalType& type) {
    return type.is_integer() || type.kind() == TypeKind::kNull;
  });
}

/// Whole numbers as BIGINT: then bind runs again with the constants cast.
std::vector<LogicalType> as_bigints(Types arguments) {
  std::vector<LogicalType> types;
  for (const LogicalType& argument : arguments)
    types.push_back(integer_type().with_nullable(argument.nullable()));
  return types;
}

Result<BoundFunction> bind_rand(Types arguments, Constants constants) {
  if (arguments.size() > 1 || !are_integers(arguments))
    return argument_mismatch("RAND", "nothing, or a whole number", arguments);
  BoundFunction bound;
  bound.result_type = double_type().with_nullable(false);
  bound.argument_types = as_bigints(arguments);
  bound.can_fail = false;
  bound.evaluate =
      [type = bound.result_type, sequence = sequence_of(!arguments.empty(), arguments, constants)](
          std::span<const Argument> args, std::int64_t num_rows, EvalContext&) -> Result<ArrayPtr> {
    TG_ASSIGN_OR_RETURN(auto out, ValueWriter<double>::make(num_rows));
    if (sequence == nullptr) {
      const ArgumentReader<std::int64_t> seeds(args[0]);
      for (std::int64_t row = 0; row < num_rows; ++row)
        out.set(row, JavaRandom(seed_at(seeds, row)).real());
    } else {
      const std::lock_guard lock(sequence->mutex);
      for (std::int64_t row = 0; row < num_rows; ++row) out.set(row, sequence->real());
    }
    return out.finish(type);
  };
  return bound;
}

Result<ArrayPtr> random_integers(const LogicalType& type, Sequence* sequence,
                                 std::span<const Argument> args, std::int64_t num_rows) {
  const ArgumentReader<std::int64_t> seeds(args.front());
  const ArgumentReader<std::int64_t> bounds(args.back());
  std::unique_lock<std::mutex> lock;
  if (sequence != nullptr) lock = std::unique_lock(sequence->mutex);
  TG_ASSIGN_OR_RETURN(auto out, ValueWriter<std::int32_t>::make(num_rows));
  for (std::int64_t row = 0; row < num_rows; ++row) {
    if (bounds.is_null(row) || seeds.is_null(row)) {
      TG_RETURN_IF_ERROR(out.set_null(row));
      continue;
    }
    const std::int64_t bound = bounds[row];
    if (bound <= 0 || bound > std::numeric_limits<std::int32_t>::max())
      return error(ErrorCode::kInvalidArgument, "RAND_INTEGER: the bound {} is not from 1 to {}",
                   bound, std::numeric_limits<std::int32_t>::max());
    const auto narrow = static_cast<std::int32_t>(bound);
    out.set(row,
            sequence == nullptr ? JavaRandom(seeds[row]).below(narrow) : sequence->below(narrow));
  }
  return out.finish(type);
}

Result<BoundFunction> bind_rand_integer(Types arguments, Constants constants) {
  if (arguments.empty() || arguments.size() > 2 || !are_integers(arguments))
    return argument_mismatch("RAND_INTEGER", "a whole number, or two", arguments);
  BoundFunction bound;
  bound.result_type = LogicalType(TypeKind::kInt, any_nullable(arguments));
  bound.argument_types = as_bigints(arguments);
  bound.evaluate = [type = bound.result_type,
                    sequence = sequence_of(arguments.size() == 2, arguments, constants)](
                       std::span<const Argument> args, std::int64_t num_rows, EvalContext&) {
    return random_integers(type, sequence.get(), args, num_rows);
  };
  return bound;
}

Result<BoundFunction> bind_uuid(Types arguments) {
  if (!arguments.empty()) return argument_mismatch("UUID", "nothing", arguments);
  BoundFunction bound;
  bound.result_type = LogicalType::character(36, /*nullable=*/false);
  bound.can_fail = false;
  bound.evaluate = [type = bound.result_type, sequence = std::make_shared<Sequence>(std::nullopt)](
                       std::span<const Argument>, std::int64_t num_rows,
                       EvalContext&) -> Result<ArrayPtr> {
    TG_ASSIGN_OR_RETURN(auto out, ValueWriter<std::string_view>::make(num_rows));
    const std::lock_guard lock(sequence->mutex);
    for (std::int64_t row = 0; row < num_rows; ++row) {
      // Version 4, variant 1 of RFC 9562.
      const std::uint64_t high = (sequence->unforeseen.next() & ~0xF000ULL) | 0x4000ULL;
      const std::uint64_t low = (sequence->unforeseen.next() & ~(3ULL << 62)) | 2ULL << 62;
      fmt::format_to(std::back_inserter(out.text()), "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
                     high >> 32, high >> 16 & 0xFFFF, high & 0xFFFF, low >> 48,
                     low & 0xFFFF'FFFF'FFFF);
      out.end_row();
    }
    return out.finish(type);
  };
  return bound;
}

}  // namespace

void register_function_random_numbers(FunctionRegistry& registry) {
  registry.add({.name = "RAND",
                .category = "arithmetic",
                .signature = "RAND([seed])",
                .description = "A random DOUBLE from 0 on and less than 1.",
                .deterministic = false,
                .bind_with_constants = bind_rand});
  registry.add({.name = "RAND_INTEGER",
                .category = "arithmetic",
                .signature = "RAND_INTEGER([seed, ]bound)",
                .description = "A random INT from 0 on and less than the bound.",
                .deterministic = false,
                .bind_with_constants = bind_rand_integer});
  registry.add({.name = "UUID",
                .category = "arithmetic",
                .signature = "UUID()",
                .description = "A random UUID as text, such as "
                               "3d3c68f7-f608-473f-b60c-b0c44ad4cc4e.",
                .deterministic = false,
                .bind = bind_uuid});
}

}  // namespace tidegate
