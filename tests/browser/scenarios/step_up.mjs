// What protects the account needs a fresh proof: the page asks for the password where the person is, and repeats the
// action. The service would ask ten minutes after the login; here its first answers say so at once.
import assert from "node:assert/strict";
import { complaintsOf, look } from "../support/look.mjs";
import { done, scenario } from "../support/scenario.mjs";

scenario(async ({ browser, start }) => {
  const service = await start();
  const { email, password } = await service.person();
  const context = await browser.newContext({ locale: "en-GB", viewport: { width: 1280, height: 800 }, acceptDownloads: true });
  const { ready, complaints } = complaintsOf(context);
  await ready;
  const elsewhere = await browser.newContext({ locale: "en-GB" });
  await signIn(await elsewhere.newPage());
  const page = await context.newPage();
  await signIn(page);

  const asked = await askingOnce("AccountService/ExportMe");
  await page.locator('button[aria-label="Download your data"]').click();
  const typed = page.locator('main [name="password"]');
  await typed.waitFor();
  assert.equal(await page.evaluate(() => document.activeElement?.getAttribute("name")), "password", "the focus is where the task is");
  await look(page, "step-up", { state: true });
  done("the password is asked for");

  await typed.fill("not this one");
  await confirm();
  await page.locator("main .wrong").waitFor();
  assert.equal(await typed.inputValue(), "not this one", "what was typed stays");
  await look(page, "step-up-wrong", { state: true });
  assert.equal(asked.count, 1, "nothing is repeated without a proof");
  done("a wrong one is told at the field");

  await typed.fill(password);
  const download = page.waitForEvent("download");
  await confirm();
  assert.match((await download).suggestedFilename(), /\.json$/);
  assert.equal(asked.count, 2);
  await typed.waitFor({ state: "detached" });
  done("the right one, and the download begins");

  const ending = await askingOnce("SessionService/RevokeOtherSessions");
  await page.goto(`${service.origin}/account/sessions`);
  await page.getByText("Sign out everywhere else").click();
  await typed.fill(password);
  await confirm();
  await page.locator("main .note-good").waitFor();
  assert.equal(ending.count, 2);
  assert.deepEqual(complaints, []);
  done("the other device is signed out");

  async function signIn(page) {
    await page.goto(`${service.origin}/sign-in`);
    await page.locator('main [name="identifier"]').fill(email);
    await page.locator('main [name="password"]').fill(password);
    await page.locator('main form button[type="submit"]').click();
    await page.waitForURL((url) => url.pathname === "/account");
  }

  function confirm() {
    return page.locator('main form:has([name="password"]) button[type="submit"]').click();
  }

  /** Answers the first call of a method with STEP_UP_REQUIRED, and counts all of them. */
  async function askingOnce(method) {
    const calls = { count: 0 };
    await context.route(`**/countersign.v1.${method}`, (route) =>
      ++calls.count === 1 ? route.fulfill({ headers: REFUSAL }) : route.continue(),
    );
    return calls;
  }
});

/** A field of a message whose content is shorter than 128 bytes. */
const field = (number, content) => Buffer.concat([Buffer.from([(number << 3) | 2, content.length]), Buffer.from(content)]);

const INFO = Buffer.concat([field(1, "STEP_UP_REQUIRED"), field(2, "countersign")]);
const DETAIL = Buffer.concat([field(1, "type.googleapis.com/google.rpc.ErrorInfo"), field(2, INFO)]);
const REFUSAL = {
  "content-type": "application/grpc-web+proto",
  "grpc-status": "7",
  "grpc-status-details-bin": Buffer.concat([Buffer.from([8, 7]), field(3, DETAIL)]).toString("base64"),
};
