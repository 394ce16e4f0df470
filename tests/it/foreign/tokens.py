"""Opens and makes access tokens with joserfc. The question comes as JSON on standard input, keys included; the answer goes
to standard output."""

import json
import sys

from joserfc import jwe, jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, OctKey, OKPKey

question = json.load(sys.stdin)


class ProfileKey(OKPKey):
    """Writes its public half in the order of the profile; by itself the library puts `kty` last."""

    def as_dict(self, private=False, **params):
        written = super().as_dict(private, **params)
        return {name: written[name] for name in ("kty", "crv", "x")}


def open_token(token):
    keys = KeySet.import_key_set({"keys": question["decryption"]})
    opened = jwe.decrypt_compact(token, keys, algorithms=["dir", "ECDH-ES", "A256GCM"])
    signers = KeySet.import_key_set(question["jwks"])
    signed = jwt.decode(opened.plaintext, signers, algorithms=["EdDSA"])
    if signed.header["typ"] != "at+jwt":
        raise JoseError("another type of token")
    expected = {name: {"essential": True, "value": question[long]} for name, long in [("iss", "issuer"), ("aud", "audience")]}
    jwt.JWTClaimsRegistry(now=question["now"], **expected).validate(signed.claims)
    return {"outer": opened.headers(), "inner": signed.header, "claims": signed.claims}


def open_or_refuse(token):
    try:
        return open_token(token)
    except (JoseError, ValueError) as error:
        return {"refused": type(error).__name__}


def sign(recipe):
    header = json.loads(recipe["inner"])
    key = OKPKey.import_key(recipe["signing"])
    return jws.serialize_compact(header, recipe["claims"], key, algorithms=["EdDSA", "Ed25519", "none"])


def make(recipe):
    header = json.loads(recipe["outer"])
    content = recipe["claims"] if recipe["inner"] is None else sign(recipe)
    kind = OctKey if header["alg"] == "dir" else ProfileKey if recipe["ordered"] else OKPKey
    key = kind.import_key(recipe["encryption"])
    return jwe.encrypt_compact(header, content, key, algorithms=[header["alg"], header["enc"], "DEF"])


if "tokens" in question:
    answer = [open_or_refuse(token) for token in question["tokens"]]
else:
    answer = [make(recipe) for recipe in question["recipes"]]
json.dump(answer, sys.stdout)
