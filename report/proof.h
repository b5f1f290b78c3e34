// SPDX-License-Identifier: Apache-2.0
//
// proof.json: what a recipient may know of a run, and can check without the inputs. It holds
// hashes and counts, no name and no value.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace dcmveil::report {

/// Reads the state folder of a finished run, hashes its inputs and outputs, and writes
/// `folder`/proof.json. `sign_key`: a PEM file with a private key of Ed25519; empty: not signed.
/// What went wrong, or nothing. Prints nothing.
[[nodiscard]] std::optional<std::string> WriteProof(const std::filesystem::path& state,
                                                    const std::filesystem::path& folder,
                                                    const std::filesystem::path& sign_key);
/// The same under any name. With `jobs` threads, 0: as many as the machine has.
[[nodiscard]] std::optional<std::string> WriteProofFile(const std::filesystem::path& state,
                                                        const std::filesystem::path& file,
                                                        const std::filesystem::path& sign_key,
                                                        int jobs = 0);

/// Why a proof may not be written to `file`, or nothing: there is something that is no proof. One
/// line for people, as of the following.
[[nodiscard]] std::optional<std::string> WhyNoProofOver(const std::filesystem::path& file);
/// The same, or there is no folder for it.
[[nodiscard]] std::optional<std::string> WhyNoPlaceForProof(const std::filesystem::path& file);
/// Why the file gives no key to check a signature with, or nothing.
[[nodiscard]] std::optional<std::string> WhyNoPublicKey(const std::filesystem::path& file);

struct ProofCheck {
  /// The file is no proof or cannot be read.
  std::optional<std::string> problem;
  std::vector<std::string> wrong;  ///< what is not as it says
  std::vector<std::string> right;  ///< what was looked at and holds
  std::vector<std::string> notes;  ///< what could not be told
};
/// Looks at a proof offline: its signature, and the output folder if one is given. `public_key`: a
/// PEM file of who should have signed it; may be empty.
[[nodiscard]] ProofCheck CheckProof(const std::filesystem::path& proof,
                                    const std::filesystem::path& output,
                                    const std::filesystem::path& public_key, int jobs = 0);

}  // namespace dcmveil::report
