import assert from "node:assert/strict";
import { test } from "node:test";
import { OneAtATime, type Progress } from "../src/one-at-a-time";

function begin() {
  const shown: Progress[] = [];
  return { shown, doer: new OneAtATime((progress) => shown.push(progress)) };
}

test("what is sent twice at once is sent once", async () => {
  const { doer } = begin();
  let sent = 0;
  let answer = () => {};
  const answered = new Promise<void>((resolve) => (answer = resolve));
  const act = () => {
    sent++;
    return answered;
  };
  const first = doer.run(act);
  await doer.run(act);
  answer();
  await first;
  assert.equal(sent, 1);
  await doer.run(act);
  assert.equal(sent, 2);
});

test("what was wrong is shown until there is another answer, and then no longer", async () => {
  const { doer, shown } = begin();
  await doer.run(() => Promise.reject(new Error("lost")));
  await doer.run(() => Promise.resolve());
  assert.deepEqual(
    shown.map(({ busy, fault }) => [busy, fault?.reason]),
    [[true, undefined], [false, "NO_ANSWER"], [true, "NO_ANSWER"], [false, undefined]],
  );
});

test("something that fails at once can be done again", async () => {
  const { doer, shown } = begin();
  await doer.run(() => {
    throw new Error("broken");
  });
  assert.equal(shown.at(-1)?.busy, false);
});
