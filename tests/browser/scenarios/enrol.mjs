// Where everybody must have a second factor: a person without one proves the mailbox, adds an app or a passkey, stores
// the backup codes, and only then is signed in. The last factor stays.
import assert from "node:assert/strict";
import { complaintsOf, look } from "../support/look.mjs";
import { done, scenario } from "../support/scenario.mjs";
import { code, step, unrelated } from "../support/totp.mjs";

const LAPTOP = {
  protocol: "ctap2",
  transport: "internal",
  hasResidentKey: true,
  hasUserVerification: true,
  isUserVerified: true,
  automaticPresenceSimulation: true,
};

scenario(async ({ browser, start }) => {
  const service = await start({ FACTORS__REQUIRED: "always" });
  const viewport = { width: 1280, height: 800 };
  const context = await browser.newContext({ locale: "en-GB", viewport });
  const { ready, complaints } = complaintsOf(context);
  await ready;
  const page = await context.newPage();
  const [mailField, codeField] = ["email_code", "totp_code"].map((name) => page.locator(`main [name="${name}"]`));
  const listed = page.locator("main .codes li");

  const ada = await service.person();
  await page.goto(`${service.origin}/account/sessions`);
  await page.waitForURL((url) => url.pathname === "/sign-in");
  await signIn(ada);
  await mailField.waitFor();
  await focusIs("email_code");
  assert.deepEqual(
    await mailField.evaluate((input) => [input.autocomplete, input.inputMode]),
    ["one-time-code", "numeric"],
  );
  await look(page, "enrol-mail");
  const { code: mailed } = await codeMail(ada);
  await mailField.fill(mailed === "0000 0000" ? "11111111" : "00000000");
  await mailField.press("Enter");
  await page.getByText("This code is wrong.").waitFor();
  await focusIs("email_code");
  await look(page, "enrol-mail-wrong", { state: true });
  await mailField.fill(mailed);
  await mailField.press("Enter");
  await button("Add an authenticator app").waitFor();
  await look(page, "enrol");
  done("a mailed code comes first");

  await button("Add an authenticator app").click();
  await button("Continue").click();
  const key = page.locator("main .key-letters");
  await key.waitFor();
  await look(page, "enrol-key");
  const secret = (await key.innerText()).replaceAll(" ", "");
  await codeField.fill(unrelated(secret));
  await codeField.press("Enter");
  await page.getByText("This code is wrong.").waitFor();
  await codeField.fill(code(secret, step()));
  await button("Add app").click();
  await listed.first().waitFor();
  assert.equal(await listed.count(), 10);
  assert.equal(new URL(page.url()).pathname, "/sign-in", "the codes are shown before anything else");
  await focusIs("H2");
  await look(page, "enrol-backup-codes");
  await button("I have stored them").click();
  await at("/account/sessions");
  done("the app signs in, and leads to where the person wanted to go");

  await page.locator('nav a[href="/account/security"]').click();
  await page.getByText("Your account has to keep a second step").waitFor();
  assert.equal(await page.getByRole("button", { name: /^Remove / }).count(), 0);
  await look(page, "enrol-last-factor");
  done("the last factor stays");
  await page.locator("header button").click();
  await at("/sign-in");

  const eve = await service.person();
  await signIn(eve);
  await mailField.waitFor();
  const former = await codeMail(eve);
  await page.getByText("Start again").click();
  await page.locator('main [name="password"]').waitFor();
  await focusIs("identifier");
  await signIn(eve);
  await mailField.fill((await codeMail(eve, former)).code);
  await mailField.press("Enter");
  const cdp = await context.newCDPSession(page);
  await cdp.send("WebAuthn.enable");
  const { authenticatorId } = await cdp.send("WebAuthn.addVirtualAuthenticator", { options: LAPTOP });
  await button("Add a passkey").click();
  await listed.first().waitFor();
  await page.reload();
  await at("/account");
  done("a passkey signs in as well, and whoever leaves the codes is signed in");

  // It would agree to the request in the autofill at once.
  await cdp.send("WebAuthn.removeVirtualAuthenticator", { authenticatorId });
  const bob = await service.person();
  await page.locator("header button").click();
  await at("/sign-in");
  await signIn(bob);
  await mailField.fill((await codeMail(bob)).code);
  await mailField.press("Enter");
  await button("Add an authenticator app").click();
  await context.clearCookies({ name: "__Host-countersign_challenge" });
  await button("Continue").click();
  await page.getByText("Your browser does not keep cookies for this site").waitFor();
  assert.equal(await page.locator('main [name="identifier"]').inputValue(), bob.email, "the address stays");
  assert.deepEqual(complaints, []);
  done("a login that is lost leads back to the password");

  async function signIn({ email, password }) {
    await page.locator('main [name="identifier"]').fill(email);
    await page.locator('main [name="password"]').fill(password);
    await page.locator('main form:has([name="password"]) button[type="submit"]').click();
  }

  /** The mail with a code, after another one. */
  function codeMail({ email }, after) {
    return service.mail(email, "sign-in code", after?.mailId);
  }

  function button(name) {
    return page.locator("main").getByRole("button", { name, exact: true });
  }

  function at(path) {
    return page.waitForURL((url) => url.pathname === path);
  }

  /** Waits until the focus is on an input of this name, or on an element of this kind. */
  function focusIs(what) {
    const is = (what) => [document.activeElement?.getAttribute("name"), document.activeElement?.tagName].includes(what);
    return page.waitForFunction(is, what);
  }
});
