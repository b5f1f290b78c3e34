// SPDX-License-Identifier: Apache-2.0
#include "engine/actions/minimal_document.h"

#include <array>
#include <cstddef>
#include <cstdio>

namespace dcmveil::engine {
namespace {

// The cross-reference table holds the objects' offsets, so the file is put together here.
std::string MakePdf() {
  constexpr std::array<std::string_view, 3> kObjects{
      "<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
      "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources << >> >>"};
  std::string pdf = "%PDF-1.4\n";
  std::string table = "0000000000 65535 f \n";
  int number = 1;
  for (const std::string_view object : kObjects) {
    std::array<char, 32> line{};
    std::snprintf(line.data(), line.size(), "%010zu 00000 n \n", pdf.size());
    table += line.data();
    pdf += std::to_string(number++) + " 0 obj\n" + std::string(object) + "\nendobj\n";
  }
  const std::size_t start = pdf.size();
  pdf += "xref\n0 " + std::to_string(number) + "\n" + table;
  pdf += "trailer\n<< /Size " + std::to_string(number) + " /Root 1 0 R >>\nstartxref\n";
  pdf += std::to_string(start) + "\n%%EOF\n";
  return pdf;
}

// Header elements that CDA R2 requires, all of them saying that nothing is told.
constexpr std::string_view kCda =
    R"(<?xml version="1.0" encoding="UTF-8"?>
<ClinicalDocument xmlns="urn:hl7-org:v3">
<typeId root="2.16.840.1.113883.1.3" extension="POCD_HD000040"/>
<id nullFlavor="MSK"/><code nullFlavor="MSK"/><effectiveTime nullFlavor="MSK"/>
<confidentialityCode nullFlavor="MSK"/>
<recordTarget><patientRole><id nullFlavor="MSK"/></patientRole></recordTarget>
<author><time nullFlavor="MSK"/><assignedAuthor><id nullFlavor="MSK"/></assignedAuthor></author>
<custodian><assignedCustodian><representedCustodianOrganization><id nullFlavor="MSK"/></representedCustodianOrganization></assignedCustodian></custodian>
<component><structuredBody nullFlavor="MSK"/></component>
</ClinicalDocument>
)";

}  // namespace

std::string_view MinimalDocument(std::string_view mime_type) {
  if (mime_type == "application/pdf") {
    static const std::string pdf = MakePdf();
    return pdf;
  }
  if (mime_type == "text/XML" || mime_type == "text/xml" || mime_type == "application/xml") {
    return kCda;
  }
  // Binary STL: a header of 80 bytes and the number of triangles.
  static const std::string stl(84, '\0');
  if (mime_type == "model/stl") return stl;
  if (mime_type == "model/obj" || mime_type == "model/mtl") return "# removed\n";
  if (mime_type.starts_with("text/")) return "removed\n";
  static const std::string nothing(2, '\0');
  return nothing;
}

}  // namespace dcmveil::engine
