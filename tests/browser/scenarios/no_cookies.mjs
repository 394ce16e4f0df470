// Browsers that keep no cookies: the page says so, and no session is left behind.
import assert from "node:assert/strict";
import { look } from "../support/look.mjs";
import { done, scenario } from "../support/scenario.mjs";

scenario(async ({ browser, start }) => {
  const service = await start();
  const person = await service.person();
  for (const blocked of [blockedBySetting, blockedOnTheWay]) {
    const context = await browser.newContext({ locale: "en-GB", viewport: { width: 1280, height: 800 } });
    await blocked(context);
    const page = await context.newPage();
    await page.goto(`${service.origin}/sign-in`);
    for (let time = 0; time < 2; time++) {
      await page.locator('main [name="identifier"]').fill(person.email);
      await page.locator('main [name="password"]').fill(person.password);
      await page.locator('main form button[type="submit"]').click();
      const said = page.locator('main [role="alert"]', { hasText: "does not keep cookies" });
      await said.waitFor();
      await page.locator('main form button:not([aria-busy="true"])').first().waitFor();
    }
    await look(page, "no-cookies", { state: true });
    assert.equal(await sessionsOf(service, person), 1, "the one that looks");
    await context.close();
    done(`${blocked.name}: the page says what is missing, and no session is left`);
  }
});

/** A browser whose owner blocks cookies for the site, and which says so. */
async function blockedBySetting(context) {
  await context.addInitScript(() => Object.defineProperty(Navigator.prototype, "cookieEnabled", { get: () => false }));
}

/** A browser that claims to keep cookies and does not, like Safari on http://localhost. */
async function blockedOnTheWay(context) {
  await context.route("**/countersign.v1.AuthService/Login", async (route) => {
    const answer = await route.fetch();
    await context.clearCookies();
    const { "set-cookie": _, ...headers } = answer.headers();
    await route.fulfill({ response: answer, headers });
  });
}

/** The number of live sessions, counted by a session that is opened for it and closed again. */
async function sessionsOf(service, { email, password }) {
  let cookie = "";
  const onHeader = (header) => (cookie = header.getSetCookie().map((line) => line.split(";")[0]).join("; "));
  await service.calls().auth.login({ identifier: email, password }, { onHeader });
  const { sessions } = await service.calls(cookie).sessions.listSessions({});
  await service.calls(cookie).auth.logout({});
  return sessions.length;
}
