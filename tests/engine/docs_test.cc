// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

#include "tools/actions_doc.h"

namespace dcmveil {
namespace {

TEST(Docs, ActionsAreGenerated) {
  std::ifstream file(std::string(DCMVEIL_SOURCE_DIR) + "/docs/actions.md", std::ios::binary);
  ASSERT_TRUE(file.is_open());
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  // Compared as a whole, so that a failure does not print two long documents line by line.
  EXPECT_TRUE(text == tools::ActionsDoc())
      << "docs/actions.md is out of date; run: write_docs > docs/actions.md";
}

}  // namespace
}  // namespace dcmveil
