// Opens and makes access tokens with jose. The question comes as JSON on standard input, keys included; the answer goes
// to standard output.

import { readFileSync } from "node:fs";
import { webcrypto } from "node:crypto";
import * as jose from "jose";

// Node 18 has it under this name only.
globalThis.crypto ??= webcrypto;

const question = JSON.parse(readFileSync(0, "utf8"));
const utf8 = (text) => new TextEncoder().encode(text);

function named(kid) {
  const found = question.decryption.find((key) => key.kid === kid);
  if (!found) throw new jose.errors.JOSEError(`no key ${kid}`);
  return found;
}

async function open(token) {
  const opened = await jose.compactDecrypt(token, (header) => jose.importJWK(named(header.kid), header.alg), {
    keyManagementAlgorithms: ["dir", "ECDH-ES"],
    contentEncryptionAlgorithms: ["A256GCM"],
  });
  const inner = new TextDecoder().decode(opened.plaintext);
  const { payload, protectedHeader } = await jose.jwtVerify(inner, jose.createLocalJWKSet(question.jwks), {
    algorithms: ["EdDSA"],
    typ: "at+jwt",
    issuer: question.issuer,
    audience: question.audience,
    currentDate: new Date(question.now * 1000),
  });
  return { outer: opened.protectedHeader, inner: protectedHeader, claims: payload };
}

async function sign(recipe) {
  const header = JSON.parse(recipe.inner);
  if (header.alg === "none") return new jose.UnsecuredJWT(JSON.parse(recipe.claims)).encode();
  const key = await jose.importJWK(recipe.signing, header.alg);
  return new jose.CompactSign(utf8(recipe.claims)).setProtectedHeader(header).sign(key);
}

async function make(recipe) {
  const header = JSON.parse(recipe.outer);
  const content = recipe.inner === null ? recipe.claims : await sign(recipe);
  const key = await jose.importJWK(recipe.encryption, header.alg);
  return new jose.CompactEncrypt(utf8(content)).setProtectedHeader(header).encrypt(key);
}

async function orRefusal(doing) {
  try {
    return await doing;
  } catch (error) {
    if (error instanceof jose.errors.JOSEError) return { refused: error.code };
    throw error;
  }
}

const work = question.tokens ? question.tokens.map((token) => orRefusal(open(token))) : question.recipes.map(make);
process.stdout.write(JSON.stringify(await Promise.all(work)));
