import assert from "node:assert/strict";
import { test } from "node:test";
import { createContextValues, type Interceptor, type UnaryRequest, type UnaryResponse } from "@connectrpc/connect";
import { Era } from "../src/era";

type Next = Parameters<Interceptor>[0];

/** A page whose calls pass an era and a client that may hold them. */
function open(client: Interceptor = (next) => next) {
  const sent: string[] = [];
  const page = { listen: () => {} };
  const era = new Era({ concerns: ({ method }) => method.name !== "GetMe", listen: () => page.listen() });
  let arrive: Next = async () => ({}) as UnaryResponse;
  const service: Next = (call) => {
    sent.push((call as UnaryRequest).method.name);
    return arrive(call);
  };
  const whole = era.around([client]).reduceRight((next, interceptor) => interceptor(next), service);
  const call = (name: string) => whole({ stream: false, method: { name }, contextValues: createContextValues() } as UnaryRequest);
  return { sent, page, era, call, answerWith: (next: Next) => (arrive = next) };
}

/** A step that continues when the test says so. */
function gate() {
  let go = () => {};
  const gone = new Promise<void>((resolve) => (go = resolve));
  return { go, gone };
}

const OTHER = /somebody else is signed in/;

test("a late answer to somebody who is no longer signed in is dropped", async () => {
  const { era, call, answerWith } = open();
  const { go, gone } = gate();
  answerWith(() => gone.then(() => ({}) as UnaryResponse));
  const answer = call("ExportMe");
  await Promise.resolve();
  era.end();
  go();
  await assert.rejects(answer, OTHER);
});

test("nothing is sent before it is known who signed in, and never as somebody else", async () => {
  for (const other of [true, false]) {
    const { era, call, sent } = open();
    const { go, gone } = gate();
    era.hold(async () => {
      await gone;
      if (other) era.end();
    });
    const answer = call("UpdateMe").then(() => "answered", () => "dropped");
    await call("GetMe");
    assert.deepEqual(sent, ["GetMe"]);
    go();
    assert.equal(await answer, other ? "dropped" : "answered");
    assert.deepEqual(sent, other ? ["GetMe"] : ["GetMe", "UpdateMe"]);
  }
});

test("what another tab did is heard before anything is sent", async () => {
  const { era, page, call, sent } = open();
  page.listen = () => era.end();
  await assert.rejects(call("UpdateMe"), OTHER);
  assert.deepEqual(sent, []);
});

test("what another tab did is heard before an answer is used", async () => {
  const { era, page, call, answerWith } = open();
  answerWith(async () => {
    page.listen = () => era.end();
    return {} as UnaryResponse;
  });
  await assert.rejects(call("ExportMe"), OTHER);
});

test("a call that the client repeats is not repeated as somebody else", async () => {
  for (const other of [true, false]) {
    const repeating: Interceptor = (next) => (call) => next(call).catch(() => next(call));
    const { era, call, sent, answerWith } = open(repeating);
    answerWith(async () => {
      answerWith(async () => ({}) as UnaryResponse);
      // Somebody signs in while the client refreshes the tokens.
      era.hold(async () => {
        await new Promise((resolve) => setImmediate(resolve));
        if (other) era.end();
      });
      throw new Error("the token has expired");
    });
    const answer = await call("UpdateMe").then(() => "answered", () => "dropped");
    assert.equal(answer, other ? "dropped" : "answered");
    assert.equal(sent.length, other ? 1 : 2);
  }
});

test("the client's own calls are never held: what is held may wait for them", () => {
  assert.deepEqual(open().era.around([]), []);
});
