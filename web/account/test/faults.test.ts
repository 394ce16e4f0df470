import { CookiesNotKept, NoPasskey } from "@countersign/client";
import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { BadRequestSchema, ErrorInfoSchema, RetryInfoSchema } from "../../client/src/generated/google/rpc/error_details_pb";
import { emptyAmong, faultOf, faultText, fieldText, renamed, type Fault } from "../src/faults";
import { Format } from "../src/format";
import { ERRORS } from "../src/texts";

interface Refused {
  readonly fields?: readonly (readonly [field: string, reason: string, description: string])[];
  readonly wait?: number;
  readonly metadata?: Record<string, string>;
}

/** An error as the service sends it. */
function refusal(reason: string, { fields = [], wait, metadata = {} }: Refused = {}): ConnectError {
  const fieldViolations = fields.map(([field, reason, description]) => ({ field, reason, description }));
  const seconds = { seconds: BigInt(wait ?? 0), nanos: 0 };
  return new ConnectError("refused", Code.InvalidArgument, undefined, [
    { desc: ErrorInfoSchema, value: create(ErrorInfoSchema, { reason, domain: "countersign", metadata }) },
    ...(fields.length > 0 ? [{ desc: BadRequestSchema, value: create(BadRequestSchema, { fieldViolations }) }] : []),
    ...(wait === undefined ? [] : [{ desc: RetryInfoSchema, value: create(RetryInfoSchema, { retryDelay: seconds }) }]),
  ]);
}

function first(fault: Fault, language: "en" | "de" = "en"): string {
  const [field] = fault.fields;
  assert.ok(field);
  return fieldText(fault, field, ERRORS[language]);
}

test("a password that is too short is told with the bound that the operator chose", () => {
  const fault = faultOf(refusal("PASSWORD_REJECTED", { fields: [["new_password", "PASSWORD_TOO_SHORT", "has fewer than 20 characters"]] }));
  assert.equal(first(fault), "Use at least 20 characters.");
  assert.equal(first(fault, "de"), "Mindestens 20 Zeichen.");
});

test("a bound that the service does not name is not made up", () => {
  const fault = faultOf(refusal("PASSWORD_REJECTED", { fields: [["password", "PASSWORD_TOO_SHORT", ""]] }));
  assert.equal(first(fault), "This password is too short.");
});

test("a field within a message is the input of its own name", () => {
  const fault = faultOf(refusal("USERNAME_TAKEN", { fields: [["account.username", "", "is taken"]] }));
  assert.equal(fault.fields[0]?.field, "username");
  assert.equal(first(fault), ERRORS.en.reasons.USERNAME_TAKEN);
});

test("a field without a closer reason says what it has to be", () => {
  const fault = faultOf(refusal("INVALID_FIELD", { fields: [["email", "", "is not an e-mail address"]] }));
  assert.equal(first(fault), ERRORS.en.fields["email"]);
});

test("what this version does not know is told in the words of the service", () => {
  const fault = faultOf(refusal("INVALID_FIELD", { fields: [["shoe_size", "TOO_BIG", "is larger than any foot"]] }));
  assert.match(first(fault), /is larger than any foot/);
  assert.match(first(fault, "de"), /is larger than any foot/);
});

test("a code that is wrong stands at the code, though the service names no field", () => {
  const fault = faultOf(refusal("CODE_INVALID"));
  assert.equal(fault.fields[0]?.field, "code");
  assert.equal(first(fault), ERRORS.en.reasons.CODE_INVALID);
});

test("a wrong code of an app or of the backup codes has words of its own, and says why where that is known", () => {
  const wrong = (field: string, reason = "") =>
    first(faultOf(refusal("CODE_INVALID", { fields: [[field, reason, "is wrong"]] })));
  assert.equal(wrong("totp_code"), ERRORS.en.wrong["totp_code"]);
  assert.equal(wrong("backup_code"), ERRORS.en.wrong["backup_code"]);
  assert.match(wrong("totp_code", "USED"), /next one/);
  assert.match(wrong("totp_code", "CLOCK_OFF"), /clock of your phone/);
});

test("a code that cannot be one is told what it has to be", () => {
  const fault = faultOf(refusal("INVALID_FIELD", { fields: [["totp_code", "", "must have six digits"]] }));
  assert.equal(first(fault), ERRORS.en.fields["totp_code"]);
});

test("a field can be an input of another name", () => {
  const refused = faultOf(refusal("CODE_INVALID", { fields: [["code", "CLOCK_OFF", ""], ["name", "", ""]] }));
  const fault = renamed(refused, { code: "totp_code" });
  assert.deepEqual(fault.fields.map(({ field }) => field), ["totp_code", "name"]);
  assert.match(first(fault), /clock of your phone/);
});

test("how a fresh proof can be given is kept", () => {
  const fault = faultOf(refusal("STEP_UP_REQUIRED", { metadata: { methods: "TOTP BACKUP_CODE" } }));
  assert.deepEqual(fault.proofs, ["TOTP", "BACKUP_CODE"]);
});

test("why a passkey was not accepted is told where that is known", () => {
  const told = (reason?: string) => {
    const fields = reason === undefined ? [] : ([["passkey_credential_json", reason, "is wrong"]] as const);
    return faultText(faultOf(refusal("PASSKEY_INVALID", { fields })), ERRORS.en);
  };
  assert.equal(told(), ERRORS.en.reasons.PASSKEY_INVALID);
  assert.equal(told(""), ERRORS.en.reasons.PASSKEY_INVALID);
  assert.match(told("COUNTER"), /copy of this passkey/);
  assert.match(told("USER_NOT_VERIFIED"), /Set up a PIN/);
  assert.match(told("ORIGIN"), /Check the address/);
  assert.match(told("OVERTAKEN"), /used elsewhere/);
  assert.match(told("PASSWORD_NEEDED"), /password was reset/);
  assert.match(told("REGISTERED"), /registered already/);
  assert.equal(told("USED"), ERRORS.en.reasons.PASSKEY_INVALID, "the text of a code");
});

test("why the browser has no passkey is told, and a wrong page in the same words as by the service", () => {
  const refused = (fault: ConstructorParameters<typeof NoPasskey>[0]) => faultOf(new NoPasskey(fault));
  for (const closer of ["KNOWN", "ORIGIN"] as const) {
    const fault = refused(closer);
    assert.equal(fault.reason, "PASSKEY_INVALID");
    assert.equal(faultText(fault, ERRORS.en), ERRORS.en.passkey[closer]);
  }
  assert.equal(faultText(refused("DISMISSED"), ERRORS.en), ERRORS.en.reasons.PASSKEY_DISMISSED);
  assert.equal(faultText(refused("UNUSABLE"), ERRORS.en), ERRORS.en.reasons.PASSKEY_UNUSABLE);
});

test("wrong credentials stand at no field, so that they do not tell which one is wrong", () => {
  assert.deepEqual(faultOf(refusal("CREDENTIALS_INVALID")).fields, []);
});

test("when to come back is kept, and rounded up when it is said", () => {
  const fault = faultOf(refusal("OVERLOADED", { wait: 42 }));
  assert.equal(fault.wait, 42_000);
  assert.equal(new Format("en").in(41_200), "in 42 seconds");
  assert.equal(new Format("de").in(150_000), "in 3 Minuten");
  assert.equal(new Format("en").in(0), "in 1 second");
});

test("a service that cannot be reached is told as that", () => {
  for (const error of [new TypeError("Failed to fetch"), new ConnectError("x", Code.Unavailable), "?"]) {
    assert.equal(faultOf(error).reason, "NO_ANSWER");
  }
});

test("what may be left empty is no fault", () => {
  assert.equal(emptyAmong({ email: "a@example.org", username: "" }, ["username"]), undefined);
  // Only the service can judge a password of spaces.
  assert.equal(emptyAmong({ password: "   " }, []), undefined);
});

test("fields that were left empty are told without asking the service", () => {
  const fault = emptyAmong({ email: "a@example.org", password: "", code: "", username: "", understood: "" }, ["username"]);
  assert.ok(fault);
  const texts = fault.fields.map((field) => fieldText(fault, field, ERRORS.en));
  assert.deepEqual(texts, [ERRORS.en.empty["password"], ERRORS.en.fields["code"], ERRORS.en.fields["understood"]]);
});

test("a browser that keeps no cookies is told so, and without https what Safari needs", () => {
  assert.equal(faultOf(new CookiesNotKept()).reason, "COOKIES_NOT_KEPT");
  Object.defineProperty(globalThis, "location", { value: { protocol: "http:" }, configurable: true });
  assert.equal(faultOf(new CookiesNotKept()).reason, "COOKIES_NEED_HTTPS");
  Reflect.deleteProperty(globalThis, "location");
});
