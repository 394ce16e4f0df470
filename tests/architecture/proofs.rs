//! A session is opened for a login that consumed a proof, so whoever can make a proof can open a session.

use crate::arrow::Arrow;

pub(crate) const PASSWORDS_ARE_PROVEN_IN_ONE_PLACE: Arrow = Arrow {
    rule: "only src/usecase/gate/password.rs proves a password",
    within: &["src"],
    except: &["src/usecase/gate/password"],
    forbidden: &[&["countersign_domain", "login", "PasswordProof"]],
    excused: &[],
};

pub(crate) const FACTORS_ARE_PROVEN_IN_ONE_PLACE: Arrow = Arrow {
    rule: "only src/usecase/gate/factor.rs proves a second factor",
    within: &["src"],
    except: &["src/usecase/gate/factor"],
    forbidden: &[&["countersign_domain", "factor", "FactorProof"]],
    excused: &[],
};

pub(crate) const EMAIL_CODES_ARE_PROVEN_IN_ONE_PLACE: Arrow = Arrow {
    rule: "only src/usecase/gate/email_code.rs proves a mailed code of a login",
    within: &["src"],
    except: &["src/usecase/gate/email_code"],
    forbidden: &[&["countersign_domain", "login", "EmailCodeProof"]],
    excused: &[],
};
