// SPDX-License-Identifier: Apache-2.0
#include "engine/dcmtk/private_dictionary.h"

#include <map>
#include <string>
#include <vector>

#include "dcmtk/config/osconfig.h"
#include "dcmtk/dcmdata/dcdicent.h"
#include "dcmtk/dcmdata/dcdict.h"
#include "engine/dcmtk/quiet.h"

namespace dcmveil::engine {
namespace {

struct Row {
  Tag low;
  Tag high;
  Vr vr;
};
using Rows = std::map<std::string, std::vector<Row>, std::less<>>;

Rows ReadRows() {
  SilenceDcmtk();
  Rows rows;
  const auto add = [&rows](const DcmDictEntry& entry) {
    if (entry.getPrivateCreator() == nullptr) return;
    const DcmVR valid(entry.getVR().getValidEVR());
    const std::optional<Vr> vr = VrFromString(valid.getVRName());
    if (!vr) return;
    rows[entry.getPrivateCreator()].push_back(
        {.low = Tag(entry.getGroup(), entry.getElement()),
         .high = Tag(entry.getUpperGroup(), entry.getUpperElement()),
         .vr = *vr});
  };
  DcmDataDictionary& dictionary = dcmDataDict.wrlock();
  for (auto it = dictionary.normalBegin(); it != dictionary.normalEnd(); ++it) add(**it);
  for (auto it = dictionary.repeatingBegin(); it != dictionary.repeatingEnd(); ++it) add(**it);
  dcmDataDict.wrunlock();
  return rows;
}

}  // namespace

std::optional<Vr> PrivateVr(Tag tag, std::string_view creator) {
  static const Rows rows = ReadRows();
  const auto of_creator = rows.find(creator);
  if (of_creator == rows.end()) return std::nullopt;
  const auto within = [](std::uint16_t number, std::uint16_t low, std::uint16_t high) {
    return low <= number && number <= high;
  };
  for (const Row& row : of_creator->second) {
    if (!within(tag.group, row.low.group, row.high.group)) continue;
    // Elements are listed by their place in the block, whichever block that is.
    if (within(tag.element & 0xFFU, row.low.element & 0xFFU, row.high.element & 0xFFU)) {
      return row.vr;
    }
  }
  return std::nullopt;
}

}  // namespace dcmveil::engine
