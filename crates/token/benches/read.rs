//! The cost of reading and of issuing an access token, with that of its parts alone, in one run: `cargo bench -p
//! countersign-token --features issue`. Compare lines of one run only.
#![allow(clippy::expect_used, reason = "a bench stops at the first surprise")]

#[path = "../tests/support/mod.rs"]
mod support;

use std::hint::black_box;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::signature::{ED25519, ParsedPublicKey};
use countersign_token::{
    AccessIssuer, AccessReader, ContentKey, DecryptionKey, EncryptionKey, EphemeralDeriver, RecipientKey, SigningKey,
    named_key,
};
use criterion::{Criterion, criterion_group, criterion_main};
use ed25519_dalek::{Signer as _, Verifier as _};
use support::{AUDIENCE, CONTENT, ISSUER, NOW, RECIPIENTS, SEEDS, claims, id};

fn signing() -> SigningKey {
    SigningKey::from_seed(id(SEEDS[0].0), SEEDS[0].1)
}

fn content() -> ContentKey {
    ContentKey::new(id(CONTENT[0].0), CONTENT[0].1)
}

fn recipient() -> RecipientKey {
    RecipientKey::new(id(RECIPIENTS[0].0), RECIPIENTS[0].1).expect("a recipient")
}

fn deriver() -> EphemeralDeriver {
    EphemeralDeriver::new(recipient().public_key(), [31; 32])
}

fn issuer(key: impl Into<EncryptionKey>) -> AccessIssuer {
    AccessIssuer::new(ISSUER, signing(), key.into(), AUDIENCE).expect("an issuer")
}

fn reader(key: impl Into<DecryptionKey>) -> AccessReader {
    AccessReader::new(ISSUER, AUDIENCE, vec![signing().verifying_key()], vec![key.into()]).expect("a reader")
}

/// The signature check alone, over a message as long as the one inside a token.
fn bare_signatures(c: &mut Criterion) {
    let token = issuer(content()).issue(&claims()).expect("a token");
    // In the inner token, base64url makes four characters of three bytes; 87 of them are the signature.
    let inner = token.split('.').nth(3).expect("a ciphertext").len() / 4 * 3;
    let message = vec![b'm'; inner - 87];
    let key = ed25519_dalek::SigningKey::from_bytes(&SEEDS[0].1);
    let (public, signature) = (key.verifying_key(), key.sign(&message));
    let bytes = signature.to_bytes();
    let parsed = ParsedPublicKey::new(&ED25519, public.as_bytes()).expect("a public key");

    let mut group = c.benchmark_group("bare");
    // The same as a reader does, except for a comparison of 32 bytes with five others.
    group.bench_function("Ed25519 by ed25519-dalek, verify", |b| {
        b.iter(|| public.verify(black_box(&message), &signature));
    });
    group.bench_function("Ed25519 by ed25519-dalek, verify_strict", |b| {
        b.iter(|| public.verify_strict(black_box(&message), &signature));
    });
    group.bench_function("Ed25519 by aws-lc-rs", |b| b.iter(|| parsed.verify_sig(black_box(&message), &bytes)));
    // ring has no parsed key: it parses the key for each signature.
    let unparsed = ring::signature::UnparsedPublicKey::new(&ring::signature::ED25519, public.as_bytes());
    group.bench_function("Ed25519 by ring", |b| b.iter(|| unparsed.verify(black_box(&message), &bytes)));

    let cipher = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &[7; 32]).expect("a key"));
    let nonce = || Nonce::assume_unique_for_key([7; 12]);
    let mut sealed = vec![b'm'; inner];
    cipher.seal_in_place_append_tag(nonce(), Aad::empty(), &mut sealed).expect("a ciphertext");
    group.bench_function("A256GCM, opening a copy", |b| {
        b.iter(|| {
            let mut text = sealed.clone();
            cipher.open_in_place(nonce(), Aad::empty(), black_box(&mut text)).map(|plain| plain.len())
        });
    });
    group.finish();
}

fn whole_tokens(c: &mut Criterion) {
    let direct = issuer(content()).issue(&claims()).expect("a token");
    let agreed = issuer(deriver()).issue(&claims()).expect("a token");
    let readers = [
        ("read, dir", reader(content()), &direct),
        ("read, ECDH-ES, by the audience", reader(recipient()), &agreed),
        ("read, ECDH-ES, by the service", reader(deriver()), &agreed),
    ];
    let mut group = c.benchmark_group("token");
    for (name, reader, token) in readers {
        reader.read(token, NOW).expect("a good token");
        group.bench_function(name, |b| b.iter(|| reader.read(black_box(token), NOW)));
    }
    group.bench_function("the named key, dir", |b| b.iter(|| named_key(black_box(&direct))));
    group.bench_function("the named key, ECDH-ES", |b| b.iter(|| named_key(black_box(&agreed))));
    let claims = claims();
    for (name, issuer) in [("issue, dir", issuer(content())), ("issue, ECDH-ES", issuer(deriver()))] {
        group.bench_function(name, |b| b.iter(|| issuer.issue(black_box(&claims))));
    }
    group.finish();
}

criterion_group!(benches, bare_signatures, whole_tokens);
criterion_main!(benches);
