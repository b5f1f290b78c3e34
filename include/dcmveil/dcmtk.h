// SPDX-License-Identifier: Apache-2.0
//
// For callers that hold a DcmDataset. All of it is inline and over bytes, so that the library knows
// no class of DCMTK and the caller may use another version of it. With CMake:
// find_package(dcmveil CONFIG REQUIRED COMPONENTS dcmtk), and the target dcmveil::dcmtk.
#pragma once

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dcdatset.h>
#include <dcmtk/dcmdata/dcfilefo.h>
#include <dcmtk/dcmdata/dcistrmb.h>
#include <dcmtk/dcmdata/dcostrmb.h>
#include <dcmtk/dcmdata/dcwcache.h>
#include <dcmtk/dcmdata/dcxfer.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "dcmveil/engine.h"

namespace dcmveil {

/// The data set as a DICOM file (PS3.10), in the transfer syntax that it is in now; one that was
/// never read nor written is taken as Explicit VR Little Endian. Fails with kEncodeFailed where
/// DCMTK cannot write it.
[[nodiscard]] inline Result<std::string> ToBytes(DcmDataset& data_set) {
  // A copy, because writing changes how a data set is encoded, and loads what is still on disk.
  DcmFileFormat file(&data_set);
  E_TransferSyntax syntax = data_set.getCurrentXfer();
  if (syntax == EXS_Unknown) syntax = data_set.getOriginalXfer();
  if (syntax == EXS_Unknown) syntax = EXS_LittleEndianExplicit;
  std::string bytes;
  std::vector<char> room(1U << 20U);
  DcmOutputBufferStream stream(room.data(), static_cast<offile_off_t>(room.size()));
  DcmWriteCache cache;
  const auto drain = [&] {
    void* written = nullptr;
    offile_off_t size = 0;
    stream.flushBuffer(written, size);
    bytes.append(static_cast<const char*>(written), static_cast<std::size_t>(size));
  };
  file.transferInit();
  OFCondition condition;
  do {
    condition = file.write(stream, syntax, EET_ExplicitLength, &cache);
    drain();
  } while (condition == EC_StreamNotifyClient);
  // What is deflated comes out at the end.
  while (condition.good() && !stream.isFlushed()) {
    stream.flush();
    drain();
    condition = stream.status();
  }
  file.transferEnd();
  if (condition.bad()) return ErrorCode::kEncodeFailed;
  return bytes;
}

/// A DICOM file's bytes as DCMTK reads them, all in memory. Fails with kMalformed.
[[nodiscard]] inline Status FromBytes(const std::string& bytes, DcmFileFormat& file) {
  DcmInputBufferStream stream;
  stream.setBuffer(bytes.data(), static_cast<offile_off_t>(bytes.size()));
  stream.setEos();
  file.transferInit();
  OFCondition condition = file.read(stream);
  file.transferEnd();
  if (condition.good()) condition = file.loadAllDataIntoMemory();
  if (condition.bad()) return ErrorCode::kMalformed;
  return Done{};
}

/// What ApplyTo does, into another file; `fresh` is filled if there is an output.
[[nodiscard]] inline Result<Deidentified> ApplyInto(const Engine& engine, DcmDataset& data_set,
                                                    DcmFileFormat& fresh) {
  Result<std::string> bytes = ToBytes(data_set);
  if (!bytes) return bytes.error();
  Result<Deidentified> result = engine.ApplyToBytes(std::move(*bytes));
  if (!result || result->rejected) return result;
  const Result<std::string> encoded = result->encoded.ToBytes();
  if (!encoded) return encoded.error();
  const Status read = FromBytes(*encoded, fresh);
  if (!read) return read.error();
  return result;
}

/// De-identifies in place. The data set is left as it was on failure, and where a `reject` rule
/// applied (see Deidentified::rejected). Takes memory for two encodings and a copy of the data set.
/// Different data sets may be in work in any number of threads at once.
[[nodiscard]] inline Result<Deidentified> ApplyTo(const Engine& engine, DcmDataset& data_set) {
  DcmFileFormat fresh;
  Result<Deidentified> result = ApplyInto(engine, data_set, fresh);
  if (result && !result->rejected) data_set = *fresh.getDataset();
  return result;
}

/// The same with file meta information, which is made afresh, too.
[[nodiscard]] inline Result<Deidentified> ApplyTo(const Engine& engine, DcmFileFormat& file) {
  DcmFileFormat fresh;
  Result<Deidentified> result = ApplyInto(engine, *file.getDataset(), fresh);
  if (result && !result->rejected) file = fresh;
  return result;
}

}  // namespace dcmveil
