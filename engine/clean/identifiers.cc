// SPDX-License-Identifier: Apache-2.0
#include "engine/clean/identifiers.h"

#include <algorithm>
#include <array>

#include "engine/clean/matcher.h"

namespace dcmveil::engine::clean {
namespace {

struct Row {
  Tag tag;
  IdentifierKind kind;
};

// Which attribute holds what, sorted by tag. PN, DA, DT, UI and AE are told by their VR.
using enum IdentifierKind;
constexpr auto kRows = std::to_array<Row>({
    {{0x0008, 0x0050}, kId},           // AccessionNumber
    {{0x0008, 0x0080}, kInstitution},  // InstitutionName
    {{0x0008, 0x0081}, kAddress},      // InstitutionAddress
    {{0x0008, 0x0092}, kAddress},      // ReferringPhysicianAddress
    {{0x0008, 0x0094}, kTelephone},    // ReferringPhysicianTelephoneNumbers
    {{0x0008, 0x1000}, kDevice},       // NetworkID
    {{0x0008, 0x1010}, kDevice},       // StationName
    {{0x0008, 0x1040}, kInstitution},  // InstitutionalDepartmentName
    {{0x0010, 0x0020}, kId},           // PatientID
    {{0x0010, 0x0021}, kInstitution},  // IssuerOfPatientID
    {{0x0010, 0x0030}, kBirthDate},    // PatientBirthDate
    {{0x0010, 0x1000}, kId},           // OtherPatientIDs
    {{0x0010, 0x1040}, kAddress},      // PatientAddress
    {{0x0010, 0x1050}, kId},           // InsurancePlanIdentification
    {{0x0010, 0x1080}, kInstitution},  // MilitaryRank
    {{0x0010, 0x1081}, kInstitution},  // BranchOfService
    {{0x0010, 0x1090}, kId},           // MedicalRecordLocator
    {{0x0010, 0x2150}, kAddress},      // CountryOfResidence
    {{0x0010, 0x2152}, kAddress},      // RegionOfResidence
    {{0x0010, 0x2154}, kTelephone},    // PatientTelephoneNumbers
    {{0x0010, 0x2155}, kTelephone},    // PatientTelecomInformation
    {{0x0012, 0x0030}, kInstitution},  // ClinicalTrialSiteID
    {{0x0012, 0x0031}, kInstitution},  // ClinicalTrialSiteName
    {{0x0012, 0x0040}, kId},           // ClinicalTrialSubjectID
    {{0x0012, 0x0042}, kId},           // ClinicalTrialSubjectReadingID
    {{0x0018, 0x1000}, kDevice},       // DeviceSerialNumber
    {{0x0018, 0x1004}, kDevice},       // PlateID
    {{0x0018, 0x1005}, kDevice},       // GeneratorID
    {{0x0018, 0x1007}, kDevice},       // CassetteID
    {{0x0018, 0x1008}, kDevice},       // GantryID
    {{0x0018, 0x1010}, kDevice},       // SecondaryCaptureDeviceID
    {{0x0018, 0x1011}, kDevice},       // HardcopyCreationDeviceID
    {{0x0018, 0x700A}, kDevice},       // DetectorID
    {{0x0020, 0x0010}, kId},           // StudyID
    {{0x0032, 0x1020}, kDevice},       // ScheduledStudyLocation
    {{0x0038, 0x0010}, kId},           // AdmissionID
    {{0x0038, 0x0060}, kId},           // ServiceEpisodeID
    {{0x0038, 0x0300}, kAddress},      // CurrentPatientLocation
    {{0x0038, 0x0400}, kAddress},      // PatientInstitutionResidence
    {{0x0040, 0x0009}, kId},           // ScheduledProcedureStepID
    {{0x0040, 0x0010}, kDevice},       // ScheduledStationName
    {{0x0040, 0x0011}, kDevice},       // ScheduledProcedureStepLocation
    {{0x0040, 0x0242}, kDevice},       // PerformedStationName
    {{0x0040, 0x0243}, kDevice},       // PerformedLocation
    {{0x0040, 0x0253}, kId},           // PerformedProcedureStepID
    {{0x0040, 0x0512}, kId},           // ContainerIdentifier
    {{0x0040, 0x0551}, kId},           // SpecimenIdentifier
    {{0x0040, 0x06FA}, kId},           // SlideIdentifier
    {{0x0040, 0x1001}, kId},           // RequestedProcedureID
    {{0x0040, 0x1005}, kDevice},       // RequestedProcedureLocation
    {{0x0040, 0x1102}, kAddress},      // PersonAddress
    {{0x0040, 0x1103}, kTelephone},    // PersonTelephoneNumbers
    {{0x0040, 0x1104}, kTelephone},    // PersonTelecomInformation
    {{0x0040, 0x2009}, kInstitution},  // OrderEntererLocation
    {{0x0040, 0x2010}, kTelephone},    // OrderCallbackPhoneNumber
    {{0x0040, 0x2011}, kTelephone},    // OrderCallbackTelecomInformation
    {{0x0040, 0x2016}, kId},           // PlacerOrderNumberImagingServiceRequest
    {{0x0040, 0x2017}, kId},           // FillerOrderNumberImagingServiceRequest
    {{0x0040, 0xA027}, kInstitution},  // VerifyingOrganization
    {{0x0088, 0x0130}, kId},           // StorageMediaFileSetID
});

}  // namespace

std::optional<IdentifierKind> KindOf(Tag tag, VrSet vrs) {
  constexpr VrSet kHoldIdentifiers{Vr::AE, Vr::DA, Vr::DT, Vr::LO, Vr::LT, Vr::PN, Vr::SH,
                                   Vr::ST, Vr::UC, Vr::UI, Vr::UN, Vr::UR, Vr::UT};
  if (!vrs.intersects(kHoldIdentifiers)) return std::nullopt;
  if (!tag.is_private()) {
    const auto* const row = std::lower_bound(kRows.begin(), kRows.end(), tag,
                                             [](const Row& a, Tag b) { return a.tag < b; });
    if (row != kRows.end() && row->tag == tag) return row->kind;
  }
  if (vrs.contains(Vr::PN)) return kPersonName;
  if (vrs.intersects({Vr::DA, Vr::DT})) return kDate;
  if (vrs.contains(Vr::UI)) return kUid;
  if (vrs.contains(Vr::AE)) return kDevice;
  return std::nullopt;
}

Identifiers::Identifiers() = default;
Identifiers::~Identifiers() = default;

void Identifiers::Add(IdentifierKind kind, std::string_view utf8) {
  if (utf8.empty()) return;
  std::string key(1, static_cast<char>(kind));
  key += utf8;
  if (!seen_.insert(std::move(key)).second) return;
  entries_.push_back({.kind = kind, .value = std::string(utf8)});
}

const Matcher& Identifiers::matcher() const {
  std::call_once(made_, [this] { matcher_ = std::make_unique<const Matcher>(entries_); });
  return *matcher_;
}

}  // namespace dcmveil::engine::clean
