// A tab that never releases the shared lock, like a tab that the browser has suspended.
import assert from "node:assert/strict";
import { complaintsOf, look } from "../support/look.mjs";
import { done, scenario } from "../support/scenario.mjs";

scenario(async ({ browser, start }) => {
  const service = await start();
  const person = await service.person();
  const context = await browser.newContext({ locale: "en-GB", viewport: { width: 1280, height: 800 } });
  const { ready, complaints } = complaintsOf(context);
  await ready;
  const page = await context.newPage();
  await page.clock.install();
  await page.goto(`${service.origin}/sign-in`);
  await page.locator('main [name="identifier"]').fill(person.email);
  await page.locator('main [name="password"]').fill(person.password);
  await page.locator('main form button[type="submit"]').click();
  await page.locator('main [name="display_name"]').waitFor();

  const hanging = await context.newPage();
  await hanging.goto(`${service.origin}/sign-in`);
  await hanging.evaluate(
    () =>
      new Promise((held) => {
        // The tab learns that it was overtaken.
        navigator.locks.request(`countersign ${location.origin}`, () => new Promise(() => held())).catch(() => {});
      }),
  );
  await page.locator("header button").click();
  await page.clock.fastForward(3_000);
  await page.locator("main .note", { hasText: "Another tab is busy" }).waitFor();
  assert.equal(new URL(page.url()).pathname, "/account");
  done("a page that waits for another tab says so");

  await page.clock.fastForward(15_000);
  await page.waitForURL((url) => url.pathname === "/sign-in");
  await page.locator("main .note", { hasText: "did not answer" }).waitFor();
  await look(page, "overtook-a-tab", { state: true });
  assert.deepEqual(complaints, []);
  done("and goes on without it");
});
