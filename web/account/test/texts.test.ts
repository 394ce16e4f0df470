import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { Told } from "../src/faults";
import { LANGUAGES } from "../src/language";
import { ERRORS, TEXTS } from "../src/texts";

const proto = readFileSync("../../proto/countersign/v1/error_reason.proto", "utf8");
const reasons = [...proto.matchAll(/ERROR_REASON_(\w+) = [1-9]/g)].map(([, name]) => name as Told);

/** Every text below an object, with its path; functions are called with something for each parameter. */
function* textsOf(value: unknown, path: string): Generator<[string, string]> {
  if (typeof value === "string") yield [path, value];
  else if (typeof value === "function") yield [path, String(value(..."12".repeat(value.length).slice(0, value.length)))];
  else for (const [key, inner] of Object.entries(value as object)) yield* textsOf(inner, `${path}.${key}`);
}

for (const language of LANGUAGES) {
  test(`every reason of the service has a text in ${language}`, () => {
    assert.ok(reasons.length > 30);
    for (const reason of reasons) assert.ok(ERRORS[language].reasons[reason]?.length > 10, reason);
  });

  test(`no text is empty in ${language}, and none says undefined`, () => {
    for (const [path, text] of [...textsOf(TEXTS[language], "texts"), ...textsOf(ERRORS[language], "errors")]) {
      assert.ok(text.trim() !== "" && !text.includes("undefined"), `${path}: ${text}`);
    }
  });

  test(`every rule and every field that ${language} lacks is lacking in English too`, () => {
    for (const table of ["rules", "passkey", "fields", "empty", "wrong"] as const) {
      assert.deepEqual(Object.keys(ERRORS[language][table]).sort(), Object.keys(ERRORS.en[table]).sort());
    }
    assert.deepEqual(Object.keys(TEXTS[language].labels).sort(), Object.keys(TEXTS.en.labels).sort());
  });

  test(`no two reasons sound alike in ${language}`, () => {
    const told = Object.values(ERRORS[language].reasons);
    assert.equal(new Set(told).size, told.length);
  });
}

test("every closer reason for which a passkey is refused has a text", () => {
  const [, comment = ""] = /((?:  \/\/.*\n)+)  ERROR_REASON_PASSKEY_INVALID/.exec(proto) ?? [];
  const closer = [...comment.matchAll(/`([A-Z_]+)`/g)].map(([, name = ""]) => name);
  assert.ok(closer.length >= 6);
  for (const reason of closer) assert.ok(ERRORS.en.passkey[reason], reason);
});

test("every rule that the service names for a password has a text", () => {
  const source = readFileSync("../../crates/domain/src/password.rs", "utf8");
  const rules = new Set([...source.matchAll(/"(PASSWORD_[A-Z_]+)"/g)].map(([, name = ""]) => name));
  assert.ok(rules.size >= 5);
  for (const rule of rules) assert.ok(ERRORS.en.rules[rule], rule);
});
