import assert from "node:assert/strict";
import { test } from "node:test";
import { CookiesNotKept, NoPasskey, reasonOf } from "../src/index.js";
import { Browser } from "./browser.js";

const ADA = { identifier: "ada", password: "x" };

/** A browser of a person whose account has to get a second factor. */
function browserOfAda(): Browser {
  const browser = new Browser();
  browser.mustEnrol = true;
  return browser;
}

test("a login that must add a factor takes the mailed code first, and the factor opens the session for all tabs", async () => {
  const browser = browserOfAda();
  const [one, other] = [browser.tab(), browser.tab()];
  const { challenge } = await one.countersign.login(ADA);
  assert.deepEqual(challenge?.methods, ["EMAIL_CODE"]);
  const next = await one.countersign.proveEmail("right");
  assert.deepEqual([next.methods, next.rememberFor], [["ENROL"], undefined]);
  const { factorId } = await one.countersign.enrolment.startApp("Phone");
  assert.deepEqual([factorId, one.countersign.signedIn, browser.jar], ["Phone", undefined, undefined]);
  const enrolled = await one.countersign.enrolment.confirmApp({ factorId, code: "right" });
  assert.deepEqual([enrolled.sessionId, enrolled.backupCodes], ["1", ["one", "two"]]);
  assert.deepEqual(Object.keys(enrolled).sort(), ["account", "backupCodes", "expireTime", "sessionId"], "no token comes out");
  await other.countersign.account.getMe({});
  assert.deepEqual([one.changes, other.countersign.signedIn], [[{ signedIn: true }], true]);
  const calls = ["Login", "CompleteLogin", "StartTotp", "ConfirmTotp", "GetMe", "GetMe"];
  assert.deepEqual(browser.received, calls);
});

test("a passkey opens the session as well", async () => {
  const browser = browserOfAda();
  const { countersign } = browser.tab();
  await countersign.login(ADA);
  await countersign.proveEmail("right");
  const { backupCodes } = await countersign.enrolment.addPasskey();
  assert.deepEqual([backupCodes, countersign.signedIn], [["one", "two"], true]);
});

test("the factor is added for the login, and not for somebody who is still signed in", async () => {
  const browser = browserOfAda();
  browser.signIn();
  const { countersign } = browser.tab();
  await countersign.login(ADA);
  await countersign.proveEmail("right");
  const { factorId } = await countersign.enrolment.startApp("Phone");
  await countersign.enrolment.confirmApp({ factorId, code: "right" });
  assert.deepEqual(browser.jar, { session: 2, generation: 1, access: true });
});

test("a wrong code may be followed by another one, and nothing is repeated by itself", async () => {
  const browser = browserOfAda();
  const { countersign } = browser.tab();
  await countersign.login(ADA);
  await assert.rejects(countersign.proveEmail("wrong"), (error) => reasonOf(error) === "CODE_INVALID");
  await countersign.proveEmail("right");
  await assert.rejects(countersign.proveEmail("right"), (error) => reasonOf(error) === "CHALLENGE_INVALID");
  const { factorId } = await countersign.enrolment.startApp("Phone");
  const refused = countersign.enrolment.confirmApp({ factorId, code: "wrong" });
  await assert.rejects(refused, (error) => reasonOf(error) === "CODE_INVALID");
  await countersign.enrolment.confirmApp({ factorId, code: "right" });
  assert.equal(countersign.signedIn, true);
  assert.deepEqual([browser.count("CompleteLogin"), browser.count("ConfirmTotp")], [3, 2]);
});

test("without a passkey from the browser the login still waits", async () => {
  const browser = browserOfAda();
  browser.authenticator = undefined;
  const { countersign } = browser.tab();
  await countersign.login(ADA);
  await countersign.proveEmail("right");
  await assert.rejects(countersign.enrolment.addPasskey(), (error) => error instanceof NoPasskey);
  const { factorId } = await countersign.enrolment.startApp("Phone");
  await countersign.enrolment.confirmApp({ factorId, code: "right" });
  assert.equal(countersign.signedIn, true);
});

test("a browser that lost the cookie of the challenge says so before its end, and that it is over afterwards", async () => {
  const browser = browserOfAda();
  const { countersign } = browser.tab();
  await countersign.login(ADA);
  await countersign.proveEmail("right");
  browser.keepsCookies = false;
  await assert.rejects(countersign.enrolment.startApp("Phone"), (error) => error instanceof CookiesNotKept);
  const code = { factorId: "x", code: "right" };
  await assert.rejects(countersign.enrolment.confirmApp(code), (error) => error instanceof CookiesNotKept);
  browser.pass(600_000);
  await assert.rejects(countersign.enrolment.confirmApp(code), (error) => reasonOf(error) === "TOKEN_MISSING");
});
