//! What tells of a person.

use super::check::check;
use enforcer_recognize::Confidence::{High, Low, Medium};

#[path = "pii/national.rs"]
mod national;

#[test]
fn us_ssn() {
    check(
        "us_ssn",
        &[
            ("", "my ssn is «219-09-9999», thanks", High),
            ("", "{\"socialSecurityNumber\":\"«219099999»\"}", Medium),
            ("", "it is «123-45-6789».", Medium),
            ("", "«123-45-6789»", Medium),
            ("", "\\n«123-45-6789»\\n", Medium),
            ("", "here: «123 45 6789»", Low),
            ("ssn", "«123-45-6789»", High),
            ("customer_ssn", "«123456789»", Medium),
            ("", "https://a.example/users/«123-45-6789»/edit", Medium),
            ("", "SSNs: «219-09-9999», «219-09-9998»", High),
        ],
        &[
            (
                "",
                "000-12-3456 666-12-3456 900-12-3456 123-00-4567 123-45-0000 111-11-1111",
            ),
            (
                "",
                "0123-45-6789 123-45-67890 x123-45-6789 123-45-6789a 123-45-6789-1 $123-45-6789",
            ),
            ("", "order 123456789 and part 12-345-6789"),
            ("", "219099999"),
            ("", "business number 219099999"),
        ],
    );
}

#[test]
fn credit_card() {
    check(
        "credit_card",
        &[
            ("", "pay with «4111 1111 1111 1111» please", High),
            ("", "«4977-8495-0345-4242»", High),
            ("", "{\"number\":\"«5548386736037954»\"}", Medium),
            ("", "card «5548386736037954»", High),
            ("", "Amex «3782 822463 10005».", High),
            ("", "Amex «371144788153564»", High),
            ("", "diners card «30569309025904»", High),
            ("", "«6011111111111117»", Medium),
            ("", "«3530111333300000»", Medium),
            ("", "«2223003122003222»", Medium),
            ("", "order 1, tracking «4977849503454242»", Low),
            ("card_number", "«4977849503454242»", High),
        ],
        &[
            (
                "",
                "4111 1111 1111 1112 4977849503454243 0000 0000 0000 0000",
            ),
            (
                "",
                "1700000000000 20240115123045 1234567812345670 9999999999999995",
            ),
            (
                "",
                "41111111111111111111111 a4111111111111111 4111111111111111b 0.4111111111111111",
            ),
            (
                "",
                "550e8400-e29b-41d4-a716-446655440000 4111-1111-11111111",
            ),
            ("order_id", "4977849503454242"),
        ],
    );
}

#[test]
fn iban() {
    check(
        "iban",
        &[
            ("", "to DE, «DE86929696851282994366», today", High),
            ("", "«GB82 WEST 1234 5698 7654 32»", High),
            ("", "«GB82WEST12345698765432»", High),
            ("", "«FR1420041010050500013M02606».", High),
            ("", "NO: «NO93 8601 1117 947»", High),
        ],
        &[
            (
                "",
                "DE86929696851282994367 XX86929696851282994366 DE8692969685128299436 DE869296968512829943661",
            ),
            ("", "ADE86929696851282994366 DE86 9296 9685 1282 9943 67"),
            ("", "US12345678901234567890 IT60X0542811101000000123457"),
        ],
    );
}

#[test]
fn phone() {
    check(
        "phone",
        &[
            ("", "call me at «+1 415 555 0132» now", High),
            ("", "«+14155550132»", Medium),
            ("", "reach me: «+49 (30) 901820»", Medium),
            ("", "(«415) 555-0132»", Medium),
            ("", "«415-555-0132»", Medium),
            ("", "«1-800-555-0199».", Medium),
            ("", "tel: «415.555.0132», fax", High),
            ("phone", "«4155550132»", Medium),
            ("", "mobile «07700 900123»", High),
            ("", "téléphone «06 12 34 56 78»", High),
            ("", "«+44 20 7946 0958» «+33 6 12 34 56 78»", Medium),
            ("", "see «415 555 0132»", Low),
        ],
        &[
            (
                "",
                "4155550132 1700000000 2024-01-15 10.0.0.1 +0100 +1234 1+14155550132",
            ),
            (
                "",
                "115-555-0132 415-155-0132 411-555-0132 415-555-01321 5415-555-0132",
            ),
            (
                "",
                "550e8400-e29b-41d4-a716-446655440000 3.14159265358979 #123-456-78",
            ),
            ("", "+12345678 lines, -12 +20240115"),
            ("", "2024-01-15T10:00:00+01:00 and 1,234,567.89 EUR"),
            (
                "",
                "01 02 03 04 05 +9999-365 23:58:59 IOCTL_CALL = 3225439754",
            ),
        ],
    );
}

#[test]
fn email() {
    check(
        "email",
        &[
            ("", "write to «john.doe+x@mail.acme.com».", High),
            ("", "<«jane@acme.co.uk»>, «bob@acme.de»", High),
            ("", "mailto:«jane@acme.io»?subject=x", High),
            ("", "user=«jane@acme.org»&x=1", High),
            ("", "{\"email\":\"«j@acme.museum»\"}", Medium),
            ("", "«user@example.com»", Low),
            ("", "clone «git@github.com»:a/b.git", Low),
            ("", "https://u:«pw@host.com»/x", Low),
        ],
        &[
            (
                "",
                "react@18.2.0 lodash@latest chacha20-poly1305@openssh.com logo@2x.png @decorator a@b user@host @.com x@.com",
            ),
            (
                "",
                "pkg@1.0.0-beta.rc a@b..com .@x.com a.@x.com systemd-x@y.service a@@b.com",
            ),
            ("", "@Component.foo java.lang.Object@1f2e3d4c"),
        ],
    );
}

#[test]
fn date_of_birth() {
    check(
        "date_of_birth",
        &[
            ("", "DOB: «1985-04-12»", Medium),
            ("", "born «4/12/1985» in", Medium),
            ("", "date of birth «12.04.1985».", Medium),
            ("", "born on «12 April 1985», in", Medium),
            ("", "born on «12th Apr. 1985»", Medium),
            ("", "born April «12, 1985» in", Medium),
            ("", "{\"birthDate\":\"«1985-04-12T00»:00:00Z\"}", Medium),
            ("dob", "«19/04/85»", Medium),
            ("", "né le «12/04/1985»", Medium),
        ],
        &[
            ("", "on 1985-04-12 it rained; 4/12/1985 too; 12 April 1985"),
            ("", "dob 1985-13-12 1985-02-30 85-04 3085-04-12 12/1985"),
            ("", "born in 12 houses, 24 1985 and 12 apricots 1985"),
        ],
    );
}

#[test]
fn ip_address() {
    check(
        "ip_address",
        &[
            ("", "login from «93.184.216.34»:443", High),
            ("", "to «93.184.216.34».", Medium),
            ("client_ip", "«93.184.216.34»", High),
            ("", "ip «10.1.2.3»", Low),
            ("", "«192.0.2.1»", Low),
            ("", "see «2a02:8109:1::3:4» there", High),
            ("", "«2606:4700:0:0:0:0:0:1111»", High),
            ("", "«2001:db8:0:1::1»", Low),
        ],
        &[
            (
                "",
                "1.2.3.4 version 93.184.216.34 v1.22.33.44 1.2.3 1.2.3.4.5 2.5.29.37 Chrome/120.0.0.0 E::C 256.1.1.1 10.0.19041.1 93.184.216.034",
            ),
            (
                "",
                "std::fmt 10:30:45 a::b 12:34 key: value \"id\":1234 fe80::1 10:20:30:40:50:60:70:80",
            ),
            ("", "11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff:00"),
        ],
    );
}

#[test]
fn mac_address() {
    check(
        "mac_address",
        &[
            ("", "mac «3c:22:fb:a0:9e:51».", High),
            ("", "«f0:18:98:0e:aa:07»", Medium),
            ("", "hwaddr «00-1B-63-84-45-E6»", High),
            ("", "«00:00:00:00:00:00»", Low),
        ],
        &[
            (
                "",
                "3c:22:fb:a0:9e 3c:22:fb:a0:9e:5 3c:22:fb:a0:9e:51:aa:bb 12:30:45 a:b",
            ),
            (
                "",
                "SHA256 ab:cd:ef:01:23:45:67:89:ab:cd 00-1B-63-84-45-E6-11 2024-01-15",
            ),
        ],
    );
}

#[test]
fn us_bank_routing() {
    check(
        "us_bank_routing",
        &[
            ("", "routing number «076526165»", High),
            ("", "{\"aba\":\"«021000021»\"}", High),
            ("routingnumber", "«011000015»", High),
            ("", "x «076526165»", Low),
        ],
        &[
            ("", "routing 076526166, 123456789, 991000015, 0765261655"),
            ("", "076526165"),
        ],
    );
}

#[test]
fn us_npi() {
    check(
        "us_npi",
        &[
            ("", "NPI «1234567893»", High),
            ("npi", "«1245319599»", High),
            ("", "«1234567893» x", Low),
        ],
        &[
            ("", "npi 1234567890 3234567893 12345678933"),
            ("", "at 1700000003"),
        ],
    );
}

#[test]
fn us_dea() {
    check(
        "us_dea",
        &[
            ("", "DEA no «AB1234563»", High),
            ("", "prescribed, «FT1234563»", Medium),
        ],
        &[("", "AB1234564 YB1234563 ABC1234563 AB12345633 1AB1234563")],
    );
}

#[test]
fn us_mbi() {
    check(
        "us_mbi",
        &[
            ("", "«1EG4-TE5-MK73»", High),
            ("", "Medicare «1EG4TE5MK73»", High),
            ("", "«9AA9A99AA99»", Medium),
        ],
        &[(
            "",
            "0EG4-TE5-MK73 1SG4-TE5-MK73 1EG4TE5MK7 1EG4-TE5MK73 1EG4TE5MK733",
        )],
    );
}

#[test]
fn passport() {
    check(
        "passport",
        &[
            ("", "passport no. «C01234567», please", Medium),
            ("passport_number", "«123456789»", Medium),
            ("", "Reisepass «AB1234567»", Medium),
            ("", "passeport «12AB34567»", Medium),
        ],
        &[
            ("", "C01234567 123456789 AB1234567"),
            ("", "passport 12345 C012345678901 000000000"),
        ],
    );
}

#[test]
fn medical_record_number() {
    check(
        "medical_record_number",
        &[
            ("", "MRN: «00482913», admitted", Medium),
            ("", "medical record number «482-913-555»", Medium),
            ("patient_id", "«4829135»", Medium),
            ("", "mrn «A482913»", Medium),
        ],
        &[
            ("", "00482913 4829135 1700000000"),
            ("", "mrn 48291 12345678901 000000"),
        ],
    );
}

#[test]
fn person_name() {
    check(
        "person_name",
        &[
            ("first_name", "«Ada»", High),
            ("customername", "«ada lovelace»", High),
            ("name", "«Ada Lovelace»", Medium),
            ("name", "«José M. Núñez»", Medium),
            ("last-name", " «O'Neil» ", High),
        ],
        &[
            ("name", "get_weather"),
            ("name", "gpt-4o"),
            ("name", "production"),
            ("filename", "Ada Lovelace"),
            ("", "Ada Lovelace"),
            ("first_name", "{{first_name}}"),
            ("title", "Ada Lovelace"),
        ],
    );
}

#[test]
fn postal_address() {
    check(
        "postal_address",
        &[
            ("street", "«12 Elm Street»", High),
            ("billing_address", "«Calle Mayor 3, 28013 Madrid»", High),
            ("address", "«221B Baker Street, London»", Medium),
        ],
        &[
            ("address", "10.0.0.1"),
            ("address", "0x52908400098527886E0F7030069857D2E4169EE7"),
            ("address", "https://a.example/1 2"),
            ("ip_address", "12 Elm Street"),
            ("", "12 Elm Street"),
            ("address", "jane 1@acme.com"),
        ],
    );
}
