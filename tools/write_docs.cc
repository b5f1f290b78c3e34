// SPDX-License-Identifier: Apache-2.0
//
// Writes the documents that are made from the code's own tables: `write_docs docs`. With --check it
// writes nothing, and fails if one of them is out of date.
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>

#include "tools/actions_doc.h"
#include "tools/reference_doc.h"

int main(int argc, char** argv) {
  const bool check = argc == 3 && std::string(argv[1]) == "--check";
  if (argc != 2 && !check) {
    std::fprintf(stderr, "usage: write_docs [--check] FOLDER\n");
    return 2;
  }
  int status = 0;
  for (const auto& [name, text] : {std::pair{"actions.md", dcmveil::tools::ActionsDoc()},
                                   {"reference.md", dcmveil::tools::ReferenceDoc()}}) {
    const std::string file = std::string(argv[argc - 1]) + "/" + name;
    if (check) {
      std::ifstream stream(file, std::ios::binary);
      const std::string old{std::istreambuf_iterator<char>(stream),
                            std::istreambuf_iterator<char>()};
      if (old == text) continue;
      std::fprintf(stderr, "%s is out of date: build/tools/write_docs docs\n", file.c_str());
      status = 1;
    } else if (std::ofstream stream(file, std::ios::binary); !(stream << text).flush()) {
      std::fprintf(stderr, "%s cannot be written\n", file.c_str());
      status = 1;
    }
  }
  return status;
}
