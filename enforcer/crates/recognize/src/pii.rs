//! What tells of a person.

use crate::Detector;

mod credit_card;
mod date_of_birth;
mod email;
mod iban;
mod ip_address;
mod mac_address;
mod medical_record_number;
mod national;
mod passport;
mod person_name;
mod phone;
mod postal_address;
mod us_bank_routing;
mod us_dea;
mod us_mbi;
mod us_npi;
mod us_ssn;

/// All of them, by name.
pub(crate) const DETECTORS: &[&Detector] = &[
    &national::AU_MEDICARE,
    &national::AU_TFN,
    &national::BE_NRN,
    &national::BR_CNPJ,
    &national::BR_CPF,
    &national::CA_SIN,
    &national::CH_AHV,
    &national::CN_RESIDENT_ID,
    &credit_card::CREDIT_CARD,
    &date_of_birth::DATE_OF_BIRTH,
    &national::DE_TAX_ID,
    &national::DK_CPR,
    &email::EMAIL,
    &national::ES_DNI,
    &national::ES_NIE,
    &national::FI_HETU,
    &national::FR_NIR,
    &iban::IBAN,
    &national::IE_PPS,
    &national::IN_AADHAAR,
    &national::IN_PAN,
    &ip_address::IP_ADDRESS,
    &national::IT_CODICE_FISCALE,
    &national::JP_MY_NUMBER,
    &national::KR_RRN,
    &mac_address::MAC_ADDRESS,
    &medical_record_number::MEDICAL_RECORD_NUMBER,
    &national::MX_CURP,
    &national::NL_BSN,
    &national::NO_FODSELSNUMMER,
    &passport::PASSPORT,
    &person_name::PERSON_NAME,
    &phone::PHONE,
    &national::PL_PESEL,
    &postal_address::POSTAL_ADDRESS,
    &national::PT_NIF,
    &national::SE_PERSONNUMMER,
    &national::SG_NRIC,
    &national::TR_TCKN,
    &national::UK_NHS_NUMBER,
    &national::UK_NINO,
    &us_bank_routing::US_BANK_ROUTING,
    &us_dea::US_DEA,
    &national::US_ITIN,
    &us_mbi::US_MBI,
    &us_npi::US_NPI,
    &us_ssn::US_SSN,
    &national::ZA_ID,
];

/// Detectors that wait for fields ([`Wake::Field`](crate::Wake::Field)) may see something in one of this name.
#[must_use]
pub fn waits_for(field: &str) -> bool {
    person_name::ENDS.fits(field) || postal_address::ENDS.fits(field)
}
