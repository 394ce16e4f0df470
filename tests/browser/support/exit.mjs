const last = [];

/** Does `act` when this process is about to end, the latest first. */
export function atExit(act) {
  last.push(act);
}

/** To be called once. */
export async function exit(code) {
  for (const act of last.reverse()) await Promise.resolve().then(act).catch(() => {});
  process.exit(code);
}
