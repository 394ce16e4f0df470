// Streams over grpc-web, and what a page can read from an error.
import assert from "node:assert/strict";
import { open, profile } from "../support/browser.mjs";
import { done, scenario } from "../support/scenario.mjs";

scenario(async ({ browser, start }) => {
  // One hash at a time and no queue: of many logins at once some have to try again.
  const { origin } = await start({ PASSWORDS__WORKERS: "1", PASSWORDS__QUEUE: "1" });
  const page = await open(await profile(browser, [origin]), origin);

  const { first, last } = await page.evaluate(() => app.watchHealth("countersign.v1.AccountService"));
  assert.deepEqual(first, { ok: true, status: 1 });
  assert.equal(last.code, "Canceled", "the stream went on until the page had enough of it");
  done("a stream is read message by message, and ended by the page");

  const wrong = await page.evaluate(() => app.register("no address", "short"));
  assert.equal(wrong.reason, "INVALID_FIELD");
  assert.deepEqual(wrong.fields.map(({ field }) => field), ["email"]);
  assert.ok(wrong.fields.every(({ description }) => description));

  const rejected = await page.evaluate(() => app.register("ada@example.org", "short"));
  assert.equal(rejected.reason, "PASSWORD_REJECTED");
  assert.deepEqual(rejected.fields.map(({ field }) => field), ["password"]);
  done("refused fields are named");

  const logins = await page.evaluate(() => Promise.all(Array.from({ length: 40 }, (_, at) => app.crowd(`ada-${at}@example.org`, "nobody knows"))));
  const overloaded = logins.filter(({ reason }) => reason === "OVERLOADED");
  assert.ok(overloaded.length > 0, `${JSON.stringify(logins)}`);
  assert.ok(overloaded.every(({ retryAfter }) => retryAfter > 0));
  assert.ok(logins.every(({ reason }) => ["OVERLOADED", "CREDENTIALS_INVALID"].includes(reason)));
  done("an overloaded service says when to come back");

  const unknown = await page.evaluate(() => app.me());
  assert.deepEqual([unknown.reason, unknown.code], ["TOKEN_MISSING", "Unauthenticated"]);
  done("a call without a session says so");
});
