// SPDX-License-Identifier: Apache-2.0
//
// Usage: consumer_dcmtk SAMPLES WORK: data sets that DCMTK holds.
#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>

#include <filesystem>
#include <iostream>
#include <sstream>
#include <string>

#include "check.h"
#include "dcmveil/dcmtk.h"

namespace {

namespace fs = std::filesystem;

const std::string kRules = R"(
dcmveil: 1
key: {file: project.key}
rules:
  - {tag: PatientID, action: pseudonym}
  - {vr: UI, action: refresh-uid}
  - {vr: PN, action: redact}
  - {vr: [DA, DT], action: date-shift}
reject:
  - {when: {Modality: SR}, because: no reports}
guard: off
otherwise: keep
)";

std::string TextOf(DcmDataset& data_set, const DcmTagKey& tag) {
  OFString text;
  data_set.findAndGetOFStringArray(tag, text);
  return text.c_str();
}

std::string Printed(DcmDataset& data_set) {
  std::ostringstream text;
  data_set.print(text);
  return text.str();
}

/// True if the data set was de-identified; else it is as it was.
bool InPlace(const dcmveil::Engine& engine, DcmDataset& data_set) {
  const dcmveil::Result<dcmveil::Deidentified> result = dcmveil::ApplyTo(engine, data_set);
  if (!result) {
    std::cerr << result.error().Message() << '\n';
    return false;
  }
  return !result->rejected;
}

}  // namespace

int main(int argc, char** argv) {
  CHECK(argc == 3);
  OFLog::configure(OFLogger::OFF_LOG_LEVEL);
  const dcmveil::Engine engine(dcmveil::LoadRulesFromText(kRules, "rules.yaml", argv[2]));
  int done = 0;
  int rejected = 0;
  bool deflated = false;
  for (const auto& entry : fs::recursive_directory_iterator(argv[1])) {
    DcmFileFormat file;
    if (!entry.is_regular_file() || file.loadFile(entry.path().c_str()).bad()) continue;
    DcmDataset& data_set = *file.getDataset();
    const std::string before = Printed(data_set);
    const E_TransferSyntax syntax = data_set.getOriginalXfer();
    deflated = deflated || syntax == EXS_DeflatedLittleEndianExplicit;
    const std::string id = TextOf(data_set, DCM_PatientID);
    const std::string uid = TextOf(data_set, DCM_SOPInstanceUID);
    if (!InPlace(engine, data_set)) {
      CHECK(Printed(data_set) == before);
      ++rejected;
      continue;
    }
    ++done;
    CHECK(TextOf(data_set, DCM_SOPInstanceUID) != uid);
    CHECK(id.empty() || TextOf(data_set, DCM_PatientID) != id);
    CHECK(TextOf(data_set, DCM_PatientIdentityRemoved) == "YES");

    // With its meta information, and as the engine does it with the file itself.
    CHECK(data_set.getOriginalXfer() == syntax);
    DcmFileFormat again;
    CHECK(again.loadFile(entry.path().c_str()).good());
    CHECK(dcmveil::ApplyTo(engine, again).ok());
    OFString meta;
    CHECK(again.getMetaInfo()->findAndGetOFString(DCM_MediaStorageSOPInstanceUID, meta).good());
    CHECK(meta == OFString(TextOf(data_set, DCM_SOPInstanceUID).c_str()));
    CHECK(Printed(*again.getDataset()) == Printed(data_set));
  }
  CHECK(done > 20 && deflated);
  CHECK(rejected > 0);

  // A data set that was never in a file.
  DcmDataset made;
  made.putAndInsertString(DCM_SOPClassUID, UID_SecondaryCaptureImageStorage);
  made.putAndInsertString(DCM_SOPInstanceUID, "1.2.3.4");
  made.putAndInsertString(DCM_PatientName, "Nobody^Nora");
  CHECK(InPlace(engine, made));
  CHECK(TextOf(made, DCM_PatientName).empty());
  DcmDataset empty;
  CHECK(!InPlace(engine, empty));
  std::cout << "all well\n";
}
