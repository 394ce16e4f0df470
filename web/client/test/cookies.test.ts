import assert from "node:assert/strict";
import { test } from "node:test";
import { CookiesNotKept, reasonOf } from "../src/index.js";
import { Browser, refusal } from "./browser.js";

const ADA = { identifier: "ada", password: "x" };

test("where no cookie is kept a login says so, nobody counts as signed in, and the session is ended", async () => {
  const browser = new Browser();
  browser.keepsCookies = false;
  const { countersign, changes } = browser.tab();
  await assert.rejects(countersign.login(ADA), CookiesNotKept);
  assert.deepEqual([browser.live, countersign.signedIn, changes], [undefined, undefined, []]);
  assert.deepEqual(browser.received, ["Login", "GetMe", "Logout"]);
});

test("a browser that says that it keeps no cookies opens no session", async () => {
  const browser = new Browser();
  browser.saysCookies = false;
  await assert.rejects(browser.tab().countersign.login(ADA), CookiesNotKept);
  assert.deepEqual(browser.received, []);
});

test("a look at the cookies that fails for another reason does not undo a login", async () => {
  const browser = new Browser();
  browser.instead = (method) => (method === "GetMe" ? refusal("OVERLOADED") : undefined);
  const { countersign } = browser.tab();
  await countersign.login(ADA);
  assert.equal(countersign.signedIn, true);
  assert.equal(browser.count("Logout"), 0);
});

test("a browser that loses the cookie of a challenge keeps no cookies", async () => {
  const browser = new Browser();
  browser.secondFactor = true;
  browser.keepsCookies = false;
  const { countersign } = browser.tab();
  await countersign.login(ADA);
  await assert.rejects(countersign.completeLogin({ totpCode: "right" }), CookiesNotKept);
});

test("a challenge whose cookie the browser dropped in time has expired", async () => {
  const browser = new Browser();
  browser.secondFactor = true;
  const { countersign } = browser.tab();
  await countersign.login(ADA);
  browser.keepsCookies = false;
  browser.time += 5 * 60_000;
  const late = countersign.completeLogin({ totpCode: "right" });
  await assert.rejects(late, (error) => reasonOf(error) === "TOKEN_MISSING");
});
