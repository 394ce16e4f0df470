// A person adds passkeys, signs in with one alone and as the second step, proves with one who they are, and removes
// them. Virtual authenticators of the browser sign. They agree to every request at once, also to the one that waits in
// the autofill of the sign-in page, so the browser has that autofill in some parts only.
import assert from "node:assert/strict";
import { complaintsOf, look } from "../support/look.mjs";
import { done, scenario } from "../support/scenario.mjs";

/** A passkey of an authenticator that has no other device to copy it to. */
const LAPTOP = {
  protocol: "ctap2",
  transport: "internal",
  hasResidentKey: true,
  hasUserVerification: true,
  isUserVerified: true,
  automaticPresenceSimulation: true,
};
/** One that copies its passkeys to other devices. A browser has one internal authenticator at most. */
const MANAGER = { ...LAPTOP, transport: "usb", defaultBackupEligibility: true, defaultBackupState: true };
const NAME = "Ada’s laptop";

scenario(async ({ browser, start }) => {
  const service = await start();
  const { email, password } = await service.person();
  const viewport = { width: 1280, height: 800 };
  const context = await browser.newContext({ locale: "en-GB", viewport, acceptDownloads: true });
  const { ready, complaints } = complaintsOf(context);
  await ready;
  const calls = [];
  context.on("request", (request) => calls.push(new URL(request.url()).pathname.split("/").at(-1)));
  const page = await context.newPage();
  const cdp = await context.newCDPSession(page);
  await cdp.send("WebAuthn.enable");
  await page.addInitScript(() => {
    const available = PublicKeyCredential.isConditionalMediationAvailable.bind(PublicKeyCredential);
    PublicKeyCredential.isConditionalMediationAvailable = async () => sessionStorage.getItem("autofill") !== "off" && available();
  });
  const [backupField, passwordField] = ["backup_code", "password"].map((name) => page.locator(`main [name="${name}"]`));
  const passkeyStep = button("Use passkey");
  const rows = page.locator("main .rows .row");

  // Where no authenticator is, this browser has no passkeys in its autofill.
  const laptop = await authenticator(LAPTOP);
  await unavailable();
  await page.goto(`${service.origin}/sign-in`);
  await button("Sign in with a passkey").waitFor();
  assert.equal(await page.locator('main [name="identifier"]').getAttribute("autocomplete"), "username webauthn");
  await page.waitForFunction(() => performance.getEntriesByType("resource").some(({ name }) => name.endsWith("/StartPasskeyLogin")));
  assert.equal(await page.evaluate(shifts), 0, "nothing moves");
  await look(page, "passkey-sign-in");
  await button("Sign in with a passkey").click();
  await text("No passkey was used").waitFor();
  await look(page, "passkey-none", { state: true });
  done("who has no passkey learns that there is none");

  await signIn();
  await at("/account");
  await page.locator('nav a[href="/account/security"]').click();
  await button("Add a passkey").waitFor();
  await look(page, "security-no-passkey");
  const starting = await askingOnce("FactorService/StartPasskey", "PASSWORD");
  await button("Add a passkey").click();
  await passwordField.fill(password);
  await look(page, "passkey-add-proof", { state: true });
  await button("Confirm").click();
  const listed = page.locator("main .codes li");
  await listed.first().waitFor();
  assert.equal(starting.count, 2, "the passkey is requested again after the proof");
  await focusIs("H2");
  const backupCodes = await listed.allInnerTexts();
  assert.equal(new Set(backupCodes).size, 10);
  await button("I have stored them").click();
  await rows.getByText("On one device only").waitFor();
  await text("You have 10 unused codes.").waitFor();
  await focusIs("H2");
  assert.equal((await passkeysOf(laptop)).length, 1);
  await look(page, "security-passkey");
  done("a passkey is added, with backup codes because it is the first factor");

  const name = await rows.locator("h3").innerText();
  await button(`Rename ${name}`).click();
  await focusIs("name");
  await page.keyboard.type(NAME);
  await page.keyboard.press("Enter");
  // The session has proven the password alone, and the account has a factor now.
  await passkeyStep.waitFor();
  await focusIs("BUTTON");
  await look(page, "passkey-step-up", { state: true });
  await passkeyStep.press("Enter");
  await text(NAME, { exact: true }).waitFor();
  await text("The new name is saved.").waitFor();
  await button("Add another passkey").click();
  await text("This device has a passkey for your account already.").waitFor();
  await look(page, "passkey-known", { state: true });
  done("renamed after a fresh proof by passkey, and an authenticator has one passkey of an account");

  await present(laptop, false);
  const manager = await authenticator(MANAGER);
  await button("Add another passkey").click();
  await rows.getByText("Can be synced between your devices").waitFor();
  await text("is added.").waitFor();
  assert.deepEqual([await rows.count(), await listed.count()], [2, 0], "there are no other backup codes");
  await look(page, "security-passkeys");
  await present(manager, false);
  done("another passkey, which can be synced");

  await present(laptop, true);
  await autofill("off");
  await signOut();
  calls.length = 0;
  await button("Sign in with a passkey").click();
  await at("/account");
  assert.deepEqual([counted("Login"), counted("CompleteLogin")], [0, 1]);
  done("signed in with the button, and without a password");

  await signOut();
  await autofill("on");
  await page.reload();
  await at("/account");
  assert.deepEqual([counted("Login"), counted("CompleteLogin")], [0, 2]);
  done("signed in by the autofill");

  await present(laptop, false);
  await signOut();
  await signIn("not this one");
  await text("This does not match an account").waitFor();
  const offered = page.waitForRequest("**/StartPasskeyLogin");
  await submit();
  await offered;
  await autofill("off");
  await present(laptop, true);
  done("the autofill offers passkeys again after a wrong password");

  await signIn();
  await passkeyStep.waitFor();
  await focusIs("BUTTON");
  await look(page, "passkey-second-step");
  await verified(laptop, false);
  await passkeyStep.click();
  await text("No passkey was used").waitFor();
  await look(page, "passkey-second-step-dismissed", { state: true });
  await text("Use a backup code instead").click();
  await focusIs("backup_code");
  await text("Use a passkey instead").click();
  await focusIs("BUTTON");
  await verified(laptop, true);
  await page.keyboard.press("Enter");
  await at("/account");
  done("signed in with the password and a passkey as the second step");

  const exporting = await askingOnce("AccountService/ExportMe", "PASSKEY BACKUP_CODE");
  await page.locator('button[aria-label="Download your data"]').click();
  await passkeyStep.waitFor();
  const exported = page.waitForEvent("download");
  await passkeyStep.click();
  assert.match((await exported).suggestedFilename(), /\.json$/);
  assert.equal(exporting.count, 2);
  done("a fresh proof by a passkey");

  await page.locator('nav a[href="/account/security"]').click();
  const other = await rows.filter({ hasText: "Can be synced between your devices" }).locator("h3").innerText();
  await button(`Remove ${other}`).click();
  await text("It no longer signs you in then").waitFor();
  await look(page, "passkey-remove", { state: true });
  await confirmRemoval(other);
  await present(laptop, false);
  await present(manager, true);
  await signOut();
  await button("Sign in with a passkey").click();
  await text("This passkey was not accepted").waitFor();
  await focusIs("DIV");
  await look(page, "passkey-removed", { state: true });
  await remove(manager);
  done("a passkey that was removed signs nobody in");

  const [credential] = await passkeysOf(laptop);
  assert.ok(credential.signCount > 3, "the passkey has counted its signatures");
  await remove(laptop);
  const copy = await authenticator(LAPTOP);
  await cdp.send("WebAuthn.addCredential", { authenticatorId: copy, credential: { ...credential, signCount: 1 } });
  await button("Sign in with a passkey").click();
  await text("There seems to be a copy of this passkey").waitFor();
  await look(page, "passkey-copied", { state: true });
  await remove(copy);
  done("a copy of a passkey signs nobody in");

  await signIn();
  await passkeyStep.waitFor();
  await text("Use a backup code instead").click();
  await backupField.fill(backupCodes[0]);
  await backupField.press("Enter");
  await at("/account");
  await page.locator('nav a[href="/account/security"]').click();
  await text("You have 9 unused codes.").waitFor();
  await button(`Remove ${NAME}`).click();
  await text("It no longer signs you in then").waitFor();
  await text("Your password alone signs you in then").waitFor();
  await look(page, "passkey-remove-last", { state: true });
  await confirmRemoval(NAME);
  await button("Add a passkey").waitFor();
  await signOut();
  await signIn();
  await at("/account");
  assert.deepEqual(complaints, []);
  done("the last passkey is removed, and the password alone signs in");

  /** Where the service has no passkeys, none is offered. */
  async function unavailable() {
    const pattern = "**/countersign.v1.AuthService/StartPasskeyLogin";
    await context.route(pattern, (route) => route.fulfill({ headers: refusal("PASSKEYS_UNAVAILABLE", 9) }));
    await page.goto(`${service.origin}/sign-in`);
    await page.locator('main [name="identifier"]').waitFor();
    await button("Sign in with a passkey").waitFor({ state: "detached" });
    await context.unroute(pattern);
    done("no passkey is offered where the service has none");
  }

  async function signIn(typed = password) {
    await page.goto(`${service.origin}/sign-in`);
    await page.locator('main [name="identifier"]').fill(email);
    await passwordField.fill(typed);
    await submit();
  }

  function submit() {
    return page.locator('main form:has([name="password"]) button[type="submit"]').click();
  }

  async function signOut() {
    await page.locator("header button").click();
    await at("/sign-in");
  }

  async function confirmRemoval(name) {
    await page.getByRole("group", { name }).getByRole("button", { name: "Remove" }).click();
    await text(`“${name}” is removed.`).waitFor();
  }

  function button(name) {
    return page.locator("main").getByRole("button", { name, exact: true });
  }

  /** On the page itself: what has happened is also announced to screen readers. */
  function text(what, options) {
    return page.locator("main").getByText(what, options);
  }

  function at(path) {
    return page.waitForURL((url) => url.pathname === path);
  }

  function counted(method) {
    return calls.filter((name) => name === method).length;
  }

  /** Waits until the focus is on an input of this name, or on an element of this kind. */
  function focusIs(what) {
    const is = (what) => [document.activeElement?.getAttribute("name"), document.activeElement?.tagName].includes(what);
    return page.waitForFunction(is, what);
  }

  /** An authenticator that is present until `present` says otherwise. */
  async function authenticator(options) {
    const { authenticatorId } = await cdp.send("WebAuthn.addVirtualAuthenticator", { options });
    return authenticatorId;
  }

  function remove(authenticatorId) {
    return cdp.send("WebAuthn.removeVirtualAuthenticator", { authenticatorId });
  }

  /** Whether the person agrees to every request. */
  function present(authenticatorId, enabled) {
    return cdp.send("WebAuthn.setAutomaticPresenceSimulation", { authenticatorId, enabled });
  }

  /** Whether the authenticator recognizes the person. */
  function verified(authenticatorId, isUserVerified) {
    return cdp.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified });
  }

  async function passkeysOf(authenticatorId) {
    const { credentials } = await cdp.send("WebAuthn.getCredentials", { authenticatorId });
    return credentials;
  }

  /** Whether sign-in pages that are opened from now on have passkeys in the autofill: `on` or `off`. */
  function autofill(state) {
    return page.evaluate((state) => sessionStorage.setItem("autofill", state), state);
  }

  /** Answers the first call of a method with STEP_UP_REQUIRED, and counts all of them. */
  async function askingOnce(method, methods) {
    const asked = { count: 0 };
    await context.route(`**/countersign.v1.${method}`, (route) =>
      ++asked.count === 1 ? route.fulfill({ headers: refusal("STEP_UP_REQUIRED", 7, methods) }) : route.continue(),
    );
    return asked;
  }
});

/** The sum of all layout shifts since the page was opened that no input caused. */
async function shifts() {
  const entries = await new Promise((resolve) => {
    const observer = new PerformanceObserver((list) => resolve(list.getEntries()));
    observer.observe({ type: "layout-shift", buffered: true });
    setTimeout(() => resolve(observer.takeRecords()), 200);
  });
  return entries.filter(({ hadRecentInput }) => !hadRecentInput).reduce((sum, { value }) => sum + value, 0);
}

/** A field of a message whose content is shorter than 128 bytes. */
function field(number, content) {
  return Buffer.concat([Buffer.from([(number << 3) | 2, Buffer.byteLength(content)]), Buffer.from(content)]);
}

/** The headers of a refusal with a gRPC status; `methods` are those of a fresh proof. */
function refusal(reason, status, methods = "") {
  const named = methods === "" ? Buffer.alloc(0) : field(3, Buffer.concat([field(1, "methods"), field(2, methods)]));
  const info = Buffer.concat([field(1, reason), field(2, "countersign"), named]);
  const detail = Buffer.concat([field(1, "type.googleapis.com/google.rpc.ErrorInfo"), field(2, info)]);
  return {
    "content-type": "application/grpc-web+proto",
    "grpc-status": `${status}`,
    "grpc-status-details-bin": Buffer.concat([Buffer.from([8, status]), field(3, detail)]).toString("base64"),
  };
}
