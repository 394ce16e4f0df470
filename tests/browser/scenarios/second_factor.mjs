// A person adds an authenticator app, signs in with its codes and with backup codes, lets a device be remembered, and
// removes the app. The scenario acts as the app: it computes codes from the key that the page shows. A code works once,
// and a code of the next half minute is accepted too, so nothing has to wait.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { complaintsOf, look } from "../support/look.mjs";
import { done, scenario } from "../support/scenario.mjs";
import { code, spaced, step, unrelated } from "../support/totp.mjs";

const APP = "Ada’s phone";

scenario(async ({ browser, start }) => {
  const service = await start();
  const person = await service.person();
  const { email } = person;
  let { password } = person;
  const viewport = { width: 1280, height: 800 };
  const context = await browser.newContext({ locale: "en-GB", viewport, acceptDownloads: true });
  const { ready, complaints } = complaintsOf(context);
  await ready;
  const page = await context.newPage();
  const [codeField, backupField] = ["totp_code", "backup_code"].map((name) => page.locator(`main [name="${name}"]`));
  const remember = page.getByRole("checkbox", { name: "Don't ask again on this device for 30 days", exact: true });
  const devices = page.getByRole("list", { name: "Remembered devices" }).getByRole("listitem");

  await signIn();
  await at("/account");
  const nudge = page.locator("main .note", { has: page.getByText("Set it up") });
  await nudge.waitFor();
  await look(page, "second-factor-nudge", { state: true });
  await nudge.getByText("Do not show this again").click();
  await nudge.waitFor({ state: "detached" });
  await page.reload();
  await page.getByText("You sign in with your password alone.").waitFor();
  assert.equal(await nudge.count(), 0);
  done("a hint leads to the second step, and can be dismissed for good");

  await page.locator('nav a[href="/account/security"]').click();
  await button("Add an authenticator app").waitFor();
  await look(page, "security");
  const starting = await askingOnce("FactorService/StartTotp", "PASSWORD");
  await button("Add an authenticator app").click();
  await page.locator('main [name="name"]').fill(APP);
  await button("Continue").click();
  await page.locator('main [name="password"]').fill(password);
  assert.equal(await page.locator('main [name="name"]').inputValue(), APP, "what was typed stays");
  await look(page, "security-add-proof", { state: true });
  await button("Confirm").click();
  const key = page.locator("main .key-letters");
  await key.waitFor();
  assert.equal(starting.count, 2, "the form is sent again after the proof");
  await focusIs("H2");
  assert.match(await key.innerText(), /^([A-Z2-7]{4} )+[A-Z2-7]{1,4}$/);
  const secret = (await key.innerText()).replaceAll(" ", "");
  assert.ok(await page.locator('main svg[role="img"] path').getAttribute("d"), "there is a QR code");
  await look(page, "security-add-key");
  done("the key is shown, as a QR code and as text");

  await codeField.fill("12345");
  await codeField.press("Enter");
  await page.locator("main .wrong").waitFor();
  await codeField.fill(unrelated(secret));
  await codeField.press("Enter");
  await page.getByText("This code is wrong.").waitFor();
  await focusIs("totp_code");
  await look(page, "security-add-wrong", { state: true });
  const first = step();
  await codeField.fill(spaced(code(secret, first)));
  await button("Add app").click();
  const listed = page.locator("main .codes li");
  await listed.first().waitFor();
  const backupCodes = await listed.allInnerTexts();
  assert.equal(new Set(backupCodes).size, 10);
  await look(page, "security-backup-codes");
  const downloading = page.waitForEvent("download");
  await button("Download as text").click();
  const stored = await readFile(await (await downloading).path(), "utf8");
  for (const each of backupCodes) assert.ok(stored.includes(each));
  assert.ok(stored.includes(email));
  await button("I have stored them").click();
  await page.getByText(APP, { exact: true }).waitFor();
  await page.getByText("You have 10 unused codes.").waitFor();
  await look(page, "security-on");
  done("the first code enables the app, and backup codes are shown once");

  await button(`Rename ${APP}`).click();
  await focusIs("name");
  await page.keyboard.type("Old phone");
  await page.keyboard.press("Enter");
  // The session has proven the password alone, and the account has a factor now.
  await codeField.waitFor();
  await page.getByText("Use a backup code instead").click();
  await backupField.fill(backupCodes[3]);
  await button("Confirm").click();
  await page.getByText("Old phone", { exact: true }).waitFor();
  await focusIs("H2");
  done("renamed");

  await signOut();
  await signIn();
  await codeField.waitFor();
  await focusIs("totp_code");
  assert.deepEqual(
    await codeField.evaluate((input) => [input.autocomplete, input.inputMode]),
    ["one-time-code", "numeric"],
  );
  await look(page, "second-step");
  await codeField.fill(code(secret, step() + 6));
  await codeField.press("Enter");
  await page.getByText("Check the clock of your phone").waitFor();
  await look(page, "second-step-wrong", { state: true });
  const used = Math.max(step(), first) + 1;
  await codeField.fill(spaced(code(secret, used)));
  await codeField.press("Enter");
  await at("/account");
  done("signed in with a code");

  await signOut();
  await signIn();
  await codeField.fill(code(secret, used));
  await codeField.press("Enter");
  await page.getByText("This code was used already.").waitFor();
  await page.getByText("Use a backup code instead").click();
  await focusIs("backup_code");
  await look(page, "second-step-backup", { state: true });
  await backupField.fill(backupCodes[0].toLowerCase().replaceAll("-", " "));
  await backupField.press("Enter");
  await at("/account");
  done("a code works once, and a backup code is as good");

  await signOut();
  await signIn();
  await focusIs("totp_code");
  assert.equal(await remember.isChecked(), false);
  await remember.check();
  await codeField.fill(unrelated(secret));
  await codeField.press("Enter");
  await page.getByText("This code is wrong.").waitFor();
  await page.getByText("Use a backup code instead").click();
  await focusIs("backup_code");
  assert.equal(await remember.isChecked(), true, "it stays ticked");
  await look(page, "second-step-remember", { state: true });
  await backupField.fill(backupCodes[4]);
  await backupField.press("Enter");
  await at("/account");
  await signOut();
  await signIn();
  await at("/account");
  done("a device is remembered, and takes the password alone");

  await page.locator('nav a[href="/account/security"]').click();
  await devices.getByText("This device").waitFor();
  assert.equal(await devices.count(), 1);
  await look(page, "security-remembered");
  await devices.getByRole("button", { name: /^Forget / }).click();
  await page.locator("main").getByText("is forgotten").waitFor();
  await devices.waitFor({ state: "detached" });
  await focusIs("H2");
  assert.match(await page.evaluate(() => document.activeElement.innerText), /^Two-step sign-in/);
  await signOut();
  await signIn();
  await codeField.waitFor();
  done("a device that is forgotten takes a code again");

  await context.clearCookies({ name: "__Host-countersign_challenge" });
  await codeField.fill("123456");
  await codeField.press("Enter");
  await page.getByText("Your browser does not keep cookies for this site").waitFor();
  assert.equal(await page.locator('main [name="identifier"]').inputValue(), email, "the address stays");
  await look(page, "second-step-over", { state: true });
  await page.locator('main [name="password"]').fill(password);
  await submit("password");
  await codeField.waitFor();
  await page.getByText("Start again").click();
  await page.locator('main [name="password"]').waitFor();
  await focusIs("identifier");
  await signIn();
  await codeField.waitFor();
  await remember.check();
  await page.getByText("Use a backup code instead").click();
  await backupField.fill(backupCodes[0]);
  await backupField.press("Enter");
  await page.getByText("This code is wrong, or was used already.").waitFor();
  await backupField.fill(backupCodes[1]);
  await backupField.press("Enter");
  await at("/account");
  done("a challenge that is void leads back to the password");

  const exporting = await askingOnce("AccountService/ExportMe", "TOTP BACKUP_CODE");
  await page.locator('button[aria-label="Download your data"]').click();
  await codeField.waitFor();
  await focusIs("totp_code");
  assert.equal(await page.locator('main [name="password"]').count(), 0, "the password proves nothing here");
  await look(page, "step-up-code", { state: true });
  await page.getByText("Use a backup code instead").click();
  await backupField.fill(backupCodes[2]);
  const exported = page.waitForEvent("download");
  await button("Confirm").click();
  assert.match((await exported).suggestedFilename(), /\.json$/);
  assert.equal(exporting.count, 2);
  done("a fresh proof by a backup code");

  await page.locator('nav a[href="/account/security"]').click();
  await page.getByText("You have 5 unused codes.").waitFor();
  await button("Create new codes").click();
  await look(page, "security-new-codes", { state: true });
  await button("Create new codes").click();
  await listed.first().waitFor();
  assert.equal((await listed.allInnerTexts()).filter((each) => backupCodes.includes(each)).length, 0);
  await button("I have stored them").click();
  await page.getByText("You have 10 unused codes.").waitFor();
  assert.equal(await devices.count(), 1);
  await page.locator('nav a[href="/account/password"]').click();
  await page.locator('main [name="current_password"]').fill(password);
  password = "kettle hills";
  await page.locator('main [name="new_password"]').fill(password);
  await page.locator('main button[type="submit"]').click();
  await page.locator('main a[href="/account"]').click();
  await at("/account");
  await page.locator('nav a[href="/account/security"]').click();
  done("beside an app a password may be shorter");

  await button("Remove Old phone").click();
  await page.getByText("Your password alone signs you in then").waitFor();
  await look(page, "security-remove", { state: true });
  await page.getByRole("group", { name: "Old phone" }).getByRole("button", { name: "Remove" }).click();
  await page.getByText("Your password is too short to protect your account alone").waitFor();
  await focusIs("new_password");
  await look(page, "security-remove-short", { state: true });
  await page.locator('main [name="new_password"]').fill("too short");
  await page.locator('main li button[type="submit"]').click();
  await page.getByText("Use at least 15 characters.").first().waitFor();
  password = "four grey herons watch the tide";
  await page.locator('main [name="new_password"]').fill(password);
  await page.locator('main li button[type="submit"]').click();
  await button("Add an authenticator app").waitFor();
  await devices.waitFor({ state: "detached" });
  done("new backup codes, and the app is removed: no device is remembered without it");

  await signOut();
  await signIn();
  await at("/account");
  assert.deepEqual(complaints, []);
  done("the password alone signs in");

  async function signIn() {
    await page.goto(`${service.origin}/sign-in`);
    await page.locator('main [name="identifier"]').fill(email);
    await page.locator('main [name="password"]').fill(password);
    await submit("password");
  }

  async function signOut() {
    await page.locator("header button").click();
    await at("/sign-in");
  }

  function submit(field) {
    return page.locator(`main form:has([name="${field}"]) button[type="submit"]`).click();
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

  /** Answers the first call of a method with STEP_UP_REQUIRED, and counts all of them. */
  async function askingOnce(method, methods) {
    const calls = { count: 0 };
    await context.route(`**/countersign.v1.${method}`, (route) =>
      ++calls.count === 1 ? route.fulfill({ headers: refusal(methods) }) : route.continue(),
    );
    return calls;
  }
});

/** A field of a message whose content is shorter than 128 bytes. */
function field(number, content) {
  return Buffer.concat([Buffer.from([(number << 3) | 2, Buffer.byteLength(content)]), Buffer.from(content)]);
}

/** The headers of an answer that requires a fresh proof. */
function refusal(methods) {
  const named = field(3, Buffer.concat([field(1, "methods"), field(2, methods)]));
  const info = Buffer.concat([field(1, "STEP_UP_REQUIRED"), field(2, "countersign"), named]);
  const detail = Buffer.concat([field(1, "type.googleapis.com/google.rpc.ErrorInfo"), field(2, info)]);
  return {
    "content-type": "application/grpc-web+proto",
    "grpc-status": "7",
    "grpc-status-details-bin": Buffer.concat([Buffer.from([8, 7]), field(3, detail)]).toString("base64"),
  };
}
