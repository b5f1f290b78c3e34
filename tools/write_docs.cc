// SPDX-License-Identifier: Apache-2.0
//
// Prints docs/actions.md: `write_docs > docs/actions.md`.
#include <cstdio>
#include <string>

#include "tools/actions_doc.h"

int main() {
  const std::string text = dcmveil::tools::ActionsDoc();
  const bool ok = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  return ok && std::fflush(stdout) == 0 ? 0 : 1;
}
