import { Code, ConnectError } from "@connectrpc/connect";
import { retryAfter } from "./errors.js";
import type { Surroundings } from "./surroundings.js";

/** How many attempts a call has. */
export const MOST_ATTEMPTS = 3;
/** The longest pause, in milliseconds. If the service requires a longer one, the person decides. */
export const LONGEST_PAUSE = 5_000;
const FIRST_PAUSE = 250;

/**
 * Repeats a call while that is allowed and may help: the service said when to try again, or no answer arrived. `act`
 * must be safe to repeat.
 */
export async function withRetries<T>(
  act: () => Promise<T>,
  { sleep, random }: Pick<Surroundings, "sleep" | "random">,
  signal?: AbortSignal,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await act();
    } catch (error) {
      const pause = attempt < MOST_ATTEMPTS && !signal?.aborted ? pauseAfter(error, attempt) : undefined;
      if (pause === undefined) throw error;
      // Never sooner than the service said, and not in all tabs at the same time.
      await sleep(pause * (1 + random() / 2), signal);
    }
  }
}

function pauseAfter(error: unknown, attempt: number): number | undefined {
  const told = retryAfter(error);
  if (told !== undefined) return told <= LONGEST_PAUSE ? told : undefined;
  return isLost(error) ? FIRST_PAUSE * 2 ** (attempt - 1) : undefined;
}

/** Whether there was no answer, half of one, or one from a server in between. The call may have taken effect. */
function isLost(error: unknown): boolean {
  const { code, details } = ConnectError.from(error);
  return details.length === 0 && [Code.Unknown, Code.Unavailable, Code.DeadlineExceeded, Code.DataLoss].includes(code);
}
