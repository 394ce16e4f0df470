// A captcha on the account pages: shown when the service requires it, and not before. Then the form is sent.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { text } from "node:stream/consumers";
import { atExit } from "../support/exit.mjs";
import { complaintsOf, look } from "../support/look.mjs";
import { done, scenario } from "../support/scenario.mjs";

const PROVIDER = "https://challenges.cloudflare.com/";
const PASSWORD = "seven quiet herons at dusk";

/** The script of a provider, as far as pages use it: a widget that a person clicks, and then a token. */
const SCRIPT = `
  globalThis.turnstile = {
    render(target, { sitekey, action, callback }) {
      const button = document.createElement("button");
      button.type = "button";
      button.innerHTML = "<span>I am a <b>person</b></span>";
      button.className = "button button-plain";
      button.dataset.sitekey = sitekey;
      button.addEventListener("click", () => callback("token-" + action + "-" + crypto.randomUUID()));
      target.append(button);
      return "widget";
    },
  };
  globalThis[new URL(document.currentScript.src).searchParams.get("onload")]();
`;

scenario(async ({ browser, start }) => {
  const verifier = await siteverify();
  const service = await start({
    CAPTCHA__PROVIDER: "turnstile",
    CAPTCHA__SITE_KEY: "0x4AAA",
    CAPTCHA__SECRET: "only-for-this-test",
    CAPTCHA__ENDPOINT: verifier.url,
    CAPTCHA__HOSTNAMES: "localhost",
    CAPTCHA__REQUIRED_FOR: "register, request_reset, resend_verification",
  });
  const context = await browser.newContext({ locale: "en-GB", viewport: { width: 1280, height: 800 } });
  const { ready, complaints } = complaintsOf(context);
  await ready;
  const asked = [];
  let reachable = true;
  await context.route(`${PROVIDER}**`, (route) => {
    asked.push(route.request().url());
    return reachable ? route.fulfill({ contentType: "text/javascript", body: SCRIPT }) : route.abort();
  });
  const page = await context.newPage();
  const quiet = () => assert.deepEqual(complaints, []);

  await page.goto(`${service.origin}/register`);
  await fill(page, { email: "ada@example.org", password: PASSWORD });
  assert.deepEqual(asked, [], "nobody is shown to a third party before a captcha is asked for");
  await submit(page);
  await widget(page).waitFor();
  assert.equal(await page.evaluate(() => document.activeElement?.className), "captcha", "the focus is where the task is");
  assert.equal(await widget(page).getAttribute("data-sitekey"), "0x4AAA");
  await look(page, "captcha", { state: true });
  assert.equal(await page.locator('main [name="password"]').inputValue(), PASSWORD, "what was typed stays");
  done("a captcha is asked for");

  verifier.answer = { success: false, "error-codes": ["timeout-or-duplicate"] };
  await widget(page).click();
  await page.locator('main [role="alert"]').waitFor();
  await widget(page).waitFor();
  await look(page, "captcha-refused", { state: true });
  done("another one is shown when the first was not accepted");

  verifier.answer = undefined;
  await widget(page).click();
  await at(page, "/verify");
  const mail = await service.mail("ada@example.org", "");
  assert.ok(mail.token);
  assert.deepEqual(verifier.tokens.at(-1).split("-").slice(0, 2), ["token", "register"]);
  done("registered");

  await page.locator("main summary").click();
  await page.locator('main form:has(button.button-plain) [name="email"]').last().fill("ada@example.org");
  await page.locator("main details button[type=submit]").click();
  await widget(page).click();
  await page.locator("main details .note-good").waitFor();
  done("mailed again");

  await page.goto(`${service.origin}/forgot-password`);
  await fill(page, { email: "ada@example.org" });
  await submit(page);
  await widget(page).click();
  await at(page, "/reset");
  assert.equal(asked.length, 2, "once for each page that was loaded");
  quiet();
  done("asked for a new password");

  reachable = false;
  await page.goto(`${service.origin}/forgot-password`);
  await fill(page, { email: "ada@example.org" });
  await submit(page);
  await page.locator('main .captcha [role="alert"]').waitFor();
  await look(page, "captcha-blocked", { state: true });
  reachable = true;
  await submit(page);
  await widget(page).click();
  await at(page, "/reset");
  done("a script that did not come is loaded at the next try");

  await service.calls().account.verify({ token: mail.token });
  await page.goto(`${service.origin}/sign-in`);
  for (let wrong = 1; wrong <= 3; wrong++) {
    await fill(page, { identifier: "ada@example.org", password: `not this one, nor ${wrong}` });
    await submit(page);
    await page.locator(`main [role="alert"]`).waitFor();
    await page.locator(`main button[type="submit"]:enabled`).waitFor();
  }
  assert.equal(await widget(page).count(), 0, "a slip or two cost nothing");
  await fill(page, { identifier: "ada@example.org", password: PASSWORD });
  await submit(page);
  await widget(page).click();
  await at(page, "/account");
  assert.deepEqual(verifier.tokens.at(-1).split("-").slice(0, 2), ["token", "login"]);
  done("signed in, after three wrong passwords, as a person");
});

const fill = async (page, values) => {
  for (const [name, value] of Object.entries(values)) await page.locator(`main [name="${name}"]`).fill(value);
};
const submit = (page) => page.locator('main form button[type="submit"]').first().click();
const at = (page, path) => page.waitForURL((url) => url.pathname === path);
const widget = (page) => page.locator("main .captcha-place button");

/** The server that verifies tokens for the service: yes to each token once, unless `answer` says otherwise. */
async function siteverify() {
  const verifier = { tokens: [], answer: undefined };
  const server = createServer(async (request, response) => {
    const token = new URLSearchParams(await text(request)).get("response");
    const fresh = !verifier.tokens.includes(token);
    verifier.tokens.push(token);
    const answer = verifier.answer ?? { success: fresh, hostname: "localhost", action: token.split("-")[1] };
    response.setHeader("content-type", "application/json").end(JSON.stringify(answer));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  atExit(() => server.close());
  verifier.url = `http://127.0.0.1:${server.address().port}/siteverify`;
  return verifier;
}
