// SPDX-License-Identifier: Apache-2.0
#include "rules/coverage.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace dcmveil::rules {
namespace {

using engine::Selector;
using engine::TagPattern;

constexpr std::uint32_t kOddBit = 0x10000;
constexpr std::uint32_t kBlockBits = 0x0000FF00;

// All numbers that agree with `value` in the bits of `mask`.
struct Cube {
  std::uint32_t value = 0;
  std::uint32_t mask = 0;

  [[nodiscard]] bool Contains(const Cube& other) const {
    return (mask & ~other.mask) == 0 && (value & mask) == (other.value & mask);
  }
  [[nodiscard]] bool Meets(const Cube& other) const {
    const std::uint32_t common = mask & other.mask;
    return (value & common) == (other.value & common);
  }
};

// The cube of a pattern, its parity being one more bit. A pattern that contradicts itself (group
// 0010, odd only) keeps its own bit: then it is treated as matching more than it does.
Cube CubeOf(const TagPattern& pattern) {
  Cube cube{pattern.value & pattern.mask, pattern.mask};
  const bool odd = pattern.odd_groups_only || !pattern.creator.empty();
  if (!pattern.creator.empty()) {
    cube.mask &= ~kBlockBits;
    cube.value &= ~kBlockBits;
  }
  if ((odd || pattern.even_groups_only) && (cube.mask & kOddBit) == 0) {
    cube.mask |= kOddBit;
    if (odd) cube.value |= kOddBit;
  }
  return cube;
}

// The question is hard for unions made to be hard; real rule files need a few hundred steps.
constexpr int kMaxSteps = 20'000;

bool UnionContains(const std::vector<Cube>& cubes, const Cube& target, int& steps) {
  if (--steps < 0) return false;
  std::vector<Cube> relevant;
  for (const Cube& cube : cubes) {
    if (cube.Contains(target)) return true;
    if (cube.Meets(target)) relevant.push_back(cube);
  }
  if (relevant.empty()) return false;
  // Some bit is open in the target and fixed in a cube: look at both halves.
  const std::uint32_t open = relevant.front().mask & ~target.mask;
  const std::uint32_t bit = open & (~open + 1U);
  Cube half = target;
  half.mask |= bit;
  half.value &= ~bit;
  if (!UnionContains(relevant, half, steps)) return false;
  half.value |= bit;
  return UnionContains(relevant, half, steps);
}

bool PatternContains(const TagPattern& outer, const TagPattern& inner) {
  if (!outer.creator.empty() && outer.creator != inner.creator) return false;
  return CubeOf(outer).Contains(CubeOf(inner));
}

bool PathContains(const Selector& outer, const Selector& inner) {
  if (outer.by_vr() || inner.by_vr()) return false;
  if (outer.path.size() > inner.path.size()) return false;
  if (outer.anchored && (!inner.anchored || outer.path.size() != inner.path.size())) return false;
  const std::size_t skip = inner.path.size() - outer.path.size();
  for (std::size_t i = 0; i < outer.path.size(); ++i) {
    if (!PatternContains(outer.path[i], inner.path[skip + i])) return false;
  }
  return true;
}

bool IsSimple(const Selector& selector) {
  return !selector.by_vr() && selector.path.size() == 1 && !selector.anchored;
}

}  // namespace

bool IsCovered(const Selector& selector, std::span<const Selector* const> earlier) {
  VrSet vrs;
  for (const Selector* other : earlier) {
    if (other->by_vr()) vrs |= other->vrs;
    if (PathContains(*other, selector)) return true;
  }
  const bool by_vr = selector.by_vr();
  // A VR selector reaches standard elements only.
  if (by_vr && (selector.vrs - vrs).empty()) return true;
  static const std::string kNoCreator;
  const std::string& creator = by_vr ? kNoCreator : selector.path.back().creator;
  if (!by_vr) {
    if (const Attribute* attribute = selector.path.back().is_exact()
                                         ? FindAttribute(Tag(selector.path.back().value))
                                         : nullptr;
        attribute != nullptr && (attribute->vrs - vrs).empty()) {
      return true;
    }
  }
  std::vector<Cube> cubes;
  if ((kAllVrs - vrs).empty()) cubes.push_back({0, kOddBit});
  for (const Selector* other : earlier) {
    if (!IsSimple(*other)) continue;
    const TagPattern& pattern = other->path.front();
    if (!pattern.creator.empty() && pattern.creator != creator) continue;
    cubes.push_back(CubeOf(pattern));
  }
  const Cube target = by_vr ? Cube{0, kOddBit} : CubeOf(selector.path.back());
  int steps = kMaxSteps;
  return UnionContains(cubes, target, steps);
}

bool MayMeet(const TagPattern& a, const TagPattern& b) {
  if (!a.creator.empty() && !b.creator.empty() && a.creator != b.creator) return false;
  return CubeOf(a).Meets(CubeOf(b));
}

bool MatchesAtTop(const Selector& selector, const Attribute& attribute) {
  if (selector.by_vr()) return selector.vrs.intersects(attribute.vrs);
  return selector.path.size() == 1 && selector.path.front().Matches(attribute.tag, {});
}

}  // namespace dcmveil::rules
