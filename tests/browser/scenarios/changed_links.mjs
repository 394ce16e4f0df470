// Mailed links that a gateway or a mail program changed, that were used, or that lost their token: each leads to a
// helpful page.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { complaintsOf, look } from "../support/look.mjs";
import { done, scenario } from "../support/scenario.mjs";

const PASSWORD = "seven quiet herons at dusk";

scenario(async ({ browser, start }) => {
  const service = await start();
  const context = await browser.newContext({ locale: "en-GB", viewport: { width: 1280, height: 800 } });
  const { ready, complaints } = complaintsOf(context);
  await ready;
  for (const part of [everyChangedLinkWorks, aLinkWithoutItsTokenAsksForTheCode, aPastedLinkIsTaken, aUsedLinkHasAWayOn, aFurtherMailIsTold, nothingIsThere]) {
    const page = await context.newPage();
    await part({ service, page });
    await page.close();
    // A missing page has the status 404, which a browser reports as an error.
    assert.deepEqual(complaints.filter((text) => !text.includes("404")), []);
  }
});

/** Somebody who registered, and the mail that they got. */
async function registered({ service }) {
  const email = `ada-${randomUUID()}@example.org`;
  await service.calls().account.register({ email, password: PASSWORD, requestId: randomUUID() });
  const mail = await service.mail(email, "");
  return { email, ...mail };
}

async function open(page, address) {
  await page.goto("about:blank");
  await page.goto(address);
  await page.locator("main h1").waitFor();
}

const pressed = (page) => page.locator("main button").first().click();
const isDone = (page) => page.locator('main:not(:has(form)):not(:has([role="alert"])) a[href="/sign-in"].button').waitFor();

async function everyChangedLinkWorks(world) {
  const { service, page } = world;
  const changed = [
    (token) => `/verify%23token=${token}`,
    (token) => `/verify%23token%3D${token}`,
    (token) => `/verify/#token=${token}`,
    (token) => `/verify#token=${token}&utm_source=mail`,
    (token) => `/verify#token=${token}.`,
    (token) => `/verify#token=${token}%3E`,
    (token) => `/verify#token%3D${token}`,
  ];
  for (const change of changed) {
    const { token } = await registered(world);
    const address = service.origin + change(token);
    await open(page, address);
    assert.equal(page.url(), `${service.origin}/verify`, "the token is out of the address bar");
    await pressed(page);
    await isDone(page);
  }
  assert.ok(!service.log().includes("v4.local."), "no token is in the log");
  done(`${changed.length} links that were changed on the way verify an address`);
}

async function aLinkWithoutItsTokenAsksForTheCode(world) {
  const { service, page } = world;
  for (const path of ["/verify", "/verify/", "/verify%3E"]) {
    const { email, code } = await registered(world);
    await open(page, service.origin + path);
    await page.locator('main [name="code"]').fill(code.replace(" ", "\u00a0"));
    await page.locator('main form:has([name="code"]) [name="email"]').fill(`${email}\u00a0`);
    await page.locator('main form:has([name="code"]) button[type="submit"]').click();
    await isDone(page);
  }
  done("a link that lost its token leads to where the code is asked for, and a code is read as it was pasted");
}

async function aPastedLinkIsTaken(world) {
  const { service, page } = world;
  const { token } = await registered(world);
  await open(page, `${service.origin}/verify`);
  await look(page, "verify-code");
  await page.locator('main [name="code"]').fill(`<${service.origin}/verify#token=${token}>`);
  await page.locator('main form:has([name="code"]) button[type="submit"]').click();
  await isDone(page);

  const other = await registered(world);
  await open(page, `${service.origin}/reset`);
  await look(page, "reset-code");
  await page.locator('main [name="code"]').fill(`${service.origin}/verify#token=${other.token}`);
  await page.locator('main [name="new_password"]').fill("nine loud cranes at dawn");
  await page.locator('main form button[type="submit"]').click();
  await page.waitForURL((url) => url.pathname === "/verify");
  await pressed(page);
  await isDone(page);
  done("a link is taken where the code is asked for, and one for another page leads there");
}

async function aUsedLinkHasAWayOn(world) {
  const { service, page } = world;
  const { email, token } = await registered(world);
  await service.calls().account.verify({ token });
  await open(page, `${service.origin}/verify#token=${token}`);
  await pressed(page);
  await page.locator('main [role="alert"]').waitFor();
  await look(page, "verify-used", { state: true });
  assert.ok(await page.locator('main form:has([name="email"])').count(), "it offers another mail");
  await page.locator('main a[href="/sign-in"]').click();
  await page.locator('main [name="identifier"]').waitFor();

  await service.calls().account.requestReset({ email, requestId: randomUUID() });
  const mail = await service.mail(email, "assword");
  await service.calls().account.reset({ token: mail.token, newPassword: "nine loud cranes at dawn" });
  await open(page, `${service.origin}/reset#token=${mail.token}`);
  await page.locator('main [name="new_password"]').fill("ten loud cranes at dawn");
  await page.locator('main form button[type="submit"]').click();
  await page.locator('main [role="alert"]').waitFor();
  await look(page, "reset-used", { state: true });
  for (const path of ["/forgot-password", "/sign-in"]) assert.equal(await page.locator(`main a[href="${path}"]`).count(), 1, path);
  await page.locator("main .text-button", { hasText: "code" }).click();
  await page.locator('main [name="code"]').waitFor();
  done("whoever comes with a used link can go on, ask for another mail, or type a code");
}

async function aFurtherMailIsTold(world) {
  const { service, page } = world;
  const { email, mailId } = await registered(world);
  await service.calls().account.register({ email, password: "nine loud cranes at dawn", requestId: randomUUID() });
  const { token } = await service.mail(email, "", mailId);
  await open(page, `${service.origin}/verify#token=${token}`);
  await pressed(page);
  await page.locator('main:not(:has(form)) a[href="/reset"].button').waitFor();
  await look(page, "verify-done-mailed", { state: true });
  done("whoever has to set a password by a further mail is told so");
}

async function nothingIsThere({ service, page }) {
  const answer = await page.goto(`${service.origin}/nowhere`);
  assert.equal(answer.status(), 404);
  await look(page, "not-found");
  await page.locator('main a[href="/"]').click();
  await page.locator('main [name="identifier"]').waitFor();
  done("an address with nothing at it says so and leads to the start");
}
