// SPDX-License-Identifier: Apache-2.0
#include "epoch/checkpoint_files.h"

#include <charconv>
#include <utility>

#include "base/check.h"
#include "base/log.h"
#include "epoch/frame.h"
#include "state/binary_codec.h"

namespace tidegate {
namespace {

constexpr std::string_view kManifest = "manifest-";
constexpr FrameKind kCurrentFrame{"TGCU", 1, "owner of the folder"};
constexpr std::int64_t kMostCurrentBytes = 4096;
constexpr std::int64_t kMostManifestBytes = std::int64_t{1} << 31;

}  // namespace

std::string manifest_name(EpochId epoch) { return fmt::format("{}{:020}", kManifest, epoch); }

std::optional<EpochId> epoch_of_manifest(std::string_view name) {
  if (!name.starts_with(kManifest)) return std::nullopt;
  EpochId epoch = 0;
  const char* const begin = name.data() + kManifest.size();
  const char* const end = name.data() + name.size();
  const auto parsed = std::from_chars(begin, end, epoch);
  if (parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
  return epoch;
}

Result<Manifest> read_manifest(BlobStore& blobs, const std::string& name) {
  TG_ASSIGN_OR_RETURN(const std::string bytes, blobs.get(name, kMostManifestBytes));
  auto manifest = decode_manifest(bytes);
  if (!manifest.is_ok()) {
    return std::move(manifest).status().with_context(fmt::format("'{}'", blobs.place_of(name)));
  }
  const auto epoch = epoch_of_manifest(name);
  if (epoch && manifest->record.epoch != *epoch) {
    return error(ErrorCode::kStateCorrupt, "'{}' holds epoch {}", blobs.place_of(name),
                 manifest->record.epoch);
  }
  return manifest;
}

std::string encode_current(const Current& current) {
  std::string out;
  write_bytes(out, current.run);
  write_fixed(out, current.epoch);
  return frame(kCurrentFrame, out);
}

Result<std::optional<Current>> read_current(BlobStore& blobs) {
  const auto bytes = blobs.get(std::string(kCurrent), kMostCurrentBytes);
  if (!bytes.is_ok() && bytes.status().code() == ErrorCode::kFileNotFound) return std::nullopt;
  Status damage = bytes.status();
  if (!damage.is_ok() && damage.code() != ErrorCode::kLimitExceeded) return damage;
  if (damage.is_ok()) {
    const auto payload = unframe(kCurrentFrame, *bytes);
    damage = payload.status();
    if (payload.is_ok()) {
      std::string_view in = *payload;
      std::string_view run;
      Current current;
      if (read_bytes(in, run) && read_fixed(in, current.epoch) && in.empty()) {
        current.run = run;
        return current;
      }
      damage = does_not_fit(kCurrentFrame);
    }
  }
  log_warning("checkpoint.current-unreadable",
              {{"file", blobs.place_of(std::string(kCurrent))}, {"error", damage.message()}});
  return std::nullopt;
}

Status refuse_old_format(BlobStore& blobs) {
  TG_ASSIGN_OR_RETURN(const std::vector<BlobInfo> all, blobs.list(""));
  for (const BlobInfo& blob : all) {
    bool is_old = blob.name.starts_with("base-") || blob.name.starts_with("epoch-");
    if (blob.name == kSavepoint) {
      // The first bytes tell; a savepoint that cannot be read is not of an older version.
      const auto bytes = blobs.get(blob.name, kMostManifestBytes);
      is_old = bytes.is_ok() && bytes->starts_with("TGER");
    }
    if (is_old) {
      return error(ErrorCode::kStateVersion, "'{}' was written by an older version of Tidegate",
                   blobs.place_of(blob.name));
    }
  }
  return Status::ok();
}

}  // namespace tidegate
