import assert from "node:assert/strict";
import { test } from "node:test";
import { create, type DescField, type DescMethod } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { captchaOf, fieldsOf, proofMethodsOf, reasonOf, retryAfter } from "../src/index.js";
import { AccountService } from "../src/generated/countersign/v1/account_service_pb.js";
import { AuthService, SessionSchema } from "../src/generated/countersign/v1/auth_service_pb.js";
import { FactorService } from "../src/generated/countersign/v1/factor_service_pb.js";
import { ErrorInfoSchema } from "../src/generated/google/rpc/error_details_pb.js";
import { SessionService } from "../src/generated/countersign/v1/session_service_pb.js";
import { isRepeatable, needsSession } from "../src/methods.js";
import { Browser, fieldRefusal, refusal } from "./browser.js";

const BUSY = () => refusal("STORE_UNAVAILABLE", { code: Code.Unavailable, wait: 1_200 });

test("a call is repeated three times at most, when the service says", async () => {
  const browser = new Browser();
  browser.instead = BUSY;
  await assert.rejects(browser.tab().countersign.account.register({ email: "ada@example.org" }));
  assert.equal(browser.count("Register"), 3);
  assert.deepEqual(browser.pauses, [1_200, 1_200]);
});

test("a repeated call keeps its id, another call has another", async () => {
  const browser = new Browser();
  const { account } = browser.tab().countersign;
  browser.instead = () => (browser.requestIds.length === 1 ? BUSY() : undefined);
  await account.register({ email: "ada@example.org" });
  await account.register({ email: "ada@example.org" });
  await account.register({ email: "ada@example.org", requestId: "chosen by the page" });
  const [first, again, second, chosen] = browser.requestIds;
  assert.equal(first, again);
  assert.notEqual(first, second);
  assert.equal(chosen, "chosen by the page");
});

test("a call whose answer is lost is repeated", async () => {
  const browser = new Browser();
  let lost = 0;
  browser.homeward = async () => {
    if (lost++ === 0) throw new TypeError("Failed to fetch");
  };
  await browser.tab().countersign.account.register({ email: "ada@example.org" });
  assert.equal(browser.count("Register"), 2);
  assert.deepEqual(browser.pauses, [250]);
});

test("a call that may have taken effect is not repeated without an id", async () => {
  const browser = new Browser();
  browser.signIn();
  browser.instead = BUSY;
  await assert.rejects(browser.tab().countersign.account.updateMe({}));
  await assert.rejects(browser.tab().countersign.login({ identifier: "ada", password: "x" }));
  assert.deepEqual(browser.received, ["UpdateMe", "Login"]);
});

test("nobody waits a minute without being asked", async () => {
  const browser = new Browser();
  browser.instead = () => refusal("OVERLOADED", { code: Code.ResourceExhausted, wait: 60_000 });
  const error = await browser.tab().countersign.account.register({}).then(() => assert.fail(), (error: unknown) => error);
  assert.equal(retryAfter(error), 60_000);
  assert.equal(browser.count("Register"), 1);
});

const ALL: DescMethod[] = [AuthService, AccountService, SessionService, FactorService].flatMap(({ methods }) => methods);

test("what must not be repeated is known for every call", () => {
  const once = ALL.filter((method) => !isRepeatable(method)).map(({ name }) => name);
  assert.deepEqual(once.sort(), [
    "CompleteLogin",
    "ConfirmTotp",
    "DeleteMe",
    "FinishPasskey",
    "ForgetDevice",
    "IssueServiceToken",
    "Login",
    "Logout",
    "Reauthenticate",
    "Refresh",
    "RegenerateBackupCodes",
    "RemoveFactor",
    "RenameFactor",
    "RevokeOtherSessions",
    "RevokeSession",
    "StartPasskey",
    "StartTotp",
    "UpdateMe",
  ]);
});

test("what begins with a passkey may be repeated where it stores nothing", () => {
  const starting = ALL.filter(({ name }) => name.startsWith("StartPasskey"));
  assert.deepEqual(
    starting.map((method) => [method.name, isRepeatable(method), needsSession(method)]),
    [
      ["StartPasskeyLogin", true, false],
      ["StartPasskeyReauthentication", true, true],
      ["StartPasskey", false, true],
    ],
  );
});

test("only these answer with a session, so only they need to be alone for it", () => {
  const isSession = ({ message }: DescField) => message?.typeName === SessionSchema.typeName;
  const opening = ALL.filter(({ output }) => output.fields.some(isSession));
  const names = ["Login", "CompleteLogin", "Refresh", "Reauthenticate", "ConfirmTotp", "FinishPasskey"];
  assert.deepEqual(opening.map(({ name }) => name), names);
});

test("reasons are those of the list, from countersign", () => {
  assert.equal(reasonOf(refusal("USERNAME_TAKEN")), "USERNAME_TAKEN");
  for (const name of ["UNSPECIFIED", "NEWER_THAN_THIS", "3", "toString"]) assert.equal(reasonOf(refusal(name as never)), undefined);
  assert.equal(reasonOf(new TypeError("Failed to fetch")), undefined);
  assert.equal(reasonOf("anything"), undefined);
});

test("fields are told with what is wrong with them", () => {
  const error = fieldRefusal("email", "NOT_AN_ADDRESS", "has no @");
  assert.deepEqual(fieldsOf(error), [{ field: "email", reason: "NOT_AN_ADDRESS", description: "has no @" }]);
  assert.deepEqual(fieldsOf(new ConnectError("x")), []);
});

test("a captcha that is asked for is told with all that it takes to show it", () => {
  const metadata = { captcha_provider: "turnstile", captcha_site_key: "0x4A", captcha_action: "register" };
  const told = (metadata: Record<string, string>, domain = "countersign") => {
    const value = create(ErrorInfoSchema, { reason: "CAPTCHA_REQUIRED", domain, metadata });
    return captchaOf(new ConnectError("refused", Code.FailedPrecondition, undefined, [{ desc: ErrorInfoSchema, value }]));
  };
  assert.deepEqual(told(metadata), { provider: "turnstile", siteKey: "0x4A", action: "register" });
  assert.equal(told(metadata, "elsewhere"), undefined);
  assert.equal(told({ ...metadata, captcha_provider: "somebody" }), undefined);
  assert.equal(told({ ...metadata, captcha_site_key: "" }), undefined);
  assert.equal(captchaOf(refusal("RATE_LIMITED")), undefined);
  assert.equal(captchaOf(new TypeError("Failed to fetch")), undefined);
});

test("how a fresh proof can be given is told where one is needed, and nowhere else", () => {
  const told = (methods: string) => proofMethodsOf(refusal("STEP_UP_REQUIRED", { metadata: { methods } }));
  assert.deepEqual(told("TOTP BACKUP_CODE"), ["TOTP", "BACKUP_CODE"]);
  assert.deepEqual(told("PASSWORD"), ["PASSWORD"]);
  assert.deepEqual(told("PASSKEY TOTP BACKUP_CODE"), ["PASSKEY", "TOTP", "BACKUP_CODE"]);
  assert.deepEqual(told("EMAIL_CODE TOTP"), ["TOTP"], "what this version does not know is left out");
  assert.deepEqual(proofMethodsOf(refusal("STEP_UP_REQUIRED")), []);
  assert.deepEqual(proofMethodsOf(refusal("CODE_INVALID", { metadata: { methods: "TOTP" } })), []);
});
