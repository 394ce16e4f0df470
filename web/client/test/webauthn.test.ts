import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { passkeyAutofillAvailable, passkeysAvailable, type WebAuthn } from "../src/index.js";
import { create, sign } from "../src/webauthn.js";

const text = (bytes: ArrayBuffer | undefined) => Buffer.from(bytes ?? new ArrayBuffer()).toString();
const bytes = (text: string) => new TextEncoder().encode(text).buffer;

/** A browser whose credentials are `credential`; `seen` has the options that it got. */
function answering(credential: unknown, statics: WebAuthn["statics"] = {}) {
  const seen: CredentialCreationOptions & CredentialRequestOptions = {};
  const take = async (options?: object) => (Object.assign(seen, options), credential as Credential);
  return { seen, browser: { credentials: { create: take, get: take }, statics } };
}

/** Bytes whose base64 has the letters that base64url replaces, and padding. */
const ODD = "\u00fb\u00ff\u00fe";
const ODD_TEXT = Buffer.from(ODD).toString("base64url");

test("options are decoded where the browser cannot", async () => {
  const { seen, browser } = answering({ toJSON: () => ({ id: "x" }) });
  const user = { id: ODD_TEXT, name: "ada", displayName: "Ada" };
  const listed = [{ type: "public-key", id: ODD_TEXT, transports: ["internal"] }];
  const creation = { rp: { id: "example.org", name: "x" }, user, challenge: ODD_TEXT, excludeCredentials: listed, timeout: 5 };
  await create(browser, JSON.stringify(creation), {});
  const { publicKey: created } = seen as { publicKey: PublicKeyCredentialCreationOptions };
  const idOf = (given: PublicKeyCredentialDescriptor | undefined) => text(given?.id as ArrayBuffer);
  assert.deepEqual([text(created.challenge as ArrayBuffer), text(created.user.id as ArrayBuffer)], [ODD, ODD]);
  assert.deepEqual([created.rp.id, created.timeout, created.user.name], ["example.org", 5, "ada"]);
  assert.deepEqual([idOf(created.excludeCredentials?.[0]), created.excludeCredentials?.[0]?.transports], [ODD, ["internal"]]);

  await sign(browser, JSON.stringify({ challenge: ODD_TEXT, userVerification: "required", allowCredentials: listed }), {});
  const { publicKey: requested } = seen as { publicKey: PublicKeyCredentialRequestOptions };
  assert.equal(text(requested.challenge as ArrayBuffer), ODD);
  assert.deepEqual([idOf(requested.allowCredentials?.[0]), requested.userVerification], [ODD, "required"]);
});

test("a browser that reads and writes JSON does so itself", async () => {
  const parsed = { challenge: bytes("parsed") };
  const { seen, browser } = answering({ toJSON: () => ({ id: "by the browser" }) }, { parseRequestOptionsFromJSON: () => parsed });
  assert.equal(await sign(browser, "{}", {}), '{"id":"by the browser"}');
  assert.equal(seen.publicKey, parsed);
});

test("a registration is written as JSON where the browser cannot", async () => {
  const credential = {
    id: ODD_TEXT,
    rawId: bytes(ODD),
    type: "public-key",
    authenticatorAttachment: "platform",
    response: {
      clientDataJSON: bytes("client"),
      attestationObject: bytes("attested"),
      getTransports: () => ["internal", "hybrid"],
      getAuthenticatorData: () => bytes("data"),
      getPublicKey: () => bytes("key"),
      getPublicKeyAlgorithm: () => -7,
    },
    getClientExtensionResults: () => ({ credProps: { rk: true } }),
  };
  const json = await create(answering(credential).browser, JSON.stringify({ challenge: "", user: { id: "" } }), {});
  const encoded = (text: string) => Buffer.from(text).toString("base64url");
  assert.deepEqual(JSON.parse(json), {
    id: ODD_TEXT,
    rawId: ODD_TEXT,
    type: "public-key",
    authenticatorAttachment: "platform",
    response: {
      clientDataJSON: encoded("client"),
      attestationObject: encoded("attested"),
      transports: ["internal", "hybrid"],
      authenticatorData: encoded("data"),
      publicKeyAlgorithm: -7,
      publicKey: encoded("key"),
    },
    clientExtensionResults: { credProps: { rk: true } },
  });
});

test("a signature is written as JSON where the browser cannot, with or without a user", async () => {
  for (const userHandle of [bytes("ada"), null]) {
    const response = { clientDataJSON: bytes("client"), authenticatorData: bytes("data"), signature: bytes("s"), userHandle };
    const credential = { id: "aWQ", rawId: bytes("id"), type: "public-key", response, getClientExtensionResults: () => ({}) };
    const json = await sign(answering(credential).browser, JSON.stringify({ challenge: "" }), {});
    assert.deepEqual(JSON.parse(json), {
      id: "aWQ",
      rawId: "aWQ",
      type: "public-key",
      response: { clientDataJSON: "Y2xpZW50", authenticatorData: "ZGF0YQ", signature: "cw", ...(userHandle && { userHandle: "YWRh" }) },
      clientExtensionResults: {},
    });
  }
});

/** A page at an address, in a browser with these static functions. */
function page(context: TestContext, hostname: string, statics: object | undefined = {}) {
  const given = { PublicKeyCredential: statics, navigator: { credentials: {} }, location: { hostname } };
  const before = Object.keys(given).map((name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)] as const);
  context.after(() => {
    for (const [name, own] of before) own ? Object.defineProperty(globalThis, name, own) : Reflect.deleteProperty(globalThis, name);
  });
  for (const [name, value] of Object.entries(given)) Object.defineProperty(globalThis, name, { value, configurable: true });
}

for (const [hostname, available] of [
  ["id.example.org", true],
  ["localhost", true],
  ["4.example.org", true],
  ["127.0.0.1", false],
  ["[::1]", false],
] as const) {
  test(`passkeys are ${available ? "" : "not "}available at ${hostname}`, (context) => {
    page(context, hostname);
    assert.equal(passkeysAvailable(), available);
  });
}

test("passkeys are not available where the browser has none", async (context) => {
  assert.equal(passkeysAvailable(), false);
  page(context, "localhost", undefined);
  Reflect.deleteProperty(globalThis, "PublicKeyCredential");
  assert.deepEqual([passkeysAvailable(), await passkeyAutofillAvailable()], [false, false]);
});

const YES = { isConditionalMediationAvailable: async () => true };
const NO = { isConditionalMediationAvailable: async () => false };

for (const [where, hostname, statics, available] of [
  ["an older browser", "localhost", {}, false],
  ["a browser that can", "localhost", YES, true],
  ["a browser that cannot", "localhost", NO, false],
  ["a browser that can, at an address without a name", "127.0.0.1", YES, false],
] as const) {
  test(`passkeys are ${available ? "" : "not "}in the autofill of ${where}`, async (context) => {
    page(context, hostname, statics);
    assert.equal(await passkeyAutofillAvailable(), available);
  });
}
