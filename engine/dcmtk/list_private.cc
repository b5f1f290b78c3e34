// SPDX-License-Identifier: Apache-2.0
//
// Run while building: prints DCMTK's dictionary of private elements as the rows of
// engine/private_dictionary.cc. Reading it takes more time than a short run.
#include <cstdio>
#include <cstdlib>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "dcmtk/config/osconfig.h"
#include "dcmtk/dcmdata/dcdicent.h"
#include "dcmtk/dcmdata/dcdict.h"
#include "dcmveil/tag.h"

namespace {

using Rows = std::map<std::string, std::vector<std::string>>;

/// Those that DCMTK would read by itself, but for its own table of standard attributes.
std::vector<std::string> DictionaryFiles() {
  std::istringstream paths(DCM_DICT_DEFAULT_PATH);
  std::vector<std::string> files;
  for (std::string file; std::getline(paths, file, ENVIRONMENT_PATH_SEPARATOR);) {
    if (!file.ends_with("/dicom.dic")) files.push_back(file);
  }
  return files;
}

std::string Quoted(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted.push_back('\\');
    quoted.push_back(c);
  }
  return quoted + '"';
}

void Add(Rows& rows, const DcmDictEntry& entry) {
  if (entry.getPrivateCreator() == nullptr) return;
  const DcmVR valid(entry.getVR().getValidEVR());
  if (!dcmveil::VrFromString(valid.getVRName())) return;
  // Elements are listed by their place in the block, whichever block that is.
  rows[entry.getPrivateCreator()].push_back(
      std::to_string(entry.getGroup()) + ", " + std::to_string(entry.getUpperGroup()) + ", " +
      std::to_string(entry.getElement() & 0xFFU) + ", " +
      std::to_string(entry.getUpperElement() & 0xFFU) + ", Vr::" + valid.getVRName());
}

}  // namespace

int main() {
  DcmDataDictionary dictionary(OFFalse, OFFalse);
  for (const std::string& file : DictionaryFiles()) {
    if (!dictionary.loadDictionary(file.c_str(), OFFalse)) {
      (void)std::fprintf(stderr, "cannot read %s\n", file.c_str());
      return EXIT_FAILURE;
    }
  }
  Rows rows;
  for (auto it = dictionary.normalBegin(); it != dictionary.normalEnd(); ++it) Add(rows, **it);
  for (auto it = dictionary.repeatingBegin(); it != dictionary.repeatingEnd(); ++it)
    Add(rows, **it);
  if (rows.empty()) return EXIT_FAILURE;
  for (const auto& [creator, elements] : rows) {
    for (const std::string& element : elements) {
      (void)std::printf("{%s, %s},\n", Quoted(creator).c_str(), element.c_str());
    }
  }
  return EXIT_SUCCESS;
}
