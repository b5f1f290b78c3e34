// SPDX-License-Identifier: Apache-2.0
#include "engine/dcmtk/private_dictionary.h"

#include <cstdlib>
#include <map>
#include <sstream>
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

/// Those that DCMTK would read, but for its own table of standard attributes.
std::vector<std::string> DictionaryFiles() {
  const char* const other = std::getenv(DCM_DICT_ENVIRONMENT_VARIABLE);
  std::istringstream paths(other != nullptr && *other != '\0' ? other : DCM_DICT_DEFAULT_PATH);
  std::vector<std::string> files;
  for (std::string file; std::getline(paths, file, ENVIRONMENT_PATH_SEPARATOR);) {
    if (!file.ends_with("/dicom.dic")) files.push_back(file);
  }
  return files;
}

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
  DcmDataDictionary dictionary(OFFalse, OFFalse);
  for (const std::string& file : DictionaryFiles()) {
    (void)dictionary.loadDictionary(file.c_str(), OFFalse);
  }
  for (auto it = dictionary.normalBegin(); it != dictionary.normalEnd(); ++it) add(**it);
  for (auto it = dictionary.repeatingBegin(); it != dictionary.repeatingEnd(); ++it) add(**it);
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
