// Everything that a person does on the account pages, from registration to deletion.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { allCookies, cookies } from "../support/browser.mjs";
import { complaintsOf, look } from "../support/look.mjs";
import { done, scenario } from "../support/scenario.mjs";

const MINUTE = 60;
const DAY = 24 * 60 * MINUTE;
/** The lifetime of the tokens, and so of their cookies, in seconds. */
const LIVES = { access: 10 * MINUTE, refresh: 14 * DAY, device: 400 * DAY };

scenario(async ({ browser, start }) => {
  const service = await start();
  const person = { email: `ada-${randomUUID()}@example.org`, username: `ada-${randomUUID().slice(0, 8)}`, password: "seven quiet herons at dusk" };
  const [here, elsewhere] = [await visitor(browser, service), await visitor(browser, service)];
  const walkthrough = { service, here, elsewhere, person };

  for (const part of [registers, verifies, signsIn, looksAround, changesPassword, changesEmail, endsOtherSession, signsOut, resets, leaves]) {
    await part(walkthrough);
    for (const { complaints } of [here, elsewhere]) assert.deepEqual(complaints, []);
    for (const { page } of [here, elsewhere]) assert.equal(await page.evaluate(() => document.cookie), "");
  }
});

/** A new browser profile with one tab. */
async function visitor(browser, { origin }) {
  const context = await browser.newContext({ locale: "en-GB", viewport: { width: 1280, height: 800 } });
  const { ready, complaints } = complaintsOf(context);
  await ready;
  const calls = [];
  context.on("request", (request) => calls.push(new URL(request.url()).pathname.split(".").at(-1)));
  const page = await context.newPage();
  await page.goto(`${origin}/sign-in`);
  const held = () => cookies(context, origin);
  const kept = async () => {
    // It was set when the page was opened, and not by a login.
    const { binding: _, ...set } = await allCookies(context, origin);
    return set;
  };
  return { context, page, complaints, held, kept, calls, visit: (path) => page.goto(origin + path) };
}

/** Fills in fields by their names and sends the form. */
async function send(page, values) {
  for (const [name, value] of Object.entries(values)) await page.locator(`main [name="${name}"]`).fill(value);
  const [last] = Object.keys(values).slice(-1);
  await page.locator(`main form:has([name="${last}"]) button[type="submit"]`).click();
}

const at = (page, path) => page.waitForURL((url) => url.pathname === path);
const follow = (page, path) => page.locator(`main a[href="${path}"]`).first().click();
/** Waits until a page has done its task: there is no form any more, but a link to continue. */
const isDone = (page, path) => page.locator(`main:not(:has(form)) a[href="${path}"]`).waitFor();
const isRefused = (page) => page.locator('main [role="alert"]').waitFor();

/** The newest mailed link for `path`. */
async function mailedLink({ service }, recipient, path) {
  const { mails } = await service.calls().mailbox.list({ recipient });
  const links = mails.flatMap(({ text }) => text.match(/https?:\S+/g) ?? []).filter((link) => link.startsWith(`${service.origin}${path}#token=`));
  assert.ok(links.length > 0, `${recipient} was mailed a link to ${path}`);
  return links[0];
}

/** Opens a mailed link. Nothing is called before the person acts. */
async function openLink({ here }, link, name) {
  here.calls.length = 0;
  await here.page.goto("about:blank");
  await here.page.goto(link, { waitUntil: "networkidle" });
  assert.equal(new URL(here.page.url()).hash, "", "the token is out of the address bar");
  await look(here.page, name);
  assert.deepEqual(here.calls.filter((call) => call.startsWith("AccountService/") && call !== "AccountService/GetMe"), []);
}

async function registers(walkthrough) {
  const { page } = walkthrough.here;
  await look(page, "sign-in");
  await follow(page, "/register");
  await at(page, "/register");
  await look(page, "register");
  await send(page, { email: "no address", password: "short" });
  await isRefused(page);
  await look(page, "register-refused", { state: true });
  const { email, username, password } = walkthrough.person;
  await send(page, { email, display_name: "Ada Lovelace", username, password });
  await at(page, "/verify");
  await look(page, "verify-mailed");
  done("registered");
}

async function verifies(walkthrough) {
  const { here, service, person } = walkthrough;
  const mail = await service.mail(person.email, "");
  await here.visit("/dev/mailbox");
  await here.page.locator(`main a[href="/verify#token=${mail.token}"]`).waitFor();
  await look(here.page, "mailbox");
  await openLink(walkthrough, await mailedLink(walkthrough, person.email, "/verify"), "verify-link");
  await here.page.locator("main button").first().click();
  await isDone(here.page, "/sign-in");
  await look(here.page, "verify-done", { state: true });
  await here.page.locator("main").getByText(person.username).waitFor();
  assert.deepEqual(await here.held(), {});
  done("verified, by a button and not by opening the link");
}

async function signsIn({ here, elsewhere, person }) {
  const { page } = here;
  await follow(page, "/sign-in");
  await at(page, "/sign-in");
  await send(page, { identifier: person.email, password: "something else altogether" });
  await isRefused(page);
  await look(page, "sign-in-refused", { state: true });
  const now = Date.now() / 1000;
  await logIn(page, person);
  assertKept(await here.kept(), now);
  await logIn(elsewhere.page, person);
  done("signed in, twice");
}

async function logIn(page, { email, password }) {
  await send(page, { identifier: email, password });
  await at(page, "/account");
  await page.locator("main [name=display_name]").waitFor();
}

/** No script can read the cookies, no other site can send them, and they expire with the tokens. */
function assertKept(held, now) {
  assert.ok(held.access && held.refresh && held.device);
  for (const name of Object.keys(held)) {
    // `refresh` is in the list twice, once under the name of its generation.
    const life = LIVES[name.split(".")[0]];
    const { httpOnly, secure, sameSite, path, domain, expires } = held[name];
    assert.deepEqual([httpOnly, secure, sameSite, path, domain], [true, true, "Strict", "/", "localhost"], name);
    assert.ok(Math.abs(expires - now - life) < 30, `${name} is kept for ${expires - now} s`);
  }
}

async function looksAround({ here }) {
  const { page } = here;
  await look(page, "account");
  await send(page, { display_name: "Countess of Lovelace" });
  await page.locator("main .note-good").waitFor();
  await page.reload();
  await page.locator("main [name=display_name]").waitFor();
  assert.equal(await page.locator("main [name=display_name]").inputValue(), "Countess of Lovelace");
  done("changed the name");
}

async function changesPassword({ here, elsewhere, person }) {
  const { page } = here;
  await follow(page, "/account/password");
  await at(page, "/account/password");
  await page.locator("main [name=current_password]").waitFor();
  await look(page, "password");
  await send(page, { current_password: "not this one", new_password: "nine loud cranes at dawn" });
  await isRefused(page);
  await look(page, "password-refused", { state: true });
  await send(page, { current_password: person.password, new_password: "nine loud cranes at dawn" });
  person.password = "nine loud cranes at dawn";
  await isDone(page, "/account");
  await look(page, "password-done", { state: true });
  await isSignedOut(elsewhere);
  await look(elsewhere.page, "signed-out-elsewhere", { state: true });
  done("changed the password, and other devices are signed out");
}

/** A person who comes back finds that the session has ended, and the browser keeps no cookies of it. */
async function isSignedOut({ visit, page, held }) {
  await visit("/account");
  await at(page, "/sign-in");
  assert.deepEqual(await held(), {});
}

async function changesEmail(walkthrough) {
  const { here, service, person } = walkthrough;
  const { page } = here;
  const newer = `countess-${randomUUID()}@example.org`;
  await follow(page, "/account");
  await at(page, "/account");
  await follow(page, "/account/email");
  await page.locator("main [name=new_email]").waitFor();
  await look(page, "email");
  await send(page, { new_email: newer, current_password: person.password });
  await at(page, "/confirm-email");
  await look(page, "confirm-email-mailed");
  await service.mail(newer, "");
  await openLink(walkthrough, await mailedLink(walkthrough, newer, "/confirm-email"), "confirm-email-link");
  await page.locator("main button").first().click();
  await page.locator('main:not(:has(form)) a[href="/account"], main:not(:has(form)) a[href="/sign-in"]').waitFor();
  await look(page, "confirm-email-done", { state: true });
  person.email = newer;
  await here.visit("/account");
  await page.locator("main [name=display_name], main [name=identifier]").first().waitFor();
  if (new URL(page.url()).pathname !== "/account") await logIn(page, person);
  await page.getByText(newer).first().waitFor();
  done("changed the address");
}

async function endsOtherSession({ here, elsewhere, person }) {
  const { page } = here;
  await elsewhere.visit("/sign-in");
  await logIn(elsewhere.page, person);
  await here.visit("/account/sessions");
  await page.locator("main li").nth(1).waitFor();
  assert.equal(await page.locator("main li").count(), 2);
  await look(page, "sessions");
  await page.locator("main li:not(:has(.badge)) button").click();
  await page.locator("main li").nth(1).waitFor({ state: "detached" });
  await look(page, "sessions-ended", { state: true });
  await isSignedOut(elsewhere);
  await here.visit("/account");
  await page.locator("main [name=display_name]").waitFor();
  done("signed the other device out");
}

async function signsOut({ here }) {
  const { page } = here;
  await page.locator("header button").click();
  await at(page, "/sign-in");
  assert.deepEqual(await here.held(), {});
  await look(page, "signed-out", { state: true });
  done("signed out, and no cookie is left");
}

async function resets(walkthrough) {
  const { here, person } = walkthrough;
  const { page } = here;
  await follow(page, "/forgot-password");
  await at(page, "/forgot-password");
  await look(page, "forgot-password");
  await send(page, { email: person.email });
  await at(page, "/reset");
  await look(page, "reset-mailed");
  await walkthrough.service.mail(person.email, "assword");
  await openLink(walkthrough, await mailedLink(walkthrough, person.email, "/reset"), "reset-link");
  person.password = "eleven patient owls at noon";
  await send(page, { new_password: person.password });
  await isDone(page, "/sign-in");
  await look(page, "reset-done", { state: true });
  await follow(page, "/sign-in");
  await at(page, "/sign-in");
  await logIn(page, person);
  done("reset the password");
}

async function leaves({ here, person }) {
  const { page } = here;
  await follow(page, "/account/delete");
  await page.locator("main [name=understood]").waitFor();
  await look(page, "delete");
  await page.locator("main [name=current_password]").fill(person.password);
  await page.locator("main [name=understood]").check();
  await page.locator('main form button[type="submit"]').click();
  await at(page, "/sign-in");
  assert.deepEqual(await here.held(), {});
  await look(page, "deleted", { state: true });
  await send(page, { identifier: person.email, password: person.password });
  await isRefused(page);
  done("left for good");
}
