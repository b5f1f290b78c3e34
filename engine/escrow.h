// SPDX-License-Identifier: Apache-2.0
//
// Originals put aside in the instance itself, encrypted to those who may have them back: the
// Encrypted Attributes Sequence (0400,0500) of PS3.15 E.1.1 and PS3.3 C.12.1.1.4.1, and the way
// back, E.1.2.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "dcmveil/error.h"
#include "engine/cms.h"
#include "engine/deidentify.h"
#include "engine/encoding/read.h"
#include "engine/escrow_plan.h"
#include "engine/instance.h"

namespace dcmveil::engine {

/// The originals of one instance. Made before anything is changed, used after everything is.
class Escrow {
 public:
  /// Copies from the instance what the plan asks for; the plan must outlive this object.
  Escrow(const EscrowPlan& plan, const ParsedInstance& parsed, const Instance& instance);
  /// Adds the sequence, with one item, in the place of any that the input had. An instance that
  /// has none of the attributes gets none. Fails with kEncodeFailed or kCryptoFailed.
  [[nodiscard]] Status PutInto(ParsedInstance& parsed, Observer* observer) const;

 private:
  struct Original {
    DataElement element;
    bool listed = false;
  };
  void Take(const Item& data_set);
  /// The item of Modified Attributes Sequence; without elements if there is nothing to put aside.
  [[nodiscard]] Item Choose(const ParsedInstance& parsed) const;

  const EscrowPlan& plan_;
  std::vector<Original> originals_;
  std::string sop_instance_uid_;
};

/// Puts the originals back in the place of their replacements; sets Patient Identity Removed to NO
/// and takes (0012,0063), (0012,0064) and the items that were opened away. `certificate` may be
/// null. Fails with kNoEscrow, kWrongKey, or kMalformed where an item opens and holds something
/// else; the instance is then to be dropped.
[[nodiscard]] Status Reidentify(ParsedInstance& parsed, const cms::PrivateKey& key,
                                const cms::Certificate* certificate);

/// The same for a DICOM file, ready to be written. Also fails as reading and encoding do.
[[nodiscard]] Result<EncodedInstance> ReidentifyFile(const std::filesystem::path& file,
                                                     const cms::PrivateKey& key,
                                                     const cms::Certificate* certificate);

}  // namespace dcmveil::engine
