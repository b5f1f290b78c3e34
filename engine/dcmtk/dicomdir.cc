// SPDX-License-Identifier: Apache-2.0
#include "engine/dcmtk/dicomdir.h"

#include <algorithm>
#include <system_error>

#include "dcmtk/config/osconfig.h"
#include "dcmtk/dcmdata/dcddirif.h"
#include "engine/dcmtk/quiet.h"

namespace dcmveil::engine {

Result<std::size_t> WriteDicomdir(const std::filesystem::path& root,
                                  const std::vector<std::string>& names) {
  SilenceDcmtk();
  const std::filesystem::path target = root / "DICOMDIR";
  const std::filesystem::path fresh = root / ".dcmveil-DICOMDIR";
  std::error_code error;
  std::filesystem::remove(fresh, error);
  DicomDirInterface directory;
  // The file-set is ours and was just written; what the general purpose profile forbids (compressed
  // images) other profiles allow.
  (void)directory.disableTransferSyntaxCheck(OFTrue);
  (void)directory.disableEncodingCheck(OFTrue);
  (void)directory.disableResolutionCheck(OFTrue);
  (void)directory.disableConsistencyCheck(OFTrue);
  (void)directory.disableBackupMode(OFTrue);
  (void)directory.enableInventMode(OFTrue);
  (void)directory.enableInventPatientIDMode(OFTrue);
  (void)directory.enableRetiredSOPClassSupport(OFTrue);
  if (directory.createNewDicomDir(DicomDirInterface::AP_GeneralPurpose, fresh.c_str(), "DCMVEIL")
          .bad()) {
    return ErrorCode::kWriteFailed;
  }
  std::size_t left_out = 0;
  for (const std::string& name : names) {
    if (directory.addDicomFile(name.c_str(), root.c_str()).bad()) ++left_out;
  }
  const bool written = directory.writeDicomDir().good();
  if (written) std::filesystem::rename(fresh, target, error);
  if (!written || error) {
    std::error_code ignored;
    std::filesystem::remove(fresh, ignored);
    return ErrorCode::kWriteFailed;
  }
  return left_out;
}

}  // namespace dcmveil::engine
