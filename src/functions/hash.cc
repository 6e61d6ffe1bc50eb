// SPDX-License-Identifier: Apache-2.0
//
// MD5, SHA1, SHA224 .. SHA512 and SHA2, from OpenSSL.
#include <openssl/evp.h>

#include <string>
#include <utility>
#include <vector>

#include "expr/map_values.h"
#include "functions/binding.h"

namespace tidegate {

namespace {

using Algorithm = const EVP_MD* (*)();

/// Makes digests, one after the other.
class Hasher {
 public:
  Hasher() : context_(EVP_MD_CTX_new()) {
    TG_CHECK(context_ != nullptr, "no memory to compute a hash");
  }
  ~Hasher() { EVP_MD_CTX_free(context_); }
  Hasher(const Hasher&) = delete;
  Hasher& operator=(const Hasher&) = delete;

  /// Appends the digest in hexadecimal digits.
  Status append(const EVP_MD* algorithm, std::string_view bytes, std::string& out) {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    if (EVP_DigestInit_ex2(context_, algorithm, nullptr) != 1 ||
        EVP_DigestUpdate(context_, bytes.data(), bytes.size()) != 1 ||
        EVP_DigestFinal_ex(context_, digest, &size) != 1) {
      return error(ErrorCode::kNotSupported, "OpenSSL does not compute the hash {} here",
                   EVP_MD_get0_name(algorithm));
    }
    constexpr const char* kDigits = "0123456789abcdef";
    for (unsigned int i = 0; i < size; ++i) {
      out += kDigits[digest[i] >> 4];
      out += kDigits[digest[i] & 15];
    }
    return Status::ok();
  }

 private:
  EVP_MD_CTX* context_;
};

Result<ArrayPtr> hash_rows(const EVP_MD* algorithm, const LogicalType& result,
                           std::span<const Argument> args, std::int64_t num_rows) {
  Hasher hasher;
  return map_to_text<std::string_view>(result, args, num_rows,
                                       [&](std::string_view bytes, std::string& out) {
                                         return hasher.append(algorithm, bytes, out);
                                       });
}

/// Binds to a string or bytes, and the parameters behind them.
Result<BoundFunction> bind_hash(const char* name, const char* takes,
                                const std::vector<LogicalType>& others, const LogicalType& result,
                                std::span<const LogicalType> arguments, Evaluate evaluate) {
  const bool bytes = !arguments.empty() && arguments[0].is_bytes();
  FixedSignature signature{.name = name,
                           .takes = takes,
                           .parameters = {bytes ? LogicalType(TypeKind::kVarbinary) : text_type()},
                           .result = result,
                           .can_fail = true};
  signature.parameters.insert(signature.parameters.end(), others.begin(), others.end());
  return bind_fixed(std::move(signature), std::move(evaluate))(arguments);
}

void add_hash(FunctionRegistry& registry, const char* name, Algorithm algorithm, const char* what,
              std::string_view of_abc) {
  const LogicalType result = LogicalType::character(static_cast<int>(of_abc.size()));
  registry.add({.name = name,
                .category = "hash",
                .signature = std::string(name) + "(string or bytes)",
                .description = std::string("The ") + what +
                               " hash of the bytes (of a string: its UTF-8), in hexadecimal "
                               "digits.",
                .examples = {{std::string(name) + "('abc')", std::string(of_abc)}},
                .bind = [name, algorithm, result](std::span<const LogicalType> arguments) {
                  return bind_hash(name, "one string or bytes", {}, result, arguments,
                                   [algorithm, result](std::span<const Argument> args,
                                                       std::int64_t num_rows, EvalContext&) {
                                     return hash_rows(algorithm(), result, args, num_rows);
                                   });
                }});
}

LogicalType sha2_type() { return LogicalType::varchar(128); }

const EVP_MD* sha2(std::int64_t bits) {
  switch (bits) {
    case 224:
      return EVP_sha224();
    case 256:
      return EVP_sha256();
    case 384:
      return EVP_sha384();
    case 512:
      return EVP_sha512();
    default:
      return nullptr;
  }
}

Result<ArrayPtr> evaluate_sha2(std::span<const Argument> args, std::int64_t num_rows,
                               EvalContext&) {
  Hasher hasher;
  return map_to_text<std::string_view, std::int64_t>(
      sha2_type(), args, num_rows,
      [&](std::string_view bytes, std::int64_t bits, std::string& out) -> Status {
        const EVP_MD* algorithm = sha2(bits);
        if (algorithm == nullptr) {
          return error(ErrorCode::kInvalidArgument,
                       "SHA2: there is no hash of {} bits, but of 224, 256, 384 and 512", bits);
        }
        return hasher.append(algorithm, bytes, out);
      });
}

}  // namespace

void register_function_hash(FunctionRegistry& registry) {
  add_hash(registry, "MD5", EVP_md5, "MD5", "900150983cd24fb0d6963f7d28e17f72");
  add_hash(registry, "SHA1", EVP_sha1, "SHA-1", "a9993e364706816aba3e25717850c26c9cd0d89d");
  add_hash(registry, "SHA224", EVP_sha224, "SHA-224",
           "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7");
  add_hash(registry, "SHA256", EVP_sha256, "SHA-256",
           "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  add_hash(registry, "SHA384", EVP_sha384, "SHA-384",
           "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
           "8086072ba1e7cc2358baeca134c825a7");
  add_hash(registry, "SHA512", EVP_sha512, "SHA-512",
           "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
           "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
  registry.add({.name = "SHA2",
                .category = "hash",
                .signature = "SHA2(string or bytes, bits)",
                .description = "The SHA-224, -256, -384 or -512 hash of the bytes (of a string: "
                               "its UTF-8), in "
                               "hexadecimal digits.",
                .examples = {{"SHA2('abc', 224)",
                              "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7"}},
                .bind = [](std::span<const LogicalType> arguments) {
                  return bind_hash("SHA2", "a string or bytes and a whole number", {integer_type()},
                                   sha2_type(), arguments, evaluate_sha2);
                }});
}

}  // namespace tidegate
