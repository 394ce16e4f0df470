const last = [];

/** Runs `act` when this process ends; the last one given runs first. */
export function atExit(act) {
  last.push(act);
}

/** Runs all of them and ends this process. To be called once. */
export async function exit(code) {
  for (const act of last.reverse()) await Promise.resolve().then(act).catch(() => {});
  process.exit(code);
}
