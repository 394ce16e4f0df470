//! The claims of an access token, and the strict reading of their JSON.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};

use crate::encoding::plain;
use crate::fault::Rejected;

/// The largest number a claim may hold: the last integer that every JSON implementation reads exactly (RFC 8259
/// section 6).
const MAX_NUMBER: i64 = 1 << 53;
/// Bytes of `iss`: an address.
const MAX_ISSUER: usize = 256;
/// Bytes of `aud`, `sub`, `jti`, `sid`, `tid`, `acr` and of each role.
const MAX_NAME: usize = 64;
/// Bytes of each method.
const MAX_METHOD: usize = 32;
const MAX_ROLES: usize = 32;
const MAX_METHODS: usize = 8;
/// Members of the object, known and unknown. Bounds the search for duplicates.
const MAX_MEMBERS: usize = 32;

/// The claims of an access token. All are required; a reader never sees one with a default filled in.
///
/// Texts are 1 to 64 bytes without control characters (the issuer up to 256, a method up to 32); numbers are whole and
/// from 0 to 2^53; there are at most 32 roles and 8 methods. Times are seconds since the Unix epoch, UTC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessClaims {
    /// `iss`: the address of the service that issued it (RFC 7519 section 4.1.1).
    pub issuer: String,
    /// `aud`: the one audience it is for (RFC 7519 section 4.1.3); a JSON string, never an array.
    pub audience: String,
    /// `sub`: the account (RFC 7519 section 4.1.2).
    pub subject: String,
    /// `iat`: when it was issued, in seconds (RFC 7519 section 4.1.6).
    pub issued_at: i64,
    /// `exp`: the first second at which it is no longer valid (RFC 7519 section 4.1.4). Later than `issued_at`.
    pub expires_at: i64,
    /// `jti`: the unique id of this token (RFC 7519 section 4.1.7).
    pub token_id: String,
    /// `sid`: the session that it was issued for; revocations name it.
    pub session_id: String,
    /// `tid`: the tenant of the account.
    pub tenant_id: String,
    /// `roles`: the roles of the account (RFC 9068 section 2.2.3.1). May be empty.
    pub roles: Vec<String>,
    /// `amr`: how the person was authenticated (RFC 8176), e.g. `pwd`, `otp`. May be empty.
    pub methods: Vec<String>,
    /// `acr`: the assurance level of that authentication (OpenID Connect Core section 2).
    pub level: String,
    /// `auth_time`: when the person was authenticated, in seconds (OpenID Connect Core section 2).
    pub authenticated_at: i64,
}

impl AccessClaims {
    /// Reads the JSON of an authentic token. Returns the claims, and the value of `nbf` if there is one.
    pub(super) fn from_json(json: &[u8]) -> Result<(Self, Option<i64>), Rejected> {
        // Checked for the whole text (RFC 8259 section 8.1): skipped values are not checked later, and another reader
        // would refuse this token, or read other text.
        let json = str::from_utf8(json).map_err(|_| Rejected::BadClaims)?;
        let Read { claims, not_before } = serde_json::from_str(json).map_err(|_| Rejected::BadClaims)?;
        let is_time = not_before.is_none_or(|time| (0..=MAX_NUMBER).contains(&time));
        if is_time && claims.fits_the_profile() { Ok((claims, not_before)) } else { Err(Rejected::BadClaims) }
    }

    /// Whether tokens may name this issuer and this audience at all.
    pub(super) fn may_name(issuer: &str, audience: &str) -> bool {
        plain(issuer, MAX_ISSUER) && plain(audience, MAX_NAME)
    }

    /// Whether every value is within its bounds. Issuer and reader make the same check, so that every issued token is
    /// accepted.
    pub(super) fn fits_the_profile(&self) -> bool {
        let names = [&self.subject, &self.token_id, &self.session_id, &self.tenant_id, &self.level];
        let numbers = [self.issued_at, self.expires_at, self.authenticated_at];
        Self::may_name(&self.issuer, &self.audience)
            && names.into_iter().chain(&self.roles).all(|name| plain(name, MAX_NAME))
            && self.methods.iter().all(|method| plain(method, MAX_METHOD))
            && self.roles.len() <= MAX_ROLES
            && self.methods.len() <= MAX_METHODS
            && numbers.iter().all(|number| (0..=MAX_NUMBER).contains(number))
            && self.expires_at > self.issued_at
    }
}

/// A member name. Unknown ones are kept only to find duplicates.
enum Name {
    Iss,
    Aud,
    Sub,
    Iat,
    Exp,
    Jti,
    Sid,
    Tid,
    Roles,
    Amr,
    Acr,
    AuthTime,
    Nbf,
    Unknown(String),
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameVisitor;
        impl Visitor<'_> for NameVisitor {
            type Value = Name;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a claim name")
            }

            // serde resolves the escapes of the name: "\u0069ss" is "iss", and a duplicate of it.
            fn visit_str<E>(self, name: &str) -> Result<Name, E> {
                Ok(match name {
                    "iss" => Name::Iss,
                    "aud" => Name::Aud,
                    "sub" => Name::Sub,
                    "iat" => Name::Iat,
                    "exp" => Name::Exp,
                    "jti" => Name::Jti,
                    "sid" => Name::Sid,
                    "tid" => Name::Tid,
                    "roles" => Name::Roles,
                    "amr" => Name::Amr,
                    "acr" => Name::Acr,
                    "auth_time" => Name::AuthTime,
                    "nbf" => Name::Nbf,
                    unknown => Name::Unknown(unknown.to_owned()),
                })
            }
        }
        deserializer.deserialize_identifier(NameVisitor)
    }
}

/// The claims read so far.
#[derive(Default)]
struct Gathered {
    iss: Option<String>,
    aud: Option<String>,
    sub: Option<String>,
    iat: Option<i64>,
    exp: Option<i64>,
    jti: Option<String>,
    sid: Option<String>,
    tid: Option<String>,
    roles: Option<Vec<String>>,
    amr: Option<Vec<String>>,
    acr: Option<String>,
    auth_time: Option<i64>,
    nbf: Option<i64>,
}

/// The claims of a token, as read from its JSON.
struct Read {
    claims: AccessClaims,
    /// `nbf`: the first second at which it is valid (RFC 7519 section 4.1.5). Countersign issues none, and every reader
    /// checks one.
    not_before: Option<i64>,
}

impl Gathered {
    fn all(self) -> Option<Read> {
        let not_before = self.nbf;
        let claims = AccessClaims {
            issuer: self.iss?,
            audience: self.aud?,
            subject: self.sub?,
            issued_at: self.iat?,
            expires_at: self.exp?,
            token_id: self.jti?,
            session_id: self.sid?,
            tenant_id: self.tid?,
            roles: self.roles?,
            methods: self.amr?,
            level: self.acr?,
            authenticated_at: self.auth_time?,
        };
        Some(Read { claims, not_before })
    }
}

/// Written by hand: a derived implementation would accept a JSON array for the object, and detect duplicates of known
/// names only.
impl<'de> Deserialize<'de> for Read {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ObjectVisitor;
        impl<'de> Visitor<'de> for ObjectVisitor {
            type Value = Read;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of claims")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Read, A::Error> {
                let mut found = Gathered::default();
                let (mut members, mut unknown) = (0, Vec::new());
                while let Some(name) = map.next_key::<Name>()? {
                    members += 1;
                    if members > MAX_MEMBERS {
                        return Err(A::Error::custom("too many claims"));
                    }
                    match name {
                        Name::Iss => once(&mut found.iss, &mut map)?,
                        Name::Aud => once(&mut found.aud, &mut map)?,
                        Name::Sub => once(&mut found.sub, &mut map)?,
                        Name::Iat => once(&mut found.iat, &mut map)?,
                        Name::Exp => once(&mut found.exp, &mut map)?,
                        Name::Jti => once(&mut found.jti, &mut map)?,
                        Name::Sid => once(&mut found.sid, &mut map)?,
                        Name::Tid => once(&mut found.tid, &mut map)?,
                        Name::Roles => once(&mut found.roles, &mut map)?,
                        Name::Amr => once(&mut found.amr, &mut map)?,
                        Name::Acr => once(&mut found.acr, &mut map)?,
                        Name::AuthTime => once(&mut found.auth_time, &mut map)?,
                        Name::Nbf => once(&mut found.nbf, &mut map)?,
                        // Later releases may add claims without breaking deployed readers.
                        Name::Unknown(name) => {
                            if unknown.contains(&name) {
                                return Err(repeated());
                            }
                            unknown.push(name);
                            map.next_value::<IgnoredAny>()?;
                        }
                    }
                }
                found.all().ok_or_else(|| A::Error::custom("a missing claim"))
            }
        }
        deserializer.deserialize_map(ObjectVisitor)
    }
}

/// Reads the value of a claim, and refuses a duplicate. RFC 7519 section 4 does not say whether the last duplicate
/// wins, so two readers could accept different claims from one token.
fn once<'de, T: Deserialize<'de>, A: MapAccess<'de>>(claim: &mut Option<T>, map: &mut A) -> Result<(), A::Error> {
    if claim.is_some() {
        return Err(repeated());
    }
    *claim = Some(map.next_value()?);
    Ok(())
}

fn repeated<E: serde::de::Error>() -> E {
    E::custom("a repeated claim")
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{"iss":"i","aud":"a","sub":"s","iat":10,"exp":20,"jti":"j","sid":"d","tid":"t","roles":["r"],"amr":["pwd"],"acr":"1","auth_time":5}"#;

    fn read(json: &str) -> Result<AccessClaims, Rejected> {
        AccessClaims::from_json(json.as_bytes()).map(|(claims, _)| claims)
    }

    #[test]
    fn unknown_claims_are_ignored() {
        let json = GOOD.replacen('{', r#"{"new":{"deep":[1,2,{"x":null}]},"#, 1);
        assert_eq!(read(&json), read(GOOD));
        assert!(read(GOOD).is_ok());
    }

    #[test]
    fn every_claim_is_required() {
        let all: serde_json::Map<String, serde_json::Value> = serde_json::from_str(GOOD).expect("an object");
        assert_eq!(all.len(), 12);
        for name in all.keys() {
            let mut fewer = all.clone();
            fewer.remove(name);
            assert_eq!(read(&serde_json::Value::Object(fewer).to_string()), Err(Rejected::BadClaims), "{name}");
        }
    }

    #[test]
    fn no_claim_may_be_repeated_not_even_unknown_ones_or_by_another_spelling() {
        for extra in [r#""sub":"s""#, r#""\u0073ub":"x""#, r#""new":1,"new":1"#, r#""new":1,"n\u0065w":2"#] {
            let json = GOOD.replacen('{', &format!("{{{extra},"), 1);
            assert_eq!(read(&json), Err(Rejected::BadClaims), "{extra}");
        }
    }

    #[test]
    fn every_claim_keeps_to_its_type_and_bounds() {
        let long = format!(r#""sub":"{}""#, "s".repeat(MAX_NAME + 1));
        let many = format!(r#""roles":[{}"r"]"#, r#""r","#.repeat(MAX_ROLES));
        let issuer = format!(r#""iss":"{}""#, "i".repeat(MAX_ISSUER + 1));
        let methods = format!(r#""amr":[{}"m"]"#, r#""m","#.repeat(MAX_METHODS));
        let changes = [
            (r#""sub":"s""#, r#""sub":1"#),
            (r#""sub":"s""#, r#""sub":null"#),
            (r#""sub":"s""#, r#""sub":"""#),
            (r#""sub":"s""#, r#""sub":"a\nb""#),
            (r#""sub":"s""#, &long),
            (r#""iss":"i""#, &issuer),
            (r#""aud":"a""#, r#""aud":["a"]"#),
            (r#""aud":"a""#, r#""aud":"""#),
            (r#""iat":10"#, r#""iat":"10""#),
            (r#""iat":10"#, r#""iat":10.5"#),
            (r#""iat":10"#, r#""iat":1e1"#),
            (r#""iat":10"#, r#""iat":-1"#),
            (r#""iat":10"#, r#""iat":null"#),
            (r#""exp":20"#, r#""exp":10"#),
            (r#""exp":20"#, r#""exp":9007199254740993"#),
            (r#""exp":20"#, r#""exp":18446744073709551616"#),
            (r#""auth_time":5"#, r#""auth_time":true"#),
            (r#"["r"]"#, r#""r""#),
            (r#"["r"]"#, r#"["r",1]"#),
            (r#"["r"]"#, r#"[""]"#),
            (r#""roles":["r"]"#, &many),
            (r#""amr":["pwd"]"#, &methods),
            (r#"["pwd"]"#, r#"{"0":"pwd"}"#),
        ];
        for (from, to) in changes {
            let json = GOOD.replacen(from, to, 1);
            assert_ne!(json, GOOD);
            assert_eq!(read(&json), Err(Rejected::BadClaims), "{to}");
        }
    }

    #[test]
    fn only_one_object_is_taken() {
        let array = r#"["i","a","s",10,20,"j","d","t",["r"],["pwd"],"1",5]"#;
        let trailing = format!("{GOOD}{{}}");
        let deep = format!(r#"{{"new":{}"#, "[".repeat(6000));
        for json in [array, "", "null", "\"iss\"", "{}", &trailing, &deep, "\u{feff}{}"] {
            assert_eq!(read(json), Err(Rejected::BadClaims));
        }
        assert_eq!(AccessClaims::from_json(&[0xff, 0xfe]), Err(Rejected::BadClaims));
    }

    #[test]
    fn what_is_no_unicode_text_is_refused_wherever_it_stands() {
        for extra in
            [&b"\"new\":\"\xff\","[..], b"\"new\":[{\"x\":\"\xc3\"}],", b"\"n\xffw\":1,", b"\"new\":\"\xed\xa0\x80\","]
        {
            let json = [&b"{"[..], extra, &GOOD.as_bytes()[1..]].concat();
            assert_eq!(AccessClaims::from_json(&json), Err(Rejected::BadClaims), "{extra:?}");
        }
    }

    #[test]
    fn a_time_before_which_it_is_not_valid_is_read_once_and_is_a_time() {
        let with = |extra: &str| {
            AccessClaims::from_json(GOOD.replacen('{', &format!("{{{extra}"), 1).as_bytes()).map(|(_, nbf)| nbf)
        };
        assert_eq!(with(""), Ok(None));
        assert_eq!(with(r#""nbf":15,"#), Ok(Some(15)));
        for bad in [
            r#""nbf":"15","#,
            r#""nbf":-1,"#,
            r#""nbf":1.5,"#,
            r#""nbf":9007199254740993,"#,
            r#""nbf":null,"#,
            r#""nbf":1,"nbf":1,"#,
        ] {
            assert_eq!(with(bad), Err(Rejected::BadClaims), "{bad}");
        }
    }

    #[test]
    fn the_number_of_members_is_bounded() {
        let extra: String = (0..MAX_MEMBERS).map(|index| format!(r#""x{index}":0,"#)).collect();
        assert_eq!(read(&GOOD.replacen('{', &format!("{{{extra}"), 1)), Err(Rejected::BadClaims));
    }
}
