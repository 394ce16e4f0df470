//! Names of authenticators, by the model that a passkey says (AAGUID).
//!
//! Nobody attests the model: the name is for its owner alone, and decides nothing. The table is a selection of the
//! lists that the FIDO community (passkey-authenticator-aaguids) and its metadata service keep.

/// What an authenticator is called; `None` for a model that is not known, and for the zeros of those that say none.
pub fn name_of(aaguid: [u8; 16]) -> Option<&'static str> {
    let model = u128::from_be_bytes(aaguid);
    KNOWN.iter().find(|(known, _)| *known == model).map(|(_, name)| *name)
}

const KNOWN: &[(u128, &str)] = &[
    (0xfbfc3007_154e_4ecc_8c0b_6e020557d7bd, "Apple Passwords"),
    (0xdd4ec289_e01d_41c9_bb89_70fa845d4bf2, "iCloud Keychain"),
    (0xea9b8d66_4d01_1d21_3ce4_b6b48cb575d4, "Google Password Manager"),
    (0xadce0002_35bc_c60a_648b_0b25f1f05503, "Chrome on Mac"),
    (0xb5397666_4885_aa6b_cebf_e52262a439a2, "Chromium"),
    (0x771b48fd_d3d4_4f74_9232_fc157ab0507a, "Edge on Mac"),
    (0x08987058_cadc_4b81_b6e1_30de50dcbe96, "Windows Hello"),
    (0x9ddd1817_af5a_4672_a2b9_3e3dd95000a9, "Windows Hello"),
    (0x6028b017_b1d4_4c02_b4b3_afcdafc96bb2, "Windows Hello"),
    (0xd3452668_01fd_4c12_926c_83a4204853aa, "Microsoft Password Manager"),
    (0x53414d53_554e_4700_0000_000000000000, "Samsung Pass"),
    (0xbada5566_a7aa_401f_bd96_45619a55120d, "1Password"),
    (0xd548826e_79b4_db40_a3d8_11116f7e8349, "Bitwarden"),
    (0x531126d6_e717_415c_9320_3d9aa6981239, "Dashlane"),
    (0x50726f74_6f6e_5061_7373_50726f746f6e, "Proton Pass"),
    (0xfdb141b2_5d84_443e_8a35_4698c205a502, "KeePassXC"),
    (0xeaecdef2_1c31_5634_8639_f1cbd9c00a08, "KeePassDX"),
    (0xb84e4048_15dc_4dd0_8640_f4f60813c8af, "NordPass"),
    (0x0ea242b4_43c4_4a1b_8b17_dd6d0b6baec6, "Keeper"),
    (0xf3809540_7f14_49c1_a8b3_8f813b225541, "Enpass"),
    (0xb78a0a55_6ef8_d246_a042_ba0f6d55050c, "LastPass"),
    (0x39a5647e_1853_446c_a1f6_a79bae9f5bc7, "IDmelon"),
    (0xb35a26b2_8f6e_4697_ab1d_d44db4da28c6, "Zoho Vault"),
    (0x2fc0579f_8113_47ea_b116_bb5a8db9202a, "YubiKey"),
    (0xfa2b99dc_9e39_4257_8f92_4a30d23c4118, "YubiKey"),
    (0xee882879_721c_4913_9775_3dfcce97072a, "YubiKey"),
    (0xcb69481e_8ff7_4039_93ec_0a2729a154a8, "YubiKey"),
    (0xc5ef55ff_ad9a_4b9f_b580_adebafe026d0, "YubiKey"),
    (0x73bb0cd4_e502_49b8_9c6f_b59445bf720b, "YubiKey"),
    (0xd8522d9f_575b_4866_88a9_ba99fa02f35b, "YubiKey"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_has_its_name_and_no_other_has() {
        let bitwarden = 0xd548826e_79b4_db40_a3d8_11116f7e8349_u128;
        assert_eq!(name_of(bitwarden.to_be_bytes()), Some("Bitwarden"));
        assert_eq!(name_of((bitwarden + 1).to_be_bytes()), None);
        assert_eq!(name_of([0; 16]), None);
    }

    #[test]
    fn no_model_is_there_twice() {
        for (at, (model, name)) in KNOWN.iter().enumerate() {
            assert!(KNOWN.iter().skip(at + 1).all(|(other, _)| other != model), "{name}");
        }
    }
}
