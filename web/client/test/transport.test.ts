import assert from "node:assert/strict";
import { test } from "node:test";
import { Code, ConnectError, type Transport } from "@connectrpc/connect";
import { createMailbox } from "../src/dev.js";
import { Browser } from "./browser.js";

test("calls go by grpc-web, with the cookies", async (context) => {
  const sent: [unknown, RequestInit | undefined][] = [];
  context.mock.method(globalThis, "fetch", async (input: unknown, init?: RequestInit) => {
    sent.push([input, init]);
    throw new TypeError("Failed to fetch");
  });
  await assert.rejects(createMailbox({ baseUrl: "https://id.example.org" }).list({}));
  const [url, init] = sent[0] ?? [];
  assert.equal(url, "https://id.example.org/countersign.v1.DevMailboxService/List");
  assert.equal(init?.credentials, "include");
  assert.equal(new Headers(init?.headers).get("content-type"), "application/grpc-web+proto");
});

test("a call is given up after half a minute unless something else is said", async () => {
  const browser = new Browser();
  const limits: (number | undefined)[] = [];
  const transport = (): Transport => ({
    unary: async (_method, _signal, timeoutMs) => {
      limits.push(timeoutMs);
      throw new ConnectError("no", Code.InvalidArgument);
    },
    stream: () => assert.fail(),
  });
  const tab = (options = {}) => browser.tab({ ...options, transport }).countersign;
  for (const countersign of [tab(), tab({ timeoutMs: 5_000 })]) {
    await countersign.account.register({}).catch(() => {});
    await countersign.account.register({}, { timeoutMs: 1_000 }).catch(() => {});
    await countersign.login({ identifier: "ada", password: "x" }).catch(() => {});
  }
  assert.deepEqual(limits, [30_000, 1_000, 30_000, 5_000, 1_000, 5_000]);
});

test("every call names the tenant", async () => {
  const browser = new Browser();
  const { countersign } = browser.tab({ tenant: "acme" });
  await countersign.login({ identifier: "ada", password: "x" });
  browser.expire();
  await countersign.account.getMe({});
  await countersign.logout();
  assert.deepEqual([...browser.received], ["Login", "GetMe", "GetMe", "Refresh", "GetMe", "Logout"]);
  assert.deepEqual(browser.tenants, Array.from({ length: 6 }, () => "acme"));
  await browser.tab().countersign.login({ identifier: "ada", password: "x" });
  assert.equal(browser.tenants.at(-1), null);
});
