// SPDX-License-Identifier: Apache-2.0
#include "pipeline/paths.h"

#include <algorithm>
#include <system_error>

namespace dcmveil::pipeline {
namespace fs = std::filesystem;

std::optional<fs::path> WholePath(const fs::path& path) {
  std::error_code error;
  // weakly_canonical leaves a relative path relative while nothing of it exists.
  const fs::path absolute = fs::absolute(path, error);
  if (error || path.empty()) return std::nullopt;
  fs::path whole = fs::weakly_canonical(absolute, error);
  if (error) return std::nullopt;
  return whole.has_filename() ? whole : whole.parent_path();
}

bool IsWithin(const fs::path& inner, const fs::path& outer) {
  const std::optional<fs::path> in = WholePath(inner);
  const std::optional<fs::path> out = WholePath(outer);
  if (!in || !out) return false;
  const auto [end, ignored] = std::mismatch(out->begin(), out->end(), in->begin(), in->end());
  return end == out->end();
}

}  // namespace dcmveil::pipeline
